/**
 * What may stand in `.piko.yml` and in the person's own `config.yml`, and what is wrong with what stands there. Wrong
 * types are problems; unknown fields are warnings, so that a newer file still serves an older piko.
 */

import * as v from "valibot";
import { nearestName, quote } from "./names.ts";
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
const SHELLS = v.record(v.string(), NAME, "must be a map from services to commands");

const SCRIPTS = v.looseObject({
  prepare: v.nullish(TEXT),
  setup: v.nullish(TEXT),
  run: v.nullish(TEXT),
  destroy: v.nullish(TEXT),
}, "must be a map from prepare, setup, run and destroy to commands");

const WINDOWS = v.array(
  v.looseObject({
    name: NAME,
    command: v.nullish(TEXT),
    local: v.nullish(v.boolean("must be true or false")),
    service: v.nullish(NAME),
  }, "must be a map with a name"),
  "must be a list of windows",
);

const PROJECT = v.looseObject({
  compose: v.nullish(
    v.lazy((input) =>
      Array.isArray(input)
        ? v.pipe(v.array(COMPOSE_PATH), v.nonEmpty("must not be empty"))
        : COMPOSE_PATH
    ),
  ),
  scripts: v.nullish(SCRIPTS),
  shared: v.nullish(NAMES),
  shells: v.nullish(SHELLS),
  ignore: v.nullish(NAMES),
  windows: v.nullish(WINDOWS),
  copy: v.nullish(PATHS),
  link: v.nullish(PATHS),
}, "must be a map of fields");

const USER = v.looseObject({
  editor: v.nullish(NAME),
  session_prefix: v.nullish(TEXT),
  default_shell: v.nullish(NAME),
  default_windows: v.nullish(WINDOWS),
  shells: v.nullish(SHELLS),
}, "must be a map of fields");

/** Checks the content of `.piko.yml`; null is an empty file. */
export function checkProjectConfig(content: unknown): Checked<ProjectConfig> {
  const { output, problems, warnings } = check(PROJECT, content ?? {}, (found) => [
    ...unknownFields([], found, Object.keys(PROJECT.entries)),
    ...unknownFields(["scripts"], found, Object.keys(SCRIPTS.entries)),
    ...unknownWindowFields("windows", found),
  ]);
  if (output === undefined) return { config: undefined, problems, warnings };
  const copy = plainPaths(output.copy);
  const link = plainPaths(output.link);
  for (const [index, both] of (output.link ?? []).entries()) {
    if (!copy.includes(plainPath(both))) continue;
    const message = `${quote(both)} is in both copy and link`;
    problems.push({ path: ["link", index], message, isAboutName: false });
  }
  if (problems.length > 0) return { config: undefined, problems, warnings };
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
      shells: output.shells ?? {},
      ignore: output.ignore ?? [],
      windows: windowsOf(output.windows),
      copy,
      link,
    },
    problems,
    warnings,
  };
}

/** Checks the content of the person's own `config.yml`; null is an empty file. */
export function checkUserConfig(content: unknown): Checked<UserConfig> {
  const { output, problems, warnings } = check(USER, content ?? {}, (found) => [
    ...unknownFields([], found, Object.keys(USER.entries)),
    ...unknownWindowFields("default_windows", found),
  ]);
  if (output === undefined) return { config: undefined, problems, warnings };
  return {
    config: {
      ...given({
        editor: output.editor,
        sessionPrefix: output.session_prefix,
        defaultShell: output.default_shell,
      }),
      defaultWindows: windowsOf(output.default_windows),
      shells: output.shells ?? {},
    },
    problems,
    warnings,
  };
}

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
  if (result.success) return { output: result.output, problems: [], warnings };
  const problems = result.issues.map((issue) => {
    const place = issue.path?.map(({ key }) => key as string | number) ?? [];
    return {
      path: place,
      message: `${nameOf(place)} ${sentence(issue.message, issue.input, issue.kind)}`,
      isAboutName: false,
    };
  });
  return { output: undefined, problems, warnings };
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

function unknownWindowFields(field: string, content: unknown): Remark[] {
  const windows = fieldOf(content, field);
  if (!Array.isArray(windows)) return [];
  return windows.flatMap((_, index) =>
    unknownFields([field, index], content, Object.keys(WINDOWS.item.entries))
  );
}

function unknownFields(
  place: (string | number)[],
  content: unknown,
  known: readonly string[],
): Remark[] {
  const map = place.reduce<unknown>((inner, part) => fieldOf(inner, part), content);
  if (map === null || typeof map !== "object" || Array.isArray(map)) return [];
  // Fields named x-… carry anchors, as in compose files.
  return Object.keys(map).filter((name) => !known.includes(name) && !name.startsWith("x-"))
    .map((name) => {
      const near = nearestName(name, known);
      const meant = near === undefined ? "" : `; did you mean ${quote(near)}?`;
      return {
        path: [...place, name],
        message: `${nameOf([...place, name])} is unknown and ignored${meant}`,
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
