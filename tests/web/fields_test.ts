/** The fields of the page and the keyboard: how one gets out of them, and what is told before it is asked for. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium } from "./browser.ts";

Deno.test({
  name: "Escape empties the filter and leaves it, and a name that git refuses is refused at once",
  ...needs("git", "chromium"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    for (const name of ["one", "two"]) await sandbox.pass(`create ${name} --no-attach`);
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const filter = page.getByLabel("Filter the environments");

    await t.step("the keys of the list work behind one Escape", async () => {
      for (const typed of ["tw", ""]) {
        await page.keyboard.press("/");
        await page.keyboard.type(typed);
        await page.getByText(typed === "" ? "2 environments" : "1 of 2", { exact: true })
          .first().waitFor();
        await page.keyboard.press("Escape");
        await page.getByText("2 environments", { exact: true }).first().waitFor();
        await page.keyboard.press("j");
        assert.equal(await filter.inputValue(), "");
        await page.locator("a.row:focus").waitFor();
      }
    });

    await t.step("the dialog says what create would say", async () => {
      await page.keyboard.press("n");
      await page.getByLabel("Name").fill("feature/From Web");
      const problem = page.locator("#create-name-note.field-problem");
      await problem.getByText("“feature/From Web” is not a valid branch name").waitFor();
      assert.equal(await page.getByText(/^\s*New branch feature/).count(), 0);
      await page.getByLabel("Branch").fill("feature/from-web");
      await page.getByText("New branch feature/from-web from HEAD").waitFor();
      assert.equal(await problem.count(), 0);
    });
    chromium.requireNoProblems();
  },
});
