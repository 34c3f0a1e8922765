/**
 * Random walks: whatever is done to a project, in whatever order, and wherever piko is killed in between, no work is lost,
 * nothing foreign is touched, and `piko destroy` leaves nothing. A failure is told as the shortest walk that still fails.
 *
 *     PIKO_WALKS=10000 deno test -A --no-prompt tests/walks          more of them
 *     PIKO_WALK_SEED=-12345 deno test -A --no-prompt tests/walks     those that have failed, again
 */

import fc from "fast-check";
import { needs } from "../needs.ts";
import { type Step, walks } from "./steps.ts";
import { tally, World } from "./world.ts";

const COUNT = Number(Deno.env.get("PIKO_WALKS") ?? 12);
const LONG_COUNT = Number(Deno.env.get("PIKO_LONG_WALKS") ?? 1);
const SEED = Number(Deno.env.get("PIKO_WALK_SEED") ?? 20260101);

/** Milliseconds after which CI begins no further short walk; the first one always comes to its end. */
const CI_LIMIT = 25_000;
const limit = Deno.env.has("PIKO_WALKS") ? {} : {
  interruptAfterTimeLimit: CI_LIMIT,
  markInterruptAsFailure: false,
};

Deno.test({
  name: `${COUNT} random walks lose no work and leave nothing (seed ${SEED})`,
  ...needs("git"),
  fn: async () => {
    const property = fc.asyncProperty(
      walks({ engine: false, minLength: 3, maxLength: 12 }),
      fc.nat({ max: 4 }),
      (steps, dice) => walk(steps, { engine: false, tmux: dice === 4 }),
    );
    await fc.assert(property, { seed: SEED, numRuns: COUNT, ...limit });
    tell();
  },
});

Deno.test({
  name:
    `${LONG_COUNT} long random walks with containers lose no work and leave nothing (seed ${SEED})`,
  ...needs("git", "tmux", "engine", "compose", "images"),
  fn: async () => {
    const property = fc.asyncProperty(
      walks({ engine: true, minLength: 15, maxLength: 25 }),
      (steps) => walk(steps, { engine: true, tmux: true }),
    );
    await fc.assert(property, { seed: SEED, numRuns: LONG_COUNT });
    tell();
  },
});

/** Goes one way to its end. */
async function walk(
  steps: readonly Step[],
  options: { engine: boolean; tmux: boolean },
): Promise<void> {
  const world = await World.create(options);
  let failure: unknown;
  try {
    for (const step of steps) await world.take(step);
    await world.finish();
  } catch (error) {
    failure = new Error(
      `${error instanceof Error ? error.message : error}\n\n${world.transcript.join("\n")}\n`,
      { cause: error },
    );
  }
  try {
    await world[Symbol.asyncDispose]();
  } catch (error) {
    // What a failed walk has left would only hide why it failed.
    failure ??= error;
  }
  if (failure !== undefined) throw failure;
}

/** Says how often each command ended in which way, so that one can see where the walks have been. */
function tell(): void {
  if (!Deno.env.has("PIKO_WALKS") && !Deno.env.has("PIKO_LONG_WALKS")) return;
  for (const [what, count] of [...tally].sort()) console.log(`${count}\t${what}`);
}
