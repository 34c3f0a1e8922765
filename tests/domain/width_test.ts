import assert from "node:assert/strict";
import { clip, widthOf } from "../../src/domain/width.ts";

Deno.test("widthOf() counts two columns for wide characters, and none for marks", () => {
  assert.equal(widthOf("abc…"), 4);
  assert.equal(widthOf("日本語"), 6);
  assert.equal(widthOf("e\u0301"), 1);
  assert.equal(widthOf("👍🏽"), 2);
});

Deno.test("clip() cuts at either end, and never half of a wide character", () => {
  assert.equal(clip("feature", 7), "feature");
  assert.equal(clip("feature", 5), "feat…");
  assert.equal(clip("feature", 5, "start"), "…ture");
  assert.equal(clip("日本語", 4), "日…");
  assert.equal(clip("日本語", 5), "日本…");
  assert.equal(clip("feature", 1), "…");
  assert.equal(clip("feature", 0), "");
});
