/** Removes folders with all that is in them, also while somebody goes on to write into one for a moment. */

import { messageOf, PikoError } from "../domain/errors.ts";
import { fileSystemHint } from "../domain/file_system_hint.ts";
import { shellWord } from "../domain/variables.ts";
import { lstat } from "./git/paths.ts";
import { refuseMounts } from "./mounts.ts";
import { pause } from "./pause.ts";

/** How often a folder is tried that is not empty when all that was in it has gone. */
const ATTEMPTS = 8;

/**
 * Removes a folder with all that is in it; tells whether there was one.
 *
 * @throws {PikoError} conflict when something is mounted in it; failed when it cannot be removed whole.
 */
export async function removeFolder(path: string): Promise<boolean> {
  if (await lstat(path) === undefined) return false;
  await refuseMounts(path);
  for (let attempt = 1;; attempt++) {
    try {
      await Deno.remove(path, { recursive: true });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      const isWrittenTo = /not empty/i.test(messageOf(error));
      if (isWrittenTo && attempt < ATTEMPTS) {
        await pause(50 * attempt);
        continue;
      }
      throw new PikoError(`Cannot remove ${path}: ${messageOf(error)}`, {
        code: "failed",
        hint: isWrittenTo
          ? `end what writes into it: lsof +D ${shellWord(path)}`
          : /os error 1\)/.test(messageOf(error))
          ? `see which files may not be changed: lsattr -aR ${shellWord(path)}`
          : fileSystemHint(messageOf(error), [path]),
        cause: error,
      });
    }
  }
}
