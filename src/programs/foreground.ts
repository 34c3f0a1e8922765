/**
 * Gives piko's terminal and its signals to a program, until that ends. Where there is a terminal the program stays in
 * piko's process group: only the terminal's foreground group may read it and gets its Ctrl+C. Without one it leads a
 * group of its own. Either way a signal reaches every process of the program's, once, and none of them is left.
 */

import { listProcesses, processesOf } from "./processes.ts";
import { signalGroup, start, type Variables } from "./run.ts";

/** How a program is given the terminal. */
export interface ForegroundOptions {
  cwd?: string | undefined;
  /** All variables of the program; nothing is inherited. */
  variables?: Variables | undefined;
}

/** What is handed on; Ctrl+Z and the size of the window are the terminal's own business. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Milliseconds in which a signal that the whole group got has ended the witness. */
const WITNESS_TIME = 300;

/** Milliseconds that is waited for processes that have got a signal, before they are asked to end and before they are killed. */
const GRACE = [2000, 5000] as const;

const POLL = 50;

/** Milliseconds after the end of a program in which a signal may still be the one that has ended it. */
const LATE_SIGNAL = 1000;

/**
 * Gives piko's terminal to a program and returns its exit code, 128 + n when signal n ended it. What is left of a program
 * that was interrupted is asked to end, and killed after {@link GRACE}.
 */
export async function attach(
  argv: readonly string[],
  options: ForegroundOptions = {},
): Promise<number> {
  const shared = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
  let signals = 0;
  let handedOn = Promise.resolve();
  let handOn: (signal: Deno.Signal, at: number) => Promise<void> = () => Promise.resolve();
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      signals++;
      const at = performance.now();
      handedOn = handedOn.then(() => handOn(signal, at));
    };
    return [signal, listener] as const;
  });
  // Before the program starts, which may have somebody press Ctrl+C at once: it would end piko and not only the program.
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  let witness = shared ? callWitness() : undefined;
  try {
    const startedAt = performance.now();
    const child = start(argv, { ...options, detached: !shared }, {
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    });
    const find = async (): Promise<number[]> => {
      const all = await listProcesses(options.variables) ?? [];
      if (!shared) return all.filter(({ group }) => group === child.pid).map(({ pid }) => pid);
      const age = Math.ceil((performance.now() - startedAt) / 1000);
      return processesOf(all, { by: Deno.pid, pid: child.pid, age });
    };
    let groupHadIt = false;
    handOn = async (signal, at) => {
      if (witness === undefined) return signalGroup(child.pid, signal);
      const [processes, hasFallen] = await Promise.all([find(), witness.hasFallen()]);
      // A witness that was called after the signal knows nothing of it; then it was one of several, and like the last one.
      if (at >= witness.since) {
        groupHadIt = hasFallen;
        if (hasFallen) witness = callWitness();
      }
      if (!groupHadIt) signalAll(processes.length === 0 ? [child.pid] : processes, signal);
    };
    const { code } = await child.status;
    await handedOn;
    const before = signals;
    if (before > 0) await endAll(find, () => signals > before);
    return code;
  } finally {
    await handedOn;
    handOn = () => Promise.resolve();
    await witness?.dismiss();
    // Deno may learn of a signal after the end of the program that it has ended; without a listener it would end piko too.
    Deno.unrefTimer(setTimeout(() => {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    }, LATE_SIGNAL));
  }
}

/** A process of this group that does nothing but fall by a signal that the whole group gets, as by Ctrl+C. */
function callWitness() {
  const since = performance.now();
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "null", stderr: "null" }).spawn();
  const fallen = child.status.then(({ signal }) => signal !== null);
  return {
    since,
    hasFallen: (): Promise<boolean> =>
      Promise.race([fallen, pause(WITNESS_TIME).then(() => false)]),
    async dismiss(): Promise<void> {
      await child.stdin.close();
      await child.status;
    },
  };
}

/** Waits until a program that was interrupted has left nothing, and helps it along; said again, it is killed at once. */
async function endAll(find: () => Promise<number[]>, isUrgent: () => boolean): Promise<void> {
  for (const [index, signal] of (["SIGTERM", "SIGKILL"] as const).entries()) {
    const deadline = performance.now() + (GRACE[index] ?? 0);
    let left = await find();
    while (left.length > 0 && performance.now() < deadline && !isUrgent()) {
      await pause(POLL);
      left = await find();
    }
    if (left.length === 0) return;
    signalAll(left, isUrgent() ? "SIGKILL" : signal);
  }
}

function signalAll(processes: readonly number[], signal: Deno.Signal): void {
  for (const pid of processes) {
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      // It has ended meanwhile, or has become somebody else, as sudo does.
      const fine = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.PermissionDenied;
      if (!fine) throw error;
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
