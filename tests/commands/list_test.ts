/** What `piko list`, `status`, `env`, `ports` and `project` tell, and whom they ask for it. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";

const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 8090 -h /tmp
    ports: ["8090:8090", "8443", "5300:53/udp"]
    healthcheck: { test: [CMD, test, "!", -e, /sick], interval: 1s, timeout: 5s, retries: 1 }
  worker:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sleep 600
`;

const NO_ENGINE = { DOCKER_HOST: "unix:///nonexistent.sock" };

/** The status of each environment by its name, as `piko list` tells it. */
async function statuses(
  sandbox: Sandbox,
  variables: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const { environments } = await sandbox.json("list", { variables });
  return Object.fromEntries(
    environments.map(({ name, status }: { name: string; status: string }) => [name, status]),
  );
}

/** Stands between piko and the engine and writes down what is asked. */
class Listener implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #listener: Deno.UnixListener;
  readonly #work: Promise<void>;

  constructor(path: string) {
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#work = this.#accept();
  }

  async #accept(): Promise<void> {
    const connections: Promise<unknown>[] = [];
    for await (const connection of this.#listener) connections.push(this.#pass(connection));
    await Promise.all(connections);
  }

  async #pass(connection: Deno.UnixConn): Promise<void> {
    using engine = await Deno.connect({ transport: "unix", path: "/var/run/docker.sock" });
    const decoder = new TextDecoder();
    const note = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (bytes, controller) => {
        const requests = decoder.decode(bytes).matchAll(/^([A-Z]+) (\S+) HTTP\/1\.1\r$/gm);
        for (const [, method, path] of requests) this.asked.push(`${method} ${path}`);
        controller.enqueue(bytes);
      },
    });
    // Either end may go first; what was asked is known by then.
    await Promise.allSettled([
      connection.readable.pipeThrough(note).pipeTo(engine.writable),
      engine.readable.pipeTo(connection.writable),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#work;
  }
}

Deno.test({
  name: "piko list shows every status, and asks the engine once",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        "docker-compose.yml": COMPOSE,
        // A window that begins its `docker exec` just when the container is paused blocks the engine for good.
        ".piko.yml":
          'ignore: [web, worker]\nscripts:\n  prepare: |\n    case $PIKO_ENV_NAME in\n    broken) exit 1 ;;\n    slow) while [ ! -e "$PIKO_ROOT/.piko/go" ]; do sleep 0.05; done ;;\n    esac\n',
      },
      init: true,
    });
    await sandbox.git("switch", "--quiet", "--create", "plain");
    await sandbox.git("rm", "--quiet", "docker-compose.yml");
    await sandbox.git("commit", "--quiet", "--message", "No containers");
    await sandbox.git("switch", "--quiet", "main");
    await sandbox.pass("create work");
    await sandbox.pass("create plain");
    await sandbox.pass("create gone --no-start");
    await Deno.remove(sandbox.worktree("gone"), { recursive: true });
    await sandbox.fail("create broken --no-start --keep", 1);
    await sandbox.pass("create asleep --no-start");
    const container = (service: string) => `piko-${sandbox.project}-work-${service}-1`;
    const others = { asleep: "stopped", broken: "failed", gone: "missing", plain: "simple" };

    await t.step("running, stopped, failed, missing and simple", async () => {
      assert.deepEqual(await statuses(sandbox), { ...others, work: "running" });
    });
    await t.step("partial", async () => {
      await docker("stop", container("worker"));
      assert.deepEqual(await statuses(sandbox), { ...others, work: "partial" });
      await docker("start", container("worker"));
      await docker("pause", container("worker"));
      assert.equal((await statuses(sandbox)).work, "partial");
      const said = await sandbox.fail("up work", 1);
      assert.match(said, /"worker" is paused/);
      assert.match(said, new RegExp(`→ docker unpause ${container("worker")}$`, "m"));
      await docker("unpause", container("worker"));
    });
    await t.step("unhealthy", async () => {
      await docker("exec", container("web"), "touch", "/sick");
      await until("unhealthy", async () => (await statuses(sandbox)).work === "unhealthy");
      assert.match(await sandbox.pass("list"), /^work +unhealthy +work +2\/2, 1 healthy /m);
      await docker("exec", container("web"), "rm", "/sick");
      await until("running", async () => (await statuses(sandbox)).work === "running");
    });
    await t.step("creating, and failed when its piko was killed", async () => {
      await using creating = Background.piko(sandbox, ["create", "slow", "--no-start"]);
      await until("creating", async () => (await statuses(sandbox)).slow === "creating");
      creating.kill("SIGKILL");
      await creating.ended();
      assert.equal((await statuses(sandbox)).slow, "failed");
      await sandbox.write(".piko/go", "");
      await sandbox.pass("destroy slow");
    });
    await t.step("unknown without an engine, and the rest is still listed", async () => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["list"], { variables: NO_ENGINE });
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /Cannot reach the Docker engine at unix:\/\/\/nonexistent\.sock/);
      assert.match(stdout, /^work +unknown +work +- /m);
      assert.match(stdout, /^plain +simple /m);
      assert.deepEqual(await statuses(sandbox, NO_ENGINE), {
        ...others,
        asleep: "unknown",
        work: "unknown",
      });
      const full = await sandbox.json("status work", { variables: NO_ENGINE });
      assert.equal(full.environment.status, "unknown");
      assert.equal(full.environment.ports.length, 3);
      assert.deepEqual(full.services.map(({ state }) => state), ["unknown", "unknown"]);
    });
    await t.step("one question for all environments, and one for one", async () => {
      const path = `${sandbox.folder}/engine.sock`;
      await using listener = new Listener(path);
      const variables = { DOCKER_HOST: `unix://${path}` };
      for (const command of ["list", "list --all", "status work"]) {
        listener.asked.length = 0;
        const { exitCode, stdout } = await sandbox.piko(command.split(" "), { variables });
        assert.equal(exitCode, 0);
        assert.match(stdout, /running/);
        const questions = listener.asked.filter((line) => !line.includes("/_ping"));
        assert.equal(questions.length, 1, `${command}: ${questions.join(", ")}`);
        assert.match(questions[0] ?? "", /^GET (\/v[\d.]+)?\/containers\/json\?/);
      }
    });
    await t.step(
      "by name, and with --all under their projects",
      async () => {
        const lines = (await sandbox.pass("list")).trim().split("\n");
        assert.match(lines[0] ?? "", /^NAME +STATUS +BRANCH +CONTAINERS +CREATED$/);
        assert.deepEqual(
          lines.slice(1).map((line) => line.split(/ +/)[0]),
          Object.keys({ ...others, work: "" }),
        );
        const all = await sandbox.pass("list --all", { cwd: sandbox.folder });
        assert.match(
          all,
          new RegExp(`^${sandbox.project}/work +running +work +2/2 +just now$`, "m"),
        );
      },
    );
    await t.step("piko status shows containers, health and ports", async () => {
      const text = await sandbox.pass("status", { cwd: sandbox.worktree("work") });
      const port = (await sandbox.json("env work")).PIKO_WEB_PORT_8090;
      assert.match(text, /^Status +running, containers 2\/2$/m);
      assert.match(
        text,
        new RegExp(`^web +running +healthy +.*8090 → http://localhost:${port}`, "m"),
      );
      assert.match(text, /^worker +running +- +-$/m);
      assert.ok(text.includes(sandbox.worktree("work")));
    });
    await t.step(
      "a container that somebody has removed is missed, also one without ports",
      async () => {
        await docker("rm", "--force", container("worker"));
        assert.match(await sandbox.pass("list"), /^work +partial +work +1\/2 /m);
        const status = await sandbox.json("status work");
        assert.deepEqual(status.environment.containers, { running: 1, healthy: 1, total: 2 });
        assert.match(await sandbox.pass("status work"), /^worker +missing +- +-$/m);
        await sandbox.pass("restart work web");
        assert.equal((await statuses(sandbox)).work, "partial");
        await sandbox.pass("up work");
        assert.match(await sandbox.pass("list"), /^work +running +work +2\/2 /m);
      },
    );
    await t.step(
      "what ended by itself and was removed is not missed, nor is what the file has no more",
      async () => {
        const file = `${sandbox.worktree("work")}/docker-compose.yml`;
        const once = '  once: { image: "busybox:1.36", command: "true" }\n';
        await Deno.writeTextFile(file, COMPOSE + once);
        await sandbox.pass("up work");
        assert.match(await sandbox.pass("list"), /^work +running +work +2\/3 /m);
        await docker("rm", container("once"));
        assert.match(await sandbox.pass("list"), /^work +running +work +2\/2 /m);
        await Deno.writeTextFile(file, COMPOSE.slice(0, COMPOSE.indexOf("  worker:")));
        await sandbox.pass("up work");
        assert.match(await sandbox.pass("list"), /^work +running +work +1\/1 /m);
      },
    );
  },
});

Deno.test({
  name: "piko env and ports ask no program",
  ...needs("git", "compose"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "docker-compose.yml": COMPOSE },
      init: true,
    });
    await sandbox.pass("create work --no-start");
    const status = await sandbox.json("status work");
    const slot = 10000 + 100 * status.environment.slot;
    await t.step("status, of services that were never started and have no port too", () => {
      assert.deepEqual(status.services.map(({ service }) => service), ["web", "worker"]);
    });
    const variables = { PATH: "/nonexistent", ...NO_ENGINE };
    await t.step("env", async () => {
      const env = await sandbox.json("env work", { variables });
      const [web, tls, dns] = [slot + 90, slot + 43, slot + 53].map(String);
      assert.deepEqual(env, {
        PIKO_ROOT: sandbox.root,
        PIKO_PROJECT: `piko-${sandbox.project}-work`,
        PIKO_PROJECT_NAME: sandbox.project,
        PIKO_ENV_NAME: "work",
        PIKO_ENV_ID: String(slot / 100 - 100),
        PIKO_ENV_PATH: sandbox.worktree("work"),
        PIKO_DATA_DIR: `${sandbox.root}/.piko/data/work`,
        PIKO_BRANCH: "work",
        PIKO_WEB_PORT: dns,
        PIKO_WEB_PORT_53: dns,
        PIKO_WEB_PORT_53_UDP: dns,
        PIKO_WEB_PORT_8090: web,
        PIKO_WEB_PORT_8443: tls,
      });
      const plain = await sandbox.pass("env work", { variables });
      assert.deepEqual(
        Object.fromEntries(plain.trimEnd().split("\n").map((line) => line.split("="))),
        env,
      );
    });
    await t.step("ports", async () => {
      const { ports } = await sandbox.json("ports work", { variables });
      assert.deepEqual(ports, [
        {
          service: "web",
          containerPort: 53,
          hostPort: slot + 53,
          protocol: "udp",
          url: `localhost:${slot + 53}`,
          shared: false,
        },
        {
          service: "web",
          containerPort: 8090,
          hostPort: slot + 90,
          protocol: "tcp",
          url: `http://localhost:${slot + 90}`,
          shared: false,
        },
        {
          service: "web",
          containerPort: 8443,
          hostPort: slot + 43,
          protocol: "tcp",
          url: `https://localhost:${slot + 43}`,
          shared: false,
        },
      ]);
      const text = await sandbox.pass("ports work", { variables });
      assert.match(text, /^SERVICE +CONTAINER +HOST +URL$/m);
      assert.ok(text.includes(`http://localhost:${slot + 90}`));
    });
    await t.step("also when the repository is gone", async () => {
      await Deno.rename(sandbox.root, `${sandbox.folder}/aside`);
      const name = `${sandbox.project}/work`;
      const elsewhere = { cwd: sandbox.folder, variables };
      assert.equal((await sandbox.json(`ports ${name}`, elsewhere)).ports.length, 3);
      assert.equal((await sandbox.json(`env ${name}`, elsewhere)).PIKO_ENV_NAME, "work");
      await Deno.rename(`${sandbox.folder}/aside`, sandbox.root);
    });
  },
});

Deno.test({
  name: "piko env --export is safe to eval, whatever the names are",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      project: 'it\'s $(touch pwned) `touch pwned`; "a" \\ & ü #!',
      init: true,
    });
    const branches = [
      "feat/$(touch${IFS}pwned)",
      "`touch${IFS}pwned`",
      "a';touch${IFS}pwned;'b",
      'say"hi"&&exit|!#%{}=',
      "größe/漢字",
    ];
    for (const [index, branch] of branches.entries()) {
      await t.step(branch, async () => {
        const created = await sandbox.piko(["create", `e${index}`, "--branch", branch]);
        assert.equal(created.exitCode, 0, created.stderr);
        const expected = await sandbox.json(`env e${index}`);
        assert.equal(expected.PIKO_BRANCH, branch);
        assert.equal(expected.PIKO_ROOT, sandbox.root);
        const script = await sandbox.pass(`env e${index} --export`);
        for (const shell of ["sh", "bash"]) {
          const seen = await sandbox.run([shell, "-c", 'eval "$1" && env -0', shell, script]);
          assert.deepEqual(
            Object.fromEntries(
              seen.split("\0").filter((line) => /^PIKO_(?!HOME=|SLOTS=)/.test(line)).map((line) => {
                const [name = "", ...value] = line.split("=");
                return [name, value.join("=")];
              }),
            ),
            expected,
          );
        }
        assert.equal(await sandbox.exists("pwned"), false);
      });
    }
  },
});

Deno.test({
  name: "piko list, status and project tell of projects, and of nothing",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE } });
    const outside = { cwd: sandbox.folder };
    await t.step("before the first project, without making a registry", async () => {
      assert.deepEqual(await sandbox.json("list --all"), { environments: [] });
      assert.deepEqual(await sandbox.json("project list"), { projects: [] });
      for (const command of ["list", "status", "create x"]) {
        assert.match(await sandbox.fail(command, 3), /is in no piko project\n.*piko init/);
      }
      await sandbox.fail("env x", 3);
      assert.equal(await sandbox.exists(`${sandbox.folder}/piko/state.db`), false);
    });
    await sandbox.pass("init");
    await t.step("a project without environments", async () => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["list"]);
      assert.deepEqual([exitCode, stdout], [0, ""]);
      assert.match(
        stderr,
        new RegExp(`No environments in project ${sandbox.project} yet\n.*piko create NAME`),
      );
      const project = {
        name: sandbox.project,
        root: sandbox.root,
        composeFile: `${sandbox.root}/compose.yaml`,
        environments: 0,
      };
      assert.deepEqual(await sandbox.json("status"), { project, shared: [] });
      assert.deepEqual(await sandbox.json("project list", outside), { projects: [project] });
      assert.match(await sandbox.pass("status"), /^Environments +0$/m);
      for (const command of ["list", "status"]) {
        assert.match(await sandbox.fail(command, 3, outside), /→ piko init$/m);
      }
    });
    await t.step("piko project forget, but not while there are environments", async () => {
      await sandbox.git("rm", "--quiet", "compose.yaml");
      await sandbox.git("commit", "--quiet", "--message", "No containers");
      await sandbox.pass("create work");
      for (const command of ["list", "status"]) {
        const said = await sandbox.fail(command, 3, outside);
        assert.match(said, /→ piko init, or see those of other projects: piko list --all$/m);
      }
      const said = await sandbox.fail(`project forget ${sandbox.project}`, 4);
      assert.match(said, /has environments/);
      assert.ok(said.includes(`piko destroy ${sandbox.project}/work`), said);
      assert.match(await sandbox.fail("project forget nothing-like-it", 3), /piko project list/);
      assert.match(await sandbox.fail("project lost", 2), /piko project list/);
      await sandbox.pass("destroy work");
      const { forgotten } = await sandbox.json(`project forget ${sandbox.project}`, outside);
      assert.deepEqual(forgotten, { name: sandbox.project, root: sandbox.root });
      assert.deepEqual(await sandbox.json("project list"), { projects: [] });
      assert.equal(await sandbox.exists(".gitignore"), true);
      await sandbox.pass("init");
    });
  },
});

Deno.test({
  name: "piko status tells what the worktree has checked out instead of its branch",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    const told = async () => {
      const [, branch] = /^Branch +(.*)$/m.exec(await sandbox.pass("status work")) ?? [];
      return [branch, (await sandbox.json("status work")).checkedOut];
    };
    assert.deepEqual(await told(), ["work", null]);
    await sandbox.git("-C", worktree, "switch", "--quiet", "--create", "feat/other");
    assert.deepEqual(await told(), ["work (checked out: feat/other)", "feat/other"]);
    await sandbox.git("-C", worktree, "switch", "--quiet", "--detach");
    const commit = await sandbox.git("rev-parse", "main");
    assert.deepEqual(await told(), [`work (checked out: ${commit})`, commit]);
    await sandbox.git("-C", worktree, "switch", "--quiet", "work");
    assert.deepEqual(await told(), ["work", null]);
    await Deno.remove(worktree, { recursive: true });
    assert.deepEqual(await told(), ["work", null]);
  },
});
