/** Small work on files that several operations share. */

import { messageOf, PikoError } from "../domain/errors.ts";
import { fileSystemHint } from "../domain/file_system_hint.ts";
import { shellQuote } from "../domain/variables.ts";

/** Tells whether something is at a path: a file, a folder, or a link wherever it leads. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/**
 * Makes a folder, and those above it.
 *
 * @throws {PikoError} failed when it cannot be made.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw new PikoError(`Cannot make the folder ${path}: ${messageOf(error)}`, {
      code: "failed",
      hint: fileSystemHint(messageOf(error), [parentOf(path)]) ??
        `look at what is in the way: ls -ld ${shellQuote(parentOf(path))}`,
      cause: error,
    });
  }
}

/** Makes the error of a file that cannot be written. */
export function cannotWrite(path: string, error: unknown): PikoError {
  return new PikoError(`Cannot write ${path}: ${messageOf(error)}`, {
    code: "failed",
    hint: fileSystemHint(messageOf(error)),
    cause: error,
  });
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Tells whether a folder is there, and nothing is in it, not even a folder. */
export async function isEmptyFolder(path: string): Promise<boolean> {
  try {
    for await (const _entry of Deno.readDir(path)) return false;
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
