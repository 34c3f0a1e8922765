/** `piko server` at a terminal: the browser that it opens, and the port that somebody has. What it serves is in `tests/server`. */

import assert from "node:assert/strict";
import { acquireLock } from "../../src/store/locks.ts";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { writeProgram } from "../program_file.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";

const ADDRESS = /^http:\/\/localhost:(\d+)\/login\?ticket=\S+$/m;

Deno.test({
  name: "piko server opens the page, and listens all the same when no browser does",
  ...needs("git", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    await using terminal = await Terminal.open(sandbox);
    const listens = async (): Promise<string> => {
      const [url = ""] = ADDRESS.exec(await terminal.shows(ADDRESS)) ?? [];
      return url;
    };
    /** Lets itself in by the address that was printed, as a person would who opens it, and ends the server. */
    const letsIn = async (url: string) => {
      const response = await fetch(url, { redirect: "manual" });
      await response.body?.cancel();
      assert.equal(response.status, 303);
      await terminal.press("C-c");
      return await terminal.ends(0);
    };
    const opened = `${sandbox.folder}/opened`;
    await writeProgram(`${sandbox.folder}/browser`, `#!/bin/sh\nprintf %s "$1" > '${opened}'\n`);

    await t.step("a browser gets the address that is good once", async () => {
      await terminal.begin(`BROWSER='${sandbox.folder}/browser' piko server --port 0`);
      const url = await listens();
      await until("the browser", () => sandbox.exists(opened));
      assert.equal(await Deno.readTextFile(opened), url);
      assert.doesNotMatch(await letsIn(url), /^!/m);
    });

    for (
      const [browser, message, hint] of [
        [
          "no-such-browser",
          "BROWSER names no-such-browser, which is not installed",
          "set BROWSER to the command of a browser that is installed",
        ],
        [
          "false",
          "false could not open the page (exit code 1)",
          "open the address yourself, or set BROWSER to a browser's command",
        ],
      ] as const
    ) {
      await t.step(message, async () => {
        await terminal.begin(`BROWSER=${browser} piko server --port 0`);
        const url = await listens();
        const screen = await terminal.shows(hint);
        assert.ok(screen.includes(`! ${message}\n  ${hint}`), screen);
        await letsIn(url);
        assert.equal(await sandbox.exists(`${sandbox.variables.PIKO_HOME}/server.json`), false);
      });
    }
  },
});

Deno.test({
  name: "piko server offers a person another port where somebody has the one that is wanted",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await using terminal = await Terminal.open(sandbox);
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const question = new RegExp(
      `Port ${port} is taken by \\S+ \\(process ${Deno.pid}\\)\\. Listen on (\\d+) instead\\? \\[Y/n\\]`,
    );
    await terminal.begin(`piko server --no-open --port ${port}`);
    await terminal.shows(question);
    await terminal.press("n", "Enter");
    const refused = await terminal.ends(4);
    assert.match(refused, new RegExp(`✗ Port ${port} is taken by .*\n.*→ piko server --port \\d+`));

    await terminal.begin(`piko server --no-open --port ${port}`);
    const other = question.exec(await terminal.shows(question))?.[1];
    await terminal.press("Enter");
    assert.equal(ADDRESS.exec(await terminal.shows(ADDRESS))?.[1], other);
    await terminal.press("C-c");
    await terminal.ends(0);
  },
});

Deno.test({
  name: "piko server can be broken off while it asks another one that does not answer",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const { PIKO_HOME = "" } = sandbox.variables;
    const options = { command: "piko test", block: true };
    using _place = await acquireLock(`${PIKO_HOME}/locks`, "server", options);
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const place = { pid: Deno.pid, address: "127.0.0.1", port: listener.addr.port };
    await sandbox.write(`${PIKO_HOME}/server.json`, JSON.stringify(place));
    const token = `${PIKO_HOME}/server-token`;
    await Deno.writeTextFile(token, `${"t".repeat(43)}\n`, { mode: 0o600 });
    await using piko = Background.piko(sandbox, ["server", "--no-open"]);
    using _asked = await listener.accept();
    piko.kill("SIGINT");
    assert.equal(await piko.ended(), 130, piko.stderr.join("\n"));
    assert.deepEqual(piko.stderr, ["  Stopping …", "✗ Interrupted"]);
    assert.deepEqual(piko.stdout, []);
  },
});
