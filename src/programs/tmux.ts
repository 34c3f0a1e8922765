/**
 * Starts tmux. Every target is `=name`, since tmux takes a bare one for the beginning of a name as well; names are made
 * what tmux makes of them before it is asked, since it rewrites `.` and `:` silently. No server is no error: it
 * means that there are no sessions. What a window runs is an argv, which tmux starts without a shell; the
 * folder is that of the tmux program, since tmux expands `#(…)` in the one of `-c`.
 */

import { CommandError, PikoError } from "../domain/errors.ts";
import { quote } from "../domain/names.ts";
import { attach } from "./foreground.ts";
import { type Outcome, tryRun, type Variables } from "./run.ts";

/** The oldest tmux whose `new-session` takes variables. */
export const OLDEST_TMUX = "3.2";

/** The user option by which a session says whose it is. */
const OWNER = "@piko_environment";

/** The user option, set to this word, of a session some of whose windows are still to be made. */
const STATE = "@piko_state";
const UNFINISHED = "unfinished";

/** Milliseconds; a configuration of tmux may do a lot when its server starts. */
const TIMEOUT = 20_000;

/** The most bytes of commands in one call: tmux refuses those above 16 KiB (`command too long`). */
const MOST_BYTES = 12_000;

/** A window to be made. */
export interface NewWindow {
  name: string;
  /** What runs in it; without it the person's shell. */
  argv?: readonly string[] | undefined;
}

/** A session to be made, with its windows. */
export interface NewSession {
  name: string;
  /** Whose it is: the path of an environment's worktree. */
  owner: string;
  /** The folder of its windows. */
  folder: string;
  /** Variables that every window has, besides those of the tmux server. */
  variables: Variables;
  windows: readonly [NewWindow, ...NewWindow[]];
}

/** A session as tmux lists it. */
export interface Session {
  name: string;
  /** The path it was made for; "" when piko did not make it. */
  owner: string;
  /** Whether piko was broken off before it had made all of its windows. */
  isUnfinished: boolean;
  /** Whether somebody looks at it. */
  isAttached: boolean;
}

/** The tmux server of the person, or the one that piko runs in. */
export class Tmux {
  readonly #variables: Variables;

  /** Takes the variables of the person's shell, which a server that has to be started inherits. */
  constructor(options: { variables: Variables }) {
    this.#variables = options.variables;
  }

  /** Whether piko runs inside tmux. */
  get isInside(): boolean {
    return Boolean(this.#variables.TMUX);
  }

  /** Tells tmux's version, such as `3.3a`. */
  async version(): Promise<string> {
    return (await this.#run(["tmux", "-V"])).replace(/^tmux /, "");
  }

  /** Tells whether a session of exactly this name is there. */
  async hasSession(name: string): Promise<boolean> {
    return await this.#ask(["tmux", "has-session", "-t", target(name)]) !== undefined;
  }

  /** Tells whose a session is: the path it was made for, "" when piko did not make it; undefined when there is none. */
  async findOwner(name: string): Promise<string | undefined> {
    return (await this.findState(name))?.owner;
  }

  /** Tells whose a session is, and whether it is whole; undefined when there is none. */
  async findState(name: string): Promise<Pick<Session, "owner" | "isUnfinished"> | undefined> {
    const shown = await this.#ask([
      // show-options is quiet about a session that is not there, and about an option that is not set.
      ...["tmux", "has-session", "-t", target(name), ";"],
      ...["show-options", "-qv", "-t", `${target(name)}:`, OWNER, ";"],
      ...["show-options", "-qv", "-t", `${target(name)}:`, STATE],
    ]);
    if (shown === undefined) return undefined;
    const lines = shown.split("\n");
    const isUnfinished = lines.at(-1) === UNFINISHED;
    return { owner: (isUnfinished ? lines.slice(0, -1) : lines).join("\n"), isUnfinished };
  }

  /** Lists all sessions with whose they are; none without a server. */
  async listSessions(): Promise<Session[]> {
    const format = `#{session_attached}\t#{session_name}\t#{${STATE}}\t#{${OWNER}}`;
    const listed = await this.#ask(["tmux", "list-sessions", "-F", format]) ?? "";
    return listed.split("\n").filter((line) => /^\d+\t/.test(line)).map((line) => {
      const [attached = "", name = "", state = "", ...owner] = line.split("\t");
      return {
        name,
        owner: owner.join("\t"),
        isUnfinished: state === UNFINISHED,
        isAttached: attached !== "0",
      };
    });
  }

  /** Tells the value of a variable that a session's new windows get; undefined when it has none of its own. */
  async findVariable(name: string, variable: string): Promise<string | undefined> {
    const argv = ["tmux", "show-environment", "-t", target(name), variable];
    const outcome = await this.#try(argv, {});
    if (outcome.exitCode === 0) return outcome.stdout.trimEnd().replace(`${variable}=`, "");
    if (outcome.stderr.includes("unknown variable") || isAbsence(outcome.stderr)) return undefined;
    throw new CommandError(argv, outcome);
  }

  /** Tells the session that piko itself runs in; undefined outside tmux. */
  async findOwnSession(): Promise<string | undefined> {
    if (!this.isInside) return undefined;
    const pane = this.#variables.TMUX_PANE;
    const where = pane === undefined ? [] : ["-t", pane];
    return await this.#ask(["tmux", "display-message", ...where, "-p", "#{session_name}"]);
  }

  /**
   * Makes a session, without attaching to it: in one call, which tmux carries out also when piko is killed meanwhile. Where
   * its windows do not fit into one, the session says until the last that it is unfinished.
   *
   * @throws {PikoError} conflict when there is one of that name, unavailable without tmux or with one that is too old.
   */
  async newSession(session: NewSession, signal?: AbortSignal): Promise<void> {
    const { name, folder } = session;
    const [first, ...others] = session.windows;
    const start = [
      ...["tmux", "new-session", "-d", "-s", tmuxName(name)],
      ...Object.entries(session.variables).flatMap(([name, value]) => [
        "-e",
        literal(`${name}=${value}`),
      ]),
      ...windowArgv(first),
      ...[";", "set-option", "-t", `${target(name)}:`, OWNER, literal(session.owner)],
      ...[";", ...showWholeName(name)],
    ];
    const whole = [...start, ...others.flatMap((window) => [";", ...windowCommand(name, window)])];
    const fits = sizeOf(whole) <= MOST_BYTES;
    const argv = fits
      ? whole
      : [...start, ";", "set-option", "-t", `${target(name)}:`, STATE, UNFINISHED];
    const outcome = await this.#try(argv, { cwd: folder, signal });
    if (outcome.exitCode === 0) {
      if (!fits) await this.finishSession(name, folder, session.windows);
      return;
    }
    const cause = new CommandError(argv, outcome);
    if (outcome.stderr.startsWith("duplicate session")) {
      throw new PikoError(`A tmux session ${quote(tmuxName(session.name))} is there already`, {
        code: "conflict",
        cause,
      });
    }
    if (/unknown (option|flag)|usage: new-session/.test(outcome.stderr)) {
      throw new PikoError(`tmux ${await this.version()} is too old`, {
        code: "unavailable",
        hint: `install tmux ${OLDEST_TMUX} or newer`,
        cause,
      });
    }
    throw cause;
  }

  /** Makes those of the windows of an unfinished session that it has not, in their order. */
  async finishSession(name: string, folder: string, windows: readonly NewWindow[]): Promise<void> {
    const format = ["-F", "#{window_name}"];
    const listed = await this.#run(["tmux", "list-windows", "-t", target(name), ...format]);
    const names = listed.split("\n");
    const missing = windows.filter(({ name }) => {
      const at = names.indexOf(name);
      if (at >= 0) names.splice(at, 1);
      return at < 0;
    });
    await this.#runAll([
      ...missing.map((window) => windowCommand(name, window)),
      ["set-option", "-u", "-t", `${target(name)}:`, STATE],
    ], folder);
  }

  /** Lists the variables that a session's new windows get, besides those of the server. */
  async listVariables(name: string): Promise<string[]> {
    const shown = await this.#run(["tmux", "show-environment", "-t", target(name)]);
    return shown.split("\n").filter((line) => /^\w+=/.test(line)).map((line) =>
      line.slice(0, line.indexOf("="))
    );
  }

  /** Sets variables for the new windows of a session, and takes others away. */
  async setVariables(
    name: string,
    variables: Variables,
    gone: readonly string[] = [],
  ): Promise<void> {
    const commands = [
      ...Object.entries(variables).map(([variable, value]) => [variable, literal(value)]),
      ...gone.map((variable) => ["-u", variable]),
    ].map((words) => ["set-environment", "-t", target(name), ...words]);
    await this.#runAll(commands);
  }

  /** Ends a session with everything that runs in it; one that is not there is fine. */
  async killSession(name: string): Promise<void> {
    await this.#ask(["tmux", "kill-session", "-t", target(name)]);
  }

  /** Ends a session whose name is the person's own, as tmux lists it. */
  async killListed({ name }: Pick<Session, "name">): Promise<void> {
    await this.#ask(["tmux", "kill-session", "-t", `=${name}`]);
  }

  /** Gives the terminal to a session until it is left; returns tmux's exit code. */
  async attachSession(name: string): Promise<number> {
    return await attach(["tmux", "attach-session", "-t", target(name)], {
      cwd: "/",
      variables: this.#variables,
    });
  }

  /** Shows a session in the terminal that piko runs in, which must be one of tmux's. */
  async switchClient(name: string): Promise<void> {
    await this.#run(["tmux", "switch-client", "-t", target(name)]);
  }

  /** Runs commands one after the other, as many in one call as tmux takes. */
  async #runAll(commands: readonly string[][], cwd?: string): Promise<void> {
    let call: string[] = [];
    for (const command of commands) {
      if (call.length > 0 && sizeOf(call) + sizeOf(command) > MOST_BYTES) {
        await this.#run(["tmux", ...call], cwd);
        call = [];
      }
      call.push(...(call.length === 0 ? [] : [";"]), ...command);
    }
    if (call.length > 0) await this.#run(["tmux", ...call], cwd);
  }

  async #run(argv: readonly string[], cwd = "/"): Promise<string> {
    const outcome = await this.#try(argv, { cwd });
    if (outcome.exitCode !== 0) throw new CommandError(argv, outcome);
    return outcome.stdout.trimEnd();
  }

  /** Runs a question about a session; without that session, or any, the answer is undefined. */
  async #ask(argv: readonly string[]): Promise<string | undefined> {
    const outcome = await this.#try(argv, {});
    if (outcome.exitCode === 0) return outcome.stdout.replace(/\n$/, "");
    if (isAbsence(outcome.stderr)) return undefined;
    throw new CommandError(argv, outcome);
  }

  async #try(
    argv: readonly string[],
    { cwd = "/", signal }: { cwd?: string; signal?: AbortSignal | undefined },
  ): Promise<Outcome> {
    return await tryRun(argv, { cwd, variables: this.#variables, timeout: TIMEOUT, signal });
  }
}

/** Makes a session's name of any text, as tmux would and without what has a meaning in its targets. */
export function tmuxName(text: string): string {
  return text.replace(/[^A-Za-z0-9_/-]/g, "_");
}

/** Tells whether tmux failed because there is no such session, or no server at all. */
export function isAbsence(stderr: string): boolean {
  return /^(can't find (session|pane|window)|no such session|no sessions|no server running|no current)/
    .test(stderr) ||
    /^error connecting to .*\((No such file|Connection refused)/.test(stderr) ||
    /^(server exited|lost server)/.test(stderr);
}

function target(name: string): string {
  return `=${tmuxName(name)}`;
}

function sizeOf(argv: readonly string[]): number {
  return argv.reduce((sum, word) => sum + new TextEncoder().encode(word).length + 1, 0);
}

/**
 * The command that lets the status line show more of a session's name than the 10 characters of tmux's default, which
 * end within the project; windows and clock still have room in 80 columns. A length that the person has set stays.
 */
function showWholeName(session: string): string[] {
  const where = ["-t", `${target(session)}:`];
  // The name has no character that a command of tmux gives a meaning.
  const command = ["set-option", ...where, "status-left-length", "40"].join(" ");
  return ["if-shell", "-F", ...where, "#{==:#{status-left-length},10}", command];
}

/** The command that makes a window behind the others of a session. */
function windowCommand(session: string, window: NewWindow): string[] {
  return ["new-window", "-d", "-t", `${target(session)}:`, ...windowArgv(window)];
}

function windowArgv({ name, argv = [] }: NewWindow): string[] {
  // tmux expands formats in a window's name; a single word would go to a shell.
  const command = argv.length === 1 ? ["env", ...argv] : argv;
  const window = ["-n", literal(name.replaceAll("#", "##"))];
  return command.length === 0 ? window : [...window, "--", ...command.map(literal)];
}

/** Keeps tmux from taking a word that ends in `;` for the end of a command. */
function literal(word: string): string {
  return word.endsWith(";") ? `${word.slice(0, -1)}\\;` : word;
}
