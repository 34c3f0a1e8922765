import assert from "node:assert/strict";
import * as domain from "../../src/domain/names.ts";
import { STEP_TITLES as ownTitles } from "../../web/operation_steps.ts";
import { STEP_TITLES } from "../../src/domain/report.ts";
import { compareNames, flattenName } from "../../web/names.ts";

Deno.test("the page and the server make the same name of what is typed", () => {
  const typed = [
    "feature/Auth",
    "--x--",
    "Ünïcode näme",
    "a".repeat(60),
    `${"a".repeat(39)}--b`,
    "$(id)`x`;'\"",
    "../..",
    "日本語",
    "",
    "release 1.2.3",
  ];
  for (const text of typed) assert.equal(flattenName(text), domain.flattenName(text), text);
});

Deno.test("the page and the terminal have the same titles of steps", () => {
  assert.deepEqual(ownTitles, STEP_TITLES);
});

Deno.test("compareNames() sorts numbers by their size", () => {
  assert.deepEqual(["e10", "e2", "b", "e1"].sort(compareNames), ["b", "e1", "e2", "e10"]);
});
