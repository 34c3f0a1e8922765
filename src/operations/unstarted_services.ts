/** Which services an environment has that the registry does not know yet, because all of them were never started. */

import { PikoError } from "../domain/errors.ts";
import { readOverrideServices } from "../programs/override_file.ts";
import type { EnvironmentRecord } from "../store/environments.ts";

/** Lists the services of an environment whose services were never all started; none for any other. */
export async function listUnstartedServices(
  { runningServices, overrideFile }: EnvironmentRecord,
): Promise<string[]> {
  if (runningServices.length > 0 || overrideFile === null) return [];
  try {
    return await readOverrideServices(overrideFile) ?? [];
  } catch (error) {
    // Whoever starts it is told why; all else can be shown nevertheless.
    if (error instanceof PikoError) return [];
    throw error;
  }
}
