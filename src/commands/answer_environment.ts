/** The answer of a command that starts or stops the containers of an environment. */

import { describeEnvironments } from "../operations/list_environments.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Context } from "./context.ts";

/** Answers with the environment as it is now, in words or as JSON. */
export async function answerEnvironment(
  context: Context,
  record: EnvironmentRecord,
  verb: string,
): Promise<void> {
  const { output } = context;
  if (!output.json) {
    // That it has no containers was told, and nothing was done to them.
    if (record.mode === "simple") return;
    output.answer(`${output.paintAnswer("green", "✓")} ${verb} ${record.project}/${record.name}`);
    return;
  }
  const [described] = await describeEnvironments(context.tools(), [record], context.watchQuietly);
  output.answerJson({ environment: described?.environment });
}
