/** Which processes hold a lock on a file or have it open, as far as the machine has a program that tells. */

import { PikoError } from "../domain/errors.ts";
import { type Outcome, tryRun, type Variables } from "./run.ts";

/** A process that has a file. */
export interface FileHolder {
  pid: number;
  command: string;
}

/** The byte of `-shm` that SQLite locks while it writes (https://sqlite.org/walformat.html, WAL_WRITE_LOCK). */
const WRITE_LOCK = "120";

/**
 * Finds who writes to an SQLite database in WAL mode: by its lock on Linux, elsewhere whoever has the file open. Empty where
 * nobody does or nobody can tell.
 */
export async function findWriters(path: string, variables: Variables): Promise<FileHolder[]> {
  const columns = "PID,COMMAND,MODE,START,PATH";
  const locks = await ask(["lslocks", "--raw", "--noheadings", "--output", columns], variables);
  if (locks?.exitCode === 0) return parseWriters(locks.stdout, path);
  const open = await ask(["lsof", "-F", "pc", "--", path], variables);
  return open === undefined ? [] : parseOpeners(open.stdout);
}

/** Reads lines of pid, command, mode, first byte and path of `lslocks --raw`. */
export function parseWriters(text: string, path: string): FileHolder[] {
  return text.split("\n").flatMap((line) => {
    const [, pid, command = "", start, file] = /^(\d+) (.*) WRITE\*? (\d+) (\/.*)$/.exec(line) ??
      [];
    return start === WRITE_LOCK && file === `${path}-shm` ? [{ pid: Number(pid), command }] : [];
  });
}

/** Reads `lsof -F pc`: a line `p` with the process, one `c` with its command, and others. */
export function parseOpeners(text: string): FileHolder[] {
  return [...text.matchAll(/^p(\d+)\nc(.*)$/gm)].map(([, pid, command = ""]) => ({
    pid: Number(pid),
    command,
  }));
}

async function ask(argv: readonly string[], variables: Variables): Promise<Outcome | undefined> {
  try {
    return await tryRun(argv, { variables });
  } catch (error) {
    if (error instanceof PikoError && error.code === "unavailable") return undefined;
    throw error;
  }
}
