/** Makes sure that there is a worktree to work in, and a data folder. */

import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { quote } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isThere, makeFolder } from "./files.ts";

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
    hint: `piko destroy ${qualified(record)}`,
  });
}

/**
 * Refuses an environment whose worktree is not there, or not whole.
 *
 * @throws {PikoError} conflict that says what helps.
 */
export async function requireWorktree(record: EnvironmentRecord): Promise<void> {
  refuseUnfinished(record);
  const { root, path, name, project } = record;
  if (await isThere(path)) return;
  if (!await isThere(root)) {
    throw new PikoError(`The repository of project ${quote(project)} is gone: ${root}`, {
      code: "conflict",
      hint: `bring it back; piko destroy ${qualified(record)} removes what is left of ${
        quote(name)
      }`,
    });
  }
  throw new PikoError(`The worktree of ${quote(name)} is gone: ${path}`, {
    code: "conflict",
    hint: `piko destroy ${qualified(record)} removes what is left of it`,
  });
}

/** Makes the data folder of an environment when somebody has removed it, and says so. */
export async function ensureDataFolder(
  { dataDir }: EnvironmentRecord,
  watch: Watch,
): Promise<void> {
  if (await isThere(dataDir)) return;
  await makeFolder(dataDir);
  watch.report({
    kind: "warning",
    message: `The data folder was gone, and is made anew, empty: ${dataDir}`,
  });
}
