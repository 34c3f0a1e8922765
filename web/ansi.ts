/**
 * Text that a program in a container has written, as the page shows it: colours and styles (SGR, ECMA-48 8.3.117) become
 * spans with classes, every other escape sequence and control character is dropped. Nothing here makes HTML.
 */

/** A colour of 0 to 15 by its number, or any other one as red, green and blue. */
export type Colour = number | readonly [red: number, green: number, blue: number];

/** A piece of text in one style. */
export interface Span {
  text: string;
  /** Names of CSS classes; empty for plain text. */
  classes: string;
  /** Colours beyond the sixteen that classes are for. */
  foreground: Colour | null;
  background: Colour | null;
}

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
const CSI = String.fromCharCode(0x9b);

/** A control sequence, a string such as a window's title, or two characters; broken off ones too. */
const SEQUENCES = new RegExp(
  `(?:${ESCAPE}\\[|${CSI})([0-?]*)([ -/]*)([@-~]?)|` +
    `${ESCAPE}[\\]PX^_][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)?|` +
    `${ESCAPE}[ -/]*[0-~]?`,
  "g",
);

/** Control characters but the tab; those of C1 (0x80 to 0x9f) are some too. */
const CONTROLS = /[^\P{Cc}\t]/gu;
const HAS_CONTROLS = /[^\P{Cc}\t]/u;

/** Characters that turn the order of the text around them, by which a line can pretend to be another one. */
export const TURNS = /\p{Bidi_Control}/u;

/** The name that is drawn in the place of one of them, `U+202E`. */
export function nameOf(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Leaves the last of what was written over and over in one line, as a progress bar is. */
function lastWritten(line: string): string {
  const end = line.endsWith("\r") ? line.length - 1 : line.length;
  return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
}

/** Leaves of a line the text alone. */
export function plainText(line: string): string {
  if (!HAS_CONTROLS.test(line)) return line;
  return lastWritten(line).replace(SEQUENCES, "").replace(CONTROLS, "");
}

/** Cuts a line into spans of one style each; the texts together are {@link plainText}. */
export function parseAnsi(line: string): Span[] {
  if (!HAS_CONTROLS.test(line)) return line === "" ? [] : [plain(line)];
  const text = lastWritten(line);
  const spans: Span[] = [];
  let style = NO_STYLE;
  let from = 0;
  const add = (to: number) => {
    const piece = text.slice(from, to).replace(CONTROLS, "");
    if (piece !== "") spans.push(spanOf(piece, style));
  };
  for (const match of text.matchAll(SEQUENCES)) {
    add(match.index);
    from = match.index + match[0].length;
    const [, parameters = "", between = "", final] = match;
    if (final === "m" && between === "") style = applied(style, parameters);
  }
  add(text.length);
  return spans;
}

interface Style {
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
  foreground: Colour | null;
  background: Colour | null;
}

const NO_STYLE: Style = {
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
  foreground: null,
  background: null,
};

function plain(text: string): Span {
  return { text, classes: "", foreground: null, background: null };
}

function spanOf(text: string, style: Style): Span {
  if (style === NO_STYLE) return plain(text);
  const names: string[] = [];
  for (const name of ["bold", "dim", "italic", "underline", "strike"] as const) {
    if (style[name]) names.push(`ansi-${name}`);
  }
  const [front, back] = style.inverse
    ? [style.background, style.foreground]
    : [style.foreground, style.background];
  if (style.inverse && front === null) names.push("ansi-fg-inverse");
  if (style.inverse && back === null) names.push("ansi-bg-inverse");
  if (typeof front === "number") names.push(`ansi-fg-${front}`);
  if (typeof back === "number") names.push(`ansi-bg-${back}`);
  return {
    text,
    classes: names.join(" "),
    foreground: typeof front === "number" ? null : front,
    background: typeof back === "number" ? null : back,
  };
}

/** Applies the parameters of one SGR sequence: `1;38;5;208`, or with colons `38:2::255:0:0`. */
function applied(before: Style, parameters: string): Style {
  let style = { ...before };
  const codes = parameters === "" ? ["0"] : parameters.split(";");
  for (let at = 0; at < codes.length; at++) {
    const parts = (codes[at] ?? "").split(":").map(Number);
    const code = parts[0] ?? 0;
    if (code === 38 || code === 48 || code === 58) {
      const [colour, used] = parts.length > 1
        ? [colonColour(parts), 0]
        : semicolonColour(codes.slice(at + 1).map(Number));
      at += used;
      if (code === 38 && colour !== null) style.foreground = colour;
      if (code === 48 && colour !== null) style.background = colour;
      continue;
    }
    style = code === 0 ? { ...NO_STYLE } : withCode(style, code, parts[1]);
  }
  return style;
}

function withCode(style: Style, code: number, detail: number | undefined): Style {
  switch (code) {
    case 1:
      return { ...style, bold: true };
    case 2:
      return { ...style, dim: true };
    case 3:
      return { ...style, italic: true };
    case 4:
      return { ...style, underline: detail !== 0 };
    case 7:
      return { ...style, inverse: true };
    case 9:
      return { ...style, strike: true };
    case 21:
      return { ...style, underline: true };
    case 22:
      return { ...style, bold: false, dim: false };
    case 23:
      return { ...style, italic: false };
    case 24:
      return { ...style, underline: false };
    case 27:
      return { ...style, inverse: false };
    case 29:
      return { ...style, strike: false };
    case 39:
      return { ...style, foreground: null };
    case 49:
      return { ...style, background: null };
  }
  if (code >= 30 && code <= 37) return { ...style, foreground: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, background: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, foreground: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, background: code - 92 };
  return style;
}

/** Reads what follows 38 or 48: `5;N` or `2;R;G;B`, and how many parameters that were. */
function semicolonColour(rest: readonly number[]): [Colour | null, number] {
  if (rest[0] === 5) return [paletteColour(rest[1]), 2];
  if (rest[0] === 2) return [rgb(rest.slice(1, 4)), 4];
  return [null, 0];
}

/** Reads `38:5:N`, `38:2:R:G:B` or `38:2:SPACE:R:G:B`. */
function colonColour(parts: readonly number[]): Colour | null {
  if (parts[1] === 5) return paletteColour(parts[2]);
  if (parts[1] === 2) return rgb(parts.length > 5 ? parts.slice(3, 6) : parts.slice(2, 5));
  return null;
}

/** The levels of the colour cube of 256-colour terminals. */
const LEVELS = [0, 95, 135, 175, 215, 255] as const;

function paletteColour(number: number | undefined): Colour | null {
  if (number === undefined || !Number.isInteger(number) || number < 0 || number > 255) return null;
  if (number < 16) return number;
  if (number >= 232) {
    const level = 8 + (number - 232) * 10;
    return [level, level, level];
  }
  const at = number - 16;
  const level = (index: number) => LEVELS[index % 6] ?? 0;
  return [level(Math.floor(at / 36)), level(Math.floor(at / 6)), level(at)];
}

function rgb(levels: readonly number[]): Colour | null {
  const [red, green, blue] = levels;
  if (red === undefined || green === undefined || blue === undefined) return null;
  if (![red, green, blue].every((level) => level >= 0 && level <= 255)) return null;
  return [red, green, blue];
}

/** The CSS colours of a span, readable on the page's ground in both themes unless the span has a ground of its own. */
export function spanColours(span: Span): { color?: string; backgroundColor?: string } {
  const { foreground, background } = span;
  const ownGround = background !== null || /ansi-bg-/.test(span.classes);
  return {
    ...(Array.isArray(foreground)
      ? { color: ownGround ? css(foreground) : readable(foreground) }
      : {}),
    ...(Array.isArray(background) ? { backgroundColor: css(background) } : {}),
  };
}

type Rgb = readonly number[];

function css(colour: Rgb): string {
  return `rgb(${colour.map(Math.round).join(" ")})`;
}

/** The lightest that text on white may be, and the darkest on black, for a contrast of 4.5 (WCAG 2.1, 1.4.3). */
const DARKEST_LIGHT = 0.17;
const LIGHTEST_DARK = 0.22;

function readable(colour: Rgb): string {
  const light = towards(colour, 0, (luminance) => luminance <= DARKEST_LIGHT);
  const dark = towards(colour, 255, (luminance) => luminance >= LIGHTEST_DARK);
  return `light-dark(${css(light)}, ${css(dark)})`;
}

function towards(colour: Rgb, goal: number, isEnough: (luminance: number) => boolean): Rgb {
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = colour.map((level) => level + (goal - level) * share);
    if (isEnough(luminanceOf(mixed))) return mixed;
  }
  return [goal, goal, goal];
}

function luminanceOf(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((level) => {
    const share = level / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
