/**
 * `task setup`: brings this machine to where the tests and the demo can run. With a person at a terminal it
 * asks before it installs system packages; `--yes` answers for them.
 */

import { runScript, say } from "./machine/say.ts";
import { PROGRAMS } from "./machine/probe.ts";
import { setUpMachine, tellMissing } from "./machine/set_up.ts";

await runScript(async () => {
  const { missing } = await setUpMachine({ ask: !Deno.args.includes("--yes"), want: PROGRAMS });
  tellMissing(missing);
  if (missing.length > 0) return 1;
  say("✓ This machine has what the tests and the demo need");
  return 0;
});
