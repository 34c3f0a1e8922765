import assert from "node:assert/strict";
import { readLogLines } from "../../src/programs/container_log.ts";

const TIME = "2026-01-02T03:04:05.123456789Z";

/** Reads the lines of some messages to stdout, each a frame of its own. */
async function read(messages: readonly (readonly number[])[]): Promise<string[]> {
  const lines: string[] = [];
  const frames = messages.map((message) => {
    const text = [...new TextEncoder().encode(`${TIME} `), ...message];
    return Uint8Array.from([1, 0, 0, 0, 0, 0, 0, text.length, ...text]);
  });
  async function* body() {
    for (const frame of frames) yield await Promise.resolve(frame);
  }
  for await (const { text } of readLogLines(body(), false)) lines.push(text);
  return lines;
}

Deno.test("readLogLines() keeps a character whole that is spread over two messages", async () => {
  const bytes = [...new TextEncoder().encode("größe\n")];
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.deepEqual(await read([bytes.slice(0, cut), bytes.slice(cut)]), ["größe"]);
  }
});
