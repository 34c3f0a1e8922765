/** Finds what would be lost with a worktree: what is in no commit, and what no branch, tag or remote leads to. */

import { CommandError, PikoError } from "../../domain/errors.ts";
import { OVERRIDE_FILE, OVERRIDE_START } from "../../domain/override_file.ts";
import {
  type ChangedFile,
  type IndexEntry,
  isHidden,
  parseIndex,
  parseStatus,
  type Worktree,
} from "./formats.ts";
import { currentBranch, findEntry, gitDirOf } from "./head.ts";
import { findRepositoriesIn, type NestedRepository, repositoryIn } from "./nested_repositories.ts";
import { lines, lstat, readIfThere, realPath } from "./paths.ts";
import type { Cancellable, GitRunner } from "./runner.ts";
import { findUnderWay } from "./under_way.ts";

/** What would be lost with a worktree. */
export interface Work {
  files: ChangedFile[];
  /** As "1a2b3c4 Subject", those of a submodule as "path: 1a2b3c4 Subject"; the latest 50 of each. */
  commits: string[];
}

/** What would be lost with git's entry of a worktree whose folder is gone. */
export interface WorkOfGone extends Work {
  /** Where it lies. */
  gitDir: string;
  /** Whether a branch at HEAD would have all of it. */
  isOnHead: boolean;
}

/** How many paths one command is given: the system bounds the length of its arguments. */
const MOST_PATHS = 200;

/**
 * Lists what would be lost with a worktree: uncommitted and untracked files (ignored ones aside, those that
 * `git update-index` or piko's own pattern has kept from `git status` included), what git has under way there, and commits that no
 * branch, tag or remote has, of a detached HEAD, of a stash that a rebase or merge keeps aside, and of submodules.
 * A submodule's repository belongs to the linked worktree, so all of it that is on no remote counts, under whatever tag; and
 * so it is with a repository of its own that lies in an ignored folder.
 *
 * @param options.except untracked links, relative to the worktree, that piko made; one that is no longer a link counts.
 * @throws {PikoError} conflict when the folder is no worktree of its own any more.
 */
export async function listWork(
  git: GitRunner,
  worktreePath: string,
  { except = [], signal }: { except?: readonly string[] } & Cancellable = {},
): Promise<Work> {
  const gitDir = await gitDirOf(git, worktreePath, signal);
  const index = listIndex(git, worktreePath, signal);
  const [own, modules, detached, stashes, submodules] = await Promise.all([
    index.then((entries) => filesOf(git, { folder: worktreePath, gitDir }, entries, signal)),
    index.then((entries) => filesOfSubmodules(git, worktreePath, entries, signal)),
    detachedCommits(git, worktreePath, signal),
    stashesAside(git, worktreePath, gitDir, signal),
    index.then((entries) => submoduleCommits(git, worktreePath, gitDir, entries, signal)),
  ]);
  const ignored = [...own, ...modules].filter(({ state }) => state === "ignored");
  const nested = await workInIgnored(git, worktreePath, gitDir, ignored, signal);
  const files: ChangedFile[] = [];
  for (const file of own) {
    const path = `${worktreePath}/${file.path}`;
    if (file.state === "ignored" && !await isHiddenByPiko(path)) continue;
    const isOurs = except.includes(file.path) && /^(untracked|ignored)$/.test(file.state) &&
      (await lstat(path))?.isSymlink;
    if (!isOurs) files.push(file);
  }
  // A submodule that is listed itself stands for what is in it.
  const listed = new Set(files.map(({ path }) => path));
  for (const file of modules) {
    if (file.state === "ignored") continue;
    if (!ancestorsOf(file.path).some((folder) => listed.has(folder))) files.push(file);
    listed.add(file.path);
  }
  return {
    files: [...files, ...nested.files],
    commits: [...detached, ...stashes, ...submodules, ...nested.commits],
  };
}

/**
 * Lists what git alone still has of a worktree whose folder is gone, and would be lost with its entry: what was staged,
 * and the commits that {@link listWork} lists.
 */
export async function listWorkOfGone(
  git: GitRunner,
  root: string,
  { path, branch, head }: Worktree,
  { signal }: Cancellable = {},
): Promise<WorkOfGone> {
  const gitDir = await findEntry(git, root, path, { signal });
  if (gitDir === undefined) return { files: [], commits: [], gitDir: "", isOnHead: true };
  const detached = branch === undefined && head !== undefined
    ? await log(git, ["-C", root], [head, "--not", "--branches", "--tags", "--remotes"], signal)
    : [];
  const aside = await stashesAside(git, root, gitDir, signal);
  for (const repository of await findRepositories(`${gitDir}/modules`)) {
    aside.push(...await ownCommits(git, repository, signal));
  }
  const commits = [...detached, ...aside];
  // A git that was killed while it checked the worktree out has left no index: then nothing was staged.
  if (await lstat(`${gitDir}/index`) === undefined) {
    return { files: [], commits, gitDir, isOnHead: aside.length === 0 };
  }
  const staged = await git.run([
    ...[
      "git",
      `--git-dir=${gitDir}`,
      "diff-index",
      "--cached",
      "--name-only",
      "-z",
      "HEAD",
      "--",
    ],
  ], { signal });
  const files = staged.split("\0").filter(Boolean).map((path) => (
    { state: "modified", path } satisfies ChangedFile
  ));
  return { files, commits, gitDir, isOnHead: files.length + aside.length === 0 };
}

/** Lists the files of a worktree's index. */
export async function listIndex(
  git: GitRunner,
  worktreePath: string,
  signal: AbortSignal | undefined,
): Promise<IndexEntry[]> {
  const argv = ["git", "-C", worktreePath, "ls-files", "-v", "--stage", "-z"];
  return parseIndex(await git.run(argv, { signal }));
}

/** Lists the changed files of a worktree or submodule, those that git was told not to look for too, and what is under way. */
async function filesOf(
  git: GitRunner,
  { folder, gitDir }: { folder: string; gitDir: string },
  index: readonly IndexEntry[],
  signal: AbortSignal | undefined,
): Promise<ChangedFile[]> {
  const [underWay, changed, hidden] = await Promise.all([
    findUnderWay(gitDir),
    listChanges(git, folder, gitDir, signal),
    hiddenChanges(git, folder, index, signal),
  ]);
  const first: ChangedFile[] = underWay === undefined
    ? []
    : [{ state: "under way", path: underWay }];
  return [...first, ...changed, ...hidden];
}

/**
 * Lists, by their paths from the worktree, the files of its submodules and of those in them: what `git status` tells of them
 * reaches one level, where a configuration hides them, and never what it was told not to look for.
 */
async function filesOfSubmodules(
  git: GitRunner,
  worktreePath: string,
  index: readonly IndexEntry[],
  signal: AbortSignal | undefined,
  prefix = "",
): Promise<ChangedFile[]> {
  const each = await Promise.all(
    index.filter(({ mode }) => mode === "160000").map(async ({ path }) => {
      const name = `${prefix}${path}`;
      const folder = `${worktreePath}/${name}`;
      const repository = await repositoryIn(folder);
      if (repository === undefined) return [];
      const entries = await listIndex(git, folder, signal);
      const [files, nested] = await Promise.all([
        filesOf(git, repository, entries, signal),
        filesOfSubmodules(git, worktreePath, entries, signal, `${name}/`),
      ]);
      const named = files.map(({ state, path }) => (
        { state, path: state === "under way" ? `${path} in ${name}` : `${name}/${path}` }
      ));
      return [...named, ...nested];
    }),
  );
  return each.flat();
}

/**
 * Lists what would be lost with the repositories that lie in ignored folders, where git tells nothing of them: one with
 * changed files by its folder, as git names a repository that it does not ignore. The worktrees of the same repository are
 * left out, as are submodules, which are listed anyway.
 */
async function workInIgnored(
  git: GitRunner,
  worktreePath: string,
  gitDir: string,
  ignored: readonly ChangedFile[],
  signal: AbortSignal | undefined,
): Promise<Work> {
  const folders = ignored.filter(({ path }) => path.endsWith("/"))
    .map(({ path }) => `${worktreePath}/${path.slice(0, -1)}`);
  if (folders.length === 0) return { files: [], commits: [] };
  const place = await realPath(worktreePath);
  const outer = await repositoryIn(worktreePath);
  const files: ChangedFile[] = [];
  const apart: string[] = [];
  const own = new Map<string, string>();
  for (const repository of await findRepositoriesIn(folders, signal)) {
    if (repository.commonDir === outer?.commonDir) continue;
    if (repository.gitDir.startsWith(`${gitDir}/`)) continue;
    const name = repository.folder.slice(worktreePath.length + 1);
    files.push(...await filesOfNested(git, repository, name, signal));
    const { folder, gitDir: entry, commonDir } = repository;
    if (commonDir.startsWith(`${place}/`)) own.set(commonDir, name);
    // What lies elsewhere stays, but for a worktree's HEAD.
    else if (entry !== commonDir) {
      const detached = await unlessUnreadable(detachedCommits(git, folder, signal), []);
      apart.push(...detached.map((commit) => `${name}: ${commit}`));
    }
  }
  for (const [inside, name] of [...own]) {
    for (const module of await findRepositories(`${inside}/modules`)) {
      if (!own.has(module.gitDir)) own.set(module.gitDir, `${name}/${module.name}`);
    }
  }
  const commits = await Promise.all(
    [...own].map(([gitDir, name]) =>
      unlessUnreadable(ownCommits(git, { name, gitDir }, signal), [`${name}: git cannot read it`])
    ),
  );
  return { files, commits: [...apart, ...commits.flat()] };
}

/** Lists a repository by its folder when files in it have changed or cannot be compared, and what is under way in it. */
async function filesOfNested(
  git: GitRunner,
  repository: NestedRepository,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ChangedFile[]> {
  const whole: ChangedFile = { state: "untracked", path: `${name}/` };
  const look = async () => {
    const { folder } = repository;
    // git would look into the repository around one that it cannot read.
    await gitDirOf(git, folder, signal);
    return await filesOf(git, repository, await listIndex(git, folder, signal), signal);
  };
  const files = await unlessUnreadable(look(), [whole]);
  const underWay = files.filter(({ state }) => state === "under way")
    .map((file) => ({ ...file, path: `${file.path} in ${name}` }));
  const isChanged = files.some(({ state }) => state !== "ignored" && state !== "under way");
  return isChanged ? [...underWay, whole] : underWay;
}

/** Stands in for what git cannot tell of a repository that is somebody else's or damaged. */
async function unlessUnreadable<T>(look: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await look;
  } catch (error) {
    const isGits = error instanceof CommandError ||
      (error instanceof PikoError && error.code === "conflict");
    if (!isGits) throw error;
    return otherwise;
  }
}

/** Tells whether an ignored path is a file that piko did not write, of the name that piko has git ignore in every folder. */
async function isHiddenByPiko(path: string): Promise<boolean> {
  if (!path.endsWith(`/${OVERRIDE_FILE}`)) return false;
  if (!(await lstat(path))?.isFile) return true;
  return !(await Deno.readTextFile(path)).startsWith(OVERRIDE_START);
}

/** Lists the folders that a path lies in. */
function ancestorsOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

async function listChanges(
  git: GitRunner,
  worktreePath: string,
  gitDir: string,
  signal: AbortSignal | undefined,
): Promise<ChangedFile[]> {
  const argv = [
    ...["git", "-C", worktreePath, "--no-optional-locks", "-c", "core.fsmonitor=false"],
    // Reaches the submodules' own status too, which the option does not.
    ...["-c", "status.showUntrackedFiles=all", "status", "--porcelain=v1", "-z"],
    ...["--untracked-files=all", "--ignore-submodules=none", "--ignored=matching"],
  ];
  if (await lstat(`${gitDir}/index`) !== undefined) {
    return parseStatus(await git.run(argv, { signal }));
  }
  // A git that was killed while it checked the worktree out has left no index, so all files look deleted and new. They
  // are compared with the commit; what it had not come to yet was never there.
  const index = `${gitDir}/piko-index`;
  const variables = { ...git.variables, GIT_INDEX_FILE: index };
  try {
    const head = ["git", "-C", worktreePath, "rev-parse", "--verify", "--quiet", "HEAD"];
    const { exitCode } = await git.try(head, { signal });
    // A repository without a commit has nothing to be compared with.
    const tree = exitCode === 1 ? "--empty" : "HEAD";
    await git.run(["git", "-C", worktreePath, "read-tree", tree], { signal, variables });
    const files = parseStatus(await git.run(argv, { signal, variables }));
    return files.filter(({ state }) => state !== "deleted");
  } finally {
    await Deno.remove(index).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

async function detachedCommits(
  git: GitRunner,
  worktreePath: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  if (await currentBranch(git, worktreePath, { signal }) !== undefined) return [];
  return await log(
    git,
    ["-C", worktreePath],
    ["HEAD", "--not", "--branches", "--tags", "--remotes"],
    signal,
  );
}

async function stashesAside(
  git: GitRunner,
  worktreePath: string,
  gitDir: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const files = ["rebase-merge/autostash", "rebase-apply/autostash", "MERGE_AUTOSTASH"];
  const ids = await Promise.all(files.map((file) => readIfThere(`${gitDir}/${file}`)));
  const found = ids.flatMap((id) => id === undefined ? [] : [id.trim()]);
  if (found.length === 0) return [];
  return await log(git, ["-C", worktreePath], ["--no-walk", ...found], signal);
}

/** Lists the files with changes that git was told not to look for; of a sparse checkout mostly none is there. */
async function hiddenChanges(
  git: GitRunner,
  worktreePath: string,
  index: readonly IndexEntry[],
  signal: AbortSignal | undefined,
): Promise<ChangedFile[]> {
  const changed: ChangedFile[] = [];
  const add = ({ tag, path }: IndexEntry) => {
    const flag = tag.toUpperCase() === "S" ? "skip-worktree" : "assume-unchanged";
    changed.push({ state: `modified (${flag})`, path });
  };
  const there: IndexEntry[] = [];
  for (const entry of index) {
    if (!isHidden(entry) || !/^1[02]0/.test(entry.mode)) continue;
    const path = `${worktreePath}/${entry.path}`;
    const info = await lstat(path);
    if (info?.isFile) there.push(entry);
    else if (info?.isSymlink && await linkBlob(path, entry) !== entry.blob) add(entry);
  }
  for (let start = 0; start < there.length; start += MOST_PATHS) {
    const some = there.slice(start, start + MOST_PATHS);
    const argv = [
      "git",
      "-C",
      worktreePath,
      "hash-object",
      "--",
      ...some.map(({ path }) => path),
    ];
    const blobs = lines(await git.run(argv, { signal }));
    for (const [at, entry] of some.entries()) if (blobs[at] !== entry.blob) add(entry);
  }
  return changed;
}

/** Tells the blob that git would keep a link as; none in the place of a file. `git hash-object` follows links. */
async function linkBlob(path: string, { mode, blob }: IndexEntry): Promise<string | undefined> {
  if (!mode.startsWith("12")) return undefined;
  const target = new TextEncoder().encode(await Deno.readLink(path));
  const header = new TextEncoder().encode(`blob ${target.length}\0`);
  const digest = await crypto.subtle.digest(
    blob.length === 40 ? "SHA-1" : "SHA-256",
    new Uint8Array([...header, ...target]),
  );
  return new Uint8Array(digest).toHex();
}

async function submoduleCommits(
  git: GitRunner,
  worktreePath: string,
  gitDir: string,
  index: readonly IndexEntry[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const repositories = await findRepositories(`${gitDir}/modules`);
  for (const { path, mode } of index) {
    if (mode !== "160000") continue;
    const inside = `${worktreePath}/${path}/.git`;
    if (!(await lstat(inside))?.isDirectory) continue;
    repositories.push({ name: path, gitDir: inside });
    for (const nested of await findRepositories(`${inside}/modules`)) {
      repositories.push({ ...nested, name: `${path}/${nested.name}` });
    }
  }
  const commits = await Promise.all(
    repositories.map((repository) => ownCommits(git, repository, signal)),
  );
  return commits.flat();
}

/** Lists the commits of a repository that are on no remote. */
async function ownCommits(
  git: GitRunner,
  { name, gitDir }: { name: string; gitDir: string },
  signal: AbortSignal | undefined,
): Promise<string[]> {
  // Its own working folder may be gone, so another one is named.
  const where = [`--git-dir=${gitDir}`, `--work-tree=${gitDir}`];
  const cloned = await tagsOfClone(gitDir);
  const commits = await log(
    git,
    where,
    // What is read comes first: git 2.42 takes `--not` to be meant for it too.
    ["--stdin", "--all", "--not", "--remotes"],
    signal,
    cloned.map((id) => `^${id}\n`).join(""),
  );
  return commits.map((commit) => `${name}: ${commit}`);
}

/**
 * Lists the tags that a clone has brought, which lead to commits that may be on no branch of the remote. git writes all of
 * them at once into packed-refs; once that was written again, nothing tells them from those that were made here.
 */
async function tagsOfClone(gitDir: string): Promise<string[]> {
  const first = /^[^\n]*> (\d+) [-+]\d{4}\tclone: from /.exec(
    await readIfThere(`${gitDir}/logs/HEAD`) ?? "",
  );
  const written = (await lstat(`${gitDir}/packed-refs`))?.mtime?.getTime();
  if (first === null || written === undefined || written >= (Number(first[1]) + 1) * 1000) {
    return [];
  }
  const packed = await readIfThere(`${gitDir}/packed-refs`) ?? "";
  return [...packed.matchAll(/^([0-9a-f]+) refs\/tags\//gm)].map(([, id = ""]) => id);
}

/** Lists commits as "1a2b3c4 Subject", the latest 50. */
async function log(
  git: GitRunner,
  where: readonly string[],
  revisions: readonly string[],
  signal: AbortSignal | undefined,
  input = "",
): Promise<string[]> {
  return lines(
    await git.run([
      ...["git", ...where, "-c", "log.showSignature=false", "log", "--no-color", "-n", "50"],
      ...["--format=%h %s", ...revisions, "--"],
    ], { signal, input }),
  );
}

/** Finds git's own folders of submodules, whose names may contain slashes, those of nested ones included. */
async function findRepositories(
  modules: string,
  prefix = "",
): Promise<{ name: string; gitDir: string }[]> {
  if (await lstat(modules) === undefined) return [];
  const found = [];
  for await (const entry of Deno.readDir(modules)) {
    if (!entry.isDirectory) continue;
    const gitDir = `${modules}/${entry.name}`;
    const name = `${prefix}${entry.name}`;
    if ((await lstat(`${gitDir}/HEAD`))?.isFile) {
      found.push({ name, gitDir });
      found.push(...await findRepositories(`${gitDir}/modules`, `${name}/`));
    } else {
      found.push(...await findRepositories(gitDir, `${name}/`));
    }
  }
  return found;
}
