/**
 * Gives each test slots, and with them host ports, that no other test on this machine has at the same time. A claim is the
 * kernel's lock on a file, so that it ends with the process that made it.
 */

import { MAX_SLOT, type SlotRange } from "../src/domain/slots.ts";

/** How many slots are claimed at once. */
export const SLOTS_EACH = 10;

const FOLDER = "/tmp/piko-test-slots";

/** Slots that nobody else has until they are given back. */
export interface ClaimedSlots extends SlotRange, Disposable {}

/** Claims the lowest slots, the highest ones, or `times` ten somewhere in between; waits while others have them. */
export async function claimSlots(which: "lowest" | "highest" | number): Promise<ClaimedSlots> {
  await Deno.mkdir(FOLDER, { recursive: true, mode: 0o777 });
  const count = MAX_SLOT / SLOTS_EACH;
  const times = typeof which === "number" ? which : 1;
  const starts = which === "lowest"
    ? [0]
    : which === "highest"
    ? [count - 1]
    : between(count, times);
  for (;;) {
    for (const start of starts) {
      const files = await tryClaim(start, times);
      if (files === undefined) continue;
      return {
        first: start * SLOTS_EACH + 1,
        last: (start + times) * SLOTS_EACH,
        [Symbol.dispose]: () => files.forEach((file) => file.close()),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Every place but the lowest and the highest, in a random order. */
function between(count: number, times: number): number[] {
  const places = Array.from({ length: count - 1 - times }, (_, index) => index + 1);
  const from = Math.floor(Math.random() * places.length);
  return [...places.slice(from), ...places.slice(0, from)];
}

async function tryClaim(start: number, times: number): Promise<Deno.FsFile[] | undefined> {
  const files: Deno.FsFile[] = [];
  for (let place = start; place < start + times; place++) {
    const file = await Deno.open(`${FOLDER}/${place}`, { write: true, create: true, mode: 0o666 });
    files.push(file);
    if (await file.tryLock(true)) continue;
    for (const opened of files) opened.close();
    return undefined;
  }
  return files;
}
