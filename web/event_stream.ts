/**
 * Reads Server-Sent Events of a response (HTML standard, 9.2). The browser's own EventSource tells neither why a
 * connection was refused nor when it tries again, cannot say where to resume, and makes an object of every line: logs come
 * with tens of thousands a second.
 */

/** One event. */
export interface StreamEvent {
  /** `message` where the stream names none. */
  type: string;
  data: string;
  /** The last id that the stream gave, this event's or an earlier one's. */
  id: string;
}

/** Puts a stream together that comes in pieces cut anywhere. */
export class EventStreamParser {
  #rest = "";
  #type = "";
  #data: string | null = null;
  #id = "";

  /** Takes the next piece and returns the events that are complete with it. */
  push(piece: string): StreamEvent[] {
    const text = this.#rest + piece;
    const events: StreamEvent[] = [];
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#takeLine(text.slice(from, text[end - 1] === "\r" ? end - 1 : end), events);
      from = end + 1;
    }
    this.#rest = text.slice(from);
    return events;
  }

  #takeLine(line: string, events: StreamEvent[]): void {
    if (line === "") {
      if (this.#data !== null) {
        events.push({ type: this.#type || "message", data: this.#data, id: this.#id });
      }
      this.#type = "";
      this.#data = null;
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    else if (field === "event") this.#type = value;
    else if (field === "id") this.#id = value;
  }
}

/**
 * Reads a response's events to its end, some at a time as they come; an empty list is a sign of life. Ending the iteration
 * ends the reading.
 */
export async function* readEventStream(response: Response): AsyncGenerator<StreamEvent[]> {
  if (response.body === null) return;
  const parser = new EventStreamParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      yield parser.push(read.value);
    }
  } finally {
    // A stream that broke is cancelled already, and says so by an error that was thrown above.
    await reader.cancel().catch(() => undefined);
  }
}
