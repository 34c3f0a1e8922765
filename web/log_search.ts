/** What is looked for in logs: plain text or a regular expression, never case-sensitive unless an upper-case letter is typed. */

/** A search as it is typed, ready for use; `problem` tells why it is none. */
export interface Search {
  pattern: RegExp | null;
  problem: string | null;
}

const NOTHING: Search = { pattern: null, problem: null };

/** Makes a pattern of what was typed. */
export function parseSearch(find: string, isRegex: boolean): Search {
  if (find === "") return NOTHING;
  const source = isRegex ? find : find.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const flags = /\p{Lu}/u.test(isRegex ? find.replace(/\\./g, "") : find) ? "g" : "gi";
  try {
    return { pattern: new RegExp(source, isRegex ? `${flags}u` : flags), problem: null };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // "Invalid regular expression: /(/gu: Unterminated group": the end of it is for people.
    return { pattern: null, problem: error.message.replace(/^.*\/[a-z]*: /, "") };
  }
}

/** A piece of text that was found or not. */
export interface Piece {
  text: string;
  isFound: boolean;
}

/** Where in a text something was found. */
export interface Range {
  from: number;
  to: number;
}

/** Cuts a text where a pattern is found; what is found and empty is left out. */
export function cutAtMatches(text: string, pattern: RegExp | null): Range[] {
  if (pattern === null) return [];
  const ranges: Range[] = [];
  pattern.lastIndex = 0;
  for (const match of text.matchAll(pattern)) {
    if (match[0].length > 0) ranges.push({ from: match.index, to: match.index + match[0].length });
  }
  return ranges;
}

/** Cuts a piece of a text, which begins at `start` in the whole, at the ranges that were found in the whole. */
export function markPiece(
  text: string,
  start: number,
  ranges: readonly Range[],
): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { from, to } of ranges) {
    const begin = Math.max(from - start, at);
    const end = Math.min(to - start, text.length);
    if (end <= begin) continue;
    if (begin > at) pieces.push({ text: text.slice(at, begin), isFound: false });
    pieces.push({ text: text.slice(begin, end), isFound: true });
    at = end;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), isFound: false });
  return pieces;
}
