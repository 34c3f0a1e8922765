/**
 * What of piko is at hand while a command runs. The build makes two files of it beside the one that starts: short.ts
 * with the commands that a prompt or a Tab waits for, and whole.ts with everything. The short one reads and compiles
 * a quarter of the code, and hands over to the whole where it does not reach.
 */

import type { Tools } from "../operations/tools.ts";
import type { WiringOptions } from "../registry.ts";
import type { PikoCommand } from "./context.ts";

/** Loads the parts of piko that not every call needs. */
export interface Parts {
  /** Loads a command of mod.ts. */
  command(name: string): Promise<PikoCommand>;
  /** Loads what opens the registry and drives the programs. */
  wiring(): Promise<(options: WiringOptions) => Tools & Disposable>;
  help(): Promise<typeof import("./help.ts")>;
  usageError(): Promise<typeof import("./usage_error.ts")>;
  pickEnvironment(): Promise<typeof import("./pick_environment.ts")>;
}

/**
 * The short part has come to where it needs the whole. It has said and changed nothing so far, so the whole begins
 * anew.
 */
export class NeedsWhole extends Error {
  override readonly name = "NeedsWhole";
}
