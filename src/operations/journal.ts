/**
 * Records the steps of what is done to a whole environment (up, down, restart) while it is being done. They go when it
 * comes to an end, well or not, since whoever called it is told; steps that stay say that piko was killed, and where.
 */

import type { Step } from "../domain/report.ts";
import type { Tools } from "./tools.ts";

/** Does work that records its steps by `begin`; the detail is what is needed to do it again. */
export async function recordSteps<T>(
  { environments }: Pick<Tools, "environments">,
  id: number,
  operation: string,
  detail: Record<string, unknown>,
  work: (begin: (step: Step) => void) => Promise<T>,
): Promise<T> {
  environments.endOperation(id, operation);
  try {
    return await work((step) => environments.beginStep(id, operation, step, detail));
  } finally {
    environments.endOperation(id, operation);
  }
}
