/**
 * What several checks mend with. A mend works under the environment's lock and looks again at what it was called for; who
 * is at work is left alone, and so is whatever could be somebody's work or data.
 */

import { PikoError } from "../../domain/errors.ts";
import { qualified } from "../../domain/hints.ts";
import type { EnvironmentRecord } from "../../store/environments.ts";
import { destroyEnvironment } from "../destroy_environment.ts";
import { isThere } from "../files.ts";
import { tellKept } from "../kept_volumes.ts";
import { lockEnvironment } from "../lock_environment.ts";
import { hasBegun } from "../removal.ts";
import { isInSession } from "../sessions.ts";
import type { EnvironmentState, World } from "./world.ts";

/** Milliseconds to wait for what a killed piko has left at work. */
const PATIENCE = 60_000;

/** What is found is no longer so: somebody else was quicker. */
export const MENDED_MEANWHILE = "It is in order by now";

/** Does work under the lock of an environment, with the record as it is by then. */
export async function mendLocked(
  { tools, watch }: World,
  { id, projectId, name }: EnvironmentRecord,
  work: (record: EnvironmentRecord) => Promise<string>,
): Promise<string> {
  using _lock = await lockEnvironment(tools, { id: projectId }, name, watch, PATIENCE);
  const record = tools.environments.find(projectId, name);
  return record?.id === id ? await work(record) : MENDED_MEANWHILE;
}

/** Waits for what a killed piko has left at work; what is called after it may no longer wait. */
export async function settle(
  { tools, watch }: World,
  { projectId, name }: Pick<EnvironmentRecord, "projectId" | "name">,
): Promise<void> {
  using _lock = await lockEnvironment(tools, { id: projectId }, name, watch, PATIENCE);
}

/** Does work under the lock of a name that no environment has, unless one has got it meanwhile. */
export async function mendNameless(
  { tools, watch }: World,
  { projectId, name }: { projectId: number; name: string },
  work: () => Promise<string>,
): Promise<string> {
  using _lock = await lockEnvironment(tools, { id: projectId }, name, watch, PATIENCE);
  return tools.environments.find(projectId, name) === undefined ? await work() : MENDED_MEANWHILE;
}

/**
 * Throws away what is left of an environment: one that was never made completely, is half destroyed or has lost its
 * worktree. Volumes and data stay.
 *
 * @throws {PikoError} conflict when it has work that is not saved, or somebody is at work on it.
 */
export async function throwAway(world: World, { record }: EnvironmentState): Promise<string> {
  const { tools, watch } = world;
  const { project, name, state, root, path, dataDir } = record;
  if (await isInSession(tools, record)) {
    throw new PikoError("piko doctor runs in its session", {
      code: "conflict",
      hint: "run piko doctor --fix outside of it",
    });
  }
  await settle(world, record);
  if (tools.environments.find(record.projectId, name)?.state !== state) return MENDED_MEANWHILE;
  const isGone = state !== "creating" && !await isThere(path);
  if (
    isGone && !await hasBegun(tools, record) &&
    await tools.git.findWorktree(root, path, watch) !== undefined
  ) {
    throw new PikoError("its worktree is gone, and may have been moved, as git still lists it", {
      code: "conflict",
      hint: `piko destroy ${qualified(record)}`,
    });
  }
  const { keptVolumes } = await destroyEnvironment(tools, record, {
    volumes: false,
    force: false,
    deleteBranch: false,
    keepData: true,
  }, watch);
  const keptData = !await removeEmptyFolders(dataDir);
  const did = state === "creating" ? "Took back" : "Removed";
  const data = keptData ? `; ${dataDir} stays` : "";
  return `${did} what there was of ${project}/${name}${data}${tellKept(keptVolumes)}`;
}

/** Tells whether there are no files at a path: nothing at all, or folders with no files in them. */
export async function hasNoFiles(path: string): Promise<boolean> {
  try {
    if (!(await Deno.lstat(path)).isDirectory) return false;
    for await (const { name } of Deno.readDir(path)) {
      if (!await hasNoFiles(`${path}/${name}`)) return false;
    }
    return true;
  } catch (error) {
    // A database's own folder, say, is closed to everybody else: then there is something in it.
    if (error instanceof Deno.errors.PermissionDenied) return false;
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

/** Removes a folder and those in it as far as they are empty; tells whether nothing is left of it. */
export async function removeEmptyFolders(path: string): Promise<boolean> {
  if (!await isThere(path)) return true;
  if (!await hasNoFiles(path)) return false;
  let isEmpty = true;
  for (const { name } of [...Deno.readDirSync(path)]) {
    if (!await removeEmptyFolders(`${path}/${name}`)) isEmpty = false;
  }
  // Never recursive: what somebody has put there a moment ago makes this fail.
  if (isEmpty) await Deno.remove(path);
  return isEmpty;
}
