/** Milestone 8: what a project and a person can configure, and that every command heeds it. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { saysNo } from "../commands/refusal.ts";
import { PIKO, Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import { COMPOSE, containersOf, lookedAt, TMUX_CONF, windowShows, windowsOf } from "./sample.ts";
import { writeProgram } from "../program_file.ts";

const CONFIG = `compose: deploy/compose.yml
scripts:
  prepare: echo "prepared $PIKO_ENV_NAME" > prepared.txt
  setup: echo "set up $PIKO_DB_PORT" >> prepared.txt
  run: echo "runs in $(pwd)"
  destroy: cp prepared.txt "$PIKO_ROOT/../last-words"
copy: [prepared.bin]
link: [secrets.txt]
shells: { db: "echo the project asks db; exec sh" }
ignore: [app]
windows:
  - { name: front, command: 'echo "front of $PIKO_BRANCH at $PIKO_APP_PORT"; cat', local: true }
  - { name: rows, command: 'echo "rows of $PIKO_ENV_NAME: $(ls -d /rows)"; cat', service: db }
`;

const USER = `editor: mine --flag
session_prefix: "dev:"
default_shell: no-such-shell
shells: { db: "echo the person asks db; exec sh" }
default_windows: [{ name: notes, command: "echo notes in $(pwd); cat", local: true }]
`;

Deno.test({
  name: "M8: the configuration of a project and of a person",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: {
        "deploy/compose.yml": COMPOSE,
        "deploy/page/index.html": "the page\n",
        ".gitignore": "prepared.*\nsecrets.txt\n",
      },
      init: true,
    });
    const userFile = `${sandbox.folder}/home/.config/piko/config.yml`;
    await sandbox.write(`${sandbox.folder}/home/.tmux.conf`, TMUX_CONF);
    await sandbox.write("prepared.bin", "big\n");
    await sandbox.write("secrets.txt", "hush\n");

    await t.step("missing files are fine", async () => {
      await sandbox.pass("create none --no-start");
      assert.match(await sandbox.pass("config check"), /^✓ There is no .* and no /);
      await sandbox.pass("destroy none");
    });

    await t.step("invalid YAML is told with its line, and nothing is made", async () => {
      await sandbox.write(".piko.yml", "scripts:\n  setup: echo\nshared: [db\n");
      const { stderr } = await saysNo(sandbox, ["create", "one"], {
        code: "usage",
        message: /^Broken YAML at .*\/\.piko\.yml:3:12: A list is not closed before this/,
        hint: /^correct .*\.piko\.yml, and try again$/,
      });
      assert.match(stderr, /^ {4}shared: \[db\n {4} {11}\^$/m);
      assert.deepEqual((await sandbox.json("list")).environments, []);
    });

    await t.step("unknown fields do no harm, and are warned of", async () => {
      await sandbox.write(".piko.yml", `${CONFIG}colour: red\nscript: {}\n`);
      const { stderr, exitCode } = await sandbox.piko(["create", "odd", "--no-start"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^! .*:14:1: "colour" is unknown and ignored$/m);
      assert.match(stderr, /"script" is unknown and ignored; did you mean "scripts"\?$/m);
      await sandbox.pass("destroy odd");
    });

    await t.step("the project's: compose, scripts, copy, link", async () => {
      await sandbox.write(".piko.yml", CONFIG);
      await sandbox.write(userFile, USER);
      await sandbox.commit({}, "Configure");
      const created = await sandbox.json("create one");
      const path = sandbox.worktree("one");
      assert.deepEqual(created.environment.containers, { running: 2, healthy: 2, total: 2 });
      assert.ok(await sandbox.exists(`${path}/deploy/docker-compose.piko.yml`));
      const port = created.environment.ports.find(({ service }) => service === "db")?.hostPort;
      assert.equal(
        await Deno.readTextFile(`${path}/prepared.txt`),
        `prepared one\nset up ${port}\n`,
      );
      assert.equal(await Deno.readTextFile(`${path}/prepared.bin`), "big\n");
      assert.equal(await Deno.readLink(`${path}/secrets.txt`), `${sandbox.root}/secrets.txt`);
      assert.equal(await sandbox.pass("run one"), `runs in ${path}\n`);
    });

    const session = `dev_${sandbox.project}_one`;

    await t.step("the person's: the prefix of sessions, and windows of both", async () => {
      assert.equal((await sandbox.json("status one")).environment.session, session);
      assert.deepEqual(await windowsOf(sandbox, session), [
        ...["shell", "db", "notes", "front", "rows", "logs"],
      ]);
      const app = (await sandbox.json("env one")).PIKO_APP_PORT;
      await windowShows(sandbox, session, "front", `front of one at ${app}`);
      await windowShows(sandbox, session, "rows", "rows of one: /rows");
      await windowShows(sandbox, session, "notes", `notes in ${sandbox.worktree("one")}`);
    });

    await t.step(
      "the project's shell before the person's, and sh where theirs is not",
      async () => {
        await windowShows(sandbox, session, "db", "the project asks db");
        await using terminal = await Terminal.open(sandbox);
        await terminal.type("piko shell one app");
        await terminal.shows(/[#$] *$/);
        await terminal.type("ls /page; exit");
        await terminal.shows("index.html");
        await terminal.isReady();
      },
    );

    await t.step(
      "a change counts at the next command: the person's shell, the editor",
      async () => {
        await sandbox.write(".piko.yml", CONFIG.replace(/^shells.*\n/m, ""));
        await using terminal = await Terminal.open(sandbox);
        await terminal.type("piko shell one db");
        await terminal.shows("the person asks db");
        await terminal.type("exit");
        await terminal.isReady();

        const folder = `${sandbox.folder}/bin`;
        for (const name of ["mine", "other"]) {
          await writeProgram(
            `${folder}/${name}`,
            `#!/bin/sh\necho "${name} $*" > '${sandbox.folder}/edited'\n`,
          );
        }
        const edited = async (command: string) => {
          await terminal.run(
            `PATH='${folder}:${sandbox.variables.PATH}' EDITOR=other '${PIKO}' ${command}`,
          );
          return (await Deno.readTextFile(`${sandbox.folder}/edited`)).trimEnd();
        };
        const path = sandbox.worktree("one");
        assert.equal(await edited("edit one"), `mine --flag ${path}`);
        assert.equal(await edited("edit one --editor 'other -x'"), `other -x ${path}`);
        await sandbox.write(userFile, USER.replace(/^editor.*\n/, ""));
        assert.equal(await edited("edit one"), `other ${path}`);
      },
    );

    await t.step("config shows all of it, with its sources", async () => {
      await sandbox.write(".piko.yml", CONFIG);
      const text = await sandbox.pass("config");
      assert.match(text, /^compose: \[ deploy\/compose\.yml \] +# \.piko\.yml:1$/m);
      assert.match(
        text,
        /^ {2}db: .*the project asks.* # \.piko\.yml:9, over ~\/\.config\/piko\/config\.yml:3$/m,
      );
      assert.match(text, /^session_prefix: "dev:" +# ~\/\.config\/piko\/config\.yml:1$/m);
      assert.match(text, /^shared: \[\] +# default$/m);
    });

    await t.step("another prefix loses no session that is there", async () => {
      await sandbox.write(userFile, "session_prefix: other/\n");
      await using terminal = await Terminal.open(sandbox);
      await terminal.type("piko attach one");
      await until("the session", async () => await lookedAt(sandbox) === session);
      await terminal.press("C-b", "d");
      await terminal.shows("[detached");
      await terminal.isReady();
      await sandbox.pass("create two --no-start");
      assert.deepEqual(
        (await sandbox.sessions()).sort(),
        [session, `other/${sandbox.project}/two`].sort(),
      );
      await sandbox.pass("destroy one --force --volumes");
      assert.deepEqual(await sandbox.sessions(), [`other/${sandbox.project}/two`]);
      assert.deepEqual(await containersOf(sandbox, "one"), {});
      assert.match(await Deno.readTextFile(`${sandbox.folder}/last-words`), /^prepared one$/m);
    });
  },
});
