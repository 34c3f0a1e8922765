/** A line of a program's output: its colours as spans, and what was looked for marked. */

import type { VNode } from "preact";
import { nameOf, parseAnsi, spanColours, TURNS } from "./ansi.ts";
import { type Content, html } from "./html.ts";
import { markPiece, type Range } from "./log_search.ts";

/** Draws a line; the ranges of its plain text that were found are marked. */
export function AnsiText(
  { text, ranges = [] }: { text: string; ranges?: readonly Range[] },
): VNode {
  const spans = parseAnsi(text);
  let start = 0;
  return html`${
    spans.map((span, index) => {
      const content = ranges.length === 0
        ? drawn(span.text)
        : markPiece(span.text, start, ranges).map((piece, at) =>
          piece.isFound ? html`<mark key=${at}>${drawn(piece.text)}</mark>` : drawn(piece.text)
        );
      start += span.text.length;
      const colours = spanColours(span);
      if (span.classes === "" && Object.keys(colours).length === 0) return content;
      return html`<span key=${index} class=${span.classes} style=${colours}>${content}</span>`;
    })
  }` as VNode;
}

const AT_TURNS = new RegExp(`(${TURNS.source})`, "u");

/** Puts names in the place of the characters that would turn the text around. */
function drawn(text: string): Content {
  if (!TURNS.test(text)) return text;
  return text.split(AT_TURNS).map((piece, at) =>
    at % 2 === 0 ? piece : html`
      <span key=${at} class="log-turn" title="Would turn the text around">${nameOf(piece)}</span>
    `
  );
}
