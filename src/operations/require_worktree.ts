/** Makes sure that there is a worktree to work in. */

import { PikoError } from "../domain/errors.ts";
import { quote } from "../domain/names.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isThere } from "./files.ts";

/**
 * Refuses an environment that was never made completely, or is half destroyed.
 *
 * @throws {PikoError} conflict that says what helps.
 */
export function refuseUnfinished(record: EnvironmentRecord): void {
  if (record.state !== "creating" && record.state !== "destroying") return;
  const what = record.state === "creating" ? "was never made completely" : "is half destroyed";
  throw new PikoError(`Environment ${quote(record.name)} ${what}`, {
    code: "conflict",
    hint: `piko destroy ${record.name}`,
  });
}

/**
 * Refuses an environment whose worktree is not there, or not whole.
 *
 * @throws {PikoError} conflict that says what helps.
 */
export async function requireWorktree(record: EnvironmentRecord): Promise<void> {
  refuseUnfinished(record);
  if (await isThere(record.path)) return;
  throw new PikoError(`The worktree of ${quote(record.name)} is gone: ${record.path}`, {
    code: "conflict",
    hint: `piko destroy ${record.name} removes what is left of it`,
  });
}
