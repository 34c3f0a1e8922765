/**
 * Makes an executable of a bundle with `deno compile`. That needs Deno's base binary: the file that
 * DENORT_BIN names, the one in Deno's cache, or a download from Deno's own host.
 */

import { tryRun } from "../../src/programs/run.ts";
import { type Bundle, START } from "./bundle.ts";
import { PERMISSIONS, V8_FLAGS } from "./permissions.ts";

/** Milliseconds after which a download that does not end counts as failed. */
const PATIENCE = 300_000;

/** Whether an executable was made, and if not, why. */
export type Compiled = { made: true } | { made: false; why: string };

/** Compiles a bundle in a folder of its own for a target into `output`; a missing base binary is not an error. */
export async function compile(
  bundle: Bundle,
  folder: string,
  output: string,
  target: string,
  variables: Readonly<Record<string, string>> = Deno.env.toObject(),
): Promise<Compiled> {
  for (const [name, code] of Object.entries(bundle)) {
    await Deno.writeTextFile(`${folder}/${name}`, code);
  }
  const parts = Object.keys(bundle).filter((name) => name !== START);
  const outcome = await tryRun([
    Deno.execPath(),
    "compile",
    ...PERMISSIONS,
    V8_FLAGS,
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--app-name",
    "piko",
    "--target",
    target,
    "--output",
    output,
    // They are not seen in the code, or Deno would read them at each start.
    ...parts.flatMap((name) => ["--include", `${folder}/${name}`]),
    `${folder}/${START}`,
  ], { variables: { ...variables, NO_COLOR: "1" }, timeout: PATIENCE });
  if (outcome.exitCode === 0) return { made: true };
  return { made: false, why: reasonIn(outcome.stderr) };
}

/** Picks the sentence that says most out of the chain of causes that Deno prints. */
export function reasonIn(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const chain = lines.filter((line) => /^(\d+: (?!<)|error: )/.test(line));
  const first = chain.find((line) => /request|download|denort|base binary .+/i.test(line));
  const reason = first ?? chain[0] ?? lines.find((line) => line !== "") ?? "deno compile failed";
  return reason.replace(/^(\d+|error): /, "");
}
