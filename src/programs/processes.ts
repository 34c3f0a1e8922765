/**
 * The processes of this machine, as far as it must be known which of them belong to a script or were left by a killed piko:
 * Deno may not read /proc, so `ps` tells.
 */

import { PikoError } from "../domain/errors.ts";
import { tryRun, type Variables } from "./run.ts";

/** A process that has not ended. */
export interface Process {
  pid: number;
  parent: number;
  group: number;
  /** Whole seconds since it was started. */
  age: number;
}

/** Lists the processes of this machine without those that have ended; undefined where there is no `ps` to ask. */
export async function listProcesses(
  variables: Variables | undefined,
): Promise<Process[] | undefined> {
  const columns = ["pid=", "ppid=", "pgid=", "stat=", "etime="].flatMap((column) => ["-o", column]);
  try {
    const { exitCode, stdout } = await tryRun(["ps", "-A", ...columns], { variables });
    return exitCode === 0 ? parseProcesses(stdout) : undefined;
  } catch (error) {
    if (error instanceof PikoError && error.code === "unavailable") return undefined;
    throw error;
  }
}

/** Reads lines of process, parent, group, state and age (`[[days-]hours:]minutes:seconds`); a zombie has ended. */
export function parseProcesses(text: string): Process[] {
  return text.split("\n").flatMap((line) => {
    const [pid, parent, group, state, age] = line.trim().split(/\s+/);
    if (age === undefined || state?.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), age: seconds(age) }];
  });
}

function seconds(text: string): number {
  const [clock = "", days = "0"] = text.split("-").reverse();
  const today = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number(days) * 86_400 + today;
}

/** A process that has not ended, with the words that it was started with. */
export interface NamedProcess {
  pid: number;
  /** The first and the last moment at which it may have been started, in milliseconds since 1970. */
  started: readonly [earliest: number, latest: number];
  /** The words, with a space between each two. */
  command: string;
}

/** Lists the processes of this machine with what they were started with; undefined where there is no `ps` to ask. */
export async function listCommands(
  variables: Variables | undefined,
): Promise<NamedProcess[] | undefined> {
  const columns = ["pid=", "stat=", "etime=", "args="].flatMap((column) => ["-o", column]);
  try {
    const asked = Date.now();
    const { exitCode, stdout } = await tryRun(["ps", "-A", "-ww", ...columns], { variables });
    return exitCode === 0 ? parseCommands(stdout, [asked, Date.now()]) : undefined;
  } catch (error) {
    if (error instanceof PikoError && error.code === "unavailable") return undefined;
    throw error;
  }
}

/** Reads lines of process, state, age and command, which `ps` has told between two moments; a zombie has ended. */
export function parseCommands(
  text: string,
  [asked, told]: readonly [asked: number, told: number],
): NamedProcess[] {
  return [...text.matchAll(/^ *(\d+) +([^Z ]\S*) +(\S+) (.+)$/gm)].map(
    ([, pid, , age = "", command = ""]) => ({
      pid: Number(pid),
      // Of the age only whole seconds are told.
      started: [asked - (seconds(age) + 1) * 1000, told - seconds(age) * 1000],
      command: command.trimEnd(),
    }),
  );
}

/** A program that was started in the group of the process that started it. */
export interface Started {
  /** Who started it. */
  by: number;
  pid: number;
  /** Seconds since then. */
  age: number;
}

/**
 * Finds what belongs to a program: its descendants, and those of the group that have lost their parent since it was
 * started. Whoever else is in the group, such as a caller or the other end of a pipe, has a parent or is older.
 */
export function processesOf(all: readonly Process[], program: Started): number[] {
  const known = new Map(all.map((process) => [process.pid, process]));
  const group = known.get(program.by)?.group;
  let eldest = known.get(program.by);
  for (let next = eldest; next?.group === group && next !== undefined;) {
    eldest = next;
    next = known.get(next.parent);
  }
  const isOrphan = (process: Process) =>
    process.group === group && process.age <= program.age && process.pid !== eldest?.pid &&
    process.parent !== eldest?.parent && known.get(process.parent)?.group !== group;
  const found = new Set(
    all.filter((process) => process.pid === program.pid || isOrphan(process)).map(({ pid }) => pid),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}
