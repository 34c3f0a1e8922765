/** What a worktree has checked out, and where git keeps what it knows of it. */

import { CommandError, PikoError } from "../../domain/errors.ts";
import { lines, lstat, placeOf, readIfThere, realPath, withoutPrefix } from "./paths.ts";
import { inspectRepository } from "./repository.ts";
import type { Cancellable, GitRunner } from "./runner.ts";

/** Tells the branch that is checked out, with or without a commit; undefined when HEAD is detached. */
export async function currentBranch(
  git: GitRunner,
  root: string,
  { signal }: Cancellable = {},
): Promise<string | undefined> {
  const argv = ["git", "-C", root, "symbolic-ref", "--quiet", "HEAD"];
  const outcome = await git.try(argv, { signal });
  if (outcome.exitCode === 1) return undefined;
  if (outcome.exitCode !== 0) throw new CommandError(argv, outcome);
  return withoutPrefix(outcome.stdout.trimEnd(), "refs/heads/");
}

/** Finds the commit that HEAD of a worktree had last, by its own log: also when its branch was deleted since. */
export async function findLastHead(
  git: GitRunner,
  worktreePath: string,
  { signal }: Cancellable = {},
): Promise<string | undefined> {
  const file = `${await gitDirOf(git, worktreePath, signal)}/logs/HEAD`;
  const last = lines(await readIfThere(file) ?? "").at(-1);
  return /^[0-9a-f]+ ([0-9a-f]*[1-9a-f][0-9a-f]*) /.exec(last ?? "")?.[1];
}

/** Finds the folder in which git keeps what it knows of a worktree; undefined when it knows of none at that path. */
export async function findEntry(
  git: GitRunner,
  root: string,
  path: string,
  { signal }: Cancellable = {},
): Promise<string | undefined> {
  const { commonDir } = await inspectRepository(git, root, { signal });
  const folder = `${commonDir}/worktrees`;
  if (await lstat(folder) === undefined) return undefined;
  for await (const { name } of Deno.readDir(folder)) {
    const points = await readIfThere(`${folder}/${name}/gitdir`);
    if (points?.trimEnd() === `${path}/.git`) return `${folder}/${name}`;
  }
  return undefined;
}

/**
 * Tells whether a worktree is one that git was killed over while it checked it out: it has no index yet, and files that are
 * missing or cut off.
 */
export async function isHalfMade(
  git: GitRunner,
  root: string,
  path: string,
  options: Cancellable = {},
): Promise<boolean> {
  const gitDir = await findEntry(git, root, await placeOf(path), options);
  return gitDir !== undefined && await lstat(`${gitDir}/index`) === undefined;
}

/**
 * Finds the folder in which git keeps what it knows of a worktree that is there.
 *
 * @throws {PikoError} conflict when the folder is no worktree of its own any more.
 */
export async function gitDirOf(
  git: GitRunner,
  worktreePath: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const outcome = await git.try([
    ...["git", "-C", worktreePath, "rev-parse", "--absolute-git-dir", "--show-toplevel"],
  ], { signal });
  const [gitDir, top] = lines(outcome.stdout);
  // Without its .git file git would find the repository around it, and answer about that one.
  if (outcome.exitCode === 0 && gitDir !== undefined && top === await realPath(worktreePath)) {
    return gitDir;
  }
  throw new PikoError(`${worktreePath} is no worktree any more`, {
    code: "conflict",
    hint: "look at what is in it; git worktree repair may mend it",
    details: lines(outcome.stderr),
  });
}
