/// <reference lib="dom" />
/**
 * Matches regular expressions in lines of logs, in a thread of its own: an expression can take for ever on one line, and only
 * a thread can be ended (see log_matcher.ts). It answers line by line where lines take long, so that silence means one line.
 */

import { plainText } from "./ansi.ts";
import { cutAtMatches, type Range } from "./log_search.ts";

/** What is asked of the worker; one at a time. */
export type MatchRequest =
  /** In which of these lines, in UTF-8 one behind the other, is the pattern found? */
  | { kind: "find"; pattern: RegExp; bytes: Uint8Array<ArrayBuffer>; ends: Uint32Array }
  /** Where in each of these lines is it found? */
  | { kind: "cut"; pattern: RegExp; texts: readonly string[] };

/** What the worker says. */
export type MatchAnswer =
  | { kind: "ready" }
  /** So many more lines were looked at; those that were found, counted from the first of these. */
  | { kind: "found"; seen: number; hits: number[] }
  /** The next line is cut there. */
  | { kind: "cut"; ranges: Range[] }
  /** The browser cannot run the expression: it needs more memory than there is for one. */
  | { kind: "failed" };

/** Milliseconds between two answers at most, while no single line takes longer. */
const BETWEEN_ANSWERS = 100;

const answer = (message: MatchAnswer) => self.postMessage(message);

self.onmessage = ({ data }: MessageEvent<MatchRequest>) => {
  try {
    if (data.kind === "find") find(data);
    else for (const text of data.texts) cut(text, data.pattern);
  } catch (error) {
    // What V8 throws for one that is too large, or goes too deep.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    answer({ kind: "failed" });
  }
};
answer({ kind: "ready" });

function find({ pattern, bytes, ends }: MatchRequest & { kind: "find" }): void {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let [from, seen, hits, answered] = [0, 0, [] as number[], performance.now()];
  for (const end of ends) {
    pattern.lastIndex = 0;
    if (pattern.test(plainText(decoder.decode(bytes.subarray(from, end))))) hits.push(seen);
    from = end;
    seen++;
    const now = performance.now();
    if (now - answered < BETWEEN_ANSWERS) continue;
    answer({ kind: "found", seen, hits });
    [seen, hits, answered] = [0, [], now];
  }
  if (seen > 0) answer({ kind: "found", seen, hits });
}

function cut(text: string, pattern: RegExp): void {
  answer({ kind: "cut", ranges: cutAtMatches(plainText(text), pattern) });
}
