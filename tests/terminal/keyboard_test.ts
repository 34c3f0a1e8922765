import assert from "node:assert/strict";
import { parseKeys } from "../../src/terminal/keyboard.ts";

/** Writes keys as words: text as it is, other keys in angle brackets. */
function keys(typed: string): string {
  return parseKeys(typed).keys.map((key) => key.kind === "text" ? key.text : `<${key.name}>`)
    .join("");
}

Deno.test("parseKeys() tells text from keys, in both ways in which terminals send arrows", () => {
  assert.equal(keys("aü日\r"), "aü日<enter>");
  assert.equal(keys("\x1b[A\x1bOA\x1b[B\x1bOBx\n\x0b"), "<up><up><down><down>x<down><up>");
  assert.equal(
    keys("\x7f\x17\x15\x03\x04"),
    "<rub-out><rub-out-word><rub-out-line><interrupt><end-of-input>",
  );
});

Deno.test("parseKeys() passes over keys that mean nothing, whole", () => {
  assert.equal(keys("a\x1b[1;5Cb\x1bOPc\x1b[200~d\x01e"), "abcde");
  assert.equal(keys("a\x1bxb"), "ab");
});

Deno.test("parseKeys() leaves the beginning of a sequence for the bytes to come", () => {
  assert.deepEqual(parseKeys("a\x1b"), { keys: [{ kind: "text", text: "a" }], rest: "\x1b" });
  assert.deepEqual(parseKeys("\x1b["), { keys: [], rest: "\x1b[" });
  assert.deepEqual(parseKeys("\x1b[1;5"), { keys: [], rest: "\x1b[1;5" });
  assert.deepEqual(parseKeys("\x1b\x1b"), {
    keys: [{ kind: "key", name: "escape" }],
    rest: "\x1b",
  });
});
