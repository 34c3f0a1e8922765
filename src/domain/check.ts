/** What `piko doctor` says of one thing it has looked at, in the vocabulary of `--json`. */

/** The names of the checks, which scripts may rely on, in the order in which they are shown. */
export const CHECK_NAMES = [
  ...["git", "tmux", "docker", "compose", "engine", "fzf", "editor"] as const,
  ...["home", "registry", "disk", "config", "project"] as const,
  ...["environment", "worktree", "override", "session", "port"] as const,
  ...["shared", "container", "network", "network-room", "volume"] as const,
  ...["git-entry", "folder"] as const,
] as const;

/** The name of a check; one that finds several things wrong tells each under the same name. */
export type CheckName = typeof CHECK_NAMES[number];

/** One line of the answer. */
export interface Check {
  name: CheckName;
  /** Whether it is in order now. What is only worth knowing is in order too, and has a hint. */
  ok: boolean;
  message: string;
  hint: string | null;
  /** Whether `--fix` has just mended it. */
  fixed: boolean;
}
