/** Brings the lines of several sources into the order of their times, as they come. */

/** Milliseconds for which a source that has nothing to tell holds up the others, and for which until its first line. */
const PATIENCE = 50;
const PATIENCE_AT_FIRST = 500;

/** The longest pause between two looks, since a timer takes no more than 31 bits. */
const LONGEST = 60_000;

interface Source<Line> {
  batches: AsyncIterator<readonly Line[]>;
  ended: () => void;
  /** The lines that are there, and how many of them have been taken. */
  lines: readonly Line[];
  taken: number;
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

  /** Adds a source, which gives lines that come at once together; `ended` is called when it has no more. */
  add(batches: AsyncIterable<readonly Line[]>, ended: () => void = () => {}): void {
    const source = {
      batches: batches[Symbol.asyncIterator](),
      ended,
      lines: [],
      taken: 0,
      holdUntil: 0,
    };
    this.#sources.add(source);
    void this.#ask(source, PATIENCE_AT_FIRST);
  }

  /**
   * Takes the next lines, by their times among those that are there; at least one.
   *
   * @returns undefined when none has come at `until`; without that, when no source is left that could have one.
   */
  async next(until = Infinity): Promise<Line[] | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.cause;
      const now = performance.now();
      const ready: Source<Line>[] = [];
      let holdUntil = 0;
      for (const source of this.#sources) {
        if (source.taken < source.lines.length) ready.push(source);
        else holdUntil = Math.max(holdUntil, source.holdUntil);
      }
      if (ready.length > 0 && now >= holdUntil) return this.#take(ready);
      if (now >= until || (this.size === 0 && until === Infinity)) return undefined;
      await this.#pause(Math.min(until, ready.length === 0 ? Infinity : holdUntil) - now);
    }
  }

  /** Takes lines from sources that have some, until one has no more: its next may be older than those of the others. */
  #take(ready: readonly Source<Line>[]): Line[] {
    const lines: Line[] = [];
    for (;;) {
      let first: { source: Source<Line>; line: Line } | undefined;
      for (const source of ready) {
        const line = source.lines[source.taken];
        if (line === undefined) {
          void this.#ask(source, PATIENCE);
          return lines;
        }
        if (first === undefined || line.time < first.line.time) first = { source, line };
      }
      if (first === undefined) return lines;
      first.source.taken++;
      lines.push(first.line);
    }
  }

  async #ask(source: Source<Line>, patience: number): Promise<void> {
    source.holdUntil = this.#endless ? performance.now() + patience : Infinity;
    try {
      const { done, value } = await source.batches.next();
      if (!done) {
        source.lines = value;
        source.taken = 0;
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
