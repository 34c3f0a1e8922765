/** Reads the person's own configuration, for the operations that heed it. */

import type { UserConfig } from "../domain/config.ts";
import type { Watch } from "../domain/report.ts";
import { readUserConfig } from "../programs/config_file.ts";
import type { Tools } from "./tools.ts";

/** Tells where the person's own `config.yml` is; undefined when nothing says where their home is. */
export function userConfigPath(variables: Readonly<Record<string, string>>): string | undefined {
  // The XDG specification has relative paths ignored.
  if (variables.XDG_CONFIG_HOME?.startsWith("/")) {
    return `${variables.XDG_CONFIG_HOME}/piko/config.yml`;
  }
  return variables.HOME ? `${variables.HOME}/.config/piko/config.yml` : undefined;
}

/**
 * Reads the person's own configuration and tells what is odd about it as warnings.
 *
 * @throws {PikoError} usage when it is broken.
 */
export async function ownConfig(
  tools: Pick<Tools, "variables">,
  watch: Watch,
): Promise<UserConfig> {
  const path = userConfigPath(tools.variables);
  if (path === undefined) return { defaultWindows: [], shells: {} };
  const { config, warnings } = await readUserConfig(path);
  for (const message of warnings) watch.report({ kind: "warning", message });
  return config;
}
