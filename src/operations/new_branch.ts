/** Takes back the branch that a create has made. */

import type { Tools } from "./tools.ts";

/**
 * Removes a branch that a create has made, unless somebody uses it since.
 *
 * @returns why it stays, as what the branch does: `has new commits`; empty when there is none any more, undefined when it
 *   was removed.
 */
export async function removeNewBranch(
  { git }: Pick<Tools, "git">,
  root: string,
  branch: string,
  commit: string,
): Promise<string | undefined> {
  if (await git.deleteBranch(root, branch, { force: true, onlyAt: commit })) return undefined;
  const now = await git.findCommit(root, `refs/heads/${branch}`);
  if (now === undefined) return "";
  return now === commit ? "is checked out" : "has new commits";
}
