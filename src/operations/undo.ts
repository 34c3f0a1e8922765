/**
 * Takes back what a call has made, in reverse, and says so. One thing that cannot be taken back does not keep
 * the others from it; it is told, and `complete` is false afterwards.
 */

import { messageOf, PikoError } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";

/** What has to be done to take a call back. */
export class Undo {
  readonly #stack: { what: string; work: () => Promise<string | void> | string | void }[] = [];
  readonly #watch: Watch;
  /** Whether everything that was tried could be taken back. */
  complete = true;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /**
   * Remembers how to take something back.
   *
   * @param what names the thing, as in "Removed the worktree".
   * @param work may return other words for what it has done, or "" for nothing worth telling.
   */
  defer(what: string, work: () => Promise<string | void> | string | void): void {
    this.#stack.push({ what, work });
  }

  /** Keeps everything. */
  keep(): void {
    this.#stack.length = 0;
  }

  /** Takes everything back, the latest first. */
  async run(): Promise<void> {
    for (let entry = this.#stack.pop(); entry !== undefined; entry = this.#stack.pop()) {
      try {
        const said = await entry.work() ?? `Removed ${entry.what}`;
        if (said !== "") this.#watch.report({ kind: "undone", message: said });
      } catch (error) {
        this.complete = false;
        this.#watch.report({
          kind: "warning",
          message: `Could not remove ${entry.what}: ${messageOf(error)}`,
          hint: error instanceof PikoError ? error.hint : undefined,
        });
      }
    }
  }
}
