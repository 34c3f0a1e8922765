/**
 * The way into piko: arguments → command → exit code. The code is set and not exited with: Deno writes its cache
 * of compiled code, 10 ms at each later start, only when the event loop comes to its end. The two imports below are
 * files of their own in the built piko too (scripts/build/bundle.ts), so that nothing is read that is not needed.
 */

import { userVariables, versionLine } from "./src/build_info.ts";
import { askAhead } from "./src/programs/ask_ahead.ts";

/** The commands that src/commands/short.ts has. */
export const SHORT: readonly string[] = ["list", "env", "ports", "complete"];

if (import.meta.main) Deno.exitCode = await main(Deno.args);

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    console.log(versionLine());
    return 0;
  }
  const variables = userVariables(Deno.env.toObject());
  const name = commandIn(args);
  if (name !== undefined && SHORT.includes(name)) {
    // The engine takes 5 ms for 60 containers, in which the rest of piko is loaded.
    const askedAhead = name === "list" && !isHelpWanted(args)
      ? await askAhead(variables)
      : undefined;
    const { runShort } = await import("./src/commands/short.ts");
    const exitCode = await runShort(args, variables, askedAhead);
    if (exitCode !== undefined) return exitCode;
  }
  const { runWhole } = await import("./src/commands/whole.ts");
  return await runWhole(args, variables);
}

function isHelpWanted(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

/** Finds the name of the command behind global options, of which `-C` has a value. */
function commandIn(args: readonly string[]): string | undefined {
  let index = 0;
  while (args[index]?.startsWith("-")) index += args[index] === "-C" ? 2 : 1;
  return args[index];
}
