/**
 * What is mounted in a folder, as Linux tells: removing the folder would empty that, wherever it really lies. Deno may not
 * read /proc, so `cat` tells.
 */

import { CommandError, PikoError } from "../domain/errors.ts";
import { shellWord } from "../domain/variables.ts";
import { placeOf } from "./git/paths.ts";
import { tryRun } from "./run.ts";

/**
 * Refuses to remove folders with something mounted in them or on them, where the machine is one that tells.
 *
 * @throws {PikoError} conflict with the places.
 */
export async function refuseMounts(...folders: string[]): Promise<void> {
  const points = await listMountPoints();
  for (const folder of folders) {
    const place = await placeOf(folder);
    // What was mounted last is to be unmounted first.
    const inside = points.filter((point) => point === place || point.startsWith(`${place}/`))
      .reverse();
    if (inside.length === 0) continue;
    const where = inside.includes(place) ? "on" : "in";
    throw new PikoError(`Something is mounted ${where} ${folder}, and would be emptied with it`, {
      code: "conflict",
      hint: `umount ${inside.map(shellWord).join(" ")}`,
      details: inside,
    });
  }
}

/** Reads the mount points of a `mountinfo` (proc_pid_mountinfo(5)), which writes a blank as `\040`. */
export function parseMountPoints(text: string): string[] {
  return [...text.matchAll(/^\d+ \d+ \S+ \S+ (\S+) /gm)].map(([, point = ""]) =>
    point.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)))
  );
}

async function listMountPoints(): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const argv = ["cat", "/proc/self/mountinfo"];
  // piko's own folder may be the worktree that has just been removed.
  const outcome = await tryRun(argv, { cwd: "/" });
  if (outcome.exitCode !== 0) throw new CommandError(argv, outcome);
  return parseMountPoints(outcome.stdout);
}
