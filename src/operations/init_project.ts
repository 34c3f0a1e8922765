/** Registers a git repository with piko: `piko init`. */

import { PikoError } from "../domain/errors.ts";
import { projectName, quote } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { findComposeFiles } from "../programs/compose.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import type { ProjectRecord } from "../store/projects.ts";
import type { Tools } from "./tools.ts";

/** What `piko init` has found and made. */
export interface Initialized {
  project: ProjectRecord;
  /** The compose files in the order in which compose reads them; empty in simple mode. */
  composeFiles: string[];
}

/**
 * Registers the repository that a folder lies in: checks it, makes `.piko`, has git ignore it, and records it.
 *
 * @throws {PikoError} not-found outside a repository, usage in a bare one, a submodule or a linked worktree, conflict
 *   when it is registered already or the name is taken.
 */
export async function initProject(
  tools: Tools,
  folder: string,
  request: { name?: string | undefined },
  watch: Watch,
): Promise<Initialized> {
  const repository = await tools.git.inspectRepository(folder, { signal: watch.signal });
  if (repository.isBare) {
    throw new PikoError(`${folder} is a bare repository, which has no files to work on`, {
      code: "usage",
      hint: `git clone '${folder}' and run piko init in the clone`,
    });
  }
  if (repository.superproject !== undefined) {
    throw new PikoError(`${repository.root} is a submodule of ${repository.superproject}`, {
      code: "usage",
      hint: `piko -C '${repository.superproject}' init`,
    });
  }
  if (repository.isLinkedWorktree) {
    throw new PikoError(`${repository.here} is a linked worktree of ${repository.root}`, {
      code: "usage",
      hint: `piko -C '${repository.root}' init`,
    });
  }
  const { root } = repository;
  const known = tools.projects.findByRoot(root);
  if (known !== undefined) {
    throw new PikoError(`${root} is already initialized, as project ${quote(known.name)}`, {
      code: "conflict",
      hint: "piko create NAME",
    });
  }
  const { config, warnings } = await readProjectConfig(root);
  for (const message of warnings) watch.report({ kind: "warning", message });
  const found = await findComposeFiles(root, {
    ...(config.compose === undefined ? {} : { compose: config.compose }),
    variables: tools.variables,
  });
  const name = projectName(request.name ?? root.slice(root.lastIndexOf("/") + 1));

  await Deno.mkdir(`${root}/.piko`, { recursive: true });
  const isIgnored = await tools.git.isIgnored(root, ".piko/worktrees", { signal: watch.signal });
  if (!isIgnored) await tools.git.addToGitignore(root, ".piko/");
  const project = tools.projects.add(name, root);
  return { project, composeFiles: found?.files ?? [] };
}
