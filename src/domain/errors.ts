/**
 * The errors that piko expects. A code says what kind of failure it is; the CLI makes an exit code of
 * it and the server a status, and nothing in the domain knows either.
 */

import { withoutSecrets } from "./secrets.ts";

/** What kind of failure a {@link PikoError} is. */
export type ErrorCode =
  | "usage"
  | "not-found"
  | "conflict"
  | "unavailable"
  | "failed"
  | "interrupted";

/** Work that is in a worktree alone. */
export interface UnsavedWork {
  /** Uncommitted and untracked files, and what git has under way: `modified: src/app.ts`, `under way: a merge`. */
  files: string[];
  /** Commits that no branch, tag or remote has. */
  commits: string[];
  /** Stands for all of this, as it was when it was looked at. */
  fingerprint?: string | undefined;
}

/** What a {@link PikoError} carries besides its sentence. */
export interface ErrorOptions {
  code: ErrorCode;
  /** A command that can be run, or one sentence that helps. */
  hint?: string | undefined;
  /** The paths, names or lines that the sentence speaks of. */
  details?: string[] | undefined;
  /** The work that it keeps from being lost; among the details too. */
  unsaved?: UnsavedWork | undefined;
  cause?: unknown;
}

/** An expected failure: one sentence with a capital letter and no full stop, its kind, and what helps. */
export class PikoError extends Error {
  override readonly name: string = "PikoError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly unsaved: UnsavedWork | undefined;

  constructor(message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.details = options.details ?? [];
    this.unsaved = options.unsaved;
  }
}

/** A program ended with another exit code than 0, or by a signal. What it said is shown, and so holds no secrets. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly argv: readonly string[];
  /** The exit code; 128 + n when signal n ended the program. */
  readonly exitCode: number;
  readonly signal: string | null;
  readonly stderr: string;

  constructor(
    argv: readonly string[],
    outcome: { exitCode: number; signal: string | null; stderr: string },
  ) {
    const how = outcome.signal === null ? `exit code ${outcome.exitCode}` : outcome.signal;
    super(`${argv[0]} failed (${how})`);
    this.argv = argv.map((word) => withoutSecrets(word));
    this.exitCode = outcome.exitCode;
    this.signal = outcome.signal;
    this.stderr = withoutSecrets(outcome.stderr);
  }
}

/** Makes the error of work that Ctrl+C, a signal or a cancelled request has ended. */
export function interrupted(what = "Interrupted"): PikoError {
  return new PikoError(what, { code: "interrupted" });
}

/** Throws {@link interrupted} when the signal was given. */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interrupted();
}

/** Tells the message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
