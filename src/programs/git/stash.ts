/** Puts what is in no commit of a worktree into a stash, and refuses what git would lose on the way there. */

import { CommandError, messageOf, PikoError } from "../../domain/errors.ts";
import { shellWord } from "../../domain/variables.ts";
import { gitDirOf } from "./head.ts";
import { lines } from "./paths.ts";
import { explainLock, type GitRunner } from "./runner.ts";
import { findUnderWay } from "./under_way.ts";
import { listIndex, listWork } from "./unsaved_work.ts";

/**
 * Puts the files that {@link listWork} lists into a stash of the repository, and takes them out of the worktree. Where no
 * author is configured, git names one of its own.
 *
 * @returns what `git stash apply` finds the stash by, however many come after it; undefined when there was nothing to put.
 * @throws {PikoError} conflict, before anything is touched, for what a stash does not hold: repositories inside, files that
 *   git was told not to look for, conflicts, a merge or a rebase under way; failed when git cannot do it.
 */
export async function pushStash(
  git: GitRunner,
  worktreePath: string,
  message: string,
): Promise<string | undefined> {
  await refuseUnstashable(git, worktreePath);
  // Of another git that holds the index, git 2.39 says nothing when it stashes; this changes nothing, and says it.
  const refresh = ["git", "-C", worktreePath, "add", "--refresh", "--", "."];
  const held = explainLock(new CommandError(refresh, await git.try(refresh, {})));
  if (held !== undefined) throw held;
  const before = new Set((await listStashes(git, worktreePath, message)).map(({ id }) => id));
  const findMade = async () =>
    (await listStashes(git, worktreePath, message)).find(({ id }) => !before.has(id));
  const argv = [
    ...["git", "-C", worktreePath, "-c", "core.fsmonitor=false", "stash", "push", "--quiet"],
    ...["--include-untracked", "--message", message],
  ];
  // One that is there already, of which git could not take the files away, is whole; a second one would be a part.
  const isDone = async () => await findMade() !== undefined;
  const outcome = await git.try(argv, { isDone });
  const made = await findMade();
  // A number would mean one by its place among all.
  if (made !== undefined) return /\D/.test(made.short) ? made.short : made.id;
  if (outcome.exitCode === 0) return undefined;
  const failure = new CommandError(argv, outcome);
  const said = lines(outcome.stderr);
  const why = said.findLast((line) => /^(error|fatal): /.test(line)) ?? said.at(-1);
  throw explainLock(failure) ??
    cannotStash(worktreePath, why ?? messageOf(failure), { code: "failed", cause: failure });
}

/** Refuses what a stash would not hold, or would end. */
async function refuseUnstashable(git: GitRunner, worktreePath: string): Promise<void> {
  const gitDir = await gitDirOf(git, worktreePath, undefined);
  const underWay = await findUnderWay(gitDir);
  if (underWay !== undefined) {
    throw cannotStash(worktreePath, `${underWay} is under way`, { code: "conflict" });
  }
  const [{ files }, index] = await Promise.all([
    listWork(git, worktreePath),
    listIndex(git, worktreePath, undefined),
  ]);
  const repositories = index.filter(({ mode }) => mode === "160000").map(({ path }) => `${path}/`);
  const deleted = files.filter(({ state }) => state === "deleted").map(({ path }) => `${path}/`);
  const others = files.filter(({ state, path }) =>
    state === "conflicted" || state === "ignored" || state.startsWith("modified (") ||
    repositories.some((folder) => `${path}/`.startsWith(folder)) ||
    // All files are listed, so a folder is a repository; and where a file was, git does not bring a folder back.
    path.endsWith("/") || deleted.some((folder) => path.startsWith(folder))
  );
  if (others.length === 0) return;
  const named = others.map(({ state, path }) => `${state}: ${path}`).join(", ");
  throw cannotStash(worktreePath, `a stash does not hold ${named}`, { code: "conflict" });
}

/** Lists the stashes with a message, the latest first. */
async function listStashes(
  git: GitRunner,
  worktreePath: string,
  message: string,
): Promise<{ id: string; short: string }[]> {
  const told = await git.run([
    ...["git", "-C", worktreePath, "-c", "log.showSignature=false", "stash", "list"],
    "--format=%H%x00%h%x00%gs",
  ], {});
  return lines(told).flatMap((line) => {
    const [id = "", short = "", subject = ""] = line.split("\0");
    // git puts the branch before it.
    return subject.endsWith(`: ${message}`) ? [{ id, short }] : [];
  });
}

function cannotStash(
  path: string,
  why: string,
  options: { code: "conflict" | "failed"; cause?: unknown },
): PikoError {
  return new PikoError(`git cannot stash what is in it: ${why}`, {
    ...options,
    hint: `git -C ${shellWord(path)} status`,
  });
}
