/**
 * A real Chromium in front of a `piko server`: lets itself in as a person would, and notes whatever a page must not do: errors
 * in its console, requests to anywhere else, and what the policy had to forbid.
 */

import assert from "node:assert/strict";
import axe from "axe-core/axe.min.js" with { type: "text" };
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Server } from "../server.ts";

/** Milliseconds that anything in the browser may take on a machine that does other things too. */
export const PATIENCE = 60_000;

/** Writes to the console what the policy forbids; a script of the browser's, which the policy does not concern. */
const TELL_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) => {
  console.error("The policy forbids " + event.violatedDirective + " of " + event.blockedURI);
});`;

/** How a page is opened. */
export interface PageOptions {
  width?: number;
  height?: number;
  colorScheme?: "light" | "dark";
}

/** A browser, its pages, and what they did that they must not do. */
export class Chromium implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  readonly problems: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Starts one; without a screen it draws no scroll bars, unless it is told to. */
  static async start({ hasScrollBars = false } = {}): Promise<Chromium> {
    return new Chromium(
      await chromium.launch({
        executablePath: "/usr/bin/chromium",
        ...(hasScrollBars ? { ignoreDefaultArgs: ["--hide-scrollbars"] } : {}),
        timeout: PATIENCE,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      }),
    );
  }

  /** Opens a page with a profile of its own, and lets it in. */
  async open(server: Server, options: PageOptions = {}): Promise<Page> {
    const { width = 1280, height = 800, colorScheme = "light" } = options;
    const context = await this.#browser.newContext({ viewport: { width, height }, colorScheme });
    this.#contexts.push(context);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    context.setDefaultTimeout(PATIENCE);
    context.setDefaultNavigationTimeout(PATIENCE);
    await context.addInitScript({ content: TELL_VIOLATIONS });
    const page = await context.newPage();
    this.#watch(page, server.origin);
    await visit(page, server.loginUrl);
    return page;
  }

  /** Fails when a page did what it must not do; `allowed` are patterns of what a test has brought about. */
  requireNoProblems(...allowed: RegExp[]): void {
    const found = this.problems.filter((problem) =>
      !allowed.some((pattern) => pattern.test(problem))
    );
    assert.deepEqual(found, []);
  }

  #watch(page: Page, origin: string): void {
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      // What reload.ts is for; whoever starts containers brings it about.
      if (message.text().includes("net::ERR_NETWORK_CHANGED")) return;
      // Told below, with what was asked for.
      if (message.text().includes("the server responded with a status of")) return;
      this.problems.push(`${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.problems.push(`exception: ${error.stack ?? error}`));
    page.on("response", (response) => {
      if (response.status() < 400) return;
      const { pathname } = new URL(response.url());
      this.problems.push(`${response.status()} ${response.request().method()} ${pathname}`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && url.protocol !== "blob:" && url.protocol !== "data:") {
        this.problems.push(`request to ${url}`);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()));
    await this.#browser.close();
  }
}

/** Goes to an address and waits until the page works; a network that comes or goes breaks navigations off. */
export async function visit(page: Page, url: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      await page.goto(url);
      break;
    } catch (error) {
      const isNetwork = error instanceof Error && error.message.includes("ERR_NETWORK_CHANGED");
      if (!isNetwork || attempt === 10) throw error;
    }
  }
  await ready(page);
}

/** Waits until the page's scripts run. */
export async function ready(page: Page): Promise<void> {
  await page.waitForSelector("html[data-ready]", { timeout: PATIENCE });
}

/** The sizes and themes that every view must be right in. */
const LOOKS = [
  { width: 1280, height: 800, colorScheme: "light" },
  { width: 1280, height: 800, colorScheme: "dark" },
  { width: 380, height: 800, colorScheme: "light" },
  { width: 380, height: 800, colorScheme: "dark" },
] as const;

/** Fails when something keeps people out of a page as it is, in any size and theme: axe-core's serious and critical findings. */
export async function requireNoBarriers(page: Page, view: string): Promise<void> {
  const before = page.viewportSize();
  await page.evaluate(axe);
  for (const { width, height, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate<AxeResult>("axe.run()");
    const found = violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html }) => html).join("\n")}`);
    assert.deepEqual(found, [], `${view} at ${width}, ${colorScheme}`);
  }
  if (before !== null) await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: "light" });
}

/** The part of axe-core's answer that is read here. */
interface AxeResult {
  violations: { id: string; impact: string; help: string; nodes: { html: string }[] }[];
}
