/**
 * The lines of the logs that the page keeps: the last 100,000, in blocks of a thousand that go as a whole, so that a flood
 * moves nothing. A line's number counts from the first one ever and stays its own. The layout beside it knows how many rows
 * of the screen each line takes, so that any place in the scroll can be found without the lines above it being drawn.
 */

import { plainText } from "./ansi.ts";

/** The most lines that are kept. */
export const MOST_LINES = 100_000;

/** How many lines a block has. */
const BLOCK = 1000;

/** The most characters of one line that are drawn. */
export const MOST_DRAWN = 10_000;

/** What a line is: a container's, or something that the page says in between. */
export type LineKind = "stdout" | "stderr" | "note";

const KINDS: readonly LineKind[] = ["stdout", "stderr", "note"];

/** A line as it is put in and taken out. */
export interface BufferLine {
  text: string;
  /** The service, with the container's number where it has several; empty for a note. */
  label: string;
  /** Milliseconds since 1970. */
  time: number;
  kind: LineKind;
}

/** Lines that come and go together. */
interface Block {
  texts: string[];
  labels: Uint16Array;
  times: Float64Array;
  kinds: Uint8Array;
  search: Found;
  layout: Rows;
}

/** Which lines of a block a search has found. */
interface Found {
  /** The search that it belongs to. */
  version: number;
  /** How many lines were looked at. */
  seen: number;
  hits: Uint8Array;
  count: number;
}

/** How many rows the lines of a block take. */
interface Rows {
  /** The layout that it belongs to. */
  version: number;
  /** How many lines were measured. */
  seen: number;
  rows: Uint16Array;
  sum: number;
}

/** How lines are laid out. */
export interface LayoutOptions {
  /** How many characters fit into one row; Infinity when lines are not wrapped. */
  columns: number;
  /** Whether lines that the search does not find are left out. */
  only: boolean;
}

/** A place in the scroll. */
export interface Place {
  line: number;
  /** The row of the whole that the line begins at. */
  row: number;
}

/** The lines, what a search found in them, and their layout. */
export class LogBuffer {
  readonly #most: number;
  #blocks: Block[] = [];
  #first = 0;
  #next = 0;
  readonly #labels: string[] = [];
  readonly #labelNumbers = new Map<string, number>();
  #pattern: RegExp | null = null;
  #searchVersion = 0;
  #layoutVersion = 0;
  #layout: LayoutOptions = { columns: Infinity, only: false };
  #widest = 0;
  /** How many lines had to go because the page keeps no more. */
  forgotten = 0;

  constructor(most = MOST_LINES) {
    this.#most = most;
  }

  /** The number of the oldest line that is kept. */
  get first(): number {
    return this.#first;
  }

  /** The number that the next line will have. */
  get next(): number {
    return this.#next;
  }

  /** How many lines are kept. */
  get size(): number {
    return this.#next - this.#first;
  }

  /** Whether one more line would push out the oldest ones. */
  get isFull(): boolean {
    return this.size >= this.#most;
  }

  /** The width of the widest line so far, in characters. */
  get widest(): number {
    return Math.min(this.#widest, MOST_DRAWN);
  }

  /** Adds a line. */
  push({ text, label, time, kind }: BufferLine): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.texts.length === BLOCK) {
      block = newBlock();
      this.#blocks.push(block);
    }
    const at = block.texts.length;
    block.texts.push(text);
    block.labels[at] = this.#labelNumber(label);
    block.times[at] = time;
    block.kinds[at] = KINDS.indexOf(kind);
    if (text.length > this.#widest) this.#widest = text.length;
    this.#next++;
    if (this.size > this.#most) this.#forgetOldest();
  }

  /** Forgets all lines; the numbers go on. */
  clear(): void {
    this.#blocks = [];
    this.#first = this.#next;
    this.#widest = 0;
    this.forgotten = 0;
  }

  /** Takes a line out by its number. */
  line(number: number): BufferLine | undefined {
    const found = this.#find(number);
    if (found === undefined) return undefined;
    const { block, at } = found;
    return {
      text: block.texts[at] ?? "",
      label: this.#labels[block.labels[at] ?? 0] ?? "",
      time: block.times[at] ?? 0,
      kind: KINDS[block.kinds[at] ?? 0] ?? "stdout",
    };
  }

  /** Goes through all lines, the oldest first. */
  *lines(): Generator<BufferLine> {
    for (let number = this.#first; number < this.#next; number++) {
      const line = this.line(number);
      if (line !== undefined) yield line;
    }
  }

  /** Looks for another pattern from now on; {@link search} does the work. */
  find(pattern: RegExp | null): void {
    this.#pattern = pattern;
    this.#searchVersion++;
    this.#layoutVersion++;
  }

  /** Searches the newest lines first, until all are searched or the time is up; tells whether all are. */
  search(until = Infinity): boolean {
    if (this.#pattern === null) return true;
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index];
      if (block === undefined || this.#isSearched(block)) continue;
      this.#searchBlock(block, this.#pattern);
      if (performance.now() >= until) return index === 0;
    }
    return true;
  }

  /** How many lines were found. */
  get hits(): number {
    let count = 0;
    for (const { search } of this.#blocks) {
      if (search.version === this.#searchVersion) count += search.count;
    }
    return count;
  }

  /** Whether the search has found this line. */
  isHit(number: number): boolean {
    const found = this.#find(number);
    return found !== undefined && isHit(found.block, found.at, this.#searchVersion);
  }

  /** Finds the nearest hit before or behind a line, going round at the end; undefined without any. */
  nextHit(from: number, direction: 1 | -1): number | undefined {
    const count = this.size;
    for (let step = 1; step <= count; step++) {
      const offset = (((from - this.#first + direction * step) % count) + count) % count;
      const { block, at } = this.#find(this.#first + offset) ?? {};
      if (block === undefined || at === undefined) continue;
      if (isHit(block, at, this.#searchVersion)) return this.#first + offset;
      if (block.search.version === this.#searchVersion && block.search.count > 0) continue;
      // Nothing in this block: go on at its edge.
      const rest = direction === 1 ? block.texts.length - 1 - at : at;
      step += Math.min(rest, count - step);
    }
    return undefined;
  }

  /** How many hits there are up to and with a line, which makes "3 of 17". */
  hitNumber(number: number): number {
    let count = 0;
    let first = this.#first;
    for (const block of this.#blocks) {
      if (number >= first + block.texts.length) {
        if (block.search.version === this.#searchVersion) count += block.search.count;
        first += block.texts.length;
        continue;
      }
      for (let at = 0; at <= number - first; at++) {
        if (isHit(block, at, this.#searchVersion)) count++;
      }
      break;
    }
    return count;
  }

  /** Lays the lines out in another way from now on. */
  layOut(options: LayoutOptions): void {
    const { columns, only } = this.#layout;
    if (columns === options.columns && only === options.only) return;
    this.#layout = options;
    this.#layoutVersion++;
  }

  /** How many rows all lines take. */
  get rows(): number {
    let sum = 0;
    for (const block of this.#blocks) sum += this.#measured(block).sum;
    return sum;
  }

  /** Finds the line that is at a row of the whole; the last one when there are fewer rows. */
  placeAt(row: number): Place {
    let before = 0;
    let number = this.#first;
    let place: Place = { line: this.#first, row: 0 };
    for (const block of this.#blocks) {
      const { rows, sum } = this.#measured(block);
      if (before + sum <= row) {
        before += sum;
        number += block.texts.length;
        continue;
      }
      for (let at = 0; at < block.texts.length; at++) {
        const own = rows[at] ?? 0;
        if (own > 0) place = { line: number + at, row: before };
        if (before + own > row) return place;
        before += own;
      }
      number += block.texts.length;
    }
    return this.#blocks.length === 0 ? place : { line: this.#next, row: before };
  }

  /** Tells the row of the whole that a line begins at. */
  rowOf(number: number): number {
    let before = 0;
    let first = this.#first;
    for (const block of this.#blocks) {
      const { rows, sum } = this.#measured(block);
      if (number >= first + block.texts.length) {
        before += sum;
        first += block.texts.length;
        continue;
      }
      for (let at = 0; at < number - first; at++) before += rows[at] ?? 0;
      break;
    }
    return before;
  }

  /** Lists the numbers of the lines that are shown, from one on. */
  shownFrom(number: number, count: number): number[] {
    const shown: number[] = [];
    let first = this.#first;
    for (const block of this.#blocks) {
      const end = first + block.texts.length;
      const mayShow = !this.#layout.only ||
        (block.search.version === this.#searchVersion && block.search.count > 0);
      if (mayShow && end > number) {
        for (let at = Math.max(0, number - first); at < block.texts.length; at++) {
          if (shown.length === count) return shown;
          if (this.#layout.only && !isHit(block, at, this.#searchVersion)) continue;
          shown.push(first + at);
        }
      }
      first = end;
    }
    return shown;
  }

  #labelNumber(label: string): number {
    const known = this.#labelNumbers.get(label);
    if (known !== undefined) return known;
    const number = this.#labels.push(label) - 1;
    this.#labelNumbers.set(label, number);
    return number;
  }

  #forgetOldest(): void {
    const oldest = this.#blocks.shift();
    if (oldest === undefined) return;
    this.#first += oldest.texts.length;
    this.forgotten += oldest.texts.length;
  }

  #find(number: number): { block: Block; at: number } | undefined {
    if (number < this.#first || number >= this.#next) return undefined;
    const offset = number - this.#first;
    // Every block but the last is full.
    const block = this.#blocks[Math.floor(offset / BLOCK)];
    return block === undefined ? undefined : { block, at: offset % BLOCK };
  }

  #isSearched({ search, texts }: Block): boolean {
    return search.version === this.#searchVersion && search.seen === texts.length;
  }

  #searchBlock(block: Block, pattern: RegExp): void {
    const { search, texts } = block;
    if (search.version !== this.#searchVersion) {
      Object.assign(search, { version: this.#searchVersion, seen: 0, count: 0 });
      if (search.hits.length === 0) search.hits = new Uint8Array(BLOCK);
      search.hits.fill(0);
    }
    for (; search.seen < texts.length; search.seen++) {
      pattern.lastIndex = 0;
      if (!pattern.test(plainText(texts[search.seen] ?? ""))) continue;
      search.hits[search.seen] = 1;
      search.count++;
    }
    if (this.#layout.only) block.layout.version = -1;
  }

  #measured(block: Block): Rows {
    const { layout, texts } = block;
    const { columns, only } = this.#layout;
    if (layout.version !== this.#layoutVersion) {
      Object.assign(layout, { version: this.#layoutVersion, seen: 0, sum: 0 });
    }
    for (; layout.seen < texts.length; layout.seen++) {
      const isShown = !only || isHit(block, layout.seen, this.#searchVersion);
      const rows = isShown ? rowsOf(texts[layout.seen] ?? "", columns) : 0;
      layout.rows[layout.seen] = rows;
      layout.sum += rows;
    }
    return layout;
  }
}

function newBlock(): Block {
  return {
    texts: [],
    labels: new Uint16Array(BLOCK),
    times: new Float64Array(BLOCK),
    kinds: new Uint8Array(BLOCK),
    search: { version: -1, seen: 0, hits: new Uint8Array(0), count: 0 },
    layout: { version: -1, seen: 0, rows: new Uint16Array(BLOCK), sum: 0 },
  };
}

function isHit({ search }: Block, at: number, version: number): boolean {
  return search.version === version && at < search.seen && search.hits[at] === 1;
}

/** How many columns a tab goes on to the next multiple of. */
const TAB = 8;

/** Pictures, and the blocks that Unicode calls wide or fullwidth (UAX 11). */
const IS_WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;

const HAS_NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

const IS_PLAIN = /^[\x20-\x7e]*$/;

/** Tells how many rows a line takes when it is cut at so many columns. */
export function rowsOf(line: string, columns: number): number {
  if (!(columns < Infinity) || line.length === 0) return 1;
  const cells = line.length <= columns && IS_PLAIN.test(line) ? line.length : widthOf(line);
  return Math.max(1, Math.ceil(Math.min(cells, MOST_DRAWN) / Math.max(1, columns)));
}

/** Tells how many columns a line takes: characters of East Asia and pictures take two, what is put over another none. */
function widthOf(line: string): number {
  if (IS_PLAIN.test(line)) return line.length;
  let cells = 0;
  for (const character of plainText(line)) {
    if (character === "\t") cells += TAB - cells % TAB;
    else if (HAS_NO_WIDTH.test(character)) continue;
    else cells += IS_WIDE.test(character) ? 2 : 1;
  }
  return cells;
}
