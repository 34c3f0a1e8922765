/** Gives the terminal to a program in a container, or to the logs of containers. */

import { attach } from "./foreground.ts";
import type { Variables } from "./run.ts";

/**
 * Keys that nobody types: docker would take Ctrl+P, which every shell knows as "the command before", for the start of
 * its own Ctrl+P Ctrl+Q.
 */
const DETACH_KEYS = "ctrl-@,ctrl-@,ctrl-@,ctrl-@";

/** How a program in a container is started. */
export interface ExecOptions {
  /** Variables that docker is started with. */
  variables: Variables;
  /** Variables for the program itself. */
  given: Variables;
  /** Whether it gets a terminal; by default it does. Without one it reads and writes what piko does. */
  terminal?: boolean | undefined;
}

/** Runs a program in a container with piko's terminal, or its streams, and returns its exit code. */
export async function execInTerminal(
  container: string,
  argv: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const terminal = options.terminal === false ? [] : ["--tty", `--detach-keys=${DETACH_KEYS}`];
  const names = Object.keys(options.given).flatMap((name) => ["--env", name]);
  return await attach([
    ...["docker", "exec", "--interactive", ...terminal],
    ...names,
    container,
    ...argv,
  ], { cwd: "/", variables: { ...options.variables, ...options.given } });
}

/**
 * Shows the logs of a compose project in piko's terminal until all of its containers have stopped.
 *
 * @param since a time in ISO 8601; without it the last lines of each container come first.
 */
export async function followLogs(
  composeProject: string,
  options: { variables: Variables; since?: string | undefined },
): Promise<number> {
  const start = options.since === undefined ? ["--tail", "100"] : ["--since", options.since];
  return await attach(["docker", "compose", "-p", composeProject, "logs", "--follow", ...start], {
    cwd: "/",
    variables: { ...options.variables, COMPOSE_FILE: "" },
  });
}
