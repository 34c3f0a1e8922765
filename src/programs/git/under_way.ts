/** Knows what git keeps in a worktree's own folder while it is at work that goes on later, and that ends with the folder. */

import { lstat } from "./paths.ts";

/** What is under way while a file is there; a rebase leaves files of a cherry-pick too, so it is looked for first. */
const UNDER_WAY: readonly [file: string, what: string][] = [
  ["rebase-merge", "a rebase"],
  ["rebase-apply/applying", "git am"],
  ["rebase-apply", "a rebase"],
  ["MERGE_HEAD", "a merge"],
  ["CHERRY_PICK_HEAD", "a cherry-pick"],
  ["REVERT_HEAD", "a revert"],
  ["sequencer", "a cherry-pick or revert"],
  ["BISECT_LOG", "a bisect"],
];

/** Tells what is under way in the repository or worktree that git keeps in a folder, as "a merge". */
export async function findUnderWay(gitDir: string): Promise<string | undefined> {
  const there = await Promise.all(UNDER_WAY.map(([file]) => lstat(`${gitDir}/${file}`)));
  return UNDER_WAY.find((_, at) => there[at] !== undefined)?.[1];
}
