/** Who is told what: a reader that comes back, one that cannot be given what it missed, and one that does not read. */

import assert from "node:assert/strict";
import type { ServerEvent } from "../../src/domain/api.ts";
import { Events } from "../../src/server/events.ts";
import { EventStreamParser, type StreamEvent } from "../../web/event_stream.ts";

/** Events of a server that has no environments, and says so in every snapshot. */
function makeEvents(): Events {
  return new Events(() => ({ ...SNAPSHOT, cursor: "now" } as unknown as ServerEvent));
}

const SNAPSHOT = { type: "snapshot", environments: [], operations: [], projects: [] };

/** An event that is told apart from others by a number, and is as long as is wanted. */
function numbered(number: number, length = 0): ServerEvent {
  return {
    type: "removed",
    project: "shop",
    name: String(number).padEnd(length, "x"),
  } as unknown as ServerEvent;
}

/** Reads a stream that has not ended. */
class Reader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #parser = new EventStreamParser();

  constructor(events: Events, after: string | null = null) {
    const { body } = events.open(after);
    assert.ok(body);
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads until as many events have come. */
  async read(count: number): Promise<StreamEvent[]> {
    const found: StreamEvent[] = [];
    while (found.length < count) {
      const { done, value = "" } = await this.#reader.read();
      assert.ok(!done, `it has ended after ${found.length} of ${count} events`);
      found.push(...this.#parser.push(value));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

const names = (events: readonly StreamEvent[]) =>
  events.map(({ type, data }) => type === "snapshot" ? type : JSON.parse(data).name);

Deno.test("Events.open() begins with everything, and goes on with what happens", async () => {
  using events = makeEvents();
  await using reader = new Reader(events);
  assert.deepEqual(names(await reader.read(1)), ["snapshot"]);
  for (const number of [1, 2]) events.publish(numbered(number));
  assert.deepEqual(names(await reader.read(2)), ["1", "2"]);
});

Deno.test("Events.open() gives a reader that comes back what it has missed, and nothing twice", async () => {
  using events = makeEvents();
  let id: string | undefined;
  {
    await using reader = new Reader(events);
    await reader.read(1);
    for (const number of [1, 2]) events.publish(numbered(number));
    id = (await reader.read(2)).at(-1)?.id;
  }
  assert.equal(events.readers, 0);
  for (const number of [3, 4]) events.publish(numbered(number));
  await using again = new Reader(events, id ?? null);
  events.publish(numbered(5));
  assert.deepEqual(names(await again.read(3)), ["3", "4", "5"]);
  // One that has missed nothing is told nothing.
  await using current = new Reader(events, events.cursor);
  events.publish(numbered(6));
  assert.deepEqual(names(await current.read(1)), ["6"]);
});

Deno.test("Events.open() tells everything where what was missed is not known any more", async () => {
  using earlier = makeEvents();
  earlier.publish(numbered(1));
  using events = makeEvents();
  const first = events.cursor;
  for (let number = 1; number <= 2001; number++) events.publish(numbered(number));
  const [epoch] = events.cursor.split("-");
  for (
    const [what, id] of [
      ["an earlier run of the server", earlier.cursor],
      ["too long ago", first],
      ["one that is still to come", `${epoch}-2002`],
      ["nonsense", "x"],
      ["nothing", ""],
    ] as const
  ) {
    await using reader = new Reader(events, id);
    const [found] = await reader.read(1);
    assert.equal(found?.type, "snapshot", what);
    assert.equal(found?.id, events.cursor);
  }
  await using reader = new Reader(events, `${epoch}-1`);
  const missed = await reader.read(2000);
  assert.deepEqual(names([missed[0] as StreamEvent, missed[1999] as StreamEvent]), ["2", "2001"]);
});

Deno.test("Events tell a reader that is too slow everything anew, and hold nobody up for it", async () => {
  using events = makeEvents();
  await using slow = new Reader(events);
  await using quick = new Reader(events);
  await slow.read(1);
  await quick.read(1);
  // Three times as much as may wait for one reader.
  for (let number = 0; number < 30; number++) {
    events.publish(numbered(number, 100_000));
    assert.match(names(await quick.read(1))[0], new RegExp(`^${number}x`));
  }
  // What was on its way already comes first.
  const found = await slow.read(1);
  while (found.at(-1)?.type !== "snapshot") {
    assert.ok(found.length < 3, `${found.length} events before the snapshot`);
    found.push(...await slow.read(1));
  }
  assert.equal(found.at(-1)?.id, events.cursor);
  events.publish(numbered(30));
  assert.deepEqual(names(await slow.read(1)), ["30"]);
});
