/** The dialogs whose answers take their time: each answers for itself alone, and nothing is refused without being told. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, visit } from "./browser.ts";

/** Has the browser's requests of a kind wait; the function that is returned lets them go on to the server. */
async function holdBack(page: Page, method: string, path: string) {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  await page.route((url) => url.pathname === path, async (route) => {
    if (!isOpen && route.request().method() === method) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    await route.continue();
  });
  return {
    held: () => until(`${method} ${path}`, () => waiting.length > 0),
    letGo: () => {
      isOpen = true;
      for (const go of waiting) go();
    },
  };
}

Deno.test({
  name:
    "a dialog that was closed before its answer came leaves other dialogs alone, and says what was refused",
  ...needs("git", "chromium"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const { project } = sandbox;
    for (const name of ["dirty", "clean", "pruned"]) {
      await sandbox.pass(`create ${name} --no-attach`);
    }
    await sandbox.write(`${sandbox.worktree("dirty")}/work.txt`, "precious\n");
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const path = (name: string) => `/api/projects/${project}/environments/${name}`;
    const dialog = page.getByRole("dialog");
    const name = dialog.getByLabel("Name");
    const at = (name: string) => `${server.origin}/projects/${project}/${name}`;
    const press = async (what: string) => {
      await page.locator(".actions").getByRole("button", { name: what, exact: true }).click();
      await dialog.getByRole("button", { name: what, exact: true }).click();
    };
    /** Leaves the dialog whose answer is waited for, and begins to type in another one. */
    const moveOn = async () => {
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      await page.keyboard.press("n");
      await name.pressSequentially("half a na");
    };
    const answered = (method: string, of: string) =>
      page.waitForResponse((response) =>
        response.request().method() === method && new URL(response.url()).pathname === of
      );

    await t.step("a destroy that is refused", async () => {
      await visit(page, at("dirty"));
      const held = await holdBack(page, "DELETE", path("dirty"));
      await press("Destroy");
      await held.held();
      await moveOn();
      held.letGo();
      const notice = page.locator(".notice", { hasText: "was not destroyed" });
      await notice.waitFor();
      assert.match(await notice.innerText(), /dirty was not destroyed: .*has work that is not/);
      assert.match(await notice.innerText(), /work\.txt/);
      assert.equal(await name.inputValue(), "half a na");
      await page.keyboard.press("Escape");
      await notice.getByRole("button", { name: "Dismiss" }).click();
    });

    await t.step("a destroy that is done", async () => {
      await visit(page, at("clean"));
      const held = await holdBack(page, "DELETE", path("clean"));
      await press("Destroy");
      await held.held();
      await moveOn();
      const before = page.url();
      held.letGo();
      await page.locator("a.row", { hasText: "clean" }).waitFor({ state: "detached" });
      assert.equal(await name.inputValue(), "half a na");
      assert.equal(page.url(), before);
      await page.keyboard.press("Escape");
    });

    await t.step("a create that is refused, and one that is done", async () => {
      await visit(page, at("dirty"));
      for (const [typed, base] of [["made", "nowhere"], ["made", ""]] as const) {
        const held = await holdBack(page, "POST", path("").replace(/\/$/, ""));
        await page.keyboard.press("n");
        await name.fill(typed);
        await dialog.getByLabel("Base").fill(base);
        const lists = dialog.getByRole("listbox", { name: "Suggestions", includeHidden: true });
        assert.equal(await lists.count(), 2);
        await name.press("Enter");
        await held.held();
        await moveOn();
        const answer = answered("POST", path("").replace(/\/$/, ""));
        held.letGo();
        await answer;
        if (base !== "") {
          const notice = page.locator(".notice", { hasText: "made was not created" });
          await notice.waitFor();
          assert.match(await notice.innerText(), /nowhere/);
        } else {
          await page.locator("a.row", { hasText: "made" }).waitFor();
        }
        assert.equal(await name.inputValue(), "half a na");
        assert.equal(page.url(), at("dirty"));
        await page.keyboard.press("Escape");
        await page.unrouteAll();
      }
    });

    await t.step("what is no unsaved work is not counted as such", async () => {
      await Deno.remove(`${sandbox.root}/.git/worktrees/pruned`, { recursive: true });
      await visit(page, at("pruned"));
      await press("Destroy");
      await dialog.getByText("is no worktree any more").waitFor();
      assert.match(await dialog.innerText(), /not a git repository/);
      assert.equal(await dialog.getByRole("button", { name: /and lose/ }).count(), 0);
      await dialog.getByRole("button", { name: "Destroy", exact: true }).waitFor();
      await page.keyboard.press("Escape");
      await visit(page, at("dirty"));
      await press("Destroy");
      await dialog.getByRole("button", { name: "Destroy anyway, and lose 1 thing" }).waitFor();
      await page.keyboard.press("Escape");
    });

    const focused = () => page.evaluate("document.activeElement?.textContent.trim()");
    const anyway = dialog.getByRole("button", { name: /^Destroy anyway/ });
    const asked: unknown[] = [];
    page.on("request", (request) => {
      if (request.method() === "DELETE") asked.push(request.postDataJSON().force);
    });

    await t.step("Enter that is held down, or comes twice, loses nothing", async () => {
      await visit(page, at("dirty"));
      for (const isHeld of [true, false]) {
        await page.locator(".actions").getByRole("button", { name: "Destroy", exact: true })
          .click();
        await dialog.getByRole("button", { name: "Destroy", exact: true }).focus();
        await page.keyboard.down("Enter");
        await anyway.waitFor();
        assert.equal(await focused(), "Keep it");
        // A key that is down already and goes down again is one that is held.
        for (let again = 0; isHeld && again < 3; again++) await page.keyboard.down("Enter");
        await page.keyboard.up("Enter");
        if (isHeld) assert.equal(await focused(), "Keep it");
        await page.keyboard.press("Enter");
        await dialog.waitFor({ state: "detached" });
      }
      await press("Destroy");
      const { x = 0, y = 0 } = await anyway.boundingBox() ?? {};
      await page.mouse.move(x + 5, y + 5);
      // The second half of a double click.
      await page.mouse.down({ clickCount: 2 });
      await page.mouse.up({ clickCount: 2 });
      await dialog.getByRole("button", { name: "Keep it" }).click();
      await dialog.waitFor({ state: "detached" });
      assert.deepEqual(asked, [false, false, false]);
    });

    await t.step("what was written after the list was shown is not lost with it", async () => {
      await press("Destroy");
      await anyway.waitFor();
      for (const text of ["later\n", "later still\n"]) {
        await sandbox.write(`${sandbox.worktree("dirty")}/later.txt`, text);
        await dialog.getByRole("button", { name: /, and lose \d things?$/ }).click();
        await until("the refusal", async () => await focused() === "Keep it");
        await dialog.getByText("It is not what it was: nothing was destroyed").waitFor();
        await dialog.getByText("later.txt").waitFor();
      }
      await dialog.getByRole("button", { name: "Destroy anyway, and lose 2 things" }).click();
      await page.getByText("It was destroyed").waitFor();
      assert.equal(await sandbox.exists(sandbox.worktree("dirty")), false);
    });

    chromium.requireNoProblems(/^409 DELETE /, /^404 POST /);
    // Nobody but a person may remove what git does not know any more.
    await Deno.remove(sandbox.worktree("pruned"), { recursive: true });
  },
});

Deno.test({
  name:
    "the page tells of another branch in the worktree, promises none that is gone, and keeps its buttons in place",
  ...needs("git", "chromium"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create work --no-attach");
    const worktree = sandbox.worktree("work");
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start({ hasScrollBars: true });
    const page = await chromium.open(server);
    const dialog = page.getByRole("dialog");
    const head = page.locator(".environment-facts");
    const stays = dialog.getByText("branch work with its commits");
    const look = async () => {
      await visit(page, `${server.origin}/projects/${sandbox.project}/work`);
      await page.getByText("Everything is committed").waitFor();
      await page.locator(".actions").getByRole("button", { name: "Destroy", exact: true }).click();
      await dialog.getByText(worktree).waitFor();
    };

    await look();
    await stays.waitFor();
    assert.doesNotMatch(await head.innerText(), /checked out/);
    await sandbox.git("-C", worktree, "switch", "--quiet", "--create", "other");
    await look();
    await stays.waitFor();
    assert.match(await head.innerText(), /work\s+\(checked out: other\)/);
    await sandbox.git("branch", "--quiet", "--delete", "work");
    await look();
    await stays.waitFor({ state: "detached" });
    assert.doesNotMatch(await dialog.innerText(), /Stays/i);

    const edges = new Set<number>();
    for (const tab of ["", "/logs", "/activity"]) {
      await visit(page, `${server.origin}/projects/${sandbox.project}/work${tab}`);
      const destroy = page.locator(".actions").getByRole("button", { name: "Destroy" });
      const { x = 0, width = 0 } = await destroy.boundingBox() ?? {};
      edges.add(x + width);
    }
    assert.equal(edges.size, 1, `Destroy ends at ${[...edges].join(", ")}`);

    const long = "another-longnamelongnamelongnamelongname";
    await page.setViewportSize({ width: 320, height: 700 });
    await visit(page, `${server.origin}/projects/${sandbox.project}/${long}`);
    const create = page.getByRole("button", { name: `Create ${long}` });
    for (const isOpen of [false, true]) {
      if (isOpen) await create.click();
      const { x = 0, width = 0 } = await create.last().boundingBox() ?? {};
      assert.ok(x > 0 && x + width < 320, `${isOpen} from ${x}, ${width} wide`);
    }
    chromium.requireNoProblems();
  },
});
