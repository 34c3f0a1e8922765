/**
 * What piko does with what it cannot use: hostile names, odd repositories, broken files, wrong words. Each gets one clear
 * error with its exit code and a hint; nothing is made and nothing is lost.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { refuses, saysNo, stateOf } from "./refusal.ts";

/** Names that git keeps no branch under, so that no environment can be made of them. */
const REFUSED_NAMES = [
  "",
  " ",
  "..",
  "../../outside",
  "/etc/passwd",
  "a..b",
  "a b",
  "a\nb",
  "a\rb",
  "a\tb",
  "a\x1b[31mb",
  "a\x07b",
  "a:b",
  "a~1",
  "a^",
  "a?",
  "a*",
  "a[b",
  "a\\b",
  "a/",
  "a//b",
  ".a",
  "a.",
  "a.lock",
  "@",
  "HEAD",
  "@{-1}",
  "main@{0}",
  "日本語",
  "x".repeat(300),
  "é".repeat(200),
  "`touch canary`; $(touch canary)",
];

/** Names that git does keep a branch under, however little one would like to see them in a shell. */
const HOSTILE_BRANCHES = [
  "feat/$(touch${IFS}canary)",
  "feat/`touch${IFS}canary`;touch${IFS}canary;#",
  "feat/|touch${IFS}canary&'\"quoted\"'>canary<",
  "feat/ünïcødé-日本-🚀",
  "feat/%s%n$PATH!{a,b}=#-",
  "f/".repeat(149) + "xx",
];

Deno.test({
  name: "piko create refuses names that git keeps no branch under",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const before = await stateOf(sandbox);
    await t.step("as NAME", async () => {
      for (const name of REFUSED_NAMES) {
        await saysNo(sandbox, ["create", "--", name], {
          code: "usage",
          message: /[Bb]ranch name|environment name/,
          hint: /./,
        });
      }
    });
    await t.step("as --branch", async () => {
      for (const name of REFUSED_NAMES) {
        // As a branch alone this one is fine, and is tried below.
        if (name === "日本語") continue;
        await saysNo(sandbox, ["create", "plain", ...option("branch", name)], {
          code: "usage",
          message: /[Bb]ranch name/,
          hint: /./,
        });
      }
    });
    await t.step("with a leading -", async () => {
      for (const name of ["-", "-x", "--upload-pack=touch canary", "--", "--help=x"]) {
        for (
          const args of [["create", "--", name], ["create", "plain", ...option("branch", name)]]
        ) {
          await saysNo(sandbox, args, { code: "usage", message: /./, hint: /./ });
        }
      }
    });
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko create --from refuses what names no commit",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const before = await stateOf(sandbox);
    const starts = [
      "",
      "nothing",
      "..",
      "main..main",
      "-x",
      "--output=canary",
      "--all",
      "a\nb",
      "a\x1b[31mb",
      "$(touch canary)",
      "`touch canary`",
      "'\"",
      ";touch canary",
      "日本語",
      "x".repeat(300),
      "main:README.md",
      "HEAD^{tree}",
      "main@{99}",
    ];
    for (const from of starts) {
      await saysNo(sandbox, ["create", "plain", ...option("from", from)], {
        code: "not-found",
        message: /There is no commit, branch or tag|there is no commit, branch or tag/,
        hint: /git branch --all/,
      });
    }
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko init --name makes a plain name of anything or refuses it",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create();
    const before = await stateOf(sandbox);
    for (const name of ["", " ", "..", "/", "日本語", "'\"", "\n", "---", "$()"]) {
      await saysNo(sandbox, ["init", ...option("name", name)], {
        code: "usage",
        message: /project name/,
        hint: /piko init --name NAME/,
      });
    }
    assert.deepEqual(await stateOf(sandbox), before);
    for (
      const [typed, name] of [
        ["$(touch canary)", "touch-canary"],
        ["`touch canary`; x", "touch-canary-x"],
        ["../../etc", "etc"],
        ["-x", "x"],
        ["a\nb", "a-b"],
        ["Über", "ber"],
        ["x".repeat(300), "x".repeat(40)],
      ] as const
    ) {
      const { exitCode, stdout } = await sandbox.piko(["init", "--json", ...option("name", typed)]);
      assert.equal(exitCode, 0, stdout);
      assert.equal(JSON.parse(stdout).project.name, name);
      await sandbox.pass(`project forget ${name}`);
    }
    assert.equal(await sandbox.exists("canary"), false);
  },
});

Deno.test({
  name: "piko finds no environment under a hostile name and says so in one line",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const before = await stateOf(sandbox);
    for (const command of ["destroy", "status", "env", "ports", "up", "down", "restart"]) {
      for (
        const name of ["", "../x", "-x", "a\nb\x1b[2J", "$(touch canary)"]
      ) {
        await saysNo(sandbox, [command, "--", name], {
          code: "not-found",
          message: /^There is no environment/,
          hint: /piko create NAME/,
        });
      }
    }
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko works on branches with hostile names from create to destroy",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: {
        "README.md": "# Sample\n",
        ".piko.yml": [
          "scripts:",
          `  prepare: printf %s "$PIKO_BRANCH" >"$PIKO_DATA_DIR/prepare"`,
          `  setup: printf %s "$PIKO_BRANCH" >"$PIKO_DATA_DIR/setup"`,
          `  destroy: printf %s "$PIKO_BRANCH" >"$PIKO_ROOT/../destroyed"`,
          "",
        ].join("\n"),
      },
      init: true,
    });
    const before = await stateOf(sandbox);
    for (const branch of HOSTILE_BRANCHES) {
      const created = await sandbox.piko(["create", "--json", branch]);
      assert.equal(created.exitCode, 0, created.stderr);
      const { environment } = JSON.parse(created.stdout);
      assert.equal(environment.branch, branch);
      assert.match(environment.name, /^[a-z0-9][a-z0-9-]{0,39}$/);
      assert.equal(
        await sandbox.run(["git", "symbolic-ref", "HEAD"], environment.path),
        `refs/heads/${branch}`,
      );
      for (const script of ["prepare", "setup"]) {
        assert.equal(await Deno.readTextFile(`${environment.dataDir}/${script}`), branch);
      }
      const listed = await sandbox.json("list");
      assert.deepEqual(listed.environments.map((known: { branch: string }) => known.branch), [
        branch,
      ]);
      const again = await sandbox.run([
        "sh",
        "-c",
        [
          `eval "$("$1" env "$2" --export)"`,
          `printf %s "$PIKO_BRANCH"`,
        ].join("; "),
        "sh",
        `${new URL("../../dist/piko", import.meta.url).pathname}`,
        environment.name,
      ]);
      assert.equal(again, branch);
      // The branch's name serves as the environment's.
      const destroyed = await sandbox.piko(["destroy", "--delete-branch", "--", branch]);
      assert.equal(destroyed.exitCode, 0, destroyed.stderr);
      assert.equal(await Deno.readTextFile(`${sandbox.folder}/destroyed`), branch);
      await Deno.remove(`${sandbox.folder}/destroyed`);
    }
    // No canary among the files is part of this.
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko takes a hostile branch through compose into a container and out again",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml": [
          "services:",
          "  app:",
          "    image: busybox:1.36",
          "    command: sleep 1000",
          "    stop_signal: SIGKILL",
          "    environment: { BRANCH: '${PIKO_BRANCH}' }",
          "    labels: { branch: '${PIKO_BRANCH}' }",
          "",
        ].join("\n"),
      },
      init: true,
    });
    const before = await stateOf(sandbox);
    const branch = "feat/$(touch${IFS}canary)`id`;'\"&|<>$HOME$$x#{a,b}é";
    const created = await sandbox.piko(["create", "--json", "hostile", `--branch=${branch}`]);
    assert.equal(created.exitCode, 0, created.stderr);
    const { environment } = JSON.parse(created.stdout);
    assert.equal(environment.status, "running");
    const container = `${environment.composeProject}-app-1`;
    assert.equal(
      await sandbox.run(["docker", "exec", container, "sh", "-c", `printf %s "$BRANCH"`]),
      branch,
    );
    assert.equal(
      await sandbox.run([
        "docker",
        "inspect",
        "--format",
        '{{index .Config.Labels "branch"}}',
        container,
      ]),
      branch,
    );
    await sandbox.pass("down hostile");
    await sandbox.pass("up hostile --no-wait");
    assert.equal(
      await sandbox.run(["docker", "exec", container, "sh", "-c", `printf %s "$BRANCH"`]),
      branch,
    );
    await sandbox.pass("destroy hostile --delete-branch");
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko create refuses a name that exists and a branch that is checked out elsewhere",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create feature/one");
    await Deno.writeTextFile(`${sandbox.worktree("feature-one")}/work.txt`, "precious\n");
    await sandbox.git("branch", "loose");
    await sandbox.git("worktree", "add", "--quiet", `${sandbox.folder}/elsewhere`, "-b", "taken");

    await t.step("the name exists", async () => {
      await refuses(sandbox, ["create", "feature/one"], {
        code: "conflict",
        message: /"feature-one" exists already/,
        hint: /piko status \S+\/feature-one/,
      });
    });
    await t.step("another branch makes the same name", async () => {
      const { hint } = await refuses(sandbox, ["create", "feature-one"], {
        code: "conflict",
        message: /"feature-one" exists already, for branch "feature\/one"/,
        hint: /piko create OTHER-NAME --branch 'feature-one'/,
      });
      // The hint is a command that works.
      await sandbox.run(["sh", "-c", `"$1" ${hint.slice("piko ".length)}`, "sh", pikoPath]);
      await sandbox.pass("destroy other-name --delete-branch");
    });
    await t.step("the branch is checked out in the root", async () => {
      await refuses(sandbox, ["create", "main"], {
        code: "conflict",
        message: new RegExp(`"main" is checked out at ${sandbox.root}`),
        hint: /--from main /,
      });
    });
    await t.step("the branch is checked out in a worktree of the user's own", async () => {
      await refuses(sandbox, ["create", "mine", "--branch=taken"], {
        code: "conflict",
        message: new RegExp(`"taken" is checked out at ${sandbox.folder}/elsewhere`),
        hint: /--from taken /,
      });
    });
    await t.step("the branch is that of another environment", async () => {
      await refuses(sandbox, ["create", "mine", "--branch=feature/one"], {
        code: "conflict",
        message: new RegExp(`"feature/one" is checked out at ${sandbox.worktree("feature-one")}`),
        hint: /--from feature\/one /,
      });
    });
    await t.step("a branch stands where a folder of branches would be", async () => {
      await refuses(sandbox, ["create", "loose/end"], {
        code: "conflict",
        message: /"loose\/end" beside branch "loose"/,
        hint: /--branch/,
      });
    });
    await t.step("a folder that is not piko's stands in the worktree's place", async () => {
      await sandbox.write(`${sandbox.worktree("mine")}/notes.txt`, "precious\n");
      await refuses(sandbox, ["create", "mine"], {
        code: "conflict",
        message: /worktrees\/mine is there already/,
        hint: /mv /,
      });
    });
    await t.step("the root is initialized already", async () => {
      await refuses(sandbox, ["init"], {
        code: "conflict",
        message: /already initialized/,
        hint: /piko create NAME/,
      });
    });
    assert.equal(
      await Deno.readTextFile(`${sandbox.worktree("feature-one")}/work.txt`),
      "precious\n",
    );
    await sandbox.git("worktree", "remove", `${sandbox.folder}/elsewhere`);
  },
});

const pikoPath = decodeURIComponent(new URL("../../dist/piko", import.meta.url).pathname);

Deno.test({
  name: "piko tells what is wrong with a repository that it cannot work in",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create();
    const at = (name: string) => `${sandbox.folder}/${name}`;

    await t.step("there is none", async () => {
      await Deno.mkdir(at("plain"));
      await refuses(sandbox, ["init"], {
        code: "not-found",
        message: /plain is not a git repository/,
        hint: /git init/,
      }, { cwd: at("plain") });
      for (const args of [["create", "x"], ["list"]]) {
        await refuses(sandbox, args, {
          code: "not-found",
          message: /plain is in no piko project/,
          hint: /piko init/,
        }, { cwd: at("plain") });
      }
    });
    await t.step("it is not initialized", async () => {
      await refuses(sandbox, ["create", "x"], {
        code: "not-found",
        message: /is in no piko project/,
        hint: /piko init/,
      });
    });
    await t.step("it is bare", async () => {
      await sandbox.git("clone", "--quiet", "--bare", sandbox.root, at("bare.git"));
      const { hint } = await refuses(sandbox, ["init"], {
        code: "usage",
        message: /bare\.git is a bare repository/,
        hint: /git clone/,
      }, { cwd: at("bare.git") });
      assert.ok(hint.includes(at("bare.git")));
      await sandbox.run(
        ["git", "worktree", "add", "--quiet", at("of-bare"), "main"],
        at("bare.git"),
      );
      const linked = await refuses(sandbox, ["init"], {
        code: "usage",
        message: /of-bare is a worktree of a bare repository, .*bare\.git$/,
        hint: /^git clone /,
      }, { cwd: at("of-bare") });
      assert.ok(linked.hint.includes(at("bare.git")));
    });
    await t.step("it is a submodule", async () => {
      await sandbox.run(["git", "init", "--quiet", at("outer")]);
      await sandbox.run([
        ...["git", "-C", at("outer"), "-c", "protocol.file.allow=always"],
        ...["submodule", "--quiet", "add", sandbox.root, "inner"],
      ]);
      await refuses(sandbox, ["init"], {
        code: "usage",
        message: new RegExp(`${at("outer")}/inner is a submodule of ${at("outer")}`),
        hint: new RegExp(`piko -C '${at("outer")}' init`),
      }, { cwd: at("outer/inner") });
    });
    await t.step("it is a linked worktree", async () => {
      await sandbox.git("worktree", "add", "--quiet", "-b", "linked", at("linked"));
      await refuses(sandbox, ["init"], {
        code: "usage",
        message: new RegExp(`${at("linked")} is a linked worktree of ${sandbox.root}`),
        hint: new RegExp(`piko -C '${sandbox.root}' init`),
      }, { cwd: at("linked") });
      await sandbox.git("worktree", "remove", at("linked"));
    });
    await t.step("it has no commit", async () => {
      await sandbox.run(["git", "init", "--quiet", at("fresh")]);
      const cwd = at("fresh");
      await sandbox.pass("init", { cwd });
      const { hint } = await refuses(sandbox, ["create", "first"], {
        code: "failed",
        message: /fresh has no commit yet/,
        hint: /git commit --allow-empty/,
      }, { cwd });
      await sandbox.run(["sh", "-c", hint], cwd);
      await sandbox.pass("create first", { cwd });
      await sandbox.pass("destroy first", { cwd });
    });
    await t.step("it belongs to another user", async () => {
      await sandbox.run(["git", "clone", "--quiet", sandbox.root, at("foreign")]);
      if (Deno.uid() !== 0) return;
      await Deno.chown(at("foreign"), 65534, 65534);
      await Deno.chown(at("foreign/.git"), 65534, 65534);
      await refuses(sandbox, ["init"], {
        code: "failed",
        message: /foreign, which belongs to another user/,
        hint: /safe\.directory/,
      }, { cwd: at("foreign") });
    });
  },
});

Deno.test({
  name: "piko shows where .piko.yml is broken",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const cases: [
      name: string,
      text: string,
      place: string,
      underlined: string,
      message: RegExp,
    ][] = [
      ["YAML", "scripts:\n  setup: [make\n", ":2:15", "  setup: [make", /Broken YAML/],
      ["a tab", "scripts:\n\tsetup: make\n", ":2:1", "\tsetup: make", /Broken YAML/],
      ["a wrong type", "scripts:\n  setup: 12\n", ":2:10", "  setup: 12", /Wrong configuration/],
      ["no map", "- a\n- b\n", ":1:1", "- a", /Wrong configuration/],
    ];
    for (const [name, text, place, line, message] of cases) {
      await t.step(name, async () => {
        await sandbox.write(".piko.yml", text);
        const failure = await refuses(sandbox, ["create", "x"], {
          code: "usage",
          message,
          hint: /\.piko\.yml/,
        });
        assert.ok(failure.message.includes(`${sandbox.root}/.piko.yml${place}:`), failure.message);
        assert.equal(failure.details[0], line);
        const column = Number(place.split(":").at(-1));
        assert.match(failure.details[1] ?? "", new RegExp(`^\\s{${column - 1}}\\^~*$`));
      });
    }
    await t.step("an unknown field is a warning", async () => {
      await sandbox.write(".piko.yml", "script:\n  setup: 'true'\n");
      const { exitCode, stderr } = await sandbox.piko(["create", "x"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /! .*\.piko\.yml:1:1: .*script.*scripts/);
      await sandbox.pass("destroy x --delete-branch");
    });
  },
});

Deno.test({
  name: "piko says what is wrong with the command line",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const before = await stateOf(sandbox);
    const cases: [args: string[], code: "usage" | "not-found", message: RegExp, hint: RegExp][] = [
      [["create"], "usage", /NAME/, /piko create --help/],
      [["create", "a", "b"], "usage", /./, /piko create --help/],
      [["create", "a", "--brunch=x"], "usage", /--brunch/, /piko create --help/],
      [["create", "a", "-x"], "usage", /-x/, /piko create --help/],
      [["create", "a", "--branch"], "usage", /branch/, /piko create --help/],
      [["create", "a", "--timeout=soon"], "usage", /timeout/, /piko create --help/],
      [["create", "a", "--timeout=-1"], "usage", /timeout/, /piko create --help/],
      [["list", "x"], "usage", /./, /piko list --help/],
      [["destroy", "--frce"], "usage", /--frce/, /piko destroy --help/],
      [["creat", "x"], "usage", /no command "creat"/, /piko create/],
      [["$(id)\x1b[2J"], "usage", /no command/, /piko help/],
      [["destroy"], "usage", /Which environment/, /piko create NAME/],
      [["list", "\x1b[2J\x07"], "usage", /./, /piko list --help/],
      [["-C"], "usage", /-C needs a folder/, /piko -C DIR/],
      [["-C", "/nowhere/at/all", "list"], "not-found", /\/nowhere\/at\/all/, /cd /],
      [["-C", `${sandbox.root}/README.md`, "list"], "not-found", /README\.md/, /./],
      [["-C", "a\nb", "list"], "not-found", /./, /./],
      [["-C", "", "list"], "usage", /-C needs a folder/, /piko -C DIR/],
    ];
    for (const [args, code, message, hint] of cases) {
      await saysNo(sandbox, args, { code, message, hint });
    }
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko says that the current folder was removed",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    for (const command of ["list", "create x", "init", "status", "-C . list"]) {
      const script = `mkdir gone && cd gone && rmdir ../gone && exec "$1" --json ${command}`;
      const { exitCode, stdout, stderr } = await runScript(sandbox, script);
      assert.equal(exitCode, 3, stderr);
      const { error } = JSON.parse(stdout);
      assert.deepEqual([error.code, error.message], [
        "not-found",
        "The current folder was removed",
      ]);
      assert.match(error.hint, /cd /);
    }
  },
});

Deno.test({
  name: "piko says that it has no place for the registry when HOME is not set",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    for (const command of ["list", "create x", "init"]) {
      const script = `unset HOME PIKO_HOME XDG_STATE_HOME; exec "$1" --json ${command}`;
      const { exitCode, stdout, stderr } = await runScript(sandbox, script);
      assert.equal(exitCode, 2, stderr);
      const { error } = JSON.parse(stdout);
      assert.match(error.message, /neither HOME nor PIKO_HOME is set/);
      assert.match(error.hint, /PIKO_HOME/);
    }
    // With PIKO_HOME alone piko has what it needs.
    const { exitCode, stderr } = await runScript(sandbox, `unset HOME; exec "$1" list`);
    assert.equal(exitCode, 0, stderr);
  },
});

Deno.test({
  name: "piko create says that the block of host ports is full",
  ...needs("git", "engine", "compose"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml": 'services: { app: { image: "busybox:1.36", ports: ["8000-8100"] } }\n',
      },
      init: true,
    });
    await refuses(sandbox, ["create", "many", "--no-start"], {
      code: "conflict",
      message: /o host port is free between \d+ and \d+ for app:\d+\/tcp/,
      hint: /fewer ports/,
    });
  },
});

Deno.test({
  name: "piko create says that other programs listen on all ports of the block",
  ...needs("git", "engine", "compose"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": 'services: { app: { image: "busybox:1.36", ports: ["80"] } }\n' },
      init: true,
      slots: "highest",
    });
    const slot = 219;
    occupySlots(sandbox, slot - 1);
    const first = 10000 + slot * 100;
    const listeners = Array.from(
      { length: 100 },
      (_, index) => Deno.listen({ hostname: "127.0.0.1", port: first + index }),
    );
    try {
      await refuses(sandbox, ["create", "late", "--no-start"], {
        code: "conflict",
        message: new RegExp(
          `o host port is free between ${first} and ${first + 99} for app:80/tcp`,
        ),
        hint: /programs that listen there/,
      });
    } finally {
      for (const listener of listeners) listener.close();
    }
    await sandbox.pass("create late --no-start");
    assert.equal((await sandbox.json("ports late")).ports[0]?.hostPort, first + 80);
    await sandbox.pass("destroy late --delete-branch");
    occupySlots(sandbox, 220);
    await refuses(sandbox, ["create", "last", "--no-start"], {
      code: "conflict",
      message: /ll 220 slots of this machine are in use/,
      hint: /piko list --all.*piko destroy/,
    });
    await refuses(sandbox, ["create", "last", "--no-start"], {
      code: "conflict",
      message: /he slots 7 to 9 of PIKO_SLOTS are in use/,
      hint: /piko list --all.*piko destroy/,
    }, { variables: { PIKO_SLOTS: "7-9" } });
    occupySlots(sandbox, 0);
    for (const PIKO_SLOTS of ["9-7", "0-9", "9-221", "many", "-1-9"]) {
      await refuses(sandbox, ["create", "last", "--no-start"], {
        code: "usage",
        message: new RegExp(`PIKO_SLOTS is "${PIKO_SLOTS}", which is no range of slots`),
        hint: /export PIKO_SLOTS=1-220/,
      }, { variables: { PIKO_SLOTS } });
    }
  },
});

/** Makes the registry believe that the lowest slots belong to environments, which takes 220 worktrees otherwise. */
function occupySlots(sandbox: Sandbox, count: number): void {
  using database = new DatabaseSync(`${sandbox.folder}/piko/state.db`);
  database.exec("DELETE FROM environments");
  const insert = database.prepare(
    `INSERT INTO environments
       (project_id, name, branch, slot, mode, state, path, data_dir, compose_project, created_at)
     VALUES ((SELECT id FROM projects), ?1, ?1, ?2, 'simple', 'ready', ?3, ?3, ?1, '2026-01-01T00:00:00Z')`,
  );
  for (let slot = 1; slot <= count; slot++) {
    insert.run(`filler-${slot}`, slot, `${sandbox.folder}/filler-${slot}`);
  }
}

/** Gives a flag a value that may be empty or begin with `-`. */
function option(flag: "branch" | "from" | "name", value: string): string[] {
  return /^$|[\n\r]/.test(value) ? [`--${flag}`, value] : [`--${flag}=${value}`];
}

async function runScript(sandbox: Sandbox, script: string) {
  const { tryRun } = await import("../../src/programs/run.ts");
  return await tryRun(["sh", "-c", script, "sh", pikoPath], {
    cwd: sandbox.root,
    variables: sandbox.variables,
  });
}
