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

/** Reads the lines of a log with times, as it comes: those of one part of the body together, as a flood has millions. */
export async function* readLogLines(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
  hasTerminal: boolean,
): AsyncGenerator<LogLine[]> {
  const stdout = new Lines("stdout");
  const stderr = new Lines("stderr");
  const frames = new Frames();
  for await (const part of body) {
    const lines: LogLine[] = [];
    if (hasTerminal) {
      stdout.take(part, "times in every line", lines);
    } else {
      for (const { stream, bytes } of frames.take(part)) {
        (stream === 2 ? stderr : stdout).take(bytes, "time in front", lines);
      }
    }
    if (lines.length > 0) yield lines;
  }
  const last = [...stdout.end(), ...stderr.end()];
  if (last.length > 0) yield last;
}

const SPACE = " ".charCodeAt(0);

/** The characters behind which a line that goes on is cut: a program may write without ever ending a line. */
const LONGEST = 256 * 1024;

interface Frame {
  stream: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Cuts a body, which comes in parts cut anywhere, into its frames. */
class Frames {
  #unread = new Uint8Array(0);

  /** Takes the next part, and gives the frames that are whole with it, good until the part is not. */
  *take(part: Uint8Array<ArrayBuffer>): Generator<Frame> {
    // Mostly a frame comes whole, and nothing is copied.
    const all = this.#unread.length === 0 ? part : join(this.#unread, part);
    const view = new DataView(all.buffer, all.byteOffset);
    let at = 0;
    while (at + 8 <= all.length) {
      const end = at + 8 + view.getUint32(at + 4);
      if (end > all.length) break;
      yield { stream: all[at] ?? 0, bytes: all.subarray(at + 8, end) };
      at = end;
    }
    this.#unread = all.slice(at);
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

  /** Takes the next piece, and adds the lines that are whole with it to `lines`. */
  take(
    bytes: Uint8Array<ArrayBuffer>,
    times: "time in front" | "times in every line",
    lines: LogLine[],
  ): void {
    // A message that goes on with a line, maybe in the middle of a character, has a time that the line's beginning had.
    const start = times === "time in front" && this.#rest !== "" ? bytes.indexOf(SPACE) + 1 : 0;
    const text = this.#decoder.decode(bytes.subarray(start), { stream: true });
    if (this.#rest.length > LONGEST && /^\r?[^\r\n]/.test(text)) {
      lines.push(this.#line(this.#rest));
      // The next piece has the time of the line's beginning.
      this.#rest = this.#rest.slice(0, this.#rest.indexOf(" ") + 1);
    }
    const texts = (this.#rest + text).split("\n");
    this.#rest = texts.pop() ?? "";
    for (const line of texts) lines.push(this.#line(line));
  }

  /** Gives what the end of the log has left without a line end. */
  end(): LogLine[] {
    return this.#rest === "" ? [] : [this.#line(this.#rest)];
  }

  #line(line: string): LogLine {
    const space = line.indexOf(" ");
    const text = line.slice(space + 1, line.endsWith("\r") ? -1 : undefined);
    return { time: line.slice(0, space), from: this.#from, text };
  }
}
