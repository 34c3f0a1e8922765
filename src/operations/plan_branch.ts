/** Decides what an environment's worktree is made of: a branch that exists, one that a remote has, or a new one. */

import { PikoError } from "../domain/errors.ts";
import { quote } from "../domain/names.ts";
import { shellQuote, shellWord } from "../domain/variables.ts";
import type { Watch } from "../domain/report.ts";
import type { BranchPlaces, WorktreePlan } from "../programs/git.ts";
import type { Tools } from "./tools.ts";

/** What a worktree is made of, and the commit that it starts at. */
export interface BranchPlan {
  plan: WorktreePlan;
  commit: string;
}

/**
 * Plans the branch of a new worktree.
 *
 * @throws {PikoError} usage for a name that git refuses, conflict when it is checked out elsewhere or on several
 *   remotes, not-found when `from` names nothing, failed in a repository without a commit.
 */
export async function planBranch(
  tools: Tools,
  root: string,
  branch: string,
  from: string | undefined,
  watch: Watch,
): Promise<BranchPlan> {
  const { signal } = watch;
  const places = await tools.git.resolveBranch(root, branch, { signal });
  if (places.isLocal) {
    if (places.checkedOutAt !== undefined) {
      throw new PikoError(`Branch ${quote(branch)} is checked out at ${places.checkedOutAt}`, {
        code: "conflict",
        hint: `piko create OTHER-NAME --from ${
          shellWord(places.isTag ? `heads/${branch}` : branch)
        } starts a new branch there`,
      });
    }
    if (from !== undefined) {
      watch.report({
        kind: "warning",
        message: `Branch ${quote(branch)} exists and is used as it is; --from has no effect`,
      });
    }
    const commit = await tools.git.findCommit(root, `refs/heads/${branch}`, { signal });
    if (commit !== undefined) return { plan: { kind: "existing", branch }, commit };
  }
  const plan = await planNew(tools, root, branch, from, places, watch);
  if (places.isTag) {
    watch.report({
      kind: "warning",
      message: `Branch ${
        quote(branch)
      } gets the name of a tag, and git takes that name for the tag`,
      hint: "--branch OTHER-NAME gives it another name",
    });
  }
  return plan;
}

/** Plans a branch that is not there yet. */
async function planNew(
  tools: Tools,
  root: string,
  branch: string,
  from: string | undefined,
  { remotes }: BranchPlaces,
  { signal }: Watch,
): Promise<BranchPlan> {
  const commitOf = (revision: string) => tools.git.findCommit(root, revision, { signal });
  const [remote, ...others] = remotes;
  if (remote !== undefined && from === undefined) {
    if (others.length > 0) {
      throw new PikoError(
        `Branch ${quote(branch)} is on several remotes: ${remotes.join(", ")}`,
        {
          code: "conflict",
          hint: `--from ${shellQuote(`${remote}/${branch}`)} names one`,
        },
      );
    }
    const commit = await commitOf(`refs/remotes/${remote}/${branch}`);
    if (commit !== undefined) return { plan: { kind: "track", branch, remote }, commit };
  }
  const start = from ?? "HEAD";
  const commit = await commitOf(start);
  if (commit !== undefined) return { plan: { kind: "new", branch, from: start }, commit };
  if (await tools.git.hasCommit(root, { signal })) {
    throw new PikoError(`There is no commit, branch or tag ${quote(start)} in ${root}`, {
      code: "not-found",
      hint: "git branch --all",
    });
  }
  throw new PikoError(`${root} has no commit yet, so there is nothing to start a branch from`, {
    code: "failed",
    hint: 'git commit --allow-empty -m "First commit"',
  });
}
