/**
 * Finds where the shared services of a project are not as the registry says, and mends it: what a piko that was killed has
 * left, and what others have done beside piko with docker. Nothing that holds data is removed.
 */

import { messageOf, PikoError } from "../domain/errors.ts";
import { isForeign } from "../domain/labels.ts";
import { nameList, quote, SHARED_NAME } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { lockEnvironment } from "./lock_environment.ts";
import { isEnvironmentLocked } from "./lock_names.ts";
import { findMisplaced, joinNetworks } from "./shared_networks.ts";
import { ensureShared, instanceOf, lockShared, removeShared } from "./shared_services.ts";
import type { Tools } from "./tools.ts";
import { listFormer, removeLeft, undoBrokenOff } from "./use_shared.ts";

/** Something about the shared services of a project that is not as the registry says. */
export interface SharedProblem {
  /** One sentence with capital letter and without full stop. */
  message: string;
}

/** How long a service that has to be made anew gets until it is ready, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Tells what is wrong with the shared services of a project. While another piko works on them nothing is, and what an
 * environment misses may come to it by whoever works on that one.
 *
 * @throws {PikoError} unavailable without an engine.
 */
export async function findSharedProblems(
  tools: Tools,
  project: Pick<ProjectRecord, "id">,
): Promise<SharedProblem[]> {
  if (await isEnvironmentLocked(tools, project.id, SHARED_NAME)) return [];
  const { problems, runTwice } = await look(tools, project);
  const environments = tools.environments.list(project.id);
  const settled: Mendable[] = [];
  for (const problem of problems) {
    const missesIt = environments.find(({ id }) => id === problem.environmentId);
    if (missesIt === undefined || !await isAtWork(tools, missesIt)) settled.push(problem);
  }
  return [
    ...settled,
    ...runTwice.map(({ name, services }) => ({ message: twice(name, services) })),
  ].map(({ message }) => ({ message }));
}

/**
 * Mends what {@link findSharedProblems} finds. What one mistake keeps from being mended does not keep the others.
 *
 * @returns what was mended, and the volumes that stay of what was removed for it.
 * @throws {PikoError} unavailable without an engine, conflict when another piko works on them and piko does not wait.
 */
export async function reconcileShared(
  tools: Tools,
  project: ProjectRecord,
  watch: Watch,
): Promise<Map<string, string[]>> {
  const mended = new Map<string, string[]>();
  const mend = async (message: string, work: () => Promise<string[] | void>) => {
    try {
      mended.set(message, await work() ?? []);
    } catch (error) {
      if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
      watch.report({
        kind: "warning",
        message: `${message}, and could not be mended: ${messageOf(error)}`,
        hint: error.hint,
      });
    }
  };
  {
    using _lock = await lockShared(tools, project.id, watch, tools.block);
    const { problems } = await look(tools, project);
    for (const { message, work } of problems) await mend(message, () => work(project, watch));
    if (problems.length > 0) await joinNetworks(tools, project.id);
  }
  // An environment's own lock comes before that of the shared services.
  const { runTwice } = await look(tools, project);
  for (const { record, name, services } of runTwice) {
    await mend(twice(name, services), async () => {
      using _lock = await lockEnvironment(tools, project, record.name, watch);
      // Whoever had the lock may have given it its own again.
      const found = tools.environments.find(project.id, record.name);
      const still = found === undefined ? [] : await listTwice(tools, found);
      if (still.length === 0) return;
      await tools.compose.stop(record, { services: still, signal: watch.signal });
    });
  }
  return mended;
}

interface Mendable {
  message: string;
  /** The environment that misses something, where it is one alone. */
  environmentId?: number | undefined;
  /** Mends it; returns the volumes that stay, where something was removed. */
  work: (project: ProjectRecord, watch: Watch) => Promise<string[] | void>;
}

/** An environment that runs services which it takes from the shared ones. */
interface RunsTwice {
  record: EnvironmentRecord;
  name: string;
  services: string[];
}

async function look(
  tools: Tools,
  { id }: Pick<ProjectRecord, "id">,
): Promise<{ problems: Mendable[]; runTwice: RunsTwice[] }> {
  const record = tools.shared.find(id);
  const environments = tools.environments.list(id);
  if (record === undefined) return { problems: [], runTwice: [] };
  const { composeProject } = record;
  const containers = (await tools.engine.listContainers({ composeProject }))
    .filter(({ labels }) => !isForeign(record, labels));
  const known = tools.shared.list(id);
  const instance = instanceOf(tools, id);
  const problems: Mendable[] = [];

  const starting = known.filter(({ state }) => state === "starting").map(({ service }) => service);
  for (const service of starting) {
    problems.push({
      message: `The sharing of ${service} was broken off`,
      work: async (project, watch) => {
        await undoBrokenOff(tools, project, [], watch);
      },
    });
  }
  for (const { service, state } of known) {
    const users = tools.shared.listUsers(id, service);
    if (state === "leaving" && users.length === 0) {
      problems.push({
        message: `The shared ${service} is isolated and nobody uses it, but it is still there`,
        work: (project, watch) => removeLeft(tools, project, watch),
      });
    } else if (state !== "starting" && instance.includes(service) && users.length > 0) {
      const isThere = containers.some((container) => container.service === service);
      if (isThere || !await anyRuns(tools, environments, users)) continue;
      problems.push({
        message: `The shared ${service}, which ${nameList(users)} ${
          users.length === 1 ? "uses" : "use"
        }, has no container`,
        work: async (project, watch) => {
          const again = { start: true, again: true, wait: true, timeout: PATIENCE };
          await ensureShared(tools, project, { services: [service], ...again }, watch);
        },
      });
    }
  }
  const strays = containers.filter(({ service }) => !instance.includes(service));
  for (const service of new Set(strays.map((container) => container.service))) {
    problems.push({
      message: `A container of ${service} is among the shared services, which it is none of`,
      work: (_, { signal }) => tools.compose.remove(record, { services: [service], signal }),
    });
  }
  if (instance.length === 0) {
    problems.push({
      message: "Something is left of shared services although none is shared",
      work: async (project, watch) =>
        (await removeShared(tools, project, [], { keep, watch })).kept,
    });
  }
  problems.push(...await misplaced(tools, id));
  return { problems, runTwice: await findTwice(tools, environments) };
}

async function misplaced(tools: Tools, projectId: number): Promise<Mendable[]> {
  const found = await findMisplaced(tools, projectId);
  return found.misplaced.map(({ container, network, aliases, again, environmentId }) => ({
    environmentId,
    message: aliases === undefined
      ? `The shared ${container.service} is on network ${network}, where it does not belong`
      : again
      ? `The shared ${container.service} is not to be found on network ${network} by the names that are expected there`
      : `The shared ${container.service} is not on network ${network}, where it is expected`,
    work: () => joinNetworks(tools, projectId),
  }));
}

async function anyRuns(
  { engine }: Tools,
  environments: readonly EnvironmentRecord[],
  names: readonly string[],
): Promise<boolean> {
  const running = (await engine.listContainers()).filter(({ state }) => state === "running");
  return environments.some(({ name, composeProject }) =>
    names.includes(name) &&
    running.some((container) => container.composeProject === composeProject)
  );
}

async function findTwice(
  tools: Tools,
  environments: readonly EnvironmentRecord[],
): Promise<RunsTwice[]> {
  const found: RunsTwice[] = [];
  for (const record of environments) {
    if (record.state !== "ready" || await isAtWork(tools, record)) continue;
    const services = await listTwice(tools, record);
    if (services.length > 0) found.push({ record, name: record.name, services });
  }
  return found;
}

async function listTwice(tools: Tools, record: EnvironmentRecord): Promise<string[]> {
  const running = (await listFormer(tools, record)).filter(({ state }) => state === "running");
  return [...new Set(running.map(({ service }) => service))];
}

function isAtWork(tools: Tools, { projectId, name }: EnvironmentRecord): Promise<boolean> {
  return isEnvironmentLocked(tools, projectId, name);
}

function twice(name: string, services: readonly string[]): string {
  return `${quote(name)} runs its own ${nameList(services)} beside the shared one`;
}

/** Keeps every volume: mending never removes data. */
function keep(): boolean {
  return true;
}
