/**
 * How an environment gets to use the shared services of its project, and how it leaves them. First they are made to run,
 * then the environment is recorded as a user, and between the making and the starting of its containers they join its
 * networks; so an application finds them from its first moment on.
 */

import type { ComposeConfig } from "../domain/compose_config.ts";
import type { Container } from "../domain/containers.ts";
import type { ProjectConfig } from "../domain/config.ts";
import { PikoError } from "../domain/errors.ts";
import { pikoIn } from "../domain/hints.ts";
import { nameList, nearestName, quote } from "../domain/names.ts";
import type { Step, Watch } from "../domain/report.ts";
import { sharedPlaces } from "../domain/shared.ts";
import type { ComposeTarget, UpOptions } from "../programs/compose.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { bringUp } from "./bring_up.ts";
import { rememberVolumes, tellKept, tellNameless } from "./kept_volumes.ts";
import { joinNetworks } from "./shared_networks.ts";
import {
  beforeBrokenOff,
  type Ensured,
  ensureShared,
  instanceOf,
  lockShared,
  readRoot,
  removeShared,
  type RootProject,
  takeBackShared,
  wantedShared,
} from "./shared_services.ts";
import { ownAnonymous } from "./remove_containers.ts";
import type { Tools } from "./tools.ts";

/** What an environment needs of the shared services. */
export interface UseRequest {
  /** The services to share besides those that are shared already and those that the configuration names. */
  asked?: readonly string[];
  /** Whether containers are started. */
  start: boolean;
  wait: boolean;
  /** Milliseconds. */
  timeout: number;
}

/** Which shared services an environment can use. */
export interface Usable extends Ensured {
  services: string[];
}

const NONE: Usable = { services: [], fresh: [], volumesBefore: null, isolatedBefore: [] };

/** Tells the project of an environment. */
export function projectOf(
  { projectId, project, root, registeredAt }: EnvironmentRecord,
): ProjectRecord {
  return { id: projectId, name: project, root, createdAt: registeredAt };
}

/** Tells whether there is anything about shared services to be done for an environment. */
export function concernsShared(
  tools: Tools,
  projectId: number,
  config: ProjectConfig,
  asked: readonly string[] = [],
): boolean {
  return wantedShared(tools, projectId, config, asked).length > 0 ||
    tools.shared.list(projectId).some(({ state }) => state === "starting");
}

/** Makes sure that the shared services run which an environment is going to use. */
export async function prepareShared(
  tools: Tools,
  project: ProjectRecord,
  config: ProjectConfig,
  request: UseRequest,
  watch: Watch,
): Promise<Usable> {
  const { asked } = request;
  if (!concernsShared(tools, project.id, config, asked)) return NONE;
  using _lock = await lockShared(tools, project.id, watch);
  // Another piko may have isolated one of them meanwhile.
  const wanted = wantedShared(tools, project.id, config, asked);
  await undoBrokenOff(tools, project, wanted, watch);
  return await startUsable(tools, project, wanted, request, watch);
}

/** Makes sure that the shared services run which an environment uses already. */
export async function wakeShared(
  tools: Tools,
  record: EnvironmentRecord,
  request: UseRequest,
  watch: Watch,
): Promise<void> {
  if (record.shared === null) return;
  using _lock = await lockShared(tools, record.projectId, watch);
  await startUsable(tools, projectOf(record), record.shared.services, request, watch);
}

async function startUsable(
  tools: Tools,
  project: ProjectRecord,
  wanted: readonly string[],
  request: UseRequest,
  watch: Watch,
): Promise<Usable> {
  const asked = request.asked ?? [];
  const known = tools.shared.list(project.id);
  const isNew = (service: string) =>
    known.every((each) => each.service !== service || each.state !== "shared");
  let services = [...wanted];
  let root: RootProject | undefined;
  if (wanted.some(isNew)) {
    root = await readRoot(tools, project, watch);
    const inFile = Object.keys(root.compose.services ?? {});
    const missing = services.filter((service) =>
      isNew(service) && !asked.includes(service) && !inFile.includes(service)
    );
    services = services.filter((service) => !missing.includes(service));
    for (const service of missing) {
      watch.report({ kind: "warning", message: unknown(service, inFile) });
    }
  }
  if (services.length === 0) return NONE;
  const { start, wait, timeout } = request;
  const ensured = await ensureShared(
    tools,
    project,
    { services, start, wait, timeout, again: false },
    watch,
    root,
  );
  return { ...ensured, services };
}

function unknown(service: string, known: readonly string[]): string {
  const near = nearestName(service, known);
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  return `shared of .piko.yml names ${
    quote(service)
  }, which is no service of the compose file${meant}`;
}

/**
 * Takes back what a piko that was killed had begun to share, but for what is about to be shared. Whoever calls it holds
 * the lock of the shared services, so that nobody else can still be at work on it.
 */
export async function undoBrokenOff(
  tools: Tools,
  project: Pick<ProjectRecord, "id">,
  wanted: readonly string[],
  watch: Watch,
): Promise<string[]> {
  const broken = tools.shared.list(project.id)
    .filter(({ service, state }) => state === "starting" && !wanted.includes(service))
    .map(({ service }) => service);
  if (broken.length === 0) return [];
  const record = tools.shared.find(project.id);
  const before = record === undefined
    ? { volumesBefore: null, isolatedBefore: [] }
    : beforeBrokenOff(tools, record);
  const kept = await takeBackShared(tools, project, broken, before, watch);
  watch.report({
    kind: "note",
    message: `Took back the sharing of ${nameList(broken)}, which was broken off${tellKept(kept)}`,
  });
  return broken;
}

/** Records which of the shared services an environment uses from now on, by what its own compose file has. */
export async function recordUse(
  tools: Tools,
  record: EnvironmentRecord,
  compose: ComposeConfig,
  usable: readonly string[],
  watch: Watch,
): Promise<EnvironmentRecord> {
  if (usable.length === 0 && record.shared === null) return record;
  using _lock = await lockShared(tools, record.projectId, watch);
  // Another piko may have isolated one of them since it was made to run.
  const shared = tools.shared.list(record.projectId)
    .filter(({ state }) => state === "shared").map(({ service }) => service);
  const inFile = Object.keys(compose.services ?? {});
  const services = usable.filter((service) => shared.includes(service) && inFile.includes(service));
  const places = sharedPlaces(compose, services, record.composeProject);
  tools.shared.setUse(record.id, services, places);
  return tools.environments.require(record.id);
}

/**
 * Takes back what was shared for an environment that could not be made, unless others use it by now.
 *
 * @returns what it has done, as a sentence; "" where others use all of it.
 */
export async function unshare(
  tools: Tools,
  project: ProjectRecord,
  { fresh, ...before }: Ensured,
  watch: Watch,
): Promise<string> {
  using _lock = await lockShared(tools, project.id, watch);
  const unused = fresh.filter((service) =>
    tools.shared.listUsers(project.id, service).length === 0
  );
  if (unused.length === 0) return "";
  const kept = await takeBackShared(tools, project, unused, before, watch);
  return `Removed the shared ${nameList(unused)}${tellKept(kept)}`;
}

/** How the containers of an environment are started. */
export interface StartOptions extends UpOptions {
  /** Whether containers of its own go that it had of a service which is shared now; else they are stopped and kept. */
  move?: boolean;
  watch: Watch;
  /** Records that the shared services are about to join its networks. */
  begin: (step: Step) => void;
}

/** Starts the containers of an environment, with the shared services on its networks before they run. */
export async function startWithShared(
  tools: Tools,
  record: EnvironmentRecord,
  target: ComposeTarget,
  { move = false, watch, begin, ...options }: StartOptions,
): Promise<void> {
  tools.environments.setHadContainers(record.id);
  const isLinked = tools.shared.listLinks(record.projectId)
    .some(({ environmentId }) => environmentId === record.id);
  if (record.shared === null && !isLinked) return await bringUp(tools, target, options);
  const former = await listFormer(tools, record, watch.signal);
  const running = former.filter(({ state }) => state !== "exited" && state !== "created");
  if (running.length > 0) {
    const services = [...new Set(running.map(({ service }) => service))];
    await tools.compose.stop(record, { ...options, services });
  }
  const keepOrphans = former.length > 0 && !move;
  const up = { ...options, keepOrphans, mayBeEmpty: record.shared !== null };
  if (former.length > 0 && move) {
    // Compose would remove them as orphans, but not where no service is left beside them.
    const services = [...new Set(former.map(({ service }) => service))];
    await rememberVolumes(tools, record, await ownAnonymous(tools, record, former));
    await tools.compose.remove(record, { signal: options.signal, services });
  }
  await bringUp(tools, target, { ...up, start: false });
  begin("networks");
  {
    using _lock = await lockShared(tools, record.projectId, watch);
    await joinNetworks(tools, record.projectId);
  }
  if (options.start !== false) await bringUp(tools, target, up);
  const isWhole = move || (options.services ?? []).length === 0;
  if (former.length > 0 && isWhole) tellOfFormer(record, former, running, move, watch);
}

/** Lists the containers of its own that an environment has of services which it now takes from the shared ones. */
export async function listFormer(
  { engine }: Pick<Tools, "engine">,
  { composeProject, shared }: EnvironmentRecord,
  signal?: AbortSignal,
): Promise<Container[]> {
  if (shared === null) return [];
  const own = await engine.listContainers({ composeProject, signal });
  return own.filter(({ service }) => shared.services.includes(service));
}

function tellOfFormer(
  record: EnvironmentRecord,
  former: readonly Container[],
  running: readonly Container[],
  move: boolean,
  watch: Watch,
): void {
  const services = nameList([...new Set(former.map(({ service }) => service))].sort());
  const volumes = [...new Set(former.flatMap((container) => container.volumes))].sort();
  if (move) {
    const nameless = tellNameless(volumes);
    const kept = volumes.length === 0
      ? ""
      : `; kept its volumes: ${volumes.join(", ")}${nameless === "" ? "" : `; ${nameless}`}`;
    watch.report({
      kind: "note",
      message: `Moved ${record.name} to the shared ${services}${kept}`,
    });
  } else if (running.length > 0) {
    watch.report({
      kind: "note",
      message: `${record.name} uses the shared ${services} now; its own is stopped and kept, ` +
        `with its data: ${pikoIn(record.root)} isolate ${services} gives it back`,
    });
  }
}

/** Takes the shared services off the networks of an environment that is going, which could not be removed otherwise. */
export async function leaveShared(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<void> {
  const isLinked = tools.shared.listLinks(record.projectId)
    .some(({ environmentId }) => environmentId === record.id);
  if (record.shared === null && !isLinked) return;
  using _lock = await lockShared(tools, record.projectId, watch);
  tools.shared.setUse(record.id, [], []);
  await joinNetworks(tools, record.projectId);
  await tidy(tools, projectOf(record), watch);
}

/** Removes the shared services that were isolated and have lost their last user, and says so; nothing to do costs nothing. */
export async function tidyShared(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<void> {
  if (listLeft(tools, record.projectId).length === 0) return;
  using _lock = await lockShared(tools, record.projectId, watch);
  await tidy(tools, projectOf(record), watch);
}

async function tidy(
  tools: Tools,
  project: Pick<ProjectRecord, "id" | "root">,
  watch: Watch,
): Promise<void> {
  const left = listLeft(tools, project.id);
  if (left.length === 0) return;
  const kept = tellKept(await removeLeft(tools, project, watch));
  const message = `Removed the shared ${nameList(left)}, which nobody uses any more${kept}`;
  watch.report({ kind: "note", message });
}

/**
 * Removes the shared services that were isolated and that nobody uses any more. Whoever calls it holds the lock of the shared
 * services.
 *
 * @returns the names of their volumes, which stay.
 */
export async function removeLeft(
  tools: Tools,
  project: Pick<ProjectRecord, "id" | "root">,
  watch: Watch,
): Promise<string[]> {
  const left = listLeft(tools, project.id);
  const { kept } = await removeShared(tools, project, left, { keep: () => true, watch });
  const named = await namedInFile(project);
  const isolated = left.filter((service) => named?.includes(service) ?? true);
  tools.shared.setState(project.id, isolated, "isolated");
  return kept;
}

function listLeft(tools: Tools, projectId: number): string[] {
  return tools.shared.list(projectId)
    .filter(({ service, state }) =>
      state === "leaving" && tools.shared.listUsers(projectId, service).length === 0
    ).map(({ service }) => service);
}

/** Reads which services the configuration shares; undefined when nobody can tell while it is broken. */
async function namedInFile({ root }: Pick<ProjectRecord, "root">): Promise<string[] | undefined> {
  try {
    return (await readProjectConfig(root)).config.shared;
  } catch (error) {
    if (error instanceof PikoError) return undefined;
    throw error;
  }
}

/** Lists the shared services that run for no environment. */
export function listUnused(tools: Tools, projectId: number): string[] {
  return instanceOf(tools, projectId)
    .filter((service) => tools.shared.listUsers(projectId, service).length === 0);
}
