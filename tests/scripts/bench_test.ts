import assert from "node:assert/strict";
import { measure, noise, table, timing } from "../../scripts/bench/measure.ts";

Deno.test("timing() tells the median and the quartiles of unsorted times", () => {
  assert.deepEqual(timing([5, 1, 3, 2, 4]), { median: 3, lower: 2, upper: 4 });
  assert.deepEqual(timing([4, 1, 2, 3]), { median: 2.5, lower: 1.75, upper: 3.25 });
  assert.deepEqual(timing([7]), { median: 7, lower: 7, upper: 7 });
});

Deno.test("measure() lets the candidates take turns and times their work alone", async () => {
  const story: string[] = [];
  const step = (name: string) => () => Promise.resolve(void story.push(name));
  const times = await measure({
    a: { prepare: step("prepare a"), work: step("a"), tidy: step("tidy a") },
    b: { work: step("b") },
  }, 2);
  assert.deepEqual(story, ["prepare a", "a", "tidy a", "b", "b", "prepare a", "a", "tidy a"]);
  assert.ok(times.a.median >= 0 && times.b.median >= 0);
});

Deno.test("table() says of each wanted ratio whether it is met", () => {
  const fast = { median: 26, lower: 25, upper: 27 };
  const slow = { median: 40, lower: 38, upper: 44 };
  const empty = { median: 20, lower: 19, upper: 21 };
  const rows = table([
    { what: "fast", timing: fast, against: "empty", baseline: empty, wanted: 1.3 },
    { what: "slow", timing: slow, against: "empty", baseline: empty, wanted: 1.3 },
    { what: "other", timing: slow, against: "empty", baseline: empty },
  ]).split("\n");
  assert.equal(rows.length, 5);
  assert.match(rows[2]!, /\| fast \| 26\.0 ms .* \| 1\.30 × \| ≤ 1\.3 × \| met \|$/);
  assert.match(rows[3]!, /\| 2\.00 × \| ≤ 1\.3 × \| not met \|$/);
  assert.ok(rows[4]?.endsWith("| 2.00 × |  |  |"));
});

Deno.test("noise() is the width of the quartiles in percent of the median", () => {
  assert.equal(Math.round(noise([{ median: 20, lower: 19, upper: 21 }])), 10);
});
