import assert from "node:assert/strict";
import { checkProjectConfig, checkUserConfig } from "../../src/domain/config.ts";
import { plainPath, problemOfCarriedPath, problemOfPath } from "../../src/domain/relative_path.ts";

const EMPTY = {
  scripts: {},
  shared: [],
  shells: {},
  ignore: [],
  windows: [],
  copy: [],
  link: [],
};

function problemsOf(content: unknown): string[] {
  const { config, problems } = checkProjectConfig(content);
  assert.equal(config === undefined, problems.length > 0);
  return problems.map(({ message }) => message);
}

function warningsOf(content: unknown): string[] {
  const { config, warnings } = checkProjectConfig(content);
  assert.notEqual(config, undefined);
  return warnings.map(({ message }) => message);
}

Deno.test("checkProjectConfig() takes every field", () => {
  const { config, problems, warnings } = checkProjectConfig({
    compose: "./deploy/compose.yml",
    scripts: { prepare: "npm ci", setup: "a\nb", run: "npm run dev", destroy: "echo bye" },
    shared: ["jaeger"],
    shells: { db: "psql -U postgres" },
    ignore: ["riverui"],
    windows: [{ name: "frontend", command: "npm run dev", local: true }, { name: "db" }, {
      name: "logs",
      service: "web",
    }],
    copy: ["node_modules/", "./var//data", "node_modules"],
    link: [".env.local"],
  });
  assert.deepEqual([problems, warnings], [[], []]);
  assert.deepEqual(config, {
    compose: ["deploy/compose.yml"],
    scripts: { prepare: "npm ci", setup: "a\nb", run: "npm run dev", destroy: "echo bye" },
    shared: ["jaeger"],
    shells: { db: "psql -U postgres" },
    ignore: ["riverui"],
    windows: [
      { name: "frontend", command: "npm run dev", local: true },
      { name: "db", local: false },
      { name: "logs", local: false, service: "web" },
    ],
    copy: ["node_modules", "var/data"],
    link: [".env.local"],
  });
});

Deno.test("checkProjectConfig() takes shells of services that are called like parts of an object", () => {
  const shells = JSON.parse(
    '{ "constructor": "a", "prototype": "b", "__proto__": "c", "db": "d" }',
  );
  for (const check of [checkProjectConfig, checkUserConfig]) {
    assert.deepEqual(
      new Map(Object.entries(check({ shells }).config?.shells ?? {})),
      new Map(Object.entries(shells)),
    );
    const { config, problems } = check({ shells: { constructor: "" } });
    assert.deepEqual([config, problems.map(({ path }) => path)], [undefined, [[
      "shells",
      "constructor",
    ]]]);
  }
});

Deno.test("checkProjectConfig() takes nothing for a field that is not given", () => {
  assert.deepEqual(checkProjectConfig(null).config, EMPTY);
  assert.deepEqual(checkProjectConfig({}).config, EMPTY);
  const nothing = { compose: null, scripts: null, shared: null, windows: null, copy: null };
  assert.deepEqual(checkProjectConfig(nothing).config, EMPTY);
  assert.deepEqual(checkProjectConfig({ scripts: { setup: null } }).config, EMPTY);
});

Deno.test("checkProjectConfig() takes several compose files", () => {
  assert.deepEqual(checkProjectConfig({ compose: ["a.yml", "./b.yml"] }).config?.compose, [
    "a.yml",
    "b.yml",
  ]);
  assert.deepEqual(problemsOf({ compose: [] }), ['"compose" must not be empty']);
});

Deno.test("checkProjectConfig() names what has the wrong type", () => {
  const cases: [unknown, string][] = [
    [["a"], "The file must be a map of fields, not a list"],
    ["text", "The file must be a map of fields, not text"],
    [{ shared: "jaeger" }, '"shared" must be a list of names, not text'],
    [{ shared: [1] }, '"shared[0]" must be text, not a number: put it in quotes'],
    [{ shared: ["a", ""] }, '"shared[1]" must not be empty'],
    [{ ignore: { a: 1 } }, '"ignore" must be a list of names, not a map'],
    [
      { scripts: "npm ci" },
      '"scripts" must be a map from prepare, setup, run and destroy to ' +
      "commands, not text",
    ],
    [{ scripts: { setup: ["a"] } }, '"scripts.setup" must be text, not a list'],
    [{ scripts: { run: true } }, '"scripts.run" must be text, not true or false: put it in quotes'],
    [{ scripts: { run: "a\0b" } }, '"scripts.run" must not contain a zero byte'],
    [{ shells: { db: null } }, '"shells.db" must be text, not nothing'],
    [{ compose: 3 }, '"compose" must be a path, not a number'],
    [{ compose: ["a", {}] }, '"compose[1]" must be a path, not a map'],
    [{ windows: ["a"] }, '"windows[0]" must be a map with a name, not text'],
    [{ windows: [{ command: "a" }] }, '"windows[0].name" is missing'],
    [
      { windows: [{ name: "a", local: "yes" }] },
      '"windows[0].local" must be true or false, not text',
    ],
    [{ copy: "a" }, '"copy" must be a list of paths, not text'],
  ];
  for (const [content, message] of cases) assert.deepEqual(problemsOf(content), [message]);
});

Deno.test("checkProjectConfig() reports every problem at once, with its place", () => {
  const { problems } = checkProjectConfig({ shared: 1, windows: [{ name: 2 }], link: ["/etc"] });
  assert.deepEqual(problems.map(({ path }) => path), [["shared"], ["windows", 0, "name"], [
    "link",
    0,
  ]]);
});

Deno.test("checkProjectConfig() lets no path out of the project", () => {
  for (const path of ["/etc/passwd", "../x", "a/../../x", "..", ".", "", "./", "~/.ssh", "a\0b"]) {
    for (const field of ["copy", "link"]) {
      assert.match(problemsOf({ [field]: [path] })[0] ?? "", /^"(copy|link)\[0\]" must /, path);
    }
    assert.match(problemsOf({ compose: path })[0] ?? "", /^"compose" must /, path);
  }
  for (const path of [".git", ".git/config", "./.GIT/hooks", "a/.git", ".piko", ".piko/data"]) {
    assert.match(
      problemsOf({ copy: [path] })[0] ?? "",
      /must not be a part of \.(git|piko)$/,
      path,
    );
  }
  for (const path of [".env", "a b", "-x", "$(id)", "..a", ".gitconfig", "a/.piko", "*", "ünï"]) {
    assert.deepEqual(checkProjectConfig({ copy: [path] }).config?.copy, [path]);
  }
});

Deno.test("checkProjectConfig() refuses a path that is both copied and linked", () => {
  assert.deepEqual(problemsOf({ copy: ["a/"], link: ["b", "./a"] }), [
    '"./a" is in both copy and link',
  ]);
});

Deno.test("checkProjectConfig() warns about unknown fields and suggests the nearest", () => {
  assert.deepEqual(
    warningsOf({ script: {}, scripts: { setpu: "a" }, zzz: 1, windows: [{ name: "a", cmd: 1 }] }),
    [
      '"script" is unknown and ignored; did you mean "scripts"?',
      '"zzz" is unknown and ignored',
      '"scripts.setpu" is unknown and ignored; did you mean "setup"?',
      '"windows[0].cmd" is unknown and ignored',
    ],
  );
  assert.deepEqual(warningsOf({ "x-anchors": { a: 1 } }), []);
});

Deno.test("checkProjectConfig() is not confused by the names of built-in properties", () => {
  assert.deepEqual(warningsOf(JSON.parse('{"__proto__": {"scripts": 1}, "toString": 1}')), [
    '"__proto__" is unknown and ignored',
    '"toString" is unknown and ignored',
  ]);
  assert.equal(
    checkProjectConfig(JSON.parse('{"__proto__": {"copy": ["a"]}}')).config?.copy.length,
    0,
  );
});

Deno.test("checkUserConfig() takes the person's fields", () => {
  const { config, warnings } = checkUserConfig({
    editor: "cursor",
    session_prefix: "dev:",
    default_shell: "bash",
    default_windows: [{ name: "notes", command: "vim notes.md", local: true }],
    default_shel: "x",
  });
  assert.deepEqual(config, {
    editor: "cursor",
    sessionPrefix: "dev:",
    defaultShell: "bash",
    defaultWindows: [{ name: "notes", command: "vim notes.md", local: true }],
    shells: {},
  });
  assert.deepEqual(warnings.map(({ message }) => message), [
    '"default_shel" is unknown and ignored; did you mean "default_shell"?',
  ]);
  assert.equal(checkUserConfig({ editor: ["a"] }).config, undefined);
});

Deno.test("plainPath() leaves one way to write a path", () => {
  assert.deepEqual(["a", "./a/", "a//b/./c", ".", "/a/"].map(plainPath), [
    "a",
    "a",
    "a/b/c",
    "",
    "/a",
  ]);
  assert.equal(problemOfPath(".piko/x"), undefined);
  assert.notEqual(problemOfCarriedPath(".piko/x"), undefined);
});
