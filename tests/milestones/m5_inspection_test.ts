/** Milestone 5: working in an environment and looking into it. */

import assert from "node:assert/strict";
import { saysNo } from "../commands/refusal.ts";
import { needs } from "../needs.ts";
import { Background } from "../background.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import { hostPort, page, projectFiles } from "./sample.ts";
import { writeProgram } from "../program_file.ts";

const CONFIG = `scripts:
  run: |
    trap 'echo got it; exit 9' INT
    echo "$PIKO_ENV_NAME serves $PIKO_APP_PORT to $1"
    [ "$1" = all ] || exit 4
    while :; do sleep 0.1; done
`;

Deno.test({
  name: "M5: run, status, open, logs, edit, exec and shell",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: projectFiles(CONFIG), init: true });
    await sandbox.pass("create one --no-attach");
    const { environment } = await sandbox.json("status one");
    const app = hostPort(environment, "app", 8080);

    await t.step(
      "run streams its output, has the variables, and passes the exit code",
      async () => {
        const { exitCode, stdout } = await sandbox.piko(["run", "one", "--", "me"]);
        assert.deepEqual([exitCode, stdout], [4, `one serves ${app} to me\n`]);
      },
    );

    await t.step("run passes Ctrl+C on", async () => {
      await using terminal = await Terminal.open(sandbox);
      await terminal.begin("piko run one -- all");
      await terminal.shows(`one serves ${app} to all`);
      await terminal.press("C-c");
      assert.match(await terminal.ends(9), /got it/);
    });

    await t.step("status tells containers, health and ports, x of y", async () => {
      const { environment, services } = await sandbox.json("status one");
      assert.deepEqual(environment.containers, { running: 2, healthy: 2, total: 2 });
      assert.deepEqual(services.map(({ service, state, health }) => [service, state, health]), [
        ["app", "running", "healthy"],
        ["db", "running", "healthy"],
      ]);
      const text = await sandbox.pass("status one");
      assert.match(text, /containers 2\/2/);
      assert.match(text, new RegExp(`app +running +healthy +8080 → http://localhost:${app}`));
    });

    await t.step("open finds the page, or that of a service", async () => {
      const url = (await sandbox.pass("open one --print")).trimEnd();
      assert.equal(url, `http://localhost:${app}`);
      assert.equal(await page(app), "the page of main\n");
      assert.equal(
        (await sandbox.pass("open one db --print")).trimEnd(),
        `postgres://localhost:${hostPort(environment, "db", 5432)}`,
      );
    });

    await t.step("logs of all, of one, the last lines, and as they come", async () => {
      const all = (await sandbox.pass("logs one")).trimEnd().split("\n").sort();
      assert.deepEqual(all, ["app  | the app is up", "db   | the db is up"]);
      assert.equal(await sandbox.pass("logs one db"), "db  | the db is up\n");
      await using following = Background.piko(sandbox, ["logs", "one", "db", "-f", "--tail", "1"]);
      await until("the last line", () => following.stdout.includes("db  | the db is up"));
      await sandbox.pass("restart one db");
      await until(
        "a new line",
        () => following.stdout.filter((line) => line === "db  | the db is up").length === 2,
      );
      following.kill("SIGINT");
      await following.ended();
    });

    await t.step("edit opens the worktree in the editor", async () => {
      const folder = `${sandbox.folder}/bin`;
      const editor = `${folder}/code`;
      await writeProgram(editor, `#!/bin/sh\necho "$@" > '${sandbox.folder}/edited'\n`);
      const variables = { PATH: `${folder}:${sandbox.variables.PATH}` };
      await sandbox.pass("edit one --editor code", { variables });
      await until("the call", () => sandbox.exists(`${sandbox.folder}/edited`));
      assert.equal(
        await Deno.readTextFile(`${sandbox.folder}/edited`),
        `${sandbox.worktree("one")}\n`,
      );
    });

    await t.step("exec runs a command in a container, shell opens its shell", async () => {
      const { exitCode, stdout } = await sandbox.piko(
        ["exec", "one", "db", "sh", "-c", "ls -d /rows; exit 6"],
      );
      assert.deepEqual([exitCode, stdout], [6, "/rows\n"]);
      await using terminal = await Terminal.open(sandbox);
      await terminal.type("piko shell one app");
      await terminal.shows(/[#$] *$/);
      await terminal.type("ls /page");
      await terminal.shows("index.html");
      await terminal.type("exit");
      await terminal.isReady();
    });

    await t.step("what has stopped is said, and run starts it first", async () => {
      await sandbox.pass("down one");
      await saysNo(sandbox, ["open", "one"], {
        code: "conflict",
        message: /^one is stopped: there is nothing to open$/,
        hint: /piko up \S+\/one$/,
      });
      await saysNo(sandbox, ["exec", "one", "db", "ls"], {
        code: "conflict",
        message: /does not run/,
        hint: /piko up \S+\/one db/,
      });
      assert.equal((await sandbox.piko(["run", "one", "--", "me"])).exitCode, 4);
      assert.equal((await sandbox.json("status one")).environment.status, "running");
    });

    await t.step("without a script, run says where it belongs", async () => {
      await sandbox.write(".piko.yml", "");
      await saysNo(sandbox, ["run", "one"], {
        code: "not-found",
        message: /There is no scripts\.run in .*\.piko\.yml/,
        hint: /\.piko\.yml$/,
      });
    });
  },
});
