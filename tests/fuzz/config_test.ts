import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import {
  checkProjectConfig,
  checkUserConfig,
  type ProjectConfig,
} from "../../src/domain/config.ts";
import { readConfigText } from "../../src/domain/config_text.ts";
import { plainPath, problemOfCarriedPath, problemOfPath } from "../../src/domain/relative_path.ts";
import { commandArgv, planWindows } from "../../src/domain/windows.ts";
import { anyText, fuzz } from "./fuzz.ts";

/** Pieces of YAML, of which some make a configuration and most do not. */
const yaml = fc.array(
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc.constantFrom(
        ...[
          "compose",
          "scripts",
          "shared",
          "shells",
          "ignore",
          "windows",
          "copy",
          "link",
          "editor",
        ],
        ...[
          "prepare",
          "setup",
          "run",
          "destroy",
          "name",
          "command",
          "local",
          "service",
          "session_prefix",
        ],
        ...[
          ": ",
          ":\n",
          "\n",
          "\n  ",
          "\n    ",
          "- ",
          "\n- ",
          "\n  - ",
          "{ ",
          " }",
          "[",
          "]",
          ", ",
        ],
        ...[
          "&a ",
          "*a",
          "<<: *a",
          "<<: ",
          "<<: [*a, *a]",
          "? ",
          "!!binary ",
          "!!str ",
          "!x ",
          "|\n  ",
          ">-\n  ",
          "---\n",
          "...\n",
        ],
        ...[
          "# comment\n",
          '"',
          "'",
          "\\",
          "true",
          "null",
          "~",
          "1",
          "0x1f",
          "1e999",
          ".inf",
          "2001-01-01",
        ],
        ...[
          "a",
          "ä",
          "👩‍👩‍👧",
          "\t",
          "\r\n",
          "\0",
          "\ufeff",
          "\u2028",
          "%YAML 1.1\n",
          "<<<<<<< HEAD\n",
          "@",
          "`",
        ],
        ...["password: geheim\n", "../up", "/abs", "[[[[[[[[", "{a: {a: {a: ", "x-anchor: &a {}\n"],
      ),
    },
    { weight: 1, arbitrary: anyText },
  ),
  { maxLength: 25 },
).map((parts) => parts.join(""));

fuzz(
  "readConfigText() makes a configuration of any text, or says where it is wrong",
  fc.tuple(yaml, fc.boolean()),
  ([text, isProject]) => {
    const file = isProject
      ? readConfigText(text, checkProjectConfig)
      : readConfigText(text, checkUserConfig);
    const errors = file.findings.filter(({ level }) => level === "error");
    assert.equal(file.config === undefined, errors.length > 0);
    const lines = text.split(/\r\n?|\n/);
    for (const { line, column, message, shown } of file.findings) {
      assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
      assert.ok(column >= 1 && column <= text.length + 1);
      assert.ok(message !== "" && !message.endsWith("."), message);
      for (const one of [message, ...shown]) assert.doesNotMatch(one, /[^\P{Cc}\t]/u);
      assert.ok(shown.length === 0 || shown.length === 2);
      if (shown.length === 2) assert.match(shown[1] ?? "", /^\s*\^~*$/);
    }
    if (isProject && file.config !== undefined) checkConfig(file.config as ProjectConfig);
  },
  { count: 800 },
);

/** Checks what whoever has a configuration may rely on. */
function checkConfig(config: ProjectConfig): void {
  for (const path of config.compose ?? []) {
    assert.equal(problemOfPath(path), undefined);
    assert.equal(plainPath(path), path);
  }
  for (const path of [...config.copy, ...config.link]) {
    assert.equal(problemOfCarriedPath(path), undefined);
  }
  for (const script of Object.values(config.scripts)) {
    assert.ok(typeof script === "string" && !script.includes("\0"));
  }
  for (const name of [...config.shared, ...config.ignore, ...Object.values(config.shells)]) {
    assert.ok(typeof name === "string" && name !== "");
  }
  const { windows } = planWindows({
    mode: "docker",
    services: ["web", "db"],
    project: config,
    user: { defaultWindows: [] },
  });
  assert.ok(windows.every(({ name }) => name !== ""));
}

const text = anyText.filter((text) => !text.includes("\0")).map((text) => text.toWellFormed());
const name = text.filter((text) => text !== "");

/** Writes YAML in all of its styles; in quotes alone where yaml itself does not read what it has written, such as " \n". */
function written(config: unknown): string {
  const text = stringify(config);
  if (isDeepStrictEqual(parse(text), config)) return text;
  return stringify(config, { defaultStringType: "QUOTE_DOUBLE" });
}

fuzz(
  "readConfigText() reads what was written",
  fc.record({
    scripts: fc.record({ prepare: text, setup: text, run: text, destroy: text }),
    shared: fc.array(name, { maxLength: 3 }),
    ignore: fc.array(name, { maxLength: 3 }),
    shells: fc.dictionary(name.filter((name) => name !== "<<"), name),
    // Of two windows with one name the second takes the place of the first, and is warned of.
    windows: fc.uniqueArray(
      fc.record({ name, local: fc.boolean(), command: name, service: name }),
      { selector: ({ name }) => name, maxLength: 3 },
    ),
  }),
  (config) => {
    const file = readConfigText(written(config), checkProjectConfig);
    assert.deepEqual(file.findings, []);
    const { scripts, shared, ignore, shells, windows } = file.config ?? {};
    const read = { scripts, shared, ignore, shells, windows };
    assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(config)));
  },
  { count: 300 },
);

fuzz("commandArgv() makes an argv of a command that loses nothing of it", name, (command) => {
  const argv = commandArgv(command);
  assert.ok(argv.length > 0);
  if (argv[0] === "sh") assert.equal(argv.at(-1), command);
  else assert.equal(argv.join(" "), command.trim().replace(/[ \t]+/g, " "));
}, { count: 2000 });
