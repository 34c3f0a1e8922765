/**
 * The way into piko: arguments → command → exit code. The code is set and not exited with: Deno writes its cache
 * of compiled code, 10 ms at each later start, only when the event loop comes to its end.
 */

import { userVariables, versionLine } from "./src/build_info.ts";
import { askAhead } from "./src/commands/ask_ahead.ts";

if (import.meta.main) Deno.exitCode = await main(Deno.args);

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    console.log(versionLine());
    return 0;
  }
  // What a command needs is loaded here, and not for `--version`.
  const variables = userVariables(Deno.env.toObject());
  const engine = await askAhead(args, variables);
  const { runCli } = await import("./src/commands/cli.ts");
  return await runCli(args, variables, engine);
}
