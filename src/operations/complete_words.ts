/**
 * What can stand where a person is typing: environments, services, projects and branches. Asks the registry, what piko
 * itself has written, and for branches git; no engine and no compose.
 */

import { PikoError } from "../domain/errors.ts";
import { readOverrideServices } from "../programs/override_file.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { findEnvironmentAt, findProjectAt, requireEnvironment } from "./find_environment.ts";
import type { Tools } from "./tools.ts";

/** One thing that can be typed, and a few words on it. */
export interface Suggestion {
  value: string;
  about: string;
}

/**
 * Lists the environments as they are named in a folder: those of its project by their name, the others as
 * `project/name`. Those of its project are listed in that way too when nothing else begins with what was typed.
 */
export function suggestEnvironments(tools: Tools, folder: string, typed: string): Suggestion[] {
  const here = findProjectAt(tools, folder);
  const suggestions = tools.environments.list().map((record) => ({
    value: record.projectId === here?.id ? record.name : `${record.project}/${record.name}`,
    about: record.branch,
  }));
  if (here === undefined || suggestions.some(({ value }) => value.startsWith(typed))) {
    return suggestions;
  }
  return tools.environments.list(here.id).map(({ project, name, branch }) => ({
    value: `${project}/${name}`,
    about: branch,
  }));
}

/** Lists the services of the environment that was named, or whose worktree the folder lies in. */
export async function suggestServices(
  tools: Tools,
  folder: string,
  environment: string | undefined,
): Promise<Suggestion[]> {
  const record = findNamed(tools, folder, environment) ?? findEnvironmentAt(tools, folder);
  if (record === undefined) return [];
  const ports = new Map<string, string[]>();
  for (const { service, hostPort, shared } of record.ports) {
    const about = shared ? `${hostPort} (shared)` : String(hostPort);
    ports.set(service, [...ports.get(service) ?? [], about]);
  }
  return (await listServiceNames(record)).map((value) => ({
    value,
    about: ports.get(value)?.join(", ") ?? "",
  }));
}

/** Names the services of an environment, those that were never started too. */
export async function listServiceNames(record: EnvironmentRecord): Promise<string[]> {
  const written = record.overrideFile === null
    ? undefined
    : await readOverrideServices(record.overrideFile);
  return [...new Set([...written ?? [], ...record.ports.map(({ service }) => service)])].sort();
}

/** Lists the services that a project shares, or those that it could share as well. */
export async function suggestShareable(
  tools: Tools,
  folder: string,
  which: "shared" | "shareable",
): Promise<Suggestion[]> {
  const project = findProjectAt(tools, folder);
  if (project === undefined) return [];
  const shared = tools.shared.list(project.id).filter(({ state }) => state !== "isolated")
    .map(({ service }) => service);
  const services = new Set(shared);
  if (which === "shareable") {
    for (const { overrideFile } of tools.environments.list(project.id)) {
      const written = overrideFile === null ? undefined : await readOverrideServices(overrideFile);
      for (const service of written ?? []) services.add(service);
    }
  }
  return [...services].sort().map((value) => ({
    value,
    about: shared.includes(value) ? "shared" : "",
  }));
}

/** Tells whether a word names an environment. */
export function isEnvironment(tools: Tools, folder: string, word: string): boolean {
  return findNamed(tools, folder, word) !== undefined;
}

/** Lists the projects of this machine. */
export function suggestProjects(tools: Tools): Suggestion[] {
  return tools.projects.list().map(({ name, root }) => ({ value: name, about: root }));
}

/** Lists the branches that an environment could be made for, those of remotes without the remote's name. */
export async function suggestBranches(tools: Tools, folder: string): Promise<Suggestion[]> {
  const suggestions = new Map<string, Suggestion>();
  const branches = (await refs(tools, folder)).filter(({ kind }) => kind === "branch");
  const taken = new Set(
    branches.filter(({ worktreePath }) => worktreePath !== "").map(({ name }) => name),
  );
  for (const { name, remote } of branches) {
    if (taken.has(name) || suggestions.has(name)) continue;
    suggestions.set(name, { value: name, about: remote === "" ? "branch" : `branch of ${remote}` });
  }
  return [...suggestions.values()];
}

/** Lists where a new branch can start: branches, those of remotes with the remote's name, and tags. */
export async function suggestStarts(tools: Tools, folder: string): Promise<Suggestion[]> {
  return (await refs(tools, folder)).map(({ name, remote, kind }) => ({
    value: remote === "" ? name : `${remote}/${name}`,
    about: remote === "" ? kind : `branch of ${remote}`,
  }));
}

async function refs(tools: Tools, folder: string) {
  const project = findProjectAt(tools, folder);
  return project === undefined ? [] : await tools.git.listRefs(project.root);
}

function findNamed(
  tools: Tools,
  folder: string,
  typed: string | undefined,
): EnvironmentRecord | undefined {
  if (typed === undefined) return undefined;
  try {
    return requireEnvironment(tools, folder, typed);
  } catch (error) {
    if (error instanceof PikoError) return undefined;
    throw error;
  }
}
