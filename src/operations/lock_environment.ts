/** Makes sure that two pikos never work on one environment at once. */

import type { Watch } from "../domain/report.ts";
import { acquireLock, type Lock, refuseHeld } from "../store/locks.ts";
import type { ProjectRecord } from "../store/projects.ts";
import type { Tools } from "./tools.ts";

/** Waits until no other piko works on an environment, says for whom it waits, and holds it. */
export function lockEnvironment(
  tools: Tools,
  project: Pick<ProjectRecord, "id">,
  name: string,
  watch: Watch,
): Promise<Lock> {
  return acquireLock(locksFolder(tools), lockKey(project.id, name), {
    command: tools.command,
    block: tools.block,
    signal: watch.signal,
    onWait: (holder) =>
      watch.report({
        kind: "waiting",
        message: holder === undefined
          ? `Waiting for another piko on ${name}`
          : `Waiting for ${holder.command} (process ${holder.pid})`,
      }),
  });
}

/**
 * Refuses an environment that another piko works on, without taking its lock.
 *
 * @throws {PikoError} conflict that says who works on it.
 */
export function refuseLocked(
  tools: Pick<Tools, "home">,
  project: Pick<ProjectRecord, "id">,
  name: string,
): Promise<void> {
  return refuseHeld(locksFolder(tools), lockKey(project.id, name));
}

/** The folder that the locks lie in. */
export function locksFolder(tools: Pick<Tools, "home">): string {
  return `${tools.home}/locks`;
}

/** The name of an environment's lock; it stays the same over destroy and create. */
export function lockKey(projectId: number, name: string): string {
  return `${projectId}.${name}`;
}
