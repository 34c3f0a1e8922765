/** Opens a worktree in the person's editor, or all worktrees of a project as one workspace. */

import { PikoError } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { shellWord } from "../domain/variables.ts";
import {
  type Editor,
  findEditor,
  knowsWorkspaces,
  type NamedEditor,
  openInEditor,
} from "../programs/editor.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { replaceFile } from "./compose_environment.ts";
import { isThere, makeFolder } from "./files.ts";
import { requireWorktree } from "./require_worktree.ts";
import type { Tools } from "./tools.ts";
import { ownConfig } from "./user_config.ts";

/** What is ready to be edited. */
export interface PreparedEdit {
  editor: Editor;
  /** What the editor is given: a worktree, a workspace file or several worktrees. */
  paths: string[];
  /** The same as a person types it in a shell. */
  shellCommand: string;
  /** Opens it, and returns the editor's exit code. */
  open: () => Promise<number>;
}

/**
 * Finds the editor (`--editor`, the person's configuration, `$VISUAL`, `$EDITOR`, the usual ones) for a worktree.
 *
 * @throws {PikoError} conflict when the worktree is gone, unavailable without an editor.
 */
export async function prepareEdit(
  tools: Tools,
  record: EnvironmentRecord,
  wanted: string | undefined,
  watch: Watch,
): Promise<PreparedEdit> {
  await requireWorktree(record);
  return prepared(tools, await chooseEditor(tools, wanted, watch), [record.path], record.path);
}

/**
 * Writes the workspace of all worktrees of a project, and finds the editor for it.
 *
 * @throws {PikoError} not-found when there are no worktrees, conflict when the workspace's file cannot be read.
 */
export async function prepareEditAll(
  tools: Tools,
  project: ProjectRecord,
  wanted: string | undefined,
  watch: Watch,
): Promise<PreparedEdit> {
  const worktrees: EnvironmentRecord[] = [];
  for (const record of tools.environments.list(project.id)) {
    if (await isThere(record.path)) worktrees.push(record);
    else watch.report({ kind: "warning", message: `${record.name} has no worktree any more` });
  }
  if (worktrees.length === 0) {
    throw new PikoError(`Project ${project.name} has no worktrees to edit`, {
      code: "not-found",
      hint: "piko create NAME",
    });
  }
  const editor = await chooseEditor(tools, wanted, watch);
  const paths = knowsWorkspaces(editor)
    ? [await writeWorkspace(project, worktrees)]
    : worktrees.map(({ path }) => path);
  return prepared(tools, editor, paths, project.root);
}

function prepared(tools: Tools, editor: Editor, paths: string[], cwd: string): PreparedEdit {
  const { variables } = tools;
  const shellCommand = [...editor.argv, ...paths].map(shellWord).join(" ");
  return {
    editor,
    paths,
    shellCommand,
    open: () => openInEditor(editor, paths, { cwd, variables }),
  };
}

/**
 * Finds the editor that `piko edit` starts.
 *
 * @throws {PikoError} unavailable when it is not installed, usage when it or the configuration cannot be read.
 */
export async function chooseEditor(
  tools: Pick<Tools, "variables">,
  wanted: string | undefined,
  watch: Watch,
): Promise<Editor> {
  const { VISUAL, EDITOR } = tools.variables;
  const named: NamedEditor[] = [{ command: wanted ?? "", source: "--editor" }];
  if (!wanted?.trim()) {
    const { editor } = await ownConfig(tools, watch);
    named.push(
      { command: editor ?? "", source: "editor in your config.yml" },
      { command: VISUAL ?? "", source: "$VISUAL" },
      { command: EDITOR ?? "", source: "$EDITOR" },
    );
  }
  return await findEditor(named, tools.variables);
}

/** Writes `.piko/PROJECT.code-workspace`; what an editor has put there besides the folders stays. */
async function writeWorkspace(
  project: ProjectRecord,
  worktrees: readonly EnvironmentRecord[],
): Promise<string> {
  const folder = `${project.root}/.piko`;
  const path = `${folder}/${project.name}.code-workspace`;
  const before = await readWorkspace(path);
  const folders = worktrees.map((record) => ({
    name: record.name,
    path: record.path.startsWith(`${folder}/`) ? record.path.slice(folder.length + 1) : record.path,
  }));
  await makeFolder(folder);
  await replaceFile(path, `${JSON.stringify({ ...before, folders }, null, 2)}\n`);
  return path;
}

async function readWorkspace(path: string): Promise<Record<string, unknown>> {
  if (!await isThere(path)) return {};
  try {
    const content: unknown = JSON.parse(await Deno.readTextFile(path));
    if (content !== null && typeof content === "object" && !Array.isArray(content)) {
      return { ...content };
    }
    throw new SyntaxError("it is no object");
  } catch (cause) {
    throw new PikoError(`Cannot read ${path}, which would lose its settings`, {
      code: "conflict",
      hint: "take the comments out of it, or remove it",
      cause,
    });
  }
}
