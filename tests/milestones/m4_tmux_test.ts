/** Milestone 4: the tmux session of an environment, as a person at a terminal sees it. */

import assert from "node:assert/strict";
import { saysNo } from "../commands/refusal.ts";
import { needs } from "../needs.ts";
import { PIKO, Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import {
  lookedAt,
  pathWithout,
  projectFiles,
  TMUX_CONF,
  windowShows,
  windowsOf,
} from "./sample.ts";

Deno.test({
  name: "M4: a tmux session for each environment",
  ...needs("git", "tmux", "fzf", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: projectFiles('shells: { db: "echo the shell of db; exec sh" }\n'),
      init: true,
    });
    await sandbox.write(`${sandbox.folder}/home/.tmux.conf`, TMUX_CONF);
    const session = (name: string) => `piko/${sandbox.project}/${name}`;
    const first = session("feature-auth");
    await using terminal = await Terminal.open(sandbox);

    await t.step("create attaches to it, in the worktree", async () => {
      await terminal.type("piko create feature-auth");
      await terminal.shows(/0:shell\* +1:app +2:db +3:logs/, 90_000);
      await terminal.shows("inner>");
      assert.equal(await lookedAt(sandbox), first);
      await terminal.type("pwd");
      await terminal.shows(sandbox.worktree("feature-auth"));
    });

    await t.step("a window for each service, with its shell, and the logs last", async () => {
      assert.deepEqual(await windowsOf(sandbox, first), ["shell", "app", "db", "logs"]);
      await terminal.press("C-b", "2");
      await terminal.shows("the shell of db");
      await terminal.type('echo "in $(ls -d /rows) for $PIKO_ENV_NAME"');
      await terminal.shows("in /rows for feature-auth");
      await terminal.press("C-b", "1");
      await terminal.type('echo "in $(ls /page)"');
      await terminal.shows("in index.html");
      await windowShows(sandbox, first, "logs", /app-1 +\| the app is up/);
      await windowShows(sandbox, first, "logs", /db-1 +\| the db is up/);
    });

    await t.step("--no-attach makes it and stays outside", async () => {
      await terminal.press("C-b", "d");
      await terminal.shows("[detached");
      await terminal.isReady();
      await terminal.run("piko create pay --no-attach --no-start");
      assert.equal(await lookedAt(sandbox), "");
      assert.ok((await sandbox.sessions()).includes(session("pay")));
    });

    await t.step("attach goes there from outside, switch from inside", async () => {
      const said = await terminal.run("piko switch pay", 2);
      assert.match(said, /piko attach \S+\/pay/);
      await terminal.type("piko attach feature-auth");
      await until("the session", async () => await lookedAt(sandbox) === first);
      await terminal.press("C-b", "0");
      await terminal.shows("inner>");
      await terminal.type(`clear; ${PIKO} attach pay`);
      await terminal.shows(/piko switch \S+\/pay/);
      await terminal.type(`clear; ${PIKO} switch pay`);
      await until("the other session", async () => await lookedAt(sandbox) === session("pay"));
      await terminal.shows("inner>");
      await terminal.press("C-b", "d");
      await terminal.shows("[detached");
      await terminal.isReady();
      await saysNo(sandbox, ["attach", "feature-auth"], {
        code: "usage",
        message: /without a terminal|needs a terminal/,
        hint: /./,
      });
    });

    for (const picker of ["fzf", "its own list, without fzf"]) {
      await t.step(`pick goes to the one that is picked, by ${picker}`, async () => {
        const path = picker === "fzf" ? "" : `PATH='${await pathWithout(sandbox, "fzf")}' `;
        await terminal.type(`clear; ${path}${PIKO} pick`);
        await terminal.shows(/pay +stopped +pay/);
        await terminal.press("p", "a", "y");
        await terminal.shows(path === "" ? /^> pay\b/m : /^❯ pay\b/m);
        await terminal.press("Enter");
        await until("the session", async () => await lookedAt(sandbox) === session("pay"));
        await terminal.shows("inner>");
        await terminal.press("C-b", "d");
        await terminal.shows("[detached");
        await terminal.isReady();
      });
    }

    await t.step("down keeps it, and destroy ends it", async () => {
      await terminal.run("piko down feature-auth");
      assert.deepEqual((await sandbox.sessions()).sort(), [first, session("pay")].sort());
      await windowShows(sandbox, first, "db", /piko up \S+\/feature-auth/);
      await terminal.run("piko destroy feature-auth --yes --volumes", 0, 60_000);
      assert.deepEqual(await sandbox.sessions(), [session("pay")]);
    });
  },
});
