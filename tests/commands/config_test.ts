/** `piko config` and `piko init --config`, from the outside. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import type { Setting } from "../../src/domain/settings.ts";
import type { CheckedConfig } from "../../src/operations/configuration.ts";
import { STARTER } from "../../src/operations/starter_config.ts";
import { checkProjectConfig, PROJECT } from "../../src/domain/config.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { refuses, saysNo } from "./refusal.ts";

const COMPOSE = "services: { web: { image: busybox:1.36 }, db: { image: busybox:1.36 } }\n";

const PROJECT_FILE = `scripts:
  prepare: npm ci
  setup: |
    echo "one # two"

    echo three
  run: '"$PIKO_ROOT/x": y'
shells: { db: psql -U postgres }
ignore: [web]
windows:
  - { name: sql, command: 'psql -c "select 1" # all', service: db }
`;

const USER_FILE = `# mine
session_prefix: "dev:"
shells: { db: bash, cache: redis-cli }
default_windows: [{ name: notes, command: vim notes.md, local: true }]
`;

function userFile(sandbox: Sandbox): string {
  return `${sandbox.folder}/home/.config/piko/config.yml`;
}

Deno.test({
  name: "piko config shows what holds, with the source of each value",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "compose.yml": COMPOSE, ".piko.yml": PROJECT_FILE, "src/a": "" },
    });
    const variables = { EDITOR: "nano -w" };

    await t.step("as YAML, with comments", async () => {
      await sandbox.write(userFile(sandbox), USER_FILE);
      const text = await sandbox.pass("config", { variables });
      assert.deepEqual(parse(text), {
        compose: ["compose.yml"],
        scripts: {
          prepare: "npm ci",
          setup: 'echo "one # two"\n\necho three\n',
          run: '"$PIKO_ROOT/x": y',
        },
        shared: [],
        shells: { db: "psql -U postgres", cache: "redis-cli" },
        ignore: ["web"],
        windows: [
          { name: "notes", command: "vim notes.md", local: true },
          { name: "sql", command: 'psql -c "select 1" # all', local: false, service: "db" },
        ],
        copy: [],
        link: [],
        editor: "nano -w",
        session_prefix: "dev:",
        default_shell: "sh",
      });
      const sources = Object.fromEntries(
        [...text.matchAll(/^ *(?:- )?(.*?):? .* # (\S.*)$/gm)].map((
          [, name, source],
        ) => [name, source]),
      );
      assert.equal(sources.compose, "default");
      assert.equal(sources.prepare, ".piko.yml:2");
      assert.equal(sources.setup, ".piko.yml:3");
      assert.equal(sources.db, ".piko.yml:8, over ~/.config/piko/config.yml:3");
      assert.equal(sources.cache, "~/.config/piko/config.yml:3");
      assert.equal(sources.editor, "$EDITOR");
      assert.equal(sources.session_prefix, "~/.config/piko/config.yml:2");
      assert.match(text, /notes.* # ~\/\.config\/piko\/config\.yml:4$/m);
      assert.match(text, /sql.* # \.piko\.yml:11$/m);
      // The same from a folder inside, and said in full.
      assert.equal(
        await sandbox.pass("config show", { variables, cwd: `${sandbox.root}/src` }),
        text,
      );
    });

    await t.step("as JSON, with flags above all", async () => {
      const document = await sandbox.json("config show --editor hx", { variables });
      const { root, settings } = document as unknown as { root: string; settings: Setting[] };
      assert.equal(root, sandbox.root);
      const settingOf = (path: string) => settings.find((one) => one.path.join(".") === path);
      assert.deepEqual(settingOf("editor"), {
        path: ["editor"],
        value: "hx",
        source: { kind: "flag", name: "--editor", line: null, column: null },
        over: [{ kind: "variable", name: "$EDITOR", line: null, column: null }],
      });
      assert.deepEqual(settingOf("shells.db"), {
        path: ["shells", "db"],
        value: "psql -U postgres",
        source: { kind: "project", name: `${sandbox.root}/.piko.yml`, line: 8, column: 11 },
        over: [{ kind: "user", name: userFile(sandbox), line: 3, column: 11 }],
      });
    });

    await t.step("outside of a project, and with a broken file", async () => {
      const { stdout, stderr } = await sandbox.piko(["config"], { cwd: sandbox.folder });
      assert.deepEqual(parse(stdout).scripts, {});
      assert.equal(parse(stdout).session_prefix, "dev:");
      assert.match(stderr, /no project here: piko init/);
      await sandbox.write(userFile(sandbox), "editor: [a]\n");
      const { stderr: said } = await saysNo(sandbox, ["config"], {
        code: "usage",
        message: /^Wrong configuration at .*\/config\.yml:1:9: "editor" must be text, not a list$/,
        hint: /^correct .*config\.yml/,
      });
      assert.match(said, /^ {4}editor: \[a\]\n {4} {8}\^~~$/m);
    });

    await t.step("refuses what it does not know", async () => {
      await saysNo(sandbox, ["config", "chek"], {
        code: "usage",
        message: /no action "chek"/,
        hint: /^piko config check$/,
      });
      await saysNo(sandbox, ["config", "schema", "usr"], {
        code: "usage",
        message: /no schema "usr"/,
        hint: /^piko config schema user$/,
      });
      await saysNo(sandbox, ["config", "check", "user"], {
        code: "usage",
        message: /takes no "user"/,
        hint: /^piko config check$/,
      });
    });
  },
});

Deno.test({
  name: "piko config check says everything that is wrong with both files",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: { "compose.yml": COMPOSE } });
    const check = async (expected: number) => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["config", "check"]);
      assert.equal(exitCode, expected, stdout + stderr);
      assert.equal(stderr, "");
      return stdout.replaceAll(`${sandbox.root}/`, "").trimEnd().split("\n");
    };

    await t.step("nothing where there is nothing", async () => {
      assert.deepEqual(await check(0), [
        "✓ There is no .piko.yml and no ~/.config/piko/config.yml",
      ]);
      await sandbox.write(".piko.yml", PROJECT_FILE);
      await sandbox.write(userFile(sandbox), USER_FILE);
      assert.deepEqual(await check(0), [
        "✓ Nothing is wrong with .piko.yml and ~/.config/piko/config.yml",
      ]);
    });

    await t.step("errors and warnings of both, and ends with 1", async () => {
      await sandbox.write(".piko.yml", "shared: [db, wbe]\nscrips: {}\nwindows:\n  - command: a\n");
      await sandbox.write(userFile(sandbox), "editor: code\nshells: [bash]\nwindows: []\n");
      assert.deepEqual(await check(1), [
        '.piko.yml:1:14: warning: There is no service "wbe"; did you mean "web"?',
        "    shared: [db, wbe]",
        "                 ^~~",
        '.piko.yml:2:1: warning: "scrips" is unknown and ignored; did you mean "scripts"?',
        "    scrips: {}",
        "    ^~~~~~",
        '.piko.yml:4:5: error: "windows[0].name" is missing',
        "      - command: a",
        "        ^~~~~~~~~~",
        `${
          userFile(sandbox)
        }:2:9: error: "shells" must be a map from services to commands, not a list`,
        "    shells: [bash]",
        "            ^~~~~~",
        `${
          userFile(sandbox)
        }:3:1: warning: "windows" is unknown and ignored; did you mean "default_windows"?`,
        "    windows: []",
        "    ^~~~~~~",
        "✗ 2 errors and 3 warnings in .piko.yml and ~/.config/piko/config.yml",
      ]);
    });

    await t.step("of services nothing where the compose file is not known", async () => {
      await sandbox.write(".piko.yml", "compose: 1\nshared: [wbe]\n");
      assert.deepEqual((await check(1)).filter((line) => line.includes("no service")), []);
      await sandbox.write(".piko.yml", "- shared: [wbe]\n");
      assert.deepEqual((await check(1)).filter((line) => line.includes("no service")), []);
    });

    await t.step("services and compose files that are not there", async () => {
      await Deno.remove(userFile(sandbox));
      await sandbox.write(
        ".piko.yml",
        "shared: [db, wbe]\nshells: { cache: sh }\nwindows: [{ name: web }, { name: a, service: dbb }]\n",
      );
      assert.deepEqual(await check(0), [
        '.piko.yml:1:14: warning: There is no service "wbe"; did you mean "web"?',
        "    shared: [db, wbe]",
        "                 ^~~",
        '.piko.yml:2:11: warning: There is no service "cache"',
        "    shells: { cache: sh }",
        "              ^~~~~",
        '.piko.yml:3:46: warning: There is no service "dbb"; did you mean "db"?',
        "    windows: [{ name: web }, { name: a, service: dbb }]",
        "                                                 ^~~",
        "! 3 warnings in .piko.yml; there is no ~/.config/piko/config.yml",
      ]);
      await sandbox.write(".piko.yml", "compose: [compose.yml, deploy/b.yml]\nshared: [wbe]\n");
      assert.deepEqual(await check(1), [
        '.piko.yml:1:24: error: There is no file "deploy/b.yml"',
        "    compose: [compose.yml, deploy/b.yml]",
        "                           ^~~~~~~~~~~~",
        "✗ 1 error in .piko.yml; there is no ~/.config/piko/config.yml",
      ]);
      await sandbox.write("deploy/a.yml", "services: {}\n");
      await sandbox.write(".piko.yml", "compose: deploy\n");
      assert.equal((await check(1))[0], '.piko.yml:1:10: error: "deploy" is a folder');
      // Files that include others, and those of extensions, do not tell all services.
      await sandbox.write("compose.yml", "include: [b.yml]\nservices: { db: { image: x } }\n");
      await sandbox.write(".piko.yml", "shared: [wbe]\n");
      assert.match((await check(0)).join("\n"), /^✓ Nothing is wrong with \.piko\.yml;/);
    });

    await t.step("files that are none, or have the wrong name", async () => {
      await Deno.remove(`${sandbox.root}/.piko.yml`);
      await sandbox.write(".piko.yaml", "shared: []\n");
      await Deno.mkdir(userFile(sandbox));
      assert.deepEqual(await check(1), [
        ".piko.yaml: warning: .piko.yaml is not read: its name must be .piko.yml",
        `${userFile(sandbox)}: error: ${userFile(sandbox)} is not a file`,
        "✗ 1 error and 1 warning in .piko.yaml and ~/.config/piko/config.yml; there is no .piko.yml",
      ]);
      for (
        const [make, wrong] of [
          // Reading it would wait for ever.
          [["mkfifo"], "is not a file"],
          [["ln", "-s", "/dev/zero"], "is not a file"],
          [["ln", "-s", "nowhere"], "is a link that leads nowhere"],
        ] as const
      ) {
        await sandbox.run([...make, `${sandbox.root}/.piko.yml`]);
        assert.equal((await check(1))[0], `.piko.yml: error: .piko.yml ${wrong}`);
        await Deno.remove(`${sandbox.root}/.piko.yml`);
      }
    });

    await t.step("as JSON, still with exit code 1", async () => {
      await sandbox.write(".piko.yml", "shared: 1\n");
      await Deno.remove(userFile(sandbox));
      const { exitCode, stdout } = await sandbox.piko(["config", "check", "--json"]);
      assert.equal(exitCode, 1);
      assert.deepEqual(JSON.parse(stdout) as CheckedConfig, {
        files: [
          { file: `${sandbox.root}/.piko.yml`, exists: true },
          { file: userFile(sandbox), exists: false },
        ],
        findings: [{
          file: `${sandbox.root}/.piko.yml`,
          level: "error",
          line: 1,
          column: 9,
          message: '"shared" must be a list of names, not a number',
          shown: ["shared: 1", "        ^"],
        }],
      });
    });
  },
});

Deno.test({
  name: "piko init --config writes a file to begin with, and never over another",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: { "compose.yml": COMPOSE } });
    const path = `${sandbox.root}/.piko.yml`;

    await t.step("with the schema that its first line names", async () => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["init", "--config"]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(stdout, `✓ Wrote ${path}\n✓ Initialized piko in ${sandbox.root}/.piko\n`);
      const [first] = (await Deno.readTextFile(path)).split("\n");
      assert.equal(first, "# yaml-language-server: $schema=.piko/schema.json");
      const schema = await Deno.readTextFile(`${sandbox.root}/.piko/schema.json`);
      assert.equal(schema, await sandbox.pass("config schema"));
      assert.equal(schema, await sandbox.pass("config schema project --json"));
      assert.ok(
        "session_prefix" in JSON.parse(await sandbox.pass("config schema user")).properties,
      );
      assert.equal(await sandbox.git("status", "--porcelain"), "?? .gitignore\n?? .piko.yml");
      assert.match(await sandbox.pass("config check"), /^✓ Nothing is wrong with .*\/\.piko\.yml;/);
    });

    await t.step("not over one that is there, registered or not", async () => {
      await sandbox.write(".piko.yml", "scripts: { run: 'true' }\n");
      const expected = {
        code: "conflict",
        message: /\.piko\.yml is there already, and piko does not overwrite it$/,
        hint: /^piko config check$/,
      } as const;
      await refuses(sandbox, ["init", "--config"], expected);
      await sandbox.pass(`project forget ${sandbox.project}`);
      await refuses(sandbox, ["init", "--config"], expected);
      assert.deepEqual((await sandbox.json("project list")).projects, []);
      assert.equal(await Deno.readTextFile(path), "scripts: { run: 'true' }\n");
    });

    await t.step("also for a project that is registered already", async () => {
      await sandbox.pass("init");
      await Deno.remove(path);
      assert.equal(await sandbox.pass("init --config"), `✓ Wrote ${path}\n`);
      assert.equal(await Deno.readTextFile(path), STARTER);
      await saysNo(sandbox, ["init"], {
        code: "conflict",
        message: /already initialized/,
        hint: /^piko create NAME$/,
      });
    });

    await t.step("whose schema follows this piko where the file still names it", async () => {
      const schema = `${sandbox.root}/.piko/schema.json`;
      await Deno.writeTextFile(schema, "{}");
      await sandbox.pass("config check");
      assert.equal(await Deno.readTextFile(schema), await sandbox.pass("config schema"));
      await Deno.remove(schema);
      await sandbox.write(".piko.yml", "shared: []\n");
      await sandbox.piko(["config", "check"]);
      assert.equal(await sandbox.exists(schema), false);
    });
  },
});

Deno.test("the file to begin with is a configuration of every field, once its # are gone", () => {
  const content = parse(STARTER.replace(/^#(?! \S|$)/gm, ""));
  const { problems, warnings } = checkProjectConfig(content);
  assert.deepEqual([problems, warnings], [[], []]);
  assert.deepEqual(Object.keys(content), Object.keys(PROJECT.entries));
  assert.deepEqual(Object.keys(content.scripts), ["prepare", "setup", "run", "destroy"]);
  assert.equal(parse(STARTER), null);
});

Deno.test({
  name: "the root's configuration counts in an environment, and a worktree's own is told of once",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: { ".piko.yml": "scripts: { setup: echo by the root }\n" },
      init: true,
    });
    await sandbox.git("checkout", "-q", "-b", "other");
    await sandbox.commit({ ".piko.yml": "scripts: { setup: echo by the branch }\n" });
    await sandbox.git("checkout", "-q", "main");
    const created = await sandbox.piko(["create", "other"]);
    assert.equal(created.exitCode, 0, created.stderr);
    assert.match(created.stderr, /by the root/);
    assert.doesNotMatch(created.stderr, /by the branch/);
    const path = sandbox.worktree("other");
    const differs = `! ${path}/.piko.yml differs from ${sandbox.root}/.piko.yml, which counts`;
    assert.equal(created.stderr.split("\n").filter((line) => line === differs).length, 1);
    assert.ok(created.stderr.includes(`diff '${sandbox.root}/.piko.yml' '${path}/.piko.yml'`));
    assert.doesNotMatch((await sandbox.piko(["up", "other"])).stderr, /differs/);
    // In the worktree too, the root's is what holds; the branch's own can be checked there before it becomes the root's.
    const shown = await sandbox.piko(["config"], { cwd: path });
    assert.match(
      shown.stderr,
      /worktrees\/other\/\.piko\.yml differs from the root's, which counts$/m,
    );
    const checked = await sandbox.pass("config check", { cwd: path });
    assert.match(
      checked,
      /^✓ Nothing is wrong with \S+\/\.piko\.yml and \S+\/worktrees\/other\/\.piko\.yml;/,
    );
    assert.doesNotMatch(await sandbox.pass("config check"), /worktrees/);
    assert.match(
      await sandbox.pass("config", { cwd: path }),
      /setup: echo by the root +# \.piko\.yml:1$/m,
    );
    // Another content is told of again, once.
    await sandbox.write(`${path}/.piko.yml`, "scripts: { setup: echo once more }\n");
    assert.match((await sandbox.piko(["up", "other"])).stderr, /differs/);
    assert.doesNotMatch((await sandbox.piko(["up", "other"])).stderr, /differs/);
  },
});

Deno.test({
  name: "what piko passes on of compose and of scripts holds no secrets",
  ...needs("git", "engine", "compose"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: { "compose.yml": COMPOSE, ".gitignore": ".env\n" },
      init: true,
    });
    await sandbox.write(".env", 'DB_PASSWORD="hunter2 and more\nPORT=1\n');
    const { exitCode, stdout, stderr } = await sandbox.piko([
      "create",
      "one",
      "--no-start",
      "--json",
    ]);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /\.env: line \d+: unterminated quoted value "\*\*\*/);
    assert.doesNotMatch(stdout + stderr, /hunter2/);
    await sandbox.write(".env", "");
    await sandbox.write(".piko.yml", "scripts:\n  prepare: 'echo API_TOKEN=hunter2; exit 4'\n");
    const failed = await sandbox.piko(["create", "one", "--no-start", "--json", "--quiet"]);
    assert.equal(failed.exitCode, 1, failed.stderr);
    assert.deepEqual(JSON.parse(failed.stdout).error.details, ["API_TOKEN=***"]);
    await sandbox.write(".piko.yml", "scripts:\n  run: API_TOKEN=hunter2 npm run dev: fast\n");
    const broken = await sandbox.piko(["run", "one"]);
    assert.doesNotMatch((await sandbox.piko(["create", "one"])).stderr + broken.stderr, /hunter2/);
  },
});
