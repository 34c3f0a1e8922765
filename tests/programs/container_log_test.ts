import assert from "node:assert/strict";
import { readLogLines } from "../../src/programs/container_log.ts";

const TIME = "2026-01-02T03:04:05.123456789Z";

/** Reads the lines of some messages to stdout, each a frame of its own. */
async function read(messages: readonly (readonly number[])[]): Promise<string[]> {
  const lines: string[] = [];
  const frames = messages.map((message) => {
    const text = [...new TextEncoder().encode(`${TIME} `), ...message];
    const { length } = text;
    return Uint8Array.from([1, 0, 0, 0, 0, 0, length >> 8, length & 255, ...text]);
  });
  async function* body() {
    for (const frame of frames) yield await Promise.resolve(frame);
  }
  for await (const read of readLogLines(body(), false)) lines.push(...read.map(({ text }) => text));
  return lines;
}

Deno.test("readLogLines() keeps a character whole that is spread over two messages", async () => {
  const bytes = [...new TextEncoder().encode("größe\n")];
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.deepEqual(await read([bytes.slice(0, cut), bytes.slice(cut)]), ["größe"]);
  }
});

Deno.test("readLogLines() cuts a line that never ends, and loses nothing of it", async () => {
  const message = [...new TextEncoder().encode("ö".repeat(8000))];
  const endless = await read([...Array.from({ length: 100 }, () => message), [10], [97, 10]]);
  assert.equal(endless.at(-1), "a");
  const pieces = endless.slice(0, -1);
  assert.equal(pieces.length, 4);
  for (const piece of pieces) assert.ok(piece.length < 300_000, String(piece.length));
  assert.equal(pieces.join(""), "ö".repeat(800_000));
  // One that ends where it would have been cut is one line.
  const long = Array.from({ length: 33 }, () => message);
  assert.deepEqual((await read([...long, [13, 10]])).map(({ length }) => length), [264_000]);
});

/** Cuts bytes into parts, each of which takes the place of the one before, as in the buffer of a connection. */
async function* inOneBuffer(bytes: readonly number[], size: number) {
  const buffer = new Uint8Array(3 + size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.slice(at, at + size);
    buffer.set(part, 3);
    yield await Promise.resolve(buffer.subarray(3, 3 + part.length));
    buffer.fill(255);
  }
}

Deno.test("readLogLines() needs a part of the body no longer than until the next one, wherever it is cut", async () => {
  const words = ["one", "two", "größe", "", "four"];
  const whole = words.flatMap((word) => {
    const text = new TextEncoder().encode(`${TIME} ${word}\n`);
    return [1, 0, 0, 0, 0, 0, 0, text.length, ...text];
  });
  for (let size = 1; size <= 64; size++) {
    const lines: string[] = [];
    for await (const read of readLogLines(inOneBuffer(whole, size), false)) {
      lines.push(...read.map(({ text }) => text));
    }
    assert.deepEqual(lines, words, `parts of ${size} bytes`);
  }
});
