/**
 * Starts programs. Arguments go to the program as they are, never through a shell; the program's variables
 * are passed whole (`Deno.Command` would otherwise merge piko's own in, a stray GIT_DIR among them); and
 * each program leads a process group of its own, so that a time-out or Ctrl+C ends its children too.
 */

import { CommandError, interrupted, PikoError } from "../domain/errors.ts";
import { pause } from "./pause.ts";

/** The process variables that a program is started with. */
export type Variables = Readonly<Record<string, string>>;

/** How a program is run. */
export interface RunOptions {
  cwd?: string | undefined;
  /** All variables of the program; nothing is inherited. */
  variables?: Variables | undefined;
  /** What the program reads on its standard input; without it that is empty. */
  input?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the program and its children are ended. */
  timeout?: number | undefined;
}

/** Options of {@link stream}. */
export interface StreamOptions extends RunOptions {
  /** Called with the program's process, which leads its group, as soon as it was started. */
  onStart?: ((pid: number) => void) | undefined;
  /** Called for each line of stdout and stderr as it comes, without its line end. */
  onLine: (line: string, from: "stdout" | "stderr") => void;
  /** Called once when the program has ended, and {@link LINGER} later others that it has started still hold its output. */
  onLinger?: (() => void) | undefined;
}

/** How a program ended. */
export interface Outcome {
  /** The exit code; 128 + n when signal n ended the program. */
  exitCode: number;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Milliseconds between asking a process group to end and killing it. */
const GRACE = 5000;

/** Milliseconds for which what a program has started may hold its output without a word. */
const LINGER = 1000;

/** Runs a program to its end and returns its stdout; any exit but 0 is a {@link CommandError}. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await tryRun(argv, options);
  if (outcome.exitCode !== 0) throw new CommandError(argv, outcome);
  return outcome.stdout;
}

/** A file's name may begin with the character that else marks the beginning of a text. */
const AS_IT_IS = { ignoreBOM: true };

/**
 * Runs a program to its end and tells how it ended, whatever its exit code.
 *
 * @throws {PikoError} unavailable when there is no such program, failed on a time-out, interrupted.
 */
export function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return execute(argv, options, async (child) => {
    const [stdout, stderr] = await Promise.all([
      readText(child.stdout),
      readText(child.stderr),
    ]);
    return { stdout, stderr };
  });
}

async function readText(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return new TextDecoder("utf-8", AS_IT_IS).decode(await new Response(output).bytes());
}

/** Runs a program and hands over its lines as they come; any exit but 0 is a {@link CommandError}. */
export async function stream(argv: readonly string[], options: StreamOptions): Promise<void> {
  const outcome = await execute(argv, options, async (child) => {
    const errors: string[] = [];
    options.onStart?.(child.pid);
    const read = new AbortController();
    if (options.onLinger !== undefined) void tellLinger(child, options.onLinger, read.signal);
    await Promise.all([
      eachLine(child.stdout, (line) => options.onLine(line, "stdout")),
      eachLine(child.stderr, (line) => {
        if (errors.push(line) > 200) errors.shift();
        options.onLine(line, "stderr");
      }),
    ]).finally(() => read.abort());
    return { stdout: "", stderr: errors.join("\n") };
  });
  if (outcome.exitCode !== 0) throw new CommandError(argv, outcome);
}

async function tellLinger(
  child: Deno.ChildProcess,
  onLinger: () => void,
  read: AbortSignal,
): Promise<void> {
  await child.status;
  if (!read.aborted) await pause(LINGER, read);
  if (!read.aborted) onLinger();
}

/** Calls `onLine` for each line of a byte stream; multi-byte characters cut across chunks stay whole. */
export async function eachLine(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream("utf-8", AS_IT_IS))) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
  if (rest !== "") onLine(rest);
}

/** Starts a program with the given streams. */
export function start(
  argv: readonly string[],
  options: { cwd?: string | undefined; variables?: Variables | undefined; detached?: boolean },
  streams: { stdin: Stdio; stdout: Stdio; stderr: Stdio },
): Deno.ChildProcess {
  const [program, ...args] = argv;
  if (program === undefined) throw new TypeError("argv names no program");
  try {
    return new Deno.Command(program, {
      args,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.variables === undefined ? {} : { env: options.variables, clearEnv: true }),
      ...streams,
      detached: options.detached ?? false,
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      if (options.cwd !== undefined && !isFolder(options.cwd)) {
        throw new PikoError(`Cannot run ${program}: there is no folder ${options.cwd}`, {
          code: "not-found",
          cause: error,
        });
      }
      throw new PikoError(`${program} is not installed or not on the PATH`, {
        code: "unavailable",
        hint: `install ${program}, or add its folder to PATH`,
        cause: error,
      });
    }
    throw error;
  }
}

/** What a program's standard stream is connected to. */
export type Stdio = "piped" | "inherit" | "null";

async function execute(
  argv: readonly string[],
  options: RunOptions,
  read: (child: Deno.ChildProcess) => Promise<{ stdout: string; stderr: string }>,
): Promise<Outcome> {
  if (options.signal?.aborted) throw interrupted();
  const child = start(argv, { ...options, detached: true }, {
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  });
  let timedOut = false;
  let killer: ReturnType<typeof setTimeout> | undefined;
  let deadline: number | undefined;
  const end = () => {
    signalGroup(child.pid, "SIGTERM");
    deadline ??= performance.now() + GRACE;
    killer ??= setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE);
  };
  const timer = options.timeout === undefined
    ? undefined
    : setTimeout(() => (timedOut = true, end()), options.timeout);
  options.signal?.addEventListener("abort", end, { once: true });
  try {
    const written = options.input === undefined ? undefined : writeInput(child, options.input);
    const [{ stdout, stderr }, status] = await Promise.all([read(child), child.status, written]);
    if (options.signal?.aborted) throw interrupted();
    if (timedOut) {
      throw new PikoError(`${argv[0]} did not end within ${(options.timeout ?? 0) / 1000} s`, {
        code: "failed",
        cause: new CommandError(argv, { exitCode: status.code, signal: status.signal, stderr }),
      });
    }
    return { exitCode: status.code, signal: status.signal, stdout, stderr };
  } catch (error) {
    // Whoever read the output has failed: the program must not go on unwatched.
    end();
    await child.status;
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    options.signal?.removeEventListener("abort", end);
    if (deadline !== undefined) await endGroup(child.pid, deadline);
  }
}

/** Gives a program its standard input. */
export async function writeInput(child: Deno.ChildProcess, input: string): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch (error) {
    // A program may end without having read all of its input; its exit code says how it went.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Waits for what a program that was ended has left running in its group, and kills it when its time is up. */
async function endGroup(pid: number, deadline: number): Promise<void> {
  // A process that runs is not changed by being told to go on.
  while (reachesGroup(pid, "SIGCONT")) {
    if (performance.now() > deadline) {
      signalGroup(pid, "SIGKILL");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Sends a signal to every process of a group; a group that is gone is fine. */
export function signalGroup(pid: number, signal: Deno.Signal): void {
  reachesGroup(pid, signal);
}

/** Sends a signal to every process of a group, and tells whether there was one. */
function reachesGroup(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(-pid, signal);
    return true;
  } catch (error) {
    const gone = error instanceof Deno.errors.NotFound ||
      (error instanceof Error && error.message.includes("ESRCH"));
    if (!gone) throw error;
    return false;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
