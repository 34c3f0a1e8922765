/** The order in which configuration counts: defaults ← the person's file ← the project's ← flags, with the sources. */

import assert from "node:assert/strict";
import { checkProjectConfig, checkUserConfig } from "../../src/domain/config.ts";
import { readConfigText } from "../../src/domain/config_text.ts";
import {
  type Layer,
  type Layers,
  mergeSettings,
  type Setting,
  type Source,
} from "../../src/domain/settings.ts";
import { customWindows, shellArgv } from "../../src/domain/windows.ts";

/** What is merged: the two files as text, and the rest. */
interface Merged extends Partial<Pick<Layers, "flags" | "variables" | "defaults" | "shared">> {
  user?: string;
  project?: string;
}

function layersOf({ user, project, ...rest }: Merged): Layers {
  return {
    defaults: { compose: [], editor: null },
    user: user === undefined ? undefined : layer("config.yml", user, checkUserConfig),
    project: project === undefined ? undefined : layer(".piko.yml", project, checkProjectConfig),
    ...rest,
  };
}

function layer<Config>(
  file: string,
  text: string,
  check: Parameters<typeof readConfigText<Config>>[1],
): Layer<Config> {
  const { config, placeOf } = readConfigText(text, check);
  assert.ok(config !== undefined, text);
  return { config, file, placeOf };
}

/** Writes a setting as `path = value # source, over source`. */
function shown({ path, value, source, over }: Setting): string {
  const others = over.length === 0 ? "" : `, over ${over.map(sourceText).join(", ")}`;
  return `${path.join(".")} = ${JSON.stringify(value)} # ${sourceText(source)}${others}`;
}

function sourceText({ kind, name, line, column }: Source): string {
  return line === null ? name ?? kind : `${name}:${line}:${column}`;
}

/** The settings of some field, or of all. */
function settingsOf(merged: Merged, field?: string): string[] {
  return mergeSettings(layersOf(merged))
    .filter(({ path }) => field === undefined || path[0] === field).map(shown);
}

Deno.test("mergeSettings() has every field, with defaults where nothing is said", () => {
  const nothing = [
    "compose = [] # default",
    "scripts = {} # default",
    "shared = [] # default",
    "shells = {} # default",
    "ignore = [] # default",
    "windows = [] # default",
    "copy = [] # default",
    "link = [] # default",
    "editor = null # default",
    'session_prefix = "piko/" # default',
    'default_shell = "sh" # default',
  ];
  assert.deepEqual(settingsOf({}), nothing);
  assert.deepEqual(settingsOf({ user: "", project: "# nothing\n" }), nothing);
  const empty = "scripts:\nshared: []\nshells: {}\nwindows: []\ncopy: []\ncompose:\n";
  assert.deepEqual(settingsOf({ project: empty, user: "editor:\nshells:\n" }), nothing);
});

/** What is merged, the field that is looked at, and what comes of it. */
const CASES: [what: string, merged: Merged, field: string, settings: string[]][] = [
  ["the editor of the machine", { defaults: { compose: [], editor: "vim" } }, "editor", [
    'editor = "vim" # default',
  ]],
  [
    "$EDITOR",
    { variables: { EDITOR: "nano" }, defaults: { compose: [], editor: "vim" } },
    "editor",
    [
      'editor = "nano" # $EDITOR',
    ],
  ],
  ["$VISUAL before $EDITOR", { variables: { EDITOR: "nano", VISUAL: "code" } }, "editor", [
    'editor = "code" # $VISUAL, over $EDITOR',
  ]],
  ["an empty $VISUAL", { variables: { EDITOR: "nano", VISUAL: "" } }, "editor", [
    'editor = "nano" # $EDITOR',
  ]],
  ["the person's editor", { user: "\neditor: cursor\n", variables: { EDITOR: "nano" } }, "editor", [
    'editor = "cursor" # config.yml:2:1, over $EDITOR',
  ]],
  [
    "--editor above all",
    { flags: { editor: "hx" }, user: "editor: cursor\n", variables: { VISUAL: "code" } },
    "editor",
    ['editor = "hx" # --editor, over config.yml:1:1, $VISUAL'],
  ],
  ["compose as it is found", { defaults: { compose: ["compose.yml"], editor: null } }, "compose", [
    'compose = ["compose.yml"] # default',
  ]],
  ["$COMPOSE_FILE", { variables: { COMPOSE_FILE: ["a.yml", "b.yml"] } }, "compose", [
    'compose = ["a.yml","b.yml"] # $COMPOSE_FILE',
  ]],
  [
    "the project's compose file",
    {
      project: "compose: deploy/compose.yml\n",
      variables: { COMPOSE_FILE: ["a.yml"] },
      defaults: { compose: ["compose.yml"], editor: null },
    },
    "compose",
    ['compose = ["deploy/compose.yml"] # .piko.yml:1:1, over $COMPOSE_FILE'],
  ],
  ["scripts", { project: "scripts:\n  run: a\n  prepare: |\n    b\n    c\n" }, "scripts", [
    'scripts.prepare = "b\\nc\\n" # .piko.yml:3:3',
    'scripts.run = "a" # .piko.yml:2:3',
  ]],
  ["lists", { project: "shared: [a]\nignore:\n  - b\ncopy: [c/, ./c]\nlink: [d]\n" }, "copy", [
    'copy = ["c"] # .piko.yml:4:1',
  ]],
  [
    "what is shared, as the file says",
    { project: "shared: [b, a]\n", shared: ["a", "b"] },
    "shared",
    [
      'shared = ["b","a"] # .piko.yml:1:1',
    ],
  ],
  ["what piko share has added", { project: "shared: [b]\n", shared: ["a", "b"] }, "shared", [
    'shared = ["a","b"] # piko share, over .piko.yml:1:1',
  ]],
  ["what piko isolate has left", { project: "shared: [a, b]\n", shared: ["b"] }, "shared", [
    'shared = ["b"] # piko isolate, over .piko.yml:1:1',
  ]],
  ["what piko isolate has taken away", { project: "shared: [b]\n", shared: [] }, "shared", [
    "shared = [] # piko isolate, over .piko.yml:1:1",
  ]],
  [
    "--shared above all",
    { project: "shared: [b]\n", shared: ["b"], flags: { shared: ["c", "b"] } },
    "shared",
    ['shared = ["b","c"] # --shared, over .piko.yml:1:1'],
  ],
  ["--shared of what is shared already", { shared: ["b"], flags: { shared: ["b"] } }, "shared", [
    'shared = ["b"] # piko share',
  ]],
  ["nothing shared anywhere", { project: "shared: []\n", shared: [] }, "shared", [
    "shared = [] # default",
  ]],
  ["a shell of the person", { user: "shells: { db: bash }\n", project: "shells: {}\n" }, "shells", [
    'shells.db = "bash" # config.yml:1:11',
  ]],
  ["a shell of the project", { project: "shells:\n  db: psql -U x\n" }, "shells", [
    'shells.db = "psql -U x" # .piko.yml:2:3',
  ]],
  [
    "shells of both",
    {
      user: "shells: { db: bash, redis: redis-cli }\n",
      project: "shells: { db: psql, web: zsh }\n",
    },
    "shells",
    [
      'shells.db = "psql" # .piko.yml:1:11, over config.yml:1:11',
      'shells.redis = "redis-cli" # config.yml:1:21',
      'shells.web = "zsh" # .piko.yml:1:21',
    ],
  ],
  ["a shell with the name of a property", { project: "shells: { toString: a }\n" }, "shells", [
    'shells.toString = "a" # .piko.yml:1:11',
  ]],
  [
    "windows of both, the person's first",
    {
      user: "default_windows: [{ name: notes, local: true }]\n",
      project: "windows:\n  - { name: sql, command: psql, service: db }\n",
    },
    "windows",
    [
      'windows.notes = {"name":"notes","command":null,"local":true,"service":null} # config.yml:1:19',
      'windows.sql = {"name":"sql","command":"psql","local":false,"service":"db"} # .piko.yml:2:5',
    ],
  ],
  [
    "a window of the project in the place of the person's",
    {
      user: "default_windows:\n  - { name: a, command: one }\n  - { name: b, local: true }\n",
      project: "windows: [{ name: a, command: two }]\n",
    },
    "windows",
    [
      'windows.a = {"name":"a","command":"two","local":false,"service":null} # .piko.yml:1:11, over config.yml:2:5',
      'windows.b = {"name":"b","command":null,"local":true,"service":null} # config.yml:3:5',
    ],
  ],
  [
    "the last of two windows",
    { project: "windows:\n- name: a\n- { name: a, local: true }\n" },
    "windows",
    [
      'windows.a = {"name":"a","command":null,"local":true,"service":null} # .piko.yml:3:3',
    ],
  ],
  ["the prefix of sessions", { user: 'session_prefix: "dev:"\n' }, "session_prefix", [
    'session_prefix = "dev:" # config.yml:1:1',
  ]],
  ["no prefix at all", { user: 'session_prefix: ""\n' }, "session_prefix", [
    'session_prefix = "" # config.yml:1:1',
  ]],
  ["the default shell", { user: "default_shell: zsh\n" }, "default_shell", [
    'default_shell = "zsh" # config.yml:1:1',
  ]],
  ["what stands in the other file", { project: "editor: vim\n", user: "ignore: [a]\n" }, "editor", [
    "editor = null # default",
  ]],
  ["anchors", { project: "x-l: &l [a, b]\nshared: *l\nignore: *l\n" }, "ignore", [
    'ignore = ["a","b"] # .piko.yml:3:1',
  ]],
  ["a merged map", { project: "x-s: &s { db: psql }\nshells:\n  <<: *s\n  web: sh\n" }, "shells", [
    // What was merged in stands in the field that merges it, as far as YAML tells.
    'shells.db = "psql" # .piko.yml:3:3',
    'shells.web = "sh" # .piko.yml:4:3',
  ]],
];

Deno.test("mergeSettings() takes the strongest, and tells what it takes the place of", () => {
  for (const [what, merged, field, settings] of CASES) {
    assert.deepEqual(settingsOf(merged, field), settings, what);
  }
});

Deno.test("mergeSettings() says what the sessions really do", () => {
  const layers = layersOf({
    user: "shells: { db: bash, cache: redis-cli }\ndefault_shell: zsh\n" +
      "default_windows: [{ name: a, local: true }, { name: b, command: x }]\n",
    project: "shells: { db: psql }\nwindows: [{ name: b, command: y }, { name: c }]\n",
  });
  const user = layers.user?.config;
  const project = layers.project?.config;
  assert.ok(user !== undefined && project !== undefined);
  const settings = mergeSettings(layers);
  for (const { path, value } of settings.filter(({ path }) => path[0] === "shells")) {
    assert.deepEqual(shellArgv(path[1] ?? "", project, user), [value]);
  }
  const [shell] = settings.filter(({ path }) => path[0] === "default_shell");
  assert.ok(shellArgv("other", project, user).includes(String(shell?.value)));
  assert.deepEqual(
    settings.filter(({ path }) => path[0] === "windows").map(({ path }) => path[1]),
    customWindows(project, user).map(({ name }) => name),
  );
});
