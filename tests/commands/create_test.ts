/** `piko create` through all of its steps, on real containers: what it makes, in which order, and what it says. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { refuses } from "./refusal.ts";

const NEEDED = needs("git", "engine", "compose", "images");

/** A web server that shows its branch's page, a database's stand-in, and a service with two ports. */
const COMPOSE = `services:
  app:
    image: busybox:1.36
    command: httpd -f -p 4371 -h /page
    stop_signal: SIGKILL
    working_dir: /page
    environment: { WHO: "\${PIKO_ENV_NAME}", DATABASE: "localhost:\${PIKO_DB_PORT}" }
    volumes: ["./page:/page:ro"]
    ports: ["4371:4371", "4372"]
    depends_on: { db: { condition: service_healthy } }
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:4371/"], interval: 200ms }
  db:
    image: busybox:1.36
    command: sleep 600
    container_name: the-database
    stop_signal: SIGKILL
    volumes: [rows:/rows]
    ports: ["127.0.0.1:4373:4373/udp"]
    healthcheck: { test: [CMD, "true"], interval: 200ms }
volumes: { rows: {} }
`;

const CONFIG = `scripts:
  prepare: |
    env | grep ^PIKO_ | sort > "$PIKO_DATA_DIR/variables"
    docker ps --all --format '{{.Names}}' --filter "label=com.docker.compose.project=$PIKO_PROJECT"
    echo prepared
  setup: |
    docker ps --format '{{.Names}} {{.Status}}' --filter "label=com.docker.compose.project=$PIKO_PROJECT"
    echo "a complaint" >&2
    pwd
`;

const FILES = { "compose.yaml": COMPOSE, ".piko.yml": CONFIG, "page/index.html": "main\n" };

interface Port {
  service: string;
  containerPort: number;
  hostPort: number;
  protocol: string;
}

/** Proves that each port is the one of its block, or the lowest free one where that was in use, which was said. */
function assertPorts(
  ports: Port[],
  wanted: [service: string, containerPort: number, hostPort: number][],
  stderr: string,
): void {
  assert.deepEqual(
    ports.map(({ service, containerPort }) => [service, containerPort]),
    wanted.map(([service, containerPort]) => [service, containerPort]),
  );
  for (const [service, containerPort, wantedHostPort] of wanted) {
    const { hostPort } = ports.find((port) =>
      port.service === service && port.containerPort === containerPort
    ) ?? assert.fail();
    if (hostPort === wantedHostPort) continue;
    // The machine is shared: another test may have the port.
    assert.ok(
      stderr.includes(
        `Host port ${wantedHostPort} is in use; ${service}:${containerPort} gets ${hostPort}`,
      ),
      stderr,
    );
    assert.equal(Math.floor(hostPort / 100), Math.floor(wantedHostPort / 100));
  }
}

Deno.test({
  name: "piko create makes worktree, data, ports, override file, containers, and runs the scripts",
  ...NEEDED,
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true, slots: "lowest" });
    const { project, root } = sandbox;
    const worktree = sandbox.worktree("feature-auth");
    const created = await sandbox.piko(["create", "feature-auth", "--json"], {
      variables: { PIKO_ENV_NAME: "of-another-piko", WHO: "nobody" },
    });
    assert.equal(created.exitCode, 0, created.stderr);
    const { environment } = JSON.parse(created.stdout);
    const composeProject = `piko-${project}-feature-auth`;

    await t.step("answers with the environment", async () => {
      // session_test.ts has the session: without tmux there is none.
      const { ports, createdAt, session: _session, ...rest } = environment;
      assert.deepEqual(rest, {
        project,
        name: "feature-auth",
        branch: "feature-auth",
        mode: "docker",
        status: "running",
        slot: 1,
        path: worktree,
        dataDir: `${root}/.piko/data/feature-auth`,
        composeProject,
        containers: { running: 2, healthy: 2, total: 2 },
      });
      assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 120_000);
      assert.match(createdAt, /Z$/);
      assertPorts(
        ports,
        [["app", 4371, 10171], ["app", 4372, 10172], ["db", 4373, 10173]],
        created.stderr,
      );
      assert.equal(ports[2]?.protocol, "udp");
      assert.deepEqual((await sandbox.json("status feature-auth")).environment, environment);
    });

    await t.step("tells each step on stderr", () => {
      const told = [...created.stderr.matchAll(/^✓ ([A-Z][a-z]+(?: [a-z]+)?)/gm)]
        .map(([, step]) => step).filter((step) => step !== "Session");
      assert.deepEqual(told, [
        "Worktree",
        "Data",
        "Ports",
        "Override file",
        "Prepare script",
        "Containers",
        "Readiness",
        "Setup script",
      ]);
    });

    await t.step("runs prepare before the containers, setup after they are ready", async () => {
      const log = (script: string) =>
        Deno.readTextFile(`${root}/.piko/logs/feature-auth/${script}.log`);
      assert.equal(await log("prepare"), "prepared\n");
      const lines = (await log("setup")).trimEnd().split("\n");
      assert.deepEqual(
        lines.filter((line) => line.startsWith("piko-")).sort().map((line) =>
          line.replace(/Up .*\(/, "(")
        ),
        [`${composeProject}-app-1 (healthy)`, `${composeProject}-db-1 (healthy)`],
      );
      assert.ok(lines.includes("a complaint"));
      assert.ok(lines.includes(worktree));
      assert.match(created.stderr, /^ {2}│ prepared$/m);
      assert.match(created.stderr, /^ {2}│ a complaint$/m);
    });

    await t.step("gives the scripts and compose the environment's variables", async () => {
      const seen = await Deno.readTextFile(`${environment.dataDir}/variables`);
      const variables = Object.fromEntries(
        seen.trimEnd().split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)),
      );
      delete variables.PIKO_HOME;
      assert.deepEqual(variables, await sandbox.json("env feature-auth"));
      assert.equal(variables.PIKO_ENV_NAME, "feature-auth");
      const inside = await sandbox.run(
        ["docker", "exec", `${composeProject}-app-1`, "sh", "-c", "echo $WHO $DATABASE"],
      );
      assert.equal(inside, `feature-auth localhost:${variables.PIKO_DB_PORT}`);
    });

    await t.step("publishes the page of this worktree on its own host port", async () => {
      await sandbox.write(`${worktree}/page/index.html`, "feature-auth\n");
      const answer = await fetch(`http://127.0.0.1:${environment.ports[0]?.hostPort}/`);
      assert.equal(await answer.text(), "feature-auth\n");
      await sandbox.run(["git", "checkout", "--", "page"], worktree);
    });

    await t.step("layers a small override file over the compose file", async () => {
      const { parse } = await import("yaml");
      const text = await Deno.readTextFile(`${worktree}/docker-compose.piko.yml`);
      const tags = ["override", "reset"].map((tag) => `!${tag}`);
      const override = parse(tags.reduce((rest, tag) => rest.replaceAll(tag, ""), text));
      const [first, second, third] = environment.ports.map((port: Port) => `${port.hostPort}`);
      const { labels } = override.services.app;
      assert.deepEqual(Object.keys(labels).sort(), ["dev.piko.registered", "dev.piko.root"]);
      assert.equal(labels["dev.piko.root"], root);
      assert.match(labels["dev.piko.registered"], /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert.deepEqual(override, {
        services: {
          app: {
            labels,
            ports: [
              { target: 4371, published: first, protocol: "tcp" },
              { target: 4372, published: second, protocol: "tcp" },
            ],
          },
          db: {
            container_name: null,
            labels,
            networks: { default: { aliases: ["the-database"] } },
            ports: [{ target: 4373, published: third, protocol: "udp", host_ip: "127.0.0.1" }],
          },
        },
        networks: { default: { labels, name: composeProject } },
        volumes: { rows: { name: `${composeProject}_rows` } },
      });
      assert.equal(text.match(/"ports": !override/g)?.length, 2);
      assert.match(text, /"container_name": !reset null/);
    });

    await t.step("leaves nothing for git to show, in the worktree and in the root", async () => {
      assert.equal(await sandbox.run(["git", "status", "--porcelain"], worktree), "");
      assert.equal(await sandbox.git("status", "--porcelain"), "");
    });

    await t.step("makes a second one beside it, with everything its own", async () => {
      await sandbox.commit({ "page/index.html": "second\n" });
      const { exitCode, stdout, stderr } = await sandbox.piko(["create", "other", "--json"]);
      assert.equal(exitCode, 0, stderr);
      const { environment: other } = JSON.parse(stdout);
      assert.equal(other.slot, 2);
      assertPorts(
        other.ports,
        [["app", 4371, 10271], ["app", 4372, 10272], ["db", 4373, 10273]],
        stderr,
      );
      const page = async (port: number) => await (await fetch(`http://127.0.0.1:${port}/`)).text();
      assert.equal(await page(other.ports[0]?.hostPort), "second\n");
      assert.equal(await page(environment.ports[0]?.hostPort), "main\n");
      assert.deepEqual(
        await sandbox.leftInEngine(),
        ["feature-auth", "other"].flatMap((name) => [
          `container piko-${project}-${name}-app-1`,
          `container piko-${project}-${name}-db-1`,
          `network piko-${project}-${name}`,
          `volume piko-${project}-${name}_rows`,
        ]).sort(),
      );
    });

    await t.step("refuses the name of one that exists", async () => {
      await refuses(sandbox, ["create", "feature-auth"], {
        code: "conflict",
        message: /environment "feature-auth" exists already$/i,
        hint: /^piko status \S+\/feature-auth$/,
      });
    });
  },
});

Deno.test({
  name: "piko create gives slot 1 the host ports 10132, 10180 and 10181",
  ...NEEDED,
  fn: async (t) => {
    const app = "    image: busybox:1.36\n    ports: ";
    await using sandbox = await Sandbox.create({
      files: {
        "docker-compose.yml":
          `services:\n  db:\n${app}["5432:5432"]\n  app:\n${app}["8080:8080", "8081:8081"]\n`,
      },
      init: true,
      slots: "lowest",
    });
    const { exitCode, stdout, stderr } = await sandbox.piko(
      ["create", "feature-auth", "--no-start", "--json"],
    );
    assert.equal(exitCode, 0, stderr);
    const { environment } = JSON.parse(stdout);
    assertPorts(
      environment.ports,
      [["app", 8080, 10180], ["app", 8081, 10181], ["db", 5432, 10132]],
      stderr,
    );

    await t.step("--no-start: everything but containers", async () => {
      assert.deepEqual(await sandbox.leftInEngine(), []);
      assert.equal(environment.status, "stopped");
      assert.equal(
        await sandbox.exists(`${sandbox.worktree("feature-auth")}/docker-compose.piko.yml`),
        true,
      );
      const variables = await sandbox.json("env feature-auth");
      assert.equal(variables.PIKO_DB_PORT, String(environment.ports[2]?.hostPort));
    });

    await t.step(
      "a port that this machine uses is said, and the lowest free one given",
      async () => {
        // Slot 2 wants 10232; whoever listens there, even on one address, has it.
        let listener: Deno.Listener | undefined;
        try {
          listener = Deno.listen({ hostname: "127.0.0.1", port: 10232 });
        } catch (error) {
          // Then another has it, which is as good.
          if (!(error instanceof Deno.errors.AddrInUse)) throw error;
        }
        const second = await sandbox.piko(["create", "second", "--no-start", "--json"]);
        listener?.close();
        assert.equal(second.exitCode, 0, second.stderr);
        const { hostPort } = JSON.parse(second.stdout).environment.ports[2];
        assert.ok(hostPort >= 10200 && hostPort < 10232, `${hostPort}`);
        assert.match(
          second.stderr,
          new RegExp(`^! Host port 10232 is in use; db:5432 gets ${hostPort}$`, "m"),
        );
      },
    );
  },
});

Deno.test({
  name: "piko create waits no longer than it is told",
  ...NEEDED,
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml": `services:
  slow:
    image: busybox:1.36
    command: sleep 600
    stop_signal: SIGKILL
    healthcheck: { test: [CMD, sleep, "60"], interval: 60s, timeout: 60s }
`,
        ".piko.yml": "scripts: { setup: echo set up }\n",
      },
      init: true,
    });

    await t.step("--no-wait: returns before the containers are healthy, after setup", async () => {
      const { environment } = await sandbox.json("create hasty --no-wait");
      assert.equal(environment.containers.running, 1);
      assert.equal(environment.containers.healthy, 0);
      assert.equal(
        await Deno.readTextFile(`${sandbox.root}/.piko/logs/hasty/setup.log`),
        "set up\n",
      );
    });

    await t.step("--timeout: fails after that many seconds", async () => {
      const started = performance.now();
      const { message } = await refuses(sandbox, ["create", "patient", "--timeout", "1.5"], {
        code: "failed",
        message: /service "slow" is not ready after 1\.5 s/i,
        hint: /--timeout.*--no-wait/,
      });
      assert.match(message, /"patient"/);
      assert.ok(performance.now() - started < 30_000);
    });

    await t.step("--timeout wants a number of seconds", async () => {
      for (const seconds of ["soon", "-1", "0"]) {
        await refuses(sandbox, ["create", "patient", `--timeout=${seconds}`], {
          code: "usage",
          message: /timeout/,
          hint: /piko create --help/,
        });
      }
    });
  },
});

Deno.test({
  name: "piko create says which service has a variable that two services make",
  ...NEEDED,
  fn: async () => {
    const service = (port: number) => `{ image: "busybox:1.36", ports: ["${port}"] }`;
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": `services: { my_db: ${service(81)}, my-db: ${service(80)} }\n` },
      init: true,
    });
    const warning =
      "! my-db and my_db have one variable: PIKO_MY_DB_PORT is the host port of my-db\n";
    const { exitCode, stderr } = await sandbox.piko(["create", "one", "--no-start", "--quiet"]);
    assert.deepEqual([exitCode, stderr], [0, warning]);
    const [port] = (await sandbox.json("ports one")).ports;
    const { PIKO_MY_DB_PORT } = await sandbox.json("env one");
    assert.deepEqual([port?.service, String(port?.hostPort)], ["my-db", PIKO_MY_DB_PORT]);
  },
});

Deno.test({
  name: "piko create takes one-shots that end with 0 as ready, and no profile's services",
  ...NEEDED,
  fn: async () => {
    const service = (name: string, ...lines: string[]) =>
      [`  ${name}:`, "    image: busybox:1.36", "    stop_signal: SIGKILL", ...lines].join("\n");
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml": [
          "services:",
          service("migrate", "    command: 'true'"),
          service(
            "app",
            "    command: sleep 600",
            "    depends_on: { migrate: { condition: service_completed_successfully } }",
          ),
          service(
            "debug",
            "    command: sleep 600",
            "    profiles: [debug]",
            '    ports: ["4374"]',
          ),
          "",
        ].join("\n"),
      },
      init: true,
    });
    const { environment } = await sandbox.json("create feature");
    assert.equal(environment.status, "running");
    assert.deepEqual(environment.ports.map(({ service }: Port) => service), ["debug"]);
    assert.deepEqual(
      (await sandbox.leftInEngine()).filter((name) => name.startsWith("container")),
      ["app", "migrate"].map((name) => `container piko-${sandbox.project}-feature-${name}-1`),
    );
  },
});

Deno.test({
  name:
    "piko create without a compose file makes worktree, data and variables, and runs the scripts",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: {
        "README.md": "# Sample\n",
        ".piko.yml": 'scripts:\n  prepare: echo one\n  setup: echo "$PIKO_PROJECT $PIKO_ENV_ID"\n',
      },
      init: true,
    });
    const { environment } = await sandbox.json("create feature");
    assert.equal(environment.mode, "simple");
    assert.equal(environment.status, "simple");
    assert.deepEqual(environment.ports, []);
    assert.deepEqual(environment.containers, { running: 0, healthy: 0, total: 0 });
    assert.ok((await Deno.stat(environment.dataDir)).isDirectory);
    const logs = `${sandbox.root}/.piko/logs/feature`;
    assert.equal(await Deno.readTextFile(`${logs}/prepare.log`), "one\n");
    assert.equal(
      await Deno.readTextFile(`${logs}/setup.log`),
      `piko-${sandbox.project}-feature ${sandbox.firstSlot}\n`,
    );
    assert.equal(await sandbox.exists(`${environment.path}/docker-compose.piko.yml`), false);

    // A person's answer: what was made on stdout, what comes next on stderr.
    const { exitCode, stdout, stderr } = await sandbox.piko(["create", "second"]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `✓ Created ${sandbox.project}/second\n`);
    assert.match(stderr, new RegExp(`^ {2}cd ${sandbox.worktree("second")}$`, "m"));
  },
});

Deno.test({
  name: "piko create of a branch without the compose file makes no containers, and says so",
  ...NEEDED,
  fn: async (t) => {
    const COMPOSE = "services: { app: { image: busybox:1.36, command: sleep 600 } }\n";

    await t.step("a branch from before it", async () => {
      await using sandbox = await Sandbox.create({ init: true });
      await sandbox.git("branch", "early");
      await sandbox.commit({ "compose.yaml": COMPOSE });
      const { exitCode, stdout, stderr } = await sandbox.piko(["create", "early", "--json"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^! Branch "early" has no compose\.yaml: .*no containers$/m);
      const { environment } = JSON.parse(stdout);
      assert.deepEqual([environment.mode, environment.status], ["simple", "simple"]);
      assert.deepEqual(await sandbox.leftInEngine(), []);
      const { environment: late } = await sandbox.json("create late --no-start");
      assert.equal(late.mode, "docker");
    });

    await t.step("one where it is a link that leads out of the repository", async () => {
      await using sandbox = await Sandbox.create({ init: true });
      await sandbox.write(`${sandbox.folder}/common.yaml`, COMPOSE);
      await sandbox.run(["ln", "-s", "../common.yaml", "compose.yaml"]);
      await sandbox.git("add", "--all");
      await sandbox.git("commit", "--quiet", "--message", "Link");
      const { exitCode, stderr } = await sandbox.piko(["create", "linked"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^! compose\.yaml is a link that leads nowhere in .*no containers$/m);
    });

    await t.step("a branch that has it under another of its names", async () => {
      await using sandbox = await Sandbox.create({
        files: { "docker-compose.yml": COMPOSE },
        init: true,
      });
      await sandbox.git("branch", "early");
      await sandbox.git("mv", "docker-compose.yml", "compose.yaml");
      await sandbox.commit({});
      const { environment } = await sandbox.json("create early --no-start");
      assert.equal(environment.mode, "docker");
      assert.equal(await sandbox.exists(`${environment.path}/docker-compose.piko.yml`), true);
    });

    await t.step("a file that is in no commit: conflict, and how to commit it", async () => {
      await using sandbox = await Sandbox.create({ init: true });
      await sandbox.write("compose.yaml", COMPOSE);
      await refuses(sandbox, ["create", "feature"], {
        code: "conflict",
        message: /compose\.yaml is in no commit/,
        hint: /git add 'compose\.yaml' && git commit/,
      });
    });

    await t.step("a file that git ignores: linked from the root", async () => {
      await using sandbox = await Sandbox.create({
        files: { ".gitignore": "compose.yaml\n" },
        init: true,
      });
      await sandbox.write("compose.yaml", COMPOSE);
      const { environment } = await sandbox.json("create feature --no-start");
      assert.equal(environment.mode, "docker");
      const link = `${environment.path}/compose.yaml`;
      assert.equal(await Deno.readLink(link), `${sandbox.root}/compose.yaml`);
      assert.equal(await sandbox.run(["git", "status", "--porcelain"], environment.path), "");
      await sandbox.pass("destroy feature");
      assert.equal(await Deno.readTextFile(`${sandbox.root}/compose.yaml`), COMPOSE);
    });
  },
});

Deno.test({
  name: "piko create reads scripts from the root, and the compose files from the branch",
  ...NEEDED,
  fn: async () => {
    const compose = (port: number) =>
      `services: { app: { image: busybox:1.36, ports: ["${port}"] } }\n`;
    await using sandbox = await Sandbox.create({
      files: {
        "deploy/stack.yml": compose(4375),
        ".piko.yml":
          "compose: deploy/stack.yml\nscripts: { prepare: echo from the first commit }\n",
      },
      init: true,
    });
    await sandbox.git("branch", "old");
    await sandbox.commit({
      "deploy/stack.yml": compose(4376),
      ".piko.yml": "compose: deploy/stack.yml\nscripts: { prepare: echo from the root }\n",
    });
    const { environment } = await sandbox.json("create old --no-start");
    assert.equal(environment.ports[0]?.containerPort, 4375);
    assert.equal(
      await sandbox.exists(`${environment.path}/deploy/docker-compose.piko.yml`),
      true,
    );
    assert.equal(
      await Deno.readTextFile(`${sandbox.root}/.piko/logs/old/prepare.log`),
      "from the root\n",
    );
    assert.equal(await sandbox.run(["git", "status", "--porcelain"], environment.path), "");
  },
});
