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

  /** Takes the next piece; its lines are read as the events that are complete with it are asked for. */
  *push(piece: string): Generator<StreamEvent> {
    // Only the line that goes on is put together: a whole piece would be copied for it.
    const end = piece.indexOf("\n");
    if (end < 0) {
      this.#rest += piece;
      return;
    }
    const first = this.#rest + piece.slice(0, end + 1);
    this.#rest = "";
    yield* this.#takeLines(first);
    yield* this.#takeLines(piece, end + 1);
  }

  *#takeLines(text: string, from = 0): Generator<StreamEvent> {
    for (let end = text.indexOf("\n", from); end >= 0; end = text.indexOf("\n", from)) {
      const event = this.#takeLine(text, from, text[end - 1] === "\r" ? end - 1 : end);
      from = end + 1;
      if (event !== undefined) yield event;
    }
    this.#rest = text.slice(from);
  }

  /** Takes the line between two places of a text; an empty one ends an event. */
  #takeLine(text: string, from: number, end: number): StreamEvent | undefined {
    if (from === end) {
      const [type, data] = [this.#type || "message", this.#data];
      this.#type = "";
      this.#data = null;
      return data === null ? undefined : { type, data, id: this.#id };
    }
    const colon = text.indexOf(":", from);
    if (colon === from) return undefined;
    const hasValue = colon >= 0 && colon < end;
    const field = text.slice(from, hasValue ? colon : end);
    const value = hasValue ? text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1, end) : "";
    if (field === "data") this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    else if (field === "event") this.#type = value;
    else if (field === "id") this.#id = value;
    return undefined;
  }
}

/**
 * Reads a response's events to its end, some at a time as they come; none at all are a sign of life. All of them are to be
 * taken before the next ones are asked for; ending the iteration ends the reading.
 */
export async function* readEventStream(response: Response): AsyncGenerator<Iterable<StreamEvent>> {
  if (response.body === null) return;
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const piece = decoder.decode(read.value, { stream: true });
      // Gives the memory back at once: the collector would leave the bytes of a flood lying for long.
      read.value.buffer.transfer(0);
      yield parser.push(piece);
    }
  } finally {
    // A stream that broke is cancelled already, and says so by an error that was thrown above.
    await reader.cancel().catch(() => undefined);
  }
}
