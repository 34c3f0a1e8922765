/**
 * Holds the one direction of imports: main → wiring, commands → server → operations → programs, store → domain.
 * Deno itself tells who imports whom.
 */

import assert from "node:assert/strict";
import { type Import, readImports, sourceFiles } from "./imports.ts";

const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

/** What each part of piko may import besides itself; a part that is not named here has no place. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "main.ts": ["wiring.ts", "commands", "programs", "terminal", "domain", "build_info.ts"],
  "wiring.ts": ["registry.ts", "operations", "programs", "store", "domain", "build_info.ts"],
  "registry.ts": ["operations", "store", "domain"],
  commands: [
    "wiring.ts",
    "registry.ts",
    "operations",
    "programs",
    "store",
    "terminal",
    "domain",
    "build_info.ts",
  ],
  server: ["operations", "programs", "store", "domain", "build_info.ts", "web"],
  operations: ["programs", "store", "domain"],
  programs: ["domain"],
  store: ["domain"],
  terminal: ["domain"],
  domain: [],
  web: [],
  "build_info.ts": ["deno.json"],
};

/** Says what is wrong with an import between two files of piko, or nothing. */
function wrongWith({ from, to, typeOnly }: Import): string | undefined {
  const [source, target] = [partOf(from), partOf(to)];
  const allowed = MAY_IMPORT[source];
  if (allowed === undefined) return `${from} has no place in the house`;
  if (source === target || allowed.includes(target)) return undefined;
  if (from === "src/commands/server.ts" && target === "server") return undefined;
  if (source === "web" && target === "domain" && typeOnly) return undefined;
  return `${from} imports ${to}`;
}

/** The part of piko that a file belongs to: a folder of src, web, or a file that stands alone. */
function partOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "src" ? second : first;
}

const isPackage = (name: string) => /^(node|npm|jsr|https?):/.test(name);

const imports = await readImports();
const arrow = (from: string, to: string, typeOnly = false): Import => ({
  from,
  to,
  typeOnly,
  dynamic: false,
});

Deno.test("imports go in one direction", () => {
  const wrong = imports.filter(({ to }) => !isPackage(to)).map(wrongWith);
  assert.deepEqual(wrong.filter((sentence) => sentence !== undefined), []);
  const withinPiko = imports.filter(({ to }) => to.startsWith("src/"));
  assert.ok(withinPiko.length > 20, "hardly any import was found: the test sees nothing");
});

Deno.test("the rule of direction refuses what goes against it", () => {
  const refused = [
    arrow("src/domain/ports.ts", "src/store/database.ts"),
    arrow("src/domain/ports.ts", "src/programs/run.ts", true),
    arrow("src/store/database.ts", "src/programs/run.ts"),
    arrow("src/programs/git.ts", "src/store/database.ts"),
    arrow("src/programs/git.ts", "src/operations/undo.ts", true),
    arrow("src/operations/undo.ts", "src/terminal/table.ts"),
    arrow("src/operations/undo.ts", "src/commands/create.ts"),
    arrow("src/server/api.ts", "src/commands/create.ts"),
    arrow("src/server/api.ts", "src/terminal/table.ts"),
    arrow("src/commands/create.ts", "src/server/serve.ts"),
    arrow("src/terminal/table.ts", "src/programs/run.ts"),
    arrow("web/boot.ts", "src/domain/errors.ts"),
    arrow("web/boot.ts", "src/store/projects.ts", true),
    arrow("main.ts", "src/store/database.ts"),
    arrow("src/commands/create.ts", "tests/needs.ts"),
    arrow("src/utils/strings.ts", "src/domain/errors.ts"),
  ];
  for (const one of refused) assert.notEqual(wrongWith(one), undefined, `${one.from} → ${one.to}`);
  const accepted = [
    arrow("main.ts", "src/commands/mod.ts"),
    arrow("src/commands/server.ts", "src/server/serve.ts"),
    arrow("src/commands/create.ts", "src/operations/create_environment.ts"),
    arrow("src/programs/git.ts", "src/programs/run.ts"),
    arrow("web/boot.ts", "src/domain/environment.ts", true),
    arrow("web/boot.ts", "web/api.ts"),
  ];
  for (const one of accepted) assert.equal(wrongWith(one), undefined);
});

Deno.test("the domain asks nothing of the machine", async () => {
  for (const path of (await sourceFiles()).filter((path) => path.startsWith("src/domain/"))) {
    const lines = (await Deno.readTextFile(`${ROOT}/${path}`)).split("\n");
    const code = lines.filter((line) => !/^\s*(\/\/|\/?\*)/.test(line));
    const asking = code.filter((line) => /\bDeno\.|\bfetch\(|\bimport\(/.test(line));
    assert.deepEqual(asking, [], path);
  }
});

Deno.test("no file of piko imports a node: builtin but node:sqlite, and lazily node:module", () => {
  const builtins = imports.filter(({ to, dynamic }) =>
    to.startsWith("node:") && to !== "node:sqlite" && !(dynamic && to === "node:module")
  );
  assert.deepEqual(builtins.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("nothing watches files, since Deno.watchFs opens and closes what has changed", async () => {
  // SQLite's locks are those of the process: closing any of the registry's files gives them up, and the next piko takes
  // the shared memory away below a server that still has it, which ends it with SIGBUS.
  for (const path of await sourceFiles()) {
    assert.doesNotMatch(await Deno.readTextFile(`${ROOT}/${path}`), /\bwatchFs\(/, path);
  }
});
