import assert from "node:assert/strict";
import { parseAnsi, plainText, spanColours } from "../../web/ansi.ts";

const E = "\x1b";

/** The spans of a line as `classes:text`, which is easy to read. */
function told(line: string): string[] {
  return parseAnsi(line).map(({ classes, text }) => `${classes}:${text}`);
}

Deno.test("parseAnsi() leaves plain text alone, and empty lines empty", () => {
  assert.deepEqual(told("GET /orders 200"), [":GET /orders 200"]);
  assert.deepEqual(told("\ttab stays"), [":\ttab stays"]);
  assert.deepEqual(told(""), []);
});

Deno.test("parseAnsi() makes classes of the sixteen colours and of styles", () => {
  assert.deepEqual(told(`${E}[32mok${E}[0m done`), ["ansi-fg-2:ok", ": done"]);
  assert.deepEqual(told(`${E}[1;91;44mboth`), ["ansi-bold ansi-fg-9 ansi-bg-4:both"]);
  assert.deepEqual(told(`${E}[107;30mlight`), ["ansi-fg-0 ansi-bg-15:light"]);
  assert.deepEqual(told(`${E}[3;4;9mx${E}[23;24;29my`), [
    "ansi-italic ansi-underline ansi-strike:x",
    ":y",
  ]);
  assert.deepEqual(told(`${E}[1mx${E}[22my`), ["ansi-bold:x", ":y"]);
  assert.deepEqual(told(`${E}[31mx${E}[39my${E}[mz`), ["ansi-fg-1:x", ":y", ":z"]);
});

Deno.test("parseAnsi() swaps the colours of inverse text", () => {
  assert.deepEqual(told(`${E}[7mx`), ["ansi-fg-inverse ansi-bg-inverse:x"]);
  assert.deepEqual(told(`${E}[31;7mx${E}[27my`), ["ansi-fg-inverse ansi-bg-1:x", "ansi-fg-1:y"]);
});

Deno.test("parseAnsi() knows 256 colours and true ones, with semicolons and with colons", () => {
  const foregrounds = (line: string) => parseAnsi(line).map(({ foreground }) => foreground);
  assert.deepEqual(foregrounds(`${E}[38;5;208mx`), [[255, 135, 0]]);
  assert.deepEqual(foregrounds(`${E}[38;5;244mx`), [[128, 128, 128]]);
  assert.deepEqual(told(`${E}[38;5;9mx`), ["ansi-fg-9:x"]);
  assert.deepEqual(foregrounds(`${E}[38;2;1;20;200mx`), [[1, 20, 200]]);
  assert.deepEqual(foregrounds(`${E}[38:2::1:20:200mx`), [[1, 20, 200]]);
  assert.deepEqual(foregrounds(`${E}[38:2:1:20:200mx`), [[1, 20, 200]]);
  assert.deepEqual(parseAnsi(`${E}[48;2;1;2;3;1mx`)[0]?.background, [1, 2, 3]);
  assert.match(parseAnsi(`${E}[48;2;1;2;3;1mx`)[0]?.classes ?? "", /ansi-bold/);
});

Deno.test("parseAnsi() takes broken sequences for nothing", () => {
  assert.deepEqual(told(`${E}[38;5mx`), [":x"]);
  assert.deepEqual(told(`${E}[38;2;300;0;0mx`), [":x"]);
  assert.deepEqual(told(`${E}[999mx`), [":x"]);
  assert.deepEqual(told(`cut off ${E}[3`), [":cut off "]);
  assert.deepEqual(told(`cut off ${E}`), [":cut off "]);
});

Deno.test("parseAnsi() drops what moves, asks, names windows or links", () => {
  assert.equal(plainText(`${E}]0;a title\x07after`), "after");
  assert.equal(plainText(`${E}]8;;http://evil.example/${E}\\link${E}]8;;${E}\\`), "link");
  assert.equal(plainText(`${E}[2J${E}[1;1Hhome${E}[K`), "home");
  assert.equal(plainText(`${E}[?25lhidden cursor${E}[?25h`), "hidden cursor");
  assert.equal(plainText(`${E}P1$r0m${E}\\dcs`), "dcs");
  assert.equal(plainText(`${E}c${E}(Breset`), "reset");
  assert.equal(plainText(`\x9b31mc1\x9b0m`), "c1");
  assert.equal(plainText("bell\x07 back\x08 null\x00 del\x7f c1\x85"), "bell back null del c1");
});

Deno.test("plainText() shows what was written last over and over", () => {
  assert.equal(plainText("10 %\r50 %\r100 %"), "100 %");
  assert.equal(plainText("windows\r"), "windows");
});

Deno.test("the spans of a line are its plain text", () => {
  const lines = [
    `${E}[1m✓${E}[0m migriert ${E}[38;5;208mgrün${E}[0m`,
    `<b>&amp;</b> ${E}[31m"quoted"`,
    `${E}]0;x\x07${E}[31ma\rb${E}[0mc`,
    "日本語 🎉",
  ];
  for (const line of lines) {
    assert.equal(parseAnsi(line).map(({ text }) => text).join(""), plainText(line));
  }
});

Deno.test("spanColours() keeps colours readable on both grounds, unless they have their own", () => {
  const [yellow] = parseAnsi(`${E}[38;2;255;255;0mx`);
  assert.ok(yellow !== undefined);
  const { color } = spanColours(yellow);
  assert.match(color ?? "", /^light-dark\(rgb\(\d+ \d+ 0\), rgb\(255 255 0\)\)$/);
  assert.notEqual(color, "light-dark(rgb(255 255 0), rgb(255 255 0))");
  const [own] = parseAnsi(`${E}[38;2;255;255;0;48;2;0;0;90mx`);
  assert.ok(own !== undefined);
  assert.deepEqual(spanColours(own), { color: "rgb(255 255 0)", backgroundColor: "rgb(0 0 90)" });
  const [classed] = parseAnsi(`${E}[31mx`);
  assert.ok(classed !== undefined);
  assert.deepEqual(spanColours(classed), {});
});
