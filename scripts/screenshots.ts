/**
 * `task screenshots`: makes the pictures of the README. A real `piko server` shows the sample with a few environments in a real
 * Chromium; nothing of it is left afterwards but the pictures in scripts/screenshots.
 */

import { type Browser, chromium, type Page } from "playwright-core";
import { PikoError } from "../src/domain/errors.ts";
import { run, tryRun, type Variables } from "../src/programs/run.ts";
import { runScript, say } from "./machine/say.ts";
import { setUpMachine, tellMissing } from "./machine/set_up.ts";
import { shrink } from "./screenshots/png.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");
const piko = `${root}/dist/piko`;
const pictures = `${root}/scripts/screenshots`;

/** Milliseconds that the server gets until it listens. */
const PATIENCE = 30_000;

async function takePictures(browser: Browser, login: string): Promise<void> {
  const { origin } = new URL(login);
  const at = `${origin}/projects/shop/feature-auth`;
  const context = await browser.newContext();
  const first = await context.newPage();
  await first.goto(login);
  const storageState = await context.storageState();
  await context.close();

  const open = async (
    url: string,
    width: number,
    height: number,
    colorScheme: "light" | "dark",
  ) => {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme,
      storageState,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
    await page.locator(".connection", { hasText: "Live" }).waitFor();
    return page;
  };

  const overview = await open(at, 1280, 760, "light");
  await overview.getByText("uncommitted file").waitFor();
  await take(overview, "overview-light");

  const logs = await open(`${at}/logs?find=ready`, 1280, 760, "dark");
  await logs.locator(".log-line mark").first().waitFor();
  await take(logs, "logs-dark");

  const narrow = await open(at, 380, 760, "light");
  await narrow.getByText("uncommitted file").waitFor();
  await take(narrow, "narrow-light");
}

async function take(page: Page, name: string): Promise<void> {
  const file = `${pictures}/${name}.png`;
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  const small = await shrink(new Uint8Array(png));
  await Deno.writeFile(file, small);
  say(
    `✓ ${file} (${Math.round(small.length / 1000)} KB, ${Math.round(png.length / 1000)} KB before)`,
  );
  await page.context().close();
}

/** The sample repository with its environments, and the server. */
class Shop implements AsyncDisposable {
  readonly #folder: string;
  readonly #variables: Variables;
  #server: Deno.ChildProcess | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#variables = {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: `${folder}/home`,
      PIKO_HOME: `${folder}/piko`,
      TMUX_TMPDIR: folder,
      LC_ALL: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Ada",
      GIT_AUTHOR_EMAIL: "ada@localhost",
      GIT_COMMITTER_NAME: "Ada",
      GIT_COMMITTER_EMAIL: "ada@localhost",
    };
  }

  static async create(): Promise<Shop> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "code-" }));
    const shop = new Shop(folder);
    await Deno.mkdir(`${folder}/home`);
    await shop.#run(["cp", "-R", `${root}/scripts/sample`, `${folder}/shop`], folder);
    await Deno.remove(`${folder}/shop/simple.piko.yml`);
    await shop.#run(["git", "init", "--quiet", "--initial-branch=main"]);
    await shop.#run(["git", "add", "."]);
    await shop.#run(["git", "commit", "--quiet", "--message=Open the shop"]);
    await shop.#run([piko, "init"]);
    for (const name of ["feature/auth", "feature-payments", "fix-rounding"]) {
      say(`Creating ${name}`);
      await shop.#run([piko, "create", "--no-attach", name]);
    }
    await shop.#run([piko, "create", "--no-attach", "--no-start", "spike-search"]);
    await shop.#run([piko, "down", "fix-rounding"]);
    await shop.#run([piko, "down", "feature-payments", "redis"]);
    const worktree = `${folder}/shop/.piko/worktrees/feature-auth`;
    await Deno.writeTextFile(`${worktree}/web/title.txt`, "The shop, with a login\n");
    await shop.#run(["git", "commit", "--quiet", "--all", "--message=Ask who is there"], worktree);
    await Deno.writeTextFile(`${worktree}/web/title.txt`, "The shop, with a key\n");
    await Deno.writeTextFile(`${worktree}/web/login.html`, "<h1>Who is there?</h1>\n");
    return shop;
  }

  /** Starts the server and returns the address that lets a browser in. */
  async serve(): Promise<string> {
    this.#server = new Deno.Command(piko, {
      args: ["server", "--no-open", "--port", "0"],
      cwd: `${this.#folder}/shop`,
      env: { ...this.#variables },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const timer = setTimeout(() => this.#server?.kill("SIGTERM"), PATIENCE);
    let said = "";
    for await (const text of this.#server.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      const address = /http:\/\/\S+(?=\s)/.exec(said)?.[0];
      if (address === undefined) continue;
      clearTimeout(timer);
      return address;
    }
    throw new PikoError("The server did not start", { code: "failed" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    say("Cleaning up");
    this.#server?.kill("SIGTERM");
    await this.#server?.status;
    const listed = await tryRun([piko, "list", "--json"], {
      cwd: `${this.#folder}/shop`,
      variables: this.#variables,
    });
    if (listed.exitCode === 0) {
      const { environments }: { environments: { name: string }[] } = JSON.parse(listed.stdout);
      for (const { name } of environments) {
        await this.#run([piko, "destroy", "--yes", "--force", "--volumes", name]);
      }
    }
    await tryRun(["tmux", "kill-server"], { variables: this.#variables });
    await Deno.remove(this.#folder, { recursive: true });
  }

  #run(argv: readonly string[], cwd = `${this.#folder}/shop`): Promise<string> {
    return run(argv, { cwd, variables: this.#variables });
  }
}

// At the end, when the class above is there.
await runScript(async () => {
  const { missing } = await setUpMachine({
    ask: true,
    want: ["git", "engine", "compose", "images", "chromium"],
  });
  if (missing.length > 0) {
    tellMissing(missing);
    throw new PikoError("The screenshots need a Docker engine, compose, git and Chromium", {
      code: "unavailable",
    });
  }
  say("Building dist/piko");
  await run([Deno.execPath(), "run", "--allow-all", "--no-prompt", "scripts/build.ts"], {
    cwd: root,
  });
  await using shop = await Shop.create();
  const address = await shop.serve();
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    await takePictures(browser, address);
  } finally {
    await browser.close();
  }
  return 0;
});
