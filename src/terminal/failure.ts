/** How an error looks: one sentence, what it speaks of, the cause in the program's own words, and what helps. */

import { CommandError, type ErrorCode, fileSystemHint, PikoError } from "../domain/errors.ts";
import { type Output, withoutStyles } from "./output.ts";

/** The exit code of each kind of failure. */
const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  failed: 1,
  usage: 2,
  "not-found": 3,
  conflict: 4,
  unavailable: 5,
  interrupted: 130,
};

/** Tells the exit code of a failure. */
export function exitCodeOf(error: unknown): number {
  return error instanceof PikoError ? EXIT_CODES[error.code] : 1;
}

/** Shows a failure: on stderr for a person, and on stdout as JSON when that was asked for. */
export function showFailure(error: unknown, output: Output): void {
  const failure = describeFailure(error);
  if (output.json) {
    const { message, code, hint } = failure;
    const details = failure.details.length === 0 ? {} : { details: failure.details };
    output.answerJson({ error: { code, message, hint: hint ?? null, ...details } });
  }
  const lines = [`${output.paint("red", "✗")} ${failure.message}`];
  for (const detail of failure.details) lines.push(`    ${detail}`);
  for (const line of failure.stderr) lines.push(output.paint("dim", `  │ ${line}`));
  if (failure.hint !== undefined) lines.push(`  ${output.paint("cyan", "→")} ${failure.hint}`);
  output.fail(lines.join("\n"));
}

/** Makes control characters visible: names, paths and what programs print are not for the terminal to obey. */
function visible(text: string): string {
  return withoutStyles(text).replace(/[^\P{Cc}\t\n]/gu, "�");
}

interface Failure {
  code: ErrorCode | "bug";
  message: string;
  hint: string | undefined;
  details: readonly string[];
  /** What a failed program has written. */
  stderr: string[];
}

function describeFailure(error: unknown): Failure {
  if (error instanceof PikoError) {
    return {
      code: error.code,
      message: visible(error.message),
      hint: error.hint && visible(error.hint),
      details: error.details.map(visible),
      stderr: stderrOf(error),
    };
  }
  if (error instanceof CommandError) {
    const shown = error.argv.map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)
    ).join(" ");
    return {
      code: "failed",
      message: `${error.message}: ${shown}`,
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
