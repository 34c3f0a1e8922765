import assert from "node:assert/strict";
import type { Branch } from "../../src/domain/api.ts";
import { planCreate, suggestBranches } from "../../web/create_plan.ts";
import { sampleEnvironment, TIME } from "./samples.ts";

const branch = (name: string, changes: Partial<Branch> = {}): Branch => ({
  name,
  remote: null,
  committedAt: TIME,
  subject: "Begin",
  worktree: null,
  ...changes,
});

const BRANCHES = [
  branch("main", { worktree: "/code/shop" }),
  branch("feature/login"),
  branch("search", { remote: "origin" }),
];

const plan = (name: string, rest: { branch?: string; from?: string } = {}) =>
  planCreate(
    { name, branch: rest.branch ?? "", from: rest.from ?? "" },
    BRANCHES,
    [sampleEnvironment({ name: "feature-auth" }).environment],
  );

Deno.test("planCreate() says what would happen to the branch", () => {
  assert.equal(plan("new-thing").text, "New branch new-thing from HEAD");
  assert.equal(plan("new-thing", { from: "v1.0" }).text, "New branch new-thing from v1.0");
  assert.equal(plan("feature/login").text, "Existing branch feature/login");
  assert.equal(plan("feature/login").name, "feature-login");
  assert.equal(plan("search").text, "New branch search that tracks origin/search");
  assert.equal(plan("x", { branch: "feature/login" }).text, "Existing branch feature/login");
  assert.equal(plan("  ").kind, "nothing");
});

Deno.test("planCreate() says what is in the way, at its field", () => {
  const refused = (...args: Parameters<typeof plan>) => {
    const { kind, field, text } = plan(...args);
    return kind === "refused" ? [field, text] : kind;
  };
  assert.deepEqual(refused("!!!"), ["name", "Use letters, digits and -"]);
  assert.deepEqual(refused("Feature/Auth"), [
    "name",
    "There is an environment feature-auth already",
  ]);
  assert.deepEqual(refused("main"), ["name", "Branch main is checked out in /code/shop"]);
  assert.deepEqual(refused("feature/From Web"), [
    "name",
    "“feature/From Web” is not a valid branch name; Branch can be another one",
  ]);
  assert.equal(refused("feature/From Web", { branch: "feature/from-web" }), "new");
  assert.deepEqual(refused("x", { branch: "two words" }), [
    "branch",
    "“two words” is not a valid branch name",
  ]);
  assert.deepEqual(refused("x", { branch: "main" }), [
    "branch",
    "Branch main is checked out in /code/shop",
  ]);
});

Deno.test("planCreate() promises nothing before the branches are known", () => {
  const { kind, text } = planCreate({ name: "auth", branch: "", from: "" }, null, []);
  assert.deepEqual([kind, text], ["unknown", "Branch auth"]);
});

Deno.test("suggestBranches() puts beginnings first, what is checked out last, and nothing for a whole name", () => {
  const names = (typed: string) => suggestBranches(typed, BRANCHES, 10).map(({ name }) => name);
  assert.deepEqual(names(""), ["feature/login", "search", "main"]);
  assert.deepEqual(names("LOG"), ["feature/login"]);
  assert.deepEqual(names("search"), []);
  assert.deepEqual(suggestBranches("", BRANCHES, 1).length, 1);
});
