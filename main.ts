/** The way into piko: arguments → command → exit code. The only `Deno.exit`. */

import { userVariables, versionLine } from "./src/build_info.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    console.log(versionLine());
    return 0;
  }
  // What a command needs is loaded here, and not for `--version`.
  const { runCli } = await import("./src/commands/cli.ts");
  return await runCli(args, userVariables(Deno.env.toObject()));
}
