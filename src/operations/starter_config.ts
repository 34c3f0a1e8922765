/**
 * Writes a `.piko.yml` to begin with, and the JSON schema that its first line names. There is no place on the web that piko
 * could be sure of, and what it would name there is another version's: the schema is a file of this piko's own in
 * `.piko/`, which git ignores, and every `piko init` writes it for a file that names it.
 */

import { PikoError } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { replaceFile } from "./compose_environment.ts";
import { cannotWrite, isThere, makeFolder } from "./files.ts";

/** Where the schema lies, from the root. */
const SCHEMA_FILE = ".piko/schema.json";

/** What the first line of a file says for editors; a path in it is one from the file's folder. */
const FIRST_LINE = `# yaml-language-server: $schema=${SCHEMA_FILE}`;

/** The file to begin with: without the `#` in front of its fields it is a configuration that says everything. */
export const STARTER = `${FIRST_LINE}
#
# How piko makes an environment of a branch of this project. Everything here is optional: take the # away in front of
# what you need. \`piko config check\` says what is wrong with this file, \`piko config\` what holds.

# The compose file, or a list of them. Without this piko looks for compose.yml, docker-compose.yml and so on.
#compose: deploy/compose.yml

# Run by sh -c in the worktree, with the variables that \`piko env\` prints.
#scripts:
#  prepare: npm ci                  # before the containers start
#  setup: |                         # once they are ready
#    make migrate
#    make seed
#  run: npm run dev -- --port "$PIKO_WEB_PORT"    # \`piko run\`
#  destroy: echo "bye $PIKO_ENV_NAME"             # before the environment is destroyed

# Services of which all environments use the same one.
#shared: [jaeger]

# What the window of a service, and \`piko shell\`, runs in its container, instead of sh.
#shells:
#  db: psql -U postgres
#  redis: redis-cli

# Services without a window.
#ignore: [migrate]

# More windows. $PIKO_* are variables of the shell that runs the command.
#windows:
#  - { name: frontend, command: npm run dev, local: true }            # on this machine, in the worktree
#  - { name: sql, command: 'psql -c "select 1"; sh', service: db }    # in the container of db

# What git ignores and a new worktree needs all the same: as a copy of its own, or as a link to the one here.
#copy: [node_modules]
#link: [.env.local]
`;

/** Tells where the configuration of a project is. */
export function projectConfigPath(root: string): string {
  return `${root}/.piko.yml`;
}

/**
 * Refuses to write where a configuration is already.
 *
 * @throws {PikoError} conflict.
 */
export async function refuseConfig(root: string): Promise<void> {
  if (!await isThere(projectConfigPath(root))) return;
  throw new PikoError(
    `${projectConfigPath(root)} is there already, and piko does not overwrite it`,
    {
      code: "conflict",
      hint: "piko config check",
    },
  );
}

/**
 * Writes the file to begin with.
 *
 * @throws {PikoError} conflict when there is one.
 */
export async function writeStarter(root: string): Promise<string> {
  const path = projectConfigPath(root);
  try {
    await Deno.writeTextFile(path, STARTER, { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) await refuseConfig(root);
    throw cannotWrite(path, error);
  }
  return path;
}

/** Writes the schema anew where the project's file names it and another piko has written it, or none has. */
export async function keepSchema(root: string, watch: Watch): Promise<void> {
  if (!(await readIfThere(projectConfigPath(root)))?.includes(`$schema=${SCHEMA_FILE}`)) return;
  const { configSchema } = await import("../domain/config_schema.ts");
  const text = `${JSON.stringify(configSchema("project"), null, 2)}\n`;
  const path = `${root}/${SCHEMA_FILE}`;
  if (await readIfThere(path) === text) return;
  try {
    await makeFolder(`${root}/.piko`);
    await replaceFile(path, text);
  } catch (error) {
    // An editor without advice keeps nobody from working.
    if (!(error instanceof PikoError)) throw error;
    watch.report({ kind: "warning", message: error.message, hint: error.hint });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    // A pipe or a device would be read without end.
    return (await Deno.stat(path)).isFile ? await Deno.readTextFile(path) : undefined;
  } catch (error) {
    // What is no file, or closed, is told of by those who read it as configuration.
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
