/**
 * Names things in hints so that a command works wherever it is pasted: into a terminal in another folder, from the page or
 * from what a script was answered. So an environment always has its project's name with it, also for those who stand
 * in the project; there, too, another terminal is near, and one bare name with `--force` could be two environments.
 */

import { shellWord } from "./variables.ts";

/** Names an environment as it is found from anywhere. */
export function qualified({ project, name }: { project: string; name: string }): string {
  return `${project}/${name}`;
}

/** Begins a command that is about the project of a folder, and not about one environment. */
export function pikoIn(root: string): string {
  return `piko -C ${shellWord(root)}`;
}
