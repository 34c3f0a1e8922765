import assert from "node:assert/strict";
import fc from "fast-check";
import { lineForTerminal } from "../../src/terminal/log_text.ts";
import { type LogLine, readLogLines } from "../../src/programs/container_log.ts";
import { type Connection, ConnectionLost, exchange, readAll } from "../../src/programs/http.ts";
import { anyText, fuzz, piecesOf } from "./fuzz.ts";

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

const TIME = "2026-01-02T03:04:05.123456789Z";
const encoder = new TextEncoder();

/** Writes one frame of the engine's stream. */
function frame(stream: number, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(8 + bytes.length);
  whole[0] = stream;
  new DataView(whole.buffer).setUint32(4, bytes.length);
  whole.set(bytes, 8);
  return whole;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const line = fc.record({
  from: fc.constantFrom("stdout" as const, "stderr" as const),
  // What ends a line is none of its text, and a lone surrogate is no text.
  text: anyText.map((text) => text.replaceAll(/[\r\n]/g, "").toWellFormed()),
  /** Where a message is cut, in bytes, as the engine cuts after 16 KB. */
  cuts: fc.array(fc.nat({ max: 20 }), { maxLength: 2 }),
});

const sizes = fc.array(fc.nat({ max: 40 }), { maxLength: 30 });

fuzz(
  "readLogLines() reads each line whole, however frames and pieces are cut",
  fc.tuple(fc.array(line, { maxLength: 8 }), sizes, fc.boolean()),
  async ([lines, sizes, hasTerminal]) => {
    const frames = lines.flatMap(({ from, text, cuts }) => {
      const bytes = encoder.encode(`${text}${hasTerminal ? "\r" : ""}\n`);
      const places = [0, ...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length]
        .sort((a, b) => a - b);
      if (hasTerminal) return [joined([encoder.encode(`${TIME} `), bytes])];
      return places.slice(1).flatMap((end, index) => {
        const part = bytes.subarray(places[index], end);
        return part.length === 0
          ? []
          : [frame(from === "stdout" ? 1 : 2, joined([encoder.encode(`${TIME} `), part]))];
      });
    });
    const body = pieces(joined(frames), sizes);
    const read: LogLine[] = [];
    for await (const some of readLogLines(each(body), hasTerminal)) read.push(...some);
    const expected = lines.map(({ from, text }) => ({
      time: TIME,
      from: hasTerminal ? "stdout" : from,
      text,
    }));
    assert.deepEqual(read.toSorted(byStream), expected.toSorted(byStream));
  },
  { count: 500 },
);

function byStream(a: { from: string }, b: { from: string }): number {
  return a.from < b.from ? -1 : a.from > b.from ? 1 : 0;
}

/** Cuts bytes into pieces of these sizes. */
function pieces(whole: Uint8Array<ArrayBuffer>, sizes: readonly number[]) {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const size of sizes) parts.push(whole.slice(at, at += size));
  return [...parts, whole.slice(at)];
}

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.array(fc.constantFrom(0, 1, 2, 10, 13, 32, 48, 58, 255, 195, 128), { maxLength: 80 })
    .map((bytes) => Uint8Array.from(bytes)),
);

fuzz("readLogLines() takes any bytes", fc.tuple(piecesOf(anyBytes), fc.boolean()), async ([
  pieces,
  hasTerminal,
]) => {
  let count = 0;
  for await (const lines of readLogLines(each(pieces), hasTerminal)) {
    assert.ok(lines.length > 0);
    for (const { time, text } of lines) assert.ok(!`${time}${text}`.includes("\n"));
    count += lines.length;
  }
  assert.ok(count <= pieces.reduce((sum, { length }) => sum + length, 0));
}, { count: 1000 });

/** A connection that answers with these pieces, whatever it is asked. */
function answering(pieces: readonly Uint8Array[]): Connection {
  const waiting = [...pieces];
  return {
    write: (bytes) => Promise.resolve(Math.max(1, bytes.length >> 1)),
    read(buffer) {
      const piece = waiting.shift();
      if (piece === undefined) return Promise.resolve(null);
      buffer.set(piece.subarray(0, buffer.length));
      return Promise.resolve(piece.length);
    },
  };
}

const http = fc.array(
  fc.constantFrom(
    ...["HTTP/1.1 200 OK", "HTTP/1.0 404", "HTTP/1.1 204 No", "\r\n", "\r\n", "\n", "\r\n\r\n"],
    ...["Content-Length: 3", "Content-Length: x", "content-length: -1", "Content-Length: 1e9"],
    ...["Transfer-Encoding: chunked", "transfer-encoding: Chunked", "a:b", ":", "3\r\nabc\r\n"],
    ...["0\r\n\r\n", "ffffffffff\r\n", "zz\r\n", "3;x=y\r\nabc\r\n", "abc", "ä", "\0"],
  ),
  { maxLength: 14 },
).map((parts) => encoder.encode(parts.join("")));

fuzz(
  "exchange() reads any answer to its end, or says that it is none",
  piecesOf(fc.oneof(http, anyBytes)),
  async (pieces) => {
    try {
      const { status, body } = await exchange(answering(pieces), "GET", "/x");
      assert.ok(status >= 0 && status <= 999);
      const bytes = await readAll(body);
      assert.ok(bytes.length <= pieces.reduce((sum, { length }) => sum + length, 0));
    } catch (error) {
      const isExpected = error instanceof ConnectionLost ||
        (error instanceof TypeError && error.message.startsWith("Not "));
      if (!isExpected) throw error;
    }
  },
  { count: 1000 },
);

fuzz(
  "exchange() reads a body whole, however it is cut",
  fc.tuple(fc.uint8Array({ maxLength: 60 }), sizes, fc.constantFrom("length", "chunked", "rest")),
  async ([content, sizes, how]) => {
    const head = how === "length"
      ? `Content-Length: ${content.length}\r\n`
      : how === "chunked"
      ? "Transfer-Encoding: chunked\r\n"
      : "";
    const chunks = how === "chunked"
      ? [
        ...pieces(Uint8Array.from(content), [7, 20]).filter(({ length }) => length > 0).flatMap((
          part,
        ) => [encoder.encode(`${part.length.toString(16)}\r\n`), part, encoder.encode("\r\n")]),
        encoder.encode("0\r\n\r\n"),
      ]
      : [content];
    const whole = joined([encoder.encode(`HTTP/1.1 200 OK\r\n${head}\r\n`), ...chunks]);
    const cut = pieces(whole, sizes).filter(({ length }) => length > 0);
    const { status, body } = await exchange(answering(cut), "GET", "/x");
    assert.equal(status, 200);
    assert.deepEqual(await readAll(body), Uint8Array.from(content));
  },
  { count: 1000 },
);

fuzz(
  "lineForTerminal() lets colours through and nothing that a terminal obeys",
  fc.tuple(
    fc.oneof(
      anyText,
      fc.array(
        fc.constantFrom(
          "\x1b",
          "[",
          "]",
          "0",
          "31",
          ";",
          "m",
          "A",
          "\x07",
          "\\",
          "P",
          "?",
          "x",
          " ",
          "\x9b",
          "\r",
          "\u202e",
          "\u2066",
        ),
        { maxLength: 20 },
      ).map((parts) => parts.join("")),
    ),
    fc.boolean(),
  ),
  ([line, colours]) => {
    const shown = lineForTerminal(line, colours);
    const rest = shown.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;:]*m`, "g"), "");
    assert.doesNotMatch(rest, /[^\P{Cc}\t]|\p{Bidi_Control}/u, JSON.stringify(shown));
    if (!colours) assert.equal(rest, shown);
  },
  { count: 3000 },
);
