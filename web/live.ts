/// <reference lib="dom" />
/**
 * Keeps what the page shows up to date: holds the state, tells those who show it, and stays connected to the server's
 * stream of events. A connection that breaks is made again from the last event on; a hidden tab lets go of its own, because
 * a browser has six for each server.
 */

import type { PageState, ServerEvent } from "../src/domain/api.ts";
import { announcements } from "./announcements.ts";
import { ApiError, openStream } from "./api.ts";
import { readEventStream } from "./event_stream.ts";
import { applyEvents, type Connection, initialState, type LiveState } from "./live_state.ts";

/** Milliseconds before each further attempt to connect; the last one counts for all after it. */
const PATIENCE = [300, 1000, 2000, 3000, 5000] as const;

/** Milliseconds without any sign of life after which a connection counts as broken; the server sends one every 15 s. */
const SILENCE = 40_000;

/** Milliseconds that a tab may be hidden before it lets its connections go. */
const HIDDEN_FOR = 5000;

/** The state of the page, and its connection to the server. */
export class Live {
  state: LiveState;
  readonly #listeners = new Set<() => void>();
  #cursor: string | null;
  #running: AbortController | undefined;
  #hiding: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;

  constructor(page: PageState, now: number) {
    this.state = initialState(page, now);
    this.#cursor = page.cursor;
  }

  /** Calls back before the browser draws the next picture, when the state has changed. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes the state. */
  update(change: (state: LiveState) => LiveState): void {
    const changed = change(this.state);
    if (changed === this.state) return;
    this.state = changed;
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      for (const listener of this.#listeners) listener();
    });
  }

  /** Has something read out by a screen reader. */
  announce(text: string): void {
    this.update((state) => ({
      ...state,
      announcement: { text, count: state.announcement.count + 1 },
    }));
  }

  /** Connects, and stays connected while the tab is to be seen. */
  start(): void {
    document.addEventListener("visibilitychange", () => this.#lookAtTab());
    // A page that comes back from the browser's cache has lost its connections.
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.reconnect();
    });
    addEventListener("pagehide", () => this.#running?.abort());
    this.reconnect();
  }

  /** Asks for everything anew. */
  refresh(): void {
    this.#cursor = null;
    this.reconnect();
  }

  /** Drops the connection, if there is one, and connects at once. */
  reconnect(): void {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    void this.#stayConnected(running.signal);
  }

  #lookAtTab(): void {
    clearTimeout(this.#hiding);
    if (document.visibilityState === "hidden") {
      this.#hiding = setTimeout(() => {
        this.#running?.abort();
        this.#connection({ kind: "resting" });
      }, HIDDEN_FOR);
    } else if (this.#running?.signal.aborted) {
      this.reconnect();
    }
  }

  async #stayConnected(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      if (failures === 0) this.#connection({ kind: "connecting" });
      try {
        await this.#follow(signal, () => failures = 0);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError || isBroken(error))) throw error;
        if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
          this.#connection({ kind: "refused", message: error.message, hint: error.hint });
          return;
        }
        const wait = PATIENCE[Math.min(failures, PATIENCE.length - 1)] ?? 0;
        failures++;
        const { message } = error;
        this.#connection({ kind: "lost", failures, retryAt: Date.now() + wait, message });
        await pause(wait, signal);
      }
    }
  }

  /** Takes the events of one connection until it ends, which is always an error. */
  async #follow(signal: AbortSignal, onOpen: () => void): Promise<never> {
    const silence = new AbortController();
    const timer = new Watchdog(() => silence.abort(), SILENCE);
    try {
      const either = AbortSignal.any([signal, silence.signal]);
      const response = await openStream("/api/events", {
        lastEventId: this.#cursor,
        signal: either,
      });
      onOpen();
      this.#connection({ kind: "live" });
      for await (const read of readEventStream(response)) {
        timer.reset();
        const events = [...read];
        if (events.length === 0) continue;
        this.#cursor = events.at(-1)?.id || this.#cursor;
        this.#take(events.map(({ data }) => JSON.parse(data) as ServerEvent));
      }
    } finally {
      timer.stop();
    }
    throw new ApiError(0, { code: "unavailable", message: "The server has ended", hint: null });
  }

  #take(events: readonly ServerEvent[]): void {
    this.update((before) => {
      const after = { ...applyEvents(before, events), updatedAt: Date.now() };
      const text = announcements(before, after);
      if (text === "") return after;
      return { ...after, announcement: { text, count: before.announcement.count + 1 } };
    });
  }

  #connection(connection: Connection): void {
    this.update((before) => {
      const after = { ...before, connection };
      const text = announcements(before, after);
      if (text === "") return after;
      return { ...after, announcement: { text, count: before.announcement.count + 1 } };
    });
  }
}

/** Calls back when it was not reset for a time. */
class Watchdog {
  readonly #bark: () => void;
  readonly #time: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(bark: () => void, time: number) {
    this.#bark = bark;
    this.#time = time;
    this.#timer = setTimeout(bark, time);
  }

  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bark, this.#time);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Tells whether a connection broke while it was read, or fell silent. */
export function isBroken(error: unknown): error is Error {
  return error instanceof TypeError ||
    (error instanceof DOMException && ["AbortError", "NetworkError"].includes(error.name));
}

/** Waits; returns early when the signal is given. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
