/** Finds the project and the environment that a command is about: by name, or by where one stands. */

import { PikoError } from "../domain/errors.ts";
import { flattenName, nearestName, quote } from "../domain/names.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { findMainWorktree } from "../programs/linked_worktree.ts";
import { isInside, type ProjectRecord } from "../store/projects.ts";
import type { Tools } from "./tools.ts";

type Registry = Pick<Tools, "projects" | "environments">;

/** No environment was named where none can be told by the folder; a person can be asked which. */
export class NoneNamed extends PikoError {
  /** Those that could be meant: of the folder's project, or of all. */
  readonly candidates: readonly EnvironmentRecord[];

  constructor(candidates: readonly EnvironmentRecord[], names: string[]) {
    super("Which environment? None was named, and this folder is in no worktree of one", {
      code: "usage",
      hint: names.length === 0 ? "piko create NAME" : "name one of these",
      details: names,
    });
    this.candidates = candidates;
  }
}

/** Finds the project that a folder belongs to: it lies in its root, or in a linked worktree of its repository. */
export function findProjectAt(
  tools: Pick<Tools, "projects">,
  folder: string,
): ProjectRecord | undefined {
  const project = tools.projects.findAt(folder);
  if (project !== undefined) return project;
  const main = findMainWorktree(folder);
  return main === undefined ? undefined : tools.projects.findByRoot(main);
}

/**
 * Finds the project that a folder belongs to.
 *
 * @throws {PikoError} not-found when it lies in none.
 */
export function requireProject(tools: Registry, folder: string): ProjectRecord {
  const project = findProjectAt(tools, folder);
  if (project === undefined) throw noProject(folder, "piko init");
  return project;
}

/**
 * Finds the project of a folder for a command that shows environments: where there is none, others may have some.
 *
 * @throws {PikoError} not-found.
 */
export function requireProjectToShow(tools: Registry, folder: string): ProjectRecord {
  const project = findProjectAt(tools, folder);
  if (project !== undefined) return project;
  const isSome = tools.environments.list().length > 0;
  const elsewhere = isSome ? ", or see those of other projects: piko list --all" : "";
  throw noProject(folder, `piko init${elsewhere}`);
}

function noProject(folder: string, hint: string): PikoError {
  return new PikoError(`${folder} is in no piko project`, { code: "not-found", hint });
}

/**
 * Finds a project by its name.
 *
 * @throws {PikoError} not-found with the nearest name.
 */
export function requireProjectNamed(tools: Registry, name: string): ProjectRecord {
  const project = tools.projects.findByName(name);
  if (project !== undefined) return project;
  const near = nearestName(name, tools.projects.list().map((known) => known.name));
  throw new PikoError(`There is no project ${quote(name)}`, {
    code: "not-found",
    hint: near === undefined ? "piko project list" : `did you mean ${near}?`,
  });
}

/**
 * Finds the environment of a project that has exactly this name.
 *
 * @throws {PikoError} not-found with the nearest name.
 */
export function requireEnvironmentOf(
  tools: Registry,
  project: ProjectRecord,
  name: string,
): EnvironmentRecord {
  const found = tools.environments.find(project.id, name);
  if (found === undefined) throw notFound(tools, project, name);
  return found;
}

/**
 * Finds the environment that was named: `name` in the project of the folder, `project/name` from anywhere, or without a
 * name the one whose worktree the folder lies in. A branch's name serves as the name it was made into.
 *
 * @throws {PikoError} not-found with the nearest name; {@link NoneNamed}.
 */
export function requireEnvironment(
  tools: Registry,
  folder: string,
  typed: string | undefined,
): EnvironmentRecord {
  if (typed === undefined) return environmentAround(tools, folder);
  const here = findProjectAt(tools, folder);
  const local = here && tools.environments.find(here.id, flattenName(typed));
  const remote = findQualified(tools, typed);
  if (local !== undefined && remote !== undefined && local.id !== remote.id) {
    throw new PikoError(
      `${quote(typed)} is both ${local.project}/${local.name} and ${remote.project}/${remote.name}`,
      { code: "conflict", hint: `name it ${local.project}/${local.name} or change the folder` },
    );
  }
  const found = local ?? remote;
  if (found !== undefined) return found;
  throw notFound(tools, here, typed);
}

/**
 * Finds the environment that was named, and takes the other words for services. Inside a worktree the name may be left
 * out: then the first word names an environment only when there is one of that name.
 */
export function requireEnvironmentAndServices(
  tools: Registry,
  folder: string,
  words: readonly string[],
): { found: EnvironmentRecord; services: string[] } {
  const [first, ...others] = words;
  const around = findEnvironmentAt(tools, folder);
  if (around === undefined || first === undefined) {
    return { found: requireEnvironment(tools, folder, first), services: others };
  }
  try {
    return { found: requireEnvironment(tools, folder, first), services: others };
  } catch (error) {
    if (!(error instanceof PikoError) || error.code !== "not-found") throw error;
    return { found: around, services: [...words] };
  }
}

/**
 * Finds the environment whose worktree a folder lies in: the innermost one when they are nested, and none around the project
 * that the folder belongs to.
 */
export function findEnvironmentAt(tools: Registry, folder: string): EnvironmentRecord | undefined {
  const root = tools.projects.findAt(folder)?.root ?? "";
  return tools.environments.list()
    .filter(({ path }) => isInside(folder, path) && path.length > root.length)
    .sort((a, b) => b.path.length - a.path.length)[0];
}

function environmentAround(tools: Registry, folder: string): EnvironmentRecord {
  const around = findEnvironmentAt(tools, folder);
  if (around !== undefined) return around;
  const here = findProjectAt(tools, folder);
  const candidates = tools.environments.list(here?.id);
  const names = candidates.map(({ project, name }) =>
    here === undefined ? `${project}/${name}` : name
  );
  throw new NoneNamed(candidates, names);
}

function findQualified(tools: Registry, typed: string): EnvironmentRecord | undefined {
  const slash = typed.indexOf("/");
  if (slash < 1) return undefined;
  const project = tools.projects.findByName(typed.slice(0, slash));
  return project && tools.environments.find(project.id, flattenName(typed.slice(slash + 1)));
}

function notFound(tools: Registry, here: ProjectRecord | undefined, typed: string): PikoError {
  const all = tools.environments.list();
  const names = [
    ...all.filter((known) => known.projectId === here?.id).map(({ name }) => name),
    ...all.map(({ project, name }) => `${project}/${name}`),
  ];
  const near = nearestName(flattenName(typed), names) ?? nearestName(typed, names);
  const where = here === undefined ? "" : ` in project ${quote(here.name)}`;
  return new PikoError(`There is no environment ${quote(typed)}${where}`, {
    code: "not-found",
    hint: near !== undefined
      ? `did you mean ${near}?`
      : names.length === 0
      ? "piko create NAME"
      : "piko list --all",
  });
}
