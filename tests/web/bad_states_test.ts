/**
 * The page when something is wrong: it says what, what helps, keeps nobody out and shows nothing beyond its edges, at each
 * width and in both themes. With PIKO_SHOTS=FOLDER it leaves pictures of every state there, to be looked at.
 */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, requireNoBarriers, visit } from "./browser.ts";

const COMPOSE = `services:
  web: { image: "busybox:1.36", command: sleep 1000, ports: ["8080"] }
  db: { image: "busybox:1.36", command: sleep 1000, ports: ["5432"] }
`;

/** Scripts that fail where they are told to, after what they have printed. */
const CONFIG = `scripts:
  prepare: |
    case $PIKO_ENV_NAME in bad*)
      seq 1 30 | sed 's/^/fetching package /'
      echo "npm error: network request to https://registry.example/left-pad failed: Connection refused" >&2
      exit 3 ;;
    kept)
      echo "psql: error: connection to server at localhost, port 5432 failed: Connection refused" >&2
      exit 3
    esac
`;

const WIDTHS = [380, 1280, 1920];

/** Names what holds more than it is wide: the window, its parts, and whatever text is cut off without a sign of it. */
const TOO_WIDE =
  `[document.documentElement, ...document.querySelectorAll("main, #main, dialog, p:not(.visually-hidden), .notice, .card")]
  .filter((element) => element.scrollWidth > element.clientWidth && getComputedStyle(element).display !== "inline")
  .map((element) => element.outerHTML.slice(0, 100))`;

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** Proves that a state is right at every width and in both themes. */
async function requireSound(page: Page, state: string): Promise<void> {
  const folder = Deno.env.get("PIKO_SHOTS");
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate<string[]>(TOO_WIDE);
    assert.deepEqual(wide, [], `${state} sticks out at ${width}`);
    for (const colorScheme of folder === undefined ? [] : ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}/${state}-${width}-${colorScheme}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
  await requireNoBarriers(page, state);
}

Deno.test({
  name: "the page says what is wrong and what helps, whatever it is",
  ...needs("git", "engine", "compose", "chromium"),
  async fn(t) {
    const step = async (name: string, fn: () => Promise<void>) => {
      if (!await t.step(name, fn)) throw new Error(`It did not get further than: ${name}`);
    };
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE, ".piko.yml": CONFIG },
      init: true,
    });
    const { project } = sandbox;
    for (const name of ["shop", "gone"]) {
      await sandbox.pass(`create ${name} --no-attach --no-start`);
    }
    await sandbox.fail("create kept --no-attach --no-start --keep", 1);
    // No engine answers there.
    let server = await Server.start(sandbox, 0, { DOCKER_HOST: "unix:///nowhere/docker.sock" });
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const at = (rest: string) => `${server.origin}/projects/${project}/${rest}`;
    try {
      await step("no engine", async () => {
        await visit(page, at("shop"));
        await page.getByText("No Docker engine answers").first().waitFor();
        await requireSound(page, "no-engine");
      });
      await step("logs without an engine", async () => {
        await visit(page, at("shop/logs"));
        await page.locator(".logs-empty").getByText(/Cannot reach the Docker engine/).waitFor();
        await requireSound(page, "no-engine-logs");
      });
      await step("a start without an engine", async () => {
        await visit(page, at("shop"));
        await button(page, "Start").click();
        const failure = page.getByRole("region", { name: "Start failed" });
        await failure.waitFor();
        await requireSound(page, "start-failed");
        await page.setViewportSize({ width: 1920, height: 800 });
        const edges = [];
        for (const part of [failure.locator(".notice"), page.locator(".overview .card").last()]) {
          const { x = 0, width = 0 } = await part.boundingBox() ?? {};
          edges.push(x + width);
        }
        assert.equal(edges[0], edges[1], "the notice ends where the cards below it end");
      });
      assert.equal(await server.stop(), 0);
      server = await Server.start(sandbox, Number(new URL(server.origin).port));
      await step("a creation that failed, and was taken back", async () => {
        await visit(page, at("shop"));
        await button(page, "New").click();
        await page.getByLabel("Name").fill("bad-packages");
        await page.keyboard.press("Enter");
        await page.getByText("Connection refused").first().waitFor();
        await requireSound(page, "create-failed");
      });
      await step("one that was kept", async () => {
        await visit(page, at("kept"));
        await page.locator(".environment-title").getByText("failed").waitFor();
        await requireSound(page, "kept");
      });
      await step("a worktree that is gone", async () => {
        await Deno.remove(sandbox.worktree("gone"), { recursive: true });
        await visit(page, at("gone"));
        await page.locator(".environment-title").getByText("missing").waitFor();
        await requireSound(page, "worktree-gone");
      });
      await step("unsaved work", async () => {
        for (let file = 0; file < 12; file++) {
          await sandbox.write(`${sandbox.worktree("shop")}/src/deep/module-${file}.ts`, "x\n");
        }
        await visit(page, at("shop"));
        await page.locator(".actions").getByRole("button", { name: "Destroy" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("button", { name: "Destroy" }).click();
        await dialog.getByText("module-3.ts").waitFor();
        await requireSound(page, "unsaved");
        await page.keyboard.press("Escape");
      });
      await step("a broken configuration", async () => {
        await sandbox.write(".piko.yml", "scripts: { setup: [ }\n");
        await button(page, "New").click();
        await page.getByLabel("Name").fill("other");
        await page.keyboard.press("Enter");
        await page.getByText(/\.piko\.yml:1:/).first().waitFor();
        await requireSound(page, "broken-config");
        await sandbox.write(".piko.yml", CONFIG);
      });
      await step("an address that names nothing", async () => {
        await visit(page, at("nothing"));
        await page.getByText("There is no environment “nothing”").waitFor();
        await requireSound(page, "nothing");
      });
      await step("a server that is gone", async () => {
        await visit(page, at("shop"));
        assert.equal(await server.stop(), 0);
        await page.getByText("The server is gone.").waitFor();
        await requireSound(page, "server-gone");
        server = await server.again();
        await page.locator(".connection", { hasText: "Live" }).waitFor();
      });
      await step("a key that is worth nothing any more", async () => {
        const renewed = await fetch(`${server.origin}/api/token`, {
          method: "POST",
          headers: { ...await server.key(), "content-type": "application/json" },
          body: "{}",
        });
        await renewed.body?.cancel();
        await page.getByText("This browser may not see the server any more").waitFor();
        await requireSound(page, "shut-out");
        await page.goto(at("shop"));
        await page.getByText("piko server", { exact: true }).waitFor();
        await requireSound(page, "outside");
      });
      chromium.requireNoProblems(
        // What the states themselves are made of.
        /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)/,
        /^401 GET /,
        /^409 DELETE /,
        /^503 GET .*\/logs$/,
      );
    } finally {
      await server[Symbol.asyncDispose]();
    }
  },
});
