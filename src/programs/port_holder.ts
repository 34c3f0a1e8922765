/** Who listens on a port of this machine, as far as there is a program that tells. */

import { PikoError } from "../domain/errors.ts";
import { type FileHolder, parseOpeners } from "./file_holders.ts";
import { tryRun, type Variables } from "./run.ts";

/** Finds the process that listens on a TCP port; undefined where nobody does or nobody can tell. */
export async function findPortHolder(
  port: number,
  variables: Variables,
): Promise<FileHolder | undefined> {
  const sockets = await ask(["ss", "-H", "-l", "-t", "-n", "-p", `sport = :${port}`], variables);
  if (sockets !== undefined) return parseSockets(sockets);
  const open = ["lsof", "-n", "-P", `-iTCP:${port}`, "-sTCP:LISTEN", "-F", "pc"];
  return parseOpeners(await ask(open, variables) ?? "")[0];
}

/** Reads `ss -p`, which ends a line in `users:(("node",pid=123,fd=20))` when it may know. */
export function parseSockets(text: string): FileHolder | undefined {
  const [, command, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(text) ?? [];
  return command === undefined ? undefined : { pid: Number(pid), command };
}

async function ask(argv: readonly string[], variables: Variables): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await tryRun(argv, { variables, timeout: 5000 });
    return exitCode === 0 ? stdout : undefined;
  } catch (error) {
    if (error instanceof PikoError && error.code === "unavailable") return undefined;
    throw error;
  }
}
