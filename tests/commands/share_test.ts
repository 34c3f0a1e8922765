/**
 * Shared services on the real engine: three environments with one Redis, which outlives whatever is done to it and to
 * them, and no environment that ever sees another one's services.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Background } from "../background.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import { refuteAccident } from "./refusal.ts";

const engine = needs("git", "engine", "compose", "images");

/** An application that can ask Redis, a database of its own (a Redis too), and the Redis that is shared. */
const COMPOSE = `services:
  app:
    image: redis:7-alpine
    entrypoint: [sleep, "1000"]
    init: true
    stop_grace_period: 0s
    depends_on: { db: { condition: service_started }, redis: { condition: service_healthy } }
    networks: [front, back]
    ports: ["8080"]
  db:
    image: redis:7-alpine
    stop_grace_period: 0s
    networks: [back]
    volumes: [rows:/data]
  redis:
    image: redis:7-alpine
    container_name: shop-redis
    stop_grace_period: 1s
    networks: { back: { aliases: [cache] } }
    ports: ["6379:6379"]
    volumes: [keys:/data]
    healthcheck:
      test: [CMD, redis-cli, ping]
      interval: 300ms
      retries: 1000
networks: { front: , back: }
volumes: { rows: , keys: }
`;

/** A sandbox whose applications are asked what they see. */
class Shop implements AsyncDisposable {
  readonly sandbox: Sandbox;

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async create(files: Readonly<Record<string, string>> = {}, slots = 1): Promise<Shop> {
    const all = { "compose.yaml": COMPOSE, ...files };
    return new Shop(await Sandbox.create({ files: all, init: true, slots }));
  }

  /** Asks a Redis from inside an environment's application; undefined when there is none of that name. */
  async ask(name: string, host: string, ...words: string[]): Promise<string | undefined> {
    const argv = ["exec", this.container(name, "app"), "redis-cli", "-h", host, ...words];
    return await docker(...argv).catch(() => undefined);
  }

  container(name: string, service: string): string {
    return `piko-${this.sandbox.project}-${name}-${service}-1`;
  }

  /** Runs lines of a shell in an environment's application, and returns what they print. */
  async run(name: string, lines: readonly string[]): Promise<string[]> {
    const argv = ["exec", this.container(name, "app"), "sh", "-c", lines.join("\n")];
    return (await docker(...argv).catch(() => "")).split("\n");
  }

  /** Proves that environments share one Redis under all of its names, and see nothing else of each other. */
  async proveShared(...names: string[]): Promise<void> {
    const value = crypto.randomUUID();
    for (const name of names) {
      const said = await this.run(name, [
        `redis-cli -h redis set by-${name} ${name}-${value}`,
        `redis-cli -h db set who ${name}-${value}`,
      ]);
      assert.deepEqual(said, ["OK", "OK"], name);
    }
    for (const name of names) {
      const others = names.filter((other) => other !== name);
      const said = await this.run(name, [
        ...names.flatMap((other) =>
          ["redis", "cache", "shop-redis"].map((host) => `redis-cli -h ${host} get by-${other}`)
        ),
        ...["once", "twice", "thrice"].map(() => "redis-cli -h db get who"),
        ...others.map((other) =>
          `redis-cli -h ${
            this.container(other, "db")
          } get who >/dev/null 2>&1 && echo leaks || echo hidden`
        ),
      ]);
      assert.deepEqual(said, [
        ...names.flatMap((other) => Array.from({ length: 3 }, () => `${other}-${value}`)),
        ...Array.from({ length: 3 }, () => `${name}-${value}`),
        ...others.map(() => "hidden"),
      ], name);
    }
  }

  async containers(): Promise<string[]> {
    const left = await this.sandbox.leftInEngine();
    return left.filter((line) => line.startsWith("container ")).map((line) => line.slice(10));
  }

  async shared() {
    return (await this.sandbox.json("share")).shared;
  }

  /** Proves that nothing is left but volumes, and removes these. */
  async proveGone(): Promise<void> {
    const left = await this.sandbox.leftInEngine();
    const volumes = left.filter((line) => line.startsWith("volume ")).map((line) => line.slice(7));
    assert.equal(left.length, volumes.length, left.join("\n"));
    if (volumes.length > 0) await docker("volume", "rm", ...volumes);
    using database = this.database();
    for (const table of ["environments", "ports", "steps", "shared_users", "shared_links"]) {
      assert.deepEqual(database.prepare(`SELECT * FROM ${table}`).all(), [], table);
    }
  }

  database(): DatabaseSync {
    const path = `${this.sandbox.variables.PIKO_HOME}/state.db`;
    return new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
  }
}

Deno.test({
  name: "three environments share one Redis, whatever is done to it and to them",
  ...engine,
  fn: async (t) => {
    // An engine of version 20 loses the files of a container that is restarted while somebody enters it, as a window does:
    // only the Redis, which nobody is asked to enter afterwards, has one.
    await using shop = await Shop.create({ ".piko.yml": "ignore: [app, db]\n" });
    const { sandbox } = shop;
    const shared = shop.container("shared", "redis");
    const say = async (command: string) => {
      const { exitCode, stdout, stderr } = await sandbox.piko(command.split(" "));
      assert.equal(exitCode, 0, `piko ${command}\n${stdout}\n${stderr}`);
      refuteAccident(stderr);
      return stderr + stdout;
    };

    await t.step("those that exist keep their own, and are told how to move over", async () => {
      await say("create a --no-attach");
      await say("create b --no-attach");
      for (const name of ["a", "b"]) await shop.ask(name, "redis", "set", "own", name);
      const said = await say("share redis");
      assert.match(
        said,
        /a and b have their own redis still: piko up \S+\/a .*piko -C \S+ share redis --now/,
      );
      assert.equal(await shop.ask("a", "redis", "get", "own"), "a");
      const [redis] = await shop.shared();
      assert.deepEqual([redis?.state, redis?.health], ["running", "healthy"]);
      assert.deepEqual([redis?.offered, redis?.users, redis?.others], [true, [], ["a", "b"]]);
      assert.match(await say("share redis"), /redis is shared already/);
    });
    await t.step("one that is made now has none of its own", async () => {
      await say("create c --no-attach");
      assert.ok(!(await shop.containers()).includes(shop.container("c", "redis")));
      assert.equal(await shop.ask("c", "redis", "set", "first", "c"), "OK");
      assert.equal(await shop.ask("c", "redis", "get", "own"), "");
    });
    await t.step("piko up moves one over and keeps what it had", async () => {
      const said = await say("up a");
      assert.match(said, /a uses the shared redis now; its own is stopped and kept/);
      assert.equal(
        await docker("inspect", "-f", "{{.State.Running}}", shop.container("a", "redis")),
        "false",
      );
      assert.equal(await shop.ask("a", "redis", "get", "first"), "c");
      assert.equal((await sandbox.json("list")).environments[0]?.status, "running");
      // What stands for the service is the shared one, so its own stays as it is.
      await say("restart a");
      await say("run a --yes -- true").catch(() => {});
      assert.equal(
        await docker("inspect", "-f", "{{.State.Running}}", shop.container("a", "redis")),
        "false",
      );
    });
    await t.step("--now moves all of them, and says where their data is", async () => {
      const said = await say("share redis --now");
      assert.match(said, /Moved b to the shared redis; kept its volumes: .*b_keys/);
      assert.ok(!(await shop.containers()).includes(shop.container("b", "redis")));
      assert.ok((await sandbox.leftInEngine()).some((line) => line.endsWith("-b_keys")));
      await shop.proveShared("a", "b", "c");
    });
    await t.step("env, ports, status, exec, logs and completion show it as shared", async () => {
      const [redis] = await shop.shared();
      assert.deepEqual([redis?.users, redis?.others], [["a", "b", "c"], []]);
      const port = redis?.ports[0]?.hostPort;
      for (const name of ["a", "b", "c"]) {
        const variables = await sandbox.json(`env ${name}`);
        assert.equal(variables.PIKO_REDIS_PORT, String(port));
        const { ports } = await sandbox.json(`ports ${name}`);
        assert.deepEqual(
          ports.map(({ service, shared, hostPort }) => [service, shared, hostPort === port]),
          [["app", false, false], ["redis", true, true]],
        );
      }
      const { environment, services } = await sandbox.json("status b");
      assert.deepEqual([environment.status, environment.containers.total], ["running", 2]);
      assert.deepEqual(
        services.map(({ service, container, shared }) => [service, container, shared]),
        [
          ["app", shop.container("b", "app"), false],
          ["db", shop.container("b", "db"), false],
          ["redis", shared, true],
        ],
      );
      assert.match(await say("status b"), /^redis \(shared\) +running +healthy/m);
      assert.match(await say("status"), /^redis +running +healthy .*a, b, c$/m);
      assert.match(await sandbox.pass("exec b redis redis-cli get by-a"), /^a-/);
      assert.match(
        await sandbox.pass("logs b redis --tail 50"),
        /^redis \(shared\) +\| .*Ready to accept/m,
      );
      assert.match(await sandbox.pass("logs b --tail 50"), /^redis \(shared\)/m);
      assert.match(await sandbox.pass("complete zsh -- logs b r"), /^redis\t\d+ \(shared\)$/m);
      assert.match(await sandbox.pass("complete zsh -- isolate r"), /^redis\tshared$/m);
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: port ?? 0 });
      await connection.write(new TextEncoder().encode("PING\r\n"));
      const answer = new Uint8Array(7);
      await connection.read(answer);
      assert.equal(new TextDecoder().decode(answer), "+PONG\r\n");
      assert.equal(
        await sandbox.pass("open c redis --print"),
        `redis://localhost:${port}\n`,
      );
      const window = `=piko/${sandbox.project}/c:redis`;
      await sandbox.tmux("send-keys", "-t", window, "redis-cli get by-c", "Enter");
      await until("the answer in the shared window", async () => {
        const { stdout } = await sandbox.tmux("capture-pane", "-p", "-t", window);
        return /^"c-/m.test(stdout);
      });
    });
    await t.step("what is shared is not one environment's to stop", async () => {
      for (const verb of ["down", "restart"]) {
        assert.match(
          await sandbox.fail(`${verb} a redis`, 4),
          new RegExp(`piko -C \\S+ ${verb} --shared redis`),
        );
      }
      await say("down b");
      assert.equal((await sandbox.json("status b")).environment.status, "stopped");
      await shop.proveShared("a", "c");
      await say("up b");
      await shop.proveShared("a", "b", "c");
    });
    await t.step(
      "restarted, stopped, made anew or removed, it is on all networks again",
      async () => {
        await say("restart --shared redis");
        await shop.proveShared("a", "b", "c");
        await docker("restart", shared);
        await until(
          "the end of the restart",
          async () => await shop.ask("a", "redis", "ping") === "PONG",
        );
        await shop.proveShared("a", "b", "c");

        assert.match(await say("down --shared"), /a, b and c use redis/);
        assert.equal((await shop.shared())[0]?.state, "exited");
        await say("up b");
        await shop.proveShared("a", "b", "c");

        const before = await docker("inspect", "-f", "{{.Id}}", shared);
        await sandbox.write("compose.yaml", COMPOSE.replace("interval: 300ms", "interval: 200ms"));
        await say("share redis");
        assert.notEqual(await docker("inspect", "-f", "{{.Id}}", shared), before);
        await shop.proveShared("a", "b", "c");

        await docker("rm", "--force", shared);
        await say("up c");
        await shop.proveShared("a", "b", "c");
      },
    );
    await t.step(
      "an environment that goes leaves no network, and the others as they are",
      async () => {
        await say("down --shared");
        await say("destroy a --volumes --delete-branch");
        assert.ok(!(await sandbox.leftInEngine()).some((line) => line.includes(`-a_`)));
        await say("create a --no-attach");
        await shop.proveShared("a", "b", "c");
        await say("destroy a --volumes --delete-branch");
        await shop.proveShared("b", "c");
      },
    );
    await t.step("isolated, those that are made have their own again", async () => {
      const said = await say("isolate redis");
      assert.match(
        said,
        /b and c still use it\n.*piko up \S+\/b .*piko -C \S+ isolate redis --now/,
      );
      await shop.proveShared("b", "c");
      await say("create d --no-attach");
      assert.equal(await shop.ask("d", "redis", "get", "by-b"), "");
      assert.deepEqual((await shop.shared()).map(({ offered, others }) => [offered, others]), [[
        false,
        ["d"],
      ]]);
    });
    await t.step("and with --now all of them, with what they had before", async () => {
      const said = await say("isolate redis --now");
      assert.match(said, /Volumes stay: .*shared_keys/);
      assert.equal(await shop.ask("b", "redis", "get", "own"), "b");
      assert.equal(await shop.ask("b", "redis", "get", "by-c"), "");
      assert.equal(await shop.ask("c", "redis", "get", "by-b"), "");
      const ports = await Promise.all(
        ["b", "c"].map(async (name) => (await sandbox.json(`env ${name}`)).PIKO_REDIS_PORT),
      );
      assert.equal(new Set(ports).size, 2);
      assert.deepEqual(await shop.shared(), []);
      assert.match(
        await say("isolate redis"),
        /redis is not shared: every environment has its own already/,
      );
    });
    await t.step(
      "shared again it has its data, and leaves nothing with the last of all",
      async () => {
        await say("share redis --now");
        assert.match(await shop.ask("c", "redis", "get", "by-c") ?? "", /^c-/);
        await say("destroy b --volumes --delete-branch");
        await say("destroy c --volumes --delete-branch");
        const said = await say("destroy d --volumes --delete-branch");
        assert.match(
          said,
          /The shared redis runs on, and no environment uses it\n.* isolate redis removes it/,
        );
        assert.match(
          await sandbox.fail(`project forget ${sandbox.project}`, 4),
          /has shared services/,
        );
        await say("isolate redis");
        await shop.proveGone();
      },
    );
  },
});

Deno.test({
  name: "12 environments that join one shared service at once wait for each other and no longer",
  ...engine,
  fn: async (t) => {
    const compose = COMPOSE.replace("networks: [front, back]", "networks: [back]")
      .replace("front: , ", "").replace(/ {2}db:\n( {4}.*\n)+/, "").replace(/db: .*?}, /, "")
      .replace("rows: , ", "");
    await using shop = await Shop.create({
      "compose.yaml": compose,
      ".piko.yml": "shared: [redis]\n",
    }, 2);
    const { sandbox } = shop;
    const names = Array.from({ length: 12 }, (_, index) => `e${index}`);
    const atOnce = async (command: (name: string) => string) => {
      const outcomes = await Promise.all(
        names.map((name) => sandbox.piko(command(name).split(" "), { timeout: 300_000 })),
      );
      for (const { exitCode, stdout, stderr } of outcomes) {
        assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
      }
    };
    await t.step("created", async () => {
      await atOnce((name) => `create ${name} --no-attach --timeout 240`);
      const [redis, ...others] = await shop.shared();
      assert.deepEqual(others, []);
      assert.deepEqual(redis?.users, [...names].sort());
      for (const name of names) await shop.ask(name, "redis", "set", name, name);
      for (const [index, name] of names.entries()) {
        const other = names[(index + 5) % names.length] ?? "";
        assert.equal(await shop.ask(name, "cache", "get", other), other);
      }
      assert.equal((await shop.containers()).length, 13);
    });
    await t.step("destroyed", async () => {
      await atOnce((name) => `destroy ${name} --volumes --delete-branch`);
      await sandbox.pass("isolate redis --volumes");
      // .piko.yml goes on sharing it, and so the registry remembers that this machine does not.
      assert.deepEqual(await sandbox.leftInEngine(), []);
      await shop.proveGone();
    });
  },
});

/** What can be shared, what cannot, and what does not get ready. */
const ODD = `services:
  app:
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    environment: { MUST: "\${PIKO_APP_PORT:?}" }
    ports: ["8080"]
    depends_on: [kv]
  kv:
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
  crash:
    image: busybox:1.36
    command: "false"
    volumes: [crashed:/crashed]
    profiles: [never]
  built:
    build: .
    init: true
    stop_grace_period: 0s
    command: sh -c 'echo "$\${WHO} of $\${WHERE} on $\${PORT}"; sleep 1000'
    environment: { WHO: "\${PIKO_ENV_NAME}", WHERE: "\${PIKO_ROOT}", PORT: "\${PIKO_BUILT_PORT}" }
    ports: ["9000"]
    volumes: ["./conf:/conf"]
    profiles: [tools]
volumes: { crashed: }
`;

Deno.test({
  name: "piko share says what it cannot share, and takes back what it could not start",
  ...needs("git", "tmux", "engine", "compose", "images"),
  fn: async (t) => {
    await using shop = await Shop.create({
      "compose.yaml": ODD,
      "Dockerfile": "FROM busybox:1.36\n",
      "conf/a": "a\n",
    });
    const { sandbox } = shop;
    await t.step("usage", async () => {
      assert.match(
        await sandbox.fail("share kw", 3),
        /There is no service "kw" .*\n.*did you mean kv\?/,
      );
      assert.match(
        await sandbox.fail("share app", 2),
        /"app" needs "kv", which would have to be shared too\n.*piko share app kv/,
      );
      assert.match(await sandbox.fail("isolate kw", 3), /"kw" is not shared/);
      assert.match(await sandbox.fail("isolate", 2), /piko share/);
      assert.match(await sandbox.fail("down --shared kv", 3), /"kv" is not shared/);
      assert.match(
        await sandbox.fail("share kv", 3, { cwd: sandbox.folder }),
        /in no piko project/,
      );
      assert.match(await sandbox.fail("create x --shared kw --no-attach", 3), /no service "kw"/);
      assert.deepEqual((await sandbox.json("list")).environments, []);
      await shop.proveGone();
    });
    await t.step(
      "a service that does not get ready is taken back, with the environment",
      async () => {
        const said = await sandbox.fail("share crash", 1);
        assert.match(said, /Service "crash" exited with code 1/);
        assert.match(said, /Removed the shared crash/);
        await shop.proveGone();
        assert.match(
          await sandbox.fail("create x --shared kv,crash --no-attach", 1),
          /Removed the shared/,
        );
        assert.deepEqual(await sandbox.leftInEngine(), []);
        await shop.proveGone();
      },
    );
    await t.step(
      "one that is built, in a profile, runs from the root with the root's values",
      async () => {
        const said = (await sandbox.piko(["share", "built"])).stderr;
        assert.match(said, /Mounts .*\/conf for all/);
        const [built] = await shop.shared();
        const log = await docker("logs", built?.container ?? "");
        assert.equal(log, `shared of ${sandbox.root} on ${built?.ports[0]?.hostPort}`);
        assert.equal(await docker("exec", built?.container ?? "", "cat", "/conf/a"), "a");
        await sandbox.pass("isolate built --volumes");
        await shop.proveGone();
      },
    );
    await t.step("what .piko.yml shares wrongly is told and does no harm", async () => {
      await sandbox.write(".piko.yml", "shared: [kw, kv]\n");
      const made = await sandbox.piko(["create", "x", "--no-attach"]);
      assert.equal(made.exitCode, 0, made.stderr);
      assert.match(made.stderr, /shared of \.piko\.yml names "kw", .*did you mean kv\?/);
      assert.deepEqual((await shop.shared()).map(({ service, users }) => [service, users]), [[
        "kv",
        ["x"],
      ]]);
      // Here somebody wants their own, whatever the file says.
      const isolated = await sandbox.piko(["isolate", "kv", "--now"]);
      assert.match(
        isolated.stderr,
        /\.piko\.yml still shares kv: on this machine piko isolate wins/,
      );
      await sandbox.pass("up x");
      assert.deepEqual(await shop.shared(), []);
      assert.ok((await shop.containers()).includes(shop.container("x", "kv")));
      await sandbox.pass("share kv --now");
      assert.deepEqual((await shop.shared()).map(({ users }) => users), [["x"]]);
      await using terminal = await Terminal.open(sandbox);
      await terminal.type("clear; piko destroy x --delete-branch");
      await terminal.shows(/^Destroy .*\/x\? \[y\/N\]/m);
      await terminal.type("y");
      await terminal.shows(/^Remove the shared kv too\? \[y\/N\]/m);
      await terminal.type("y");
      await terminal.isReady();
      await sandbox.write(".piko.yml", "");
      await shop.proveGone();
    });
    await t.step("one of several goes alone, unless another needs it", async () => {
      await sandbox.pass("share app kv");
      const ports = (await shop.shared()).flatMap(({ ports }) => ports);
      assert.deepEqual(ports.map(({ service }) => service), ["app"]);
      assert.match(
        await sandbox.fail("isolate kv", 2),
        /"app", which is shared, needs "kv"\n.*piko isolate app kv/,
      );
      await sandbox.pass("isolate app");
      assert.deepEqual(await shop.containers(), [shop.container("shared", "kv")]);
      assert.deepEqual((await shop.shared()).map(({ service }) => service), ["kv"]);
      await sandbox.pass("isolate kv");
      await shop.proveGone();
    });
    await t.step("simple mode", async () => {
      await sandbox.git("rm", "--quiet", "compose.yaml");
      assert.match(
        await sandbox.fail("share kv", 2),
        /has no compose file, and so no service to share/,
      );
      assert.match(await sandbox.fail("create y --shared kv", 2), /has no compose file/);
      await sandbox.git("reset", "--quiet", "--hard");
    });
  },
});

Deno.test({
  name:
    "a service that was isolated while it was in use goes with its last user, and its volumes stay",
  ...engine,
  async fn(t) {
    const compose = `services:
  kv: { image: "busybox:1.36", command: sleep 1000, init: true, stop_grace_period: 0s, volumes: ["keys:/data"] }
volumes: { keys: }
`;
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": compose }, init: true });
    const keys = `piko-${sandbox.project}-shared_keys`;
    /** Proves that the last user's leaving, in whichever way, has removed the service and says so. */
    const proveGone = async (said: string) => {
      assert.match(said, /Removed the shared kv, which nobody uses any more; /);
      assert.ok(said.includes(`docker volume rm ${keys} removes it`), said);
      assert.deepEqual((await sandbox.json("share")).shared, []);
      const left = await sandbox.leftInEngine();
      assert.deepEqual(left.filter((line) => line.includes("-shared")), [`volume ${keys}`]);
      await docker("volume", "rm", keys);
    };
    for (const how of ["up a", "destroy a --volumes"]) {
      await t.step(how, async () => {
        await sandbox.pass("share kv");
        if (how === "up a") await sandbox.pass("create a");
        else await sandbox.pass("up a");
        await sandbox.pass("isolate kv");
        assert.deepEqual((await sandbox.json("share")).shared[0]?.users, ["a"]);
        const { stderr } = await sandbox.piko(how.split(" "));
        await proveGone(stderr);
      });
    }
  },
});

Deno.test({
  name: "piko share and isolate that were killed are mended by the next piko up",
  ...engine,
  fn: async (t) => {
    const compose = ODD.replace(/ {2}crash:\n( {4}.*\n)+/, "").replace(
      / {2}built:\n( {4}.*\n)+/,
      "",
    )
      .replace(/^volumes.*\n/m, "").replace(
        "  kv:\n",
        '  kv:\n    healthcheck: { test: [CMD, "${HEALTH:-true}"], interval: 300ms, retries: 1000 }\n',
      );
    await using shop = await Shop.create({ "compose.yaml": compose, ".gitignore": ".env\n" });
    const { sandbox } = shop;
    await sandbox.pass("create a --no-attach");
    const killAt = async (command: string, step: string) => {
      await using piko = Background.piko(sandbox, command.split(" "));
      let working = true;
      const ended = piko.ended().then(() => working = false);
      for (;;) {
        using database = shop.database();
        const steps = database.prepare("SELECT operation || ' ' || step AS name FROM steps").all();
        if (!working || steps.some(({ name }) => name === step)) break;
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1))]);
      }
      if (working) piko.kill("SIGKILL");
      await ended;
    };
    for (const step of ["containers", "ready"]) {
      await t.step(`share ${step}`, async () => {
        await sandbox.write(".env", step === "ready" ? "HEALTH=false\n" : "");
        await killAt("share kv", `share ${step}`);
        await sandbox.write(".env", "");
        await sandbox.pass("up a");
        const left = await shop.shared();
        // The last steps take milliseconds: piko may have been through with them.
        if (left.length > 0) assert.deepEqual(left.map(({ users }) => users), [["a"]]);
        await sandbox.pass("share kv --now");
        assert.deepEqual((await shop.shared()).map(({ users, state }) => [users, state]), [[
          ["a"],
          "running",
        ]]);
        await sandbox.pass("isolate kv --now --volumes");
        assert.deepEqual((await shop.containers()).sort(), [
          shop.container("a", "app"),
          shop.container("a", "kv"),
        ]);
      });
    }
    for (const step of ["up networks"]) {
      await t.step(step, async () => {
        await sandbox.pass("share kv --now");
        await killAt("isolate kv --now", step);
        await sandbox.pass("up a");
        assert.deepEqual((await shop.shared()).flatMap(({ users }) => users), []);
        await sandbox.pass("isolate kv --now --volumes");
        assert.deepEqual(await shop.shared(), []);
      });
    }
    await sandbox.pass("destroy a --delete-branch");
    await shop.proveGone();
  },
});
