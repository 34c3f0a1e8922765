/** Tells of the projects of this machine, and forgets them. */

import type { Project } from "../domain/environment.ts";
import { PikoError } from "../domain/errors.ts";
import { pikoIn, qualified } from "../domain/hints.ts";
import { nearestName, quote } from "../domain/names.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { composeFilesOf } from "./compose_environment.ts";
import { isThere } from "./files.ts";
import type { Tools } from "./tools.ts";

/** Describes a project; a root that is gone, or a configuration that cannot be read, has no compose file. */
export async function describeProject(
  tools: Tools,
  { id, name, root }: ProjectRecord,
): Promise<Project> {
  const environments = tools.environments.list(id).length;
  return { name, root, composeFile: await findComposeFile(tools, root), environments };
}

/**
 * Forgets a project that has no environments; its files stay as they are.
 *
 * @throws {PikoError} not-found for an unknown name, conflict while it has environments or shared services.
 */
export function forgetProject(tools: Tools, name: string): ProjectRecord {
  const project = tools.projects.findByName(name);
  if (project === undefined) {
    const near = nearestName(name, tools.projects.list().map((known) => known.name));
    throw new PikoError(`There is no project ${quote(name)}`, {
      code: "not-found",
      hint: near === undefined ? "piko project list" : `piko project forget ${near}`,
    });
  }
  const environments = tools.environments.list(project.id);
  const [first] = environments;
  if (first !== undefined) {
    throw new PikoError(`Project ${quote(name)} has environments`, {
      code: "conflict",
      hint: `piko destroy ${qualified(first)}`,
      details: environments.map(qualified),
    });
  }
  const shared = tools.shared.list(project.id).map(({ service }) => service);
  if (tools.shared.find(project.id) !== undefined) {
    throw new PikoError(`Project ${quote(name)} has shared services`, {
      code: "conflict",
      hint: `${pikoIn(project.root)} isolate ${shared.join(" ") || "SERVICE"}`,
      details: shared,
    });
  }
  tools.projects.remove(project.id);
  return project;
}

async function findComposeFile(tools: Tools, root: string): Promise<string | null> {
  if (!await isThere(root)) return null;
  try {
    const { config } = await readProjectConfig(root);
    return (await composeFilesOf(tools, root, config))?.[0] ?? null;
  } catch (error) {
    // Whoever works on the project is told; a list of all projects goes on.
    if (error instanceof PikoError) return null;
    throw error;
  }
}
