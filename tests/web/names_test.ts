import assert from "node:assert/strict";
import * as domain from "../../src/domain/names.ts";
import { STEP_TITLES as ownTitles } from "../../web/operation_steps.ts";
import { STEP_TITLES } from "../../src/domain/report.ts";
import { needs } from "../needs.ts";
import { branchProblem, compareNames, flattenName } from "../../web/names.ts";

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

Deno.test({
  name: "the page and git allow the same names of branches",
  ...needs("git"),
  async fn() {
    const pieces = ["a", "B.b", ".", "..", "/", "-", "@", "{", "@{", " ", "~", "^", ":", "?", "*"];
    pieces.push(
      "[",
      "]",
      "\\",
      "\t",
      "\x7f",
      ".lock",
      "lock",
      "HEAD",
      "ä",
      "日本",
      "'",
      '"',
      "$(id)",
    );
    const names = [
      "feature/From Web",
      "refs/heads/x",
      "x/-y",
      "a.lock/b",
      "a.lockb",
      "a".repeat(240),
    ];
    for (const one of pieces) names.push(one, `x${one}`, `${one}x`, `x/${one}`, `x${one}/y`);
    let refused = 0;
    for (const name of names) {
      const { success } = await new Deno.Command("git", {
        args: ["check-ref-format", "--branch", name],
        stderr: "null",
      }).output();
      if (!success) refused++;
      // To git alone, `@` is another word for HEAD.
      assert.equal(branchProblem(name) === null, success && name !== "@", JSON.stringify(name));
    }
    assert.ok(refused > 50 && refused < names.length - 30, `${refused} of ${names.length}`);
    assert.match(branchProblem("a".repeat(241)) ?? "", /too long/);
    assert.match(branchProblem(Array(101).fill("a".repeat(9)).join("/")) ?? "", /too long/);
  },
});

Deno.test("the page and the terminal have the same titles of steps", () => {
  assert.deepEqual(ownTitles, STEP_TITLES);
});

Deno.test("compareNames() sorts numbers by their size", () => {
  assert.deepEqual(["e10", "e2", "b", "e1"].sort(compareNames), ["b", "e1", "e2", "e10"]);
});
