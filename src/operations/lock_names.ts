/** Where the locks of environments are, and whether they are held; `piko list` can load it without what takes them. */

import { isLocked } from "../store/locks.ts";
import type { Tools } from "./tools.ts";

/** The folder that the locks lie in. */
export function locksFolder(tools: Pick<Tools, "home">): string {
  return `${tools.home}/locks`;
}

/** The name of an environment's lock; it stays the same over destroy and create. */
export function lockKey(projectId: number, name: string): string {
  return `${projectId}.${name}`;
}

/** Tells whether a piko works on an environment. */
export function isEnvironmentLocked(
  tools: Pick<Tools, "home">,
  projectId: number,
  name: string,
): Promise<boolean> {
  return isLocked(locksFolder(tools), lockKey(projectId, name));
}
