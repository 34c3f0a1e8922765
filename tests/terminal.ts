/**
 * A real terminal in which a test types and reads the screen as a person would: a pane of a tmux server of its own, which
 * is another one than the sandbox's. Disposed, it is closed with all that runs in it.
 */

import assert from "node:assert/strict";
import { tryRun } from "../src/programs/run.ts";
import { PIKO, type Sandbox, until } from "./sandbox.ts";

/** Where the shell starts, and variables besides those of the sandbox. */
export interface TerminalOptions {
  variables?: Readonly<Record<string, string>>;
  cwd?: string;
  /** 120 without it. */
  columns?: number;
  /** 40 without it. */
  rows?: number;
}

/** What the shell prints before it waits for a command. */
const PROMPT = "ready> ";

/** A terminal with a shell. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #variables: Readonly<Record<string, string>>;

  private constructor(folder: string, variables: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#variables = variables;
  }

  /** Opens a terminal with a shell that knows the built `piko`. */
  static async open(sandbox: Sandbox, options: TerminalOptions = {}): Promise<Terminal> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "pt" });
    const variables: Record<string, string> = {
      ...sandbox.variables,
      TERM: "xterm-256color",
      PS1: PROMPT,
      ENV: "",
      ...options.variables,
      PATH: `${PIKO.slice(0, PIKO.lastIndexOf("/"))}:${
        options.variables?.PATH ?? sandbox.variables.PATH
      }`,
    };
    const terminal = new Terminal(folder, variables);
    const cwd = options.cwd ?? sandbox.root;
    const given = Object.entries(variables).filter(([name]) => name !== "TERM")
      .flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    const size = ["-x", `${options.columns ?? 120}`, "-y", `${options.rows ?? 40}`];
    await terminal.#tmux(
      ...["new-session", "-d", ...size, "-c", cwd, ...given],
      ...["env", "-u", "TMUX", "-u", "TMUX_PANE", "TERM=xterm-256color", "sh"],
    );
    await terminal.isReady();
    return terminal;
  }

  /** Types a line and presses Enter. */
  async type(line: string): Promise<void> {
    await this.write(line);
    await this.press("Enter");
  }

  /** Types a text as it is. */
  async write(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", "--", text);
  }

  /** Presses keys by tmux's names for them: `C-c`, `Enter`, `Up`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Reads what is on the screen, without the empty lines at its end. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-J")).trimEnd();
  }

  /** Reads what is on the screen with the escape sequences of its colours. */
  async colours(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-e", "-J")).trimEnd();
  }

  /** Reads what was shown since the last `begin`, what has gone up out of the screen too, with its escape sequences. */
  async everything(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-e", "-J", "-S", "-")).trimEnd();
  }

  /** Waits until the screen shows something. */
  async shows(what: RegExp | string, limit?: number): Promise<string> {
    let screen = "";
    const isThere = async () => {
      screen = await this.screen();
      return typeof what === "string" ? screen.includes(what) : what.test(screen);
    };
    await until(`${what} on the screen`, isThere, limit).catch((error: Error) => {
      error.message += `\n${screen}`;
      throw error;
    });
    return screen;
  }

  /** Waits until the shell waits for a command. */
  async isReady(limit?: number): Promise<void> {
    await this.shows(new RegExp(`(?:^|\\n)${PROMPT.trim()}$`), limit);
  }

  /** Starts a command on an empty screen. */
  async begin(line: string): Promise<void> {
    await this.type("clear");
    await this.shows(new RegExp(`^${PROMPT.trim()}$`));
    await this.type(`${line}; echo "exit code $?"`);
  }

  /** Waits until the command ends, which must be with this exit code, and returns the screen. */
  async ends(exitCode: number, limit?: number): Promise<string> {
    const screen = await this.shows(/exit code \d+$/m, limit);
    assert.match(screen, new RegExp(`exit code ${exitCode}$`, "m"), screen);
    await this.isReady();
    return screen;
  }

  /** Runs a command to its end, which must have this exit code, and returns the screen. */
  async run(line: string, exitCode = 0, limit?: number): Promise<string> {
    await this.begin(line);
    return await this.ends(exitCode, limit);
  }

  /** Gives the terminal another size, as a person does who pulls at its corner. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** Tells whether the cursor is seen, and whether the terminal's other screen is shown. */
  async modes(): Promise<{ cursor: boolean; otherScreen: boolean }> {
    const modes = await this.#tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}");
    return { cursor: modes.startsWith("1"), otherScreen: modes.trim().endsWith("1") };
  }

  /** The process of the shell. */
  async pid(): Promise<number> {
    return Number(await this.#tmux("display-message", "-p", "#{pane_pid}"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #tmux(...args: string[]): Promise<string> {
    const outcome = await tryRun(["tmux", "-f", "/dev/null", ...args], {
      cwd: "/",
      variables: { ...this.#variables, TMUX_TMPDIR: this.#folder },
      timeout: 20_000,
    });
    assert.equal(outcome.exitCode, 0, `tmux ${args.join(" ")} failed\n${outcome.stderr}`);
    return outcome.stdout;
  }
}
