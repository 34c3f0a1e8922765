/**
 * Looks at the projects, and at what is in their `.piko` and in git's list of worktrees that no environment has. Files
 * there are somebody's work or data, and a worktree whose folder is gone may have been moved, and be none any more without
 * its entry: they are named. Only folders without anything in them go.
 */

import { PikoError } from "../../domain/errors.ts";
import { qualified } from "../../domain/hints.ts";
import { shellWord } from "../../domain/variables.ts";
import { readProjectConfig } from "../../programs/config_file.ts";
import type { Worktree } from "../../programs/git/formats.ts";
import { findLinkedEntry, nameLostEntry } from "../../programs/linked_worktree.ts";
import { isThere } from "../files.ts";
import { findWorkOfGone, isOnDiskOf } from "../gone_worktree.ts";
import type { Finding } from "./finding.ts";
import { whyNot } from "./guarded.ts";
import { hasNoFiles, mendNameless, removeEmptyFolders } from "./mend.ts";
import type { ProjectState, World } from "./world.ts";

/** Checks that each project is a repository where it was, and that its configuration can be read. */
export async function checkProjects(world: World): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { project, worktrees, problem } of world.projects) {
    const { name, root } = project;
    if (problem instanceof PikoError && problem.code === "not-found") {
      found.push({
        name: "project",
        level: "wrong",
        message: `Project ${name} is no repository any more: ${problem.message}`,
        hint: `bring ${root}/.git back, and look again: piko doctor`,
      });
    } else if (problem !== undefined) {
      const { said, hint } = whyNot(problem);
      found.push({
        name: "project",
        level: "wrong",
        message: `Could not look at project ${name}: ${said}`,
        hint: hint ?? `git -C ${shellWord(root)} status`,
      });
    } else if (worktrees === undefined) {
      const first = world.environments.find(({ state }) => state.project.id === project.id);
      found.push({
        name: "project",
        level: "wrong",
        message: `The repository of project ${name} is gone: ${root}`,
        hint: first === undefined
          ? `bring it back, or: piko project forget ${name}`
          : `bring it back, or: piko destroy ${qualified(first.record)}`,
      });
    } else {
      found.push(...await checkConfig(name, root));
    }
  }
  return found;
}

async function checkConfig(name: string, root: string): Promise<Finding[]> {
  try {
    const { warnings } = await readProjectConfig(root);
    return warnings.map((message) => ({
      name: "config",
      level: "note",
      message: `Project ${name}: ${message}`,
      hint: `look at ${root}/.piko.yml`,
    }));
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    return [{
      name: "config",
      level: "wrong",
      message: `The configuration of project ${name} cannot be read: ${error.message}`,
      hint: error.hint ?? `look at ${root}/.piko.yml`,
    }];
  }
}

/** Checks the folders of each project, and git's entries of worktrees in them. */
export async function checkFolders(world: World): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const state of world.projects) {
    if (state.worktrees === undefined) continue;
    found.push(
      ...await checkEntries(world, state, state.worktrees),
      ...await checkWorktreeFolders(world, state, state.worktrees),
      ...await checkKept(world, state, "data", {
        what: "Data of an environment that is gone",
        advice: "look into it, and remove it",
      }),
      // A create that fails is taken back but for what its scripts have printed, which tells why.
      ...await checkKept(world, state, "logs", {
        what: "Logs of an environment that was not made, or is gone",
        advice: "read them, and remove them",
      }),
    );
  }
  return found;
}

/** Finds entries of worktrees that piko made, whose folder is gone and which no environment has. */
async function checkEntries(
  world: World,
  { project }: ProjectState,
  worktrees: readonly Worktree[],
): Promise<Finding[]> {
  const { tools, environments } = world;
  const { root } = project;
  const folder = `${root}/.piko/worktrees/`;
  const found: Finding[] = [];
  for (const worktree of worktrees) {
    const { path, locked } = worktree;
    if (!path.startsWith(folder) || await isThere(path)) continue;
    if (environments.some(({ record }) => record.path === path)) continue;
    const finding: Finding = {
      name: "git-entry",
      level: "wrong",
      message: `git still lists the worktree ${path}, which is gone`,
      hint: `git -C ${shellWord(root)} worktree remove ${shellWord(path)}`,
    };
    if (locked !== undefined || !await isOnDiskOf(root, path)) {
      const reason = locked ? ` (${locked})` : "";
      const why = locked === undefined
        ? "may be on a disk that is not there"
        : `is locked${reason}`;
      found.push({
        ...finding,
        level: "note",
        message: `git lists the worktree ${path}, which is gone and ${why}`,
      });
      continue;
    }
    const work = await findWorkOfGone(tools, root, worktree, world.watch);
    if (work !== undefined) {
      const { files, commits, rescue, bringsBack } = work;
      found.push({
        ...finding,
        message: `The worktree ${path} is gone, and git alone still has ${
          [...commits, ...files].join(", ")
        }`,
        hint: bringsBack ? rescue : `${rescue}, then: ${finding.hint}`,
      });
      continue;
    }
    found.push(finding);
  }
  return found;
}

async function checkWorktreeFolders(
  world: World,
  state: ProjectState,
  worktrees: readonly Worktree[],
): Promise<Finding[]> {
  const { root } = state.project;
  const found: Finding[] = [];
  for (const [name, path] of listIn(`${root}/.piko/worktrees`)) {
    if (world.environments.some(({ record }) => record.path === path)) continue;
    if (await isMoved(world, state, path)) continue;
    if (worktrees.some((worktree) => worktree.path === path)) {
      found.push({
        name: "folder",
        level: "note",
        message: `The worktree ${path} belongs to no environment`,
        hint: `git -C ${shellWord(root)} worktree remove ${shellWord(path)}`,
      });
      continue;
    }
    if (await isUnlinked(root, path)) {
      found.push({
        name: "folder",
        level: "note",
        message: `A folder that git does not take for its worktree any more: ${path}`,
        hint: `git -C ${shellWord(root)} worktree repair ${shellWord(path)}`,
      });
      continue;
    }
    const words = { what: "A folder where a worktree was", advice: "look into it, and remove it" };
    found.push(await leftFolder(world, state, name, path, words));
  }
  return found;
}

/** Tells whether a folder is a worktree whose entry git has under its name: its repository was moved, and it with it. */
async function isUnlinked(root: string, path: string): Promise<boolean> {
  const name = nameLostEntry(path);
  return name !== undefined && await isThere(`${root}/.git/worktrees/${name}`);
}

/** Tells whether a folder is the worktree of an environment that was moved without git, which is told there. */
async function isMoved(
  { tools, watch, environments }: World,
  { project }: ProjectState,
  path: string,
): Promise<boolean> {
  const entry = findLinkedEntry(path);
  if (!entry) return false;
  for (const { record } of environments) {
    if (record.projectId !== project.id || await isThere(record.path)) continue;
    if (await tools.git.findEntry(project.root, record.path, watch) === entry) return true;
  }
  return false;
}

/** What a folder with files in it is called, and what is to be done with it. */
interface LeftWords {
  what: string;
  advice: string;
}

async function checkKept(
  world: World,
  state: ProjectState,
  folder: "data" | "logs",
  words: LeftWords,
): Promise<Finding[]> {
  const { project } = state;
  const known = new Set(
    [
      ...world.environments.map(({ record }) => record),
      ...world.shared,
    ].filter(({ projectId }) => projectId === project.id).map(({ name }) => name),
  );
  const found: Finding[] = [];
  for (const [name, path] of listIn(`${project.root}/.piko/${folder}`)) {
    if (known.has(name)) continue;
    // It may be an environment of another registry, whose scripts and containers count on the folder.
    const isSomebodys = state.worktrees?.some((worktree) =>
      worktree.path === `${project.root}/.piko/worktrees/${name}`
    );
    if (isSomebodys && await hasNoFiles(path)) continue;
    found.push(await leftFolder(world, state, name, path, words));
  }
  return found;
}

/** Names a folder that no environment has; an empty one can go. */
async function leftFolder(
  world: World,
  { project }: ProjectState,
  name: string,
  path: string,
  { what, advice }: LeftWords,
): Promise<Finding> {
  const hint = `${advice}: rm -r ${shellWord(path)}`;
  if (!await hasNoFiles(path)) {
    return { name: "folder", level: "note", message: `${what}: ${path}`, hint };
  }
  return {
    name: "folder",
    level: "wrong",
    message: `An empty folder of an environment that is gone: ${path}`,
    hint: `rmdir ${shellWord(path)}`,
    mend: () =>
      mendNameless(world, { projectId: project.id, name }, async () => {
        if (await removeEmptyFolders(path)) return `Removed the empty folder ${path}`;
        throw new PikoError(`${path} is not empty any more`, { code: "conflict", hint });
      }),
  };
}

function* listIn(folder: string): Generator<[name: string, path: string]> {
  try {
    for (const { name } of Deno.readDirSync(folder)) yield [name, `${folder}/${name}`];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
}
