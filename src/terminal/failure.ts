/** How an error looks: one sentence, what it speaks of, the cause in the program's own words, and what helps. */

import { type ErrorCode, PikoError } from "../domain/errors.ts";
import { describeFailure } from "../domain/failure.ts";
import type { Output } from "./output.ts";

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

/** Shows a failure: on stderr for a person, and then on stdout as JSON when that was asked for, which nobody may read. */
export function showFailure(error: unknown, output: Output): void {
  const failure = describeFailure(error);
  const lines = [`${output.paint("red", "✗")} ${failure.message}`];
  for (const detail of failure.details) lines.push(`    ${detail}`);
  for (const line of failure.stderr) lines.push(output.paint("dim", `  │ ${line}`));
  if (failure.hint !== undefined) lines.push(`  ${output.paint("cyan", "→")} ${failure.hint}`);
  output.fail(lines.join("\n"));
  if (!output.json) return;
  const { message, code, hint, unsaved } = failure;
  const details = failure.details.length === 0 ? {} : { details: failure.details };
  const { files, commits } = unsaved ?? {};
  const work = unsaved === undefined ? {} : { unsaved: { files, commits } };
  output.answerJson({ error: { code, message, hint: hint ?? null, ...details, ...work } });
}
