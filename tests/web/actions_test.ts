/** What the page asks for and does not get: it says so where it would be shown, and shows it once it is there. */

import assert from "node:assert/strict";
import { damageRegistry } from "../damaged_registry.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, visit } from "./browser.ts";

Deno.test({
  name: "the page says why it cannot look into a worktree or an operation, and asks again",
  ...needs("git", "chromium"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const { project } = sandbox;
    await sandbox.pass("create one --no-attach");
    await sandbox.write(`${sandbox.worktree("one")}/work.txt`, "precious\n");
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const at = `${server.origin}/projects/${project}`;
    const work = page.locator("section.card", { hasText: "Work" });
    const refresh = page.getByRole("button", { name: "Refresh" });

    await t.step("a registry that is damaged", async () => {
      const says = /Cannot look into the worktree: The registry \S+ is damaged/;
      {
        await using _damage = await damageRegistry(sandbox, server.pid);
        await page.locator("a.row", { hasText: "one" }).click();
        await work.getByText(says).waitFor();
        await page.keyboard.press("4");
        await page.getByText(/^The registry \S+ is damaged/).waitFor();
        await page.keyboard.press("1");
      }
      await refresh.click();
      await work.getByText("work.txt").waitFor();
      assert.equal(await page.getByText(says).count(), 0);
      // What was seen once stays to be seen.
      await using _damage = await damageRegistry(sandbox, server.pid);
      const refused = page.waitForResponse((response) => response.status() === 500);
      await refresh.click();
      await refused;
      await work.getByText("work.txt").waitFor();
    });

    await t.step("a worktree that git cannot read", async () => {
      const index = `${sandbox.root}/.git/worktrees/one/index`;
      const whole = await Deno.readFile(index);
      await sandbox.write(index, "no index, this, however long it may be\n");
      await refresh.click();
      await work.getByText(/^git failed \(exit code 128\): fatal: index file corrupt$/).waitFor();
      await Deno.writeFile(index, whole);
      await refresh.click();
      await work.getByText("work.txt").waitFor();
    });

    await t.step("an operation for which something else answers", async () => {
      await sandbox.write(".piko.yml", "scripts: { setup: echo set up at last }\n");
      const created = await fetch(`${server.origin}/api/environments`, {
        method: "POST",
        headers: { ...await server.key(), "content-type": "application/json" },
        body: JSON.stringify({ name: "two" }),
      });
      assert.equal(created.status, 202, await created.text());
      // As a proxy does whose server is away.
      await page.route(
        "**/api/operations/*",
        (route) =>
          route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }),
      );
      await visit(page, `${at}/two/activity`);
      const notice = page.locator(".notice");
      await notice.getByText("The server answered 502 Bad Gateway").waitFor();
      assert.doesNotMatch(await notice.innerText(), /h1/);
      await notice.getByRole("button", { name: "Dismiss" }).click();
      await page.unrouteAll();
      await refresh.click();
      await page.getByText("set up at last").waitFor();
      assert.equal(await notice.count(), 0);
    });

    await t.step(
      "an operation for which nobody answers, as the connection says already",
      async () => {
        let attempts = 0;
        await page.route("**/api/operations/*", async (route) => {
          await route.abort("connectionfailed");
          attempts++;
        });
        await page.reload();
        // A question is asked three times.
        await until("the last attempt", () => attempts === 3);
        await page.unrouteAll();
        await refresh.click();
        await page.getByText("set up at last").waitFor();
        assert.equal(await page.locator(".notice").count(), 0);
      },
    );

    chromium.requireNoProblems(
      /^500 GET .*\/environments\/one$/,
      /^502 GET \/api\/operations\//,
      /net::ERR_CONNECTION_FAILED/,
    );
  },
});
