/**
 * Remembers that the removal of a worktree has begun: what is left of it was looked through before, so that a removal which
 * failed half way or was killed is gone on with where git no longer tells what it is.
 */

import { findLinkedEntry, nameLostEntry } from "../programs/linked_worktree.ts";
import type { EnvironmentRecord, StepRecord } from "../store/environments.ts";
import type { Tools } from "./tools.ts";

type Registry = Pick<Tools, "environments">;
type Worktree = Pick<EnvironmentRecord, "id" | "path">;

/** Records that the worktree of an environment is about to be deleted. */
export async function beginRemoval({ environments }: Registry, record: Worktree): Promise<void> {
  const folder = await identityOf(record.path);
  if (folder !== undefined) environments.beginStep(record.id, "destroy", "worktree", { folder });
}

/** Tells whether a step says that a worktree was about to be deleted. */
export function isRemoval({ step, detail }: Pick<StepRecord, "step" | "detail">): boolean {
  return step === "worktree" && typeof detail.folder === "string";
}

/** Tells whether the removal of a worktree has begun, and its folder is either gone or still the same. */
export async function hasBegun({ environments }: Registry, record: Worktree): Promise<boolean> {
  const begun = environments.listSteps(record.id)
    .findLast((step) => step.operation === "destroy" && isRemoval(step));
  if (begun === undefined) return false;
  const folder = await identityOf(record.path);
  return folder === undefined || folder === begun.detail.folder;
}

/** Tells whether the folder of a worktree is what a removal has left, which git no longer takes for a worktree. */
export async function isHalfRemoved(tools: Registry, record: Worktree): Promise<boolean> {
  const { path } = record;
  const isNone = findLinkedEntry(path) === undefined || nameLostEntry(path) !== undefined;
  return isNone && await identityOf(path) !== undefined && await hasBegun(tools, record);
}

/** Names a folder so that another one in its place, which may get the same number, is told apart. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, birthtime, isDirectory } = await Deno.lstat(path);
    return isDirectory ? `${ino} ${birthtime?.getTime()}` : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
