/**
 * Talks to git. Names and paths are arguments and never options; git's own variables (a stray GIT_DIR, say) are kept
 * from it; and whatever could lose work is left to git's own refusals.
 */

import { CommandError, PikoError, throwIfInterrupted } from "../domain/errors.ts";
import { fileSystemHint } from "../domain/file_system_hint.ts";
import { pikoIn } from "../domain/hints.ts";
import { quote } from "../domain/names.ts";
import { shellWord } from "../domain/variables.ts";
import { type Outcome, tryRun, type Variables } from "./run.ts";

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

/** Where a branch exists; nowhere when it is neither here nor on a remote. */
export interface BranchPlaces {
  isLocal: boolean;
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

/** A branch or a tag. */
export interface Ref {
  /** Without the remote's name. */
  name: string;
  kind: "branch" | "tag";
  /** Empty for what is in the repository itself. */
  remote: string;
  /** The worktree that has it checked out, or nothing. */
  worktreePath: string;
}

/** A branch with its last commit. */
export interface BranchTip {
  /** Without the remote's name. */
  name: string;
  /** Empty for one in the repository itself. */
  remote: string;
  /** In ISO 8601. */
  committedAt: string;
  subject: string;
  /** The worktree that has it checked out, or nothing. */
  worktreePath: string;
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

/** One line of `git worktree list`; the first one is the main worktree. */
export interface Worktree {
  path: string;
  /** The branch without `refs/heads/`; undefined when detached or bare. */
  branch: string | undefined;
  /** The commit that is checked out; undefined when bare. */
  head: string | undefined;
  /** Why it is locked, "" without a reason, undefined when it is not. */
  locked: string | undefined;
}

/** A file with work that is in no commit. */
export interface ChangedFile {
  state:
    | "modified"
    | "added"
    | "deleted"
    | "renamed"
    | "conflicted"
    | "untracked"
    | "modified (skip-worktree)"
    | "modified (assume-unchanged)";
  path: string;
}

/** A file of an index, as `git ls-files -v --stage` tells it. */
interface IndexEntry {
  /** `H`, or `S` for skip-worktree; a small letter for assume-unchanged. */
  tag: string;
  mode: string;
  blob: string;
  path: string;
}

/** What would be lost with a worktree. */
export interface Work {
  files: ChangedFile[];
  /** As "1a2b3c4 Subject", those of a submodule as "path: 1a2b3c4 Subject"; the latest 50 of each. */
  commits: string[];
}

interface Cancellable {
  signal?: AbortSignal | undefined;
}

/** The variables that `git rev-parse --local-env-vars` names: they point git at a certain repository. */
const REPOSITORY_VARIABLES = new Set([
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_CONFIG",
  "GIT_CONFIG_PARAMETERS",
  "GIT_CONFIG_COUNT",
  "GIT_OBJECT_DIRECTORY",
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_GRAFT_FILE",
  "GIT_INDEX_FILE",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_REPLACE_REF_BASE",
  "GIT_PREFIX",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_SHALLOW_FILE",
  "GIT_COMMON_DIR",
  "GIT_NAMESPACE",
]);

/** How often a command is tried that meets a lock of another git. */
const ATTEMPTS = 12;

/** How many paths one command is given: the system bounds the length of its arguments. */
const MOST_PATHS = 200;

/** The reason that git itself locks a worktree with while it adds it; it stays when git is killed. */
const BEING_ADDED = "initializing";

/** The one git. */
export class Git {
  readonly #variables: Variables;

  /** Takes the variables that git is started with, git's own pointers to a repository aside. */
  constructor({ variables }: { variables: Variables }) {
    const chosen = Object.entries(variables).filter(([name]) =>
      !REPOSITORY_VARIABLES.has(name) && name !== "LANGUAGE"
    );
    this.#variables = {
      ...Object.fromEntries(chosen),
      // Error messages are told apart by their English words.
      LC_ALL: "C",
      GIT_TERMINAL_PROMPT: "0",
    };
  }

  /** Tells git's version, such as `2.39.5`; throws unavailable when there is no git. */
  async version(): Promise<string> {
    return (await this.#run(["git", "--version"], {})).replace(/^git version /, "").trimEnd();
  }

  /**
   * Tells what repository a folder lies in.
   *
   * @throws {PikoError} not-found when it lies in none, unavailable when git is missing or too old.
   */
  async inspectRepository(folder: string, { signal }: Cancellable = {}): Promise<Repository> {
    const argv = [
      ...["git", "-C", folder, "rev-parse", "--path-format=absolute", "--is-bare-repository"],
      ...["--is-inside-work-tree", "--absolute-git-dir", "--git-common-dir"],
      ...["--show-superproject-working-tree", "--show-toplevel"],
    ];
    const outcome = await this.#try(argv, { signal });
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
    const main = await this.#mainWorktree(commonDir, signal);
    return { ...main, here: here ?? main.root, isLinkedWorktree, superproject, commonDir };
  }

  /** Tells whether anything was committed yet on what is checked out. */
  async hasCommit(root: string, options: Cancellable = {}): Promise<boolean> {
    return await this.head(root, options) !== undefined;
  }

  /** Tells the branch that is checked out, with or without a commit; undefined when HEAD is detached. */
  async currentBranch(root: string, { signal }: Cancellable = {}): Promise<string | undefined> {
    const argv = ["git", "-C", root, "symbolic-ref", "--quiet", "HEAD"];
    const outcome = await this.#try(argv, { signal });
    if (outcome.exitCode === 1) return undefined;
    if (outcome.exitCode !== 0) throw new CommandError(argv, outcome);
    return withoutPrefix(outcome.stdout.trimEnd(), "refs/heads/");
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
    const outcome = await this.#try([
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
      this.#run(["git", "-C", root, "remote"], { signal }).then(lines),
    ]);
    const parents = branch.split("/").slice(0, -1).map((_, index, parts) =>
      parts.slice(0, index + 1).join("/")
    );
    const listed = await this.#run([
      ...["git", "-C", root, "for-each-ref", "--format=%(refname)%00%(worktreepath)%00"],
      ...[branch, ...parents].map((name) => `refs/heads/${name}`),
      ...remotes.map((remote) => `refs/remotes/${remote}/${branch}`),
      `refs/remotes/${branch}`,
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
      checkedOutAt: checkedOutAt === "" ? undefined : checkedOutAt,
      remotes: remotes
        .filter((remote) => places.has(`refs/remotes/${remote}/${branch}`))
        .sort((one, other) => Number(other === "origin") - Number(one === "origin")),
    };
  }

  /**
   * Adds a worktree in a folder that does not exist yet; a failure leaves neither folder nor branch of this call.
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
      await this.#run(["git", "-C", root, "worktree", "add", "--", path, branch], { signal });
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
      await this.#run(["git", "-C", root, "for-each-ref", `--format=${format}`, ...kinds], {}),
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
      await this.#run([
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
    const told = await this.#run([
      ...["git", "-C", worktreePath, "-c", "log.showSignature=false", "log", "-1", "--no-color"],
      "--format=%h%x00%s%x00%an%x00%cI",
    ], { signal });
    const [hash = "", subject = "", author = "", committedAt = ""] = told.trimEnd().split("\0");
    return { hash, subject, author, committedAt };
  }

  /** Lists the worktrees of a repository, the main one first. */
  async listWorktrees(root: string, { signal }: Cancellable = {}): Promise<Worktree[]> {
    return parseWorktrees(
      await this.#run(["git", "-C", root, "worktree", "list", "--porcelain"], { signal }),
    );
  }

  /** Writes the `.git` file of a worktree anew that git still knows. */
  async repairWorktree(root: string, path: string, { signal }: Cancellable = {}): Promise<void> {
    const argv = ["git", "-C", root, "worktree", "repair", "--", path];
    const outcome = await this.#try(argv, { signal });
    // It looks at all worktrees, and fails when another one is gone.
    if (await lstat(`${path}/.git`) === undefined) throw new CommandError(argv, outcome);
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
   * Removes a worktree, ignored files included; one whose folder is gone already is only forgotten. Tells whether
   * there was one.
   *
   * @throws {PikoError} conflict when it holds work and `force` is not set, is locked, or is no worktree of this
   *   repository; usage for the main worktree; failed, before anything is deleted, when files may not be deleted.
   */
  async removeWorktree(
    root: string,
    path: string,
    { force = false, signal }: { force?: boolean } & Cancellable = {},
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
    if (folder !== undefined) await this.#checkFolder(worktree.path, folder, signal);
    const argv = (options: string[]) => [
      ...["git", "-C", root, "worktree", "remove"],
      ...options,
      ...["--", worktree.path],
    ];
    const outcome = await this.#try(argv(force ? ["--force"] : []), { signal });
    if (outcome.exitCode === 0) return true;
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
      await this.#run(argv(["--force"]), { signal });
      return true;
    }
    throw new PikoError(`git cannot remove the worktree ${path}`, {
      code: "failed",
      hint: `git -C ${shellWord(root)} worktree repair ${shellWord(worktree.path)}`,
      cause: new CommandError(argv(force ? ["--force"] : []), outcome),
    });
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
      await this.#run(["git", "-C", root, "branch", "-D", "--quiet", "--", branch], { signal });
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
    const upstream = await this.#run([
      ...["git", "-C", root, "for-each-ref", "--format=%(refname)%00%(upstream)", ref],
    ], { signal });
    const found = lines(upstream).find((line) => line.startsWith(`${ref}\0`))?.split("\0")[1] ?? "";
    return found !== "" && await this.#isAncestor(root, ref, found, signal);
  }

  /**
   * Lists what would be lost with a worktree: uncommitted and untracked files (ignored ones aside, those that
   * `git update-index` has kept from `git status` included), and commits that no
   * branch, tag or remote has, of a detached HEAD, of a stash that a rebase or merge keeps aside, and of submodules.
   * A submodule's repository belongs to the linked worktree, so all of it that is on no remote and under no tag counts.
   *
   * @param options.except untracked links, relative to the worktree, that piko made; one that is no longer a link counts.
   * @throws {PikoError} conflict when the folder is no worktree of its own any more.
   */
  async listWork(
    worktreePath: string,
    { except = [], signal }: { except?: readonly string[] } & Cancellable = {},
  ): Promise<Work> {
    const gitDir = await this.#gitDirOf(worktreePath, signal);
    const index = this.#run(["git", "-C", worktreePath, "ls-files", "-v", "--stage", "-z"], {
      signal,
    }).then(parseIndex);
    const [status, hidden, detached, stashes, submodules] = await Promise.all([
      this.#status(worktreePath, gitDir, signal),
      index.then((entries) => this.#hiddenChanges(worktreePath, entries, signal)),
      this.#detachedCommits(worktreePath, signal),
      this.#stashesAside(worktreePath, gitDir, signal),
      index.then((entries) => this.#submoduleCommits(worktreePath, gitDir, entries, signal)),
    ]);
    const files: ChangedFile[] = [];
    for (const file of [...status, ...hidden]) {
      const isOurs = file.state === "untracked" && except.includes(file.path) &&
        (await lstat(`${worktreePath}/${file.path}`))?.isSymlink;
      if (!isOurs) files.push(file);
    }
    return { files, commits: [...detached, ...stashes, ...submodules] };
  }

  /** Finds the folder in which git keeps what it knows of a worktree; undefined when it knows of none at that path. */
  async findEntry(
    root: string,
    path: string,
    { signal }: Cancellable = {},
  ): Promise<string | undefined> {
    const { commonDir } = await this.inspectRepository(root, { signal });
    const folder = `${commonDir}/worktrees`;
    if (await lstat(folder) === undefined) return undefined;
    for await (const { name } of Deno.readDir(folder)) {
      const points = await readIfThere(`${folder}/${name}/gitdir`);
      if (points?.trimEnd() === `${path}/.git`) return `${folder}/${name}`;
    }
    return undefined;
  }

  /** Finds the commit that HEAD of a worktree had last, by its own log: also when its branch was deleted since. */
  async findLastHead(
    worktreePath: string,
    { signal }: Cancellable = {},
  ): Promise<string | undefined> {
    const file = `${await this.#gitDirOf(worktreePath, signal)}/logs/HEAD`;
    const last = lines(await readIfThere(file) ?? "").at(-1);
    return /^[0-9a-f]+ ([0-9a-f]*[1-9a-f][0-9a-f]*) /.exec(last ?? "")?.[1];
  }

  /**
   * Lists what git alone still has of a worktree whose folder is gone, and would be lost with its entry: what was staged,
   * and the commits that {@link listWork} lists. It lies in the folder `gitDir`; `isOnHead` tells that a branch at HEAD
   * would have all of it.
   */
  async listWorkOfGone(
    root: string,
    { path, branch, head }: Worktree,
    { signal }: Cancellable = {},
  ): Promise<Work & { gitDir: string; isOnHead: boolean }> {
    const gitDir = await this.findEntry(root, path, { signal });
    if (gitDir === undefined) return { files: [], commits: [], gitDir: "", isOnHead: true };
    const detached = branch === undefined && head !== undefined
      ? await this.#log(["-C", root], [head, "--not", "--branches", "--tags", "--remotes"], signal)
      : [];
    const aside = await this.#stashesAside(root, gitDir, signal);
    for (const repository of await findRepositories(`${gitDir}/modules`)) {
      aside.push(...await this.#ownCommits(repository, signal));
    }
    const commits = [...detached, ...aside];
    // A git that was killed while it checked the worktree out has left no index: then nothing was staged.
    if (await lstat(`${gitDir}/index`) === undefined) {
      return { files: [], commits, gitDir, isOnHead: aside.length === 0 };
    }
    const staged = await this.#run([
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

  /** Tells which of the paths, relative to the root, git ignores. */
  async listIgnored(
    root: string,
    paths: readonly string[],
    { signal }: Cancellable = {},
  ): Promise<Set<string>> {
    if (paths.length === 0) return new Set();
    const argv = ["git", "-C", root, "check-ignore", "-z", "--stdin"];
    const outcome = await this.#try(argv, { signal, input: paths.join("\0") + "\0" });
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
    const found = await this.#run([
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
    const file = (await this.#run([
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

  async #mainWorktree(
    commonDir: string,
    signal: AbortSignal | undefined,
  ): Promise<{ root: string; isBare: boolean }> {
    // With --git-dir the top folder is core.worktree, as a submodule has it, else the working folder.
    const parent = commonDir.slice(0, commonDir.lastIndexOf("/")) || "/";
    const argv = [
      ...["git", "-C", parent, `--git-dir=${commonDir}`, "rev-parse", "--is-bare-repository"],
      "--show-toplevel",
    ];
    const outcome = await this.#try(argv, { signal });
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
      const outcome = await this.#try(
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
      await this.#run(argv, { signal });
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
      await this.#run([
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

  /** Removes what a failed or interrupted `git worktree add` of this call has left; git mostly does it itself. */
  async #removeHalfMade(root: string, path: string): Promise<void> {
    const place = await placeOf(path);
    const known = (await this.listWorktrees(root)).some((worktree) => worktree.path === place);
    if (known) await this.removeWorktree(root, place, { force: true });
  }

  async #unlock(
    root: string,
    worktree: Worktree,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (worktree.locked === undefined) return;
    refuseLock(root, worktree);
    await this.#run(["git", "-C", root, "worktree", "unlock", "--", worktree.path], { signal });
  }

  /** Refuses a folder that is no worktree any more, or that could be deleted only in part. */
  async #checkFolder(
    path: string,
    folder: Deno.FileInfo,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (!folder.isDirectory) {
      throw new PikoError(
        `${path} is no folder any more but ${folder.isSymlink ? "a link" : "a file"}`,
        {
          code: "conflict",
          hint: "look at what it is, and remove it by hand",
        },
      );
    }
    if (await lstat(`${path}/.git`) === undefined) {
      const entries = [];
      for await (const entry of Deno.readDir(path)) entries.push(entry.name);
      // Docker makes an empty folder where it misses the source of a bind mount.
      if (entries.length === 0) return await Deno.remove(path);
      throw new PikoError(`${path} is no worktree any more: its .git file is gone`, {
        code: "conflict",
        hint: "look at what is in it, and remove it by hand",
        details: entries.sort().slice(0, 20),
      });
    }
    const blocked = await this.#listUndeletable(path, signal);
    if (blocked.length > 0) {
      throw new PikoError(`${path} has folders whose files you may not delete`, {
        code: "failed",
        hint: `sudo chown -R "$(id -u)" ${shellWord(path)}`,
        details: blocked.slice(0, 20),
      });
    }
    // Nor may root on a read-only disk, which only the system itself can tell.
    const parent = path.slice(0, path.lastIndexOf("/"));
    const { exitCode } = await this.#try(["test", "-w", path, "-a", "-w", parent], { signal });
    if (exitCode !== 0) {
      throw new PikoError(`${path} may not be deleted: it or the folder around it is read-only`, {
        code: "failed",
        hint: `make it writable: ls -ld ${shellWord(parent)} ${shellWord(path)}`,
      });
    }
  }

  /**
   * Lists the folders with contents that may not be deleted, as containers running as root leave them; git would delete
   * the rest and forget the worktree.
   */
  async #listUndeletable(path: string, signal: AbortSignal | undefined): Promise<string[]> {
    const user = Deno.uid();
    if (user === null || user === 0) return [];
    // -exec test asks the system itself; only folders that look wrong are asked about. What find cannot enter it has
    // already printed.
    const { stdout } = await this.#try([
      ...[
        "find",
        path,
        "-type",
        "d",
        "(",
        "!",
        "-user",
        String(user),
        "-o",
        "!",
        "-perm",
        "-0700",
        ")",
      ],
      ...["!", "-empty", "!", "-exec", "test", "-w", "{}", "-a", "-x", "{}", ";", "-print0"],
    ], { signal });
    return stdout.split("\0").filter(Boolean);
  }

  async #gitDirOf(worktreePath: string, signal: AbortSignal | undefined): Promise<string> {
    const outcome = await this.#try([
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

  async #status(
    worktreePath: string,
    gitDir: string,
    signal: AbortSignal | undefined,
  ): Promise<ChangedFile[]> {
    const argv = [
      ...["git", "-C", worktreePath, "--no-optional-locks", "-c", "core.fsmonitor=false"],
      // Reaches the submodules' own status too, which the option does not.
      ...["-c", "status.showUntrackedFiles=all", "status", "--porcelain=v1", "-z"],
      ...["--untracked-files=all", "--ignore-submodules=none"],
    ];
    if (await lstat(`${gitDir}/index`) !== undefined) {
      return parseStatus(await this.#run(argv, { signal }));
    }
    // A git that was killed while it checked the worktree out has left no index, so all files look deleted and new. They
    // are compared with the commit; what it had not come to yet was never there.
    const index = `${gitDir}/piko-index`;
    const variables = { ...this.#variables, GIT_INDEX_FILE: index };
    try {
      await this.#run(["git", "-C", worktreePath, "read-tree", "HEAD"], { signal, variables });
      const files = parseStatus(await this.#run(argv, { signal, variables }));
      return files.filter(({ state }) => state !== "deleted");
    } finally {
      await Deno.remove(index).catch((error: unknown) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
  }

  async #detachedCommits(
    worktreePath: string,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    if (await this.currentBranch(worktreePath, { signal }) !== undefined) return [];
    return await this.#log(
      ["-C", worktreePath],
      ["HEAD", "--not", "--branches", "--tags", "--remotes"],
      signal,
    );
  }

  async #stashesAside(
    worktreePath: string,
    gitDir: string,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const files = ["rebase-merge/autostash", "rebase-apply/autostash", "MERGE_AUTOSTASH"];
    const ids = await Promise.all(files.map((file) => readIfThere(`${gitDir}/${file}`)));
    const found = ids.flatMap((id) => id === undefined ? [] : [id.trim()]);
    if (found.length === 0) return [];
    return await this.#log(["-C", worktreePath], ["--no-walk", ...found], signal);
  }

  /** Lists the files with changes that git was told not to look for; of a sparse checkout mostly none is there. */
  async #hiddenChanges(
    worktreePath: string,
    index: readonly IndexEntry[],
    signal: AbortSignal | undefined,
  ): Promise<ChangedFile[]> {
    const there: IndexEntry[] = [];
    for (const entry of index) {
      if (!isHidden(entry) || !entry.mode.startsWith("100")) continue;
      if ((await lstat(`${worktreePath}/${entry.path}`))?.isFile) there.push(entry);
    }
    const changed: ChangedFile[] = [];
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
      const blobs = lines(await this.#run(argv, { signal }));
      for (const [at, { tag, blob, path }] of some.entries()) {
        if (blobs[at] === blob) continue;
        const flag = tag.toUpperCase() === "S" ? "skip-worktree" : "assume-unchanged";
        changed.push({ state: `modified (${flag})`, path });
      }
    }
    return changed;
  }

  async #submoduleCommits(
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
      repositories.map((repository) => this.#ownCommits(repository, signal)),
    );
    return commits.flat();
  }

  /** Lists the commits of a submodule's repository that are on no remote and under no tag. */
  async #ownCommits(
    { name, gitDir }: { name: string; gitDir: string },
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    // Its own working folder may be gone, so another one is named.
    const where = [`--git-dir=${gitDir}`, `--work-tree=${gitDir}`];
    const commits = await this.#log(where, ["--all", "--not", "--remotes", "--tags"], signal);
    return commits.map((commit) => `${name}: ${commit}`);
  }

  /** Lists commits as "1a2b3c4 Subject", the latest 50. */
  async #log(
    where: readonly string[],
    revisions: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    return lines(
      await this.#run([
        ...["git", ...where, "-c", "log.showSignature=false", "log", "--no-color", "-n", "50"],
        ...["--format=%h %s", ...revisions, "--"],
      ], { signal }),
    );
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
    const outcome = await this.#try(argv, { signal });
    if (outcome.exitCode > 1) throw new CommandError(argv, outcome);
    return outcome.exitCode === 0;
  }

  async #run(
    argv: readonly string[],
    options: Cancellable & { variables?: Variables },
  ): Promise<string> {
    const outcome = await this.#try(argv, options);
    if (outcome.exitCode === 0) return outcome.stdout;
    const failure = new CommandError(argv, outcome);
    throw explainLock(failure) ?? failure;
  }

  /** Runs git, and again when it met another git at work, which leaves its own work undone. */
  async #try(
    argv: readonly string[],
    { signal, input, variables = this.#variables }:
      & Cancellable
      & { input?: string | undefined; variables?: Variables },
  ): Promise<Outcome> {
    for (let attempt = 1;; attempt++) {
      // Each call names its folder with -C; piko's own may be the worktree that has just been removed.
      const outcome = await tryRun(argv, { cwd: "/", signal, input, variables });
      const isFinal = outcome.exitCode === 0 || attempt === ATTEMPTS;
      if (isFinal || !metAnotherGit(outcome.stderr)) return outcome;
      await new Promise((resolve) => setTimeout(resolve, attempt * (15 + 30 * Math.random())));
      throwIfInterrupted(signal);
    }
  }
}

/** Says where the filter is told that git could not write a file through, as that of git-lfs where it is not installed. */
function filterHint(root: string, stderr: string): string | undefined {
  const name = /smudge filter '?([^\s']+)'? failed/.exec(stderr)?.[1];
  return name &&
    `mend what git calls: git -C ${shellWord(root)} config ${shellWord(`filter.${name}.smudge`)}`;
}

/** Reads the branches and tags that `for-each-ref` lists with their worktrees; a remote's HEAD is none of them. */
export function parseRefs(text: string): Ref[] {
  return [...text.matchAll(/([^\0]+)\0([^\0]*)\0\n/g)].flatMap(
    ([, ref = "", worktreePath = ""]): Ref[] => {
      const tag = /^refs\/tags\/(.+)$/s.exec(ref)?.[1];
      if (tag !== undefined) return [{ name: tag, kind: "tag", remote: "", worktreePath }];
      const [, remote, branch] = /^refs\/(?:heads|remotes\/([^/]+))\/(.+)$/s.exec(ref) ?? [];
      if (branch === undefined || (remote !== undefined && branch === "HEAD")) return [];
      return [{ name: branch, kind: "branch", remote: remote ?? "", worktreePath }];
    },
  );
}

/** Reads the branches that `for-each-ref` lists with their last commits; a remote's HEAD is none of them. */
export function parseBranches(text: string): BranchTip[] {
  return [...text.matchAll(/([^\0]+)\0([^\0]*)\0([^\0]*)\0([^\0]*)\0\n/g)].flatMap(
    ([, ref = "", committedAt = "", worktreePath = "", subject = ""]): BranchTip[] => {
      const [, remote, name] = /^refs\/(?:heads|remotes\/([^/]+))\/(.+)$/s.exec(ref) ?? [];
      if (name === undefined || (remote !== undefined && name === "HEAD")) return [];
      return [{ name, remote: remote ?? "", committedAt, subject, worktreePath }];
    },
  );
}

/** Parses `git worktree list --porcelain`. */
export function parseWorktrees(text: string): Worktree[] {
  return text.split("\n\n").filter((part) => part.trim() !== "").map((part) => {
    const fields = new Map(
      part.split("\n").filter(Boolean).map((line) => {
        const space = line.indexOf(" ");
        return space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
      }),
    );
    const branch = fields.get("branch");
    return {
      path: fields.get("worktree") ?? "",
      branch: branch === undefined ? undefined : withoutPrefix(branch, "refs/heads/"),
      head: fields.get("HEAD"),
      locked: fields.get("locked"),
    };
  });
}

/** Parses `git status --porcelain=v1 -z`; a rename stands under its new path. */
export function parseStatus(text: string): ChangedFile[] {
  const files: ChangedFile[] = [];
  const parts = text.split("\0");
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] ?? "";
    if (part === "") continue;
    const code = part.slice(0, 2);
    // The old path follows as a field of its own.
    if (/[RC]/.test(code)) index++;
    files.push({ state: stateOf(code), path: part.slice(3) });
  }
  return files;
}

function parseIndex(text: string): IndexEntry[] {
  return [...text.matchAll(/([A-Za-z]) (\d+) (\w+) \d\t([^\0]+)\0/g)].map(
    ([, tag = "", mode = "", blob = "", path = ""]) => ({ tag, mode, blob, path }),
  );
}

function isHidden({ tag }: IndexEntry): boolean {
  return tag === "S" || tag !== tag.toUpperCase();
}

/** Writes a path from the root as a pattern of an ignore file that means it alone. */
export function patternFor(path: string): string {
  return `/${path.replace(/[\\*?[]/g, "\\$&").replace(/ $/, "\\ ")}`;
}

function stateOf(code: string): ChangedFile["state"] {
  if (code === "??") return "untracked";
  if (/U|AA|DD/.test(code)) return "conflicted";
  if (/[RC]/.test(code)) return "renamed";
  if (code.includes("D")) return "deleted";
  if (code.includes("A")) return "added";
  return "modified";
}

/**
 * Tells whether git met another git's lock, or a worktree that another git is just adding (2.39 then fails to read its
 * commondir file). A conflict of names, `cannot lock ref … exists`, is neither.
 */
function metAnotherGit(stderr: string): boolean {
  return /could not lock config file|\.lock': File exists|failed to read \S*worktrees\/.*\/commondir/
    .test(stderr);
}

/** Names the lock that a git met again and again: one that is killed at the wrong moment leaves its own. */
function explainLock(cause: CommandError): PikoError | undefined {
  const [, lock, file] =
    /Unable to create '(.+\.lock)': File exists|could not lock config file (.+): File exists/
      .exec(cause.stderr) ?? [];
  const named = lock ?? (file === undefined ? undefined : `${file}.lock`);
  if (named === undefined) return undefined;
  // git names the configuration's relative to the folder that it was given with -C.
  const path = named.startsWith("/") ? named : `${cause.argv[2]}/${named}`;
  return new PikoError(`A git is at work in the repository, or has left its lock: ${path}`, {
    code: "conflict",
    hint: `rm ${shellWord(path)}, when no git is at work there`,
    cause,
  });
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

/** Adds a line to a file under a lock, so that two at once add it once; tells whether it did. */
async function addLine(path: string, line: string): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true, append: true, create: true });
    await file.lock(true);
    const text = await new Response(streamOf(file)).text();
    if (text.split("\n").some((known) => known.trimEnd() === line)) return false;
    const end = text.includes("\r\n") ? "\r\n" : "\n";
    const gap = text === "" || text.endsWith("\n") ? "" : end;
    const bytes = new TextEncoder().encode(gap + line + end);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    return true;
  } catch (error) {
    throw new PikoError(`Cannot add ${quote(line)} to ${path}`, { code: "failed", cause: error });
  }
}

/** Reads a file to its end and leaves it open, which `file.readable` does not. */
function streamOf(file: Deno.FsFile): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(65536);
      const count = await file.read(buffer);
      if (count === null) controller.close();
      else controller.enqueue(buffer.subarray(0, count));
    },
  });
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

/** Resolves the links on the way to a path, as git does, not the path itself, which may be gone or be a link. */
export async function placeOf(path: string): Promise<string> {
  const plain = path.replace(/\/+$/, "");
  const slash = plain.lastIndexOf("/");
  const parent = await realPath(plain.slice(0, slash) || "/");
  return `${parent === "/" ? "" : parent}${plain.slice(slash)}`;
}

/** Resolves a path as far as it exists. */
async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return path;
  }
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}
