/**
 * Runs the commands that a prompt or a Tab waits for, without what they do not need: no git, compose, tmux,
 * configuration, picker and help. tests/startup_test.ts keeps all of that out.
 */

import { toolVariables } from "../domain/variables.ts";
import type { Tools } from "../operations/tools.ts";
import type { AskedAhead } from "../programs/ask_ahead.ts";
import { Engine } from "../programs/engine.ts";
import type { Registry } from "../registry.ts";
import { runCli } from "./cli.ts";
import type { PikoCommand } from "./context.ts";
import { NeedsWhole } from "./parts.ts";

/** Milliseconds that a person waits for a list; what runs is unknown then. */
const PATIENCE = 5000;

const FILES: Readonly<Record<string, () => Promise<{ command: PikoCommand }>>> = {
  list: () => import("./list.ts"),
  env: () => import("./env.ts"),
  ports: () => import("./ports.ts"),
  complete: () => import("./complete.ts"),
};

/** Runs one of the short commands; undefined when it needs the whole piko, and nothing was said or changed. */
export async function runShort(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  askedAhead?: AskedAhead,
): Promise<number | undefined> {
  const engine = new Engine({
    // Mostly nobody needs them.
    get variables() {
      return toolVariables(variables);
    },
    timeout: PATIENCE,
    askedAhead,
  });
  try {
    return await runCli(args, variables, {
      command: async (name) => {
        const load = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
        return load === undefined ? needsWhole() : (await load()).command;
      },
      wiring: async () => {
        const { openRegistry } = await import("../registry.ts");
        return (options) => withoutPrograms(openRegistry(options), engine);
      },
      help: needsWhole,
      usageError: needsWhole,
      pickEnvironment: needsWhole,
    });
  } catch (error) {
    if (error instanceof NeedsWhole) return undefined;
    throw error;
  }
}

function withoutPrograms(registry: Registry, engine: Engine): Tools & Disposable {
  return {
    ...registry,
    engine,
    get git() {
      return needsWhole();
    },
    get compose() {
      return needsWhole();
    },
    get tmux() {
      return needsWhole();
    },
    get piko() {
      return needsWhole();
    },
  };
}

function needsWhole(): never {
  throw new NeedsWhole();
}
