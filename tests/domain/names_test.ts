import assert from "node:assert/strict";
import { PikoError } from "../../src/domain/errors.ts";
import {
  composeProjectNames,
  editDistance,
  environmentName,
  MAX_COMPOSE_PROJECT,
  nearestName,
  quote,
  sessionName,
  variablePart,
} from "../../src/domain/names.ts";

/** What a person may type, and the name that becomes of it; "" where it is refused. */
const NAMES: readonly (readonly [typed: string, name: string])[] = [
  ["feature-auth", "feature-auth"],
  ["feature/Auth", "feature-auth"],
  ["Feature  //  Auth", "feature-auth"],
  ["-x", "x"],
  ["--", ""],
  ["", ""],
  ["..", ""],
  ["../../etc/passwd", "etc-passwd"],
  ["$(id)", "id"],
  ["`id`", "id"],
  ["a;b|c&d", "a-b-c-d"],
  ["a'b\"c", "a-b-c"],
  ["line\nbreak", "line-break"],
  ["日本", ""],
  ["Straße", "stra-e"],
  ["a--b", "a--b"],
  ["x".repeat(300), "x".repeat(40)],
  [`${"x".repeat(39)}-tail`, "x".repeat(39)],
];

for (const [typed, name] of NAMES) {
  Deno.test(`environmentName() makes ${JSON.stringify(name)} of ${JSON.stringify(typed.slice(0, 30))}`, () => {
    if (name !== "") return assert.equal(environmentName(typed), name);
    assert.throws(
      () => environmentName(typed),
      (error) => error instanceof PikoError && error.code === "usage",
    );
  });
}

Deno.test("sessionName() takes the last character of the prefix as a whole", () => {
  assert.equal(sessionName("shop", "auth", "dev:"), "dev:shop:auth");
  assert.equal(sessionName("shop", "auth", "🚀"), "🚀shop🚀auth");
});

Deno.test("quote() shows every control character", () => {
  assert.equal(quote("a\n\x1b[31m\x7f\x9b"), String.raw`"a\n\u001b[31m\u007f\u009b"`);
});

Deno.test("composeProjectNames() begins with the documented name", () => {
  const [first, second] = take(composeProjectNames("shop", "auth"), 2);
  assert.deepEqual([first, second], ["piko-shop-auth", "piko-shop-auth-2"]);
});

Deno.test("composeProjectNames() never gives an environment the name of the shared services", () => {
  assert.ok(!take(composeProjectNames("shop", "shared"), 5).includes("piko-shop-shared"));
});

Deno.test("composeProjectNames() stays within 63 characters and never repeats", () => {
  const names = take(composeProjectNames("p".repeat(40), "e".repeat(40)), 300);
  assert.equal(new Set(names).size, 300);
  for (const name of names) {
    assert.ok(name.length <= MAX_COMPOSE_PROJECT, name);
    assert.match(name, /^[a-z0-9][a-z0-9-]*[a-z0-9]$/);
  }
});

Deno.test("variablePart() keeps only what a shell takes in a name", () => {
  assert.equal(variablePart("web-api.v2"), "WEB_API_V2");
});

Deno.test("nearestName() finds what was meant and nothing far-fetched", () => {
  assert.equal(nearestName("lsit", ["list", "status"]), "list");
  assert.equal(nearestName("destory", ["destroy", "down"]), "destroy");
  assert.equal(nearestName("frobnicate", ["list", "status"]), undefined);
});

Deno.test("editDistance() counts a swap of neighbours as one", () => {
  assert.equal(editDistance("abcd", "abdc"), 1);
  assert.equal(editDistance("", "abc"), 3);
});

function take<T>(items: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const item of items) if (taken.push(item) === count) break;
  return taken;
}
