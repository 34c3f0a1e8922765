/** Says what helps when the file system refuses. */

import { shellWord } from "./variables.ts";

/**
 * Tells what helps when the file system refuses, by its own words as Deno, git and docker pass them on.
 *
 * @param places are those to look at, where the words do not name the right one.
 */
export function fileSystemHint(
  words: string,
  places: readonly string[] = placesIn(words),
): string | undefined {
  if (/No space left|os error 28|unable to write file|disk is full|quota exceeded/i.test(words)) {
    return "make room on the disk, and try again: df -h";
  }
  if (/Read-only file system|os error 30/i.test(words)) {
    return "the file system is read-only: make it writable, and try again";
  }
  if (/Permission denied|not permitted|os error 13|os error 1\)/i.test(words)) {
    return places.length === 0
      ? "check the rights of what it names"
      : `check the rights: ls -ld ${places.map(shellWord).join(" ")}`;
  }
  return undefined;
}

/** Names the first path in words such as `open '/etc/passwd'`, and the folder that it is in. */
function placesIn(words: string): string[] {
  const [, path, folder] = /'((\/[^']*)\/[^'/]+)'/.exec(words) ?? [];
  return folder === undefined || path === undefined ? [] : [folder, path];
}
