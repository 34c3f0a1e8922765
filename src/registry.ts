/** Opens the registry for a command, with what of the person's variables every command heeds. */

import { PikoError } from "./domain/errors.ts";
import { ALL_SLOTS, parseSlots } from "./domain/slots.ts";
import type { Tools } from "./operations/tools.ts";
import { openDatabase } from "./store/database.ts";
import { Environments } from "./store/environments.ts";
import { Projects } from "./store/projects.ts";
import { SharedServices } from "./store/shared_services.ts";

/** Which piko is wired, for whom. */
export interface WiringOptions {
  /** The person's variables, without those that piko's own file has set. */
  variables: Readonly<Record<string, string>>;
  /** What was typed. */
  command: string;
  /** Whether to wait for another command on the same environment. */
  block: boolean;
  /** Whether the registry is made when there is none. */
  create: boolean;
}

/** What is there without any program. */
export type Registry = Omit<Tools, "git" | "compose" | "engine" | "tmux" | "piko"> & Disposable;

/** Opens the registry; disposed, it closes it. */
export function openRegistry(options: WiringOptions): Registry {
  const variables = withoutEnvironment(options.variables);
  const slots = variables.PIKO_SLOTS ? parseSlots(variables.PIKO_SLOTS) : ALL_SLOTS;
  const home = homeFolder(variables);
  const database = openDatabase(`${home}/state.db`, { create: options.create });
  const environments = new Environments(database, slots);
  return {
    database,
    projects: new Projects(database),
    environments,
    shared: new SharedServices(database, environments),
    variables,
    home,
    command: options.command,
    block: options.block,
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

/** Tells the folder of the registry: `$PIKO_HOME`, else `$XDG_STATE_HOME/piko`, else `~/.local/state/piko`. */
export function homeFolder(variables: Readonly<Record<string, string>>): string {
  if (variables.PIKO_HOME) return absolute(variables.PIKO_HOME);
  // The XDG specification has relative paths ignored.
  if (variables.XDG_STATE_HOME?.startsWith("/")) return `${variables.XDG_STATE_HOME}/piko`;
  if (!variables.HOME) {
    throw new PikoError("Cannot tell where the registry is: neither HOME nor PIKO_HOME is set", {
      code: "usage",
      hint: "set PIKO_HOME to a folder",
    });
  }
  return `${variables.HOME}/.local/state/piko`;
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

/** The variables that a person sets for piko itself. */
const SETTINGS: readonly string[] = ["PIKO_HOME", "PIKO_SLOTS"];

/** The variables by which git tells an alias or a hook which repository and index it is for: `git rev-parse --local-env-vars`. */
const REPOSITORY: ReadonlySet<string> = new Set([
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_CONFIG",
  "GIT_DIR",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
]);

/**
 * Leaves out the variables of the environment, and of the repository, that piko was started in: they are not those of the
 * one it works on. What a person sets for git by `-c` or GIT_CONFIG_COUNT stays.
 */
export function withoutEnvironment(
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) =>
      !REPOSITORY.has(name) && (!name.startsWith("PIKO_") || SETTINGS.includes(name))
    ),
  );
}
