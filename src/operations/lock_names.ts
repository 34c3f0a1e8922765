/** Where the locks of environments are; in a file of its own, which `piko list` can load without what takes them. */

import type { Tools } from "./tools.ts";

/** The folder that the locks lie in. */
export function locksFolder(tools: Pick<Tools, "home">): string {
  return `${tools.home}/locks`;
}

/** The name of an environment's lock; it stays the same over destroy and create. */
export function lockKey(projectId: number, name: string): string {
  return `${projectId}.${name}`;
}
