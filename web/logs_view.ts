/// <reference lib="dom" />
/** The logs of an environment: which services, what to look for, and the lines. How they are looked at is in the address. */

import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { EnvironmentState } from "../src/domain/api.ts";
import { saveText } from "./clipboard.ts";
import { plainText } from "./ansi.ts";
import { classes, html } from "./html.ts";
import { Glyph, Icon, type IconName } from "./icons.ts";
import { LogBuffer } from "./log_buffer.ts";
import { type LinesHandle, LogLines } from "./log_lines.ts";
import { LogMatcher } from "./log_matcher.ts";
import { cutAtMatches, parseSearch, type Range, type Search } from "./log_search.ts";
import { type LogState, LogStream } from "./log_stream.ts";
import { fullName } from "./names.ts";
import type { Page } from "./page_context.ts";
import type { LogView } from "./route.ts";
import { duration } from "./time.ts";
import { serviceHues } from "./service_hue.ts";
import { Button, Empty, Hint } from "./widgets.ts";

/** The id of the search field, which the keyboard jumps to. */
export const FIND_ID = "find";

/** Milliseconds between two drawings while lines pour in: nobody reads faster, and each costs time that the next lines need. */
const BETWEEN_DRAWINGS = 80;

/** Milliseconds of one picture that the search may take. */
const SEARCH_SLICE = 8;

/** The logs of an environment. */
export function LogsView({ page, found }: { page: Page; found: EnvironmentState }): VNode {
  const { environment } = found;
  const view = page.route.logs;
  const services = [...new Set(found.services.map(({ service }) => service))];
  const named = services.length > 0
    ? services
    : [...new Set(environment.ports.map(({ service }) => service))];
  if (environment.mode === "simple") {
    return html`
      <${Empty} title="No containers, no logs">
        <p>This environment is in simple mode. What its scripts print is under Activity.</p>
        <//>
    `;
  }
  return html`
    <${Logs}
      key=${`${fullName(environment)} ${view.services.join(" ")}`}
      page=${page}
      found=${found}
      services=${named}
    />
  `;
}

function Logs(
  { page, found, services }: { page: Page; found: EnvironmentState; services: readonly string[] },
): VNode {
  const { environment } = found;
  const { project, name } = environment;
  const view = page.route.logs;
  const change = (changes: Partial<LogView>) =>
    page.go({ ...page.route, logs: { ...view, ...changes } }, { replace: true });

  const buffer = useMemo(() => new LogBuffer(), []);
  const [version, setVersion] = useState(0);
  const [isFollowing, setFollowing] = useState(true);
  const [leftAt, setLeftAt] = useState(0);
  const [current, setCurrent] = useState<number | null>(null);
  const handle = useRef<LinesHandle>(null);
  const stream = useStream(page, found, buffer, () => setVersion((version) => version + 1));

  const search = useMemo(() => parseSearch(view.find, view.regex), [view.find, view.regex]);
  useMemo(() => setCurrent(null), [search]);
  const { pattern, problem, isSearched, rangesOf } = useSearch(
    buffer,
    version,
    search,
    view.regex,
    () => setVersion((version) => version + 1),
  );

  const hues = useMemo(() => serviceHues(services), [services.join(" ")]);
  const options = {
    wrap: view.wrap,
    times: view.times,
    labels: view.services.length !== 1,
    only: view.only && pattern !== null,
    rangesOf,
    hues,
    current,
  };
  const follow = (follows: boolean) => {
    setFollowing(follows);
    setLeftAt(buffer.next);
    stream.current?.hold(!follows);
  };
  const jump = (direction: 1 | -1) => {
    const from = current ?? (direction === 1 ? buffer.first - 1 : buffer.next);
    const hit = buffer.nextHit(from, direction);
    if (hit === undefined) return;
    setCurrent(hit);
    handle.current?.toLine(hit);
  };
  const state: LogState = stream.current?.state ?? { kind: "connecting" };
  const missed = stream.current?.missed ?? 0;
  const news = isFollowing ? 0 : buffer.next - Math.max(leftAt, buffer.first) + missed;

  return html`
    <div class="logs">
      <div class="logs-bar" role="toolbar" aria-label="Logs">
        <${ServiceFilter} services=${services} view=${view} hues=${hues} onChange=${change} />
        <${Find}
          view=${view}
          problem=${problem}
          result=${searchResult(buffer, current, pattern, isSearched)}
          onChange=${change}
          onJump=${jump}
        />
        <div class="logs-tools">
          <${Toggle} label="Wrap lines" icon="wrap" isOn=${view.wrap} onChange=${(wrap: boolean) =>
            change({ wrap })} />
          <${Toggle} label="Show times" icon="clock" isOn=${view.times} onChange=${(
            times: boolean,
          ) => change({ times })} />
          <${Button}
            label="Clear"
            icon="clear"
            kind="quiet"
            hideLabel
            isDisabled=${buffer.size === 0}
            onClick=${() => {
              buffer.clear();
              setVersion((version) => version + 1);
              follow(true);
            }}
          />
          <${Button}
            label="Download"
            icon="download"
            kind="quiet"
            hideLabel
            isDisabled=${buffer.size === 0}
            onClick=${() => saveText(`${project}-${name}.log`, [...textsOf(buffer)])}
          />
        </div>
      </div>
      <div class="logs-body">
        ${buffer.size === 0
          ? html`<${NoLines} page=${page} state=${state} />`
          : options.only && buffer.hits === 0
          ? html`
            <${NoMatch}
              buffer=${buffer}
              find=${view.find}
              isSearched=${isSearched}
              onShowAll=${() => change({ only: false })}
            />
          `
          : null}
        <${LogLines}
          buffer=${buffer}
          version=${version}
          options=${options}
          isFollowing=${isFollowing}
          onFollow=${follow}
          handle=${handle}
          label=${`Logs of ${name}`}
        />
        ${isFollowing ? null : html`
          <button type="button" class="logs-news" onClick=${() => handle.current?.toEnd()}>
            <${Icon} name="down" />
            ${news > 0 ? `${number(news)} new ${news === 1 ? "line" : "lines"}` : "To the end"}
          </button>
        `}
      </div>
      <${StateLine}
        buffer=${buffer}
        lag=${stream.current?.lag ?? 0}
        state=${state}
        isFollowing=${isFollowing}
        onResume=${() => stream.current?.resume()}
        onSkip=${() => stream.current?.skip()}
      />
    </div>
  `;
}

function ServiceFilter(
  { services, view, hues, onChange }: {
    services: readonly string[];
    view: LogView;
    hues: ReadonlyMap<string, number>;
    onChange: (changes: Partial<LogView>) => void;
  },
): VNode {
  const chosen = new Set(view.services);
  const toggle = (service: string) => {
    const next = new Set(chosen);
    if (!next.delete(service)) next.add(service);
    // All of them chosen one by one is the same as all.
    const list = services.filter((name) => next.has(name));
    onChange({ services: list.length === services.length ? [] : list });
  };
  return html`
    <div class="chips" role="group" aria-label="Services">
      <button
        type="button"
        class=${classes("chip", chosen.size === 0 && "chip-on")}
        aria-pressed=${chosen.size === 0 ? "true" : "false"}
        onClick=${() => onChange({ services: [] })}
      >All</button>
      ${services.map((service) =>
        html`
          <button
            key=${service}
            type="button"
            class=${classes(
              "chip",
              `hue-${hues.get(service) ?? 0}`,
              chosen.has(service) && "chip-on",
            )}
            aria-pressed=${chosen.has(service) ? "true" : "false"}
            onClick=${() => toggle(service)}
          ><span class="chip-dot" aria-hidden="true"></span>${service}</button>
        `
      )}
    </div>
  `;
}

function Find(
  { view, problem, result, onChange, onJump }: {
    view: LogView;
    problem: string | null;
    result: string;
    onChange: (changes: Partial<LogView>) => void;
    onJump: (direction: 1 | -1) => void;
  },
): VNode {
  const isEmpty = view.find === "";
  return html`
    <div class=${classes("find", problem !== null && "find-bad")} role="search">
      <div class="field-icon find-field">
        <${Icon} name="search" />
        <input
          id=${FIND_ID}
          class="input"
          type="search"
          placeholder="Find"
          aria-label="Find in the logs"
          aria-keyshortcuts="f"
          aria-invalid=${problem === null ? undefined : "true"}
          aria-describedby="find-result"
          autocomplete="off"
          spellcheck=${false}
          value=${view.find}
          onInput=${(event: InputEvent) =>
            onChange({ find: (event.target as HTMLInputElement).value })}
          onKeyDown=${(event: KeyboardEvent) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            onJump(event.shiftKey ? 1 : -1);
          }}
        />
        <span class="find-result" id="find-result" role="status">${problem ?? result}</span>
      </div>
      <${Button} label="Earlier match" icon="up" kind="quiet" hideLabel isDisabled=${isEmpty}
        onClick=${() => onJump(-1)} />
      <${Button} label="Later match" icon="down" kind="quiet" hideLabel isDisabled=${isEmpty}
        onClick=${() => onJump(1)} />
      <${Toggle} label="Regular expression" text=".*" isOn=${view.regex} onChange=${(
        regex: boolean,
      ) => onChange({ regex })} />
      <${Toggle} label="Only lines that match" icon="filter" isOn=${view.only} onChange=${(
        only: boolean,
      ) => onChange({ only })} />
    </div>
  `;
}

/** A button that is on or off. */
function Toggle(
  { label, icon, text, isOn, onChange }: {
    label: string;
    icon?: IconName;
    text?: string;
    isOn: boolean;
    onChange: (isOn: boolean) => void;
  },
): VNode {
  return html`
    <button
      type="button"
      class=${classes("button button-quiet button-icon toggle", isOn && "toggle-on")}
      aria-pressed=${isOn ? "true" : "false"}
      aria-label=${label}
      title=${label}
      onClick=${() => onChange(!isOn)}
    >${icon === undefined ? html`<code>${text}</code>` : html`<${Icon} name=${icon} />`}</button>
  `;
}

/** Stands where the lines would be that match, while none is found. */
function NoMatch(
  { buffer, find, isSearched, onShowAll }: {
    buffer: LogBuffer;
    find: string;
    isSearched: boolean;
    onShowAll: () => void;
  },
): VNode | null {
  const { size, searched } = buffer;
  // The first lines of all may have come after the search, which then begins with them.
  if (!isSearched || searched === 0) {
    return html`
      <div class="logs-empty logs-empty-late">
        <${Empty} title=${`Searching ${number(size)} ${size === 1 ? "line" : "lines"}…`} />
      </div>
    `;
  }
  const title = size === 1
    ? `The only line does not match “${find}”`
    : `None of ${number(size)} lines matches “${find}”`;
  return html`
    <div class="logs-empty">
      <${Empty} title=${title}>
        <${Button} label="Show all lines" onClick=${onShowAll} />
        <//>
        </div>
  `;
}

/** Says why there are no lines. */
export function NoLines({ page, state }: { page: Page; state: LogState }): VNode {
  switch (state.kind) {
    case "refused":
      return html`
        <div class="logs-empty">
          <${Empty} title=${state.message}>
            ${state.hint === null ? null : html`<${Hint} page=${page} hint=${state.hint} />`}
          <//>
        </div>
      `;
    case "lost":
      return html`
        <div class="logs-empty">
          <${Empty} title=${state.message ?? "Reading the logs…"}>
            ${state.hint === null ? null : html`<${Hint} page=${page} hint=${state.hint} />`}
            ${state.message === null
              ? null
              : html`<p>The lines appear here by themselves once it answers.</p>`}
          <//>
        </div>
      `;
    case "ended":
      return html`
        <div class="logs-empty">
          <${Empty} title=${state.message ?? "No lines"} />
        </div>
      `;
    case "live":
      if (state.isNew) return html`<${Reading} />`;
      return html`
        <div class="logs-empty">
          <${Empty} title="No lines yet">
            <p>They appear here as they are written.</p>
            <//>
            </div>
      `;
    default:
      return html`<${Reading} />`;
  }
}

function Reading(): VNode {
  return html`
    <div class="logs-empty">
      <${Empty} title="Reading the logs…" />
    </div>
  `;
}

function StateLine(
  { buffer, lag, state, isFollowing, onResume, onSkip }: {
    buffer: LogBuffer;
    /** How many milliseconds late the lines come. */
    lag: number;
    state: LogState;
    isFollowing: boolean;
    onResume: () => void;
    onSkip: () => void;
  },
): VNode {
  const { shape, tone, word } = tellState(state, isFollowing, buffer.size === 0);
  const isLate = state.kind === "live" && lag > 0;
  return html`
    <div class="logs-state">
      <span class=${`status tone-${tone}`}><${Glyph} shape=${shape} tone=${tone} /><span>${word}</span></span>
      ${state.kind === "ended" || state.kind === "refused"
        ? html`<${Button} label="Follow again" kind="quiet" onClick=${onResume} />`
        : null}
      ${isLate
        ? html`
          <span class="logs-lag">${duration(lag)} behind</span>
          <${Button} label="Skip to the newest" kind="quiet" onClick=${onSkip} />
        `
        : null}
      <span class="logs-count">${countText(buffer)}</span>
    </div>
  `;
}

/** Says how many lines there are, of how many that came. */
function countText({ size, forgotten }: LogBuffer): string {
  return forgotten === 0
    ? `${number(size)} ${size === 1 ? "line" : "lines"}`
    : `the last ${number(size)} of ${number(size + forgotten)} lines`;
}

function number(count: number): string {
  return count.toLocaleString("en");
}

function tellState(state: LogState, isFollowing: boolean, isEmpty: boolean) {
  switch (state.kind) {
    case "live":
      return isFollowing
        ? { shape: "full", tone: "good", word: "Following" }
        : { shape: "half", tone: "idle", word: "Reading; new lines wait below" };
    case "connecting":
      return { shape: "spinner", tone: "busy", word: "Connecting" };
    case "lost":
      // Where there are no lines, what is missing stands in their place.
      return {
        shape: "spinner",
        tone: "warn",
        word: state.message === null
          ? "Reconnecting"
          : isEmpty
          ? "Trying again"
          : `Trying again: ${state.message}`,
      };
    case "resting":
      return { shape: "half", tone: "idle", word: "Resting" };
    case "ended":
      return { shape: "hollow", tone: "idle", word: state.message ?? "Ended" };
    case "refused":
      return { shape: "cross", tone: "bad", word: state.message };
  }
}

function searchResult(
  buffer: LogBuffer,
  current: number | null,
  pattern: RegExp | null,
  isSearched: boolean,
): string {
  if (pattern === null) return "";
  const hits = buffer.hits.toLocaleString("en");
  if (!isSearched) return `${hits}…`;
  if (current !== null && buffer.isHit(current)) {
    return `${buffer.hitNumber(current).toLocaleString("en")} of ${hits}`;
  }
  return buffer.hits === 0 ? "none" : hits;
}

function* textsOf(buffer: LogBuffer): Generator<string> {
  for (const { text, label, time, kind } of buffer.lines()) {
    const from = kind === "note" ? "" : ` ${label} |`;
    yield `${new Date(time).toISOString()}${from} ${plainText(text)}\n`;
  }
}

function useStream(
  { route, state: { snapshots } }: Page,
  { environment, services }: EnvironmentState,
  buffer: LogBuffer,
  changed: () => void,
) {
  const stream = useRef<LogStream | null>(null);
  useEffect(() => {
    let isDue = false;
    let drawnAt = -Infinity;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let frame = 0;
    const draw = () => {
      frame = requestAnimationFrame((now) => {
        isDue = false;
        drawnAt = now;
        changed();
      });
    };
    const next = new LogStream(
      environment,
      route.logs.services,
      buffer,
      () => {
        if (isDue) return;
        isDue = true;
        timer = setTimeout(draw, drawnAt + BETWEEN_DRAWINGS - performance.now());
      },
    );
    stream.current = next;
    next.start();
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      next.stop();
    };
  }, []);
  // Whoever starts the containers wants to see what they print.
  const running = services.filter(({ state }) => state === "running").length;
  const before = useRef(running);
  useEffect(() => {
    const kind = stream.current?.state.kind;
    if (running > before.current && (kind === "ended" || kind === "refused")) {
      stream.current?.resume();
    }
    before.current = running;
  }, [running, snapshots]);
  return stream;
}

/** How far a search has come. */
interface SearchState {
  /** What is looked for; null for nothing, and for what cannot be. */
  pattern: RegExp | null;
  problem: string | null;
  /** Whether all lines that there were have been searched. */
  isSearched: boolean;
  /** Tells where in a drawn line it is found. */
  rangesOf: (number: number, drawn: string) => readonly Range[];
}

/**
 * Searches new lines, and all of them for something new, some at a time; a regular expression in a worker, since nobody knows
 * how long it takes.
 */
function useSearch(
  buffer: LogBuffer,
  version: number,
  search: Search,
  isRegex: boolean,
  changed: () => void,
): SearchState {
  const matcher = useMemo(() => new LogMatcher(buffer), []);
  const [searched, setSearched] = useState<Search | null>(null);
  useMemo(() => {
    buffer.find(search.pattern);
    matcher.find(isRegex ? search.pattern : null);
  }, [search]);
  useEffect(() => {
    let frame = 0;
    matcher.changed = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(changed);
    };
    return () => {
      cancelAnimationFrame(frame);
      matcher.find(null);
    };
  }, []);
  useEffect(() => {
    if (isRegex) return matcher.goOn();
    const before = buffer.hits;
    const done = buffer.search(performance.now() + SEARCH_SLICE);
    if (done) setSearched(search);
    if (done && buffer.hits === before) return;
    const frame = requestAnimationFrame(changed);
    return () => cancelAnimationFrame(frame);
  }, [version, search]);
  const problem = search.problem ?? matcher.problem;
  const pattern = problem === null ? search.pattern : null;
  return {
    pattern,
    problem,
    isSearched: isRegex ? matcher.isDone : searched === search,
    rangesOf: isRegex
      ? (number, drawn) => matcher.rangesOf(number, drawn)
      : (_, drawn) => cutAtMatches(plainText(drawn), pattern),
  };
}
