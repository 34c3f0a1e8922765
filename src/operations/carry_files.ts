/**
 * Brings files that git ignores from the root into a worktree: `.env` and env_files as links by default, what
 * `copy:` and `link:` name besides. Each link is recorded before it is made, so that destroy can tell it from work.
 */

import type { ProjectConfig } from "../domain/config.ts";
import type { Watch } from "../domain/report.ts";
import { copyFromRoot, linkFromRoot } from "../programs/carry.ts";
import { patternFor } from "../programs/git/ignore_file.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isThere } from "./files.ts";
import type { Tools } from "./tools.ts";

/** Brings in `.env`, and what the project's `copy:` and `link:` name. */
export async function carryFiles(
  tools: Tools,
  record: EnvironmentRecord,
  config: ProjectConfig,
  watch: Watch,
): Promise<void> {
  const copies = new Set(config.copy);
  for (const path of copies) {
    const result = await copyFromRoot(record.root, record.path, path, watch.signal);
    report(watch, "Copied", path, result);
  }
  for (const path of config.link ?? []) await carryLink(tools, record, path, watch, true);
  if (!copies.has(".env")) await carryLink(tools, record, ".env", watch);
}

/**
 * Links one path of the root into a worktree that lacks it.
 *
 * @param asked whether the user named it, so that a path which is not there is worth a warning.
 * @returns whether a link was made.
 */
export async function carryLink(
  tools: Tools,
  record: EnvironmentRecord,
  path: string,
  watch: Watch,
  asked = false,
): Promise<boolean> {
  if (!await isThere(`${record.root}/${path}`)) {
    if (asked) {
      watch.report({ kind: "warning", message: `link: ${path} is not in ${record.root}` });
    }
    return false;
  }
  if (await isThere(`${record.path}/${path}`)) return false;
  tools.environments.addCarried(record.id, { path, target: `${record.root}/${path}` });
  const result = await linkFromRoot(record.root, record.path, path);
  report(watch, "Linked", path, result);
  if (result.made) await keepIgnored(tools, record, path);
  return result.made;
}

/** Has git ignore a link to an ignored folder too: a pattern such as `node_modules/` means folders alone. */
async function keepIgnored(tools: Tools, record: EnvironmentRecord, path: string): Promise<void> {
  if (await tools.git.isIgnored(record.path, path)) return;
  if (!await tools.git.isIgnored(record.root, path)) return;
  await tools.git.excludePaths(record.root, [patternFor(path)]);
}

function report(
  watch: Watch,
  verb: string,
  path: string,
  result: { made: boolean; reason?: string },
): void {
  if (result.made) watch.report({ kind: "progress", step: "files", message: `${verb} ${path}` });
  else if (result.reason !== undefined) {
    watch.report({ kind: "warning", message: `${path} was not carried over: ${result.reason}` });
  }
}
