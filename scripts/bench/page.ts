/**
 * Measures the page of `piko server` in a real Chromium: how soon it is there with a hundred environments, how soon it shows
 * what happens to a container, what it makes of a million log lines, and how many requests the server answers.
 */

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { PikoError } from "../../src/domain/errors.ts";
import { pause } from "../../src/programs/pause.ts";
import { run, type Variables } from "../../src/programs/run.ts";
import { say } from "../machine/say.ts";
import { requestsPerSecond } from "./load.ts";
import { enterEnvironments } from "./many_environments.ts";
import { type Timing, timing } from "./measure.ts";
import type { Place } from "./place.ts";

/** How many environments the page shows. */
const ENVIRONMENTS = 100;

/** How many lines a container writes. */
const LINES = 1_000_000;

/** Milliseconds that anything may take before it counts as broken. */
const PATIENCE = 180_000;

/** Milliseconds after which it is looked again what a flood has left in memory. */
const SETTLING = 20_000;

/** A container that is stopped and started, and one that writes its lines as soon as it is told to. */
const COMPOSE = `services:
  idle:
    image: busybox:1.36
    command: [sleep, infinity]
    init: true
    stop_grace_period: 0s
    network_mode: none
  loud:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    network_mode: none
    command:
      - sh
      - -c
      - |
        until [ -e /go ]; do sleep 0.1; done
        awk 'BEGIN { for (i = 1; i <= ${LINES}; i++)
          printf "%07d GET /api/orders?page=%d 200 in %d ms, as a web server might write it\\n", i, i % 50, i % 90 }'
        exec sleep infinity
`;

/** One line of the table. */
export interface Row {
  what: string;
  value: string;
  wanted?: string;
  isMet?: boolean;
}

/** Measures everything, and returns the lines of the table. */
export async function measurePage(
  place: Place,
  rounds: number,
  signal: AbortSignal,
): Promise<Row[]> {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    return [
      ...await measureMany(place, browser, rounds, signal),
      ...await measureContainers(place, browser, rounds, signal),
    ];
  } finally {
    await browser.close();
  }
}

/** The page and the API with a hundred environments, in a registry of their own. */
async function measureMany(
  place: Place,
  browser: Browser,
  rounds: number,
  signal: AbortSignal,
): Promise<Row[]> {
  const variables = { ...place.variables, PIKO_HOME: `${place.folder}/registry-of-many` };
  const repository = await place.makeRepository("many", { "README.md": "# Many\n" });
  await run([place.piko, "init", "--name", `${place.prefix}-many`], { cwd: repository, variables });
  const names = Array.from({ length: ENVIRONMENTS }, (_, index) => `e${index + 1}`);
  await enterEnvironments(variables, names);
  await using server = await Server.start(place.piko, repository, variables);

  say(`Measuring the page with ${ENVIRONMENTS} environments, ${rounds} rounds`);
  const paints: number[] = [];
  const ready: number[] = [];
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    await using tab = await Tab.open(browser, await server.login());
    await tab.page.goto(server.origin);
    await tab.page.waitForSelector("html[data-ready]");
    paints.push(
      await tab.page.evaluate<number>(
        `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN`,
      ),
    );
    ready.push(await tab.page.evaluate<number>("readyAt"));
  }

  say("Measuring requests");
  const answer = await fetch(`${server.origin}/api/environments`, { headers: server.headers });
  const body = new Uint8Array(await answer.arrayBuffer());
  await using bare = await bareServer(place, body, answer.headers.get("content-type") ?? "");
  const target = { origin: server.origin, path: "/api/environments", headers: server.headers };
  const other = { origin: bare.origin, path: "/", headers: {} };
  const rates = { piko: [] as number[], bare: [] as number[] };
  for (let round = 0; round < 5; round++) {
    signal.throwIfAborted();
    rates.piko.push(await requestsPerSecond(target));
    rates.bare.push(await requestsPerSecond(other));
  }
  const [own, theirs] = [timing(rates.piko).median, timing(rates.bare).median];
  return [
    { what: `first paint, ${ENVIRONMENTS} environments`, value: inMilliseconds(timing(paints)) },
    {
      what: `time to interactive, ${ENVIRONMENTS} environments`,
      value: inMilliseconds(timing(ready)),
    },
    {
      what: `\`GET /api/environments\`, ${Math.round(body.length / 1000)} KB`,
      value: `${count(own)} requests/s, ${(own / theirs).toFixed(2)} × of a bare \`Deno.serve\` (${
        count(theirs)
      })`,
    },
  ];
}

/** What goes on in containers, until it is on the screen. */
async function measureContainers(
  place: Place,
  browser: Browser,
  rounds: number,
  signal: AbortSignal,
): Promise<Row[]> {
  const variables = { ...place.variables, PIKO_HOME: `${place.folder}/registry-of-page` };
  const repository = await place.makeRepository("page", { "docker-compose.yml": COMPOSE });
  await run([place.piko, "init", "--name", `${place.prefix}-page`], { cwd: repository, variables });
  await run([place.piko, "create", "--no-attach", "busy"], { cwd: repository, variables });
  await using server = await Server.start(place.piko, repository, variables);
  const container = async (service: string) => {
    const format = ["--format", "{{.Names}}"];
    const named = ["--filter", `name=${place.prefix}-page-busy-${service}`];
    return (await place.run(["docker", "ps", ...named, ...format])).trim();
  };

  await using tab = await Tab.open(browser, await server.login());
  const at = `${server.origin}/projects/${place.prefix}-page/busy`;
  say(`Measuring from event to screen, ${rounds} rounds`);
  await tab.page.goto(at);
  await tab.page.waitForSelector("html[data-ready]");
  await tab.page.locator(".connection", { hasText: "Live" }).waitFor();
  const delays = await measureEvents(place, tab.page, await container("idle"), rounds, signal);

  say(`Measuring ${count(LINES)} log lines`);
  await tab.page.goto(`${at}/logs?service=loud`);
  await tab.page.getByText("Following").waitFor();
  const calm = await tab.memory();
  const start = performance.now();
  await place.run(["docker", "exec", await container("loud"), "touch", "/go"]);
  await tab.page.locator(".log-line", { hasText: String(LINES).padStart(7, "0") })
    .waitFor({ timeout: PATIENCE });
  const seconds = (performance.now() - start) / 1000;
  const told = await tab.page.locator(".logs-count").innerText();
  const after = await tab.memory();
  const serverAfter = await server.memory();
  await pause(SETTLING);
  const [settled, serverSettled] = [await tab.memory(), await server.memory()];
  const came = Number(/of ([\d,]+) lines/.exec(told)?.[1]?.replaceAll(",", "") ?? 0);
  return [
    {
      what: "from a container's event to the screen",
      value: inMilliseconds(delays),
      wanted: "≤ 150 ms",
      isMet: delays.median <= 150,
    },
    {
      what: `log lines from container to page, ${count(LINES)} at once`,
      value: `${count(LINES / seconds)} lines/s, ${count(LINES - came)} lost`,
    },
    {
      what: `memory of the tab after ${count(LINES)} lines`,
      value: `${after} MB, ${settled} MB ${SETTLING / 1000} s later, ${calm} MB before`,
      wanted: "≤ 150 MB",
      isMet: after <= 150,
    },
    {
      what: `memory of the server after ${count(LINES)} lines`,
      value: `${serverAfter.all} MB, ${serverSettled.all} MB ${SETTLING / 1000} s later; ` +
        `${serverAfter.own} MB without the files it runs from`,
      wanted: "≤ 120 MB",
      isMet: serverAfter.all <= 120,
    },
  ];
}

/** Stops and starts a container; from the time that the engine says to the picture that shows it. */
async function measureEvents(
  place: Place,
  page: Page,
  container: string,
  rounds: number,
  signal: AbortSignal,
): Promise<Timing> {
  // A state is on the screen with the first picture after it is in the document.
  await page.evaluate(`{
    globalThis.seen = [];
    const note = () => {
      const word = document.querySelector(".service .status-word").textContent;
      if (seen.at(-1)?.word === word) return;
      seen.push({ word, at: NaN });
      const entry = seen.at(-1);
      requestAnimationFrame(() => requestAnimationFrame(() => entry.at = performance.timeOrigin + performance.now()));
    };
    note();
    new MutationObserver(note).observe(document.querySelector(".services"), {
      subtree: true, childList: true, characterData: true,
    });
  }`);
  const delays: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (
      const [action, event, word] of [["stop", "die", "exited"], ["start", "start", "running"]]
    ) {
      signal.throwIfAborted();
      const since = (Date.now() / 1000).toFixed(3);
      await place.run(["docker", action ?? "", container]);
      await page.locator(".service").first().locator(".status-word", { hasText: word ?? "" })
        .waitFor();
      const shown = await page.evaluate<number>(`new Promise((resolve) => {
        const look = () => {
          const { at } = seen.at(-1);
          if (Number.isFinite(at)) resolve(at);
          else requestAnimationFrame(look);
        };
        look();
      })`);
      const happened = await place.run([
        ...["docker", "events", "--since", since, "--until", (Date.now() / 1000).toFixed(3)],
        ...["--filter", `container=${container}`, "--filter", `event=${event}`],
        ...["--format", "{{.TimeNano}}"],
      ]);
      delays.push(shown - Number(happened.trim().split("\n")[0]) / 1e6);
    }
  }
  return timing(delays);
}

/** A tab with a profile of its own, let in. */
class Tab implements AsyncDisposable {
  readonly page: Page;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
  }

  static async open(browser: Browser, login: string): Promise<Tab> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(PATIENCE);
    await context.addInitScript({
      content: `new MutationObserver((_, observer) => {
        if (document.documentElement?.dataset.ready === undefined) return;
        globalThis.readyAt = performance.now();
        observer.disconnect();
      }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] });`,
    });
    // The address that lets it in leads to the page, whose files would be in the cache of the one that is measured.
    await fetch(login, { redirect: "manual" }).then(async (response) => {
      await response.body?.cancel();
      const [cookie = ""] = response.headers.getSetCookie();
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      await context.addCookies([{ name, value, url: new URL(login).origin }]);
    });
    return new Tab(context, await context.newPage());
  }

  /** The private memory of the page's process, in megabytes. */
  async memory(): Promise<number> {
    const session = await this.#context.newCDPSession(this.page);
    const { processInfo } = await this.#processes();
    await session.detach();
    const sizes = await Promise.all(
      processInfo.filter(({ type }) => type === "renderer").map(async ({ id }) => {
        const rollup = await Deno.readTextFile(`/proc/${id}/smaps_rollup`);
        return [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)]
          .reduce((sum, [, size]) => sum + Number(size), 0);
      }),
    );
    // The others are of blank pages that the browser keeps ready.
    return megabytes(Math.max(...sizes));
  }

  async #processes() {
    const browser = this.#context.browser();
    if (browser === null) throw new TypeError("A context without a browser");
    const session = await browser.newBrowserCDPSession();
    const found = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

/** Makes megabytes of what /proc tells in units of 1024 bytes. */
function megabytes(kibibytes: number): number {
  return Math.round(kibibytes * 1024 / 1e6);
}

/** A `piko server`. */
class Server implements AsyncDisposable {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, origin: string, token: string) {
    this.#process = process;
    this.origin = origin;
    this.headers = { authorization: `Bearer ${token}` };
  }

  static async start(piko: string, cwd: string, variables: Variables): Promise<Server> {
    const process = new Deno.Command(piko, {
      args: ["server", "--no-open", "--port", "0"],
      cwd,
      env: { ...variables },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const address = await addressIn(process.stdout);
    const token = await Deno.readTextFile(`${variables["PIKO_HOME"]}/server-token`);
    return new Server(process, address.origin, token.trim());
  }

  /** Makes an address that lets a browser in. */
  async login(): Promise<string> {
    const answer = await fetch(`${this.origin}/api/tickets`, {
      method: "POST",
      headers: { ...this.headers, "content-type": "application/json" },
      body: "{}",
    });
    return (await answer.json()).url;
  }

  /** The memory that it has, and how much of it is not of files that others have in memory too; in megabytes. */
  async memory(): Promise<{ all: number; own: number }> {
    const status = await Deno.readTextFile(`/proc/${this.#process.pid}/status`);
    const size = (name: string) =>
      megabytes(Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]));
    return { all: size("VmRSS"), own: size("RssAnon") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}

/** Starts a server that does nothing but answer the same bytes. */
async function bareServer(
  place: Place,
  body: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<AsyncDisposable & { origin: string }> {
  const file = `${place.folder}/bare.js`;
  await Deno.writeFile(`${place.folder}/bare.bin`, body);
  await Deno.writeTextFile(
    file,
    `const body = Deno.readFileSync(Deno.args[0]);
    const headers = { "content-type": Deno.args[1] };
    const onListen = ({ port }) => console.log("http://127.0.0.1:" + port + "/");
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, () => new Response(body, { headers }));`,
  );
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "-A", file, `${place.folder}/bare.bin`, type],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { origin } = await addressIn(process.stdout);
  return {
    origin,
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      await process.status;
    },
  };
}

/** Reads on until there is an address. */
async function addressIn(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<URL> {
  let said = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    said += text;
    const found = /http:\/\/\S+(?=\s)/.exec(said)?.[0];
    if (found !== undefined) return new URL(found);
  }
  throw new PikoError(`A server did not start: ${said}`, { code: "failed" });
}

/** Writes the rows as a Markdown table. */
export function pageTable(rows: readonly Row[]): string {
  const lines = rows.map((
    { what, value, wanted = "", isMet },
  ) => [what, value, wanted, isMet === undefined ? "" : isMet ? "met" : "not met"]);
  const head = ["what", "measured", "wanted", ""];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join(
    "\n",
  );
}

function inMilliseconds({ median, lower, upper }: Timing): string {
  return `${median.toFixed(0)} ms (${lower.toFixed(0)}–${upper.toFixed(0)})`;
}

function count(number: number): string {
  return Math.round(number).toLocaleString("en");
}
