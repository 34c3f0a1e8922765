/**
 * The configuration that holds, each value with where it comes from: defaults ← the person's own file ← the project's ←
 * flags. Where the person's file and the project's say different things of one service or window, the project's
 * counts.
 */

import type { ProjectConfig, UserConfig } from "./config.ts";
import type { Place } from "./config_text.ts";
import { SESSION_PREFIX } from "./names.ts";
import { customWindows } from "./windows.ts";

/** Where a value comes from. */
export interface Source {
  kind: "default" | "user" | "project" | "registry" | "variable" | "flag";
  /** The file's path, the command that was told (`piko share`), the variable (`$EDITOR`) or the flag (`--editor`). */
  name: string | null;
  line: number | null;
  column: number | null;
}

/** A value of the configuration. */
export interface Setting {
  /** The field, and within it the script, the service or the window. */
  path: string[];
  value: unknown;
  source: Source;
  /** What it takes the place of, the strongest first. */
  over: Source[];
}

/** A file's configuration, and where its fields stand. */
export interface Layer<Config> {
  config: Config;
  file: string;
  placeOf: (path: readonly (string | number)[]) => Place;
}

/** What the configuration is put together from. */
export interface Layers {
  /** What holds where nothing is said. */
  defaults: { compose: string[]; editor: string | null };
  user?: Layer<UserConfig> | undefined;
  project?: Layer<ProjectConfig> | undefined;
  /** Variables that say something where the files do not, by their name. */
  variables?: { VISUAL?: string; EDITOR?: string; COMPOSE_FILE?: readonly string[] } | undefined;
  /** The services to share by what `piko share` and `piko isolate` have said on this machine. */
  shared?: readonly string[] | undefined;
  flags?: { editor?: string | undefined; shared?: readonly string[] | undefined } | undefined;
}

/** The shell that every container has which has one at all. */
const DEFAULT_SHELL = "sh";

/** Puts the configuration together, in the order of the README. */
export function mergeSettings(layers: Layers): Setting[] {
  const { defaults, user, project, variables = {}, flags = {} } = layers;
  const inUser = (value: unknown, ...path: (string | number)[]) => said("user", user, value, path);
  const inProject = (value: unknown, ...path: (string | number)[]) =>
    said("project", project, value, path);
  const list = (field: "ignore" | "copy" | "link") =>
    setting([field], inProject(filled(project?.config[field]), field), byDefault([]));
  const scripts = Object.entries(project?.config.scripts ?? {});
  const shells = new Set(
    [user, project].flatMap((layer) => Object.keys(layer?.config.shells ?? {})),
  );
  return [
    setting(
      ["compose"],
      inProject(project?.config.compose, "compose"),
      named("variable", "$COMPOSE_FILE", variables.COMPOSE_FILE),
      byDefault(defaults.compose),
    ),
    ...orEmpty(
      "scripts",
      {},
      scripts.map(([name, script]) =>
        setting(["scripts", name], inProject(script, "scripts", name))
      ),
    ),
    sharedSetting(layers),
    ...orEmpty(
      "shells",
      {},
      [...shells].map((service) =>
        setting(
          ["shells", service],
          inProject(own(project?.config.shells, service), "shells", service),
          inUser(own(user?.config.shells, service), "shells", service),
        )
      ),
    ),
    list("ignore"),
    ...orEmpty("windows", [], windowSettings(layers)),
    list("copy"),
    list("link"),
    setting(
      ["editor"],
      named("flag", "--editor", flags.editor),
      inUser(user?.config.editor, "editor"),
      named("variable", "$VISUAL", variables.VISUAL),
      named("variable", "$EDITOR", variables.EDITOR),
      byDefault(defaults.editor),
    ),
    setting(
      ["session_prefix"],
      inUser(user?.config.sessionPrefix, "session_prefix"),
      byDefault(SESSION_PREFIX),
    ),
    setting(
      ["default_shell"],
      inUser(user?.config.defaultShell, "default_shell"),
      byDefault(DEFAULT_SHELL),
    ),
  ];
}

interface Said {
  value: unknown;
  source: Source;
}

function sharedSetting({ project, shared, flags = {} }: Layers): Setting {
  const inFile = project?.config.shared ?? [];
  const before = shared ?? inFile;
  const asked = flags.shared?.filter((service) => !before.includes(service)) ?? [];
  const isTold = shared !== undefined && shared.join() !== inFile.toSorted().join();
  const isMore = before.some((service) => !inFile.includes(service));
  return setting(
    ["shared"],
    named("flag", "--shared", asked.length > 0 ? [...before, ...asked] : undefined),
    named("registry", isMore ? "piko share" : "piko isolate", isTold ? shared : undefined),
    said("project", project, filled(inFile), ["shared"]),
    byDefault([]),
  );
}

function windowSettings({ user, project }: Layers): Setting[] {
  const ofUser = user?.config.defaultWindows ?? [];
  const ofProject = project?.config.windows ?? [];
  return customWindows({ windows: ofProject }, { defaultWindows: ofUser }).map((window) => {
    // The last of a name counts within one file too.
    const inProject = ofProject.findLastIndex(({ name }) => name === window.name);
    const inUser = ofUser.findLastIndex(({ name }) => name === window.name);
    const { name, command = null, local, service = null } = window;
    const value = { name, command, local, service };
    return setting(
      ["windows", name],
      said("project", project, ofProject[inProject] && value, ["windows", inProject]),
      said("user", user, ofUser[inUser] && value, ["default_windows", inUser]),
    );
  });
}

/** Makes a setting of what was said of it, the strongest first. */
function setting(path: string[], ...all: (Said | undefined)[]): Setting {
  const [first, ...others] = all.filter((one) => one !== undefined);
  if (first === undefined) throw new TypeError(`nothing was said of ${path.join(".")}`);
  const over = others.map(({ source }) => source).filter(({ kind }) => kind !== "default");
  return { path, value: first.value, source: first.source, over };
}

/** Says that a field is empty when nothing is in it. */
function orEmpty(field: string, empty: unknown, settings: Setting[]): Setting[] {
  return settings.length > 0 ? settings : [setting([field], byDefault(empty))];
}

function said<Config>(
  kind: "user" | "project",
  layer: Layer<Config> | undefined,
  value: unknown,
  path: readonly (string | number)[],
): Said | undefined {
  if (layer === undefined || value === undefined) return undefined;
  const { line, column } = layer.placeOf(path);
  return { value, source: { kind, name: layer.file, line, column } };
}

function named(
  kind: "registry" | "variable" | "flag",
  name: string,
  value: unknown,
): Said | undefined {
  if (value === undefined || value === "") return undefined;
  return { value, source: { kind, name, line: null, column: null } };
}

function byDefault(value: unknown): Said {
  return { value, source: { kind: "default", name: null, line: null, column: null } };
}

function filled(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function own(
  fields: Readonly<Record<string, string>> | undefined,
  name: string,
): string | undefined {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}
