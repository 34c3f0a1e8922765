/**
 * Runs `scripts.run` of a project in an environment, in front of the person. The lock is held while containers are
 * started and not while the script runs: a development server must not keep `piko down` waiting.
 */

import type { Container, ContainerState } from "../domain/containers.ts";
import { PikoError } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { takingArguments } from "../domain/script_arguments.ts";
import { environmentVariables } from "../domain/variables.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import { attach } from "../programs/foreground.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { configOf } from "./project_config.ts";
import { ensureDataFolder, requireWorktree } from "./require_worktree.ts";
import { isOwnContainer } from "./service_containers.ts";
import { startEnvironment } from "./start_environment.ts";
import type { Tools } from "./tools.ts";

/** What to run, and what to do before. */
export interface RunRequest {
  /** What stands behind `--`. */
  args: readonly string[];
  /** Decides, when containers have stopped, whether they are started first. */
  startFirst: (stopped: readonly string[]) => Promise<boolean>;
  /** Whether to wait until they are ready, and for how many milliseconds. */
  wait: boolean;
  timeout: number;
}

/** A script that is ready to run. */
export interface PreparedScript {
  /** Runs it with piko's terminal and returns its exit code. */
  run: () => Promise<number>;
}

/**
 * Finds the script and starts the containers that have stopped.
 *
 * @throws {PikoError} not-found when there is no `scripts.run`, conflict when the worktree is gone, usage when the
 *   arguments would not reach the script.
 */
export async function prepareScript(
  tools: Tools,
  found: EnvironmentRecord,
  request: RunRequest,
  watch: Watch,
): Promise<PreparedScript> {
  const script = await findScript(tools, found, request.args, watch);
  await requireWorktree(found);
  await ensureDataFolder(found, watch);
  const record = await startStopped(tools, found, request, watch);
  const variables = { ...tools.variables, ...environmentVariables(record) };
  const argv = ["sh", "-c", script, "sh", ...request.args];
  return { run: () => attach(argv, { cwd: record.path, variables }) };
}

async function findScript(
  tools: Tools,
  record: EnvironmentRecord,
  args: readonly string[],
  watch: Watch,
): Promise<string> {
  const script = (await configOf(tools, record, watch)).scripts.run;
  if (script === undefined || script.trim() === "") {
    throw new PikoError(`There is no scripts.run in ${record.root}/.piko.yml`, {
      code: "not-found",
      hint: await findInBranch(record) === undefined
        ? "say there what to run:  scripts: { run: npm run dev }"
        : `only the branch's own .piko.yml has one; copy it to ${record.root}/.piko.yml`,
    });
  }
  if (args.length === 0) return script;
  const taking = takingArguments(script);
  if (taking !== undefined) return taking;
  throw new PikoError('The arguments do not reach scripts.run, which does not use "$@"', {
    code: "usage",
    hint: 'put "$@" into scripts.run where they belong',
  });
}

/** Finds the script of the branch itself, which is not run: whoever writes a branch does not decide what runs here. */
async function findInBranch(record: EnvironmentRecord): Promise<string | undefined> {
  try {
    return (await readProjectConfig(record.path)).config.scripts.run;
  } catch (error) {
    // A broken file that is not used stops nothing.
    if (error instanceof PikoError) return undefined;
    throw error;
  }
}

async function startStopped(
  tools: Tools,
  record: EnvironmentRecord,
  request: RunRequest,
  watch: Watch,
): Promise<EnvironmentRecord> {
  if (record.mode === "simple") return record;
  const { composeProject } = record;
  const all = await tools.engine.listContainers({ composeProject, signal: watch.signal });
  const containers = all.filter((container) => isOwnContainer(record, container));
  const stopped = stoppedServices(record, containers);
  const isAll = containers.every(({ service }) => stopped.includes(service));
  if (stopped.length === 0 && containers.length > 0) return record;
  if (!await request.startFirst(stopped)) return record;
  const services = isAll ? [] : stopped;
  return await startEnvironment(tools, record, { ...request, services }, watch);
}

/** Names the services that do not run, but for one-shots that are done: they ended with 0 and publish nothing. */
function stoppedServices(record: EnvironmentRecord, containers: readonly Container[]): string[] {
  const running = containers.filter(({ state }) => isAlive(state));
  const isDone = ({ service, exitCode }: Container) =>
    running.length > 0 && exitCode === 0 && !record.ports.some((port) => port.service === service);
  const stopped = containers.filter((container) => !isAlive(container.state) && !isDone(container));
  return [...new Set(stopped.map(({ service }) => service))];
}

function isAlive(state: ContainerState): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}
