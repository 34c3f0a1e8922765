/** The slots: each environment has one, and with it a block of host ports. */

import { PikoError } from "./errors.ts";

/** The highest slot: its block ends below 32768, where Linux begins to hand out ports by itself. */
export const MAX_SLOT = 220;

/** The slots that a registry gives out, both ends included. */
export interface SlotRange {
  first: number;
  last: number;
}

/** All slots there are. */
export const ALL_SLOTS: SlotRange = { first: 1, last: MAX_SLOT };

/**
 * Reads which slots a registry gives out, as `PIKO_SLOTS` tells it: `101-150`. A machine with several registries, one for
 * each person or CI job, has them keep apart by it.
 *
 * @throws {PikoError} usage when it is no range of 1 to 220.
 */
export function parseSlots(text: string): SlotRange {
  const [, from, to] = /^(\d{1,3})-(\d{1,3})$/.exec(text.trim()) ?? [];
  const range = { first: Number(from), last: Number(to) };
  if (range.first >= 1 && range.first <= range.last && range.last <= MAX_SLOT) return range;
  throw new PikoError(`PIKO_SLOTS is "${text}", which is no range of slots`, {
    code: "usage",
    hint: `export PIKO_SLOTS=1-${MAX_SLOT}`,
  });
}
