/** How much room there is on the disks, as `df` tells. */

import { CommandError } from "../domain/errors.ts";
import { tryRun, type Variables } from "./run.ts";

/** A disk with what is left of it. */
export interface Disk {
  /** Where it is mounted. */
  mountPoint: string;
  /** Bytes that may still be written. */
  free: number;
}

/** Tells the disks that some paths lie on, each once; paths that are not there are left out. */
export async function listDisks(paths: readonly string[], variables: Variables): Promise<Disk[]> {
  if (paths.length === 0) return [];
  const argv = ["df", "-P", "-k", "--", ...paths];
  const outcome = await tryRun(argv, { variables: { ...variables, LC_ALL: "C" }, cwd: "/" });
  const disks = parseDisks(outcome.stdout);
  // df fails when one of the paths is gone, and tells of the others all the same.
  if (disks.length === 0) throw new CommandError(argv, outcome);
  return disks;
}

/** Reads `df -P -k` (POSIX): name, blocks, used, available, percentage, mount point. */
export function parseDisks(text: string): Disk[] {
  const found = new Map<string, Disk>();
  for (const [, available, mountPoint = ""] of text.matchAll(/(\d+)\s+\d+%\s+(\/.*)$/gm)) {
    found.set(mountPoint, { mountPoint, free: Number(available) * 1024 });
  }
  return [...found.values()];
}
