/**
 * Looks after a worktree whose folder is gone. Its entry in git still holds what was staged, and HEAD with commits of no
 * branch, and all of that ends with the entry; or the folder is only somewhere else, on a disk that is not there or
 * beside.
 */

import { shellWord } from "../domain/variables.ts";
import type { Worktree } from "../programs/git/formats.ts";
import { findLinkedEntry } from "../programs/linked_worktree.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isThere } from "./files.ts";
import type { Tools } from "./tools.ts";

/** Work that git alone still has of a worktree. */
export interface WorkOfGone {
  /** As `staged: src/app.ts`. */
  files: string[];
  commits: string[];
  /** The command that rescues it. */
  rescue: string;
  /** Whether the worktree is there again after that, with the work in it; else it is on a branch. */
  bringsBack: boolean;
}

/** What has become of a worktree whose folder is not where it was. */
export type Gone =
  | { kind: "absent" }
  | { kind: "moved"; to: string; byGit: boolean }
  | { kind: "lost"; work: WorkOfGone | undefined };

interface Cancellable {
  signal?: AbortSignal | undefined;
}

/** Tells what has become of an environment's worktree that git knows and whose folder is not where it was. */
export async function inspectGone(
  tools: Pick<Tools, "git">,
  { root, path }: Pick<EnvironmentRecord, "root" | "path">,
  worktree: Worktree,
  options: Cancellable,
): Promise<Gone> {
  if (!await isOnDiskOf(root, path)) return { kind: "absent" };
  const to = await findMovedFolder(tools, root, worktree, options);
  if (to !== undefined) return { kind: "moved", to, byGit: false };
  return { kind: "lost", work: await findWorkOfGone(tools, root, worktree, options) };
}

/**
 * Finds the worktree of an environment that `git worktree move` has taken elsewhere: git keeps its entry under the name that
 * it was made with, and may append a number when it makes one.
 */
export async function findMovedByGit(
  { path, branch }: Pick<EnvironmentRecord, "path" | "branch">,
  worktrees: readonly Worktree[],
): Promise<Worktree | undefined> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  for (const worktree of worktrees) {
    const isOnOther = worktree.branch !== undefined && worktree.branch !== branch;
    if (isOnOther || worktree.path === path || !await isThere(worktree.path)) continue;
    const entry = findLinkedEntry(worktree.path) ?? "";
    const rest = entry.slice(entry.lastIndexOf("/") + 1).slice(name.length);
    if (!entry.endsWith(`/${name}${rest}`)) continue;
    if (rest === "" || (worktree.branch === branch && /^\d+$/.test(rest))) return worktree;
  }
  return undefined;
}

/** Finds work of a worktree that is gone which git alone still has, and the command that rescues it. */
export async function findWorkOfGone(
  { git }: Pick<Tools, "git">,
  root: string,
  worktree: Worktree,
  options: Cancellable,
): Promise<WorkOfGone | undefined> {
  const { files, commits, isOnHead, gitDir } = await git.listWorkOfGone(root, worktree, options);
  if (files.length + commits.length === 0) return undefined;
  return {
    files: files.map(({ path }) => `staged: ${path}`),
    commits,
    rescue: isOnHead
      ? `git -C ${shellWord(root)} branch rescued ${worktree.head}`
      : bringBack(gitDir, worktree.path),
    bringsBack: !isOnHead,
  };
}

/** Writes the files of the index, and what says whose worktree they are; `git worktree repair` ends with 1 for that. */
function bringBack(gitDir: string, path: string): string {
  return `git --git-dir=${shellWord(gitDir)} checkout-index --all --prefix=${
    shellWord(`${path}/`)
  } && echo ${shellWord(`gitdir: ${gitDir}`)} > ${shellWord(`${path}/.git`)}`;
}

/** Names the command that moves a worktree back which `git worktree move` has taken elsewhere. */
export function moveBack({ root, path }: Pick<EnvironmentRecord, "root" | "path">, to: string) {
  return `git -C ${shellWord(root)} worktree move ${shellWord(to)} ${shellWord(path)}`;
}

/** Finds the folder, among those beside it, that a worktree was moved to without git: its `.git` says so. */
async function findMovedFolder(
  { git }: Pick<Tools, "git">,
  root: string,
  { path }: Worktree,
  options: Cancellable,
): Promise<string | undefined> {
  const entry = await git.findEntry(root, path, options);
  const folder = path.slice(0, path.lastIndexOf("/"));
  if (entry === undefined || !await isThere(folder)) return undefined;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && findLinkedEntry(`${folder}/${name}`) === entry) return `${folder}/${name}`;
  }
  return undefined;
}

/** Tells whether the folder around a worktree is there, as a folder on the disk of the root: not one to be mounted. */
export async function isOnDiskOf(root: string, path: string): Promise<boolean> {
  for (const folder of ancestorsBelow(root, path)) {
    if (!await isThere(folder)) continue;
    const [inside, whole] = [await Deno.lstat(folder), await Deno.stat(root)];
    return inside.isDirectory && inside.dev === whole.dev;
  }
  return true;
}

/** Lists the folders between a path and a root above it, the nearest first. */
function ancestorsBelow(root: string, path: string): string[] {
  const folders: string[] = [];
  let folder = path;
  for (;;) {
    folder = folder.slice(0, folder.lastIndexOf("/"));
    if (folder.length <= root.length) return folders;
    folders.push(folder);
  }
}
