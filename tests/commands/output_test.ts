/** What a script relies on: JSON documents, exit codes, what goes to stdout and what to stderr, and the help. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { PIKO, Sandbox } from "../sandbox.ts";

const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 8888 -h /tmp
    ports: ["8888"]
`;

const ENVIRONMENT_KEYS = [
  "branch",
  "composeProject",
  "containers",
  "createdAt",
  "dataDir",
  "mode",
  "name",
  "path",
  "ports",
  "project",
  "session",
  "slot",
  "status",
];

const escape = String.fromCharCode(27);

/** Proves that a document has these fields and no others. */
function assertKeys(value: unknown, keys: readonly string[]): void {
  assert.deepEqual(Object.keys(value as Record<string, unknown>).sort(), [...keys].sort());
}

Deno.test({
  name: "piko --json answers with the documented fields",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "docker-compose.yml": COMPOSE },
      slots: "lowest",
    });
    const project = {
      name: sandbox.project,
      root: sandbox.root,
      composeFile: `${sandbox.root}/docker-compose.yml`,
      environments: 0,
    };
    await t.step("init", async () => {
      assert.deepEqual(await sandbox.json("init"), { project });
    });
    const begun = Date.now();
    const port = (slot: number) => ({
      service: "web",
      containerPort: 8888,
      hostPort: 10088 + slot * 100,
      protocol: "tcp",
      url: `http://localhost:${10088 + slot * 100}`,
      shared: false,
    });
    await t.step("create", async () => {
      const answer = await sandbox.json("create feature/Work");
      assertKeys(answer, ["environment"]);
      const { createdAt, session, ...environment } = answer.environment;
      assertKeys(answer.environment, ENVIRONMENT_KEYS);
      assert.deepEqual(environment, {
        project: sandbox.project,
        name: "feature-work",
        branch: "feature/Work",
        mode: "docker",
        status: "running",
        slot: 1,
        path: sandbox.worktree("feature-work"),
        dataDir: `${sandbox.root}/.piko/data/feature-work`,
        composeProject: `piko-${sandbox.project}-feature-work`,
        containers: { running: 1, healthy: 1, total: 1 },
        ports: [port(1)],
      });
      assert.ok(session === null || typeof session === "string", `session ${session}`);
      assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(Date.parse(createdAt) >= begun - 1000 && Date.parse(createdAt) <= Date.now());
    });
    const { environment } = await sandbox.json("status feature-work");
    await t.step("list", async () => {
      assert.deepEqual(await sandbox.json("list"), { environments: [environment] });
    });
    await t.step("status", async () => {
      const answer = await sandbox.json("status feature-work");
      assertKeys(answer, ["environment", "services", "checkedOut"]);
      assert.equal(answer.checkedOut, null);
      assert.deepEqual(answer.services, [{
        service: "web",
        container: `piko-${sandbox.project}-feature-work-web-1`,
        state: "running",
        health: null,
        exitCode: null,
        ports: [port(1)],
        shared: false,
      }]);
    });
    await t.step("ports", async () => {
      assert.deepEqual(await sandbox.json("ports feature-work"), { ports: [port(1)] });
    });
    await t.step("env", async () => {
      const env = await sandbox.json("env feature-work");
      assert.equal(env.PIKO_WEB_PORT, String(port(1).hostPort));
      assert.ok(Object.values(env).every((value) => typeof value === "string"));
    });
    await t.step("down, up and restart", async () => {
      for (const [command, running] of [["down", 0], ["up", 1], ["restart", 1]] as const) {
        const answer = await sandbox.json(`${command} feature-work`);
        assert.deepEqual(answer, {
          environment: {
            ...environment,
            status: running === 1 ? "running" : "stopped",
            containers: { running, healthy: running, total: 1 },
          },
        });
      }
    });
    await t.step("project list", async () => {
      assert.deepEqual(await sandbox.json("project list"), {
        projects: [{ ...project, environments: 1 }],
      });
    });
    await t.step("destroy", async () => {
      assert.deepEqual(await sandbox.json("destroy feature-work"), {
        destroyed: {
          project: sandbox.project,
          name: "feature-work",
          keptVolumes: [],
          keptBranch: "feature/Work",
        },
      });
      assert.deepEqual(await sandbox.json("list"), { environments: [] });
    });
  },
});

Deno.test({
  name: "piko --json answers with absent values as null",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create();
    assert.equal((await sandbox.json("init")).project.composeFile, null);
    assertKeys((await sandbox.json("create work")).environment, ENVIRONMENT_KEYS);
    const { environment, services } = await sandbox.json("status work");
    assert.deepEqual(services, []);
    assert.deepEqual(environment.ports, []);
    assert.deepEqual(environment.containers, { running: 0, healthy: 0, total: 0 });
    assert.equal(environment.mode, "simple");
    assert.deepEqual(await sandbox.json("ports work"), { ports: [] });
  },
});

Deno.test({
  name: "piko ends with the exit code of the kind of failure, and --json says it on stdout too",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "README.md": "# Sample\n", ".piko.yml": "scripts: { setup: exit 9 }\n" },
      init: true,
    });
    await sandbox.fail("create kept --keep", 1);
    const failures: [string, number, string, RegExp, RegExp][] = [
      ["create broken", 1, "failed", /scripts\.setup failed with exit code 9/, /./],
      ["create", 2, "usage", /NAME/, /^piko create --help$/],
      ["create a b", 2, "usage", /"b" is one too many/, /^piko create --help$/],
      ["list --nope", 2, "usage", /--nope/, /^piko list --help$/],
      ["lst", 2, "usage", /^There is no command "lst"$/, /^piko list$/],
      ["statsu", 2, "usage", /^There is no command "statsu"$/, /^piko status$/],
      ["xyzzy", 2, "usage", /^There is no command "xyzzy"$/, /^piko help$/],
      ["help lst", 2, "usage", /^There is no command "lst"$/, /./],
      ["-C", 2, "usage", /^-C needs a folder$/, /./],
      ["status nope", 3, "not-found", /^There is no environment "nope"/, /./],
      ["-C /nonexistent list", 3, "not-found", /^There is no folder "\/nonexistent"$/, /./],
      [
        "create kept",
        4,
        "conflict",
        /^Environment "kept" exists already, and was not made completely$/,
        /piko/,
      ],
      ["init", 4, "conflict", /already initialized/, /^piko create NAME$/],
    ];
    for (const [command, exitCode, code, message, hint] of failures) {
      await t.step(`piko ${command}`, async () => {
        const asJson = await sandbox.piko(["--json", ...command.split(" ")]);
        assert.equal(asJson.exitCode, exitCode, asJson.stderr);
        const { error, ...rest } = JSON.parse(asJson.stdout);
        assert.deepEqual(rest, {});
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\.$/);
        assert.match(error.hint, hint);

        const { exitCode: plain, stdout, stderr } = await sandbox.piko(command.split(" "));
        assert.equal(plain, exitCode, stderr);
        assert.equal(stdout, "");
        assert.ok(stderr.includes(`✗ ${error.message}\n`), stderr);
        assert.ok(stderr.includes(`→ ${error.hint}\n`), stderr);
      });
    }
  },
});

Deno.test({
  name: "piko answers on stdout and narrates on stderr",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        "README.md": "# Sample\n",
        ".piko.yml": "scripts: { setup: echo from the script; echo and its stderr >&2 }\n",
      },
      init: true,
    });
    await t.step("plain lines without escape sequences", async () => {
      const { stdout, stderr } = await sandbox.piko(["create", "plain"], {
        variables: { TERM: "xterm-256color" },
      });
      assert.equal(stdout, `✓ Created ${sandbox.project}/plain\n`);
      assert.match(stderr, /^✓ Worktree +\S/m);
      assert.match(stderr, /^ {2}│ from the script$/m);
      assert.match(stderr, /^ {2}│ and its stderr$/m);
      assert.ok(!`${stdout}${stderr}`.includes(escape));
      assert.doesNotMatch(stderr, /[⠋\r]/);
    });
    await t.step("--json leaves nothing but the document on stdout", async () => {
      const { stdout, stderr } = await sandbox.piko(["create", "json", "--json"]);
      assert.equal(JSON.parse(stdout).environment.name, "json");
      assert.match(stderr, /from the script/);
    });
    await t.step("--quiet leaves the answer", async () => {
      for (const flag of ["--quiet", "-q"]) {
        const created = await sandbox.piko(["create", "quiet", flag]);
        assert.deepEqual([created.exitCode, created.stderr], [0, ""]);
        assert.equal(created.stdout, `✓ Created ${sandbox.project}/quiet\n`);
        assert.match(await sandbox.pass(`list ${flag}`), /^quiet +simple/m);
        const destroyed = await sandbox.piko(["destroy", "quiet", flag]);
        assert.deepEqual([destroyed.exitCode, destroyed.stderr], [0, ""]);
      }
    });
    await t.step("--quiet leaves errors and warnings", async () => {
      assert.match(await sandbox.fail("status nope --quiet", 3), /✗ There is no environment/);
      await Deno.remove(sandbox.worktree("plain"), { recursive: true });
      await sandbox.write(".piko.yml", "scripts: { destroy: exit 1 }\n");
      const { exitCode, stderr } = await sandbox.piko(["destroy", "plain", "--quiet"]);
      assert.equal(exitCode, 0);
      assert.match(stderr, /^! No destroy script was run/);
    });
    await t.step("--verbose says more", async () => {
      await sandbox.write(".piko.yml", "{}\n");
      const brief = await sandbox.piko(["create", "brief"]);
      const verbose = await sandbox.piko(["create", "verbose", "--verbose"]);
      assert.ok(verbose.stderr.split("\n").length > brief.stderr.split("\n").length);
    });
    await t.step("a reader that goes away is no error", async () => {
      const outcome = await sandbox.run([
        "bash",
        "-c",
        '"$@" | head -n 1; echo "${PIPESTATUS[0]}"',
        "bash",
        PIKO,
        "env",
        "brief",
      ]);
      const [first, exitCode] = outcome.split("\n");
      assert.match(first ?? "", /^PIKO_/);
      assert.ok(exitCode === "0" || exitCode === "141", outcome);
    });
    await t.step("a failure whose document nobody takes is told, and keeps its code", async () => {
      const failing = (where: string) => {
        const line = `${where}; "$1" status nope --json 2>&1 >&3; echo "$?"`;
        return sandbox.run(["bash", "-c", line, "bash", PIKO]);
      };
      // The pipe's reader has ended before piko begins.
      const unread = await failing('exec 3> >(:); wait "$!"');
      assert.match(unread, /^✗ There is no environment "nope".*\n.*→ .*\n3$/);
      const full = await failing("exec 3>/dev/full");
      assert.match(full, /^✗ There is no environment "nope"/);
      assert.match(full, /\n! There is no document on stdout: The disk is full[^\n]*\n3$/);
    });
    await t.step("what nobody reads any more leaves no work half done", async () => {
      const shell = (line: string) => sandbox.run(["bash", "-c", line, "bash", PIKO]);
      await shell('"$1" create piped 2>&1 | head -n 1 >&2');
      assert.equal((await sandbox.json("status piped")).environment.status, "simple");
      await shell('"$1" destroy piped 2>&1 | true');
      await sandbox.write(".piko.yml", "scripts: { setup: exit 1 }\n");
      await shell('! "$1" create undone 2>/dev/full');
      assert.match(await shell('"$1" create undone 2>&1 | head -n 1'), /^✓ Worktree/);
      await sandbox.write(".piko.yml", "{}\n");
      const { environments } = await sandbox.json("list");
      assert.deepEqual(environments.map(({ name }) => name), ["brief", "json", "verbose"]);
    });
  },
});

Deno.test({
  name: "piko takes its global options before and after the command",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create work");
    const elsewhere = { cwd: sandbox.folder };
    await t.step("-C", async () => {
      for (
        const args of [
          ["-C", sandbox.root, "list", "--json"],
          ["list", "-C", sandbox.root, "--json"],
          ["--json", "list", "-C", sandbox.project],
          ["-C", sandbox.project, "-C", ".piko", "--json", "list"],
        ]
      ) {
        const { exitCode, stdout, stderr } = await sandbox.piko(args, elsewhere);
        assert.equal(exitCode, 0, stderr);
        assert.equal(JSON.parse(stdout).environments[0]?.name, "work", args.join(" "));
      }
      const inside = await sandbox.piko(["-C", sandbox.worktree("work"), "env"], elsewhere);
      assert.match(inside.stdout, /^PIKO_ENV_NAME=work$/m);
      await sandbox.fail("list", 3, elsewhere);
    });
    await t.step("the others", async () => {
      for (const args of [["--no-color", "-q", "--yes", "list"], ["list", "-y", "-v"]]) {
        assert.equal((await sandbox.piko(args)).exitCode, 0);
      }
    });
    await t.step("an environment of another project by its full name", async () => {
      const { environment } = await sandbox.json(`status ${sandbox.project}/work`, elsewhere);
      assert.equal(environment.name, "work");
    });
  },
});

Deno.test({
  name: "piko explains each command, on stdout and with examples",
  fn: async (t) => {
    await using sandbox = await Sandbox.create();
    const { exitCode, stdout: overview, stderr } = await sandbox.piko(["help"]);
    assert.deepEqual([exitCode, stderr], [0, ""]);
    for (const args of [[], ["--help"], ["-h"]]) {
      assert.equal((await sandbox.piko(args)).stdout, overview);
    }
    const listed = overview.split("Options of every command:")[0] ?? "";
    const commands = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name ?? "")
      .filter((name) => name !== "help");
    for (
      const name of [
        ...["init", "create", "destroy", "list", "status", "up", "down", "restart"],
        ...["env", "ports", "project"],
      ]
    ) assert.ok(commands.includes(name), `${name} is not in the overview`);
    for (const option of ["-C DIR", "--json", "--no-color", "--yes", "--quiet", "--verbose"]) {
      assert.ok(overview.includes(option), option);
    }
    assert.match(overview, /0 done.*130 interrupted/s);
    for (const line of overview.split("\n")) assert.ok(line.length <= 120, line);

    for (const name of commands) {
      await t.step(name, async () => {
        const help = await sandbox.piko([name, "--help"]);
        assert.deepEqual([help.exitCode, help.stderr], [0, ""]);
        assert.match(help.stdout, new RegExp(`piko ${name}\\b`));
        assert.match(help.stdout, new RegExp(`^ {2}piko ${name}\\b.*$`, "m"), "an example");
        assert.ok(!help.stdout.includes(escape));
        for (const args of [["help", name], ["--help", name], [name, "-h"]]) {
          assert.equal((await sandbox.piko(args)).stdout, help.stdout, args.join(" "));
        }
      });
    }
  },
});

Deno.test("piko --version prints version, commit and the kind of build", async () => {
  await using sandbox = await Sandbox.create();
  const { exitCode, stdout } = await sandbox.piko(["--version"]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^piko \d+\.\d+\.\d+ \([0-9a-f]{7,}\S*, (compiled|self-extracting)\)\n$/);
  for (const words of ["-V", "--no-color --version", "--version --quiet"]) {
    assert.equal(await sandbox.pass(words), stdout);
  }
  const { version, commit, kind } = JSON.parse(await sandbox.pass("--version --json"));
  assert.equal(`piko ${version} (${commit}, ${kind})\n`, stdout);
});
