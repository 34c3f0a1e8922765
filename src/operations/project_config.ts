/**
 * The configuration that counts for an environment: that of the project's root. Whoever writes a branch does not decide what
 * runs on this machine, so the `.piko.yml` of the worktree is never used; where it says something else, that is
 * told, once for each environment and content.
 */

import type { ProjectConfig } from "../domain/config.ts";
import type { Watch } from "../domain/report.ts";
import { shellQuote } from "../domain/variables.ts";
import { type Configured, fingerprintConfig, readProjectConfig } from "../programs/config_file.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Tools } from "./tools.ts";

/**
 * Reads the configuration of an environment, tells what is odd about it, and that the worktree's own differs.
 *
 * @throws {PikoError} usage when the root's is broken.
 */
export async function configOf(
  tools: Pick<Tools, "environments">,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<ProjectConfig> {
  return await tellConfig(tools, record, await readProjectConfig(record.root), watch);
}

/** Tells what is odd about the configuration of an environment that was read already, and that the worktree's own differs. */
export async function tellConfig(
  tools: Pick<Tools, "environments">,
  record: EnvironmentRecord,
  { config, warnings }: Configured<ProjectConfig>,
  watch: Watch,
): Promise<ProjectConfig> {
  for (const message of warnings) watch.report({ kind: "warning", message });
  await tellOwnConfig(tools, record, watch);
  return config;
}

/** Tells that the worktree's own configuration says something else and is not used, unless that was told before. */
export async function tellOwnConfig(
  { environments }: Pick<Tools, "environments">,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<void> {
  const [own, used] = await Promise.all([
    fingerprintConfig(record.path),
    fingerprintConfig(record.root),
  ]);
  if (own === undefined || own === used || !environments.tellConfig(record.id, own)) return;
  const paths = [record.root, record.path].map((folder) => `${folder}/.piko.yml`);
  const [inRoot = "", inWorktree = ""] = paths;
  watch.report(
    used === undefined
      ? {
        kind: "warning",
        message: `${inWorktree} is not used: the configuration that counts is ${inRoot}`,
        hint: `cp ${shellQuote(inWorktree)} ${shellQuote(inRoot)}`,
      }
      : {
        kind: "warning",
        message: `${inWorktree} differs from ${inRoot}, which counts`,
        hint: `diff ${paths.map(shellQuote).join(" ")}`,
      },
  );
}
