/** What the parts of `piko doctor` hand to it. */

import type { CheckName } from "../../domain/check.ts";

/** `note` is worth knowing and wrong in no way, or nobody can tell whether it is. */
export type Level = "fine" | "note" | "wrong";

/** Something that was looked at. */
export interface Finding {
  name: CheckName;
  level: Level;
  /** A sentence with a capital letter and without full stop. */
  message: string;
  hint?: string | undefined;
  /** More checks that could not be made because of it. */
  unseen?: readonly CheckName[] | undefined;
  /**
   * Mends it, and says what that was: "Removed the worktree". It takes the environment's lock, looks again, and
   * throws a PikoError that says why it could not; absent where it takes a person.
   */
  mend?: (() => Promise<string>) | undefined;
}

/** Counts things: `no containers`, `1 container`, `3 containers`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number === 0 ? "no" : number} ${number === 1 ? one : many}`;
}
