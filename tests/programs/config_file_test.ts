import assert from "node:assert/strict";
import { PikoError } from "../../src/domain/errors.ts";
import { readProjectConfig, readUserConfig } from "../../src/programs/config_file.ts";
import { run } from "../../src/programs/run.ts";

class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async with(content?: string | Uint8Array): Promise<Folder> {
    const folder = new Folder(await Deno.makeTempDir({ prefix: "pikotest-config-" }));
    if (content !== undefined) await folder.write(content);
    return folder;
  }

  async write(content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${this.path}/.piko.yml`, bytes);
  }

  /** Reads a file that must be refused, and tells the message and details with the folder left out. */
  async refusal(): Promise<string[]> {
    try {
      await readProjectConfig(this.path);
    } catch (error) {
      assert.ok(error instanceof PikoError, String(error));
      assert.equal(error.code, "usage");
      assert.ok(error.hint);
      return [error.message, ...error.details].map((line) => line.replaceAll(`${this.path}/`, ""));
    }
    assert.fail("it was not refused");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

async function refusalOf(content: string | Uint8Array): Promise<string[]> {
  await using folder = await Folder.with(content);
  return await folder.refusal();
}

Deno.test("readProjectConfig() takes a missing, an empty and a commented file for the same", async () => {
  await using missing = await Folder.with();
  const expected = await readProjectConfig(missing.path);
  assert.deepEqual(expected.warnings, []);
  for (const content of ["", "\n", "# nothing yet\n", "---\n", "\uFEFF", "{}", "---\n...\n"]) {
    await using folder = await Folder.with(content);
    assert.deepEqual(await readProjectConfig(folder.path), expected, JSON.stringify(content));
  }
});

Deno.test("readProjectConfig() loads neither YAML nor schemas for a missing file", async () => {
  const module = new URL("../../src/programs/config_file.ts", import.meta.url).href;
  const info = JSON.parse(await run(["deno", "info", "--json", module]));
  const eager = new Set<string>();
  const visit = (specifier: string) => {
    if (eager.has(specifier)) return;
    eager.add(specifier);
    const found = info.modules.find((known: { specifier: string }) =>
      known.specifier === specifier
    );
    for (const dependency of found?.dependencies ?? []) {
      if (!dependency.isDynamic && dependency.code) visit(dependency.code.specifier);
    }
  };
  visit(module);
  assert.ok(eager.size > 1);
  assert.deepEqual([...eager].filter((name) => /yaml|valibot|domain\/config\.ts/.test(name)), []);
});

Deno.test("readProjectConfig() reads lists, scripts, anchors, a BOM and CRLF", async () => {
  await using folder = await Folder.with(
    "\uFEFFx-list: &list [a, b]\r\nshared: *list\r\nignore: [a, b]\r\n" +
      "scripts: &scripts\r\n  setup: |\r\n    one\r\n    two\r\n  run: yes\r\n" +
      "link:\r\n  - .env\r\n",
  );
  const { config, warnings } = await readProjectConfig(folder.path);
  assert.deepEqual(warnings, []);
  assert.deepEqual(config.shared, ["a", "b"]);
  assert.deepEqual(config.scripts, { setup: "one\ntwo\n", run: "yes" });
  assert.deepEqual(config.link, [".env"]);
  await folder.write("x-w: &w {local: true}\nwindows:\n  - <<: *w\n    name: a\n");
  assert.deepEqual((await readProjectConfig(folder.path)).config.windows, [{
    name: "a",
    local: true,
  }]);
});

Deno.test("readProjectConfig() shows the line and the place of a wrong value", async () => {
  assert.deepEqual(await refusalOf("# one\nscripts:\n  setup: [npm, ci]\n"), [
    'Wrong configuration at .piko.yml:3:10: "scripts.setup" must be text, not a list',
    "  setup: [npm, ci]",
    "         ^~~~~~~~~",
  ]);
  assert.deepEqual(await refusalOf("shared: jaeger # all\nlink:\n- ok\n- /etc\n"), [
    'Wrong configuration at .piko.yml:1:9: "shared" must be a list of names, not text',
    "shared: jaeger # all",
    "        ^~~~~~",
    '.piko.yml:4:3: "link[1]" must be a path from the project\'s root, not an absolute one',
    "- /etc",
    "  ^~~~",
  ]);
  assert.deepEqual(await refusalOf("windows:\n  - command: a\n    local: true\n"), [
    'Wrong configuration at .piko.yml:2:5: "windows[0].name" is missing',
    "  - command: a",
    "    ^~~~~~~~~~",
  ]);
  assert.deepEqual(await refusalOf("- a\n"), [
    "Wrong configuration at .piko.yml:1:1: The file must be a map of fields, not a list",
    "- a",
    "^~~",
  ]);
  assert.match(
    (await refusalOf("just text"))[0] ?? "",
    /1:1: The file must be a map of fields, not text/,
  );
});

Deno.test("readProjectConfig() shows the line and the place of broken YAML", async () => {
  const places: [string, RegExp][] = [
    ["shared: [a\nlink: []\n", /^Broken YAML at \.piko\.yml:2:1: /],
    [
      "scripts:\n\trun: a\n",
      /^Broken YAML at \.piko\.yml:2:1: Lines are indented by spaces, not by tabs$/,
    ],
    ["link: [a]\nlink: [b]\n", /^Broken YAML at \.piko\.yml:2:1: "link" stands there twice$/],
    ["a: 1\nb: *zz\n", /^Broken YAML at \.piko\.yml:2:4: There is no anchor "zz"/],
    ["a: 1\n---\nb: 2\n", /^Broken YAML at \.piko\.yml:\d:\d: /],
    ["run: a: b\n", /^Broken YAML at \.piko\.yml:1:6: /],
    ['run: "a\n', /^Broken YAML at \.piko\.yml:\d:\d: /],
    ["? [a]\n: b\n", /^Broken YAML at \.piko\.yml:1:3: /],
  ];
  for (const [content, expected] of places) {
    const [message = "", ...details] = await refusalOf(content);
    assert.match(message, expected);
    assert.doesNotMatch(message, /\.$/);
    assert.ok(details.length === 0 || /^\s*\^~*$/.test(details[1] ?? ""), details.join("\n"));
  }
});

Deno.test("readProjectConfig() survives aliases that multiply or contain themselves", async () => {
  const lines = ["x-0: &a0 [a, a, a, a, a, a, a, a, a]"];
  for (let n = 1; n < 9; n++) {
    lines.push(`x-${n}: &a${n} [${Array(9).fill(`*a${n - 1}`).join(", ")}]`);
  }
  assert.match((await refusalOf(lines.join("\n")))[0] ?? "", /Too many aliases/);
  assert.match(
    (await refusalOf("shared: &x [*x]\n"))[0] ?? "",
    /1:13: "shared\[0\]" must be text, not a list/,
  );
});

Deno.test("readProjectConfig() survives a file that is nested without end", async () => {
  assert.match((await refusalOf("[".repeat(200_000)))[0] ?? "", /nested too deeply/);
  assert.match((await refusalOf("a: ".repeat(50_000)))[0] ?? "", /^Broken YAML/);
});

Deno.test("readProjectConfig() crops long lines, and shows no control characters", async () => {
  const [, line = "", carets = ""] = await refusalOf(`shared: [${"a, ".repeat(2000)}[b], c]\n`);
  assert.ok(line.length <= 80 && line.includes("[b]"), line);
  assert.equal(line.slice(carets.indexOf("^"), carets.length), "[b]");
  for (const text of ['shared: "\u009b31m"\n', "compose: [a]\x7f\n"]) {
    assert.doesNotMatch((await refusalOf(text)).join(""), /\p{Cc}/u);
  }
  assert.deepEqual((await refusalOf("scripts:\n  run:\t[a]\n")).slice(1), [
    "  run:\t[a]",
    "      \t^~~",
  ]);
});

Deno.test("readProjectConfig() warns with the place of an unknown field", async () => {
  await using folder = await Folder.with("scripts:\n  steup: a\n  run: !odd b\n");
  const { config, warnings } = await readProjectConfig(folder.path);
  assert.deepEqual(config.scripts, { run: "b" });
  assert.deepEqual(warnings.map((warning) => warning.replace(`${folder.path}/`, "")), [
    '.piko.yml:2:3: "scripts.steup" is unknown and ignored; did you mean "setup"?',
    ".piko.yml:3:8: Unresolved tag: !odd",
  ]);
});

Deno.test("readProjectConfig() refuses what is no readable text", async () => {
  assert.match((await refusalOf("#".repeat(1024 * 1024)))[0] ?? "", /larger than 256 KB/);
  assert.match((await refusalOf(new Uint8Array([0x61, 0xff, 0xfe])))[0] ?? "", /UTF-8/);
  await using folder = await Folder.with();
  await Deno.mkdir(`${folder.path}/.piko.yml`);
  assert.match((await folder.refusal())[0] ?? "", /is not a file/);
  await Deno.remove(`${folder.path}/.piko.yml`);
  // Reading it would wait for ever.
  await run(["mkfifo", `${folder.path}/.piko.yml`]);
  assert.match((await folder.refusal())[0] ?? "", /is not a file/);
});

Deno.test("readProjectConfig() tells that .piko.yaml is not read", async () => {
  await using folder = await Folder.with();
  await Deno.writeTextFile(`${folder.path}/.piko.yaml`, "link: [a]\n");
  const { config, warnings } = await readProjectConfig(folder.path);
  assert.deepEqual(config.link, []);
  assert.match(warnings.join(), /\.piko\.yaml is not read/);
});

Deno.test("readUserConfig() reads the person's own file", async () => {
  await using folder = await Folder.with();
  const path = `${folder.path}/config.yml`;
  assert.deepEqual((await readUserConfig(path)).config, { defaultWindows: [], shells: {} });
  await Deno.writeTextFile(path, "editor: cursor\nsession_prefix: 'dev:'\n");
  assert.deepEqual((await readUserConfig(path)).config, {
    editor: "cursor",
    sessionPrefix: "dev:",
    defaultWindows: [],
    shells: {},
  });
  await Deno.writeTextFile(path, "editor: 1\n");
  await assert.rejects(readUserConfig(path), /config\.yml:1:9: "editor" must be text/);
});
