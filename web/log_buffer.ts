/**
 * The lines of the logs that the page keeps: the last 100,000, or fewer when they are long, in blocks of up to a thousand
 * that go as a whole, so that a flood moves nothing. A block keeps its texts as bytes, and one that goes leaves its memory
 * to the next: as strings, a flood would be collected only when the tab has grown to several times what it keeps. A line's
 * number counts from the first one ever and stays its own. The layout beside it knows how many rows of the screen each line
 * takes, so that any place in the scroll can be found without the lines above it being drawn.
 */

import { nameOf, plainText, TURNS } from "./ansi.ts";

/** The most lines that are kept. */
export const MOST_LINES = 100_000;

/** The most bytes of text that are kept, in UTF-8. */
export const MOST_BYTES = 64 * 1024 * 1024;

/** How many lines a block has at most, and behind how many bytes it has no more. */
const BLOCK = 1000;
const BLOCK_BYTES = 1024 * 1024;

/** How many bytes a block has room for at first. */
const FIRST_BYTES = 64 * 1024;

/** The most characters of one line that are drawn. */
export const MOST_DRAWN = 10_000;

/** The most columns that a line can take: more do not fit into its number. */
const MOST_COLUMNS = 0xffff;

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
  /** The number of its first line. */
  first: number;
  /** How many lines it has. */
  size: number;
  /** The texts in UTF-8, one behind the other, and where each of them ends. */
  bytes: Uint8Array<ArrayBuffer>;
  ends: Uint32Array;
  /** How many columns each line takes. */
  widths: Uint16Array;
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

/** Lines of one block that a search has not looked at, for whoever looks in the place of {@link LogBuffer.search}. */
export interface UnsearchedLines {
  /** The search that it is asked for. */
  version: number;
  /** The number of the first line, and how many there are. */
  first: number;
  count: number;
  /** A copy of the texts in UTF-8, one behind the other, and where each of them ends. */
  bytes: Uint8Array<ArrayBuffer>;
  ends: Uint32Array;
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

/** How much is kept. */
export interface BufferLimits {
  lines: number;
  /** Of text, in UTF-8. */
  bytes: number;
}

/** The lines, what a search found in them, and their layout. */
export class LogBuffer {
  readonly #limits: BufferLimits;
  #blocks: Block[] = [];
  /** The block that was forgotten last, whose memory the next one takes. */
  #spare: Block | undefined;
  #next = 0;
  #bytes = 0;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #labels: string[] = [];
  readonly #labelNumbers = new Map<string, number>();
  #pattern: RegExp | null = null;
  #searchVersion = 0;
  #layoutVersion = 0;
  #layout: LayoutOptions = { columns: Infinity, only: false };
  #widest = 0;
  /** How many lines had to go because the page keeps no more. */
  forgotten = 0;

  constructor(limits: Partial<BufferLimits> = {}) {
    this.#limits = { lines: MOST_LINES, bytes: MOST_BYTES, ...limits };
  }

  /** The number of the oldest line that is kept. */
  get first(): number {
    return this.#blocks[0]?.first ?? this.#next;
  }

  /** The number that the next line will have. */
  get next(): number {
    return this.#next;
  }

  /** How many lines are kept. */
  get size(): number {
    return this.#next - this.first;
  }

  /** Whether one more line would push out the oldest ones. */
  get isFull(): boolean {
    return this.size >= this.#limits.lines || this.#bytes >= this.#limits.bytes;
  }

  /** The width of the widest line so far, in characters. */
  get widest(): number {
    return this.#widest;
  }

  /** Adds a line. */
  push({ text, label, time, kind }: BufferLine): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.size === BLOCK || bytesOf(block) >= BLOCK_BYTES) {
      block = newBlock(this.#next, this.#spare);
      this.#spare = undefined;
      this.#blocks.push(block);
    }
    const at = block.size++;
    block.ends[at] = this.#write(block, at === 0 ? 0 : block.ends[at - 1] ?? 0, text);
    block.labels[at] = this.#labelNumber(label);
    block.times[at] = time;
    block.kinds[at] = KINDS.indexOf(kind);
    const width = widthOf(text);
    block.widths[at] = width;
    if (width > this.#widest) this.#widest = width;
    this.#next++;
    while (this.size > this.#limits.lines || this.#bytes > this.#limits.bytes) {
      if (this.#blocks.length === 1) break;
      this.#forgetOldest();
    }
  }

  /** Forgets all lines; the numbers go on. */
  clear(): void {
    this.#blocks = [];
    this.#spare = undefined;
    this.#bytes = 0;
    this.#widest = 0;
    this.forgotten = 0;
  }

  /** Takes a line out by its number. */
  line(number: number): BufferLine | undefined {
    const found = this.#find(number);
    if (found === undefined) return undefined;
    const { block, at } = found;
    return {
      text: this.#read(block, at),
      label: this.#labels[block.labels[at] ?? 0] ?? "",
      time: block.times[at] ?? 0,
      kind: KINDS[block.kinds[at] ?? 0] ?? "stdout",
    };
  }

  /** Goes through all lines, the oldest first. */
  *lines(): Generator<BufferLine> {
    for (let number = this.first; number < this.#next; number++) {
      const line = this.line(number);
      if (line !== undefined) yield line;
    }
  }

  /** Looks for another pattern from now on; {@link search} does the work, or {@link unsearched} gives it away. */
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

  /** Gives the newest lines that the search has not looked at; {@link found} takes the answer. */
  unsearched(): UnsearchedLines | undefined {
    const block = this.#blocks.findLast((block) => !this.#isSearched(block));
    if (block === undefined) return undefined;
    const { search, size, first, bytes, ends } = block;
    const seen = search.version === this.#searchVersion ? search.seen : 0;
    const from = seen === 0 ? 0 : ends[seen - 1] ?? 0;
    return {
      version: this.#searchVersion,
      first: first + seen,
      count: size - seen,
      bytes: bytes.slice(from, ends[size - 1]),
      ends: ends.slice(seen, size).map((end) => end - from),
    };
  }

  /** Takes over what was found in the next `seen` of such lines; `hits` count from the first of them. */
  found({ version, first }: UnsearchedLines, seen: number, hits: readonly number[]): void {
    const { block, at = 0 } = this.#find(first) ?? {};
    if (block === undefined || version !== this.#searchVersion) return;
    const search = this.#searchOf(block);
    if (search.seen !== at) return;
    for (const hit of hits) search.hits[at + hit] = 1;
    search.seen += seen;
    search.count += hits.length;
    if (this.#layout.only) block.layout.version = -1;
  }

  /** How many lines were looked at. */
  get searched(): number {
    let count = 0;
    for (const { search } of this.#blocks) {
      if (search.version === this.#searchVersion) count += search.seen;
    }
    return count;
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
      const offset = (((from - this.first + direction * step) % count) + count) % count;
      const { block, at } = this.#find(this.first + offset) ?? {};
      if (block === undefined || at === undefined) continue;
      if (isHit(block, at, this.#searchVersion)) return this.first + offset;
      if (block.search.version === this.#searchVersion && block.search.count > 0) continue;
      // Nothing in this block: go on at its edge.
      const rest = direction === 1 ? block.size - 1 - at : at;
      step += Math.min(rest, count - step);
    }
    return undefined;
  }

  /** How many hits there are up to and with a line, which makes "3 of 17". */
  hitNumber(number: number): number {
    let count = 0;
    for (const block of this.#blocks) {
      if (number >= block.first + block.size) {
        if (block.search.version === this.#searchVersion) count += block.search.count;
        continue;
      }
      for (let at = 0; at <= number - block.first; at++) {
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
    let place: Place = { line: this.first, row: 0 };
    for (const block of this.#blocks) {
      const { rows, sum } = this.#measured(block);
      if (before + sum <= row) {
        before += sum;
        continue;
      }
      for (let at = 0; at < block.size; at++) {
        const own = rows[at] ?? 0;
        if (own > 0) place = { line: block.first + at, row: before };
        if (before + own > row) return place;
        before += own;
      }
    }
    return this.#blocks.length === 0 ? place : { line: this.#next, row: before };
  }

  /** Tells the row of the whole that a line begins at. */
  rowOf(number: number): number {
    let before = 0;
    for (const block of this.#blocks) {
      const { rows, sum } = this.#measured(block);
      if (number >= block.first + block.size) {
        before += sum;
        continue;
      }
      for (let at = 0; at < number - block.first; at++) before += rows[at] ?? 0;
      break;
    }
    return before;
  }

  /** Lists the numbers of the lines that are shown, from one on. */
  shownFrom(number: number, count: number): number[] {
    const shown: number[] = [];
    for (const block of this.#blocks) {
      const { first, size } = block;
      const mayShow = !this.#layout.only ||
        (block.search.version === this.#searchVersion && block.search.count > 0);
      if (!mayShow) continue;
      for (let at = Math.max(0, number - first); at < size; at++) {
        if (shown.length === count) return shown;
        if (this.#layout.only && !isHit(block, at, this.#searchVersion)) continue;
        shown.push(first + at);
      }
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

  /** Writes a text behind the others of a block, and tells where it ends. */
  #write(block: Block, from: number, text: string): number {
    for (;;) {
      const { read, written } = this.#encoder.encodeInto(text, block.bytes.subarray(from));
      if (read === text.length) {
        this.#bytes += written;
        return from + written;
      }
      const larger = new Uint8Array(Math.ceil(1.5 * block.bytes.length) + text.length);
      larger.set(block.bytes);
      block.bytes = larger;
    }
  }

  #read({ bytes, ends }: Block, at: number): string {
    return this.#decoder.decode(bytes.subarray(at === 0 ? 0 : ends[at - 1], ends[at]));
  }

  #forgetOldest(): void {
    const oldest = this.#blocks.shift();
    if (oldest === undefined) return;
    this.forgotten += oldest.size;
    this.#bytes -= bytesOf(oldest);
    this.#spare = oldest;
  }

  #find(number: number): { block: Block; at: number } | undefined {
    if (number < this.first || number >= this.#next) return undefined;
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#blocks[middle]?.first ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    const block = this.#blocks[low];
    return block === undefined ? undefined : { block, at: number - block.first };
  }

  #isSearched({ search, size }: Block): boolean {
    return search.version === this.#searchVersion && search.seen === size;
  }

  /** Makes what is known of a block that of the present search. */
  #searchOf({ search }: Block): Found {
    if (search.version !== this.#searchVersion) {
      Object.assign(search, { version: this.#searchVersion, seen: 0, count: 0 });
      if (search.hits.length === 0) search.hits = new Uint8Array(BLOCK);
      search.hits.fill(0);
    }
    return search;
  }

  #searchBlock(block: Block, pattern: RegExp): void {
    const { size } = block;
    const search = this.#searchOf(block);
    for (; search.seen < size; search.seen++) {
      pattern.lastIndex = 0;
      if (!pattern.test(plainText(this.#read(block, search.seen)))) continue;
      search.hits[search.seen] = 1;
      search.count++;
    }
    if (this.#layout.only) block.layout.version = -1;
  }

  #measured(block: Block): Rows {
    const { layout, size, widths } = block;
    const { columns, only } = this.#layout;
    if (layout.version !== this.#layoutVersion) {
      Object.assign(layout, { version: this.#layoutVersion, seen: 0, sum: 0 });
    }
    for (; layout.seen < size; layout.seen++) {
      const isShown = !only || isHit(block, layout.seen, this.#searchVersion);
      const rows = isShown ? rowsOf(widths[layout.seen] ?? 0, columns) : 0;
      layout.rows[layout.seen] = rows;
      layout.sum += rows;
    }
    return layout;
  }
}

/** Makes a block without lines, in the memory of one that is not needed any more. */
function newBlock(first: number, spare: Block | undefined): Block {
  if (spare !== undefined) {
    const { search, layout } = spare;
    Object.assign(search, { version: -1, seen: 0, count: 0 });
    Object.assign(layout, { version: -1, seen: 0, sum: 0 });
    return { ...spare, first, size: 0 };
  }
  return {
    first,
    size: 0,
    bytes: new Uint8Array(FIRST_BYTES),
    ends: new Uint32Array(BLOCK),
    widths: new Uint16Array(BLOCK),
    labels: new Uint16Array(BLOCK),
    times: new Float64Array(BLOCK),
    kinds: new Uint8Array(BLOCK),
    search: { version: -1, seen: 0, hits: new Uint8Array(0), count: 0 },
    layout: { version: -1, seen: 0, rows: new Uint16Array(BLOCK), sum: 0 },
  };
}

/** How many bytes of text a block has. */
function bytesOf({ size, ends }: Block): number {
  return size === 0 ? 0 : ends[size - 1] ?? 0;
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
export function rowsOf(width: number, columns: number): number {
  return columns < Infinity ? Math.max(1, Math.ceil(width / Math.max(1, columns))) : 1;
}

/**
 * Tells how many columns the part of a line takes that is drawn: characters of East Asia and pictures take two, what is put
 * over another none.
 */
export function widthOf(line: string): number {
  const text = plainText(line).slice(0, MOST_DRAWN);
  if (IS_PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (character >= " " && character <= "~") width++;
    else if (character === "\t") width += TAB - width % TAB;
    else if (TURNS.test(character)) width += nameOf(character).length;
    else if (!HAS_NO_WIDTH.test(character)) width += IS_WIDE.test(character) ? 2 : 1;
  }
  return Math.min(width, MOST_COLUMNS);
}
