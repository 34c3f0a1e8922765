/** The page of `piko server` in a real Chromium, from the first environment to the hundredth. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { enterEnvironments, removeEnvironments } from "../../scripts/bench/many_environments.ts";
import { Server } from "../server.ts";
import { Chromium, ready, requireNoBarriers, visit } from "./browser.ts";

const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command:
      - sh
      - -c
      - |
        echo '<h1>Hello from the container</h1>' > /tmp/index.html
        httpd -p 8080 -h /tmp
        echo 'a warning' >&2
        printf '\\033[32mgreen\\033[0m <b>no markup</b> \\033]0;title\\007end\\n'
        printf 'is \\342\\200\\256nimda\\n'
        i=0; while true; do i=$$((i+1)); echo "tick $$i"; sleep 0.1; done
    ports: ["8080"]
  db:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sh -c 'echo "ready to accept connections"; echo ${"x".repeat(200)}; exec sleep 100000'
    ports: ["5432"]
`;

/** A setup script that waits in its middle until the test lets it go on. */
const CONFIG = `scripts:
  setup: |
    echo "setting up $PIKO_ENV_NAME"
    while [ "$PIKO_ENV_NAME" = feature-auth ] && ! [ -e "$PIKO_ROOT/.go-on" ]; do sleep 0.1; done
    echo "all set up"
`;

const row = (page: Page, name: string) => page.locator("a.row", { hasText: name });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const status = (page: Page) => page.locator(".environment-title .status");

/** Has a page believe that its tab is shown or hidden, which no browser without a screen does by itself. */
async function show(page: Page, state: "visible" | "hidden"): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, "visibilityState", {
    configurable: true,
    value: ${JSON.stringify(state)},
  });
  document.dispatchEvent(new Event("visibilitychange"))`);
}

/** Runs the steps of a test one by one; each needs what the ones before it have done. */
function stepper(t: Deno.TestContext): (name: string, fn: () => Promise<void>) => Promise<void> {
  return async (name, fn) => {
    if (!await t.step(name, fn)) throw new Error(`It did not get further than: ${name}`);
  };
}

Deno.test({
  name: "the page makes, shows, stops, starts and destroys an environment",
  ...needs("git", "engine", "compose", "images", "chromium"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        "docker-compose.yml": COMPOSE,
        ".piko.yml": CONFIG,
        ".gitignore": ".go-on\n",
      },
      init: true,
    });
    const { project } = sandbox;
    const at = `/projects/${project}/feature-auth`;
    let server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const step = stepper(t);
    try {
      await step("says how to begin where nothing is yet", async () => {
        await page.getByText("No environments yet").first().waitFor();
        assert.equal(new URL(page.url()).pathname, "/");
      });

      await step("tells mistakes at their field", async () => {
        await page.keyboard.press("n");
        await page.getByLabel("Name").fill("main");
        await page.getByText("Branch main is checked out in").waitFor();
        await page.getByLabel("Name").fill("feature/auth");
        await page.getByText("The environment will be called feature-auth").waitFor();
        await page.getByLabel("Base").fill("no-such-commit");
        await button(page, "Create feature-auth").click();
        await page.locator("#create-from-note.field-problem").waitFor();
        assert.equal(await page.getByLabel("Base").getAttribute("aria-invalid"), "true");
        await page.getByLabel("Base").fill("");
      });

      await step("creates with live steps, which a reload does not lose", async () => {
        await page.getByText("New branch feature/auth from HEAD").waitFor();
        await page.keyboard.press("Enter");
        await row(page, "feature-auth").waitFor();
        await page.waitForURL(`**${at}/activity`);
        await page.getByText("setting up feature-auth").waitFor();
        await page.reload();
        await ready(page);
        await page.getByText("setting up feature-auth").waitFor();
        await page.locator(".step", { hasText: "Worktree" }).first().locator(".glyph-check")
          .waitFor();
        assert.match(await row(page, "feature-auth").innerText(), /creating…/);
        assert.equal(await page.getByText("all set up").count(), 0);
        await sandbox.write(".go-on", "");
        await page.getByText("all set up").waitFor();
        await page.locator(".operation", { hasText: "Created" }).waitFor();
        await status(page).getByText("2/2 healthy").waitFor();
      });

      await step("links ports that open, and has the others to copy", async () => {
        await page.keyboard.press("1");
        await page.waitForURL(`**${at}`);
        const [opened] = await Promise.all([
          page.waitForEvent("popup"),
          page.locator(".port-link").click(),
        ]);
        await opened.getByText("Hello from the container").waitFor();
        assert.equal(await opened.evaluate("opener"), null);
        await opened.close();
        const database = page.locator(".service", { hasText: "db" }).locator(".copy");
        const address = /postgres:\/\/localhost:\d+/.exec(await database.innerText())?.[0];
        assert.ok(address !== undefined, await database.innerText());
        await database.click();
        await page.locator(".copy-copied").waitFor();
        assert.equal(await page.evaluate("navigator.clipboard.readText()"), address);
        const { environment } = await sandbox.json("status feature-auth");
        assert.match(await page.locator(".environment-head").innerText(), /feature\/auth/);
        await page.getByText(environment.path, { exact: true }).first().waitFor();
        await page.locator(".actions").getByText(`piko attach ${project}/feature-auth`).waitFor();
      });

      await step("streams logs as text, in colours, and finds in them", async () => {
        await page.keyboard.press("2");
        await page.waitForURL(`**${at}/logs`);
        await page.locator(".log-line", { hasText: /tick \d+/ }).first().waitFor();
        await page.keyboard.press("f");
        await page.keyboard.type("tick 1");
        await page.locator(".log-line mark", { hasText: "tick 1" }).first().waitFor();
        await page.waitForURL(/find=tick/);
        await button(page, "Regular expression").click();
        await page.getByLabel("Find in the logs").fill("green|(");
        await page.locator(".find-result", { hasText: /group/i }).waitFor();
        await page.getByLabel("Find in the logs").fill("gre+n");
        await button(page, "Only lines that match").click();
        const line = page.locator(".log-line", { hasText: "green" });
        await line.waitFor();
        assert.match(await line.innerText(), /web\s+green <b>no markup<\/b> end/);
        assert.equal(await line.locator(".ansi-fg-2").innerText(), "green");
        await until(
          "only the lines that match",
          async () => await page.locator(".log-line").count() === 1,
        );
        const warning = page.locator(".log-line", { hasText: "a warning" });
        const find = page.getByLabel("Find in the logs");
        await find.fill("never writ+en");
        await page.getByText(/^None of [\d,]+ lines matches “never writ\+en”$/).waitFor();
        await button(page, "Show all lines").click();
        await page.locator(".log-line", { hasText: /tick \d+/ }).first().waitFor();
        await page.waitForURL((url) => !url.searchParams.has("only"));
        await button(page, "Only lines that match").click();
        await find.fill("nimda");
        const turned = page.locator(".log-line", { hasText: "nimda" });
        await turned.locator("mark").waitFor();
        assert.match(await turned.innerText(), /web\s+is U\+202Enimda$/);
        await find.fill("a warning");
        await warning.getByRole("img", { name: "stderr" }).waitFor();
        await find.fill("tick 1$");
        await page.locator(".log-line", { hasText: "tick 1" }).waitFor();
        assert.equal(await page.locator(".log-line .log-mark").count(), 0, "a mark of stdout");
        await find.press("Escape");
        assert.equal(await find.inputValue(), "");
        await page.waitForURL((url) => !url.searchParams.has("find"));
        await page.keyboard.press("3");
        await page.waitForURL(`**${at}/activity`);
        await visit(page, `${server.origin}${at}/logs?service=db`);
        await page.getByText("ready to accept connections").waitFor();
        assert.equal(await page.getByText(/tick \d+/).count(), 0);
      });

      await step("gives up an expression that takes too long, and finds the next one", async () => {
        const query = new URLSearchParams({ service: "db", find: "(x+x+)+y", regex: "1" });
        await visit(page, `${server.origin}${at}/logs?${query}`);
        await page.locator(".find-result", { hasText: "This expression takes too long" }).waitFor();
        await page.getByText("ready to accept connections").waitFor();
        await page.getByLabel("Find in the logs").fill("rea.y");
        await page.locator(".log-line mark", { hasText: "ready" }).waitFor();
        await page.locator(".find-result", { hasText: /^1$/ }).waitFor();
        await button(page, "Clear").click();
        await page.getByText("No lines yet").waitFor();
      });

      await step("keeps nobody out", async () => {
        await visit(page, `${server.origin}${at}/logs?find=tick&times=1`);
        await page.locator(".log-line mark").first().waitFor();
        await requireNoBarriers(page, "logs");
        await page.keyboard.press("1");
        await page.getByText("Everything is committed").waitFor();
        await requireNoBarriers(page, "overview");
        await page.keyboard.press("3");
        await page.getByText("all set up").waitFor();
        await requireNoBarriers(page, "activity");
      });

      await step("stops following while one reads, and says how much came", async () => {
        await visit(page, `${server.origin}${at}/logs?service=web`);
        await page.getByText("Following").waitFor();
        await until(
          "more lines than fit",
          () =>
            page.locator(".log-lines").evaluate((box) => box.scrollHeight > 2 * box.clientHeight),
        );
        await page.locator(".log-lines").hover();
        await page.mouse.wheel(0, -300);
        await page.getByText(/^\d+ new lines?$/).waitFor();
        const read = await page.locator(".log-line").nth(15).innerText();
        const place = await page.locator(".log-line", { hasText: read }).first().boundingBox();
        const before = await page.locator(".logs-news").innerText();
        await until(
          "more lines",
          async () => await page.locator(".logs-news").innerText() !== before,
        );
        const now = await page.locator(".log-line", { hasText: read }).first().boundingBox();
        assert.equal(now?.y, place?.y, "what is read stays where it is");
        await page.keyboard.press("End");
        await page.getByText("Following").waitFor();
      });

      await step("sees what docker does elsewhere", async () => {
        const { environment } = await sandbox.json("status feature-auth");
        const containers = await docker(
          "ps",
          "--quiet",
          `--filter=label=com.docker.compose.project=${environment.composeProject}`,
        );
        await docker("stop", "--time=0", ...containers.split("\n"));
        await status(page).getByText("stopped").waitFor();
        await row(page, "feature-auth").getByText("stopped").waitFor();
      });

      await step("starts it again", async () => {
        await button(page, "Start").click();
        await status(page).getByText("2/2 healthy").waitFor();
        await page.keyboard.press("2");
        await page.locator(".log-line", { hasText: /tick \d+/ }).last().waitFor();
      });

      await step("stops one service", async () => {
        await page.keyboard.press("1");
        await button(page, "Stop db").click();
        await status(page).getByText("partial").waitFor();
        await page.locator(".service", { hasText: "db" }).getByText("exited").waitFor();
      });

      await step("says at the environment why a start failed, until it is mended", async () => {
        const file = `${sandbox.worktree("feature-auth")}/docker-compose.yml`;
        await sandbox.write(file, `${COMPOSE}  broken: [\n`);
        await button(page, "Start").click();
        const failure = page.getByRole("region", { name: "Start failed" });
        await failure.getByText("docker-compose.yml").first().waitFor();
        await page.reload();
        await ready(page);
        await failure.waitFor();
        await requireNoBarriers(page, "a failed start");
        await sandbox.write(file, COMPOSE);
        await sandbox.pass("up feature-auth");
        await status(page).getByText("2/2 healthy").waitFor();
        await failure.waitFor({ state: "detached" });
      });

      await step("refuses to destroy unsaved work, and says what", async () => {
        await sandbox.write(`${sandbox.worktree("feature-auth")}/notes.txt`, "not saved\n");
        await page.locator(".actions").getByRole("button", { name: "Destroy" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByText("untracked").first().waitFor();
        await dialog.getByRole("button", { name: "Destroy" }).click();
        await dialog.getByText("has work that is not committed").waitFor();
        await dialog.getByText("notes.txt").waitFor();
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        assert.ok(await sandbox.exists(`${sandbox.worktree("feature-auth")}/notes.txt`));
      });

      await t.step(
        "finds the server again after it was restarted, and what it has missed",
        async () => {
          await server.stop();
          await page.getByText("The server is gone.").waitFor();
          await page.getByText("Start it again").waitFor();
          await sandbox.pass("create while-away --no-attach --no-start");
          server = await server.again();
          await page.locator(".connection", { hasText: "Live" }).waitFor();
          await row(page, "while-away").waitFor();
          await page.getByText("The server is gone.").waitFor({ state: "detached" });
        },
      );

      await step("destroys it in a second step", async () => {
        await page.locator(".actions").getByRole("button", { name: "Destroy" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("Remove its volumes too").check();
        await dialog.getByRole("button", { name: "Destroy" }).click();
        await dialog.getByRole("button", { name: "Destroy anyway" }).click();
        await page.getByText("It was destroyed").waitFor();
        await row(page, "feature-auth").waitFor({ state: "detached" });
        assert.equal(await sandbox.exists(sandbox.worktree("feature-auth")), false);
        const branches = await sandbox.git("branch", "--list", "feature/auth");
        assert.match(branches, /feature\/auth/);
      });

      chromium.requireNoProblems(
        // The test itself has stopped the server, and asked for what is refused.
        /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)/,
        /^404 POST \/api\/projects\/\w+\/environments$/,
        /^409 DELETE /,
      );
    } finally {
      await server[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "the page shows a hundred environments, by keyboard, on a narrow screen, and to everybody",
  ...needs("git", "chromium"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ init: true });
    const { project } = sandbox;
    const names = Array.from({ length: 100 }, (_, index) => `e${index + 1}`);
    // Not those that the sandbox's own environments get.
    const slots = sandbox.firstSlot > 110 ? "1-110" : "111-220";
    await enterEnvironments(sandbox.variables, names, slots);
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const page = await chromium.open(server);
    const path = () => new URL(page.url()).pathname;
    const focused = () => page.evaluate<string>("document.activeElement.innerText");
    const step = stepper(t);

    await step("lists them all in their order", async () => {
      await page.getByText("100 environments").waitFor();
      const listed = await page.locator(".row-name").allInnerTexts();
      assert.deepEqual(listed, names);
    });

    await step("filters, and goes through them by keyboard", async () => {
      await page.keyboard.press("/");
      await page.keyboard.type("e4");
      await page.getByText("11 of 100").waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      await page.keyboard.press("k");
      assert.match(await focused(), /^e40\b/);
      await page.keyboard.press("Enter");
      await page.locator("h1", { hasText: `${project}/e40` }).waitFor();
      assert.equal(path(), `/projects/${project}/e40`);
      assert.match(await focused(), /^e40\b/, "the next j goes on from here");
      await page.keyboard.press("Escape");
      await page.locator(".home").waitFor();
      assert.equal(path(), "/");
      await page.goBack();
      await page.locator("h1", { hasText: "e40" }).waitFor();
    });

    await step("does everything by the palette", async () => {
      await page.keyboard.press("Control+k");
      await page.keyboard.type("variables e57");
      await page.locator(".command-active", { hasText: "Variables of e57" }).waitFor();
      await page.keyboard.press("Enter");
      await page.getByText("PIKO_ENV_NAME").waitFor();
      assert.equal(path(), `/projects/${project}/e57/variables`);
      await page.keyboard.press("Control+k");
      await page.keyboard.type("nothing like this");
      await page.getByText("No command matches").waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await page.getByRole("dialog").getByText("Previous environment").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    });

    await step("sees what others enter and remove", async () => {
      await visit(page, server.origin);
      await sandbox.pass("create zebra --no-attach");
      await row(page, "zebra").waitFor();
      await page.getByText("101 environments").waitFor();
      await sandbox.pass("destroy zebra --yes");
      await row(page, "zebra").waitFor({ state: "detached" });
    });

    await step("lets its connections go while nobody looks, and catches up", async () => {
      await show(page, "hidden");
      await page.locator(".connection", { hasText: "Resting" }).waitFor();
      await sandbox.pass("create meanwhile --no-attach");
      assert.equal(await row(page, "meanwhile").count(), 0);
      await show(page, "visible");
      await page.locator(".connection", { hasText: "Live" }).waitFor();
      await row(page, "meanwhile").waitFor();
      await sandbox.pass("destroy meanwhile --yes");
      await row(page, "meanwhile").waitFor({ state: "detached" });
    });

    await step("loads again when a file of it could not be loaded", async () => {
      let isBroken = true;
      await page.route("**/live.ts", async (route) => {
        if (isBroken) await route.abort("connectionfailed");
        else await route.continue();
        isBroken = false;
      });
      await visit(page, server.origin);
      assert.equal(isBroken, false);
      await page.unroute("**/live.ts");
    });

    await step("says so when an address names nothing", async () => {
      await visit(page, `${server.origin}/projects/${project}/nothing`);
      await page.getByText("There is no environment “nothing”").waitFor();
      await button(page, "Create nothing").click();
      assert.equal(await page.getByLabel("Name").inputValue(), "nothing");
      await page.keyboard.press("Escape");
    });

    await step("shows one side after the other where there is no room for both", async () => {
      await page.setViewportSize({ width: 380, height: 800 });
      await visit(page, server.origin);
      await row(page, "e7").first().click();
      await page.locator("h1", { hasText: "e7" }).waitFor();
      assert.equal(await page.locator(".list").isVisible(), false);
      const overflow =
        "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      assert.equal(await page.evaluate(overflow), 0, "nothing sticks out");
      await page.getByRole("link", { name: "All environments" }).last().click();
      await page.locator(".list").waitFor();
      assert.match(await focused(), /^e7\b/, "the focus is back where it was");
      await page.setViewportSize({ width: 1280, height: 800 });
    });

    await step("keeps nobody out", async () => {
      await requireNoBarriers(page, "list");
      await visit(page, `${server.origin}/projects/${project}/e3/variables`);
      await page.getByText("PIKO_ENV_NAME").waitFor();
      await requireNoBarriers(page, "variables");
      await page.keyboard.press("Control+k");
      await page.locator(".command").first().waitFor();
      await requireNoBarriers(page, "palette");
      await page.keyboard.press("Escape");
      await page.keyboard.press("n");
      await page.getByLabel("Name").fill("e3");
      await page.getByText("There is an environment e3 already").waitFor();
      await requireNoBarriers(page, "form");
      await page.keyboard.press("Escape");
      await page.locator(".actions").getByRole("button", { name: "Destroy" }).click();
      await page.getByRole("dialog").waitFor();
      await requireNoBarriers(page, "destroy");
    });

    await step("says how to get in again when its key is worth nothing any more", async () => {
      await visit(page, server.origin);
      const renewed = await fetch(`${server.origin}/api/token`, {
        method: "POST",
        headers: { ...await server.key(), "content-type": "application/json" },
        body: "{}",
      });
      const { url } = await renewed.json();
      await page.getByText("This browser may not see the server any more").waitFor();
      await page.goto(`${server.origin}/projects/${project}/e1`);
      await page.getByText("piko server", { exact: true }).waitFor();
      await requireNoBarriers(page, "the page of those outside");
      await visit(page, url);
      await page.getByText("100 environments").waitFor();
    });

    chromium.requireNoProblems(/net::ERR_CONNECTION_FAILED/, /^401 GET /);
    removeEnvironments(sandbox.variables);
  },
});
