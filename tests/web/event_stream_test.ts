import assert from "node:assert/strict";
import { EventStreamParser, readEventStream } from "../../web/event_stream.ts";

const STREAM = [
  "retry: 1000\n\n",
  ": still here\n\n",
  'id: abc-1\nevent: environment\ndata: {"a":1}\n\n',
  "data: first\ndata: second\n\n",
  "id: abc-3\r\ndata:no space\r\n\r\n",
  "event: end\ndata\n\n",
].join("");

const EVENTS = [
  { type: "environment", data: '{"a":1}', id: "abc-1" },
  { type: "message", data: "first\nsecond", id: "abc-1" },
  { type: "message", data: "no space", id: "abc-3" },
  { type: "end", data: "", id: "abc-3" },
];

Deno.test("EventStreamParser reads types, ids, many lines of data, and no comments", () => {
  assert.deepEqual([...new EventStreamParser().push(STREAM)], EVENTS);
});

Deno.test("EventStreamParser puts together what is cut anywhere", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new EventStreamParser();
    const events = [...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))];
    assert.deepEqual(events, EVENTS, `cut at ${cut}`);
  }
});

Deno.test("readEventStream() keeps characters whole that are cut between bytes", async () => {
  const bytes = new TextEncoder().encode("data: grün 🎉\n\n");
  const response = new Response(
    new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    }),
  );
  const events = [];
  for await (const some of readEventStream(response)) events.push(...some);
  assert.deepEqual(events, [{ type: "message", data: "grün 🎉", id: "" }]);
});
