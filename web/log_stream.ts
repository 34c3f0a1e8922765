/// <reference lib="dom" />
/**
 * Follows the logs of an environment into a {@link LogBuffer}: connects again from the last line on when the connection
 * breaks, lets go of it while the tab is hidden, and catches up afterwards. While somebody reads further up and the buffer is
 * full, new lines are counted and not kept, so that nothing moves under their eyes.
 */

import type { LogEvent, LogEvents } from "../src/domain/api.ts";
import { ApiError, logsAddress, type Named, openStream } from "./api.ts";
import { readEventStream, type StreamEvent } from "./event_stream.ts";
import { isBroken, pause } from "./live.ts";
import type { LogBuffer } from "./log_buffer.ts";

/** How many of the last lines of each container are asked for at first. */
const TAIL = 2000;

/** Milliseconds before each further attempt to connect; the last one counts for all after it. */
const PATIENCE = [300, 1000, 2000, 5000] as const;

/** Milliseconds that a tab may be hidden before it lets its connections go. */
const HIDDEN_FOR = 5000;

/** What counts as lines that come late: so many within so many milliseconds, and so many milliseconds late. */
const MANY = 2000;
const LAG_WINDOW = 2000;
const LATE = 3000;

/** Milliseconds for which the first lines may be on their way: the server waits a while for silent containers to order them. */
const FIRST_LINES = 1500;

/** How the stream is. */
export type LogState =
  | { kind: "connecting" }
  /** `isNew`: what was written before is still on its way, if there is any. */
  | { kind: "live"; isNew: boolean }
  | { kind: "resting" }
  /** It is tried again and again; the server, where it did answer, has said what is missing. */
  | { kind: "lost"; message: string | null; hint: string | null }
  /** No line will follow until somebody starts a container. */
  | { kind: "ended"; message: string | null }
  | { kind: "refused"; message: string; hint: string | null };

/** One reading of an environment's logs. */
export class LogStream {
  state: LogState = { kind: "connecting" };
  /** How many lines came and were not kept. */
  missed = 0;
  /** How many milliseconds old the last line was when it came; 0 when lines come as they are written. */
  lag = 0;
  readonly #of: Named;
  readonly #services: readonly string[];
  readonly #buffer: LogBuffer;
  readonly #changed: () => void;
  #running = new AbortController();
  #lastId: string | null = null;
  #hiding: ReturnType<typeof setTimeout> | undefined;
  #beginning: ReturnType<typeof setTimeout> | undefined;
  /** Whether lines that the buffer has no room for are left out instead of pushing out the oldest. */
  #holds = false;
  #note: string | null = null;
  /** How many events came when, of late. */
  #arrivals: { at: number; count: number }[] = [];
  /** The time of the last line of each container, and what it was when the connection was made. */
  readonly #times = new Map<string, string>();
  #timesBefore: ReadonlyMap<string, string> = new Map();
  readonly #lookAtTab = () => this.#visibilityChanged();

  /** @param changed is called when lines have come, or the state is another one. */
  constructor(of: Named, services: readonly string[], buffer: LogBuffer, changed: () => void) {
    this.#of = of;
    this.#services = services;
    this.#buffer = buffer;
    this.#changed = changed;
  }

  /** Begins to follow. */
  start(): void {
    document.addEventListener("visibilitychange", this.#lookAtTab);
    this.#connect();
  }

  /** Ends it for good. */
  stop(): void {
    document.removeEventListener("visibilitychange", this.#lookAtTab);
    clearTimeout(this.#hiding);
    clearTimeout(this.#beginning);
    this.#running.abort();
  }

  /** Follows again from the last line on, after an end or a failure. */
  resume(): void {
    this.#connect();
  }

  /** Leaves out what has not come yet, and goes on with the newest lines. */
  skip(): void {
    this.#lastId = null;
    this.lag = 0;
    this.#say("Lines are left out here: you went on with the newest");
    this.#connect();
  }

  /** Keeps what is there while somebody reads it, or goes on; whatever was missed is then told by a line. */
  hold(holds: boolean): void {
    if (this.#holds === holds) return;
    this.#holds = holds;
    if (holds || this.missed === 0) return;
    this.#say(
      `${this.missed.toLocaleString("en")} lines came while the page was full, and were not kept`,
    );
    this.missed = 0;
  }

  #connect(): void {
    this.#running.abort();
    const running = new AbortController();
    this.#running = running;
    void this.#follow(running.signal);
  }

  #visibilityChanged(): void {
    clearTimeout(this.#hiding);
    if (document.visibilityState === "hidden") {
      this.#hiding = setTimeout(() => {
        if (!["live", "connecting", "lost"].includes(this.state.kind)) return;
        this.#running.abort();
        this.#become({ kind: "resting" });
      }, HIDDEN_FOR);
    } else if (this.state.kind === "resting") {
      this.#connect();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      if (failures === 0) this.#become({ kind: "connecting" });
      let lost: LogState = { kind: "lost", message: null, hint: null };
      try {
        this.#timesBefore = new Map(this.#times);
        const response = await openStream(this.#address(), { lastEventId: this.#lastId, signal });
        this.#become({ kind: "live", isNew: true });
        this.#beginning = setTimeout(() => this.#hasBegun(), FIRST_LINES);
        for await (const events of readEventStream(response)) {
          failures = 0;
          if (this.#take(events)) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError || isBroken(error))) throw error;
        if (error instanceof ApiError && error.status >= 400 && error.status < 500) {
          this.#become({ kind: "refused", message: error.message, hint: error.hint });
          return;
        }
        if (error instanceof ApiError && error.status >= 500) {
          lost = { kind: "lost", message: error.message, hint: error.hint };
        }
      }
      this.#become(lost);
      await pause(PATIENCE[Math.min(failures, PATIENCE.length - 1)] ?? 0, signal);
      failures++;
    }
  }

  #address(): string {
    const query = new URLSearchParams(this.#services.map((service) => ["service", service]));
    query.set("follow", "true");
    query.set("tail", String(TAIL));
    return logsAddress(this.#of, query);
  }

  /** Takes events; true when nothing will follow. */
  #take(events: Iterable<StreamEvent>): boolean {
    let isEnd = false;
    let count = 0;
    for (const { type, data, id } of events) {
      count++;
      if (id !== "") this.#lastId = id;
      switch (type) {
        case "message":
          this.#push(JSON.parse(data));
          break;
        case "note":
          this.#note = (JSON.parse(data) as LogEvents["note"]).message;
          this.#say(this.#note);
          break;
        case "failure": {
          const { message, hint } = JSON.parse(data) as LogEvents["failure"];
          this.#become({ kind: "refused", message, hint });
          isEnd = true;
          break;
        }
        case "end":
          this.#become({ kind: "ended", message: this.#note });
          isEnd = true;
          break;
      }
    }
    if (count > 0) {
      this.#hasBegun();
      this.#measureLag(count);
      this.#changed();
    }
    return isEnd;
  }

  #push({ label, container, time, stream, text }: LogEvent): void {
    // A connection that broke may have brought lines whose place it did not tell any more.
    if (time <= (this.#timesBefore.get(container) ?? "")) return;
    this.#times.set(container, time);
    this.#note = null;
    if (this.#holds && this.#buffer.isFull) {
      this.missed++;
      return;
    }
    this.#buffer.push({ text, label, time: Date.parse(time), kind: stream });
  }

  /** Lines of the past come at once and are no lag; it is one while many come, and they come late. */
  #measureLag(count: number): void {
    const now = performance.now();
    this.#arrivals = this.#arrivals.filter(({ at }) => now - at < LAG_WINDOW);
    this.#arrivals.push({ at: now, count });
    const [first] = this.#arrivals;
    const isSteady = first !== undefined && now - first.at > LAG_WINDOW / 2;
    const many = this.#arrivals.reduce((sum, { count }) => sum + count, 0) > MANY;
    const last = this.#buffer.line(this.#buffer.next - 1);
    const late = last === undefined || last.kind === "note" ? 0 : Date.now() - last.time;
    this.lag = isSteady && many && late > LATE ? late : 0;
  }

  #say(text: string): void {
    this.#buffer.push({ text, label: "", time: Date.now(), kind: "note" });
    this.#changed();
  }

  #hasBegun(): void {
    if (this.state.kind === "live" && this.state.isNew) {
      this.#become({ kind: "live", isNew: false });
    }
  }

  #become(state: LogState): void {
    clearTimeout(this.#beginning);
    this.state = state;
    this.#changed();
  }
}
