/** The page's pictures: line icons on a grid of 16, and the glyphs of states on one of 14. None of them says anything alone. */

import type { VNode } from "preact";
import { html } from "./html.ts";
import type { Shape, Tone } from "./status.ts";

const PATHS = {
  play: "M5 3.5v9l7-4.5z",
  stop: "M4.5 4.5h7v7h-7z",
  restart: "M12.8 8a4.8 4.8 0 1 1-1.5-3.5M12.5 2.5v2.6H9.9",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.5 8.5h6l.5-8.5M6.8 7v3.5M9.2 7v3.5",
  external: "M9 3.5h3.5V7M12.5 3.5 7.5 8.5M11 9.5v3H3.5V5h3",
  copy: "M6 6V3.5h6.5V10H10M3.5 6H10v6.5H3.5z",
  check: "M3.5 8.5 6.5 11.5 12.5 4.5",
  search: "M7 11.2a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4zM10.2 10.2 13.5 13.5",
  plus: "M8 3v10M3 8h10",
  back: "M10 3.5 5.5 8l4.5 4.5",
  down: "M8 3v9.5M4 8.5l4 4 4-4",
  up: "M8 13V3.5M4 7.5l4-4 4 4",
  cross: "M4 4l8 8M12 4l-8 8",
  edit: "M10.5 3 13 5.5 6 12.5H3.5V10z",
  branch:
    "M5 5.5v5M5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11 6.5c0 2.5-6 1.5-6 4",
  terminal: "M3 4.5 6.5 8 3 11.5M8 11.5h5",
  download: "M8 3v7M5 7.5l3 3 3-3M3.5 13h9",
  clear: "M4.2 4.2l7.6 7.6M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11z",
  wrap: "M3 4h10M3 8h8a2 2 0 0 1 0 4H8.5M10 10.5 8.5 12 10 13.5M3 12h3",
  clock: "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8 5v3.2l2 1.3",
  filter: "M3 4.5h10M5 8h6M7 11.5h2",
  warning: "M8 3 14 13H2zM8 7v2.5M8 11.2v.1",
  globe:
    "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM2.7 8h10.6M8 2.5c2 2.2 2 8.8 0 11M8 2.5c-2 2.2-2 8.8 0 11",
  logs: "M3 4h10M3 7h7M3 10h9M3 13h5",
  key: "M10 9.5a3 3 0 1 0-2.7-1.7L3 12v1.5h2V12h1.5v-1.5L8.2 9",
  file: "M4.5 2.5h4.5L12 5.5v8H4.5zM9 2.5v3h3",
  commit: "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM2 8h3.5M10.5 8H14",
} as const;

/** The names of the icons. */
export type IconName = keyof typeof PATHS;

/** Draws an icon; the words beside it say what it means. */
export function Icon({ name }: { name: IconName }): VNode {
  return html`
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d=${PATHS[name]} />
    </svg>
  `;
}

/** Draws the glyph of a state. Each has a shape of its own, so that no state is told by colour alone. */
export function Glyph({ shape, tone }: { shape: Shape; tone: Tone }): VNode {
  return html`
    <svg
      class=${`glyph tone-${tone} glyph-${shape}`}
      viewBox="0 0 14 14"
      width="14"
      height="14"
      aria-hidden="true"
    >${drawShape(shape)}</svg>
  `;
}

function drawShape(shape: Shape): VNode {
  switch (shape) {
    case "full":
      return html`<circle class="fill" cx="7" cy="7" r="4.5" />`;
    case "half":
      return html`
        <g>
          <circle class="line" cx="7" cy="7" r="4" />
          <path class="fill" d="M7 3a4 4 0 0 0 0 8z" />
        </g>
      `;
    case "hollow":
      return html`<circle class="line" cx="7" cy="7" r="4" />`;
    case "warning":
      return html`
        <g>
          <path class="fill" d="M7 1.5 13 12.5H1z" />
          <path class="cut" d="M7 5.5v3.2M7 10.3v.9" />
        </g>
      `;
    case "cross":
      return html`<path class="line thick" d="M3 3l8 8M11 3l-8 8" />`;
    case "check":
      return html`<path class="line thick" d="M2.5 7.5 5.5 10.5 11.5 3.5" />`;
    case "spinner":
      return html`<path class="line spin" d="M7 2.5A4.5 4.5 0 1 1 2.5 7" />`;
    case "diamond":
      return html`<path class="line" d="M7 2.2 11.8 7 7 11.8 2.2 7z" />`;
    case "gone":
      return html`
        <g>
          <circle class="line dashed" cx="7" cy="7" r="4.5" />
          <path class="line" d="M5 9l4-4" />
        </g>
      `;
    case "unknown":
      return html`<path class="line" d="M4.8 5.2A2.3 2.3 0 1 1 7.6 7.4Q7 7.7 7 8.6M7 11v.4" />`;
  }
}
