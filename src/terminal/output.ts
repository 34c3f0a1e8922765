/**
 * Where piko's words go: the answer to stdout, the narration to stderr, so that a script can take the one and a
 * person reads the other. Colours and moving lines are for a terminal alone.
 */

import { withoutStyles } from "../domain/styles.ts";

/** How much is said, and in what form. */
export interface OutputOptions {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Whether colours were switched off, by flag or by `NO_COLOR`. */
  noColor: boolean;
  /** The terminal's kind; `dumb` has neither colours nor a cursor. */
  term: string | undefined;
}

/** The styles that piko writes in, as SGR parameters (ECMA-48). */
const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;

/** One of the styles. */
export type Style = keyof typeof STYLES;

/** The reader of piko's stdout went away, as `head` does; there is nobody left to tell. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

/** Piko's stdout and stderr. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Whether a person reads the narration. */
  readonly isTerminal: boolean;
  readonly #colorOut: boolean;
  readonly #colorErr: boolean;
  #unfinished = "";
  /** Whether stderr takes nothing any more: its reader is gone, or the disk is full. */
  #isUnheard = false;

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.quiet = options.quiet;
    this.verbose = options.verbose;
    const colors = !options.noColor && options.term !== "dumb";
    this.isTerminal = options.term !== "dumb" && Deno.stderr.isTerminal();
    this.#colorOut = colors && Deno.stdout.isTerminal();
    this.#colorErr = colors && Deno.stderr.isTerminal();
  }

  /** Writes the answer. */
  answer(text: string): void {
    write(Deno.stdout, `${text}\n`);
  }

  /** Writes the answer as one JSON document. */
  answerJson(value: unknown): void {
    this.answer(JSON.stringify(value, null, 2));
  }

  /** Tells a person something; silent with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.#say(text);
  }

  /** Warns a person, also with `--quiet`. */
  warn(text: string): void {
    this.#say(`${this.paint("yellow", "!")} ${text}`);
  }

  /** Says what went wrong, also with `--quiet`. */
  fail(text: string): void {
    this.#say(text);
  }

  /** Shows a line that the next words replace; only on a terminal. */
  showMoving(text: string): void {
    if (!this.isTerminal || this.quiet) return;
    this.#unfinished = text;
    const width = columns();
    this.#tell(`\r\x1b[K${cut(text, width - 1)}`);
  }

  /** Takes the moving line away. */
  clearMoving(): void {
    if (this.#unfinished === "") return;
    this.#unfinished = "";
    this.#tell("\r\x1b[K");
  }

  /** Styles text for stderr. */
  paint(style: Style, text: string): string {
    return this.#colorErr ? styled(style, text) : text;
  }

  /** Styles text for stdout. */
  paintAnswer(style: Style, text: string): string {
    return this.#colorOut ? styled(style, text) : text;
  }

  #say(text: string): void {
    const moving = this.#unfinished;
    this.clearMoving();
    this.#tell(`${text}\n`);
    if (moving !== "") this.showMoving(moving);
  }

  #tell(text: string): void {
    if (this.#isUnheard) return;
    try {
      write(Deno.stderr, text);
    } catch {
      // What is told is not the work: `piko create x 2>&1 | head` must not leave half an environment.
      this.#isUnheard = true;
    }
  }
}

/** Counts the cells that text takes, styles aside; wide characters count once. */
export function visibleLength(text: string): number {
  // deno-fmt-ignore
  return [...withoutStyles(text)].length;
}

const ESCAPE = String.fromCharCode(27);

function styled(style: Style, text: string): string {
  return `${ESCAPE}[${STYLES[style]}m${text}${ESCAPE}[0m`;
}

function cut(text: string, width: number): string {
  if (visibleLength(text) <= width) return text;
  return `${[...withoutStyles(text)].slice(0, Math.max(0, width - 1)).join("")}…`;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // Stdout is no terminal; stderr is, and 80 is what terminals have at least.
    return 80;
  }
}

function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new ReaderGone();
    throw error;
  }
}
