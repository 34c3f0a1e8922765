/**
 * Pushes to every page what has changed: `GET /api/events`. Each event has an id, `EPOCH-NUMBER`, whose epoch is this run
 * of the server; a reader that comes back is given what it has missed, or, when that is no longer kept, a snapshot. One that
 * is too slow is given a snapshot too, instead of what would pile up; nobody waits for anybody.
 */

import type { ServerEvent } from "../domain/api.ts";
import { EventStream, eventText } from "./event_stream.ts";

/** How many events are kept for readers that come back. */
const KEPT = 2000;

/** How many characters may wait for one reader. */
const MOST_WAITING = 1024 * 1024;

/** Milliseconds between two signs of life, by which a reader that has gone is noticed. */
const SIGN_OF_LIFE = 15_000;

interface Reader {
  stream: EventStream;
  /** What waits for the reader. */
  texts: string[];
  size: number;
  /** Whether it is to be told everything anew. */
  isBehind: boolean;
}

/** The events of the server and those who read them. */
export class Events implements Disposable {
  readonly #epoch = crypto.randomUUID().slice(0, 8);
  readonly #kept: string[] = [];
  readonly #readers = new Set<Reader>();
  readonly #snapshot: () => ServerEvent;
  readonly #timer: ReturnType<typeof setInterval>;
  #number = 0;

  /** @param snapshot tells everything that there is at this moment. */
  constructor(snapshot: () => ServerEvent) {
    this.#snapshot = snapshot;
    this.#timer = setInterval(() => this.#push(": still here\n\n"), SIGN_OF_LIFE);
  }

  /** The id of the last event. */
  get cursor(): string {
    return `${this.#epoch}-${this.#number}`;
  }

  /** How many read. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Tells an event to everybody. */
  publish(event: ServerEvent): void {
    this.#number++;
    const text = this.#textOf(event);
    this.#kept.push(text);
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#push(text);
  }

  /** Begins a stream behind the event with this id; everything is told when that cannot be. */
  open(after: string | null): Response {
    const missed = this.#since(after);
    const reader: Reader = {
      stream: new EventStream({
        take: () => this.#take(reader),
        closed: () => this.#readers.delete(reader),
      }),
      texts: ["retry: 1000\n\n", ...missed ?? []],
      size: 0,
      isBehind: missed === undefined,
    };
    this.#readers.add(reader);
    return reader.stream.response;
  }

  /** Tells everybody that the server ends, and ends their streams. */
  close(): void {
    this.publish({ type: "closing" });
    this.endStreams();
  }

  /** Ends all streams; whoever may, comes back. */
  endStreams(): void {
    for (const { stream } of this.#readers) stream.end();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.endStreams();
  }

  #push(text: string): void {
    for (const reader of this.#readers) {
      if (!reader.isBehind) {
        reader.texts.push(text);
        reader.size += text.length;
        if (reader.size > MOST_WAITING) {
          reader.texts = [];
          reader.isBehind = true;
        }
      }
      reader.stream.wake();
    }
  }

  #take(reader: Reader): string {
    if (reader.isBehind) {
      reader.isBehind = false;
      reader.texts.push(this.#textOf(this.#snapshot()));
    }
    const text = reader.texts.join("");
    reader.texts = [];
    reader.size = 0;
    return text;
  }

  /** Gives the events behind an id; undefined when they are not all there. */
  #since(id: string | null): string[] | undefined {
    const [, epoch, digits] = /^([0-9a-f]+)-(\d+)$/.exec(id ?? "") ?? [];
    if (epoch !== this.#epoch) return undefined;
    const missed = this.#number - Number(digits);
    if (missed < 0 || missed > this.#kept.length) return undefined;
    return missed === 0 ? [] : this.#kept.slice(-missed);
  }

  #textOf(event: ServerEvent): string {
    return eventText({ id: this.cursor, type: event.type, data: JSON.stringify(event) });
  }
}
