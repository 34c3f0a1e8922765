/** One environment that is asked for by the page and in a terminal at once, in either order: never are two at work on it. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, visit } from "./browser.ts";

/** A service that gets healthy when the test says so. */
const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sleep 100000
    volumes: [".:/worktree:ro"]
    healthcheck: { test: [CMD, test, -e, /worktree/go-on], interval: 200ms, retries: 100000 }
`;

Deno.test({
  name:
    "the page and a terminal that want one environment at once wait for each other, or say who has it",
  ...needs("git", "engine", "compose", "images", "chromium"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE, ".gitignore": "go-on\n" },
      init: true,
    });
    await sandbox.pass("create a --no-attach --no-wait");
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    await visit(page, `${server.origin}/projects/${sandbox.project}/a`);
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    const status = page.locator(".environment-title .status");
    const goOn = `${sandbox.worktree("a")}/go-on`;

    await t.step(
      "the page first: the terminal waits and says for whom, or is refused",
      async () => {
        await button("Restart").click();
        await button("Cancel").first().waitFor();
        const refused = await sandbox.fail("down a --no-block", 4);
        const whose = `"piko restart a" (process ${server.pid})`;
        assert.ok(refused.includes(whose), refused);
        await using down = Background.piko(sandbox, ["down", "a"]);
        await down.said(`Waiting for piko restart a (process ${server.pid})`);
        await sandbox.write(goOn, "");
        assert.equal(await down.ended(), 0);
        await status.getByText("stopped").waitFor();
        const { answer } = await operations(server);
        assert.deepEqual(answer.map(({ kind, state }) => `${kind} ${state}`), ["restart done"]);
        await Deno.remove(goOn);
      },
    );

    await t.step("the terminal first: the page says who has it, and does nothing", async () => {
      await using up = Background.piko(sandbox, ["up", "a"]);
      await up.said("Containers");
      await button("Stop").click();
      await page.getByText(`"piko up a" (process ${up.pid})`).first().waitFor();
      assert.deepEqual((await operations(server)).answer.length, 1);
      await sandbox.write(goOn, "");
      assert.equal(await up.ended(), 0);
      await status.getByText("1/1 healthy").waitFor();
      await button("Stop").click();
      await status.getByText("stopped").waitFor();
    });

    await t.step(
      "what is pressed by keyboard hands the focus to what takes its place",
      async () => {
        const focused = () =>
          page.evaluate<string>(
            `document.activeElement.ariaLabel ?? document.activeElement.innerText`,
          );
        const press = async (name: string, ends: string, next: string) => {
          await button(name).focus();
          await page.keyboard.press("Enter");
          await status.getByText(ends).waitFor();
          await until(`the focus on ${next}`, async () => await focused() === next);
        };
        await press("Start", "1/1 healthy", "Stop");
        await press("Stop", "stopped", "Start");
        await press("Start web", "1/1 healthy", "Restart web");
        await press("Stop web", "stopped", "Start web");
        await button("Destroy").focus();
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").getByRole("button", { name: "Destroy" }).focus();
        await page.keyboard.press("Enter");
        await page.getByText("It was destroyed").waitFor();
        assert.equal(await focused(), `${sandbox.project}/a`);
      },
    );
    chromium.requireNoProblems(/^409 POST /);
  },
});

async function operations(
  server: Server,
): Promise<{ answer: { kind: string; state: string }[] }> {
  const response = await fetch(`${server.origin}/api/operations`, { headers: await server.key() });
  return { answer: (await response.json()).operations };
}
