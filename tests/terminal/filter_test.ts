import assert from "node:assert/strict";
import { matchEntries } from "../../src/terminal/filter.ts";

const ENTRIES = [
  ["shop/hotfix", "running", "hotfix"],
  ["shop/feature-pay", "stopped", "feature/pay"],
  ["blog/pay", "simple", "Größe"],
];

/** Names the entries that match, the best first. */
function matching(typed: string): string[] {
  return matchEntries(ENTRIES, typed).map((index) => ENTRIES[index]?.[0] ?? "");
}

Deno.test("matchEntries() keeps every entry in its order while nothing is typed", () => {
  assert.deepEqual(matchEntries(ENTRIES, ""), [0, 1, 2]);
  assert.deepEqual(matchEntries(ENTRIES, "  "), [0, 1, 2]);
});

Deno.test("matchEntries() takes every word for itself, whatever its case, in any cell", () => {
  assert.deepEqual(matching("PAY shop"), ["shop/feature-pay"]);
  assert.deepEqual(matching("stopped"), ["shop/feature-pay"]);
  assert.deepEqual(matching("pay nothing"), []);
});

Deno.test("matchEntries() finds letters apart from each other, behind those that stand together", () => {
  assert.deepEqual(matchEntries([["x-a-y"], ["nay"], ["ay"], ["bay"]], "ay"), [2, 1, 3, 0]);
  assert.deepEqual(matching("shpay"), ["shop/feature-pay"]);
  // Not across cells: the f of one name and the x of another status mean nothing.
  assert.deepEqual(matchEntries([["ab", "cd"]], "ad"), []);
});

Deno.test("matchEntries() does not tell how an accented letter was written", () => {
  assert.deepEqual(matching("gro\u0308ß"), ["blog/pay"]);
});
