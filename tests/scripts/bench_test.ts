import assert from "node:assert/strict";
import { growthSeries, growthTable } from "../../scripts/bench/growth.ts";
import { measure, noise, reasons, table, timing } from "../../scripts/bench/measure.ts";
import { plot, ticks } from "../../scripts/bench/plot.ts";
import { withBenchmark } from "../../scripts/bench/readme.ts";

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

Deno.test("reasons() tells why of what is not met, and of what is not wanted", () => {
  const [fast, slow] = [26, 40].map((median) => ({ median, lower: median, upper: median }));
  const against = { against: "empty", baseline: { median: 20, lower: 20, upper: 20 } };
  const told = reasons([
    { what: "met", timing: fast!, ...against, wanted: 1.3, reason: "never told" },
    { what: "slow", timing: slow!, ...against, wanted: 1.3, reason: "it waits" },
    { what: "unexplained", timing: slow!, ...against, wanted: 1.3 },
    { what: "known", timing: slow!, ...against, reason: "it is large" },
  ]);
  assert.deepEqual(told, ["- slow: it waits", "- known: it is large"]);
});

Deno.test("noise() is the width of the quartiles in percent of the median", () => {
  assert.equal(Math.round(noise([{ median: 20, lower: 19, upper: 21 }])), 10);
});

Deno.test("ticks() are round numbers from 0 to what is needed", () => {
  assert.deepEqual(ticks(200), [0, 50, 100, 150, 200]);
  assert.deepEqual(ticks(43), [0, 10, 20, 30, 40, 50]);
  assert.deepEqual(ticks(1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});

const points = [1, 100].map((environments) => ({
  environments,
  containers: 3,
  list: 20 + environments / 10,
  status: 20,
  env: 19,
  page: 5,
  event: 9,
  memory: 90.4,
}));

Deno.test("plot() draws each line with its points and its name", () => {
  const svg = plot(growthSeries(points), { title: "a < b", x: "environments", y: "ms" });
  assert.equal(svg.match(/stroke-width="2"/g)?.length, 6);
  assert.equal(svg.match(/<circle /g)?.length, 12);
  assert.ok(svg.includes("<title>a &lt; b</title>") && svg.includes(">piko list --all</text>"));
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  // Three lines end at nearly the same height; their names stand below one another.
  const heights = [...svg.matchAll(/y="([\d.]+)" text-anchor="start" fill="#(?!808080)/g)]
    .map(([, y]) => Number(y)).sort((a, b) => a - b);
  for (const [index, y] of heights.entries()) {
    if (index > 0) assert.ok(y - heights[index - 1]! >= 15);
  }
});

Deno.test("growthTable() has a line for each number of environments", () => {
  const rows = growthTable(points).split("\n");
  assert.equal(rows.length, 4);
  assert.equal(rows[3], "| 100 | 3 | 30.0 ms | 20.0 ms | 19.0 ms | 5.0 ms | 9.0 ms | 90 MiB |");
});

Deno.test("withBenchmark() replaces what stands between its marks in the README", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const once = withBenchmark(readme, "first");
  assert.match(once, /bench --readme`\. -->\n\nfirst\n\n<!-- The benchmark ends here\. -->/);
  assert.equal(withBenchmark(once, "first"), once);
  assert.throws(() => withBenchmark("# Nothing", "x"), /no place for the benchmark/);
});
