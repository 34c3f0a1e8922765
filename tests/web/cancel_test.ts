/** Work that is broken off on the page: what it takes to end takes its time, and until then the page says what is done. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { needs } from "../needs.ts";
import { writeProgram } from "../program_file.ts";
import { Sandbox } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, ready, requireNoBarriers, visit } from "./browser.ts";

const CONFIG = `scripts:
  setup: |
    echo "setting up $PIKO_ENV_NAME"
    exec sleep 100000
`;

/** A git that removes a worktree when there is a file. */
const slowGit = (path: string, file: string) =>
  `#!/bin/sh
case " $* " in
  *" worktree remove "*) while ! [ -e '${file}' ]; do sleep 0.1; done ;;
esac
PATH='${path}' exec git "$@"
`;

Deno.test({
  name: "a creation that is cancelled says at once, everywhere, that it is being undone",
  ...needs("git", "chromium"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { ".piko.yml": CONFIG },
      init: true,
    });
    const { project } = sandbox;
    const programs = `${sandbox.folder}/programs`;
    const mayEnd = `${sandbox.folder}/may-end`;
    const path = sandbox.variables["PATH"] ?? "";
    await writeProgram(`${programs}/git`, slowGit(path, mayEnd));
    await using server = await Server.start(sandbox, 0, { PATH: `${programs}:${path}` });
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const other = await page.context().newPage();
    const at = `${server.origin}/projects/${project}/auth`;
    const cancels = (page: Page) => page.getByRole("button", { name: "Cancel and undo" });

    /** Fails unless a page tells what is done, and offers nothing that was asked for already. */
    const tellsUndoing = async (page: Page) => {
      await page.locator(".environment-title .status").getByText("undoing…").waitFor();
      await page.locator("a.row", { hasText: "auth" }).getByText("undoing…").waitFor();
      await page.locator(".work-strip, .operation-head").getByText("Undoing", { exact: true })
        .waitFor();
      const button = page.getByRole("button", { name: "Cancelling" });
      assert.equal(await button.getAttribute("aria-disabled"), "true");
      assert.equal(await cancels(page).count(), 0);
      assert.equal(await page.getByText(/creating/i).count(), 0);
    };

    await page.keyboard.press("n");
    await page.getByLabel("Name").fill("auth");
    await page.keyboard.press("Enter");
    await page.getByText("setting up auth").waitFor();
    await visit(other, at);
    await cancels(other).waitFor();

    await t.step("in the tab that asks, in another one, and after a reload", async () => {
      await cancels(page).click();
      await Promise.all([page, other].map(tellsUndoing));
      await page.reload();
      await ready(page);
      await tellsUndoing(page);
    });

    await t.step("until it is undone", async () => {
      await sandbox.write(mayEnd, "");
      await page.locator(".operation", { hasText: "Not created" }).waitFor();
      await page.getByText("Cancelled, and what it had made was taken back", { exact: true })
        .waitFor();
      const log = `${sandbox.root}/.piko/logs/auth`;
      await page.getByText(`nothing of it is left but what its scripts have printed, in ${log}`)
        .waitFor();
      assert.match(await Deno.readTextFile(`${log}/setup.log`), /setting up auth/);
      await requireNoBarriers(page, "a cancelled creation");
    });
    chromium.requireNoProblems();
  },
});
