/** Looks whether the folder of a worktree can be deleted whole. */

import { PikoError } from "../../domain/errors.ts";
import { shellWord } from "../../domain/variables.ts";
import { refuseMounts } from "../mounts.ts";
import { lstat } from "./paths.ts";
import type { GitRunner } from "./runner.ts";

/** Refuses a folder that is no worktree any more, or that could be deleted only in part or with more than is in it. */
export async function refuseUndeletable(
  git: GitRunner,
  path: string,
  folder: Deno.FileInfo,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!folder.isDirectory) {
    throw new PikoError(
      `${path} is no folder any more but ${folder.isSymlink ? "a link" : "a file"}`,
      {
        code: "conflict",
        hint: "look at what it is, and remove it by hand",
      },
    );
  }
  await refuseMounts(path);
  if (await lstat(`${path}/.git`) === undefined) {
    const entries = [];
    for await (const entry of Deno.readDir(path)) entries.push(entry.name);
    // Docker makes an empty folder where it misses the source of a bind mount.
    if (entries.length === 0) return await Deno.remove(path);
    throw new PikoError(`${path} is no worktree any more: its .git file is gone`, {
      code: "conflict",
      hint: "look at what is in it, and remove it by hand",
      details: entries.sort().slice(0, 20),
    });
  }
  const blocked = await listUndeletable(git, path, signal);
  if (blocked.length > 0) {
    throw new PikoError(`${path} has folders whose files you may not delete`, {
      code: "failed",
      hint: `sudo chown -R "$(id -u)" ${shellWord(path)}`,
      details: blocked.slice(0, 20),
    });
  }
  // Nor may root on a read-only disk, which only the system itself can tell.
  const parent = path.slice(0, path.lastIndexOf("/"));
  const { exitCode } = await git.try(["test", "-w", path, "-a", "-w", parent], { signal });
  if (exitCode !== 0) {
    throw new PikoError(`${path} may not be deleted: it or the folder around it is read-only`, {
      code: "failed",
      hint: `make it writable: ls -ld ${shellWord(parent)} ${shellWord(path)}`,
    });
  }
}

/**
 * Lists the folders with contents that may not be deleted, as containers running as root leave them; git would delete
 * the rest and forget the worktree.
 */
async function listUndeletable(
  git: GitRunner,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const user = Deno.uid();
  if (user === null || user === 0) return [];
  // -exec test asks the system itself; only folders that look wrong are asked about. What find cannot enter it has
  // already printed.
  const { stdout } = await git.try([
    ...[
      "find",
      path,
      "-type",
      "d",
      "(",
      "!",
      "-user",
      String(user),
      "-o",
      "!",
      "-perm",
      "-0700",
      ")",
    ],
    ...["!", "-empty", "!", "-exec", "test", "-w", "{}", "-a", "-x", "{}", ";", "-print0"],
  ], { signal });
  return stdout.split("\0").filter(Boolean);
}
