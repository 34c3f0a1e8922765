/// <reference lib="dom" />
/**
 * The lines of a {@link LogBuffer} that are to be seen, drawn where they are in the whole: a hundred of them at most, however
 * many there are. It stays at the end while lines come; whoever scrolls up keeps the line they read at its place.
 */

import type { RefObject, VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { AnsiText } from "./ansi_text.ts";
import { classes, html } from "./html.ts";
import { type BufferLine, type LogBuffer, MOST_DRAWN } from "./log_buffer.ts";
import type { Range } from "./log_search.ts";
import { preciseClock } from "./time.ts";

/** Rows that are drawn above and below what is to be seen. */
const OVERSCAN = 12;

/** Pixels that the end may be away and still counts as reached. */
const NEAR = 4;

/** How lines are shown. */
export interface LineOptions {
  wrap: boolean;
  times: boolean;
  /** Whether each line begins with its service. */
  labels: boolean;
  only: boolean;
  /** Tells where in a line, of which so much is drawn, the search finds something. */
  rangesOf: (number: number, drawn: string) => readonly Range[];
  hues: ReadonlyMap<string, number>;
  /** The hit that was jumped to. */
  current: number | null;
}

/** What its owner can have the view do. */
export interface LinesHandle {
  toEnd: () => void;
  toLine: (line: number) => void;
  /** The first line that is to be seen. */
  firstShown: () => number;
}

/** Sizes in pixels that the layout needs. */
interface Metrics {
  rowHeight: number;
  charWidth: number;
  /** The width that lines have. */
  width: number;
  height: number;
}

/** Where one reads, while one is not at the end. */
interface Anchor {
  line: number;
  /** Pixels of the line that are above the edge. */
  above: number;
}

/** The view of a buffer. `version` changes whenever the buffer has. */
export function LogLines(
  { buffer, version, options, isFollowing, onFollow, handle, label }: {
    buffer: LogBuffer;
    version: number;
    options: LineOptions;
    isFollowing: boolean;
    onFollow: (follows: boolean) => void;
    handle: RefObject<LinesHandle>;
    label: string;
  },
): VNode {
  const box = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const lastTop = useRef(0);
  const anchor = useRef<Anchor | null>(null);
  const metrics = useMetrics(box, probe);
  const [scrollTop, setScrollTop] = useState(0);
  const { wrap, only } = options;
  const gutter = gutterWidth(options);
  const columns = wrap && metrics !== null
    ? Math.max(8, Math.floor(metrics.width / metrics.charWidth) - gutter)
    : Infinity;
  buffer.layOut({ columns, only });
  const rowHeight = metrics?.rowHeight ?? 20;
  const rows = buffer.rows;
  const height = metrics?.height ?? 0;
  const top = isFollowing ? Math.max(0, rows * rowHeight - height) : scrollTop;
  const firstRow = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const start = buffer.placeAt(firstRow);
  const wanted = Math.ceil(height / rowHeight) + 2 * OVERSCAN;
  const numbers = metrics === null ? [] : buffer.shownFrom(start.line, wanted);

  // Before the browser paints, whatever has changed: the end stays at the end, and what is read stays where it is.
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || metrics === null) return;
    if (isFollowing) {
      element.scrollTop = element.scrollHeight;
    } else if (anchor.current !== null) {
      const { line, above } = anchor.current;
      const wantedTop = buffer.rowOf(Math.max(line, buffer.first)) * rowHeight + above;
      if (Math.abs(element.scrollTop - wantedTop) >= 1) element.scrollTop = wantedTop;
    }
    lastTop.current = element.scrollTop;
    if (element.scrollTop !== scrollTop) setScrollTop(element.scrollTop);
  }, [version, columns, only, isFollowing, metrics, rows]);

  const remember = (element: HTMLElement) => {
    const place = buffer.placeAt(Math.floor(element.scrollTop / rowHeight));
    anchor.current = { line: place.line, above: element.scrollTop - place.row * rowHeight };
  };

  const onScroll = (event: Event) => {
    const element = event.currentTarget as HTMLElement;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR;
    const goesUp = element.scrollTop < lastTop.current - 1;
    lastTop.current = element.scrollTop;
    // Lines that came since the scroll leave the end further down; only going up means to stop following.
    if (isFollowing && goesUp && !isAtEnd) onFollow(false);
    if (!isFollowing && isAtEnd) onFollow(true);
    remember(element);
    setScrollTop(element.scrollTop);
  };

  handle.current = {
    toEnd: () => {
      anchor.current = null;
      onFollow(true);
    },
    toLine: (line) => {
      const element = box.current;
      if (element === null) return;
      const middle = Math.max(0, buffer.rowOf(line) * rowHeight - element.clientHeight / 3);
      onFollow(false);
      element.scrollTop = middle;
      lastTop.current = element.scrollTop;
      remember(element);
      setScrollTop(element.scrollTop);
    },
    firstShown: () => buffer.placeAt(Math.floor((box.current?.scrollTop ?? 0) / rowHeight)).line,
  };

  // What the server renders must have no style of its own, and before the first look there is none to have.
  const sizes = metrics === null ? {} : {
    box: { "--label": labelWidth(options) },
    space: {
      height: `${rows * rowHeight}px`,
      minWidth: wrap ? "" : `${gutter + buffer.widest + 2}ch`,
    },
    window: { transform: `translateY(${start.row * rowHeight}px)` },
  };
  return html`
    <div
      class=${classes("log-lines", wrap && "log-wrap")}
      ref=${box}
      tabindex="0"
      role="log"
      aria-label=${label}
      aria-live="off"
      style=${sizes.box}
      onScroll=${onScroll}
    >
      <span class="log-probe" ref=${probe} aria-hidden="true">0000000000</span>
      <div class="log-space" style=${sizes.space}>
        <div class="log-window" style=${sizes.window}>
          ${numbers.map((number) => {
            // A line that comes takes the elements of one that went: made anew, those of a flood would fill the memory.
            const key = only ? number : number % wanted;
            const line = buffer.line(number);
            return line === undefined
              ? null
              : html`<${LineView} key=${key} number=${number} line=${line} options=${options} />`;
          })}
        </div>
      </div>
    </div>
  `;
}

function LineView(
  { number, line, options }: { number: number; line: BufferLine; options: LineOptions },
): VNode {
  const { text, label, time, kind } = line;
  if (kind === "note") {
    return html`<div class="log-line log-note"><span class="log-text">${text}</span></div>`;
  }
  const shown = text.length > MOST_DRAWN ? text.slice(0, MOST_DRAWN) : text;
  return html`
    <div class=${classes(
      "log-line",
      options.current === number && "log-current",
    )}>
      ${kind === "stderr"
        ? html`<span class="log-mark" role="img" aria-label="stderr" title="Written to stderr"></span>`
        : null}
      ${options.times ? html`<span class="log-time">${preciseClock(time)}</span>` : null}
      ${options.labels
        ? html`<span class=${`log-label hue-${hueOf(label, options)}`}>${label}</span>`
        : null}
      <span class="log-text"><${AnsiText} text=${shown} ranges=${options.rangesOf(
        number,
        shown,
      )} />${text.length > shown.length
        ? html`<em class="log-cut">… ${
          text.length - shown.length
        } more characters are in the download</em>`
        : null}</span>
    </div>
  `;
}

function hueOf(label: string, { hues }: LineOptions): number {
  // Containers of one service, web-1 and web-2, have its colour; so does one that is shared.
  const service = label.replace(/ \(shared\)$/, "");
  return hues.get(service) ?? hues.get(service.replace(/-\d+$/, "")) ?? 0;
}

/** The most characters of a service's name in front of its lines. */
const MOST_LABEL = 14;

function labelWidth({ hues }: LineOptions): number {
  return Math.min(MOST_LABEL, Math.max(1, ...[...hues.keys()].map((name) => name.length)));
}

/** Tells how many characters stand before the text of a line; style.css has the same widths. */
function gutterWidth(options: LineOptions): number {
  return (options.times ? 14 : 0) + (options.labels ? labelWidth(options) + 2 : 0);
}

function useMetrics(
  box: RefObject<HTMLDivElement>,
  probe: RefObject<HTMLSpanElement>,
): Metrics | null {
  const [metrics, setMetrics] = useState<Metrics | null>(null);
  useEffect(() => {
    const [element, sample] = [box.current, probe.current];
    if (element === null || sample === null) return;
    const measure = () => {
      const { width, height } = sample.getBoundingClientRect();
      const style = getComputedStyle(element);
      const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
      const next: Metrics = {
        rowHeight: height,
        charWidth: width / 10,
        width: element.clientWidth - padding,
        height: element.clientHeight,
      };
      setMetrics((before) => before !== null && isSame(before, next) ? before : next);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return metrics;
}

function isSame(a: Metrics, b: Metrics): boolean {
  return a.rowHeight === b.rowHeight && a.charWidth === b.charWidth && a.width === b.width &&
    a.height === b.height;
}
