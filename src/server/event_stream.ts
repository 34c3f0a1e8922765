/**
 * One stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). It takes text only
 * when its reader is ready for it, so whoever writes keeps the queue, and decides what is left out for a slow reader.
 */

import { SECURITY_HEADERS } from "./answers.ts";

/** What an event stream is made of. */
export interface EventSource {
  /** Gives the text that is ready, and "" when there is none yet. */
  take: () => string;
  /** Called once, when the reader has gone or the stream has ended. */
  closed: () => void;
}

/** Writes an event; `data` must hold no line ends, as JSON does not. */
export function eventText(event: { type?: string; id?: string; data: string }): string {
  const id = event.id === undefined ? "" : `id: ${event.id}\n`;
  const type = event.type === undefined ? "" : `event: ${event.type}\n`;
  return `${id}${type}data: ${event.data}\n\n`;
}

/** A stream of events to one reader. */
export class EventStream {
  readonly response: Response;
  #wake: () => void = () => {};
  #isEnding = false;
  #isClosed = false;
  readonly #source: EventSource;

  constructor(source: EventSource) {
    this.#source = source;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        for (;;) {
          if (this.#isClosed) return;
          const text = source.take();
          if (text !== "") controller.enqueue(encoder.encode(text));
          if (this.#isEnding) {
            // What comes from now on is for nobody: a slow reader would else never see the end.
            this.#close();
            return controller.close();
          }
          if (text !== "") return;
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      },
      cancel: () => {
        this.#close();
        this.#wake();
      },
    }, { highWaterMark: 0 });
    this.response = new Response(body, {
      headers: {
        ...SECURITY_HEADERS,
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
      },
    });
  }

  /** Says that there is text to take. */
  wake(): void {
    this.#wake();
  }

  /** Ends the stream when everything that is ready has been taken. */
  end(): void {
    this.#isEnding = true;
    this.#wake();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.closed();
  }
}
