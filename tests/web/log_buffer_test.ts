import assert from "node:assert/strict";
import { type BufferLine, LogBuffer, rowsOf, widthOf } from "../../web/log_buffer.ts";
import { parseSearch } from "../../web/log_search.ts";

const line = (text: string, label = "web"): BufferLine => ({
  text,
  label,
  time: 1000,
  kind: "stdout",
});

function filled(count: number, lines?: number): LogBuffer {
  const buffer = new LogBuffer(lines === undefined ? {} : { lines });
  for (let number = 0; number < count; number++) buffer.push(line(`line ${number}`));
  return buffer;
}

Deno.test("LogBuffer gives lines back as they were put in", () => {
  const buffer = new LogBuffer();
  const lines: BufferLine[] = [
    { text: "one", label: "web", time: 5, kind: "stdout" },
    { text: "two", label: "db", time: 6, kind: "stderr" },
    { text: "3 lines were left out here", label: "", time: 7, kind: "note" },
  ];
  for (const one of lines) buffer.push(one);
  assert.deepEqual([...buffer.lines()], lines);
  assert.equal(buffer.line(3), undefined);
});

Deno.test("LogBuffer forgets the oldest lines in blocks, and lines keep their numbers", () => {
  const buffer = filled(5500, 4000);
  assert.equal(buffer.next, 5500);
  assert.equal(buffer.first, 2000);
  assert.equal(buffer.forgotten, 2000);
  assert.equal(buffer.line(1999), undefined);
  assert.equal(buffer.line(2000)?.text, "line 2000");
  assert.equal(buffer.line(5499)?.text, "line 5499");
});

Deno.test("LogBuffer.isFull tells when one more line would push out others", () => {
  const buffer = filled(3999, 4000);
  assert.equal(buffer.isFull, false);
  buffer.push(line("the last that fits"));
  assert.equal(buffer.isFull, true);
  assert.equal(buffer.first, 0);
  buffer.push(line("one too many"));
  assert.equal(buffer.first, 1000);
});

Deno.test("LogBuffer.clear() forgets everything, and counts on", () => {
  const buffer = filled(2500);
  buffer.clear();
  assert.equal(buffer.size, 0);
  assert.equal(buffer.rows, 0);
  buffer.push(line("next"));
  assert.equal(buffer.line(2500)?.text, "next");
});

Deno.test("LogBuffer forgets the oldest lines when what is kept has too many bytes", () => {
  const buffer = new LogBuffer({ bytes: 4 * 1024 * 1024 });
  const long = "ö".repeat(100_000);
  for (let number = 0; number < 100; number++) buffer.push(line(`${number} ${long}`));
  assert.ok(buffer.size <= 22, `${buffer.size} lines of 200 KB`);
  assert.ok(buffer.size >= 15, `${buffer.size} lines of 200 KB`);
  assert.equal(buffer.size + buffer.forgotten, 100);
  assert.equal(buffer.first, buffer.forgotten);
  assert.equal(buffer.line(99)?.text, `99 ${long}`);
  assert.equal(buffer.line(buffer.first)?.text, `${buffer.first} ${long}`);
  assert.equal(buffer.line(buffer.first - 1), undefined);
  const alone = new LogBuffer({ bytes: 1000 });
  alone.push(line(long));
  assert.equal(alone.line(0)?.text, long, "one line is kept, however long it is");
});

Deno.test("LogBuffer uses the memory of lines that went again, and mixes nothing up", () => {
  const buffer = new LogBuffer({ lines: 3000 });
  const text = (number: number) =>
    ["größe", "日本語", "", "\ufeffx", "🎉"][number % 5] + `${number}`;
  buffer.find(parseSearch("7", false).pattern);
  for (let number = 0; number < 12_345; number++) {
    buffer.push({ ...line(text(number), `service ${number % 3}`), time: number });
    buffer.search();
  }
  const kept = [...buffer.lines()];
  assert.equal(kept.length, buffer.size);
  kept.forEach((one, index) => {
    const number = buffer.first + index;
    assert.deepEqual([one.text, one.label, one.time], [
      text(number),
      `service ${number % 3}`,
      number,
    ]);
    assert.equal(buffer.isHit(number), text(number).includes("7"), text(number));
  });
});

Deno.test("rowsOf() and widthOf() count what a terminal of that width would need", () => {
  const rows = (text: string, columns: number) => rowsOf(widthOf(text), columns);
  assert.equal(rows("", 10), 1);
  assert.equal(rows("0123456789", 10), 1);
  assert.equal(rows("0123456789a", 10), 2);
  assert.equal(rows("x".repeat(1000), Infinity), 1);
  assert.equal(rows("\x1b[31m0123456789\x1b[0m", 10), 1, "escapes take no room");
  assert.equal(rows("日本語日本語", 10), 2, "East Asian characters take two columns");
  assert.equal(rows("e\u0301".repeat(10), 10), 1, "an accent takes no room");
  assert.equal(rows("a\tb", 10), 1);
  assert.equal(rows("a\tbcd", 10), 2, "a tab goes on to the next multiple of eight");
  assert.equal(rows("a\u202eb", 8), 1, "U+202E is drawn as its name");
  assert.equal(rows("a\u202ebc", 8), 2);
  assert.equal(rows("x".repeat(50_000), 100), 100, "what is not drawn takes none");
  assert.equal(rows("\u2066".repeat(50_000), 100), 600);
});

Deno.test("placeAt() and rowOf() agree for every line, wrapped or not", () => {
  const buffer = new LogBuffer();
  for (let number = 0; number < 3210; number++) buffer.push(line("x".repeat(number % 37)));
  for (const columns of [Infinity, 80, 10, 7]) {
    buffer.layOut({ columns, only: false });
    let row = 0;
    for (let number = 0; number < 3210; number++) {
      assert.equal(buffer.rowOf(number), row);
      assert.deepEqual(buffer.placeAt(row), { line: number, row });
      const rows = rowsOf(number % 37, columns);
      assert.deepEqual(buffer.placeAt(row + rows - 1), { line: number, row });
      row += rows;
    }
    assert.equal(buffer.rows, row);
  }
});

Deno.test("search() finds lines by their plain text, and new lines too", () => {
  const buffer = filled(2500);
  buffer.push(line("\x1b[31mErr\x1b[1mor\x1b[0m"));
  buffer.find(parseSearch("error", false).pattern);
  assert.equal(buffer.search(), true);
  assert.equal(buffer.hits, 1);
  assert.equal(buffer.isHit(2500), true);
  buffer.push(line("another ERROR"));
  assert.equal(buffer.search(), true);
  assert.equal(buffer.hits, 2);
  buffer.find(null);
  assert.equal(buffer.hits, 0);
});

Deno.test("search() stops when its time is up, and goes on", () => {
  const buffer = filled(5000);
  buffer.find(parseSearch("line", false).pattern);
  assert.equal(buffer.search(0), false);
  assert.equal(buffer.hits, 1000, "one block, the newest");
  assert.equal(buffer.isHit(4999), true);
  assert.equal(buffer.isHit(0), false);
  assert.equal(buffer.search(), true);
  assert.equal(buffer.hits, 5000);
});

Deno.test("nextHit() goes through all hits in both directions, and round at the end", () => {
  const buffer = new LogBuffer();
  const hits = [0, 3, 999, 1000, 4321, 6999];
  for (let number = 0; number < 7000; number++) {
    buffer.push(line(hits.includes(number) ? "needle" : "hay"));
  }
  buffer.find(parseSearch("needle", false).pattern);
  buffer.search();
  hits.forEach((hit, index) => {
    assert.equal(buffer.nextHit(hit, 1), hits[(index + 1) % hits.length]);
    assert.equal(buffer.nextHit(hit, -1), hits.at(index - 1));
    assert.equal(buffer.hitNumber(hit), index + 1);
  });
  assert.equal(buffer.nextHit(buffer.next, -1), 6999);
  assert.equal(buffer.nextHit(buffer.first - 1, 1), 0);
  buffer.find(parseSearch("nothing", false).pattern);
  buffer.search();
  assert.equal(buffer.nextHit(500, 1), undefined);
});

Deno.test("with only matches shown, the others take no rows", () => {
  const buffer = filled(3000);
  buffer.find(parseSearch("99$", true).pattern);
  buffer.layOut({ columns: Infinity, only: true });
  buffer.search();
  assert.equal(buffer.rows, 30);
  assert.deepEqual(buffer.shownFrom(0, 3), [99, 199, 299]);
  assert.deepEqual(buffer.placeAt(1), { line: 199, row: 1 });
  assert.equal(buffer.rowOf(2999), 29);
  buffer.push(line("line 3099"));
  buffer.search();
  assert.equal(buffer.rows, 31);
  assert.deepEqual(buffer.shownFrom(2950, 9), [2999, 3000]);
});
