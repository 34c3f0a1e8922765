/** Tells what repository a folder lies in. */

import { CommandError, PikoError } from "../../domain/errors.ts";
import { quote } from "../../domain/names.ts";
import { shellWord } from "../../domain/variables.ts";
import type { Outcome } from "../run.ts";
import { lines } from "./paths.ts";
import type { Cancellable, GitRunner } from "./runner.ts";

/** The oldest git whose `rev-parse` tells absolute paths. */
export const OLDEST_GIT = "2.31";

/** What a folder's repository is. */
export interface Repository {
  /** The main worktree's top folder, links resolved; of a bare repository its own folder. */
  root: string;
  /** The top folder of the worktree that the folder lies in. */
  here: string;
  isBare: boolean;
  isLinkedWorktree: boolean;
  /** The top folder of the repository that has this one as a submodule. */
  superproject: string | undefined;
  /** The folder of what all worktrees share, mostly `<root>/.git`. */
  commonDir: string;
}

/**
 * Tells what repository a folder lies in.
 *
 * @throws {PikoError} not-found when it lies in none, unavailable when git is missing or too old.
 */
export async function inspectRepository(
  git: GitRunner,
  folder: string,
  { signal }: Cancellable = {},
): Promise<Repository> {
  const argv = [
    ...["git", "-C", folder, "rev-parse", "--path-format=absolute", "--is-bare-repository"],
    ...["--is-inside-work-tree", "--absolute-git-dir", "--git-common-dir"],
    ...["--show-superproject-working-tree", "--show-toplevel"],
  ];
  const outcome = await git.try(argv, { signal });
  const [bare, inside, gitDir, commonDir, ...tops] = lines(outcome.stdout);
  if (bare === "--path-format=absolute") {
    throw new PikoError("This git is too old", {
      code: "unavailable",
      hint: `install git ${OLDEST_GIT} or newer`,
    });
  }
  // In a bare repository and inside .git, --show-toplevel fails after the rest has been told.
  const isWhole = inside === "true" ? outcome.exitCode === 0 : commonDir !== undefined;
  if (!isWhole || gitDir === undefined || commonDir === undefined) {
    throw whyNoRepository(folder, argv, outcome);
  }
  if (tops.length > 2) throw newlineInPath(folder);
  const superproject = tops.length === 2 ? tops[0] : undefined;
  if (bare === "true") {
    return {
      root: commonDir,
      here: commonDir,
      isBare: true,
      isLinkedWorktree: false,
      superproject: undefined,
      commonDir,
    };
  }
  const here = tops.at(-1);
  const isLinkedWorktree = here !== undefined && gitDir !== commonDir;
  if (here !== undefined && !isLinkedWorktree) {
    return { root: here, here, isBare: false, isLinkedWorktree, superproject, commonDir };
  }
  const main = await mainWorktree(git, commonDir, signal);
  return { ...main, here: here ?? main.root, isLinkedWorktree, superproject, commonDir };
}

async function mainWorktree(
  git: GitRunner,
  commonDir: string,
  signal: AbortSignal | undefined,
): Promise<{ root: string; isBare: boolean }> {
  // With --git-dir the top folder is core.worktree, as a submodule has it, else the working folder.
  const parent = commonDir.slice(0, commonDir.lastIndexOf("/")) || "/";
  const argv = [
    ...["git", "-C", parent, `--git-dir=${commonDir}`, "rev-parse", "--is-bare-repository"],
    "--show-toplevel",
  ];
  const outcome = await git.try(argv, { signal });
  const [bare, top] = lines(outcome.stdout);
  if (bare === "true") return { root: commonDir, isBare: true };
  if (top === undefined) throw new CommandError(argv, outcome);
  // After `git init --separate-git-dir` nothing records where the main worktree is.
  if (top === parent && !commonDir.endsWith("/.git")) {
    throw new PikoError(`Cannot tell where the main worktree of ${commonDir} is`, {
      code: "failed",
      hint: "go to the main worktree and try again there",
    });
  }
  return { root: top, isBare: false };
}

function whyNoRepository(folder: string, argv: readonly string[], outcome: Outcome): PikoError {
  const cause = new CommandError(argv, outcome);
  const owned = /dubious ownership in repository at '(.*)'/.exec(outcome.stderr)?.[1];
  if (owned !== undefined) {
    return new PikoError(`git refuses ${owned}, which belongs to another user`, {
      code: "failed",
      hint: `git config --global --add safe.directory ${shellWord(owned)}`,
      cause,
    });
  }
  if (outcome.stderr.includes("cannot change to")) {
    return new PikoError(`There is no folder ${folder}`, { code: "not-found", cause });
  }
  if (/not a git repository/i.test(outcome.stderr)) {
    return new PikoError(`${folder} is not a git repository`, {
      code: "not-found",
      hint: "git init",
      cause,
    });
  }
  return new PikoError(`git cannot read the repository of ${folder}`, { code: "failed", cause });
}

function newlineInPath(folder: string): PikoError {
  return new PikoError(`The path of the repository of ${quote(folder)} contains a line end`, {
    code: "usage",
    hint: "rename the folder",
  });
}
