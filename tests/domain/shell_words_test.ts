import assert from "node:assert/strict";
import { quoteWithin, splitLine } from "../../src/domain/shell_words.ts";
import { run } from "../../src/programs/run.ts";

Deno.test("splitLine() reads words as a shell does", () => {
  assert.deepEqual(splitLine("piko create 'a b'\"c\"\\ d  ").words, [
    "piko",
    "create",
    "a bc d",
    "",
  ]);
  assert.deepEqual(splitLine(`piko "x\\$y\\z" '\\'`).words, ["piko", "x$y\\z", "\\"]);
  assert.deepEqual(splitLine("piko ''").words, ["piko", ""]);
  assert.deepEqual(splitLine("").words, [""]);
});

Deno.test("splitLine() tells in which quotes the cursor stands, and the last word as it was typed", () => {
  assert.deepEqual(splitLine("piko fe"), { words: ["piko", "fe"], raw: "fe", quotes: "" });
  assert.deepEqual(splitLine("piko --branch='a b"), {
    words: ["piko", "--branch=a b"],
    raw: "--branch='a b",
    quotes: "'",
  });
  assert.deepEqual(splitLine('piko x"a\\"'), {
    words: ["piko", 'xa"'],
    raw: 'x"a\\"',
    quotes: '"',
  });
  assert.deepEqual(splitLine("piko "), { words: ["piko", ""], raw: "", quotes: "" });
});

Deno.test("quoteWithin() writes words that a shell takes as they are", async () => {
  const words = [
    'feat/$(id)`x`;&|"q',
    "it's",
    "a b\\c",
    "~",
    "*?[a]{b,c}",
    "#x",
    "ü日",
    "a=b",
    "!x",
  ];
  for (const word of words) {
    assert.equal(await run(["sh", "-c", `printf %s ${quoteWithin(word, "")}`]), word);
    for (const quotes of ["'", '"'] as const) {
      const quoted = quoteWithin(word, quotes);
      if (quoted === undefined) continue;
      assert.equal(await run(["sh", "-c", `printf %s ${quotes}${quoted}${quotes}`]), word);
    }
  }
  assert.equal(quoteWithin("it's", "'"), undefined);
  assert.equal(quoteWithin("!x", '"'), undefined);
});
