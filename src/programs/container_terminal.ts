/** Gives the terminal to a program in a container, or to the logs of containers. */

import { attach, type Variables } from "./run.ts";

/**
 * Keys that nobody types: docker would take Ctrl+P, which every shell knows as "the command before", for the start of
 * its own Ctrl+P Ctrl+Q.
 */
const DETACH_KEYS = "ctrl-@,ctrl-@,ctrl-@,ctrl-@";

/** Runs a program in a container with piko's terminal and returns its exit code. */
export async function execInTerminal(
  container: string,
  argv: readonly string[],
  options: { variables: Variables; /** Variables for the program itself. */ given: Variables },
): Promise<number> {
  const names = Object.keys(options.given).flatMap((name) => ["--env", name]);
  return await attach([
    ...["docker", "exec", "--interactive", "--tty", `--detach-keys=${DETACH_KEYS}`],
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
