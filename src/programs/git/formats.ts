/** What git lists, and how its lists are read. */

import { withoutPrefix } from "./paths.ts";

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

/** A file with work that is in no commit; or what is under way, as "a merge", in the place of a path. */
export interface ChangedFile {
  state:
    | "modified"
    | "added"
    | "deleted"
    | "renamed"
    | "conflicted"
    | "untracked"
    | "ignored"
    | "modified (skip-worktree)"
    | "modified (assume-unchanged)"
    | "under way";
  path: string;
}

/** A file of an index, as `git ls-files -v --stage` tells it. */
export interface IndexEntry {
  /** `H`, or `S` for skip-worktree; a small letter for assume-unchanged. */
  tag: string;
  mode: string;
  blob: string;
  path: string;
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

/** Parses `git status --porcelain=v1 -z`; a rename stands under its new path, and what is ignored is there when asked for. */
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

export function parseIndex(text: string): IndexEntry[] {
  return [...text.matchAll(/([A-Za-z]) (\d+) (\w+) \d\t([^\0]+)\0/g)].map(
    ([, tag = "", mode = "", blob = "", path = ""]) => ({ tag, mode, blob, path }),
  );
}

export function isHidden({ tag }: IndexEntry): boolean {
  return tag === "S" || tag !== tag.toUpperCase();
}

function stateOf(code: string): ChangedFile["state"] {
  if (code === "??") return "untracked";
  if (code === "!!") return "ignored";
  if (/U|AA|DD/.test(code)) return "conflicted";
  if (/[RC]/.test(code)) return "renamed";
  if (code.includes("D")) return "deleted";
  if (code.includes("A")) return "added";
  return "modified";
}
