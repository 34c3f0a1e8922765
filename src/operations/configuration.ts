/** Shows the configuration that holds in a folder, and checks the files that it comes from: `piko config`. */

import type { ProjectConfig, Remark } from "../domain/config.ts";
import type { Finding } from "../domain/config_text.ts";
import { PikoError } from "../domain/errors.ts";
import { nearestName, quote } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { type Layer, type Layers, mergeSettings, type Setting } from "../domain/settings.ts";
import { findComposeFiles } from "../programs/compose.ts";
import {
  type ConfigFile,
  configured,
  findMisnamed,
  fingerprintConfig,
  readComposeServices,
  readProjectFile,
  readUserFile,
} from "../programs/config_file.ts";
import { findUsualEditor } from "../programs/editor.ts";
import { findEnvironmentAt, findProjectAt } from "./find_environment.ts";
import { wantedShared } from "./shared_services.ts";
import { keepSchema, projectConfigPath } from "./starter_config.ts";
import type { Tools } from "./tools.ts";
import { userConfigPath } from "./user_config.ts";

/** The configuration of a folder. */
export interface ShownConfig {
  /** The project's root; null where there is none. */
  root: string | null;
  settings: Setting[];
}

/** Something to say of a file of the configuration. */
export interface FileFinding {
  level: Finding["level"];
  message: string;
  file: string;
  /** Null when it is about the file as a whole. */
  line: number | null;
  column: number | null;
  shown: string[];
}

/** What a check has found. */
export interface CheckedConfig {
  files: { file: string; exists: boolean }[];
  findings: FileFinding[];
}

/**
 * Puts together what holds in a folder, each value with its source.
 *
 * @throws {PikoError} usage when a file is broken.
 */
export async function showConfig(
  tools: Tools,
  folder: string,
  flags: NonNullable<Layers["flags"]>,
  watch: Watch,
): Promise<ShownConfig> {
  const root = await findRoot(tools, folder);
  const worktree = await findDifferingWorktree(tools, folder);
  if (worktree !== undefined) {
    const message = `${projectConfigPath(worktree)} differs from the root's, which counts`;
    watch.report({ kind: "note", message });
  }
  const project = root === undefined ? undefined : await readProjectFile(root);
  const userPath = userConfigPath(tools.variables);
  const user = userPath === undefined ? undefined : await readUserFile(userPath);
  const variables = pick(tools.variables, ["VISUAL", "EDITOR"]);
  const layers = {
    project: layerOf(project, watch),
    user: layerOf(user, watch),
    flags,
  };
  const misnamed = project === undefined && root !== undefined
    ? await findMisnamed(root)
    : undefined;
  if (misnamed !== undefined) watch.report({ kind: "warning", message: misnamed });
  const found = root === undefined ? undefined : await composeFiles(tools, root, {});
  const files = (found?.files ?? []).map((file) =>
    file.startsWith(`${root}/`) ? file.slice(`${root}/`.length) : file
  );
  const editor = await findUsualEditor(tools.variables) ?? null;
  return {
    root: root ?? null,
    settings: mergeSettings({
      ...layers,
      shared: toldShared(tools, root, layers.project?.config.shared ?? []),
      defaults: { compose: found?.by === "name" ? files : [], editor },
      variables: { ...variables, ...found?.by === "COMPOSE_FILE" ? { COMPOSE_FILE: files } : {} },
    }),
  };
}

/**
 * Checks the project's file and the person's own, also against the compose files and the services in them; within a worktree
 * whose own file differs, that one too, which may become the project's.
 */
export async function checkConfig(
  tools: Tools,
  folder: string,
  watch: Watch,
): Promise<CheckedConfig> {
  const checked: CheckedConfig = { files: [], findings: [] };
  const root = await findRoot(tools, folder);
  if (root !== undefined) {
    await keepSchema(root, watch);
    await checkProject(tools, root, checked);
    const worktree = await findDifferingWorktree(tools, folder);
    if (worktree !== undefined) await checkProject(tools, worktree, checked);
  }
  const userPath = userConfigPath(tools.variables);
  if (userPath !== undefined) await readForCheck(userPath, () => readUserFile(userPath), checked);
  return checked;
}

async function checkProject(tools: Tools, root: string, checked: CheckedConfig): Promise<void> {
  const path = projectConfigPath(root);
  const own: CheckedConfig = { files: [], findings: [] };
  const file = await readForCheck(path, () => readProjectFile(root), own);
  const misnamed = await findMisnamed(root);
  if (file === undefined && misnamed !== undefined) {
    own.findings.push(aboutFile(`${root}/.piko.yaml`, "warning", misnamed));
  }
  const config = file?.config ?? file?.sound;
  if (file !== undefined && config !== undefined) {
    own.findings.push(...await checkAgainstCompose(tools, root, file, config));
  }
  const place = ({ line, column }: FileFinding) => [line ?? 0, column ?? 0] as const;
  own.findings.sort((one, other) =>
    place(one)[0] - place(other)[0] || place(one)[1] - place(other)[1]
  );
  checked.files.push(...own.files);
  checked.findings.push(...own.findings);
}

/** Finds the worktree of an environment around a folder, where its own file says something else than the root's. */
async function findDifferingWorktree(tools: Tools, folder: string): Promise<string | undefined> {
  const record = findEnvironmentAt(tools, folder);
  if (record === undefined) return undefined;
  const [own, used] = await Promise.all([
    fingerprintConfig(record.path),
    fingerprintConfig(record.root),
  ]);
  return own === undefined || own === used ? undefined : record.path;
}

/**
 * Finds the root whose `.piko.yml` counts in a folder: that of its project, also in the worktree of an environment, else
 * that of its repository, which may become one; undefined outside of both.
 */
export async function findRoot(
  tools: Pick<Tools, "projects" | "git">,
  folder: string,
): Promise<string | undefined> {
  const project = findProjectAt(tools, folder);
  if (project !== undefined) return project.root;
  try {
    const repository = await tools.git.inspectRepository(folder);
    return repository.isBare ? undefined : repository.root;
  } catch (error) {
    // Outside of a repository, or without git, the person's own configuration is all there is.
    if (error instanceof PikoError) return undefined;
    throw error;
  }
}

function layerOf<Config>(
  file: ConfigFile<Config> | undefined,
  watch: Watch,
): Layer<Config> | undefined {
  if (file === undefined) return undefined;
  const { config, warnings } = configured(file);
  for (const message of warnings) watch.report({ kind: "warning", message });
  return { config, file: file.path, placeOf: file.placeOf };
}

/** Lists the services to share by what was told of this project on this machine; undefined where nothing was. */
function toldShared(
  tools: Tools,
  root: string | undefined,
  shared: string[],
): string[] | undefined {
  const project = root === undefined ? undefined : tools.projects.findByRoot(root);
  return project === undefined ? undefined : wantedShared(tools, project.id, { shared });
}

async function readForCheck<Config>(
  path: string,
  read: () => Promise<ConfigFile<Config> | undefined>,
  checked: CheckedConfig,
): Promise<ConfigFile<Config> | undefined> {
  try {
    const file = await read();
    checked.files.push({ file: path, exists: file !== undefined });
    checked.findings.push(...(file?.findings ?? []).map((finding) => ({ file: path, ...finding })));
    return file;
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    checked.files.push({ file: path, exists: true });
    checked.findings.push(aboutFile(path, "error", error.message));
    return undefined;
  }
}

function aboutFile(file: string, level: Finding["level"], message: string): FileFinding {
  return { level, message, file, line: null, column: null, shown: [] };
}

/** Finds compose files that are not there, and services that nothing is. */
async function checkAgainstCompose(
  tools: Tools,
  root: string,
  file: ConfigFile<ProjectConfig>,
  config: ProjectConfig,
): Promise<FileFinding[]> {
  const findings: FileFinding[] = [];
  const add = (level: Finding["level"], remark: Remark) => {
    findings.push({ file: file.path, ...file.find(level, remark) });
  };
  for (const [index, name] of (config.compose ?? []).entries()) {
    const message = await whyNoFile(`${root}/${name}`);
    if (message === undefined) continue;
    add("error", { path: ["compose", index], message, isAboutName: false });
  }
  if (findings.length > 0) return findings;
  const found = await composeFiles(tools, root, config);
  const services = found === undefined ? undefined : await servicesOf(found.files);
  if (services === undefined) return findings;
  for (const { path, service } of namedServices(config)) {
    if (services.includes(service)) continue;
    const near = nearestName(service, services);
    const meant = near === undefined ? "" : `; did you mean ${quote(near)}?`;
    const message = `There is no service ${quote(service)}${meant}`;
    add("warning", { path, message, isAboutName: path[0] === "shells" });
  }
  return findings;
}

/** Says why a path names no file that can be read; nothing when it names one. */
async function whyNoFile(path: string): Promise<string | undefined> {
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    return isFile ? undefined : `${quote(path)} is ${isDirectory ? "a folder" : "no file"}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return `There is no file ${quote(path)}`;
    }
    throw error;
  }
}

function namedServices(config: ProjectConfig): { path: (string | number)[]; service: string }[] {
  const listed = (["shared", "ignore"] as const).flatMap((field) =>
    config[field].map((service, index) => ({ path: [field, index], service }))
  );
  const shells = Object.keys(config.shells).map((service) => ({
    path: ["shells", service],
    service,
  }));
  const windows = config.windows.flatMap(({ local, service, name }, index) =>
    local ? [] : [{
      path: ["windows", index, service === undefined ? "name" : "service"],
      service: service ?? name,
    }]
  );
  return [...listed, ...shells, ...windows];
}

async function composeFiles(
  tools: Tools,
  root: string,
  { compose }: Pick<ProjectConfig, "compose">,
) {
  try {
    return await findComposeFiles(root, { compose, variables: tools.variables });
  } catch (error) {
    // COMPOSE_FILE names one that is not there; whoever starts containers is told.
    if (error instanceof PikoError) return undefined;
    throw error;
  }
}

async function servicesOf(files: readonly string[]): Promise<string[] | undefined> {
  try {
    return await readComposeServices(files);
  } catch (error) {
    // It is too large, or no text: compose has more to say about that.
    if (error instanceof PikoError) return undefined;
    throw error;
  }
}

function pick<Name extends string>(
  variables: Readonly<Record<string, string>>,
  names: readonly Name[],
): { [name in Name]?: string } {
  return Object.fromEntries(
    names.flatMap((name) => variables[name] === undefined ? [] : [[name, variables[name]]]),
  ) as { [name in Name]?: string };
}
