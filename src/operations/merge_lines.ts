/** Brings the lines of several sources into the order of their times, as they come. */

/** Milliseconds for which a source that has nothing to tell holds up the others, and for which until its first line. */
const PATIENCE = 50;
const PATIENCE_AT_FIRST = 500;

/** The longest pause between two looks, since a timer takes no more than 31 bits. */
const LONGEST = 60_000;

interface Source<Line> {
  lines: AsyncIterator<Line>;
  ended: () => void;
  /** The line that is next, once it is there. */
  next: Line | undefined;
  /** Until when the others are held up while the next line is not there. */
  holdUntil: number;
}

/** Sources whose lines are taken by their times; more may be added at any moment. */
export class MergedLines<Line extends { time: string }> {
  readonly #endless: boolean;
  readonly #sources = new Set<Source<Line>>();
  #failure: { cause: unknown } | undefined;
  #wake: () => void = () => {};

  /** @param endless whether sources may be silent for long; otherwise each is waited for until it ends. */
  constructor({ endless }: { endless: boolean }) {
    this.#endless = endless;
  }

  /** How many sources have not ended. */
  get size(): number {
    return this.#sources.size;
  }

  /** Adds a source; `ended` is called when it has no more lines. */
  add(lines: AsyncIterable<Line>, ended: () => void = () => {}): void {
    const source = {
      lines: lines[Symbol.asyncIterator](),
      ended,
      next: undefined,
      holdUntil: 0,
    };
    this.#sources.add(source);
    void this.#ask(source, PATIENCE_AT_FIRST);
  }

  /**
   * Takes the next line, by its time among those that are there.
   *
   * @returns undefined when it has not come at `until`; without that, when no source is left that could have one.
   */
  async next(until = Infinity): Promise<Line | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.cause;
      const now = performance.now();
      let first: Source<Line> | undefined;
      let holdUntil = 0;
      for (const source of this.#sources) {
        if (source.next === undefined) {
          holdUntil = Math.max(holdUntil, source.holdUntil);
        } else if (first?.next === undefined || source.next.time < first.next.time) {
          first = source;
        }
      }
      if (first !== undefined && now >= holdUntil) return this.#take(first);
      if (now >= until || (this.size === 0 && until === Infinity)) return undefined;
      await this.#pause(Math.min(until, first === undefined ? Infinity : holdUntil) - now);
    }
  }

  #take(source: Source<Line>): Line | undefined {
    const line = source.next;
    source.next = undefined;
    void this.#ask(source, PATIENCE);
    return line;
  }

  async #ask(source: Source<Line>, patience: number): Promise<void> {
    source.holdUntil = this.#endless ? performance.now() + patience : Infinity;
    try {
      const { done, value } = await source.lines.next();
      if (!done) {
        source.next = value;
      } else {
        this.#sources.delete(source);
        source.ended();
      }
    } catch (cause) {
      this.#failure ??= { cause };
    }
    this.#wake();
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(milliseconds, LONGEST));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
