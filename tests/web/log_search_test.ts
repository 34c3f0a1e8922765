import assert from "node:assert/strict";
import { cutAtMatches, markPiece, parseSearch } from "../../web/log_search.ts";

Deno.test("parseSearch() takes text for what it is, and case for nothing unless it is typed", () => {
  const finds = (find: string, text: string) => parseSearch(find, false).pattern?.test(text);
  assert.equal(finds("a.b", "a.b"), true);
  assert.equal(finds("a.b", "axb"), false);
  assert.equal(finds("[x](y)|{1}", "see [x](y)|{1}"), true);
  assert.equal(finds("error", "ERROR"), true);
  assert.equal(finds("Error", "error"), false);
  assert.equal(finds("grün", "GRÜN"), true);
});

Deno.test("parseSearch() says what is wrong with a regular expression", () => {
  assert.deepEqual(parseSearch("", true), { pattern: null, problem: null });
  const { pattern, problem } = parseSearch("time(out", true);
  assert.equal(pattern, null);
  assert.match(problem ?? "", /^Unterminated group/i);
  assert.equal(parseSearch("time(out)?", true).pattern?.test("a TIME"), true);
  assert.equal(
    parseSearch("\\Stime", true).pattern?.flags.includes("i"),
    true,
    "\\S is no capital letter",
  );
});

Deno.test("cutAtMatches() finds every place, and skips what is empty", () => {
  assert.deepEqual(cutAtMatches("ab ab", parseSearch("b", false).pattern), [
    { from: 1, to: 2 },
    { from: 4, to: 5 },
  ]);
  assert.deepEqual(cutAtMatches("aab", parseSearch("x*", true).pattern), []);
  assert.deepEqual(cutAtMatches("aab", null), []);
});

Deno.test("markPiece() marks what goes over the edge of a piece in each of them", () => {
  const ranges = cutAtMatches("TypeError: no", parseSearch("error", false).pattern);
  assert.deepEqual(markPiece("TypeEr", 0, ranges), [
    { text: "Type", isFound: false },
    { text: "Er", isFound: true },
  ]);
  assert.deepEqual(markPiece("ror: no", 6, ranges), [
    { text: "ror", isFound: true },
    { text: ": no", isFound: false },
  ]);
});
