/** What keeps a check from looking: it is told, and the other checks are heard. */

import type { CheckName } from "../../domain/check.ts";
import { CommandError, messageOf, PikoError } from "../../domain/errors.ts";
import { fileSystemHint } from "../../domain/file_system_hint.ts";
import { inOwnWords } from "../../domain/failure.ts";
import { shellWord } from "../../domain/variables.ts";
import type { Finding } from "./finding.ts";

/** Makes a finding of a check that could not look at `what`; the names are that of the finding, and of what it left unseen. */
export async function guarded(
  [name, ...unseen]: readonly [CheckName, ...CheckName[]],
  look: () => Promise<Finding[]>,
  what = "it",
): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!isExpected(error)) throw error;
    const { said, hint } = whyNot(error);
    const message = `Could not look at ${what}: ${said}`;
    return [{ name, level: "wrong", message, hint: hint ?? "piko doctor", unseen }];
  }
}

/** Tells whether an error is one of what is looked at, and not one of doctor's own. */
export function isExpected(error: unknown): boolean {
  if (error instanceof PikoError) return error.code !== "interrupted";
  // What vanishes while it is looked at is somebody else's work.
  return error instanceof CommandError || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotFound;
}

/** Says why something could not be done, in the words of the program that failed, and what helps or shows more. */
export function whyNot(error: unknown): { said: string; hint: string | undefined } {
  if (error instanceof CommandError) {
    const [program, flag, folder = ""] = error.argv;
    const again = program === "git" && flag === "-C" ? ["git", "-C", folder, "status"] : error.argv;
    return { said: inOwnWords(error), hint: again.map(shellWord).join(" ") };
  }
  const message = messageOf(error);
  if (!(error instanceof PikoError)) return { said: message, hint: fileSystemHint(message) };
  const { cause, hint } = error;
  return {
    said: cause instanceof CommandError ? `${message}: ${inOwnWords(cause)}` : message,
    hint,
  };
}
