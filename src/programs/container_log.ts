/**
 * Reads the stream in which the engine tells a container's log: frames of one byte for the stream, three zeros, and the
 * length in four bytes (https://docs.docker.com/reference/api/engine/, "Stream format"), or bare text for a container
 * with a terminal. Each message begins with its time; one that is too long for a message is spread over several.
 */

/** A line of a container's log. */
export interface LogLine {
  /** In ISO 8601 UTC with nine digits behind the dot, so that times compare as text. */
  time: string;
  from: "stdout" | "stderr";
  text: string;
}

/** Reads the lines of a log with times, as it comes. */
export async function* readLogLines(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
  hasTerminal: boolean,
): AsyncGenerator<LogLine> {
  const stdout = new Lines("stdout");
  const stderr = new Lines("stderr");
  if (hasTerminal) {
    for await (const bytes of body) yield* stdout.take(bytes, "times in every line");
  } else {
    for await (const { stream, bytes } of readFrames(body)) {
      yield* (stream === 2 ? stderr : stdout).take(bytes, "time in front");
    }
  }
  for (const lines of [stdout, stderr]) yield* lines.end();
}

const SPACE = " ".charCodeAt(0);

/** The characters behind which a line that goes on is cut: a program may write without ever ending a line. */
const LONGEST = 256 * 1024;

interface Frame {
  stream: number;
  bytes: Uint8Array<ArrayBuffer>;
}

async function* readFrames(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Frame> {
  let unread = new Uint8Array(0);
  for await (const bytes of body) {
    // Mostly a frame comes whole, and nothing is copied.
    const all = unread.length === 0 ? bytes : join(unread, bytes);
    let at = 0;
    while (at + 8 <= all.length) {
      const end = at + 8 + new DataView(all.buffer, all.byteOffset).getUint32(at + 4);
      if (end > all.length) break;
      yield { stream: all[at] ?? 0, bytes: all.subarray(at + 8, end) };
      at = end;
    }
    unread = all.slice(at);
  }
}

function join(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Puts the messages of one stream together to lines. */
class Lines {
  readonly #from: LogLine["from"];
  // Deno 2.9 takes what stands at the beginning of any piece for the mark of the beginning of a text.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #rest = "";

  constructor(from: LogLine["from"]) {
    this.#from = from;
  }

  *take(bytes: Uint8Array<ArrayBuffer>, times: "time in front" | "times in every line") {
    // A message that goes on with a line, maybe in the middle of a character, has a time that the line's beginning had.
    const start = times === "time in front" && this.#rest !== "" ? bytes.indexOf(SPACE) + 1 : 0;
    const text = this.#decoder.decode(bytes.subarray(start), { stream: true });
    if (this.#rest.length > LONGEST && /^\r?[^\r\n]/.test(text)) {
      yield this.#line(this.#rest);
      // The next piece has the time of the line's beginning.
      this.#rest = this.#rest.slice(0, this.#rest.indexOf(" ") + 1);
    }
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) yield this.#line(line);
  }

  *end(): Generator<LogLine> {
    if (this.#rest !== "") yield this.#line(this.#rest);
    this.#rest = "";
  }

  #line(line: string): LogLine {
    const space = line.indexOf(" ");
    const text = line.slice(space + 1, line.endsWith("\r") ? -1 : undefined);
    return { time: line.slice(0, space), from: this.#from, text };
  }
}
