/** Enters environments into a registry as if they had been created: for who needs many of them and nothing of what they do. */

import { PikoError } from "../../src/domain/errors.ts";
import { openRegistry } from "../../src/registry.ts";

/**
 * Enters environments in simple mode into the first project; each has a folder for a worktree, and nothing else. They have
 * no ports, so that they may have any slots.
 */
export async function enterEnvironments(
  variables: Readonly<Record<string, string>>,
  names: readonly string[],
  slots = "1-220",
): Promise<void> {
  using registry = openRegistry({
    variables: { ...variables, PIKO_SLOTS: slots },
    command: "",
    block: true,
    create: false,
  });
  const [project] = registry.projects.list();
  if (project === undefined) throw new PikoError("There is no project", { code: "not-found" });
  for (const name of names) {
    const path = `${project.root}/.piko/worktrees/${name}`;
    await Deno.mkdir(path, { recursive: true });
    const dataDir = `${project.root}/.piko/data/${name}`;
    const wanted = { name, branch: name, mode: "simple" as const, path, dataDir };
    registry.environments.setState(registry.environments.reserve(project, wanted).id, "ready");
  }
}

/** Takes all environments out of a registry. */
export function removeEnvironments(variables: Readonly<Record<string, string>>): void {
  using registry = openRegistry({ variables, command: "", block: true, create: false });
  for (const { id } of registry.environments.list()) registry.environments.remove(id);
}
