/** Milestone 6: the page in full, in a real browser. */

import assert from "node:assert/strict";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, visit } from "../web/browser.ts";
import { containersOf, hostPort, projectFiles } from "./sample.ts";

Deno.test({
  name: "M6: the page in full",
  ...needs("git", "engine", "compose", "images", "chromium"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: projectFiles(), init: true });
    await sandbox.pass("create one --no-attach");
    await sandbox.pass("create two --no-attach --no-start");
    const { environment } = await sandbox.json("status one");
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const at = `${server.origin}/projects/${sandbox.project}/one`;
    const status = page.locator(".environment-title .status");
    const service = (name: string) => page.locator(".service", { hasText: name });
    const actions = page.locator(".environment-head, .actions");

    await t.step("ports: pages as links, others to copy as connection strings", async () => {
      await visit(page, at);
      const link = page.locator(
        `.port-link[href="http://localhost:${hostPort(environment, "app", 8080)}"]`,
      );
      const [opened] = await Promise.all([page.waitForEvent("popup"), link.first().click()]);
      await opened.getByText("the page of main").waitFor();
      await opened.close();
      const copy = service("db").locator(".copy").first();
      assert.match(
        await copy.innerText(),
        new RegExp(`postgres://localhost:${hostPort(environment, "db", 5432)}`),
      );
    });

    await t.step("health: x of y, and what each service says", async () => {
      await status.getByText("2/2 healthy").waitFor();
      await service("app").getByText("healthy").first().waitFor();
    });

    await t.step("stop and start, and busy meanwhile", async () => {
      await actions.getByRole("button", { name: "Stop", exact: true }).first().click();
      await page.locator(".work-strip, [aria-busy=true]").first().waitFor();
      await status.getByText("stopped").waitFor();
      assert.equal((await containersOf(sandbox, "one")).app?.state, "exited");
      await actions.getByRole("button", { name: "Start", exact: true }).first().click();
      await page.locator(".work-strip, [aria-busy=true]").first().waitFor();
      await status.getByText("2/2 healthy").waitFor();
    });

    await t.step(
      "logs: as they come, of the services that are chosen, until one stops",
      async () => {
        await visit(page, `${at}/logs`);
        await page.locator(".log-line", { hasText: "the app is up" }).first().waitFor();
        await page.locator(".log-line", { hasText: "the db is up" }).first().waitFor();
        await page.locator(".chip", { hasText: "db" }).click();
        await page.waitForURL(/service=db/);
        await until("only lines of db", async () => {
          const lines = await page.locator(".log-line").allInnerTexts();
          return lines.length > 0 && lines.every((line) => line.includes("the db is up"));
        });
        await page.getByText("Following").waitFor();
        const { db } = await containersOf(sandbox, "one");
        await docker("exec", db?.id ?? "", "sh", "-c", "echo as it comes > /proc/1/fd/1");
        await page.locator(".log-line", { hasText: "as it comes" }).waitFor();
        // Whoever scrolls up has stopped, and is told how much came.
        const lines = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done > /proc/1/fd/1";
        await docker("exec", db?.id ?? "", "sh", "-c", lines);
        await page.locator(".log-line", { hasText: "line 300" }).waitFor();
        await page.locator(".log-lines").hover();
        await page.mouse.wheel(0, -600);
        await page.getByText("new lines wait below").waitFor();
        await docker("exec", db?.id ?? "", "sh", "-c", "echo one more > /proc/1/fd/1");
        await page.getByText(/^\d+ new lines?$/).click();
        await page.locator(".log-line", { hasText: "one more" }).waitFor();
      },
    );

    await t.step(
      "updates by themselves, a refresh by hand, and when the last one came",
      async () => {
        await visit(page, at);
        await docker("stop", "--time=0", (await containersOf(sandbox, "one")).app?.id ?? "");
        await status.getByText("partial").waitFor();
        await sandbox.pass("up one");
        await status.getByText("2/2 healthy").waitFor();
        const time = page.locator(".connection time");
        assert.match(await time.innerText(), /^\d\d?:\d\d:\d\d/);
        const before = await time.innerText();
        // What comes within the same second shows the same time.
        await until("a new time", async () => {
          await page.getByRole("button", { name: "Refresh" }).click();
          return await time.innerText() !== before;
        });
      },
    );

    await t.step("errors are shown, with what helps", async () => {
      await visit(page, `${server.origin}/projects/${sandbox.project}/two`);
      await sandbox.write(
        `${sandbox.worktree("two")}/docker-compose.yml`,
        "services: { app: { image: ' ' } }\n",
      );
      await actions.getByRole("button", { name: "Start", exact: true }).first().click();
      await page.getByRole("tab", { name: "Activity" }).click();
      const operation = page.locator(".operation", { hasText: "failed" }).first();
      await operation.waitFor();
      assert.match(await operation.innerText(), /image/);
      assert.notEqual((await sandbox.json("status two")).environment.status, "running");
      await sandbox.git("-C", sandbox.worktree("two"), "checkout", "--", ".");
    });

    chromium.requireNoProblems(/status of (400|409|500)/);
  },
});
