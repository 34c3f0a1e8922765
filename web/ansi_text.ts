/** A line of a program's output: its colours as spans, and what was looked for marked. */

import type { VNode } from "preact";
import { parseAnsi, plainText, spanColours } from "./ansi.ts";
import { html } from "./html.ts";
import { cutAtMatches, markPiece } from "./log_search.ts";

/** Draws a line; what `pattern` finds in it is marked. */
export function AnsiText({ text, pattern }: { text: string; pattern: RegExp | null }): VNode {
  const spans = parseAnsi(text);
  const ranges = cutAtMatches(plainText(text), pattern);
  let start = 0;
  return html`${
    spans.map((span, index) => {
      const content = ranges.length === 0
        ? span.text
        : markPiece(span.text, start, ranges).map((piece, at) =>
          piece.isFound ? html`<mark key=${at}>${piece.text}</mark>` : piece.text
        );
      start += span.text.length;
      const colours = spanColours(span);
      if (span.classes === "" && Object.keys(colours).length === 0) return content;
      return html`<span key=${index} class=${span.classes} style=${colours}>${content}</span>`;
    })
  }` as VNode;
}
