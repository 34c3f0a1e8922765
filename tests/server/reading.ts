/** Reads a stream of events of a `piko server` as a program would: as far as a test wants, and to wherever it is broken off. */

import assert from "node:assert/strict";
import type { LogEvent, ServerEvent } from "../../src/domain/api.ts";
import { EventStreamParser, type StreamEvent } from "../../web/event_stream.ts";
import type { Server } from "../server.ts";

/** A stream that is read as far as a test wants. */
export class Reading implements AsyncDisposable {
  readonly events: StreamEvent[] = [];
  readonly lines: LogEvent[] = [];
  readonly #ending = new AbortController();
  readonly #parser = new EventStreamParser();
  #reader: ReadableStreamDefaultReader<string> | undefined;

  async open(server: Server, path: string, lastEventId?: string): Promise<Response> {
    const response = await fetch(`${server.origin}${path}`, {
      signal: this.#ending.signal,
      headers: {
        ...await server.key(),
        ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
      },
    });
    this.#reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    return response;
  }

  /** Reads on until a condition holds for what has come, or the stream ends. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { done, value = "" } = await this.#reader?.read() ?? { done: true };
      for (const event of this.#parser.push(value)) {
        this.events.push(event);
        if (event.type === "message") this.lines.push(JSON.parse(event.data));
      }
      if (done) return assert.ok(condition(), `it has ended with ${this.types.join(", ")}`);
    }
  }

  /** What the events of `GET /api/events` say. */
  get told(): ServerEvent[] {
    return this.events.map(({ data }) => JSON.parse(data));
  }

  /** The types of the events that are no lines and tell no place. */
  get types(): string[] {
    return this.events.map(({ type }) => type).filter((type) =>
      type !== "message" && type !== "place"
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#reader?.cancel().catch(() => undefined);
  }
}

/** Milliseconds that anything may take on a machine that does other things too. */
const PATIENCE = 60_000;

/** Waits for something, and fails when it does not happen. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not happen")), PATIENCE);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
