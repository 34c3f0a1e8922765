/**
 * Talks to git. Names and paths are arguments and never options; git's own variables (a stray GIT_DIR, say) are kept
 * from it; and whatever could lose work is left to git's own refusals.
 */

import { CommandError, PikoError } from "../domain/errors.ts";
import { fileSystemHint } from "../domain/file_system_hint.ts";
import { pikoIn } from "../domain/hints.ts";
import { quote } from "../domain/names.ts";
import { shellWord } from "../domain/variables.ts";
import {
  type BranchTip,
  parseBranches,
  parseRefs,
  parseWorktrees,
  type Ref,
  type Worktree,
} from "./git/formats.ts";
import { currentBranch, findEntry, findLastHead, isHalfMade } from "./git/head.ts";
import { addLine } from "./git/ignore_file.ts";
import { lines, lstat, placeOf, realPath, withoutPrefix } from "./git/paths.ts";
import { inspectRepository, type Repository } from "./git/repository.ts";
import { type Cancellable, GitRunner } from "./git/runner.ts";
import { pushStash } from "./git/stash.ts";
import { listWork, listWorkOfGone, type Work, type WorkOfGone } from "./git/unsaved_work.ts";
import { refuseUndeletable } from "./git/worktree_folder.ts";
import { removeFolder } from "./remove_folder.ts";
import type { Variables } from "./run.ts";

/** Where a branch exists; nowhere when it is neither here nor on a remote. */
export interface BranchPlaces {
  isLocal: boolean;
  /** Whether a tag is called so, which git takes the bare name for. */
  isTag: boolean;
  /** The worktree that has it checked out; that folder may be gone. */
  checkedOutAt: string | undefined;
  /** The remotes that have it, `origin` first. */
  remotes: string[];
}

/** What a new worktree has checked out. */
export type WorktreePlan =
  | { kind: "existing"; branch: string }
  | { kind: "track"; branch: string; remote: string }
  | { kind: "new"; branch: string; from: string };

/** What {@link Git.addWorktree} has made. */
export interface AddedWorktree {
  /** The commit that is checked out. */
  head: string;
  /** Whether the branch was made too. */
  madeBranch: boolean;
}

/** A commit as a person knows it. */
export interface Commit {
  /** Short. */
  hash: string;
  subject: string;
  author: string;
  /** In ISO 8601. */
  committedAt: string;
}

/** The reason that git itself locks a worktree with while it adds it; it stays when git is killed. */
const BEING_ADDED = "initializing";

/** The one git. */
export class Git {
  readonly #git: GitRunner;

  /** Takes the variables that git is started with, git's own pointers to a repository aside. */
  constructor({ variables }: { variables: Variables }) {
    this.#git = new GitRunner(variables);
  }

  /** Tells git's version, such as `2.39.5`; throws unavailable when there is no git. */
  async version(): Promise<string> {
    return (await this.#git.run(["git", "--version"], {})).replace(/^git version /, "").trimEnd();
  }

  /** Tells what repository a folder lies in, as {@link inspectRepository} does. */
  inspectRepository(folder: string, options: Cancellable = {}): Promise<Repository> {
    return inspectRepository(this.#git, folder, options);
  }

  /** Tells whether anything was committed yet on what is checked out. */
  async hasCommit(root: string, options: Cancellable = {}): Promise<boolean> {
    return await this.head(root, options) !== undefined;
  }

  /** Tells the branch that is checked out, with or without a commit; undefined when HEAD is detached. */
  currentBranch(root: string, options: Cancellable = {}): Promise<string | undefined> {
    return currentBranch(this.#git, root, options);
  }

  /** Tells the commit that is checked out; undefined in a repository without one. */
  head(root: string, options: Cancellable = {}): Promise<string | undefined> {
    return this.findCommit(root, "HEAD", options);
  }

  /** Finds the commit that a branch, a tag or any other revision names. */
  async findCommit(
    root: string,
    revision: string,
    { signal }: Cancellable = {},
  ): Promise<string | undefined> {
    if (revision === "" || revision.includes("\0")) return undefined;
    const outcome = await this.#git.try([
      ...["git", "-C", root, "rev-parse", "--verify", "--quiet", "--end-of-options"],
      `${revision}^{commit}`,
    ], { signal });
    return outcome.exitCode === 0 ? outcome.stdout.trimEnd() : undefined;
  }

  /**
   * Tells where a branch exists: here, on remotes, or nowhere yet.
   *
   * @throws {PikoError} usage when git takes no such name; conflict when git cannot keep it beside another branch, as
   *   `feat/x` beside `feat`, and when a remote's branch is called so, which git would call ambiguous from then on.
   */
  async resolveBranch(
    root: string,
    branch: string,
    { signal }: Cancellable = {},
  ): Promise<BranchPlaces> {
    const [, remotes] = await Promise.all([
      this.#checkBranchName(root, branch, signal),
      this.#git.run(["git", "-C", root, "remote"], { signal }).then(lines),
    ]);
    const parents = branch.split("/").slice(0, -1).map((_, index, parts) =>
      parts.slice(0, index + 1).join("/")
    );
    const listed = await this.#git.run([
      ...["git", "-C", root, "for-each-ref", "--format=%(refname)%00%(worktreepath)%00"],
      ...[branch, ...parents].map((name) => `refs/heads/${name}`),
      ...remotes.map((remote) => `refs/remotes/${remote}/${branch}`),
      ...["remotes", "tags"].map((kind) => `refs/${kind}/${branch}`),
    ], { signal });
    const places = new Map(
      [...listed.matchAll(/([^\0]+)\0([^\0]*)\0\n/g)].map(([, ref = "", path = ""]) => [ref, path]),
    );
    const checkedOutAt = places.get(`refs/heads/${branch}`);
    if (checkedOutAt === undefined) {
      const blocking = parents.find((name) => places.has(`refs/heads/${name}`)) ??
        withoutPrefix(
          [...places.keys()].find((ref) => ref.startsWith(`refs/heads/${branch}/`)) ?? "",
          "refs/heads/",
        );
      if (blocking !== "") {
        throw new PikoError(
          `git cannot keep branch ${quote(branch)} beside branch ${quote(blocking)}`,
          { code: "conflict", hint: "name another branch with --branch" },
        );
      }
      const remote = remotes.find((remote) => branch.startsWith(`${remote}/`));
      if (remote !== undefined && places.has(`refs/remotes/${branch}`)) {
        const name = branch.slice(remote.length + 1);
        throw new PikoError(`${quote(branch)} is branch ${quote(name)} of remote ${remote}`, {
          code: "conflict",
          hint: `name it as it is called there: ${pikoIn(root)} create ${shellWord(name)}`,
        });
      }
    }
    return {
      isLocal: checkedOutAt !== undefined,
      isTag: places.has(`refs/tags/${branch}`),
      checkedOutAt: checkedOutAt === "" ? undefined : checkedOutAt,
      remotes: remotes
        .filter((remote) => places.has(`refs/remotes/${remote}/${branch}`))
        .sort((one, other) => Number(other === "origin") - Number(one === "origin")),
    };
  }

  /**
   * Adds a worktree in a folder that does not exist yet; a failure leaves neither folder nor branch of this call, unless
   * there is work in it: a hook that fails may have taken long, or have made it.
   *
   * A new branch tracks nothing, whatever it starts from: `git push` would otherwise push to that other branch.
   *
   * @param options.start is the commit that `findCommit` has found for it, of a branch that `resolveBranch` has accepted.
   * @throws {PikoError} not-found when the start of the branch is unknown; conflict when the folder or the branch
   *   exists, or the branch is checked out elsewhere; failed for anything else, a hook of the repository included.
   */
  async addWorktree(
    root: string,
    path: string,
    plan: WorktreePlan,
    { signal, ...known }: { start?: string } & Cancellable = {},
  ): Promise<AddedWorktree> {
    if (await lstat(path) !== undefined) {
      throw new PikoError(`Cannot add a worktree: ${path} exists already`, { code: "conflict" });
    }
    const { branch } = plan;
    const start = known.start ?? await this.#startOf(root, plan, signal);
    const madeBranch = plan.kind !== "existing";
    if (madeBranch) {
      if (known.start === undefined) await this.#checkBranchName(root, branch, signal);
      await this.#makeBranch(root, plan, start, signal);
    }
    try {
      await this.#git.run(["git", "-C", root, "worktree", "add", "--", path, branch], { signal });
      return { head: start, madeBranch };
    } catch (error) {
      const failure = await this.#explainAdd(root, path, branch, error);
      const left: string[] = [];
      try {
        await this.#removeHalfMade(root, path);
        if (madeBranch) await this.deleteBranch(root, branch, { force: true, onlyAt: start });
      } catch (undoError) {
        left.push(undoError instanceof Error ? undoError.message : String(undoError));
      }
      if (left.length === 0) throw failure;
      throw new PikoError(`${failure.message}; what was made could not be removed`, {
        code: failure.code,
        details: left,
        cause: failure.cause,
      });
    }
  }

  /** Lists the branches, those of remotes too, and the tags of a repository, as completion shows them. */
  async listRefs(root: string): Promise<Ref[]> {
    const format = "%(refname)%00%(worktreepath)%00";
    const kinds = ["refs/heads", "refs/remotes", "refs/tags"];
    return parseRefs(
      await this.#git.run(["git", "-C", root, "for-each-ref", `--format=${format}`, ...kinds], {}),
    );
  }

  /** Lists at most so many branches, those of remotes too, by their last commits, the newest first. */
  async listBranches(
    root: string,
    most: number,
    { signal }: Cancellable = {},
  ): Promise<BranchTip[]> {
    const format =
      "%(refname)%00%(committerdate:iso-strict)%00%(worktreepath)%00%(contents:subject)%00";
    return parseBranches(
      await this.#git.run([
        ...["git", "-C", root, "for-each-ref", "--sort=-committerdate", `--count=${most}`],
        ...[`--format=${format}`, "refs/heads", "refs/remotes"],
      ], { signal }),
    );
  }

  /** Tells the commit that a worktree has checked out; undefined when there is none. */
  async lastCommit(
    worktreePath: string,
    { signal }: Cancellable = {},
  ): Promise<Commit | undefined> {
    if (await this.head(worktreePath, { signal }) === undefined) return undefined;
    const told = await this.#git.run([
      ...["git", "-C", worktreePath, "-c", "log.showSignature=false", "log", "-1", "--no-color"],
      "--format=%h%x00%s%x00%an%x00%cI",
    ], { signal });
    const [hash = "", subject = "", author = "", committedAt = ""] = told.trimEnd().split("\0");
    return { hash, subject, author, committedAt };
  }

  /** Lists the worktrees of a repository, the main one first. */
  async listWorktrees(root: string, { signal }: Cancellable = {}): Promise<Worktree[]> {
    return parseWorktrees(
      await this.#git.run(["git", "-C", root, "worktree", "list", "--porcelain"], { signal }),
    );
  }

  /**
   * Writes the `.git` file of a worktree anew that git still knows. Not by `git worktree repair`, which does so for all
   * worktrees that are listed: in a copied repository those are the ones of the original.
   */
  async repairWorktree(root: string, path: string, options: Cancellable = {}): Promise<void> {
    const entry = await this.findEntry(root, path, options);
    if (entry === undefined) {
      throw new PikoError(`git does not know the worktree ${path} any more`, {
        code: "conflict",
        hint: `git -C ${shellWord(root)} worktree list`,
      });
    }
    await Deno.writeTextFile(`${path}/.git`, `gitdir: ${entry}\n`, { createNew: true });
  }

  /** Finds what git knows of a worktree, whether its folder is there or gone. */
  async findWorktree(
    root: string,
    path: string,
    { signal }: Cancellable = {},
  ): Promise<Worktree | undefined> {
    const place = await placeOf(path);
    const worktrees = await this.listWorktrees(root, { signal });
    return worktrees.find((known) => known.path === place);
  }

  /**
   * Finds a worktree as {@link findWorktree} does, and refuses one that somebody has locked; git's own lock of an add that
   * was killed does not count.
   *
   * @throws {PikoError} conflict with the reason.
   */
  async refuseLocked(
    root: string,
    path: string,
    options: Cancellable = {},
  ): Promise<Worktree | undefined> {
    const worktree = await this.findWorktree(root, path, options);
    if (worktree !== undefined) refuseLock(root, worktree);
    return worktree;
  }

  /**
   * Refuses a worktree whose folder cannot be deleted whole.
   *
   * @throws {PikoError} failed with the folders.
   */
  async refuseUndeletable(path: string, { signal }: Cancellable = {}): Promise<void> {
    const folder = await lstat(path);
    if (folder !== undefined) await refuseUndeletable(this.#git, path, folder, signal);
  }

  /**
   * Removes a worktree, ignored files included; one whose folder is gone already is only forgotten. Tells whether
   * there was one.
   *
   * @param options.begin is called when nothing is left but to delete: {@link finishRemoval} goes on from there.
   * @throws {PikoError} conflict when it holds work and `force` is not set, is locked, or is no worktree of this
   *   repository; usage for the main worktree; failed, before anything is deleted, when files may not be deleted, and
   *   afterwards when some could not be.
   */
  async removeWorktree(
    root: string,
    path: string,
    { force = false, begin, signal }: { force?: boolean; begin?: () => unknown } & Cancellable = {},
  ): Promise<boolean> {
    const place = await placeOf(path);
    const worktrees = await this.listWorktrees(root, { signal });
    const index = worktrees.findIndex((worktree) => worktree.path === place);
    const isMain = index === 0 || place === await realPath(root);
    if (isMain) {
      throw new PikoError(`${path} is the main worktree, which piko never removes`, {
        code: "usage",
      });
    }
    const folder = await lstat(place);
    const worktree = worktrees[index];
    if (worktree === undefined) {
      if (folder === undefined) return false;
      throw new PikoError(`${path} is no worktree of ${root}`, {
        code: "conflict",
        hint: "look at what is in it, and remove it by hand",
      });
    }
    await this.#unlock(root, worktree, signal);
    if (folder !== undefined) await refuseUndeletable(this.#git, worktree.path, folder, signal);
    const argv = (options: string[]) => [
      ...["git", "-C", root, "worktree", "remove"],
      ...options,
      ...["--", worktree.path],
    ];
    await begin?.();
    const outcome = await this.#git.try(argv(force ? ["--force"] : []), { signal });
    if (outcome.exitCode === 0) return true;
    if (outcome.stderr.includes("failed to delete")) {
      await this.finishRemoval(root, worktree.path, { signal });
      return true;
    }
    const hasSubmodules = outcome.stderr.includes("containing submodules cannot be");
    if (hasSubmodules || outcome.stderr.includes("contains modified or untracked files")) {
      // git refuses every worktree with a submodule, and one that it was killed over while it checked it out; whether
      // there is work in it is asked here.
      const work = await this.listWork(worktree.path, { signal });
      const paths = work.files.map((file) => `${file.state}: ${file.path}`);
      if (paths.length + work.commits.length > 0) {
        throw new PikoError(`${path} holds work that is in no commit of a branch`, {
          code: "conflict",
          hint: "commit it, or use --force to lose it",
          details: [...paths, ...work.commits],
          unsaved: { files: paths, commits: work.commits },
        });
      }
      await this.#git.run(argv(["--force"]), { signal });
      return true;
    }
    throw new PikoError(`git cannot remove the worktree ${path}`, {
      code: "failed",
      hint: `git -C ${shellWord(root)} worktree repair ${shellWord(worktree.path)}`,
      cause: new CommandError(argv(force ? ["--force"] : []), outcome),
    });
  }

  /**
   * Removes what a removal of a worktree has left that git could not finish, or that was killed: git deletes the folder in
   * any order, and forgets the worktree also when a part of it stays.
   *
   * @throws {PikoError} conflict when something is mounted in it; failed when it cannot be removed whole.
   */
  async finishRemoval(root: string, path: string, { signal }: Cancellable = {}): Promise<void> {
    await removeFolder(path);
    if (await this.findWorktree(root, path, { signal }) === undefined) return;
    await this.#git.run(["git", "-C", root, "worktree", "remove", "--", path], { signal });
  }

  /**
   * Deletes a branch; tells whether there was one.
   *
   * @param options.onlyAt keeps the branch, and returns false, when it has moved on from this commit or is checked out:
   *   then somebody uses it.
   * @throws {PikoError} conflict when it is checked out, or not merged and `force` is not set.
   */
  async deleteBranch(
    root: string,
    branch: string,
    { force = false, onlyAt, signal }:
      & { force?: boolean; onlyAt?: string | undefined }
      & Cancellable = {},
  ): Promise<boolean> {
    const at = await this.findCommit(root, `refs/heads/${branch}`, { signal });
    if (at === undefined || (onlyAt !== undefined && at !== onlyAt)) return false;
    if (!force && !await this.isMerged(root, branch, undefined, { signal })) {
      throw new PikoError(`Branch ${quote(branch)} has commits that are not merged`, {
        code: "conflict",
        hint: "merge it, or use --force to lose them",
      });
    }
    try {
      await this.#git.run(["git", "-C", root, "branch", "-D", "--quiet", "--", branch], { signal });
      return true;
    } catch (error) {
      const place = error instanceof CommandError &&
        /(?:checked out at|used by worktree at) '(.*)'/.exec(error.stderr)?.[1];
      if (!place) {
        // Tried again for the configuration's lock, git no longer finds the branch.
        if (await this.findCommit(root, `refs/heads/${branch}`, { signal }) === undefined) {
          return true;
        }
        throw error;
      }
      if (onlyAt !== undefined) return false;
      throw new PikoError(
        `Cannot delete branch ${quote(branch)}: it is checked out at ${place}`,
        { code: "conflict", cause: error },
      );
    }
  }

  /** Tells whether all commits of a branch are in `into`: by default in HEAD of the root, or in its upstream. */
  async isMerged(
    root: string,
    branch: string,
    into?: string,
    { signal }: Cancellable = {},
  ): Promise<boolean> {
    const ref = `refs/heads/${branch}`;
    if (into !== undefined) return await this.#isAncestor(root, ref, into, signal);
    if (await this.#isAncestor(root, ref, "HEAD", signal)) return true;
    const upstream = await this.#git.run([
      ...["git", "-C", root, "for-each-ref", "--format=%(refname)%00%(upstream)", ref],
    ], { signal });
    const found = lines(upstream).find((line) => line.startsWith(`${ref}\0`))?.split("\0")[1] ?? "";
    return found !== "" && await this.#isAncestor(root, ref, found, signal);
  }

  /** Lists what would be lost with a worktree, as {@link listWork} does. */
  listWork(
    worktreePath: string,
    options: { except?: readonly string[] } & Cancellable = {},
  ): Promise<Work> {
    return listWork(this.#git, worktreePath, options);
  }

  /** Lists what git alone still has of a worktree whose folder is gone, as {@link listWorkOfGone} does. */
  listWorkOfGone(
    root: string,
    worktree: Worktree,
    options: Cancellable = {},
  ): Promise<WorkOfGone> {
    return listWorkOfGone(this.#git, root, worktree, options);
  }

  /** Puts what is in no commit of a worktree into a stash and names that, as {@link pushStash} does. */
  pushStash(worktreePath: string, message: string): Promise<string | undefined> {
    return pushStash(this.#git, worktreePath, message);
  }

  /** Tells whether git was killed over a worktree while it checked it out, as {@link isHalfMade} does. */
  isHalfMade(root: string, path: string, options: Cancellable = {}): Promise<boolean> {
    return isHalfMade(this.#git, root, path, options);
  }

  /** Finds the folder in which git keeps what it knows of a worktree; undefined when it knows of none at that path. */
  findEntry(root: string, path: string, options: Cancellable = {}): Promise<string | undefined> {
    return findEntry(this.#git, root, path, options);
  }

  /** Finds the commit that HEAD of a worktree had last, by its own log: also when its branch was deleted since. */
  findLastHead(worktreePath: string, options: Cancellable = {}): Promise<string | undefined> {
    return findLastHead(this.#git, worktreePath, options);
  }

  /** Tells which of the paths, relative to the root, git ignores. */
  async listIgnored(
    root: string,
    paths: readonly string[],
    { signal }: Cancellable = {},
  ): Promise<Set<string>> {
    if (paths.length === 0) return new Set();
    const argv = ["git", "-C", root, "check-ignore", "-z", "--stdin"];
    const outcome = await this.#git.try(argv, { signal, input: paths.join("\0") + "\0" });
    if (outcome.exitCode <= 1) return new Set(outcome.stdout.split("\0").filter(Boolean));
    // One path behind a link or in a submodule fails the whole question.
    if (paths.length === 1) {
      if (/beyond a symbolic link|in submodule/.test(outcome.stderr)) return new Set();
      throw new CommandError(argv, outcome);
    }
    const each = await Promise.all(paths.map((path) => this.listIgnored(root, [path], { signal })));
    return new Set(each.flatMap((ignored) => [...ignored]));
  }

  /** Tells whether git ignores a path, relative to the root; a tracked file is not ignored. */
  async isIgnored(root: string, path: string, options: Cancellable = {}): Promise<boolean> {
    return (await this.listIgnored(root, [path], options)).has(path);
  }

  /** Tells whether a commit contains a file or folder, by its path from the root. */
  async isTrackedIn(
    root: string,
    revision: string,
    path: string,
    { signal }: Cancellable = {},
  ): Promise<boolean> {
    const commit = await this.findCommit(root, revision, { signal });
    if (commit === undefined) return false;
    const plain = path.split("/").filter((part) => part !== "" && part !== ".").join("/");
    if (plain === "") return false;
    const found = await this.#git.run([
      ...["git", "-C", root, "ls-tree", "-z", "--name-only", "--full-tree", commit, "--", plain],
    ], { signal });
    return found.split("\0").includes(plain);
  }

  /** Adds patterns to the repository's `info/exclude`, which is not committed, unless they stand there. */
  async excludePaths(
    root: string,
    patterns: readonly string[],
    { signal }: Cancellable = {},
  ): Promise<void> {
    const file = (await this.#git.run([
      ...["git", "-C", root, "rev-parse", "--path-format=absolute", "--git-path", "info/exclude"],
    ], { signal })).replace(/\n$/, "");
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    for (const pattern of patterns) await addLine(file, pattern);
  }

  /**
   * Adds a line to the root's `.gitignore` unless it stands there; tells whether it did. The line ends of the file are
   * kept.
   *
   * @throws {PikoError} failed when it may not be written, or is a link, which git does not follow.
   */
  async addToGitignore(root: string, line: string): Promise<boolean> {
    const file = `${root}/.gitignore`;
    const info = await lstat(file);
    if (info !== undefined && !info.isFile) {
      const what = info.isSymlink ? "a link, which git does not follow" : "not a file";
      throw new PikoError(`Cannot add ${quote(line)} to ${file}: it is ${what}`, {
        code: "failed",
        hint: `add ${line} to ${root}/.git/info/exclude`,
      });
    }
    return await addLine(file, line);
  }

  async #checkBranchName(
    root: string,
    branch: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    // File systems take 255 bytes for a name, and git adds ".lock".
    const isTooLong = new TextEncoder().encode(branch).length > 1000 ||
      branch.split("/").some((part) => new TextEncoder().encode(part).length > 240);
    let isValid = !isTooLong && !branch.includes("\0") && branch !== "@";
    if (isValid) {
      const outcome = await this.#git.try(
        ["git", "-C", root, "check-ref-format", "--branch", branch],
        { signal },
      );
      // `@{-1}` is valid to git and means another branch.
      isValid = outcome.exitCode === 0 && outcome.stdout === `${branch}\n`;
    }
    if (isValid) return;
    const shown = quote(branch.length > 60 ? `${branch.slice(0, 60)}…` : branch);
    throw new PikoError(
      isTooLong ? `Branch name ${shown} is too long` : `${shown} is not a valid branch name`,
      { code: "usage", hint: "see git help check-ref-format" },
    );
  }

  async #startOf(
    root: string,
    plan: WorktreePlan,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const revision = plan.kind === "existing"
      ? `refs/heads/${plan.branch}`
      : plan.kind === "track"
      ? remoteRef(plan)
      : plan.from;
    const commit = await this.findCommit(root, revision, { signal });
    if (commit !== undefined) return commit;
    if (plan.kind === "new" && !await this.hasCommit(root, { signal })) {
      throw new PikoError(`There is no commit yet in ${root}`, {
        code: "not-found",
        hint: 'git commit --allow-empty -m "First commit"',
      });
    }
    const what = plan.kind === "new"
      ? `commit, branch or tag ${quote(plan.from)}`
      : `branch ${quote(withoutPrefix(withoutPrefix(revision, "refs/heads/"), "refs/remotes/"))}`;
    throw new PikoError(`There is no ${what} in ${root}`, {
      code: "not-found",
      hint: "git branch --all",
    });
  }

  async #makeBranch(
    root: string,
    plan: Exclude<WorktreePlan, { kind: "existing" }>,
    start: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { branch } = plan;
    // A step of its own: `git worktree add -b` leaves the branch behind when the checkout fails, and does not tell
    // whether it was the one that made it.
    try {
      const argv = ["git", "-C", root, "branch", "--no-track", "--", branch, start];
      await this.#git.run(argv, { signal });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const exists = error.stderr.includes("already exists");
      throw new PikoError(
        exists ? `Branch ${quote(branch)} exists already` : `Cannot make branch ${quote(branch)}`,
        { code: exists ? "conflict" : "failed", cause: error },
      );
    }
    if (plan.kind !== "track") return;
    try {
      await this.#git.run([
        ...["git", "-C", root, "branch", "--quiet", `--set-upstream-to=${remoteRef(plan)}`],
        ...["--", branch],
      ], { signal });
    } catch (error) {
      await this.deleteBranch(root, branch, { force: true, onlyAt: start });
      throw error;
    }
  }

  async #explainAdd(
    root: string,
    path: string,
    branch: string,
    error: unknown,
  ): Promise<PikoError> {
    if (error instanceof PikoError) return error;
    const what = `Cannot add a worktree for branch ${quote(branch)}`;
    if (!(error instanceof CommandError)) {
      return new PikoError(what, { code: "failed", cause: error });
    }
    const elsewhere = /(?:checked out at|used by worktree at) '(.*)'/.exec(error.stderr)?.[1];
    if (elsewhere !== undefined) {
      return new PikoError(`${what}: it is checked out at ${elsewhere}`, {
        code: "conflict",
        cause: error,
      });
    }
    // git takes back what it could not finish, but keeps a worktree whose hook failed.
    const place = await placeOf(path);
    const isComplete = (await this.listWorktrees(root)).some((worktree) => worktree.path === place);
    const folder = place.slice(0, place.lastIndexOf("/"));
    return new PikoError(isComplete ? `${what}: the post-checkout hook failed` : what, {
      code: "failed",
      hint: isComplete
        ? "mend the hook; git rev-parse --git-path hooks tells where it is"
        : fileSystemHint(error.stderr, [folder]) ?? filterHint(root, error.stderr) ??
          `look at what is in the way: ls -ld ${shellWord(folder)}`,
      cause: error,
    });
  }

  /**
   * Removes what a failed or interrupted `git worktree add` of this call has left; git mostly does it itself. One that was
   * whole already when its hook failed stays with the work in it.
   */
  async #removeHalfMade(root: string, path: string): Promise<void> {
    const place = await placeOf(path);
    const known = (await this.listWorktrees(root)).some((worktree) => worktree.path === place);
    if (!known) return;
    const force = await this.isHalfMade(root, place);
    if (!force) {
      const { files, commits } = await this.listWork(place);
      if (files.length + commits.length > 0) return;
    }
    await this.removeWorktree(root, place, { force });
  }

  async #unlock(
    root: string,
    worktree: Worktree,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (worktree.locked === undefined) return;
    refuseLock(root, worktree);
    await this.#git.run(["git", "-C", root, "worktree", "unlock", "--", worktree.path], { signal });
  }

  async #isAncestor(
    root: string,
    revision: string,
    of: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const [one, other] = await Promise.all([
      this.findCommit(root, revision, { signal }),
      this.findCommit(root, of, { signal }),
    ]);
    if (one === undefined || other === undefined) return false;
    const argv = ["git", "-C", root, "merge-base", "--is-ancestor", one, other];
    const outcome = await this.#git.try(argv, { signal });
    if (outcome.exitCode > 1) throw new CommandError(argv, outcome);
    return outcome.exitCode === 0;
  }
}

/** Says where the filter is told that git could not write a file through, as that of git-lfs where it is not installed. */
function filterHint(root: string, stderr: string): string | undefined {
  const name = /smudge filter '?([^\s']+)'? failed/.exec(stderr)?.[1];
  return name &&
    `mend what git calls: git -C ${shellWord(root)} config ${shellWord(`filter.${name}.smudge`)}`;
}

function refuseLock(root: string, { path, locked }: Worktree): void {
  if (locked === undefined || locked === BEING_ADDED) return;
  const reason = locked === "" ? "" : ` (${locked})`;
  throw new PikoError(`The worktree ${path} is locked${reason}`, {
    code: "conflict",
    hint: `git -C ${shellWord(root)} worktree unlock ${shellWord(path)}`,
  });
}

function remoteRef(plan: { branch: string; remote: string }): string {
  return `refs/remotes/${plan.remote}/${plan.branch}`;
}
