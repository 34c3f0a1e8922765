/** Finds repositories that lie in folders which git ignores, and so tells nothing of. */

import { throwIfInterrupted } from "../../domain/errors.ts";
import { findLinkedEntry } from "../linked_worktree.ts";
import { lstat, readIfThere, realPath } from "./paths.ts";

/** How many milliseconds the walk goes on before others have their turn. */
const TURN = 10;

/** A folder with a repository of its own, or with one that its `.git` names. */
export interface NestedRepository {
  folder: string;
  /** What git keeps of it, links resolved. */
  gitDir: string;
  /** The folder of what all worktrees of it share. */
  commonDir: string;
}

/** Finds the repository that the `.git` in a folder is or names; undefined where there is none that git would use. */
export async function repositoryIn(folder: string): Promise<NestedRepository | undefined> {
  const entry = findLinkedEntry(folder);
  if (entry === undefined) return undefined;
  const gitDir = await realPath(entry === "" ? `${folder}/.git` : entry);
  const common = (await readIfThere(`${gitDir}/commondir`).catch(() => undefined))?.trimEnd();
  const commonDir = common === undefined
    ? gitDir
    : await realPath(common.startsWith("/") ? common : `${gitDir}/${common}`);
  const parts = [`${gitDir}/HEAD`, `${commonDir}/objects`, `${commonDir}/refs`];
  for (const part of parts) if (await lstat(part) === undefined) return undefined;
  return { folder, gitDir, commonDir };
}

/**
 * Lists the repositories in folders and at any depth below, without following links. Read in turns of the one thread: a
 * folder with all its packages has thousands of others, and each costs several times as much when it is read beside.
 */
export async function findRepositoriesIn(
  folders: readonly string[],
  signal: AbortSignal | undefined,
): Promise<NestedRepository[]> {
  const found: NestedRepository[] = [];
  const left = [...folders];
  let until = performance.now() + TURN;
  for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
    let hasGit = false;
    for (const { name, isDirectory } of readFolder(folder)) {
      if (name === ".git") hasGit = true;
      else if (isDirectory) left.push(`${folder}/${name}`);
    }
    const repository = hasGit ? await repositoryIn(folder) : undefined;
    if (repository !== undefined) found.push(repository);
    if (performance.now() < until) continue;
    await new Promise((resolve) => setTimeout(resolve));
    throwIfInterrupted(signal);
    until = performance.now() + TURN;
  }
  return found;
}

/** Lists what is in a folder; nothing of one that is gone meanwhile, or that is not piko's user's to look into. */
function readFolder(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    const isShut = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (isShut) return [];
    throw error;
  }
}
