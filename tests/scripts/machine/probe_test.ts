import assert from "node:assert/strict";
import { findExecutable, isOlder } from "../../../scripts/machine/probe.ts";

Deno.test("isOlder() compares versions number by number", () => {
  assert.equal(isOlder("2.9.5", "2.24.4"), true);
  assert.equal(isOlder("1.29.2-3", "2.24.4"), true);
  assert.equal(isOlder("2.24.4", "2.24.4"), false);
  assert.equal(isOlder("v2.26.1-4\n", "2.24.4"), false);
  assert.equal(isOlder("2.40.3+ds1-0ubuntu1", "2.24.4"), false);
});

Deno.test("findExecutable() passes over files that cannot be executed", () => {
  assert.match(findExecutable("sh") ?? "", /\/sh$/);
  assert.equal(findExecutable("no-such-program-anywhere"), undefined);
});
