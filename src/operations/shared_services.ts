/**
 * The services that a project's environments share: one compose project of their own, started from the root, that joins
 * the networks of the environments under the names that these expect. There is no common network, since on one every
 * environment would see the services of every other.
 *
 * Order of locks: an environment's own first, then the one of the shared services, which is held only while these are
 * started or join networks. So environments that join at once wait for each other, and never in a circle.
 */

import type { ComposeConfig } from "../domain/compose_config.ts";
import type { ProjectConfig } from "../domain/config.ts";
import { PikoError } from "../domain/errors.ts";
import { pikoIn } from "../domain/hints.ts";
import { labelsOf } from "../domain/labels.ts";
import { nameList, nearestName, quote, SHARED, SHARED_NAME } from "../domain/names.ts";
import { OVERRIDE_FILE } from "../domain/override_file.ts";
import { bindSources, composeOverride } from "../domain/override.ts";
import type { Step, Watch } from "../domain/report.ts";
import { missingNeeds, portsByHand, withoutServices } from "../domain/shared.ts";
import { environmentVariables, shellWord } from "../domain/variables.ts";
import { busyPort, type ComposeTarget, listMissing } from "../programs/compose.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import { removeFolder } from "../programs/remove_folder.ts";
import { type EnvironmentRecord, ownPorts } from "../store/environments.ts";
import type { Lock } from "../store/locks.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { bringUp } from "./bring_up.ts";
import {
  chooseComposeProject,
  composeFilesOf,
  givePorts,
  keepApart,
  listEngineNames,
  replaceFile,
} from "./compose_environment.ts";
import { isEmptyFolder, isThere, makeFolder } from "./files.ts";
import { recordSteps } from "./journal.ts";
import { journalOf, keepVolumes, listKept, tellKept } from "./kept_volumes.ts";
import { lockEnvironment } from "./lock_environment.ts";
import { ownVolumes, type Removal, removeContainers, volumesOf } from "./remove_containers.ts";
import { joinNetworks } from "./shared_networks.ts";
import type { Tools } from "./tools.ts";
import { Undo } from "./undo.ts";
import { explainFailedStart, waitUntilReady } from "./wait_until_ready.ts";

/** Which shared services are to be there, and how they are started. */
export interface SharedRequest {
  services: readonly string[];
  /** Whether they are started; else they are when the first environment needs them. */
  start: boolean;
  /** Whether also those are looked at that run, so that what has changed in the compose file takes effect. */
  again: boolean;
  wait: boolean;
  /** Milliseconds. */
  timeout: number;
}

/** What the root of a project says about its services. */
export interface RootProject {
  config: ProjectConfig;
  files: string[];
  compose: ComposeConfig;
}

/** What was there before services were shared: it stays when that is taken back. */
export interface Before {
  /** The volumes, of an earlier life too; null where no engine could tell, so that all stay. */
  volumesBefore: string[] | null;
  /** The services that were isolated although `.piko.yml` names them. */
  isolatedBefore: string[];
}

/** What {@link ensureShared} has done. */
export interface Ensured extends Before {
  /** The services that were not shared before. */
  fresh: string[];
}

/** How many of its ports a service may lose to others while it is started. */
const MOST_LOST_PORTS = 3;

/**
 * Waits until no other piko works on the shared services of a project, and holds them. Environments wait for each other
 * also where their commands would not wait, since it takes no longer than to join.
 */
export function lockShared(
  tools: Tools,
  projectId: number,
  watch: Watch,
  block = true,
): Promise<Lock> {
  return lockEnvironment({ ...tools, block }, { id: projectId }, SHARED_NAME, watch);
}

/** Lists the services that an environment is to use from now on: those that are shared, and those that shall be. */
export function wantedShared(
  tools: Tools,
  projectId: number,
  config: Pick<ProjectConfig, "shared">,
  asked: readonly string[] = [],
): string[] {
  const known = tools.shared.list(projectId);
  const isolated = known.filter(({ state }) => state === "leaving" || state === "isolated")
    .map(({ service }) => service);
  const wanted = [
    ...known.filter(({ state }) => state === "shared").map(({ service }) => service),
    ...config.shared.filter((service) => !isolated.includes(service)),
    ...asked,
  ];
  return [...new Set(wanted)].sort();
}

/**
 * Reads what the root says about its services, with the values that the shared ones are started with.
 *
 * @throws {PikoError} usage without a compose file.
 */
export async function readRoot(
  tools: Tools,
  project: ProjectRecord,
  watch: Watch,
): Promise<RootProject> {
  const { config } = await readProjectConfig(project.root);
  const files = await composeFilesOf(tools, project.root, config);
  if (files === undefined) {
    throw new PikoError(
      `Project ${quote(project.name)} has no compose file, and so no service to share`,
      { code: "usage", hint: `add a compose file to ${project.root}` },
    );
  }
  const record = tools.shared.find(project.id);
  const compose = await tools.compose.config({
    composeProject: record?.composeProject ?? `piko-${project.name}-${SHARED}`,
    files,
    variables: record === undefined ? { PIKO_ROOT: project.root } : variablesOf(record),
    cwd: project.root,
  }, watch.signal);
  return { config, files, compose };
}

/**
 * Refuses services that cannot be shared.
 *
 * @throws {PikoError} not-found for one that the root does not have, usage for one that needs another which is not shared.
 */
export function refuseUnshareable(
  project: ProjectRecord,
  { compose }: RootProject,
  services: readonly string[],
  shared: readonly string[],
): void {
  const known = Object.keys(compose.services ?? {});
  for (const service of services) {
    if (known.includes(service)) continue;
    if (shared.includes(service)) {
      throw new PikoError(
        `The shared ${
          quote(service)
        } is no service of the compose file of ${project.root} any more`,
        {
          code: "not-found",
          hint: `${pikoIn(project.root)} isolate ${shellWord(service)} --now`,
        },
      );
    }
    const near = nearestName(service, known);
    throw new PikoError(
      `There is no service ${quote(service)} in the compose file of ${project.root}`,
      {
        code: "not-found",
        hint: near === undefined ? `services: ${known.join(", ")}` : `did you mean ${near}?`,
      },
    );
  }
  const together = new Set([...services, ...shared]);
  const [first] = missingNeeds(compose, [...together]);
  if (first === undefined) return;
  const wanted = new Set(services).add(first.service);
  for (;;) {
    const missing = missingNeeds(compose, [...together]);
    if (missing.length === 0) break;
    for (const { needs } of missing) {
      together.add(needs);
      wanted.add(needs);
    }
  }
  throw new PikoError(
    `${quote(first.service)} needs ${quote(first.needs)}, which would have to be shared too`,
    { code: "usage", hint: `piko share ${[...wanted].join(" ")}` },
  );
}

/**
 * Makes sure that services are shared, and run where that is asked for. Whoever calls it holds the lock of the shared
 * services. What it could not share it takes back.
 *
 * @throws {PikoError} as {@link refuseUnshareable}; failed when one does not get ready; interrupted.
 */
export async function ensureShared(
  tools: Tools,
  project: ProjectRecord,
  request: SharedRequest,
  watch: Watch,
  root?: RootProject,
): Promise<Ensured> {
  const { services } = request;
  const states = new Map(
    tools.shared.list(project.id).map(({ service, state }) => [service, state]),
  );
  const fresh = services.filter((service) => states.get(service) !== "shared");
  const known = tools.shared.find(project.id);
  const before = known === undefined || !request.start
    ? known
    : await keepApart(tools, known, watch);
  const isAsleep = before !== undefined && request.start &&
    (request.again || !await allRun(tools, before, services));
  if (before !== undefined && fresh.length === 0 && !isAsleep) {
    if (request.start && request.wait) await waitForShared(tools, before, request, watch);
    return { fresh: [], volumesBefore: null, isolatedBefore: [] };
  }
  root ??= await readRoot(tools, project, watch);
  const instance = instanceOf(tools, project.id);
  refuseUnshareable(project, root, services, instance);
  await tools.compose.requireVersion(watch.signal);
  // What is there for its last users is not taken away from them when this fails.
  const added = fresh.filter((service) => states.get(service) !== "leaving");
  const wasIsolated = (service: string) =>
    states.get(service) === "isolated" ||
    (before !== undefined && states.get(service) === "starting" &&
      beforeBrokenOff(tools, before).isolatedBefore.includes(service));
  const earlier: Before = { volumesBefore: null, isolatedBefore: added.filter(wasIsolated) };
  const undo = new Undo(watch);
  undo.defer(`the shared ${nameList(added)}`, async () => {
    if (added.length === 0 || tools.shared.find(project.id) === undefined) return "";
    const kept = await takeBackShared(tools, project, added, earlier, { report: watch.report });
    return `Removed the shared ${nameList(added)}${tellKept(kept)}`;
  });
  const operation = fresh.length === 0 ? "up" : "share";
  try {
    const record = before ?? await reserveShared(tools, project, request);
    earlier.volumesBefore = await listVolumesBefore(tools, record, request);
    // Only now is it known what the variables are worth.
    if (before === undefined) root = await readRoot(tools, project, watch);
    const call: Call = { tools, project, root, record, request, watch };
    await recordSteps(tools, record.id, operation, { added, ...earlier }, async (begin) => {
      begin("record");
      tools.shared.setState(project.id, added, "starting");
      await startShared(call, begin);
      tools.shared.setState(project.id, fresh, "shared");
      tools.environments.setState(record.id, "ready");
    });
    undo.keep();
    return { fresh: added, ...earlier };
  } catch (error) {
    await undo.run();
    throw error;
  }
}

/** One call of ensureShared. */
interface Call {
  tools: Tools;
  project: ProjectRecord;
  root: RootProject;
  record: EnvironmentRecord;
  request: SharedRequest;
  watch: Watch;
}

async function startShared(call: Call, begin: (step: Step) => void): Promise<void> {
  const { tools, project, root, request, watch } = call;
  const instance = [...new Set([...instanceOf(tools, project.id), ...request.services])];
  const leftOut = Object.keys(root.compose.services ?? {})
    .filter((service) => !instance.includes(service));
  const part = withoutServices(root.compose, leftOut);
  let { record } = call;
  const give = async (lost?: ReadonlySet<number>) => {
    const published = request.start ? await tools.engine.publishedPorts() : new Set<string>();
    givePorts(tools, record, part, published, watch, lost);
    record = tools.environments.require(record.id);
    await writeSharedOverride(record, root, leftOut, watch);
  };
  begin("ports");
  await give();
  if (!request.start) return;
  const target = targetOfShared(record, root, leftOut);
  begin("containers");
  tools.environments.setHadContainers(record.id);
  await joinNetworks(tools, project.id);
  const lost = new Set<number>();
  for (;;) {
    try {
      await bringUp(tools, { ...target, variables: variablesFor(record, root, leftOut) }, {
        services: request.services,
        signal: watch.signal,
        onLine: (line) =>
          watch.report({ kind: "output", step: "containers", line, from: "stderr" }),
      });
      break;
    } catch (error) {
      const port = busyPort(error);
      const isOurs = record.ports.some(({ hostPort }) => hostPort === port);
      // A port that environments know already stays, so that they are not left with a wrong one.
      const isNew = tools.shared.listUsers(project.id).length === 0;
      if (port === undefined || !isOurs || !isNew || lost.size === MOST_LOST_PORTS) {
        throw await explainFailedStart(tools.engine, record.composeProject, error);
      }
      lost.add(port);
      await give(lost);
    }
  }
  begin("networks");
  await joinNetworks(tools, project.id);
  if (!request.wait) return;
  begin("ready");
  await waitForShared(tools, record, request, watch);
}

async function waitForShared(
  { engine }: Tools,
  record: EnvironmentRecord,
  { services, timeout }: SharedRequest,
  watch: Watch,
): Promise<void> {
  await waitUntilReady(engine, record.composeProject, {
    services,
    timeout,
    signal: watch.signal,
    onProgress: (ready, total, waitingFor) => {
      const rest = waitingFor.length === 0 ? "" : `, waiting for ${waitingFor.join(", ")}`;
      watch.report({ kind: "progress", step: "shared", message: `${ready}/${total}${rest}` });
    },
  });
}

/** Tells whether every one of services has containers, and all of these run. */
async function allRun(
  { engine }: Tools,
  { composeProject }: EnvironmentRecord,
  services: readonly string[],
): Promise<boolean> {
  const containers = await engine.listContainers({ composeProject });
  return services.every((service) => {
    const own = containers.filter((container) => container.service === service);
    return own.length > 0 && own.every(({ state }) => state === "running");
  });
}

/** Lists the services that run in the shared compose project, or would. */
export function instanceOf({ shared }: Tools, projectId: number): string[] {
  return shared.list(projectId).filter(({ state }) => state !== "isolated")
    .map(({ service }) => service);
}

async function reserveShared(
  tools: Tools,
  project: ProjectRecord,
  request: SharedRequest,
): Promise<EnvironmentRecord> {
  const branch = await tools.git.currentBranch(project.root) ?? "HEAD";
  // Asked first, so that nothing is recorded where no engine answers.
  const names = await unlessNotStarted(request, listEngineNames(tools));
  const record = tools.shared.reserve(project, branch);
  return names === null ? record : await chooseComposeProject(tools, record, names);
}

async function listVolumesBefore(
  tools: Tools,
  record: EnvironmentRecord,
  request: SharedRequest,
): Promise<string[] | null> {
  const [volumes, kept] = await unlessNotStarted(
    request,
    Promise.all([tools.engine.listVolumes(record.composeProject), listKept(tools, record)]),
  ) ?? [];
  if (volumes === undefined) return null;
  return [...new Set([...volumes.map(({ name }) => name), ...kept ?? []])];
}

/** Takes no answer for an answer, null, where nothing is to be started; then no engine is needed. */
async function unlessNotStarted<T>({ start }: SharedRequest, asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (start || !(error instanceof PikoError) || error.code !== "unavailable") throw error;
    return null;
  }
}

/** Tells what was there before a sharing that was broken off. */
export function beforeBrokenOff(tools: Tools, { id }: Pick<EnvironmentRecord, "id">): Before {
  const { volumesBefore, isolatedBefore } = tools.environments.listSteps(id)
    .find(({ operation }) => operation === "share")?.detail ?? {};
  return {
    volumesBefore: Array.isArray(volumesBefore) ? volumesBefore.map(String) : null,
    isolatedBefore: Array.isArray(isolatedBefore) ? isolatedBefore.map(String) : [],
  };
}

/**
 * Takes back what was shared just now: what was there before stays, and what was isolated is so again.
 *
 * @returns the names of the volumes that stay.
 */
export async function takeBackShared(
  tools: Tools,
  project: Pick<ProjectRecord, "id">,
  services: readonly string[],
  { volumesBefore, isolatedBefore }: Before,
  watch: Watch,
): Promise<string[]> {
  const keep = (volume: string) => volumesBefore === null || volumesBefore.includes(volume);
  const { kept } = await removeShared(tools, project, services, { keep, watch });
  const isolated = isolatedBefore.filter((service) => services.includes(service));
  tools.shared.setState(project.id, isolated, "isolated");
  return kept;
}

async function writeSharedOverride(
  record: EnvironmentRecord,
  { compose }: RootProject,
  leftOut: readonly string[],
  watch: Watch,
): Promise<void> {
  const part = withoutServices(compose, leftOut);
  const override = composeOverride(compose, {
    composeProject: record.composeProject,
    ports: ownPorts(record),
    root: record.root,
    worktreePath: record.root,
    labels: labelsOf(record),
    missing: await listMissing(bindSources(part)),
    leftOut,
  });
  for (const message of override.warnings) watch.report({ kind: "warning", message });
  await makeFolder(folderOf(record));
  await replaceFile(overrideFileOfShared(record), override.text);
}

function targetOfShared(
  record: EnvironmentRecord,
  root: RootProject,
  leftOut: readonly string[],
): ComposeTarget {
  return {
    composeProject: record.composeProject,
    files: root.files,
    overrideFile: overrideFileOfShared(record),
    variables: variablesFor(record, root, leftOut),
    cwd: record.root,
  };
}

/** The variables that the shared services are started with: the root's, also where a service of them is not shared. */
function variablesFor(
  record: EnvironmentRecord,
  { compose }: RootProject,
  leftOut: readonly string[],
): Record<string, string> {
  return { ...portsByHand(compose, leftOut), ...variablesOf(record) };
}

function variablesOf(record: EnvironmentRecord): Record<string, string> {
  return environmentVariables({ ...record, name: SHARED });
}

/**
 * The operation whose step holds the volumes of services that are being removed; it is none that a person calls, and lasts
 * when what is called is called again.
 */
export const REMOVAL = "removal";

/** What piko keeps of the shared services in the root. */
function folderOf({ root }: Pick<EnvironmentRecord, "root">): string {
  return `${root}/.piko/shared`;
}

function overrideFileOfShared(record: Pick<EnvironmentRecord, "root">): string {
  return `${folderOf(record)}/${OVERRIDE_FILE}`;
}

/**
 * Removes shared services that nobody uses, from the engine and the registry. Whoever calls it holds the lock of the shared
 * services.
 *
 * @param keep tells which volumes stay.
 * @param data tells whether their data folder goes with the last of them; else it stays, unless nothing is in it.
 */
export async function removeShared(
  tools: Tools,
  project: Pick<ProjectRecord, "id">,
  services: readonly string[],
  { keep, data = false, watch }: {
    keep: (volume: string) => boolean;
    data?: boolean;
    watch: Watch;
  },
): Promise<Removal> {
  const record = tools.shared.find(project.id);
  if (record === undefined) {
    for (const service of services) tools.shared.remove(project.id, service);
    return { kept: [], removed: [] };
  }
  const stay = instanceOf(tools, project.id).filter((service) => !services.includes(service));
  const removal = stay.length === 0
    ? await removeAll(tools, record, services, keep, watch)
    : await removeSome(tools, record, services, keep, watch);
  // First, so that a kill leaves either them or what leads to them.
  if (stay.length === 0) await keepVolumes(tools, record, removal.kept);
  for (const service of services) tools.shared.remove(project.id, service);
  if (stay.length > 0) {
    tools.environments.givePorts(
      record.id,
      (ports) => ports.filter(({ service }) => !services.includes(service)),
    );
    tools.environments.endOperation(record.id, REMOVAL);
    return removal;
  }
  await removeFolder(folderOf(record));
  await removeData(record, data, watch);
  tools.environments.remove(record.id);
  return removal;
}

async function removeData(
  { dataDir }: Pick<EnvironmentRecord, "dataDir">,
  all: boolean,
  watch: Watch,
): Promise<void> {
  if (!await isThere(dataDir)) return;
  const isEmpty = await isEmptyFolder(dataDir);
  if (all || isEmpty) await removeFolder(dataDir);
  if (isEmpty) return;
  const verb = all ? "Removed" : "Kept";
  watch.report({ kind: "note", message: `${verb} the data of the shared services: ${dataDir}` });
}

async function removeAll(
  tools: Tools,
  record: EnvironmentRecord,
  services: readonly string[],
  keep: (volume: string) => boolean,
  watch: Watch,
): Promise<Removal> {
  const journal = journalOf(tools, record.id, REMOVAL, services);
  const earlier = [...journal.earlier, ...await listKept(tools, record)];
  const own = await keepApart(tools, record, watch);
  return await removeContainers(tools, own, keep, watch.signal, { ...journal, earlier });
}

/** Removes some of the shared services, beside others that stay. */
async function removeSome(
  tools: Tools,
  record: EnvironmentRecord,
  services: readonly string[],
  keep: (volume: string) => boolean,
  watch: Watch,
): Promise<Removal> {
  record = await keepApart(tools, record, watch);
  const { composeProject } = record;
  const all = await tools.engine.listContainers({ composeProject, signal: watch.signal });
  const going = all.filter(({ service }) => services.includes(service));
  const journal = journalOf(tools, record.id, REMOVAL, services);
  const found = [...new Set([...journal.earlier, ...await volumesOf(tools, record, going)])];
  if (going.length > 0) {
    if (found.length > 0) journal.record(found);
    await tools.compose.remove(record, { services, signal: watch.signal });
  }
  const staying = new Set(
    all.filter((container) => !going.includes(container)).flatMap(({ volumes }) => volumes),
  );
  const volumes = (await ownVolumes(tools, composeProject, new Set(found)))
    .filter((name) => !staying.has(name));
  const removed = volumes.filter((name) => !keep(name));
  await tools.engine.removeVolumes(removed);
  return { kept: volumes.filter(keep), removed };
}
