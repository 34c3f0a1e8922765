/** Makes what the operations work with, once, from the process's variables. Nothing is opened or started before it is used. */

import { executablePath } from "./build_info.ts";
import { toolVariables } from "./domain/variables.ts";
import type { Programs, Tools } from "./operations/tools.ts";
import { Compose } from "./programs/compose.ts";
import { Engine } from "./programs/engine.ts";
import { Git } from "./programs/git.ts";
import { Tmux } from "./programs/tmux.ts";
import { openRegistry, type WiringOptions } from "./registry.ts";

/** Wires piko; disposed, it closes the registry. */
export function wire(options: WiringOptions): Tools & Disposable {
  const registry = openRegistry(options);
  return {
    ...registry,
    ...wirePrograms(registry.variables),
    get piko() {
      return startOfPiko();
    },
  };
}

/** Wires the programs alone, for whoever has to do without a registry. */
export function wirePrograms(variables: Readonly<Record<string, string>>): Programs {
  const forTools = toolVariables(variables);
  return {
    git: new Git({ variables: forTools }),
    compose: new Compose({ variables: forTools }),
    engine: new Engine({ variables: forTools }),
    tmux: new Tmux({ variables }),
    variables,
  };
}

/** Tells how this piko is started again: by its own file, or by Deno from its sources. */
function startOfPiko(): string[] {
  const file = executablePath(Deno.env.toObject());
  if (file !== undefined) return [file];
  const folder = decodeURIComponent(new URL("..", import.meta.url).pathname);
  const flags = ["-A", "--no-prompt", "--unstable-net", `--config=${folder}deno.json`];
  return [Deno.execPath(), "run", ...flags, `${folder}main.ts`];
}
