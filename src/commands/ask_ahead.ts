/** Asks the engine for its containers while the rest of piko is loaded, for the command whose answer needs them all. */

import { toolVariables } from "../domain/variables.ts";
import { Engine } from "../programs/engine.ts";

/** Milliseconds that a person waits for a list; what runs is unknown then. */
const PATIENCE = 5000;

/** Sends the question, if these arguments lead to it, and returns the engine that will have the answer. */
export async function askAhead(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<Engine | undefined> {
  if (args[0] !== "list" || args.includes("--help") || args.includes("-h")) return undefined;
  const engine = new Engine({ variables: toolVariables(variables), timeout: PATIENCE });
  await engine.askAhead();
  return engine;
}
