/** Registers a git repository with piko: `piko init`. */

import { PikoError } from "../domain/errors.ts";
import { projectName, quote } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { shellQuote } from "../domain/variables.ts";
import { findComposeFiles } from "../programs/compose.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { makeFolder } from "./files.ts";
import { keepSchema, refuseConfig, writeStarter } from "./starter_config.ts";
import type { Tools } from "./tools.ts";

/** What `piko init` has found and made. */
export interface Initialized {
  project: ProjectRecord;
  /** Whether it was registered by this call. */
  isNew: boolean;
  /** The compose files in the order in which compose reads them; empty in simple mode. */
  composeFiles: string[];
  /** The configuration to begin with; null when none was asked for. */
  configFile: string | null;
  /** Whether a line was added to `.gitignore`. */
  changedGitignore: boolean;
}

/** What `piko init` is to do. */
export interface InitRequest {
  name?: string | undefined;
  /** Whether to write a `.piko.yml` to begin with, also for a project that is registered already. */
  config?: boolean | undefined;
}

/**
 * Registers the repository that a folder lies in: checks it, makes `.piko`, has git ignore it, and records it.
 *
 * @throws {PikoError} not-found outside a repository, usage in a bare one, a submodule or a linked worktree, conflict
 *   when it is registered already, the name is taken, or there is a configuration where one is to be written.
 */
export async function initProject(
  tools: Tools,
  folder: string,
  request: InitRequest,
  watch: Watch,
): Promise<Initialized> {
  const repository = await tools.git.inspectRepository(folder, { signal: watch.signal });
  if (repository.isBare) {
    const { root, here, isLinkedWorktree } = repository;
    const what = isLinkedWorktree
      ? `${here} is a worktree of a bare repository, ${root}`
      : `${root} is a bare repository, which has no files to work on`;
    throw new PikoError(what, {
      code: "usage",
      hint: `git clone ${shellQuote(root)} and run piko init in the clone`,
    });
  }
  if (repository.superproject !== undefined) {
    throw new PikoError(`${repository.root} is a submodule of ${repository.superproject}`, {
      code: "usage",
      hint: `piko -C ${shellQuote(repository.superproject)} init`,
    });
  }
  const { root } = repository;
  if (repository.isLinkedWorktree) {
    const project = tools.projects.findByRoot(root);
    const what = `${repository.here} is a linked worktree of ${root}`;
    throw project === undefined
      ? new PikoError(what, { code: "usage", hint: `piko -C ${shellQuote(root)} init` })
      : new PikoError(`${what}, which is project ${quote(project.name)} already`, {
        code: "conflict",
        hint: "piko create NAME",
      });
  }
  if (request.config) await refuseConfig(root);
  const known = tools.projects.findByRoot(root);
  if (known !== undefined && (!request.config || request.name !== undefined)) {
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
  const { project, changedGitignore } = known === undefined
    ? await register(tools, root, request.name, watch)
    : { project: known, changedGitignore: false };
  const configFile = request.config ? await writeStarter(root) : null;
  await keepSchema(root, watch);
  const composeFiles = found?.files ?? [];
  return { project, isNew: known === undefined, composeFiles, configFile, changedGitignore };
}

async function register(
  tools: Tools,
  root: string,
  typed: string | undefined,
  watch: Watch,
): Promise<Pick<Initialized, "project" | "changedGitignore">> {
  const name = projectName(typed ?? root.slice(root.lastIndexOf("/") + 1));
  await makeFolder(`${root}/.piko`);
  const isIgnored = await tools.git.isIgnored(root, ".piko/worktrees", { signal: watch.signal });
  const changedGitignore = !isIgnored && await tools.git.addToGitignore(root, ".piko/");
  return { project: tools.projects.add(name, root), changedGitignore };
}
