/**
 * Keeps what starts fast from growing slow, without a clock: `piko --version` reads one small file, and the commands
 * that a prompt or a Tab waits for read the short part, which nothing heavy may join.
 */

import assert from "node:assert/strict";
import { SHORT } from "../main.ts";
import { tryRun } from "../src/programs/run.ts";
import { type Import, loadedWith, readImports, ROOT } from "./imports.ts";
import { needs } from "./needs.ts";
import { PIKO, Sandbox } from "./sandbox.ts";

/** What the short part may load that is not piko's own; each of these was measured. */
const PACKAGES = ["@stricli/core", "node:sqlite"];

/** The files of these folders that the short part may have: those that ask the engine, and read what piko wrote. */
const FEW: Readonly<Record<string, readonly string[]>> = {
  "src/programs/": [
    ...["engine", "engine/answers", "engine/line"],
    "ask_ahead",
    "http",
    "container_log",
    "docker_context",
    "override_file",
    "linked_worktree",
  ],
  "src/commands/": [
    ...["short", "parts", "cli", "mod", "global_options", "context", "parameters", "options"],
    ...["environment", ...SHORT],
  ],
  "src/server/": [],
  "web/": [],
};

/** The most characters of source that the short part may have: a third more than when this was written. */
const MOST = 245_000;

/** Says what is heavy among the files of the short part. */
function heavy(files: Iterable<string>): string[] {
  return [...files].filter((file) => {
    if (!/\.(ts|json)$/.test(file)) return !PACKAGES.some((name) => file.includes(name));
    const folder = Object.keys(FEW).find((folder) => file.startsWith(folder));
    return folder !== undefined && !FEW[folder]?.includes(file.slice(folder.length, -3));
  });
}

const imports = await readImports();

Deno.test("piko --version loads what it says of itself, and the question that goes ahead of list", () => {
  assert.deepEqual([...loadedWith(imports, "main.ts").keys()].sort(), [
    "deno.json",
    "main.ts",
    "src/build_info.ts",
    "src/domain/errors.ts",
    "src/domain/secrets.ts",
    "src/programs/ask_ahead.ts",
    "src/programs/docker_context.ts",
    "src/programs/http.ts",
  ]);
});

Deno.test("the short part has the short commands and nothing that is slow to start", async () => {
  const part = loadedWith(imports, "src/commands/short.ts", { lazily: true });
  for (const name of SHORT) assert.ok(part.has(`src/commands/${name}.ts`), name);
  assert.deepEqual(heavy(part.keys()).map((file) => part.get(file)), []);
  let size = 0;
  for (const file of part.keys()) {
    if (file.endsWith(".ts")) size += (await Deno.readTextFile(`${ROOT}/${file}`)).length;
  }
  assert.ok(size < MOST, `${size} characters in\n${[...part.keys()].join("\n")}`);
});

Deno.test("heavy() tells what may not join the short part", () => {
  const heavyOnes = [
    "npm:/yaml@2.9.1",
    "npm:/valibot@1.5.0",
    "node:path",
    "node:fs",
    "src/programs/git.ts",
    "src/programs/compose.ts",
    "src/programs/config_file.ts",
    "src/commands/create.ts",
    "src/commands/pick_environment.ts",
    "src/server/serve.ts",
    "web/boot.ts",
  ];
  assert.deepEqual(heavy(heavyOnes), heavyOnes);
  assert.deepEqual(
    heavy(["npm:/@stricli/core@1.3.0", "node:sqlite", "src/programs/http.ts", "src/registry.ts"]),
    [],
  );
});

Deno.test("loadedWith() follows imports through files, lazy ones when asked, and never types", () => {
  const arrow = (from: string, to: string, more: Partial<Import> = {}): Import => ({
    from,
    to,
    typeOnly: false,
    dynamic: false,
    ...more,
  });
  const graph = [
    arrow("main.ts", "a.ts"),
    arrow("a.ts", "npm:yaml"),
    arrow("a.ts", "npm:types", { typeOnly: true }),
    arrow("a.ts", "b.ts", { dynamic: true }),
    arrow("b.ts", "node:path"),
    arrow("a.ts", "main.ts"),
  ];
  assert.deepEqual([...loadedWith(graph, "main.ts")], [
    ["main.ts", "main.ts"],
    ["a.ts", "main.ts → a.ts"],
    ["npm:yaml", "main.ts → a.ts → npm:yaml"],
  ]);
  const all = loadedWith(graph, "main.ts", { lazily: true });
  assert.equal(all.get("node:path"), "main.ts → a.ts → b.ts → node:path");
  assert.ok(!all.has("npm:types"));
});

Deno.test({
  name: "the built piko runs the short commands without the part that has everything",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create auth --no-attach");
    const cache = `${sandbox.folder}/cache`;
    const run = (...args: string[]) =>
      tryRun([PIKO, ...args], {
        cwd: sandbox.root,
        variables: { ...sandbox.variables, XDG_CACHE_HOME: cache },
      });
    const { stdout: version } = await run("--version");
    // A compiled piko has its files inside of it.
    if (!version.includes("self-extracting")) return;
    const whole = (await sandbox.run(["find", cache, "-name", "whole.js"])).trim();
    for (const file of ["piko.js", "short.js"]) {
      const code = await Deno.readTextFile(whole.replace("whole.js", file));
      const builtins = new Set(code.match(/\bnode:\w+/g));
      builtins.delete("node:sqlite");
      assert.deepEqual([...builtins], [], file);
      // What a YAML parser calls its own types.
      assert.doesNotMatch(code, /tag:yaml\.org/, file);
    }
    assert.match(await Deno.readTextFile(whole), /tag:yaml\.org/);
    await Deno.chmod(whole, 0o700);
    await Deno.writeTextFile(whole, `throw new Error("the whole piko was loaded");\n`);

    const calls = [
      ["--version"],
      ["list"],
      ["list", "--all", "--json"],
      ["--quiet", "-C", sandbox.folder, "list", "--all"],
      ["env", "auth"],
      ["env", "auth", "--export"],
      ["ports", "auth"],
      ["complete", "bash", "", "piko "],
      ["complete", "bash", "a", "piko env a"],
      ["complete", "zsh", "--", "logs", "auth", ""],
    ];
    for (const call of calls) {
      const { exitCode, stderr } = await run(...call);
      assert.equal(exitCode, 0, `piko ${call.join(" ")}: ${stderr}`);
    }
    assert.equal((await run("env", "none")).exitCode, 3);
    for (const call of [["status", "auth"], ["list", "--help"], ["list", "--al"]]) {
      const { exitCode, stdout, stderr } = await run(...call);
      assert.equal(exitCode, 1, call.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, /the whole piko was loaded/);
    }
  },
});
