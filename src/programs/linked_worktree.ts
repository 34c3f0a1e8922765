/** Reads without git which repository a linked worktree belongs to, and what is checked out in it. */

/**
 * Finds the main worktree of the linked one that a folder lies in: that has a file `.git`, which names the folder of its
 * entry (gitrepository-layout). Undefined anywhere else, and where the repository is not the `.git` of a worktree.
 */
export function findMainWorktree(folder: string): string | undefined {
  for (let at = folder;; at = at.slice(0, at.lastIndexOf("/"))) {
    const entry = findLinkedEntry(at);
    if (entry !== undefined) return /^(.+)\/\.git\/worktrees\/[^/]+$/.exec(entry)?.[1];
    if (at === "") return undefined;
  }
}

/**
 * Finds the folder that the `.git` of a worktree names; empty when that is gone, or `.git` is the repository itself, and
 * undefined when there is no `.git`.
 */
export function findLinkedEntry(worktreePath: string): string | undefined {
  const text = readGitFile(`${worktreePath}/.git`);
  if (text === undefined) return undefined;
  const [, entry = ""] = /^gitdir: (.+)$/m.exec(text) ?? [];
  return entry === "" ? "" : realPath(entry, worktreePath);
}

/** Tells the name of the entry that the `.git` of a worktree names and that is not there; undefined where it is. */
export function nameLostEntry(worktreePath: string): string | undefined {
  if (findLinkedEntry(worktreePath) !== "") return undefined;
  const text = readGitFile(`${worktreePath}/.git`) ?? "";
  return /^gitdir: .+\/worktrees\/([^/\n]+)$/m.exec(text)?.[1];
}

/**
 * Lists the worktrees of a repository whose folders lie in another folder, by what its linked worktree names; where that is
 * gone, by what is in the main one.
 */
export function listWorktreesInside(root: string, worktreePath: string, folder: string): string[] {
  if (!isFolder(folder)) return [];
  const entry = findLinkedEntry(worktreePath);
  const entries = entry
    ? entry.slice(0, entry.lastIndexOf("/"))
    : `${findLinkedEntry(root) || `${root}/.git`}/worktrees`;
  if (!isFolder(entries)) return [];
  const outer = realPath(folder, "/");
  return [...Deno.readDirSync(entries)].flatMap(({ name }) => {
    const file = readGitFile(`${entries}/${name}/gitdir`)?.replace(/\/\.git\n?$/, "") ?? "";
    const place = file === "" ? "" : realPath(file, `${entries}/${name}`);
    return place.startsWith(`${outer}/`) ? [place] : [];
  }).sort();
}

/**
 * Tells what a linked worktree has checked out in the place of a branch: the name of another one, or a commit's where it is
 * on none; null when it is that branch, and when the files do not tell, as with git's reftable.
 */
export function findOtherCheckout(worktreePath: string, branch: string): string | null {
  const entry = findLinkedEntry(worktreePath);
  const head = entry ? readGitFile(`${entry}/HEAD`) ?? "" : "";
  const [, name, commit] = /^(?:ref: refs\/heads\/(.+)|([0-9a-f]{40,64}))\n?$/.exec(head) ?? [];
  // A branch's name has no component that begins with a dot: this one stands for a HEAD that is kept elsewhere.
  if (name === branch || name === ".invalid") return null;
  return name ?? commit ?? null;
}

/** Reads a file of git's; empty when it is a folder, as the `.git` of a repository, undefined when there is none. */
function readGitFile(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // A folder cannot be read as a file; what may not be looked at names no repository either.
    return isThere(path) ? "" : undefined;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Tells whether a path is a folder, and no link to one. */
function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Follows a path that may be relative, as with `worktree.useRelativePaths`, to a folder that is there. */
function realPath(path: string, folder: string): string {
  try {
    return Deno.realPathSync(path.startsWith("/") ? path : `${folder}/${path}`);
  } catch {
    // The entry is gone, and with it the worktree as git sees it.
    return "";
  }
}
