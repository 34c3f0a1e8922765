/// <reference lib="dom" />
/**
 * Looks for a regular expression in the lines of a {@link LogBuffer} without ever holding up the page: a worker matches, a
 * block of lines at a time, the newest first, and is ended when it has not answered for too long. There is none before an
 * expression is looked for.
 */

import type { LogBuffer, UnsearchedLines } from "./log_buffer.ts";
import type { MatchAnswer, MatchRequest } from "./log_match_worker.ts";
import type { Range } from "./log_search.ts";

/** Milliseconds without an answer after which an expression takes too long. */
const PATIENCE = 1000;

/** Milliseconds until a worker is started again that could not be loaded. */
const BETWEEN_STARTS = 1000;

/** For how many lines at most it is kept, or still to be asked, where the expression is found in them. */
const MOST_CUT = 1000;

/** What the worker has been asked. */
interface Asked {
  pattern: RegExp;
  /** The lines of a block that are still to be looked at, or the numbers of those that are still to be cut. */
  task: { kind: "find"; lines: UnsearchedLines } | { kind: "cut"; numbers: number[] };
}

/** The search for one regular expression after the other. */
export class LogMatcher {
  /** Why the expression is not looked for. */
  problem: string | null = null;
  /** Whether all lines that there were have been looked at; those that come are from then on looked at as they come. */
  isDone = false;
  /** Is called when more is known. */
  changed: () => void = () => {};
  readonly #buffer: LogBuffer;
  #pattern: RegExp | null = null;
  #worker: Worker | undefined;
  #isReady = false;
  #asked: Asked | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Where the expression is found in lines that are drawn, and the texts of those in which that is to be asked. */
  readonly #ranges = new Map<number, readonly Range[]>();
  readonly #uncut = new Map<number, string>();

  constructor(buffer: LogBuffer) {
    this.#buffer = buffer;
  }

  /** Looks for another expression from now on; {@link goOn} begins with it. For none there is no worker either. */
  find(pattern: RegExp | null): void {
    this.#pattern = pattern;
    this.problem = null;
    this.isDone = false;
    this.#ranges.clear();
    this.#uncut.clear();
    if (pattern === null) this.#stop();
  }

  /** Has the worker do what is to be done, if it does nothing yet. */
  goOn(): void {
    const pattern = this.#pattern;
    if (pattern === null || this.#asked !== undefined) return;
    const texts = [...this.#uncut.values()];
    const lines = texts.length > 0 ? undefined : this.#buffer.unsearched();
    if (texts.length === 0 && lines === undefined) {
      if (this.isDone) return;
      this.isDone = true;
      this.changed();
    } else if (this.#worker === undefined) {
      this.#start();
    } else if (this.#isReady && lines !== undefined) {
      const { bytes, ends } = lines;
      this.#ask(
        { pattern, task: { kind: "find", lines } },
        { kind: "find", pattern, bytes, ends },
        [
          bytes.buffer,
        ],
      );
    } else if (this.#isReady) {
      const numbers = [...this.#uncut.keys()];
      this.#uncut.clear();
      this.#ask({ pattern, task: { kind: "cut", numbers } }, { kind: "cut", pattern, texts }, []);
    }
  }

  /** Tells where the expression is found in a line that is drawn: nowhere, until that is known. */
  rangesOf(number: number, text: string): readonly Range[] {
    const known = this.#ranges.get(number);
    if (known !== undefined || this.#pattern === null) return known ?? [];
    const { task } = this.#asked ?? {};
    if (task?.kind === "cut" && task.numbers.includes(number)) return [];
    if (this.#uncut.size === 0) queueMicrotask(() => this.goOn());
    putLast(this.#uncut, number, text);
    return [];
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#isReady = false;
    this.#asked = undefined;
  }

  #start(): void {
    const worker = new Worker(new URL("./log_match_worker.ts", import.meta.url), {
      type: "module",
    });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<MatchAnswer>) => {
      if (worker === this.#worker) this.#take(data);
    };
    worker.onerror = (event) => {
      if (worker !== this.#worker) return;
      event.preventDefault();
      this.#stop();
      this.#timer = setTimeout(() => this.goOn(), BETWEEN_STARTS);
    };
  }

  #ask(asked: Asked, request: MatchRequest, transfer: Transferable[]): void {
    this.#asked = asked;
    this.#worker?.postMessage(request, transfer);
    this.#wait();
  }

  /** Waits for an answer, in two halves: a page that has itself stood still takes what has come before the second is over. */
  #wait(isSecond = false): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (isSecond) this.#giveUp("This expression takes too long");
      else this.#wait(true);
    }, PATIENCE / 2);
  }

  #take(answer: MatchAnswer): void {
    if (answer.kind === "ready") {
      this.#isReady = true;
    } else if (answer.kind === "failed") {
      this.#giveUp("This expression needs too much memory");
    } else if (this.#asked !== undefined) {
      const isOver = answer.kind === "found"
        ? this.#takeFound(answer, this.#asked)
        : this.#takeCut(answer, this.#asked);
      if (isOver) {
        clearTimeout(this.#timer);
        this.#asked = undefined;
      } else {
        this.#wait();
      }
      this.changed();
    }
    this.goOn();
  }

  /** Takes over which lines were found; tells whether that was all that was asked. */
  #takeFound({ seen, hits }: MatchAnswer & { kind: "found" }, { task }: Asked): boolean {
    if (task.kind !== "find") return false;
    this.#buffer.found(task.lines, seen, hits);
    task.lines.first += seen;
    task.lines.count -= seen;
    return task.lines.count === 0;
  }

  /** Takes over where a line is cut; tells whether that was all that was asked. */
  #takeCut({ ranges }: MatchAnswer & { kind: "cut" }, { task, pattern }: Asked): boolean {
    if (task.kind !== "cut") return false;
    const number = task.numbers.shift();
    if (number !== undefined && pattern === this.#pattern) putLast(this.#ranges, number, ranges);
    return task.numbers.length === 0;
  }

  /** Ends what takes too long; another expression that has been asked for in the meantime is looked for. */
  #giveUp(problem: string): void {
    const isWanted = this.#asked?.pattern === this.#pattern;
    this.#stop();
    if (isWanted) {
      this.find(null);
      this.#buffer.find(null);
      this.problem = problem;
      this.changed();
    }
    this.goOn();
  }
}

/** Puts something into a map that holds no more than {@link MOST_CUT}: the oldest goes. */
function putLast<Value>(map: Map<number, Value>, number: number, value: Value): void {
  map.set(number, value);
  if (map.size <= MOST_CUT) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
