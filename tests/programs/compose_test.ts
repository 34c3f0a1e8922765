import assert from "node:assert/strict";
import { CommandError, PikoError } from "../../src/domain/errors.ts";
import {
  Compose,
  type ComposeTarget,
  explainComposeFailure,
  findComposeFiles,
  isAtLeast,
  listEnvFiles,
  listMissing,
  OLDEST_COMPOSE,
  parseMissingEnvFile,
} from "../../src/programs/compose.ts";
import { compose, docker, engine, engineTest, uniqueName, VARIABLES } from "./compose_pair.ts";
import { writeProgram } from "../program_file.ts";

/** A folder with files, and a compose project of the same name; both are gone at the end. */
class Folder implements AsyncDisposable {
  readonly composeProject: string = uniqueName();
  #isUsed = false;
  readonly path: string = Deno.makeTempDirSync({ prefix: `${this.composeProject}-` });

  constructor(files: Record<string, string>) {
    for (const [name, text] of Object.entries(files)) {
      const path = `${this.path}/${name}`;
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(path, text);
    }
  }

  target(variables: Record<string, string> = {}): ComposeTarget {
    this.#isUsed = true;
    const { composeProject, path } = this;
    return { composeProject, files: [`${path}/compose.yaml`], variables, cwd: path };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isUsed) {
      await compose.down(this, { volumes: true });
      await compose.removeImages(await engine.listImages(this.composeProject));
    }
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Fixes what every small service here has in common. */
function service(rest: Record<string, unknown>): Record<string, unknown> {
  const quick = { init: true, stop_signal: "SIGKILL", command: "sleep 1000" };
  return { image: "busybox:1.36", ...quick, ...rest };
}

function project(services: Record<string, unknown>, rest: Record<string, unknown> = {}): string {
  return JSON.stringify({ services, ...rest });
}

function isPikoError(code: PikoError["code"], message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PikoError, String(error));
    assert.match(error.message, message);
    assert.equal(error.code, code);
    assert.ok(error.hint, "no hint");
    assert.ok(error.cause instanceof CommandError || error.cause === undefined);
    return true;
  };
}

engineTest("Compose.version() tells a version that piko can work with", async () => {
  assert.match(await compose.version(), /^\d+\.\d+\.\d+/);
  await compose.requireVersion();
});

Deno.test("isAtLeast() compares versions by number, whatever surrounds them", () => {
  for (const version of ["2.24.4", "v2.24.4", "2.26.1-4", "2.100.0-desktop.1", "5.0.0", "v3.0"]) {
    assert.equal(isAtLeast(version, OLDEST_COMPOSE), true, version);
  }
  for (const version of ["2.24.3", "v2.9.9", "1.29.2", "2.24.3+dfsg", "2.0.0-rc.1"]) {
    assert.equal(isAtLeast(version, OLDEST_COMPOSE), false, version);
  }
});

engineTest(
  "Compose.requireVersion() says when docker, compose or a newer compose is missing",
  async () => {
    await using folder = new Folder({
      "none/keep": "",
    });
    await writeProgram(
      `${folder.path}/plain/docker`,
      "#!/bin/sh\necho \"docker: 'compose' is not a docker command.\" >&2\nexit 1\n",
    );
    await writeProgram(`${folder.path}/old/docker`, "#!/bin/sh\necho v2.20.3\n");
    for (
      const [name, message] of [
        ["none", /^docker is not installed/],
        ["plain", /^Docker Compose is not installed$/],
        ["old", /^Docker Compose 2\.20\.3 is too old: piko needs 2\.24\.4$/],
      ] as const
    ) {
      const other = new Compose({ variables: { PATH: `${folder.path}/${name}` } });
      await assert.rejects(other.requireVersion(), (error) => {
        assert.ok(error instanceof PikoError);
        assert.match(error.message, message);
        assert.equal(error.code, "unavailable");
        return true;
      });
    }
  },
);

engineTest(
  "Compose.config() reads services of every profile, with `$` as it was meant",
  async () => {
    await using folder = new Folder({
      "compose.yaml": project({
        app: service({ command: "echo $$HOME ${GREETING}", ports: ["8080:80"] }),
        debug: service({ profiles: ["debug"] }),
      }),
      ".env": "GREETING=hello\n",
    });
    const config = await compose.config(folder.target());
    assert.deepEqual(Object.keys(config.services ?? {}).sort(), ["app", "debug"]);
    assert.equal(config.name, folder.composeProject);
    assert.deepEqual((config.services?.app as { command?: unknown }).command, [
      "echo",
      "$HOME",
      "hello",
    ]);
  },
);

engineTest(
  "Compose.config() copes with ports that are demanded before they are known",
  async () => {
    const text = project({
      app: service({
        ports: ["${PIKO_APP_PORT:?}:80", "${PIKO_APP_PORT_81?say which}:81"],
        labels: { url: "http://localhost:${PIKO_WEB_PORT:?}" },
      }),
    });
    await using folder = new Folder({ "compose.yaml": text });
    const config = await compose.config(folder.target());
    assert.deepEqual(config.services?.app?.ports?.map((port) => port.target), [80, 81]);
    const known = await compose.config(folder.target({ PIKO_APP_PORT: "10180" }));
    assert.equal(known.services?.app?.ports?.[0]?.published, "10180");
  },
);

engineTest("Compose.config() fails on a demanded variable that is none of piko's", async () => {
  const text = project({ app: service({ command: "${SECRET:?set it}" }) });
  await using folder = new Folder({ "compose.yaml": text });
  await assert.rejects(
    compose.config(folder.target()),
    isPikoError("failed", /^The compose file needs the variable SECRET$/),
  );
  // An empty value of ours is not made up for either, or the first try would be repeated for ever.
  await Deno.writeTextFile(
    `${folder.path}/compose.yaml`,
    project({ app: service({ command: "${PIKO_BRANCH:?}" }) }),
  );
  await assert.rejects(
    compose.config(folder.target({ PIKO_BRANCH: "" })),
    isPikoError("failed", /PIKO_BRANCH/),
  );
});

engineTest("Compose.config() starts compose with no variables but those chosen", async () => {
  const text = project({ app: service({ labels: { leak: "${PIKO_TEST_LEAK-none}" } }) });
  await using folder = new Folder({ "compose.yaml": text });
  Deno.env.set("PIKO_TEST_LEAK", "leaked");
  try {
    const { services } = await compose.config(folder.target());
    assert.deepEqual((services?.app as { labels?: unknown }).labels, { leak: "none" });
  } finally {
    Deno.env.delete("PIKO_TEST_LEAK");
  }
});

engineTest("parseMissingEnvFile() finds the path in what compose says", async () => {
  const text = project({ app: service({ env_file: ["some where/app.env"] }) });
  await using folder = new Folder({ "compose.yaml": text });
  await assert.rejects(compose.config(folder.target()), (error) => {
    assert.ok(error instanceof PikoError && error.cause instanceof CommandError);
    const path = parseMissingEnvFile(error.cause.stderr);
    assert.equal(path, `${folder.path}/some where/app.env`);
    return true;
  });
  assert.equal(parseMissingEnvFile("open /x/compose.yaml: no such file or directory"), undefined);
});

Deno.test("listEnvFiles() reads every form, and included files", async () => {
  await using folder = new Folder({
    "deploy/compose.yaml": `
include:
  - ../part/compose.yaml
  - { path: [other/a.yaml], project_directory: ., env_file: inc.env }
x-common: &common { env_file: anchored.env }
services:
  one: { image: x, env_file: ../one.env }
  two: { image: x, env_file: [two.env, /abs/two.env] }
  three: { image: x, env_file: [{ path: ./three.env, required: false }, "$\{STAGE}.env"] }
  four: { <<: *common, image: x, ports: !override [] }
  five: { image: x }
`,
    "deploy/override/more.yaml": "services: { one: { env_file: more.env } }",
    "deploy/other/a.yaml": "services: { six: { image: x, env_file: six.env } }",
    "part/compose.yaml": "include: [../deploy/compose.yaml]\nservices: { p: { env_file: p.env } }",
    "broken.yaml": "services: { : ] ",
    "empty.yaml": "",
  });
  const at = (...names: string[]) => names.map((name) => `${folder.path}/${name}`);
  const found = await listEnvFiles(at("deploy/compose.yaml", "deploy/override/more.yaml"));
  assert.deepEqual(
    found,
    [
      "/abs/two.env",
      ...at(
        "deploy/anchored.env",
        "deploy/inc.env",
        "deploy/more.env",
        "deploy/six.env",
        "deploy/three.env",
        "deploy/two.env",
        "one.env",
        "part/p.env",
      ),
    ].sort(),
  );
  assert.deepEqual(await listEnvFiles(at("broken.yaml", "empty.yaml", "absent.yaml")), []);
});

engineTest("findComposeFiles() finds what compose finds, in its order", async () => {
  const names = ["docker-compose.yaml", "docker-compose.yml", "compose.yml", "compose.yaml"];
  const overrides = [
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
    "compose.override.yaml",
    "compose.override.yml",
  ];
  await using folder = new Folder({});
  const find = async () =>
    (await findComposeFiles(folder.path, { variables: {} }))?.files
      .map((file) => file.slice(folder.path.length + 1));
  assert.equal(await find(), undefined);
  const text = (name: string) => project({ app: service({ labels: { [name]: "" } }) });
  for (const name of names) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text(name));
    assert.deepEqual(await find(), [name]);
  }
  for (const name of overrides) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text(name));
    assert.deepEqual(await find(), ["compose.yaml", name]);
    // Compose itself, without `-f`, agrees.
    const command = ["compose", "--project-directory", folder.path, "config", "--format", "json"];
    const output = await new Deno.Command("docker", {
      args: command,
      cwd: folder.path,
      env: VARIABLES,
      clearEnv: true,
    }).output();
    const { services } = JSON.parse(new TextDecoder().decode(output.stdout));
    assert.deepEqual(Object.keys(services.app.labels).sort(), ["compose.yaml", name].sort());
  }
});

Deno.test("findComposeFiles() goes by .piko.yml, then COMPOSE_FILE, then .env", async () => {
  await using folder = new Folder({
    "compose.yaml": "",
    "a.yml": "",
    "deploy/b.yml": "",
    ".env": "# COMPOSE_FILE=no.yml\nexport COMPOSE_FILE = 'a.yml:./deploy/../deploy/b.yml' # two\n",
  });
  const { path } = folder;
  const find = async (variables: Record<string, string>, piko?: string | string[]) =>
    (await findComposeFiles(path, { compose: piko, variables }))?.files;
  assert.deepEqual(await find({}), [`${path}/a.yml`, `${path}/deploy/b.yml`]);
  assert.deepEqual(await find({ COMPOSE_FILE: "deploy/b.yml" }), [`${path}/deploy/b.yml`]);
  assert.deepEqual(
    await find({ COMPOSE_FILE: `${path}/a.yml;deploy/b.yml`, COMPOSE_PATH_SEPARATOR: ";" }),
    [`${path}/a.yml`, `${path}/deploy/b.yml`],
  );
  assert.deepEqual(await find({ COMPOSE_FILE: "a.yml" }, "deploy/b.yml"), [`${path}/deploy/b.yml`]);
  assert.deepEqual(await find({}, ["a.yml", "deploy/b.yml"]), [
    `${path}/a.yml`,
    `${path}/deploy/b.yml`,
  ]);
  const named = (by: string) =>
    isPikoError("not-found", new RegExp(`/no\\.yml, which ${by} names$`));
  await assert.rejects(find({}, "no.yml"), named("`compose:` of \\.piko\\.yml"));
  await assert.rejects(find({ COMPOSE_FILE: "no.yml" }), named("COMPOSE_FILE"));
});

Deno.test("listMissing() lists what does not exist", async () => {
  await using folder = new Folder({ "there": "" });
  const { path } = folder;
  assert.deepEqual(
    await listMissing([path, `${path}/there`, `${path}/no`, `${path}/there/no`]),
    new Set([`${path}/no`, `${path}/there/no`]),
  );
});

engineTest("Compose.up() says which host port is in use, and by whom", async () => {
  await using folder = new Folder({});
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const file = `${folder.path}/compose.yaml`;
  await Deno.writeTextFile(file, project({ app: service({ ports: [`${port}:80`] }) }));
  await assert.rejects(
    compose.up(folder.target()),
    isPikoError("conflict", new RegExp(`^Host port ${port} is already in use$`)),
  );
  listener.close();
  await compose.up(folder.target());
  await Deno.writeTextFile(
    file,
    project({ app: service({ ports: [`${port}:80`] }), two: service({ ports: [`${port}:80`] }) }),
  );
  await assert.rejects(
    compose.up(folder.target()),
    isPikoError("conflict", new RegExp(`^Host port ${port} is already in use$`)),
  );
});

engineTest(
  "Compose.up() says what is wrong with an image, a dependency and a network",
  async () => {
    await using folder = new Folder({});
    const failing = async (text: string, code: PikoError["code"], message: RegExp) => {
      await Deno.writeTextFile(`${folder.path}/compose.yaml`, text);
      await assert.rejects(compose.up(folder.target()), isPikoError(code, message));
    };
    const image = "pikotest-absent:1";
    await failing(
      project({ app: service({ image, pull_policy: "never" }) }),
      "failed",
      /^Image pikotest-absent:1 cannot be had$/,
    );
    const sick = { test: "false", interval: "100ms", retries: 1 };
    const after = (condition: string) => service({ depends_on: { db: { condition } } });
    await failing(
      project({ db: service({ healthcheck: sick }), app: after("service_healthy") }),
      "failed",
      new RegExp(
        `^Container ${folder.composeProject}-db-1, which others depend on, is unhealthy$`,
      ),
    );
    await failing(
      project({ db: service({ command: "false" }), app: after("service_completed_successfully") }),
      "failed",
      /^Service "db", which others depend on, ended with exit code 1$/,
    );
    await failing(
      project({ app: service({ networks: ["pikotest-no"] }) }, {
        networks: { "pikotest-no": { external: true } },
      }),
      "not-found",
      /^External network "pikotest-no" does not exist$/,
    );
    await failing(
      project({ app: service({ volumes: ["pikotest-no:/x"] }) }, {
        volumes: { "pikotest-no": { external: true } },
      }),
      "not-found",
      /^External volume "pikotest-no" does not exist$/,
    );
    await failing(
      project({ app: service({ command: "no-such-program", init: false }) }),
      "failed",
      /^A container could not start: exec: "no-such-program"/,
    );
    await failing(
      project({ app: { build: "./absent" } }),
      "failed",
      /^An image could not be built$/,
    );
    const absent = { type: "bind", source: "./absent", target: "/x" };
    await failing(
      project({ app: service({ volumes: [absent] }) }),
      "not-found",
      /^A service mounts \/.*\/absent, which does not exist$/,
    );
  },
);

engineTest(
  "Compose.up() names a network that was removed, and a service that is not there",
  async () => {
    await using folder = new Folder({ "compose.yaml": project({ app: service({}) }) });
    await compose.up(folder.target());
    await compose.stop(folder);
    await docker("network", "rm", `${folder.composeProject}_default`);
    await assert.rejects(
      compose.start(folder),
      isPikoError("failed", /^A network was removed while containers still belonged to it$/),
    );
    await compose.up(folder.target(), { forceRecreate: true });
    for (const name of ["nope", "--help", "$(id)"]) {
      await assert.rejects(
        compose.up(folder.target(), { services: [name] }),
        isPikoError("not-found", /^There is no service "/),
      );
    }
    await assert.rejects(
      compose.restart(folder, { services: ["nope"] }),
      isPikoError("not-found", /^There is no service "nope"$/),
    );
  },
);

engineTest("Compose says when a compose file is not valid", async () => {
  await using folder = new Folder({});
  for (
    const text of [
      "services: { : ]",
      project({ app: service({ prots: [] }) }),
      project({ app: service({ networks: ["nope"] }) }),
      project({ app: service({ command: "${" }) }),
      project({ app: {} }),
      project({ app: service({ depends_on: ["app"] }) }),
      "",
    ]
  ) {
    await Deno.writeTextFile(`${folder.path}/compose.yaml`, text);
    await assert.rejects(
      compose.config(folder.target()),
      isPikoError("failed", /^The compose file is not valid$/),
      text,
    );
  }
  await assert.rejects(
    compose.config({ ...folder.target(), files: [`${folder.path}/absent.yaml`] }),
    isPikoError("not-found", /^There is no \/.*\/absent\.yaml$/),
  );
});

engineTest("Compose says when Docker is not running", async () => {
  await using folder = new Folder({ "compose.yaml": project({ app: service({}) }) });
  const DOCKER_HOST = `unix://${folder.path}/absent.sock`;
  const other = new Compose({ variables: { ...VARIABLES, DOCKER_HOST } });
  const isDown = isPikoError("unavailable", /^Docker is not running$/);
  await assert.rejects(other.up(folder.target()), isDown);
  await assert.rejects(other.down(folder), isDown);
  await assert.rejects(other.removeImages([`${folder.composeProject}-app`]), isDown);
  assert.equal((await other.config(folder.target())).name, folder.composeProject);
});

engineTest(
  "Compose.down() needs neither files nor folder, and keeps volumes until told",
  async () => {
    await using folder = new Folder({
      "compose.yaml": project({
        app: service({ volumes: ["data:/data"] }),
        debug: service({ profiles: ["debug"] }),
      }, { volumes: { data: {} } }),
    });
    const { composeProject } = folder;
    await compose.up(folder.target({ COMPOSE_PROFILES: "debug" }));
    await Deno.writeTextFile(`${folder.path}/compose.yaml`, "services: { : ]");
    const broken = new Compose({
      variables: { ...VARIABLES, COMPOSE_FILE: `${folder.path}/compose.yaml` },
    });
    await broken.stop(folder);
    await broken.start(folder);
    await broken.restart(folder, { services: ["debug"] });
    const list = (...kind: string[]) =>
      docker(...kind, "-q", "--filter", `label=com.docker.compose.project=${composeProject}`);
    assert.equal((await list("ps")).split("\n").length, 2);
    await broken.down(folder);
    assert.equal(await list("ps", "-a") + await list("network", "ls"), "");
    assert.equal(await list("volume", "ls"), `${composeProject}_data`);
    await broken.down(folder);
    await assert.rejects(
      broken.start(folder),
      isPikoError("not-found", /^There are no containers/),
    );
    await Deno.writeTextFile(`${folder.path}/compose.yaml`, project({ app: service({}) }));
  },
);

engineTest("Compose.up() removes services that are gone, unless services are named", async () => {
  await using folder = new Folder({ "compose.yaml": project({ a: service({}), b: service({}) }) });
  await compose.up(folder.target());
  const running = async () => {
    const filter = `label=com.docker.compose.project=${folder.composeProject}`;
    const format = '{{.Label "com.docker.compose.service"}}';
    return (await docker("ps", "--filter", filter, "--format", format)).split("\n").sort();
  };
  await Deno.writeTextFile(`${folder.path}/compose.yaml`, project({ a: service({}) }));
  await compose.up(folder.target(), { services: ["a"] });
  assert.deepEqual(await running(), ["a", "b"]);
  await compose.up(folder.target());
  assert.deepEqual(await running(), ["a"]);
});

engineTest("Compose.up() stops when it is interrupted", async () => {
  await using folder = new Folder({
    "compose.yaml": project({
      db: service({ healthcheck: { test: "false", interval: "60s" } }),
      app: service({ depends_on: { db: { condition: "service_healthy" } } }),
    }),
  });
  const controller = new AbortController();
  const up = compose.up(folder.target(), {
    signal: controller.signal,
    onLine: (line) => {
      if (line.includes("Waiting")) controller.abort();
    },
  });
  await assert.rejects(up, (error) => error instanceof PikoError && error.code === "interrupted");
});

engineTest("Compose.removeImages() leaves other names of an image alone", async () => {
  await using folder = new Folder({
    "compose.yaml": project({ app: { build: ".", init: true, stop_signal: "SIGKILL" } }),
    "Dockerfile": `FROM busybox:1.36\nLABEL x=${crypto.randomUUID()}\nCMD ["sleep", "1000"]\n`,
  });
  const { composeProject } = folder;
  const kept = `${uniqueName()}:kept`;
  await compose.up(folder.target(), { build: true });
  await compose.down(folder);
  await docker("tag", `${composeProject}-app`, kept);
  try {
    const images = await engine.listImages(composeProject);
    assert.deepEqual(images, [`${composeProject}-app:latest`]);
    await compose.removeImages(images);
    assert.notEqual(await docker("image", "ls", "-q", kept), "");
  } finally {
    await docker("image", "rm", kept);
  }
  assert.deepEqual(await engine.listImages(composeProject), []);
});

Deno.test("explainComposeFailure() knows what is too costly to provoke", () => {
  const explain = (stderr: string) =>
    explainComposeFailure(new CommandError(["docker"], { exitCode: 1, signal: null, stderr }));
  for (
    const [stderr, code, message] of [
      [
        "failed to create network x: Error response from daemon: could not find an available, " +
        "non-overlapping IPv4 address pool among the defaults to assign to the network",
        "failed",
        /^Docker has no address range left for another network$/,
      ],
      [
        "Error response from daemon: all predefined address pools have been fully subnetted",
        "failed",
        /^Docker has no address range left/,
      ],
      [
        "write /var/lib/docker/tmp/x: no space left on device",
        "failed",
        /^The disk is full$/,
      ],
      [
        " db Error pull access denied for shop-db, repository does not exist",
        "failed",
        /^Image shop-db cannot be had$/,
      ],
      [
        ' a Error Get "https://registry.example/v2/": dial tcp: no such host',
        "failed",
        /^The image of service "a" cannot be pulled$/,
      ],
      [
        "permission denied while trying to connect to the Docker daemon socket",
        "unavailable",
        /^Docker refuses this user$/,
      ],
      ["something nobody has seen", "failed", /^Docker Compose failed$/],
    ] as const
  ) {
    const error = explain(stderr);
    assert.match(error.message, message);
    assert.equal(error.code, code);
    assert.ok(error.cause instanceof CommandError);
    assert.equal(error.hint === undefined, message.source.includes("Compose failed"));
  }
});
