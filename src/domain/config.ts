/**
 * What may stand in `.piko.yml` and in the person's own `config.yml`, and what is wrong with what stands there. Wrong
 * types are problems; unknown fields are warnings, so that a newer file still serves an older piko.
 */

import * as v from "valibot";
import { nearestName, quote } from "./names.ts";
import { commandWords } from "./shell_words.ts";
import { plainPath, problemOfCarriedPath, problemOfPath } from "./relative_path.ts";

/** The scripts of a project, for `sh -c`. */
export interface Scripts {
  prepare?: string;
  setup?: string;
  run?: string;
  destroy?: string;
}

/** A tmux window beside those of the services. */
export interface Window {
  name: string;
  command?: string;
  /** Whether the command runs on this machine and not in a container. */
  local: boolean;
  /** The service in whose container the command runs; without it the one of the window's name. */
  service?: string;
}

/** The content of `.piko.yml`. */
export interface ProjectConfig {
  /** The compose files, from the root; undefined where piko looks for them itself. */
  compose?: string[];
  scripts: Scripts;
  /** The services that all environments share. */
  shared: string[];
  /** The command of `piko shell` for a service. */
  shells: Record<string, string>;
  /** The services without a window. */
  ignore: string[];
  windows: Window[];
  /** The ignored files and folders that a new worktree gets a copy of, from the root. */
  copy: string[];
  /** The ignored files and folders that a new worktree gets a link to, from the root. */
  link: string[];
}

/** The content of the person's own `config.yml`. */
export interface UserConfig {
  editor?: string;
  sessionPrefix?: string;
  defaultShell?: string;
  defaultWindows: Window[];
  shells: Record<string, string>;
}

/** Something to say about a place in a file. */
export interface Remark {
  /** The fields and indexes that lead to the place. */
  path: (string | number)[];
  /** One sentence that names the place. */
  message: string;
  /** Whether the field's name is meant, and not its value. */
  isAboutName: boolean;
}

/** What a file's content comes to; `config` is undefined when there are problems. */
export interface Checked<Config> {
  config: Config | undefined;
  /** What the fields without problems come to, for a check that goes on; undefined where they do not stand for themselves. */
  sound?: Config | undefined;
  problems: Remark[];
  warnings: Remark[];
}

const TEXT = v.pipe(
  v.string("must be text"),
  v.check((text) => !text.includes("\0"), "must not contain a zero byte"),
);
const NAME = v.pipe(TEXT, v.nonEmpty("must not be empty"));
const NAMES = v.array(NAME, "must be a list of names");
const COMPOSE_PATH = path(problemOfPath);
const PATHS = v.array(path(problemOfCarriedPath), "must be a list of paths");
const SHELLS = map(v.record(v.string(), NAME, "must be a map from services to commands"));

const SCRIPTS = v.looseObject({
  prepare: field(TEXT, "Runs in a new worktree before its containers start"),
  setup: field(TEXT, "Runs once the containers are ready"),
  run: field(TEXT, "What `piko run` runs; what stands behind -- are its arguments"),
  destroy: field(TEXT, "Runs before the environment is destroyed; its failure is only told"),
}, "must be a map from prepare, setup, run and destroy to commands");

const WINDOW = v.looseObject({
  name: v.pipe(NAME, v.description("The window's name")),
  command: field(TEXT, "For sh -c, with $PIKO_* as variables; the shell without it"),
  local: field(
    v.boolean("must be true or false"),
    "Whether it runs on this machine, in the worktree, and not in a container",
  ),
  service: field(NAME, "In whose container it runs; the window's name without it"),
}, "must be a map with a name");

const WINDOWS = v.array(map(WINDOW), "must be a list of windows");

/** What `.piko.yml` must look like; also what its JSON schema is made of. */
export const PROJECT = v.looseObject({
  compose: field(
    v.lazy((input) =>
      Array.isArray(input)
        ? v.pipe(v.array(COMPOSE_PATH), v.nonEmpty("must not be empty"))
        : COMPOSE_PATH
    ),
    "The compose file from the root, or a list of them; without it piko looks where compose looks",
  ),
  scripts: field(map(SCRIPTS), "Run by sh -c in the worktree, with the variables of `piko env`"),
  shared: field(NAMES, "The services that all environments share"),
  shells: field(SHELLS, "What a service's window, and `piko shell`, runs in its container"),
  ignore: field(NAMES, "The services without a window"),
  windows: field(WINDOWS, "More windows of a session, behind those of the services"),
  copy: field(PATHS, "Ignored files and folders that a new worktree gets a copy of"),
  link: field(PATHS, "Ignored files and folders that a new worktree gets a link to"),
}, "must be a map of fields");

/** What the person's own `config.yml` must look like; also what its JSON schema is made of. */
export const USER = v.looseObject({
  editor: field(NAME, "The editor of `piko edit`, with its arguments"),
  session_prefix: field(TEXT, 'What the names of sessions begin with; "piko/" without it'),
  default_shell: field(NAME, "The shell in containers that have it; sh in the others"),
  default_windows: field(WINDOWS, "Windows of every session, before those of the project"),
  shells: field(SHELLS, "What a service's window runs where the project says nothing"),
}, "must be a map of fields");

/** Checks the content of `.piko.yml`; null is an empty file. */
export function checkProjectConfig(content: unknown): Checked<ProjectConfig> {
  const { output, problems, warnings } = check(PROJECT, content ?? {}, (found) => [
    ...unknownFields(
      [],
      found,
      Object.keys(PROJECT.entries),
      (name) =>
        Object.hasOwn(SCRIPTS.entries, name)
          ? `did you mean ${quote(`scripts.${name}`)}?`
          : Object.hasOwn(USER.entries, name)
          ? "it belongs in your own config.yml"
          : undefined,
    ),
    ...unknownFields(["scripts"], found, Object.keys(SCRIPTS.entries)),
    ...oddWindows("windows", found),
  ]);
  const refused = () => ({
    config: undefined,
    sound: soundPart(content, problems),
    problems,
    warnings,
  });
  if (output === undefined) return refused();
  const copy = plainPaths(output.copy);
  const link = plainPaths(output.link);
  for (const [index, both] of (output.link ?? []).entries()) {
    if (!copy.includes(plainPath(both))) continue;
    const message = `${quote(both)} is in both copy and link`;
    problems.push({ path: ["link", index], message, isAboutName: false });
  }
  if (problems.length > 0) return refused();
  return {
    config: {
      ...given({
        compose: output.compose ? [output.compose].flat().map(plainPath) : undefined,
      }),
      scripts: output.scripts
        ? given({
          prepare: output.scripts.prepare,
          setup: output.scripts.setup,
          run: output.scripts.run,
          destroy: output.scripts.destroy,
        })
        : {},
      shared: output.shared ?? [],
      shells: shellsOf(output, content),
      ignore: output.ignore ?? [],
      windows: windowsOf(output.windows),
      copy,
      link,
    },
    problems,
    warnings,
  };
}

/** Leaves out the fields with problems; what the others mean is not known where the compose file is not. */
function soundPart(content: unknown, problems: readonly Remark[]): ProjectConfig | undefined {
  const wrong = new Set(problems.map(({ path }) => path[0]));
  if (wrong.has(undefined) || wrong.has("compose")) return undefined;
  const sound = Object.entries(content ?? {}).filter(([name]) => !wrong.has(name));
  return checkProjectConfig(Object.fromEntries(sound)).config;
}

/** Checks the content of the person's own `config.yml`; null is an empty file. */
export function checkUserConfig(content: unknown): Checked<UserConfig> {
  const { output, problems, warnings } = check(USER, content ?? {}, (found) => [
    ...unknownFields(
      [],
      found,
      Object.keys(USER.entries),
      (name) =>
        name === "windows"
          ? 'did you mean "default_windows"?'
          : Object.hasOwn(PROJECT.entries, name)
          ? "it belongs in a project's .piko.yml"
          : undefined,
    ),
    ...oddWindows("default_windows", found),
    ...oddEditor(found),
  ]);
  if (output === undefined || problems.length > 0) {
    return { config: undefined, problems, warnings };
  }
  return {
    config: {
      ...given({
        editor: output.editor,
        sessionPrefix: output.session_prefix,
        defaultShell: output.default_shell,
      }),
      defaultWindows: windowsOf(output.default_windows),
      shells: shellsOf(output, content),
    },
    problems,
    warnings,
  };
}

/** A field that may be left out, or be there without a value. */
function field<Schema extends v.GenericSchema>(schema: Schema, about: string) {
  return v.pipe(v.nullish(schema), v.description(about));
}

/** A map that is no list: valibot takes a list for an object. */
function map<Schema extends MapSchema>(schema: Schema) {
  const { message } = schema;
  return v.lazy((input) => Array.isArray(input) ? v.never(message) : schema);
}

type MapSchema = v.GenericSchema & { message: string };

function path(problemOf: (path: string) => string | undefined) {
  return v.pipe(
    v.string("must be a path"),
    v.rawCheck(({ dataset, addIssue }) => {
      const problem = dataset.typed ? problemOf(dataset.value) : undefined;
      if (problem !== undefined) addIssue({ message: problem });
    }),
  );
}

function check<Schema extends v.GenericSchema>(
  schema: Schema,
  content: unknown,
  warn: (content: unknown) => Remark[],
): { output: v.InferOutput<Schema> | undefined; problems: Remark[]; warnings: Remark[] } {
  // valibot takes a list for an object.
  const result = v.safeParse(schema, Array.isArray(content) ? "" : content);
  if (Array.isArray(content)) {
    const message = "The file must be a map of fields, not a list";
    return {
      output: undefined,
      problems: [{ path: [], message, isAboutName: false }],
      warnings: [],
    };
  }
  const warnings = warn(content);
  const problems = [
    ...(result.issues ?? []).map((issue) => problemOf(issue)),
    ...unseenShells(content).flatMap(([service, command]) =>
      (v.safeParse(NAME, command).issues ?? []).map((issue) => problemOf(issue, "shells", service))
    ),
  ];
  return { output: result.success ? result.output : undefined, problems, warnings };
}

function problemOf(issue: v.BaseIssue<unknown>, ...before: string[]): Remark {
  const path = [...before, ...issue.path?.map(({ key }) => key as string | number) ?? []];
  const message = `${nameOf(path)} ${sentence(issue.message, issue.input, issue.kind)}`;
  return { path, message, isAboutName: false };
}

/** The names that valibot leaves out of every map. A service may be called so. */
const UNSEEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function unseenShells(content: unknown): [service: string, command: unknown][] {
  return Object.entries(fieldOf(content, "shells") ?? {}).filter(([name]) => UNSEEN.has(name));
}

/** Reads the shells of a configuration that has no problems. */
function shellsOf(
  { shells }: { shells?: Record<string, string> | null | undefined },
  content: unknown,
): Record<string, string> {
  const unseen = unseenShells(content) as [string, string][];
  return Object.fromEntries([...Object.entries(shells ?? {}), ...unseen]);
}

function sentence(rule: string, input: unknown, kind: string): string {
  if (kind !== "schema") return rule;
  if (input === undefined) return "is missing";
  const isPlain = typeof input === "number" || typeof input === "boolean";
  const advice = rule === "must be text" && isPlain ? ": put it in quotes" : "";
  return `${rule}, not ${kindOf(input)}${advice}`;
}

function kindOf(input: unknown): string {
  if (input === null) return "nothing";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a map";
  if (typeof input === "string") return "text";
  return typeof input === "boolean" ? "true or false" : `a ${typeof input}`;
}

function nameOf(place: readonly (string | number)[]): string {
  if (place.length === 0) return "The file";
  const name = place.map((part, index) =>
    typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`
  );
  return quote(name.join(""));
}

function oddWindows(field: string, content: unknown): Remark[] {
  const windows = fieldOf(content, field);
  if (!Array.isArray(windows)) return [];
  const names = windows.map((window) => fieldOf(window, "name"));
  return windows.flatMap((_, index) => {
    const name = names[index];
    const before = names.indexOf(name);
    const path = [field, index, "name"];
    const isRepeated = typeof name === "string" && before < index;
    const repeated: Remark = {
      path,
      message: `${nameOf(path)} is ${quote(String(name))} as is that of ` +
        `${nameOf([field, before])}, whose place this one takes`,
      isAboutName: false,
    };
    return [
      ...isRepeated ? [repeated] : [],
      ...unknownFields([field, index], content, Object.keys(WINDOW.entries)),
    ];
  });
}

function oddEditor(content: unknown): Remark[] {
  const editor = fieldOf(content, "editor");
  if (typeof editor !== "string" || commandWords(editor) !== undefined) return [];
  return [{ path: ["editor"], message: '"editor" is no command', isAboutName: false }];
}

/** Warns of the fields of a map that are not known; `advise` says what helps where a near name does not. */
function unknownFields(
  place: (string | number)[],
  content: unknown,
  known: readonly string[],
  advise: (name: string) => string | undefined = () => undefined,
): Remark[] {
  const map = place.reduce<unknown>((inner, part) => fieldOf(inner, part), content);
  if (map === null || typeof map !== "object" || Array.isArray(map)) return [];
  // Fields named x-… carry anchors, as in compose files.
  return Object.keys(map).filter((name) => !known.includes(name) && !name.startsWith("x-"))
    .map((name) => {
      const near = nearestName(name, known);
      const advice = advise(name) ??
        (near === undefined ? undefined : `did you mean ${quote(near)}?`);
      return {
        path: [...place, name],
        message: [`${nameOf([...place, name])} is unknown and ignored`, advice]
          .filter((part) => part !== undefined).join("; "),
        isAboutName: true,
      };
    });
}

function fieldOf(content: unknown, name: string | number): unknown {
  if (content === null || typeof content !== "object") return undefined;
  return Object.entries(content).find(([key]) => key === String(name))?.[1];
}

function windowsOf(windows: v.InferOutput<typeof WINDOWS> | null | undefined): Window[] {
  return (windows ?? []).map(({ name, command, local, service }) => ({
    name,
    local: local ?? false,
    ...given({ command, service }),
  }));
}

function plainPaths(paths: readonly string[] | null | undefined): string[] {
  return [...new Set((paths ?? []).map(plainPath))];
}

/** Leaves out the fields that were not given, or given as nothing. */
function given<Fields extends Record<string, unknown>>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
}
