/**
 * A list from which a person picks one entry, and which grows shorter as they type. It is drawn on stderr, on the
 * terminal's other screen, so that stdout stays free for the answer and nothing is left behind, however it ends.
 */

import { matchEntries } from "./filter.ts";
import { type KeyName, readKeys } from "./keyboard.ts";
import type { Output, Style } from "./output.ts";
import { charactersOf, clip, widthOf } from "../domain/width.ts";

/** A cell of an entry; its text is searched, its style only seen. */
export interface Cell {
  text: string;
  style?: Style | undefined;
}

/** What {@link pick} shows. */
export interface PickOptions {
  /** What is picked, before the cursor: `Environment`. */
  title: string;
  /** The cells of each entry, which stand in columns. */
  entries: readonly (readonly Cell[])[];
  output: Output;
  signal: AbortSignal;
}

const encoder = new TextEncoder();

/** The terminal's other screen and back again, where terminals have one (xterm's private mode 1049). */
const ENTER = "\x1b[?1049h\x1b[H\x1b[J";
const LEAVE = "\x1b[H\x1b[J\x1b[?1049l\x1b[?25h";

/**
 * Lets a person pick one of the entries.
 *
 * @returns its index, or undefined when they leave by Esc or Ctrl+C or the signal comes.
 */
export async function pick(options: PickOptions): Promise<number | undefined> {
  const entries = options.entries.map((cells) => cells.map(plain));
  const state = new Selection(entries.map((cells) => cells.map(({ text }) => text)));
  const redraw = () => write(draw({ ...options, entries }, state, terminalSize()));
  Deno.stdin.setRaw(true);
  try {
    write(ENTER);
    Deno.addSignalListener("SIGWINCH", redraw);
    redraw();
    for await (const keys of readKeys(options.signal)) {
      for (const key of keys) {
        if (key.kind === "text") state.type(key.text);
        else if (key.name === "enter") {
          const picked = state.selected;
          if (picked !== undefined) return picked;
        } else if (key.name === "escape" || key.name === "interrupt") return undefined;
        else if (key.name === "end-of-input") {
          if (state.typed === "") return undefined;
        } else state.press(key.name, listHeight(terminalSize()));
      }
      redraw();
    }
    return undefined;
  } finally {
    Deno.removeSignalListener("SIGWINCH", redraw);
    write(LEAVE);
    Deno.stdin.setRaw(false);
  }
}

/** What was typed, what matches it, and which of that is selected. */
export class Selection {
  readonly #entries: readonly (readonly string[])[];
  #typed = "";
  #matches: number[];
  #at = 0;
  #top = 0;

  constructor(entries: readonly (readonly string[])[]) {
    this.#entries = entries;
    this.#matches = matchEntries(entries, "");
  }

  get typed(): string {
    return this.#typed;
  }

  get matchCount(): number {
    return this.#matches.length;
  }

  /** The index of the selected entry; undefined when nothing matches. */
  get selected(): number | undefined {
    return this.#matches[this.#at];
  }

  /** Adds to what was typed. */
  type(text: string): void {
    this.#search(this.#typed + text);
  }

  /** Rubs out, or moves the selection; at the ends it stays, but single steps go round. */
  press(key: KeyName, page: number): void {
    const last = Math.max(0, this.#matches.length - 1);
    switch (key) {
      case "rub-out":
        return this.#search(charactersOf(this.#typed).slice(0, -1).join(""));
      case "rub-out-word":
        return this.#search(this.#typed.replace(/\S*\s*$/u, ""));
      case "rub-out-line":
        return this.#search("");
      case "up":
        this.#at = this.#at === 0 ? last : this.#at - 1;
        break;
      case "down":
        this.#at = this.#at === last ? 0 : this.#at + 1;
        break;
      case "page-up":
        this.#at = Math.max(0, this.#at - page);
        break;
      case "page-down":
        this.#at = Math.min(last, this.#at + page);
        break;
      case "first":
        this.#at = 0;
        break;
      case "last":
        this.#at = last;
        break;
    }
  }

  /** Lists the entries that a window of so many rows shows; the selected one is among them. */
  window(rows: number): number[] {
    const room = Math.max(1, rows);
    if (this.#at < this.#top) this.#top = this.#at;
    if (this.#at >= this.#top + room) this.#top = this.#at - room + 1;
    this.#top = Math.max(0, Math.min(this.#top, this.#matches.length - room));
    return this.#matches.slice(this.#top, this.#top + room);
  }

  #search(typed: string): void {
    this.#typed = typed;
    this.#matches = matchEntries(this.#entries, typed);
    this.#at = 0;
    this.#top = 0;
  }
}

interface Size {
  columns: number;
  rows: number;
}

/** The rows that the list has, besides the line that is typed on and the one that says which keys there are. */
function listHeight({ rows }: Size): number {
  return Math.max(1, rows - (rows > 3 ? 2 : 1));
}

/** Writes the screen: each line is cut to the terminal's width, so that none of them wraps. */
function draw({ title, entries, output }: PickOptions, state: Selection, size: Size): string {
  const width = Math.max(1, size.columns - 1);
  const count = `${state.matchCount}/${entries.length}`;
  const question = clip(`${title}: ${state.typed}`, Math.max(1, width - count.length - 1), "start");
  const gap = " ".repeat(Math.max(1, width - widthOf(question) - count.length));
  const lines = [question + (width > 20 ? gap + output.paint("dim", count) : "")];
  const shown = state.window(listHeight(size));
  const widths = columnWidths(entries, width - 2);
  for (const index of shown) {
    lines.push(row(entries[index] ?? [], widths, index === state.selected, output));
  }
  if (shown.length === 0) lines.push(output.paint("dim", clip("  Nothing matches", width)));
  if (size.rows > 3) {
    lines.push(
      output.paint("dim", clip("↑↓ move  Enter pick  Esc leave", width)),
    );
  }
  const text = lines.map((line) => `${line}\x1b[K`).join("\r\n");
  return `\x1b[?25l\x1b[H${text}\x1b[J\x1b[1;${widthOf(question) + 1}H\x1b[?25h`;
}

function row(
  cells: readonly Cell[],
  widths: readonly number[],
  isSelected: boolean,
  output: Output,
): string {
  const text = cells.map(({ text, style }, column) => {
    const cut = clip(text, widths[column] ?? 0);
    const gap = " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cut)));
    if (isSelected && column === 0) return output.paint("bold", cut) + gap;
    return (style === undefined ? cut : output.paint(style, cut)) + gap;
  }).join("  ").trimEnd();
  return `${isSelected ? output.paint("cyan", "❯") : " "} ${text}`;
}

/** The fewest columns of the terminal that a cell is cut to while there is another one to cut. */
const LEAST = 8;

/** The widths of the columns. Where they do not fit, the last ones are cut first: the first says which entry it is. */
function columnWidths(entries: readonly (readonly Cell[])[], room: number): number[] {
  const columns = Math.max(0, ...entries.map((cells) => cells.length));
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...entries.map((cells) => widthOf(cells[column]?.text ?? ""))),
  );
  for (const least of [LEAST, 1]) {
    for (let column = columns - 1; column >= 0; column--) {
      const width = widths[column] ?? 0;
      const excess = widths.reduce((sum, one) => sum + one, 0) + 2 * (columns - 1) - room;
      widths[column] = Math.min(width, Math.max(least, width - Math.max(0, excess)));
    }
  }
  return widths;
}

/** Makes control characters visible: what stands in an entry is not for the terminal to obey. */
function plain(cell: Cell): Cell {
  return { ...cell, text: cell.text.replace(/\p{Cc}/gu, "�") };
}

function terminalSize(): Size {
  try {
    return Deno.consoleSize();
  } catch {
    // The size cannot be had from every terminal; this one all of them have.
    return { columns: 80, rows: 24 };
  }
}

function write(text: string): void {
  const bytes = encoder.encode(text);
  for (let sent = 0; sent < bytes.length;) sent += Deno.stderr.writeSync(bytes.subarray(sent));
}
