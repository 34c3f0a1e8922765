/**
 * Streams the logs of an environment: `GET …/:name/logs`. The engine is read no faster than the reader takes, so that a
 * flood costs no memory and loses no line. Now and then an event says how far each container was read, as its id; a reader
 * that comes back with it goes on there.
 */

import type { LogEvent, LogEvents } from "../domain/api.ts";
import { parseSince } from "../domain/since.ts";
import {
  type LogRequest,
  type Logs,
  openLogs,
  type Places,
  type ServiceLine,
} from "../operations/read_logs.ts";
import type { Tools } from "../operations/tools.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { errorBody, isBug, Refusal } from "./answers.ts";
import { EventStream, eventText } from "./event_stream.ts";

/** How many of the last lines of each container are told where nobody says how many. */
const USUAL_TAIL = 1000;

/** How many characters may wait for the reader before the engine has to wait for both. */
const MOST_WAITING = 64 * 1024;

/** Milliseconds between two signs of life, by which a reader that has gone is noticed. */
const SIGN_OF_LIFE = 15_000;

/** The log streams of the server. */
export class LogStreams {
  readonly #tools: Tools;
  readonly #failed: (error: unknown) => void;
  readonly #open = new Set<LogReader>();

  /** @param failed is told what nobody expects. */
  constructor(tools: Tools, failed: (error: unknown) => void) {
    this.#tools = tools;
    this.#failed = failed;
  }

  /**
   * Begins to stream.
   *
   * @throws {Refusal} 400 for a query that says nothing; what {@link openLogs} throws.
   */
  async open(record: EnvironmentRecord, request: Request, url: URL): Promise<Response> {
    const wanted = parseQuery(url.searchParams, request.headers.get("last-event-id"));
    const reader = new LogReader(() => this.#open.delete(reader));
    this.#open.add(reader);
    try {
      const logs = await openLogs(this.#tools, record, wanted, {
        signal: reader.signal,
        report: (report) => {
          if (report.kind === "note") reader.tell("note", { message: report.message });
        },
      });
      reader.follow(logs, this.#failed);
    } catch (error) {
      this.#open.delete(reader);
      throw error;
    }
    return reader.response;
  }

  /** Ends all streams. */
  endStreams(): void {
    for (const reader of this.#open) reader.end();
  }
}

/** One stream, and the reading of its lines. */
class LogReader {
  readonly #ending = new AbortController();
  readonly #stream: EventStream;
  #timer: ReturnType<typeof setInterval> | undefined;
  #texts: string[] = [];
  #size = 0;
  readonly #places: Record<string, string> = {};
  #hasNewPlaces = false;
  #wakeWriter: () => void = () => {};

  constructor(closed: () => void) {
    this.#stream = new EventStream({
      take: () => this.#take(),
      closed: () => {
        clearInterval(this.#timer);
        this.#ending.abort();
        this.#wakeWriter();
        closed();
      },
    });
  }

  get response(): Response {
    return this.#stream.response;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Tells something that is no line. */
  tell<Type extends keyof LogEvents>(type: Type, data: LogEvents[Type]): void {
    this.#push(eventText({ type, data: JSON.stringify(data) }));
  }

  /** Ends the stream. */
  end(): void {
    this.#ending.abort();
    this.#wakeWriter();
    this.#stream.end();
  }

  /** Tells the lines as they come, until there are no more or the reader goes. */
  async follow(logs: Logs, failed: (error: unknown) => void): Promise<void> {
    this.#timer = setInterval(() => this.#push(": still here\n\n"), SIGN_OF_LIFE);
    try {
      for await (const lines of logs.lines) {
        let text = "";
        for (const line of lines) text += eventText({ data: JSON.stringify(eventOf(line)) });
        for (const { container, time } of lines) this.#places[container] = time;
        this.#hasNewPlaces = true;
        this.#push(text);
        if (this.#size > MOST_WAITING) await this.#room();
        if (this.signal.aborted) return;
      }
      this.tell("end", {});
    } catch (error) {
      if (this.signal.aborted) return;
      if (isBug(error)) failed(error);
      this.tell("failure", errorBody(error));
    } finally {
      this.#stream.end();
    }
  }

  #push(text: string): void {
    this.#texts.push(text);
    this.#size += text.length;
    this.#stream.wake();
  }

  #take(): string {
    if (this.#hasNewPlaces) {
      this.#texts.push(eventText({ id: JSON.stringify(this.#places), type: "place", data: "{}" }));
      this.#hasNewPlaces = false;
    }
    const text = this.#texts.join("");
    this.#texts = [];
    this.#size = 0;
    this.#wakeWriter();
    return text;
  }

  /** Waits until the reader has taken what there is. */
  #room(): Promise<void> {
    return new Promise((resolve) => this.#wakeWriter = resolve);
  }
}

function eventOf({ service, label, container, time, from, text }: ServiceLine): LogEvent {
  return { service, label, container, time, stream: from, text };
}

function parseQuery(query: URLSearchParams, place: string | null): LogRequest {
  const refuse = (field: string, what: string) =>
    new Refusal(400, `The parameter "${field}" must be ${what}`, { field });
  const follow = query.get("follow") ?? "false";
  if (follow !== "true" && follow !== "false") throw refuse("follow", "true or false");
  const tail = query.get("tail") ?? String(USUAL_TAIL);
  if (tail !== "all" && !/^\d{1,9}$/.test(tail)) throw refuse("tail", "a number of lines, or all");
  const typed = query.get("since");
  const since = typed === null ? undefined : parseSince(typed, Date.now());
  if (typed !== null && since === undefined) throw refuse("since", "a time, or how long ago");
  return {
    services: query.getAll("service").filter((service) => service !== ""),
    follow: follow === "true",
    tail: tail === "all" ? tail : Number(tail),
    since,
    after: place === null ? undefined : parsePlaces(place),
  };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** Reads the id of an event; undefined when it is none of this stream's, which then begins anew. */
function parsePlaces(text: string): Places | undefined {
  let places: unknown;
  try {
    places = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  if (typeof places !== "object" || places === null) return undefined;
  const entries = Object.entries(places);
  const isValid = entries.every(([, time]) => typeof time === "string" && TIME.test(time));
  return isValid && entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
