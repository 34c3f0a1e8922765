/** Milestone 3: the server, its API, and the page from which an environment is created and opened in the editor. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { PIKO, Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium } from "../web/browser.ts";
import { projectFiles } from "./sample.ts";
import { copyProgram, writeProgram } from "../program_file.ts";

const CONFIG = `scripts:
  setup: |
    echo "setting up $PIKO_ENV_NAME"
    [ "$PIKO_ENV_NAME" != broken ] || exit 5
`;

Deno.test({
  name: "M3: the server",
  ...needs("git", "engine", "compose", "images", "chromium"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: projectFiles(CONFIG), init: true });
    const { project, root } = sandbox;
    await using chromium = await Chromium.start();

    await t.step("it is on 19876 unless --port says otherwise, and prints its URL", async () => {
      assert.match(await sandbox.pass("server --help"), /the port to listen on.*\(default 19876\)/);
      const port = freePort();
      await using server = await Server.start(sandbox, port);
      assert.match(server.loginUrl, new RegExp(`^http://localhost:${port}/\\S*$`));
      assert.equal((await fetch(server.loginUrl, { redirect: "manual" })).status, 303);
    });

    await using server = await Server.start(sandbox);
    const token = (await Deno.readTextFile(`${sandbox.variables.PIKO_HOME}/server-token`)).trim();
    const api = async (path: string) => {
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(`${server.origin}/api/${path}`, { headers });
      return { status: response.status, body: await response.json() };
    };
    const page = await chromium.open(server);

    await t.step(
      "the API tells project and environments, to nobody without the token",
      async () => {
        const shown = await api("project");
        assert.deepEqual([shown.status, shown.body.project.name, shown.body.project.root], [
          200,
          project,
          root,
        ]);
        assert.deepEqual((await api("environments")).body.environments, []);
        const unknown = await fetch(`${server.origin}/api/environments`);
        assert.equal(unknown.status, 401);
        await unknown.body?.cancel();
      },
    );

    await t.step("the page creates an environment, and shows how that goes on", async () => {
      await page.keyboard.press("n");
      await page.getByLabel("Name").fill("feature-auth");
      await page.keyboard.press("Enter");
      await page.getByText("setting up feature-auth").waitFor();
      await page.locator(".operation", { hasText: "Created" }).waitFor();
      await page.locator(".environment-title .status").getByText("2/2 healthy").waitFor();
      const [environment] = (await sandbox.json("list")).environments;
      assert.deepEqual([environment?.name, environment?.status], ["feature-auth", "running"]);
      assert.deepEqual((await api("environments")).body.environments, [environment]);
    });

    await t.step("the page says why one could not be created", async () => {
      await page.keyboard.press("n");
      await page.getByLabel("Name").fill("broken");
      await page.keyboard.press("Enter");
      await page.getByText("scripts.setup failed with exit code 5").first().waitFor();
      // It is told at once, and everything taken back then.
      await until("that nothing is left", async () => {
        const { environments } = await sandbox.json("list");
        return environments.length === 1 && !await sandbox.exists(sandbox.worktree("broken"));
      });
    });

    await t.step("it keeps its hold of the registry, whatever other pikos do with it", async () => {
      await sandbox.pass("create by-hand --no-start --no-attach");
      await page.locator("a.row", { hasText: "by-hand" }).waitFor();
      await sandbox.pass("destroy by-hand");
      await page.locator("a.row", { hasText: "by-hand" }).waitFor({ state: "detached" });
      // Without its locks the next piko would take SQLite's shared memory away below it (proc_locks(5)).
      const { ino } = await Deno.stat(`${sandbox.variables.PIKO_HOME}/state.db-shm`);
      const held = new RegExp(` POSIX .* READ +${server.pid} \\S+:${ino} `);
      assert.match(await Deno.readTextFile("/proc/locks"), held);
    });

    await t.step("the page opens the worktree in the editor", async () => {
      const editor = `${sandbox.folder}/bin/code`;
      const edited = `${sandbox.folder}/edited`;
      await writeProgram(
        editor,
        `#!/bin/sh\necho "$@" > '${edited}.tmp' && mv '${edited}.tmp' '${edited}'\n`,
      );
      await sandbox.write(`${sandbox.folder}/home/.config/piko/config.yml`, `editor: ${editor}\n`);
      await page.goto(`${server.origin}/projects/${project}/feature-auth`);
      await page.getByRole("button", { name: "Open in editor" }).click();
      await until("the call of the editor", () => sandbox.exists(edited));
      assert.equal(await Deno.readTextFile(edited), `${sandbox.worktree("feature-auth")}\n`);
    });

    await t.step("Ctrl+C ends it in good order", async () => {
      await server.stop();
      await page.getByText("The server is gone.").waitFor();
      assert.equal((await sandbox.json("list")).environments[0]?.status, "running");
    });

    await t.step("it is one file, and needs nothing beside it", async () => {
      const folder = `${sandbox.folder}/alone`;
      await Deno.mkdir(folder);
      await copyProgram(PIKO, `${folder}/piko`);
      await using alone = Background.piko(sandbox, ["server", "--no-open", "--port", "0"], {
        program: `${folder}/piko`,
        cwd: folder,
      });
      await until("the address", () => alone.stdout.some((line) => line.startsWith("http://")));
      const url = new URL(alone.stdout[0] ?? "");
      const login = await fetch(url, { redirect: "manual" });
      const [cookie = ""] = (login.headers.get("set-cookie") ?? "").split(";");
      const first = await fetch(url.origin, {
        headers: { cookie, "sec-fetch-site": "none", "sec-fetch-mode": "navigate" },
      });
      const html = await first.text();
      assert.equal(first.status, 200, html);
      const files = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg))"/g)];
      assert.ok(files.length >= 2, html);
      for (const [, path] of files) {
        const file = await fetch(`${url.origin}${path}`, { headers: { cookie } });
        assert.equal(file.status, 200, path);
        await file.body?.cancel();
      }
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["piko"]);
    });

    chromium.requireNoProblems(
      // The test itself has stopped the server, and made what fails.
      /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)/,
    );
  },
});

/** Finds a port that nobody listens on at the moment. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
