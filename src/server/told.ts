/**
 * What the engine has told of containers and does not list yet. It tells that one has ended, or pauses, before it writes
 * that down (moby, daemon/monitor.go and daemon/pause.go): on a busy machine its lists say otherwise for seconds.
 */

import type { Service } from "../domain/environment.ts";
import type { ContainerEvent } from "../programs/engine/answers.ts";

/** Milliseconds after which the engine's lists are believed in any case. */
const LONGEST_DOUBT = 60_000;

type Listed = Pick<Service, "container" | "state" | "health">;

/** What must be listed of a container, once what was told is written down. */
interface Expectation {
  holds: (listed: Listed) => boolean;
  /** When it is given up. */
  until: number;
}

/** By a container's name what was told last of its state, and of its health. */
type Expectations = Map<string, Expectation>;

/** What was told of containers, until a list agrees with it. */
export class Told {
  readonly #states: Expectations = new Map();
  readonly #healths: Expectations = new Map();

  /** Notes what was told. */
  add({ action, container }: ContainerEvent): void {
    const until = performance.now() + LONGEST_DOUBT;
    const [, health] = /^health_status: (.*)$/.exec(action) ?? [];
    if (health !== undefined) {
      // A container that does not run has no health.
      const holds = (listed: Listed) => listed.state !== "running" || listed.health === health;
      this.#healths.set(container, { holds, until });
      return;
    }
    const holds = STATES[action];
    if (holds === undefined) return;
    this.#states.set(container, { holds: ({ state }) => holds(state), until });
    // What was told of its health was told of another run of it.
    if (action === "start") this.#healths.delete(container);
  }

  /**
   * Begins a list, and returns what compares it with all that was told before: it tells whether the list is out of date.
   * What the list agrees with is forgotten.
   */
  compare(): (listed: readonly Listed[]) => boolean {
    const before = [this.#states, this.#healths].map((told) => ({ told, asked: new Map(told) }));
    return (listed) => {
      const byName = new Map(listed.map((one) => [one.container, one]));
      for (const { told, asked } of before) {
        for (const [container, expectation] of asked) {
          if (told.get(container) !== expectation) continue;
          const found = byName.get(container);
          const isOver = found === undefined || expectation.holds(found) ||
            performance.now() > expectation.until;
          if (isOver) told.delete(container);
        }
      }
      return this.#states.size > 0 || this.#healths.size > 0;
    };
  }
}

const runs = (state: string) => state === "running" || state === "paused";

/** What a container's state may be after each of the engine's words; other words say nothing of it. */
const STATES: Readonly<Record<string, (state: string) => boolean>> = {
  start: (state) => state !== "created" && state !== "exited",
  die: (state) => !runs(state),
  stop: (state) => !runs(state),
  pause: (state) => state === "paused",
  unpause: (state) => state !== "paused",
};
