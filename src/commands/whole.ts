/** Runs any command: the part of piko that has everything, each file loaded when it is needed. */

import { runCli } from "./cli.ts";
import { loadCommand } from "./load.ts";

/** Runs piko with its arguments and returns the exit code. */
export async function runWhole(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  return await runCli(args, variables, {
    command: loadCommand,
    wiring: async () => (await import("../wiring.ts")).wire,
    help: () => import("./help.ts"),
    usageError: () => import("./usage_error.ts"),
    pickEnvironment: () => import("./pick_environment.ts"),
  });
}
