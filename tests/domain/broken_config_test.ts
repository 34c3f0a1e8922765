/**
 * Broken files of configuration, each with all that piko says of it, word for word: the sentence, and below it the line and
 * what is meant in it.
 */

import assert from "node:assert/strict";
import { type Checked, checkProjectConfig, checkUserConfig } from "../../src/domain/config.ts";
import { readConfigText } from "../../src/domain/config_text.ts";
import { refusal, sentenceOf } from "../../src/programs/config_file.ts";

/** What is wrong, the file, and what is said. */
type Broken = [what: string, text: string, said: string[]];

/** Aliases that stand for nine times as many each. */
const ALIASES = ["x-0: &a0 [a, a, a, a, a, a, a, a, a]"].concat(
  Array.from(
    { length: 8 },
    (_, n) => `x-${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(", ")}]`,
  ),
).join("\n");

const PROJECT: Broken[] = [
  ["a list that is not closed", "shared: [a\nlink: []\n", [
    "Broken YAML at .piko.yml:2:1: A list is not closed before this: ] is missing",
    "link: []",
    "^",
  ]],
  ["a map that is not closed", "scripts: { run: a\n", [
    "Broken YAML at .piko.yml:1:18: A map is not closed before this: } is missing",
    "scripts: { run: a",
    "                 ^",
  ]],
  ["a quote that is not closed", 'scripts:\n  run: "npm run dev\n', [
    'Broken YAML at .piko.yml:2:20: The quote " is not closed',
    '  run: "npm run dev',
    "                   ^",
  ]],
  ["a single quote that is not closed", "scripts:\n  run: 'npm run dev\n", [
    "Broken YAML at .piko.yml:2:20: The quote ' is not closed",
    "  run: 'npm run dev",
    "                   ^",
  ]],
  ["tabs for spaces", "scripts:\n\trun: a\n", [
    "Broken YAML at .piko.yml:2:1: Lines are indented by spaces, not by tabs",
    "\trun: a",
    "^",
  ]],
  ["a field twice", "link: [a]\ncopy: [b]\nlink: [c]\n", [
    'Broken YAML at .piko.yml:3:1: "link" stands there twice',
    "link: [c]",
    "^",
  ]],
  ["a script twice", "scripts:\n  run: a\n  run: b\n", [
    'Broken YAML at .piko.yml:3:3: "run" stands there twice',
    "  run: b",
    "  ^",
  ]],
  ["what is merged and is no map", "x-a: &a [redis]\nshells:\n  <<: *a\n", [
    "Broken YAML at .piko.yml:3:7: Only a map, an alias of one or a list of those can stand behind <<",
    "  <<: *a",
    "      ^~",
  ]],
  ["text that is merged", "<<: base.yml\n", [
    "Broken YAML at .piko.yml:1:5: Only a map, an alias of one or a list of those can stand behind <<",
    "<<: base.yml",
    "    ^~~~~~~~",
  ]],
  ["text behind |", "scripts:\n  run: | npm run dev\n", [
    "Broken YAML at .piko.yml:2:10: The text that | and > announce begins in the next line",
    "  run: | npm run dev",
    "         ^~~~~~~~~~~",
  ]],
  ["text right behind |", "scripts: { run: ok }\nx-a: |npm\n", [
    "Broken YAML at .piko.yml:2:7: The text that | and > announce begins in the next line",
    "x-a: |npm",
    "      ^",
  ]],
  ["an anchor that is not there", "x-a: 1\nshared: *services\n", [
    'Broken YAML at .piko.yml:2:9: There is no anchor "services" before its alias',
    "shared: *services",
    "        ^~~~~~~~~",
  ]],
  ["two documents", "shared: [a]\n---\nignore: [b]\n", [
    "Broken YAML at .piko.yml:2:1: One file is one document, without ---",
    "---",
    "^~~",
  ]],
  ["a colon within a plain text", "scripts:\n  run: echo a: b\n", [
    "Broken YAML at .piko.yml:2:8: A text that holds or ends in a colon must be in quotes",
    "  run: echo a: b",
    "       ^",
  ]],
  ["a map as a name", "? [a]\n: b\n", [
    "Broken YAML at .piko.yml:1:3: A field's name must be text",
    "? [a]",
    "  ^",
  ]],
  ["bad indentation", "scripts:\n    prepare: a\n  setup: b\n", [
    "Broken YAML at .piko.yml:3:3: This must begin in the same column as what it belongs to",
    "  setup: b",
    "  ^",
  ]],
  ["a list within a map", "scripts:\n  run: a\n  - b\n", [
    "Broken YAML at .piko.yml:3:3: A list cannot stand here",
    "  - b",
    "  ^",
  ]],
  ["an unknown escape", 'scripts:\n  run: "a\\qb"\n', [
    "Broken YAML at .piko.yml:2:10: \\q means nothing within double quotes; within single ones it stands for itself",
    '  run: "a\\qb"',
    "         ^",
  ]],
  ["a bracket too many", "shared: [a]]\n", [
    "Broken YAML at .piko.yml:1:12: ] is one too many",
    "shared: [a]]",
    "           ^",
  ]],
  ["a reserved character", "scripts:\n  run: @dev\n", [
    "Broken YAML at .piko.yml:2:8: A text that begins with @ must be in quotes",
    "  run: @dev",
    "       ^",
  ]],
  ["a backquote", "scripts:\n  run: `id`\n", [
    "Broken YAML at .piko.yml:2:8: A text that begins with ` must be in quotes",
    "  run: `id`",
    "       ^",
  ]],
  ["a percent sign", "shared: %a\n", [
    "Broken YAML at .piko.yml:1:9: A text that begins with % must be in quotes",
    "shared: %a",
    "        ^",
  ]],
  ["a block that is too far left", "scripts:\n  setup: |\n  make\n", [
    "Broken YAML at .piko.yml:3:3: There is no colon with a space behind this name",
    "  make",
    "  ^~~~",
  ]],
  ["no space behind the colon", "scripts:\n  run:npm\n  setup: a\n", [
    "Broken YAML at .piko.yml:2:3: There is no colon with a space behind this name",
    "  run:npm",
    "  ^~~~~~~",
  ]],
  ["a conflict of git", "<<<<<<< HEAD\nshared: [a]\n=======\nshared: [b]\n>>>>>>> other\n", [
    "Broken YAML at .piko.yml:1:1: A conflict of git is not resolved here",
    "<<<<<<< HEAD",
    "^~~~~~~",
  ]],
  ["aliases that multiply", ALIASES, [
    "Broken YAML at .piko.yml:1:1: Too many aliases",
    "x-0: &a0 [a, a, a, a, a, a, a, a, a]",
    "^",
  ]],
  ["a list that contains itself", "shared: &x [*x]\n", [
    'Wrong configuration at .piko.yml:1:13: "shared[0]" must be text, not a list',
    "shared: &x [*x]",
    "            ^~",
  ]],
  ["no comma in a map", "shells: { db: psql redis: redis-cli }\n", [
    "Broken YAML at .piko.yml:1:15: A comma is missing in this, or quotes around it",
    "shells: { db: psql redis: redis-cli }",
    "              ^~~~~~~~~~~~~~~~~~~~~",
  ]],
  ["no comma between quotes", "shared: ['a' 'b']\n", [
    "Broken YAML at .piko.yml:1:14: A comma is missing before this",
    "shared: ['a' 'b']",
    "             ^",
  ]],
  ["an item that is too far left", "shared:\n  - a\n - b\n", [
    "Broken YAML at .piko.yml:3:2: A list cannot stand here",
    " - b",
    " ^",
  ]],
  ["a name without a value", "shared\n", [
    "Wrong configuration at .piko.yml:1:1: The file must be a map of fields, not text",
    "shared",
    "^~~~~~",
  ]],
  ["a list for the file", "- shared\n- ignore\n", [
    "Wrong configuration at .piko.yml:1:1: The file must be a map of fields, not a list",
    "- shared",
    "^~~~~~~~",
  ]],
  ["text for the file", "npm run dev\n", [
    "Wrong configuration at .piko.yml:1:1: The file must be a map of fields, not text",
    "npm run dev",
    "^~~~~~~~~~~",
  ]],
  ["a number for the file", "42\n", [
    "Wrong configuration at .piko.yml:1:1: The file must be a map of fields, not a number",
    "42",
    "^~",
  ]],
  ["text for a list of names", "shared: jaeger # all\n", [
    'Wrong configuration at .piko.yml:1:9: "shared" must be a list of names, not text',
    "shared: jaeger # all",
    "        ^~~~~~",
  ]],
  ["a map for a list of names", "ignore: { web: true }\n", [
    'Wrong configuration at .piko.yml:1:9: "ignore" must be a list of names, not a map',
    "ignore: { web: true }",
    "        ^~~~~~~~~~~~~",
  ]],
  ["a number in a list of names", "shared: [jaeger, 6379]\n", [
    'Wrong configuration at .piko.yml:1:18: "shared[1]" must be text, not a number: put it in quotes',
    "shared: [jaeger, 6379]",
    "                 ^~~~",
  ]],
  ["an empty name", 'ignore:\n  - web\n  - ""\n', [
    'Wrong configuration at .piko.yml:3:5: "ignore[1]" must not be empty',
    '  - ""',
    "    ^~",
  ]],
  ["nothing in a list of names", "ignore:\n  - web\n  -\n", [
    'Wrong configuration at .piko.yml:3:4: "ignore[1]" must be text, not nothing',
    "  -",
    "   ^",
  ]],
  ["a list for scripts", "scripts:\n  - run\n", [
    'Wrong configuration at .piko.yml:2:3: "scripts" must be a map from prepare, setup, run and destroy to commands, not a list',
    "  - run",
    "  ^~~~~",
  ]],
  ["a list for a window", "windows:\n  - [front]\n", [
    'Wrong configuration at .piko.yml:2:5: "windows[0]" must be a map with a name, not a list',
    "  - [front]",
    "    ^~~~~~~",
  ]],
  ["text for scripts", "scripts: npm ci\n", [
    'Wrong configuration at .piko.yml:1:10: "scripts" must be a map from prepare, setup, run and destroy to commands, not text',
    "scripts: npm ci",
    "         ^~~~~~",
  ]],
  ["a list for a script", "# one\nscripts:\n  setup: [npm, ci]\n", [
    'Wrong configuration at .piko.yml:3:10: "scripts.setup" must be text, not a list',
    "  setup: [npm, ci]",
    "         ^~~~~~~~~",
  ]],
  ["true for a script", "scripts:\n  run: true\n", [
    'Wrong configuration at .piko.yml:2:8: "scripts.run" must be text, not true or false: put it in quotes',
    "  run: true",
    "       ^~~~",
  ]],
  ["a number for a script", "scripts: {destroy: 0}\n", [
    'Wrong configuration at .piko.yml:1:20: "scripts.destroy" must be text, not a number: put it in quotes',
    "scripts: {destroy: 0}",
    "                   ^",
  ]],
  ["a zero byte in a script", 'scripts:\n  run: "a\\0b"\n', [
    'Wrong configuration at .piko.yml:2:8: "scripts.run" must not contain a zero byte',
    '  run: "a\\0b"',
    "       ^~~~~~",
  ]],
  ["a list of shells", "shells: [psql]\n", [
    'Wrong configuration at .piko.yml:1:9: "shells" must be a map from services to commands, not a list',
    "shells: [psql]",
    "        ^~~~~~",
  ]],
  ["a shell of nothing", "shells:\n  db:\n  web: bash\n", [
    'Wrong configuration at .piko.yml:2:6: "shells.db" must be text, not nothing',
    "  db:",
    "     ^",
  ]],
  ["a shell of nothing for a service of an odd name", "shells: { constructor: }\n", [
    'Wrong configuration at .piko.yml:1:24: "shells.constructor" must be text, not nothing',
    "shells: { constructor: }",
    "                       ^",
  ]],
  ["a shell of several words", "shells: { db: [psql, -U, postgres] }\n", [
    'Wrong configuration at .piko.yml:1:15: "shells.db" must be text, not a list',
    "shells: { db: [psql, -U, postgres] }",
    "              ^~~~~~~~~~~~~~~~~~~~",
  ]],
  ["one window", "windows: { name: front }\n", [
    'Wrong configuration at .piko.yml:1:10: "windows" must be a list of windows, not a map',
    "windows: { name: front }",
    "         ^~~~~~~~~~~~~~~",
  ]],
  ["a window that is text", "windows:\n  - front\n", [
    'Wrong configuration at .piko.yml:2:5: "windows[0]" must be a map with a name, not text',
    "  - front",
    "    ^~~~~",
  ]],
  ["a window without a name", "windows:\n  - command: a\n    local: true\n", [
    'Wrong configuration at .piko.yml:2:5: "windows[0].name" is missing',
    "  - command: a",
    "    ^~~~~~~~~~",
  ]],
  ["a window with an empty name", "windows: [{ name: '' }]\n", [
    'Wrong configuration at .piko.yml:1:19: "windows[0].name" must not be empty',
    "windows: [{ name: '' }]",
    "                  ^~",
  ]],
  ["a window that is local or not", 'windows:\n  - { name: a, local: "yes" }\n', [
    'Wrong configuration at .piko.yml:2:23: "windows[0].local" must be true or false, not text',
    '  - { name: a, local: "yes" }',
    "                      ^~~~~",
  ]],
  ["a window of several services", "windows:\n  - name: a\n    service: [db, web]\n", [
    'Wrong configuration at .piko.yml:3:14: "windows[0].service" must be text, not a list',
    "    service: [db, web]",
    "             ^~~~~~~~~",
  ]],
  ["a number for compose", "compose: 3\n", [
    'Wrong configuration at .piko.yml:1:10: "compose" must be a path, not a number',
    "compose: 3",
    "         ^",
  ]],
  ["an empty list of compose files", "compose: []\n", [
    'Wrong configuration at .piko.yml:1:10: "compose" must not be empty',
    "compose: []",
    "         ^~",
  ]],
  ["a map among compose files", "compose:\n  - a.yml\n  - file: b.yml\n", [
    'Wrong configuration at .piko.yml:3:5: "compose[1]" must be a path, not a map',
    "  - file: b.yml",
    "    ^~~~~~~~~~~",
  ]],
  ["an absolute path", "link:\n  - ok\n  - /etc/passwd\n", [
    'Wrong configuration at .piko.yml:3:5: "link[1]" must be a path from the project\'s root, not an absolute one',
    "  - /etc/passwd",
    "    ^~~~~~~~~~~",
  ]],
  ["a path out of the project", "copy: [../other]\n", [
    'Wrong configuration at .piko.yml:1:8: "copy[0]" must stay inside the project, without ".."',
    "copy: [../other]",
    "       ^~~~~~~~",
  ]],
  ["a path from the home folder", "copy: [~/.ssh]\n", [
    'Wrong configuration at .piko.yml:1:8: "copy[0]" must be a path from the project\'s root, not from the home folder',
    "copy: [~/.ssh]",
    "       ^~~~~~",
  ]],
  ["a path into .git", "copy: [.git/config]\n", [
    'Wrong configuration at .piko.yml:1:8: "copy[0]" must not be a part of .git',
    "copy: [.git/config]",
    "       ^~~~~~~~~~~",
  ]],
  ["a path into .piko", "link: [.piko/data]\n", [
    'Wrong configuration at .piko.yml:1:8: "link[0]" must not be a part of .piko',
    "link: [.piko/data]",
    "       ^~~~~~~~~~",
  ]],
  ["a path of nothing", "link: [./]\n", [
    'Wrong configuration at .piko.yml:1:8: "link[0]" must name a file or folder',
    "link: [./]",
    "       ^~",
  ]],
  ["a compose file outside", "compose: ../compose.yml\n", [
    'Wrong configuration at .piko.yml:1:10: "compose" must stay inside the project, without ".."',
    "compose: ../compose.yml",
    "         ^~~~~~~~~~~~~~",
  ]],
  ["copied and linked", "copy: [a/]\nlink: [b, ./a]\n", [
    'Wrong configuration at .piko.yml:2:11: "./a" is in both copy and link',
    "link: [b, ./a]",
    "          ^~~",
  ]],
  ["one path for a list", "copy: node_modules\n", [
    'Wrong configuration at .piko.yml:1:7: "copy" must be a list of paths, not text',
    "copy: node_modules",
    "      ^~~~~~~~~~~~",
  ]],
  ["four mistakes in one file", "shared: 1\nwindows:\n  - name: 2\nlink: [/etc]\nscripts: []\n", [
    'Wrong configuration at .piko.yml:1:9: "shared" must be a list of names, not a number',
    "shared: 1",
    "        ^",
    '.piko.yml:3:11: "windows[0].name" must be text, not a number: put it in quotes',
    "  - name: 2",
    "          ^",
    '.piko.yml:4:8: "link[0]" must be a path from the project\'s root, not an absolute one',
    "link: [/etc]",
    "       ^~~~",
    '.piko.yml:5:10: "scripts" must be a map from prepare, setup, run and destroy to commands, not a list',
    "scripts: []",
    "         ^~",
  ]],
  ["wide characters and tabs before the mistake", 'shared: [日本, "é",\t6379]\n', [
    'Wrong configuration at .piko.yml:1:19: "shared[2]" must be text, not a number: put it in quotes',
    'shared: [日本, "é",\t6379]',
    "                   \t^~~~",
  ]],
  ["CRLF", "shared:\r\n  - 1\r\nignore: []\r\n", [
    'Wrong configuration at .piko.yml:2:5: "shared[0]" must be text, not a number: put it in quotes',
    "  - 1",
    "    ^",
  ]],
  ["a long line", `shared: [${"name, ".repeat(40)}7, ${"name, ".repeat(40)}]\n`, [
    'Wrong configuration at .piko.yml:1:250: "shared[40]" must be text, not a number: put it in quotes',
    ", name, name, name, 7, name, name, name, name, name, name, name, name, name, nam",
    "                    ^",
  ]],
  ["a secret in the line", "scripts:\n  run: API_KEY=abcdef npm run dev: x\n", [
    "Broken YAML at .piko.yml:2:8: A text that holds or ends in a colon must be in quotes",
    "  run: API_KEY=****** npm run dev: x",
    "       ^",
  ]],
  ["control characters", 'shared: "a\u009b31m"\n', [
    'Wrong configuration at .piko.yml:1:9: "shared" must be a list of names, not text',
    'shared: "a�31m"',
    "        ^~~~~~~",
  ]],
];

const USER: Broken[] = [
  ["a list for the editor", "editor: [code, --wait]\n", [
    'Wrong configuration at config.yml:1:9: "editor" must be text, not a list',
    "editor: [code, --wait]",
    "        ^~~~~~~~~~~~~~",
  ]],
  ["an empty editor", 'editor: ""\n', [
    'Wrong configuration at config.yml:1:9: "editor" must not be empty',
    'editor: ""',
    "        ^~",
  ]],
  ["a number for the prefix", "session_prefix: 7\n", [
    'Wrong configuration at config.yml:1:17: "session_prefix" must be text, not a number: put it in quotes',
    "session_prefix: 7",
    "                ^",
  ]],
  ["a map for the shell", "default_shell: { web: bash }\n", [
    'Wrong configuration at config.yml:1:16: "default_shell" must be text, not a map',
    "default_shell: { web: bash }",
    "               ^~~~~~~~~~~~~",
  ]],
  ["a window without a name, of one's own", "default_windows:\n  - local: true\n", [
    'Wrong configuration at config.yml:2:5: "default_windows[0].name" is missing',
    "  - local: true",
    "    ^~~~~~~~~~~",
  ]],
  ["text for shells", "shells: bash\n", [
    'Wrong configuration at config.yml:1:9: "shells" must be a map from services to commands, not text',
    "shells: bash",
    "        ^~~~",
  ]],
  ["a prefix with a colon", "session_prefix: dev:\n", [
    "Broken YAML at config.yml:1:17: A text that holds or ends in a colon must be in quotes",
    "session_prefix: dev:",
    "                ^",
  ]],
  ["a broken file of one's own", "editor: code\nsession_prefix: dev: x\n", [
    "Broken YAML at config.yml:2:17: A text that holds or ends in a colon must be in quotes",
    "session_prefix: dev: x",
    "                ^",
  ]],
];

function proveAll<Config>(
  path: string,
  cases: readonly Broken[],
  check: (content: unknown) => Checked<Config>,
): void {
  for (const [what, text, said] of cases) {
    const read = readConfigText(text, check);
    assert.equal(read.config, undefined, `${what} was accepted`);
    const { message, details, code, hint } = refusal({ path, ...read });
    assert.deepEqual([message, ...details], said, what);
    assert.deepEqual([code, hint], ["usage", `correct ${path}, and try again`]);
  }
}

Deno.test("a broken .piko.yml is refused with the line and the place of each mistake", () => {
  assert.ok(PROJECT.length >= 40);
  proveAll(".piko.yml", PROJECT, checkProjectConfig);
});

Deno.test("a broken config.yml of a person is refused in the same way", () => {
  proveAll("config.yml", USER, checkUserConfig);
});

/** What is odd, the file, and what is said; it serves all the same. */
const ODD: Broken[] = [
  ["a name that is nearly one", "setup: a\nscript: {}\n", [
    '.piko.yml:1:1: "setup" is unknown and ignored; did you mean "scripts.setup"?',
    "setup: a",
    "^~~~~",
    '.piko.yml:2:1: "script" is unknown and ignored; did you mean "scripts"?',
    "script: {}",
    "^~~~~~",
  ]],
  ["a name that is near none", "database: postgres\nx-database: mine\n", [
    '.piko.yml:1:1: "database" is unknown and ignored',
    "database: postgres",
    "^~~~~~~~",
  ]],
  ["what belongs in the person's file", "editor: vim\n", [
    '.piko.yml:1:1: "editor" is unknown and ignored; it belongs in your own config.yml',
    "editor: vim",
    "^~~~~~",
  ]],
  ["names of scripts and windows", "scripts: { setpu: a }\nwindows: [{ name: a, cmd: b }]\n", [
    '.piko.yml:1:12: "scripts.setpu" is unknown and ignored; did you mean "setup"?',
    "scripts: { setpu: a }",
    "           ^~~~~",
    '.piko.yml:2:22: "windows[0].cmd" is unknown and ignored',
    "windows: [{ name: a, cmd: b }]",
    "                     ^~~",
  ]],
  ["two windows of one name", "windows:\n  - name: a\n  - { name: b }\n  - name: a\n", [
    '.piko.yml:4:11: "windows[2].name" is "a" as is that of "windows[0]", whose place this one takes',
    "  - name: a",
    "          ^",
  ]],
  ["a tag", "scripts:\n  run: !odd b\n", [
    ".piko.yml:2:8: Unresolved tag: !odd",
    "  run: !odd b",
    "       ^~~~",
  ]],
];

const ODD_USER: Broken[] = [
  ["what belongs in a project's file", "windows: []\ncopy: [a]\ndefault_shel: zsh\n", [
    'config.yml:1:1: "windows" is unknown and ignored; did you mean "default_windows"?',
    "windows: []",
    "^~~~~~~",
    'config.yml:2:1: "copy" is unknown and ignored; it belongs in a project\'s .piko.yml',
    "copy: [a]",
    "^~~~",
    'config.yml:3:1: "default_shel" is unknown and ignored; did you mean "default_shell"?',
    "default_shel: zsh",
    "^~~~~~~~~~~~",
  ]],
  ["an editor with a quote", "editor: code 'a\n", [
    'config.yml:1:9: "editor" is no command',
    "editor: code 'a",
    "        ^~~~~~~",
  ]],
];

Deno.test("an odd file is warned of with the line and the place, and serves", () => {
  const proveOdd = <Config>(
    path: string,
    cases: Broken[],
    check: (c: unknown) => Checked<Config>,
  ) => {
    for (const [what, text, said] of cases) {
      const { config, findings } = readConfigText(text, check);
      assert.notEqual(config, undefined, what);
      assert.ok(findings.every(({ level }) => level === "warning"), what);
      assert.deepEqual(
        findings.flatMap((finding) => [sentenceOf(path, finding), ...finding.shown]),
        said,
        what,
      );
    }
  };
  proveOdd(".piko.yml", ODD, checkProjectConfig);
  proveOdd("config.yml", ODD_USER, checkUserConfig);
});

Deno.test("an error tells of ten mistakes, and how many more there are", () => {
  const text = `shared: [${"1, ".repeat(13)}]\n`;
  const { message, details } = refusal({
    path: ".piko.yml",
    ...readConfigText(text, checkProjectConfig),
  });
  assert.match(message, /1:10: "shared\[0\]"/);
  assert.match(details.at(-4) ?? "", /^\.piko\.yml:1:37: "shared\[9\]"/);
  assert.equal(details.at(-1), "… and 3 more: piko config check");
});
