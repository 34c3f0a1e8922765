/** What is copied, where the browser gives a page its clipboard and where it does not. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, visit } from "./browser.ts";

Deno.test({
  name: "the page copies also where the browser does not give it the clipboard",
  ...needs("git", "chromium"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    await visit(page, `${server.origin}/projects/${sandbox.project}/one`);
    const context = page.context();
    const clipboard = "navigator.clipboard.readText()";
    const path = sandbox.worktree("one");
    const copy = page.getByRole("button", { name: `Copy ${path}` });

    await page.evaluate('navigator.clipboard.writeText("what was there")');
    await context.clearPermissions();
    const devtools = await context.newCDPSession(page);
    const { targetInfo } = await devtools.send("Target.getTargetInfo");
    await devtools.send("Browser.setPermission", {
      permission: { name: "clipboard-write" },
      setting: "denied",
      origin: server.origin,
      ...targetInfo.browserContextId === undefined
        ? {}
        : { browserContextId: targetInfo.browserContextId },
    });
    await assert.rejects(page.evaluate('navigator.clipboard.writeText("no")'), /NotAllowedError/);

    await copy.click();
    await page.locator(".copy-copied").waitFor();
    assert.equal(await page.evaluate("document.activeElement.innerText"), await copy.innerText());
    await context.grantPermissions(["clipboard-read"]);
    assert.equal(await page.evaluate(clipboard), path);
    assert.equal(await page.locator("textarea").count(), 0);
    chromium.requireNoProblems();
  },
});
