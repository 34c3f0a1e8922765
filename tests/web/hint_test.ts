import assert from "node:assert/strict";
import { cutHint } from "../../web/hint.ts";

const cut = (hint: string) => Object.values(cutHint(hint));

Deno.test("cutHint() finds a command alone, behind words and before words", () => {
  assert.deepEqual(cut("piko up auth"), ["", "piko up auth", ""]);
  assert.deepEqual(cut("make room on the disk, and try again: df -h"), [
    "Make room on the disk, and try again:",
    "df -h",
    "",
  ]);
  assert.deepEqual(cut("piko create auth --keep leaves it for inspection"), [
    "",
    "piko create auth --keep",
    "leaves it for inspection",
  ]);
  assert.deepEqual(cut("look into it, and move it away: mv '/a' '/a.old'"), [
    "Look into it, and move it away:",
    "mv '/a' '/a.old'",
    "",
  ]);
});

Deno.test("cutHint() leaves a sentence without a command alone", () => {
  assert.deepEqual(cut("wait until it is done"), ["Wait until it is done", "", ""]);
  assert.deepEqual(cut("use letters, digits and -"), ["Use letters, digits and -", "", ""]);
});
