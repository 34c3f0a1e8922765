/**
 * Starts git: its own pointers to a repository (a stray GIT_DIR, say) are kept from it, its messages are English, and one
 * that meets another git at work is started again.
 */

import { CommandError, PikoError, throwIfInterrupted } from "../../domain/errors.ts";
import { shellWord } from "../../domain/variables.ts";
import { type Outcome, tryRun, type Variables } from "../run.ts";

/** What may be broken off. */
export interface Cancellable {
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

/** Starts git. */
export class GitRunner {
  /** The variables that git is started with. */
  readonly variables: Variables;

  /** Takes the variables of piko's user. */
  constructor(variables: Variables) {
    const chosen = Object.entries(variables).filter(([name]) =>
      !REPOSITORY_VARIABLES.has(name) && name !== "LANGUAGE"
    );
    this.variables = {
      ...Object.fromEntries(chosen),
      // Error messages are told apart by their English words.
      LC_ALL: "C",
      GIT_TERMINAL_PROMPT: "0",
    };
  }

  /** Runs git to its end and returns its stdout; any exit but 0 is an error. */
  async run(
    argv: readonly string[],
    options: Cancellable & { input?: string; variables?: Variables },
  ): Promise<string> {
    const outcome = await this.try(argv, options);
    if (outcome.exitCode === 0) return outcome.stdout;
    const failure = new CommandError(argv, outcome);
    throw explainLock(failure) ?? failure;
  }

  /**
   * Runs git, and again when it met another git at work, which leaves its own work undone; `isDone` is asked first where it
   * may have been done all the same.
   */
  async try(
    argv: readonly string[],
    { signal, input, variables = this.variables, isDone }:
      & Cancellable
      & {
        input?: string | undefined;
        variables?: Variables;
        isDone?: () => Promise<boolean>;
      },
  ): Promise<Outcome> {
    for (let attempt = 1;; attempt++) {
      // Each call names its folder with -C; piko's own may be the worktree that has just been removed.
      const outcome = await tryRun(argv, { cwd: "/", signal, input, variables });
      const isFinal = outcome.exitCode === 0 || attempt === ATTEMPTS;
      if (isFinal || !metAnotherGit(outcome.stderr) || await isDone?.()) return outcome;
      await new Promise((resolve) => setTimeout(resolve, attempt * (15 + 30 * Math.random())));
      throwIfInterrupted(signal);
    }
  }
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
export function explainLock(cause: CommandError): PikoError | undefined {
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
