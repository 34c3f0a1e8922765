import assert from "node:assert/strict";
import { filterComing, filterEnvironments, fuzzyMatch } from "../../web/filter.ts";
import { sampleEnvironment, sampleOperation } from "./samples.ts";

const environments = [
  sampleEnvironment({ name: "feature-auth", branch: "feature/Auth", status: "running" }),
  sampleEnvironment({ name: "fix-login", status: "stopped" }),
  sampleEnvironment({ project: "docs", name: "guide", mode: "simple", status: "simple" }),
];

const found = (filter: string) =>
  filterEnvironments(environments, filter).map(({ environment }) => environment.name);

Deno.test("filterEnvironments() looks into name, branch, project, status and ports", () => {
  assert.deepEqual(found(""), ["feature-auth", "fix-login", "guide"]);
  assert.deepEqual(found("AUTH"), ["feature-auth"]);
  assert.deepEqual(found("feature/"), ["feature-auth"]);
  assert.deepEqual(found("docs/g"), ["guide"]);
  assert.deepEqual(found("stopped"), ["fix-login"]);
  assert.deepEqual(found("10180"), ["feature-auth", "fix-login"]);
});

Deno.test("filterEnvironments() wants every word", () => {
  assert.deepEqual(found("shop stopped"), ["fix-login"]);
  assert.deepEqual(found("  auth   stopped "), []);
});

Deno.test("filterComing() looks for what is being made as for what is there", () => {
  const coming = [sampleOperation({ environment: "search" })];
  for (const filter of ["", " ", "sea", "SHOP", "shop/se", "creating", "shop search"]) {
    assert.deepEqual(filterComing(coming, filter), coming, filter);
  }
  for (const filter of ["docs", "running", "shop auth"]) {
    assert.deepEqual(filterComing(coming, filter), [], filter);
  }
});

Deno.test("fuzzyMatch() finds letters in their order, and says where", () => {
  assert.equal(fuzzyMatch("xyz", "Logs of auth"), undefined);
  assert.deepEqual(fuzzyMatch("logs", "Logs of auth")?.places, [0, 1, 2, 3]);
  assert.deepEqual(fuzzyMatch("auth logs", "Logs of auth")?.places, [0, 1, 2, 3, 8, 9, 10, 11]);
  assert.deepEqual(fuzzyMatch("loa", "Logs of auth")?.places, [0, 1, 8]);
  assert.notEqual(fuzzyMatch("rta", "Restart auth"), undefined, "no boundary is jumped to in vain");
  assert.deepEqual(fuzzyMatch("", "anything")?.places, []);
});

Deno.test("fuzzyMatch() likes beginnings better than middles, words better than letters", () => {
  const score = (typed: string, text: string) => fuzzyMatch(typed, text)?.score ?? -Infinity;
  assert.ok(score("stop", "Stop auth") > score("stop", "Go to nonstop"));
  assert.ok(score("auth stop", "Stop auth") > score("auth stop", "All unique things here stop"));
  assert.ok(score("of auth", "Logs of auth") > score("oa", "Logs of auth"));
});
