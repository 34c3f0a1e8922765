/** Listens to the engine, and goes on when it has stopped and is started again. */

import { PikoError } from "../domain/errors.ts";
import type { Engine } from "../programs/engine.ts";
import { pause } from "../programs/pause.ts";
import type { Overview } from "./overview.ts";

/** Milliseconds until an engine that is not there is looked for again: at first, and at most. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 2000;

/**
 * Tells the overview what the engine tells, until the signal is given.
 *
 * @param tried is called when it is known for the first time whether there is an engine.
 */
export async function watchEngine(
  engine: Engine,
  overview: Overview,
  signal: AbortSignal,
  tried: () => void,
): Promise<void> {
  let wait = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      const opened = () => {
        wait = FIRST_PAUSE;
        overview.engineHeard();
        tried();
      };
      for await (const event of engine.events({ signal, opened })) {
        if (overview.concerns(event.composeProject)) overview.happened(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PikoError)) throw error;
      overview.engineLost(error);
      tried();
    }
    await pause(wait, signal);
    wait = Math.min(LONGEST_PAUSE, wait * 2);
  }
}
