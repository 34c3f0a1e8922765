/** The words of an error, the same on the terminal, with `--json` and in the API. */

import { CommandError, type ErrorCode, PikoError, type UnsavedWork } from "./errors.ts";
import { fileSystemHint } from "./file_system_hint.ts";
import { withoutStyles } from "./styles.ts";

/** Makes control characters visible: names, paths and what programs print are not for the terminal to obey. */
export function visible(text: string): string {
  return withoutStyles(text).replace(/[^\P{Cc}\t\n]/gu, "�");
}

/** An error as it is shown. */
export interface Failure {
  code: ErrorCode | "bug";
  message: string;
  hint: string | undefined;
  details: readonly string[];
  /** The work that it keeps from being lost. */
  unsaved?: UnsavedWork | undefined;
  /** What a failed program has written. */
  stderr: string[];
}

/** Says what an error is to be told as; whatever piko does not expect is a bug. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof PikoError) {
    return {
      code: error.code,
      message: visible(error.message),
      hint: error.hint && visible(error.hint),
      details: error.details.map(visible),
      unsaved: error.unsaved && {
        files: error.unsaved.files.map(visible),
        commits: error.unsaved.commits.map(visible),
        fingerprint: error.unsaved.fingerprint,
      },
      stderr: stderrOf(error),
    };
  }
  if (error instanceof CommandError) {
    const shown = error.argv.map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)
    ).join(" ");
    return {
      code: "failed",
      message: visible(`${error.message}: ${shown}`),
      hint: undefined,
      details: [],
      stderr: linesOf(error.stderr),
    };
  }
  const file = fileFailure(error);
  if (file !== undefined) {
    return {
      code: "failed",
      message: visible(file),
      hint: fileSystemHint(file),
      details: [],
      stderr: [],
    };
  }
  return {
    code: "bug",
    message: "This is a bug in piko",
    hint: "report it with the lines above and what you typed",
    details: [],
    stderr: linesOf(error instanceof Error ? error.stack ?? error.message : String(error)),
  };
}

/** Says in one line what a failed program has said of it itself: `git failed (exit code 128): fatal: index file corrupt`. */
export function inOwnWords(error: CommandError): string {
  const lines = linesOf(error.stderr);
  const words = lines.find((line) => line.startsWith("fatal:")) ?? lines[0];
  return words === undefined ? error.message : `${error.message}: ${words}`;
}

/** Words for what the file system refuses; Deno's message names the path. */
function fileFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") return `The disk is full: ${error.message}`;
  if (code === "EROFS") return `The file system is read-only: ${error.message}`;
  if (code === "EACCES" || code === "EPERM") return `Not allowed: ${error.message}`;
  return undefined;
}

function stderrOf(error: PikoError): string[] {
  const shown = new Set(error.details);
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof CommandError) {
      return linesOf(cause.stderr).filter((line) => !shown.has(line));
    }
  }
  return [];
}

function linesOf(text: string): string[] {
  return text.trimEnd() === "" ? [] : visible(text.trimEnd()).split("\n");
}
