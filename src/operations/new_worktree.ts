/**
 * Takes back the worktree that a create has made. While its scripts ran somebody may have begun to work in it, and what
 * they wrote looks like what the scripts have left: so all that git calls work is stashed before the worktree goes.
 */

import { PikoError } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { shellWord } from "../domain/variables.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { refuseWork, removeLinks, removeWorktree } from "./destroy_environment.ts";
import { isThere } from "./files.ts";
import { beginRemoval } from "./removal.ts";
import type { Tools } from "./tools.ts";

/** How many files of a stash are named. */
const MOST_NAMED = 5;

/**
 * Removes a worktree that a create has made, and tells whether there was one. Its files that are in no commit go into a
 * stash of the repository, which is told with the command that brings them back.
 *
 * @throws {PikoError} conflict for what no stash holds, such as commits that are on no branch: then it stays; conflict
 *   when it is locked, failed when files may not be deleted or git cannot stash them.
 */
export async function removeNewWorktree(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<boolean> {
  const { root, path } = record;
  const known = await tools.git.findWorktree(root, path);
  // Nobody has worked in what git has not come to its end with, and its missing files are no work.
  if (known === undefined || await tools.git.isHalfMade(root, path)) {
    return await tools.git.removeWorktree(root, path, {
      force: true,
      begin: () => beginRemoval(tools, record),
    });
  }
  const unforced = { force: false, keepData: true };
  try {
    await refuseWork(tools, record, unforced, watch);
  } catch (error) {
    const { files = [], commits = [] } = error instanceof PikoError ? error.unsaved ?? {} : {};
    if (files.length === 0 || commits.length > 0 || !await isThere(path)) throw error;
    await stashFiles(tools, record, files, watch);
    await refuseWork(tools, record, unforced, watch);
  }
  return await removeWorktree(tools, record, false);
}

async function stashFiles(
  tools: Tools,
  record: EnvironmentRecord,
  files: readonly string[],
  watch: Watch,
): Promise<void> {
  const { root, path, name } = record;
  // What keeps the worktree from being removed is found before anything is taken out of it.
  await tools.git.refuseLocked(root, path, watch);
  await tools.git.refuseUndeletable(path, watch);
  await removeLinks(tools, record);
  const stash = await tools.git.pushStash(path, `piko create ${name}: what was in its worktree`);
  if (stash === undefined) return;
  const more = files.length - MOST_NAMED;
  const named = files.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
  watch.report({
    kind: "warning",
    message: `Stashed what was in the worktree: ${named}`,
    hint: `to have it back, create the environment again, then: git -C ${
      shellWord(path)
    } stash apply ${stash}`,
  });
}
