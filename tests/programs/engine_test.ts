import assert from "node:assert/strict";
import type { Container } from "../../src/domain/containers.ts";
import { PikoError } from "../../src/domain/errors.ts";
import { askAhead } from "../../src/programs/ask_ahead.ts";
import { Engine } from "../../src/programs/engine.ts";
import { networkRoom, parseLog, parseStatus } from "../../src/programs/engine/answers.ts";
import { tryRun } from "../../src/programs/run.ts";
import { Containers, docker, eventually, variables } from "../containers.ts";
import { needs } from "../needs.ts";

const engine = new Engine({ variables });
const needed = needs("engine", "images");

/** Forwards connections to the real engine, like the socket of another context. */
class OtherDoor implements AsyncDisposable {
  readonly #listener: Deno.Listener<Deno.Conn>;
  readonly #connections: Deno.Conn[] = [];
  readonly #served: Promise<void>;
  connected = 0;

  constructor(listener: Deno.Listener<Deno.Conn>) {
    this.#listener = listener;
    this.#served = this.#serve();
  }

  async #serve(): Promise<void> {
    for await (const near of this.#listener) {
      this.connected++;
      const far = await Deno.connect({ transport: "unix", path: "/var/run/docker.sock" });
      this.#connections.push(near, far);
      Promise.allSettled([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#served;
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    }
  }
}

/** A temporary folder. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "pikotest-" });
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function isUnavailable(message: RegExp, hint: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PikoError, String(error));
    assert.equal(error.code, "unavailable");
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  };
}

async function find(containers: Containers, service: string): Promise<Container | undefined> {
  const { composeProject } = containers;
  const listed = await engine.listContainers({ composeProject });
  return listed.find((container) => container.service === service);
}

Deno.test(
  "Engine.listContainers() has the answer to what was asked ahead, once",
  needed,
  async () => {
    await using containers = new Containers();
    const composeProject = containers.composeProject;
    await containers.start("web", ["sleep", "1000"]);
    const asked = new Engine({ variables, askedAhead: await askAhead(variables) });
    await containers.start("db", ["sleep", "1000"]);
    const services = async () =>
      (await asked.listContainers({ composeProject })).map(({ service }) => service);
    assert.deepEqual(await services(), ["web"]);
    assert.deepEqual(await services(), ["db", "web"]);

    // An engine that ends before it has answered.
    using folder = new Folder();
    const path = `${folder.path}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    const askedAhead = await Deno.connect({ transport: "unix", path });
    (await listener.accept()).close();
    await assert.rejects(
      new Engine({ variables, askedAhead }).listContainers(),
      isUnavailable(/^Cannot reach the Docker engine at unix:/, /docker/),
    );
  },
);

Deno.test("askAhead() leaves it to the engine's own way where it is not the usual one", async () => {
  using folder = new Folder();
  await Deno.writeTextFile(`${folder.path}/config.json`, "not JSON");
  for (
    const more of [{ DOCKER_HOST: "tcp://build:2375" }, { DOCKER_CONTEXT: "build" }, {
      DOCKER_HOST: "",
      DOCKER_CONTEXT: "",
      DOCKER_CONFIG: folder.path,
    }]
  ) {
    assert.equal(await askAhead({ ...variables, ...more }), undefined, JSON.stringify(more));
  }
});

Deno.test(
  "Engine.connectNetwork() and disconnectNetwork() may be said twice, and of networks that are gone",
  needed,
  async () => {
    await using containers = new Containers();
    const { composeProject } = containers;
    const [back, front] = [`${composeProject}_back`, `${composeProject}_front`];
    const make = (name: string) => docker("network", "create", ...containers.labels(), name);
    for (const name of [back, front]) await make(name);
    const id = await containers.start("web", ["sleep", "1000"], `--network=${back}`);
    const networkIds = async () =>
      (await engine.listContainers({ composeProject }))[0]?.networkIds ?? {};
    for (const _ of ["once", "twice"]) await engine.connectNetwork(front, id, ["web", "shop-web"]);
    const aliases = await docker(
      ...["inspect", "--format", `{{json (index .NetworkSettings.Networks "${front}").Aliases}}`],
      id,
    );
    assert.match(aliases, /"web".*"shop-web"/);
    const there = await engine.listAllNetworks();
    assert.equal((await networkIds())[front], there.find(({ name }) => name === front)?.id);
    for (const _ of ["once", "twice"]) await engine.disconnectNetwork(back, id);
    assert.deepEqual(Object.keys(await networkIds()), [front]);

    await docker("stop", id);
    for (const _ of ["once", "twice"]) await engine.connectNetwork(back, id, ["web"]);
    assert.equal((await networkIds())[back], null);
    await docker("network", "rm", front);
    await assert.rejects(docker("start", id));
    await engine.disconnectNetwork(front, id);
    await docker("start", id);
    assert.deepEqual(Object.keys(await networkIds()), [back]);
    await engine.disconnectNetwork(`${composeProject}_never`, id);
    await assert.rejects(
      engine.connectNetwork(`${composeProject}_never`, id, []),
      (error) => error instanceof PikoError && error.code === "not-found",
    );
  },
);

Deno.test(
  "Engine.listContainers() tells all about the containers of a project",
  needed,
  async () => {
    await using containers = new Containers();
    await using others = new Containers();
    const { composeProject } = containers;
    const network = await docker(
      ...["network", "create", ...containers.labels(), `${composeProject}_back`],
    );
    await docker("volume", "create", ...containers.labels(), `${composeProject}_data`);
    const web = await containers.start(
      "web",
      ["sleep", "1000"],
      `--network=${composeProject}_back`,
      `--volume=${composeProject}_data:/data`,
      "--publish=127.0.0.1::80",
      "--publish=127.0.0.1::53/udp",
      "--expose=9000",
      "--label=com.docker.compose.container-number=2",
      "--label=com.docker.compose.project.working_dir=/a b/c",
      "--label=com.docker.compose.project.config_files=/a b/c/compose.yml,/a b/c/more.yml",
    );
    await containers.start("job", ["sh", "-c", "exit 3"]);
    await containers.start("console", ["true"], "--label=com.docker.compose.oneoff=True");
    await others.start("web", ["sleep", "1000"]);

    const [job, found, ...rest] = await eventually(async () => {
      const listed = await engine.listContainers({ composeProject });
      return listed[0]?.state === "exited" && listed;
    });
    assert.deepEqual(rest, []);
    assert.equal(job?.service, "job");
    assert.equal(job.exitCode, 3);
    assert.equal(job.runningSeconds, null);
    assert.ok(found !== undefined);
    const { ports, status, runningSeconds, labels, ...exact } = found;
    assert.equal(labels["com.docker.compose.project"], composeProject);
    assert.deepEqual(exact, {
      id: web,
      name: `${composeProject}-web-1`,
      composeProject,
      service: "web",
      number: 2,
      state: "running",
      health: null,
      exitCode: null,
      image: "busybox:1.36",
      networks: [`${composeProject}_back`],
      networkIds: { [`${composeProject}_back`]: network },
      networkMode: `${composeProject}_back`,
      volumes: [`${composeProject}_data`],
      workingDir: "/a b/c",
      configFiles: ["/a b/c/compose.yml", "/a b/c/more.yml"],
    });
    assert.match(status, /^Up /);
    assert.ok(runningSeconds !== null && runningSeconds < 60);
    const port = (wanted: number) => ports.find(({ containerPort }) => containerPort === wanted);
    const bound = async (wanted: string) =>
      Number((await docker("port", web, wanted)).split(":").at(-1));
    assert.deepEqual(port(80), {
      containerPort: 80,
      hostPort: await bound("80/tcp"),
      protocol: "tcp",
      hostIp: "127.0.0.1",
    });
    assert.deepEqual(port(53), {
      containerPort: 53,
      hostPort: await bound("53/udp"),
      protocol: "udp",
      hostIp: "127.0.0.1",
    });
    assert.deepEqual(port(9000), {
      containerPort: 9000,
      hostPort: null,
      protocol: "tcp",
      hostIp: null,
    });

    const everywhere = (await engine.listContainers()).map((container) => container.composeProject);
    assert.equal(everywhere.filter((project) => project === composeProject).length, 2);
    assert.equal(everywhere.filter((project) => project === others.composeProject).length, 1);
  },
);

Deno.test(
  "Engine.listContainers() finds nothing for a project whose name is only a part",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["sleep", "1000"]);
    const composeProject = containers.composeProject.slice(0, -1);
    assert.deepEqual(await engine.listContainers({ composeProject }), []);
  },
);

Deno.test("Engine.listContainers() tells what the health checks say", needed, async () => {
  await using containers = new Containers();
  const check = (command: string) => [
    `--health-cmd=${command}`,
    "--health-interval=100ms",
    "--health-retries=1",
  ];
  await containers.start("good", ["sleep", "1000"], ...check("true"));
  await containers.start("bad", ["sleep", "1000"], ...check("false"));
  await containers.start("slow", ["sleep", "1000"], ...check("sleep 500"));
  await eventually(async () => (await find(containers, "good"))?.health === "healthy");
  await eventually(async () => (await find(containers, "bad"))?.health === "unhealthy");
  assert.equal((await find(containers, "slow"))?.health, "starting");
});

Deno.test("Engine.listContainers() gives up when the signal is given", async () => {
  await assert.rejects(
    engine.listContainers({ signal: AbortSignal.abort() }),
    (error) => error instanceof PikoError && error.code === "interrupted",
  );
});

Deno.test(
  "Engine.inspectContainers() counts restarts and leaves out what is gone",
  needed,
  async () => {
    await using containers = new Containers();
    const crashing = await containers.start("a", ["sh", "-c", "exit 7"], "--restart=on-failure:2");
    const [details, ...rest] = await eventually(async () => {
      const found = await engine.inspectContainers([crashing, "0123456789ab"]);
      return found[0]?.restartCount === 2 && !found[0].running && found;
    });
    assert.deepEqual(rest, []);
    const { startedAt, finishedAt, ...exact } = details!;
    assert.deepEqual(exact, {
      id: crashing,
      running: false,
      restartCount: 2,
      restartPolicy: "on-failure",
      exitCode: 7,
      oomKilled: false,
      tty: false,
      healthOutput: null,
      aliases: { bridge: [] },
    });
    for (const time of [startedAt, finishedAt]) {
      assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
    }
  },
);

Deno.test("Engine.logTail() gives the last lines of both streams", needed, async () => {
  await using containers = new Containers();
  const script = "echo one; echo two; echo drei >&2; printf 'vier: äöü'";
  const id = await containers.start("a", ["sh", "-c", script]);
  await eventually(async () => (await find(containers, "a"))?.state === "exited");
  // The engine reads each of the two by itself, and may be late with one.
  const lines = await engine.logTail(id, 10);
  assert.deepEqual(lines.toSorted(), ["drei", "one", "two", "vier: äöü"]);
  assert.deepEqual(lines.filter((line) => line !== "drei"), ["one", "two", "vier: äöü"]);
  assert.deepEqual(await engine.logTail(id, 2), lines.slice(-2));
});

Deno.test("Engine.logTail() reads the log of a container with a terminal", needed, async () => {
  await using containers = new Containers();
  const id = await containers.start("a", ["sh", "-c", "echo one; echo two >&2"], "--tty");
  await eventually(async () => (await find(containers, "a"))?.state === "exited");
  assert.deepEqual(await engine.logTail(id, 10), ["one", "two"]);
});

Deno.test("Engine.logTail() of a container that is gone is not found", needed, async () => {
  await assert.rejects(
    engine.logTail("gone", 10),
    (error) => error instanceof PikoError && error.code === "not-found",
  );
});

Deno.test("Engine takes a hostile name for nothing but a name", needed, async () => {
  await using containers = new Containers();
  const name = `${containers.composeProject}_data`;
  await docker("volume", "create", ...containers.labels(), name);
  for (const hostile of [`../volumes/${name}`, `./${name}`, `${name}?force=1`, `$(id)\r\n\r\n`]) {
    await engine.removeVolumes([hostile]).catch((error) => assert.ok(error instanceof PikoError));
    await assert.rejects(engine.logTail(hostile, 1), PikoError);
  }
  assert.equal((await engine.listVolumes(containers.composeProject)).length, 1);
});

Deno.test(
  "Engine.listVolumes() and listNetworks() find what is labelled with the project",
  needed,
  async () => {
    await using containers = new Containers();
    const { composeProject } = containers;
    const before = Date.now();
    const label = "com.docker.compose.volume=data";
    await docker("volume", "create", ...containers.labels(label), `${composeProject}_data`);
    await docker("network", "create", ...containers.labels(), `${composeProject}_net`);
    const [volume, ...otherVolumes] = await engine.listVolumes(composeProject);
    assert.deepEqual([volume?.name, otherVolumes], [`${composeProject}_data`, []]);
    assert.deepEqual(volume?.labels, {
      "com.docker.compose.project": composeProject,
      "com.docker.compose.volume": "data",
    });
    const [network, ...otherNetworks] = await engine.listNetworks(composeProject);
    assert.deepEqual([network?.name, otherNetworks], [`${composeProject}_net`, []]);
    assert.deepEqual(network?.labels, { "com.docker.compose.project": composeProject });
    for (const made of [volume, network]) {
      // A volume's time is cut to seconds.
      assert.ok((made?.createdAt ?? 0) > before - 1000 && (made?.createdAt ?? 0) <= Date.now());
    }
    assert.deepEqual(await engine.listVolumes(`${composeProject}-other`), []);
    assert.deepEqual(await engine.listNetworks(`${composeProject}-other`), []);
  },
);

Deno.test(
  "Engine.removeVolumes() removes volumes and does not mind a missing one",
  needed,
  async () => {
    await using containers = new Containers();
    const { composeProject } = containers;
    const names = [`${composeProject}_gone`, `${composeProject}_data`];
    await docker("volume", "create", ...containers.labels(), `${composeProject}_data`);
    await engine.removeVolumes(names);
    assert.deepEqual(await engine.listVolumes(composeProject), []);
  },
);

Deno.test("Engine.removeVolumes() keeps a volume in use and says so", needed, async () => {
  await using containers = new Containers();
  const name = `${containers.composeProject}_data`;
  await docker("volume", "create", ...containers.labels(), name);
  await containers.start("a", ["sleep", "1000"], `--volume=${name}:/data`);
  await assert.rejects(
    engine.removeVolumes([name]),
    (error) =>
      error instanceof PikoError && error.code === "conflict" && error.message.includes("in use"),
  );
  assert.equal((await engine.listVolumes(containers.composeProject)).length, 1);
});

Deno.test(
  "Engine.publishedPorts() names the ports of running containers, compose's or not",
  needed,
  async () => {
    await using containers = new Containers();
    const id = await containers.start(
      "a",
      ["sleep", "1000"],
      "--publish=127.0.0.1::80",
      "--publish=127.0.0.1::53/udp",
      "--expose=9000",
      "--label=com.docker.compose.project=",
    );
    const port = async (name: string) => (await docker("port", id, name)).split(":").at(-1);
    const [tcp, udp] = [`tcp:${await port("80/tcp")}`, `udp:${await port("53/udp")}`];
    const before = await engine.publishedPorts();
    assert.ok(before.has(tcp) && before.has(udp), [...before].join(" "));
    assert.ok(![...before].some((name) => name.endsWith("undefined")));
    await docker("stop", id);
    const after = await engine.publishedPorts();
    assert.ok(!after.has(tcp) && !after.has(udp));
  },
);

Deno.test("Engine.version() tells the engine's version", needed, async () => {
  const { version, apiVersion } = await engine.version();
  assert.equal(version, await docker("version", "--format", "{{.Server.Version}}"));
  assert.match(apiVersion, /^1\.\d+$/);
});

Deno.test("Engine reaches an engine over TCP through the docker program", needed, async () => {
  await using containers = new Containers();
  const id = await containers.start("a", ["echo", "hello"]);
  await eventually(async () => (await find(containers, "a"))?.state === "exited");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using door = new OtherDoor(listener);
  const far = new Engine({
    variables: { ...variables, DOCKER_HOST: `tcp://127.0.0.1:${listener.addr.port}` },
  });
  const { composeProject } = containers;
  assert.deepEqual(
    await far.listContainers({ composeProject }),
    await engine.listContainers({ composeProject }),
  );
  assert.deepEqual(await far.logTail(id, 5), ["hello"]);
  await assert.rejects(
    far.logTail("gone", 5),
    (error) => error instanceof PikoError && error.code === "not-found",
  );
  assert.ok(door.connected >= 3);
});

Deno.test(
  "Engine reaches a socket that Deno forbids through the docker program",
  needed,
  async () => {
    using folder = new Folder();
    const path = `${folder.path}/docker.sock`;
    await using door = new OtherDoor(Deno.listen({ transport: "unix", path }));
    const { stdout, stderr } = await tryRun(askForVersion(folder, restricted), {
      variables: { ...variables, DOCKER_HOST: `unix://${path}` },
    });
    assert.equal(stdout.trim(), (await engine.version()).version, stderr);
    assert.ok(door.connected > 0);
  },
);

Deno.test("Engine uses a socket that Deno allows without the docker program", needed, async () => {
  using folder = new Folder();
  const path = `${folder.path}/docker.sock`;
  await using door = new OtherDoor(Deno.listen({ transport: "unix", path }));
  await new Engine({ variables: { PATH: "", DOCKER_HOST: `unix://${path}` } }).ping();
  assert.equal(door.connected, 1);
});

Deno.test("Engine says when no engine is running", needed, async () => {
  using folder = new Folder();
  const path = `${folder.path}/docker.sock`;
  const nobody = new Engine({ variables: { ...variables, DOCKER_HOST: `unix://${path}` } });
  const says = isUnavailable(/^Cannot reach the Docker engine at unix:\/\//, /^docker info$/);
  await assert.rejects(nobody.ping(), says);

  // What a killed engine leaves behind: a socket that nobody listens on.
  const listener = Deno.listen({ transport: "unix", path: `${path}.new` });
  await Deno.rename(`${path}.new`, path);
  listener.close();
  await assert.rejects(nobody.ping(), says);

  const far = new Engine({ variables: { ...variables, DOCKER_HOST: "tcp://127.0.0.1:1" } });
  await assert.rejects(
    far.ping(),
    isUnavailable(/^Cannot reach the Docker engine at tcp:\/\/127\.0\.0\.1:1$/, /^docker info$/),
  );
});

Deno.test("Engine says when docker is not installed", async () => {
  using folder = new Folder();
  const says = isUnavailable(/^Docker is not installed/, /^install it: https:/);
  for (const host of [`unix://${folder.path}/docker.sock`, "tcp://127.0.0.1:1"]) {
    const nobody = new Engine({ variables: { PATH: folder.path, DOCKER_HOST: host } });
    await assert.rejects(nobody.ping(), says);
  }
});

Deno.test("Engine says when the person may not use the socket", needed, async () => {
  using folder = new Folder();
  const path = `${folder.path}/docker.sock`;
  using _listener = Deno.listen({ transport: "unix", path });
  await Deno.chmod(path, 0o000);
  for (const permissions of [["--allow-all"], restricted]) {
    const { stdout, stderr } = await tryRun([
      ...(Deno.uid() === 0 ? ["setpriv", "--bounding-set=-dac_override", "--"] : []),
      ...askForVersion(folder, permissions),
    ], { variables: { ...variables, DOCKER_HOST: `unix://${path}` } });
    assert.match(
      stdout,
      /^unavailable: You have no permission to use the Docker engine at unix:.*docker group/,
      stderr,
    );
  }
});

Deno.test("Engine gives up on an engine that does not answer", needed, async () => {
  using folder = new Folder();
  const path = `${folder.path}/docker.sock`;
  using _listener = Deno.listen({ transport: "unix", path });
  using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (const host of [`unix://${path}`, `tcp://127.0.0.1:${tcp.addr.port}`]) {
    const hung = new Engine({ variables: { ...variables, DOCKER_HOST: host }, timeout: 300 });
    await assert.rejects(
      hung.listContainers(),
      isUnavailable(/^The Docker engine at .* did not answer within 0\.3 s$/, /^docker info$/),
    );
  }
});

Deno.test("Engine stops waiting for an answer when the signal is given", async () => {
  using folder = new Folder();
  const path = `${folder.path}/docker.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const hung = new Engine({ variables: { DOCKER_HOST: `unix://${path}` }, timeout: 60_000 });
  const abort = new AbortController();
  const asked = hung.listContainers({ signal: abort.signal });
  using _connection = await listener.accept();
  abort.abort();
  await assert.rejects(
    asked,
    (error) => error instanceof PikoError && error.code === "interrupted",
  );
  listener.close();
});

const statuses: [string, ReturnType<typeof parseStatus>][] = [
  ["Up Less than a second", { health: null, exitCode: null, runningSeconds: 0 }],
  ["Up 1 second", { health: null, exitCode: null, runningSeconds: 1 }],
  ["Up 42 seconds (healthy)", { health: "healthy", exitCode: null, runningSeconds: 42 }],
  ["Up About a minute (unhealthy)", { health: "unhealthy", exitCode: null, runningSeconds: 60 }],
  ["Up 2 hours (health: starting)", { health: "starting", exitCode: null, runningSeconds: 60 }],
  ["Up 3 days (Paused)", { health: null, exitCode: null, runningSeconds: 60 }],
  ["Exited (137) 2 hours ago", { health: null, exitCode: 137, runningSeconds: null }],
  ["Restarting (1) 3 seconds ago", { health: null, exitCode: 1, runningSeconds: null }],
  ["Created", { health: null, exitCode: null, runningSeconds: null }],
  ["", { health: null, exitCode: null, runningSeconds: null }],
];

for (const [status, expected] of statuses) {
  Deno.test(`parseStatus() reads "${status}"`, () => {
    assert.deepEqual(parseStatus(status), expected);
  });
}

Deno.test("parseLog() joins a line that comes in several frames, between those of the other stream", () => {
  const frame = (stream: number, bytes: Uint8Array) => [
    ...[stream, 0, 0, 0],
    ...[bytes.length >> 24, bytes.length >> 16, bytes.length >> 8, bytes.length],
    ...bytes,
  ];
  const umlaut = new TextEncoder().encode("müde\r\n");
  const text = (line: string) => new TextEncoder().encode(line);
  const bytes = Uint8Array.from([
    ...frame(1, umlaut.subarray(0, 2)),
    ...frame(2, text("eins\nzwei\n")),
    ...frame(1, umlaut.subarray(2)),
    ...frame(1, text("\nend")),
  ]);
  assert.deepEqual(parseLog(bytes), ["eins", "zwei", "müde", "", "end"]);
});

/** The permissions that piko is built with, as far as the engine needs them. */
const restricted = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-net=localhost,unix:/var/run/docker.sock",
];

/** Makes a program that prints the version of the engine, or why it cannot. */
function askForVersion(folder: Folder, permissions: string[]): string[] {
  const script = `${folder.path}/ask.ts`;
  const module = new URL("../../src/programs/engine.ts", import.meta.url).href;
  Deno.writeTextFileSync(
    script,
    `import { Engine } from ${JSON.stringify(module)};
     const engine = new Engine({ variables: Deno.env.toObject() });
     console.log(await engine.version().then(
       ({ version }) => version,
       ({ code, message, hint }) => \`${"${code}: ${message}: ${hint}"}\`,
     ));`,
  );
  return [Deno.execPath(), "run", "--no-prompt", "--quiet", "--no-config", ...permissions, script];
}

Deno.test("networkRoom() counts the networks of pools, or of those that the engine has by itself", () => {
  assert.equal(networkRoom([]), 31);
  assert.equal(networkRoom([{ Base: "10.10.0.0/16", Size: 24 }]), 256);
  const pools = [{ Base: "172.17.0.0/12", Size: 20 }, { Base: "fd00::/48", Size: 64 }];
  assert.equal(networkRoom(pools), 256);
});
