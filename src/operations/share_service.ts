/**
 * Shares services of a project, and gives environments their own again: `piko share` and `piko isolate`. Both decide for
 * environments that are made or started from now on, and move those that exist only when that is asked for. Moving takes
 * one environment after the other, each as `piko up` does it, so that it can be broken off and said again.
 */

import { PikoError } from "../domain/errors.ts";
import { pikoIn, qualified } from "../domain/hints.ts";
import { isForeign } from "../domain/labels.ts";
import { nameList, nearestName, quote } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { missingNeeds } from "../domain/shared.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { keepApart } from "./compose_environment.ts";
import { recordSteps } from "./journal.ts";
import { journalOf, withVolumes } from "./kept_volumes.ts";
import { listOthers } from "./list_shared.ts";
import { volumesOf } from "./remove_containers.ts";
import { isOwnContainer, isShared } from "./service_containers.ts";
import {
  ensureShared,
  instanceOf,
  lockShared,
  readRoot,
  REMOVAL,
  removeShared,
} from "./shared_services.ts";
import { startEnvironment } from "./start_environment.ts";
import type { Tools } from "./tools.ts";
import { undoBrokenOff } from "./use_shared.ts";

/** What to share. */
export interface ShareRequest {
  services: readonly string[];
  /** Whether environments that have their own are moved over. */
  now: boolean;
  wait: boolean;
  /** Milliseconds. */
  timeout: number;
}

/** What to give environments of their own again. */
export interface IsolateRequest extends ShareRequest {
  /** Whether the volumes of a shared service go with it. */
  volumes: boolean;
}

/** What isolate has done, and left. */
export interface Isolated {
  /** The services that are shared no longer, and were before. */
  isolated: string[];
  /** Names of the volumes that stay. */
  keptVolumes: string[];
  /** The services that run on, since environments use them. */
  inUse: string[];
}

/**
 * Shares services; those that are shared already are brought up to what the compose file says.
 *
 * @throws {PikoError} not-found for a service that the root does not have, usage without a compose file and for one that
 *   needs another which is not shared, failed when one does not get ready, conflict when an environment cannot be moved.
 */
export async function shareServices(
  tools: Tools,
  project: ProjectRecord,
  request: ShareRequest,
  watch: Watch,
): Promise<void> {
  const { services, wait, timeout } = request;
  const { warnings } = await readProjectConfig(project.root);
  for (const message of warnings) watch.report({ kind: "warning", message });
  {
    using _lock = await lockShared(tools, project.id, watch, tools.block);
    await undoBrokenOff(tools, project, services, watch);
    const root = await readRoot(tools, project, watch);
    for (
      const { type, source } of services.flatMap((name) =>
        root.compose.services?.[name]?.volumes ?? []
      )
    ) {
      if (type !== "bind" || !source?.startsWith(`${project.root}/`)) continue;
      watch.report({
        kind: "note",
        message: `Mounts ${source} for all, whatever their branches say`,
      });
    }
    const known = tools.shared.list(project.id)
      .filter(({ service, state }) => state === "shared" && services.includes(service));
    if (known.length > 0) {
      const names = nameList(known.map(({ service }) => service));
      const verb = known.length === 1 ? "is" : "are";
      watch.report({ kind: "note", message: `${names} ${verb} shared already` });
    }
    const start = { services, start: true, again: true, wait, timeout };
    watch.report({ kind: "started", step: "shared", message: services.join(", ") });
    await failing(services, watch, () => ensureShared(tools, project, start, watch, root));
    watch.report({
      kind: "done",
      step: "shared",
      message: describePorts(tools, project, services),
    });
  }
  const others = await othersOf(tools, project, services);
  const [first] = others;
  if (first === undefined) return;
  if (request.now) return await moveAll(tools, others, request, watch);
  watch.report({
    kind: "note",
    message: `${nameList(others.map(({ name }) => name))} ${
      others.length === 1 ? "has its" : "have their"
    } own ${nameList(services)} still: piko up ${qualified(first)} moves ${
      others.length === 1 ? "it" : "one of them"
    } over, and all of them: ${pikoIn(project.root)} share ${services.join(" ")} --now`,
  });
}

/**
 * Gives environments services of their own again. What nobody uses any more is removed; its volumes stay unless
 * `volumes` says otherwise.
 *
 * @throws {PikoError} not-found for a service that is not shared.
 */
export async function isolateServices(
  tools: Tools,
  project: ProjectRecord,
  request: IsolateRequest,
  watch: Watch,
): Promise<Isolated> {
  const { config } = await readProjectConfig(project.root);
  const { services, neverShared } = await leave(tools, project, request, config.shared, watch);
  if (services.length === 0) return { isolated: neverShared, keptVolumes: [], inUse: [] };
  const users = tools.environments.list(project.id)
    .filter(({ shared }) => services.some((service) => shared?.services.includes(service)));
  if (request.now) await moveAll(tools, users, request, watch, services);
  const inFile = services.filter((service) => config.shared.includes(service));
  const left = await removeUnused(tools, project, services, request, watch, inFile);
  if (inFile.length > 0) {
    watch.report({
      kind: "note",
      message:
        `${project.root}/.piko.yml still shares ${
          nameList(inFile)
        }: on this machine piko isolate wins ` +
        `until piko share ${inFile.join(" ")}`,
    });
  }
  return { ...left, isolated: [...services, ...neverShared] };
}

/** Records that services are to be shared no longer, and tells apart those that only the configuration shares so far. */
async function leave(
  tools: Tools,
  project: ProjectRecord,
  { services }: IsolateRequest,
  inFile: readonly string[],
  watch: Watch,
): Promise<{ services: string[]; neverShared: string[] }> {
  using _lock = await lockShared(tools, project.id, watch, tools.block);
  const known = tools.shared.list(project.id);
  const shared = instanceOf(tools, project.id);
  const leaving: string[] = [];
  const neverShared: string[] = [];
  for (const service of services) {
    if (shared.includes(service)) leaving.push(service);
    else if (known.some((each) => each.service === service)) {
      watch.report({ kind: "note", message: `${service} is isolated already` });
    } else if (inFile.includes(service)) {
      // Nothing has shared it yet; from now on nothing will.
      tools.shared.setState(project.id, [service], "isolated");
      neverShared.push(service);
    } else await refuseUnknown(tools, project, service, shared, watch);
  }
  if (leaving.length === 0) return { services: [], neverShared };
  await refuseNeeded(tools, project, leaving, watch);
  await undoBrokenOff(tools, project, leaving, watch);
  const record = tools.shared.require(project.id);
  await recordSteps(tools, record.id, "isolate", { services: leaving }, (begin) => {
    begin("record");
    tools.shared.setState(project.id, leaving, "leaving");
    return Promise.resolve();
  });
  return { services: leaving, neverShared };
}

/** Refuses to take a service away from another one that stays shared and needs it. */
async function refuseNeeded(
  tools: Tools,
  project: ProjectRecord,
  leaving: readonly string[],
  watch: Watch,
): Promise<void> {
  const stay = instanceOf(tools, project.id).filter((service) => !leaving.includes(service));
  if (stay.length === 0) return;
  const { compose } = await readRoot(tools, project, watch);
  const needed = missingNeeds(compose, stay).find(({ needs }) => leaving.includes(needs));
  if (needed === undefined) return;
  const { service, needs } = needed;
  throw new PikoError(`${quote(service)}, which is shared, needs ${quote(needs)}`, {
    code: "usage",
    hint: `piko isolate ${[...new Set([service, ...leaving])].join(" ")}`,
  });
}

/** Says that a service is not shared, and refuses one that there is not. */
async function refuseUnknown(
  tools: Tools,
  project: ProjectRecord,
  service: string,
  shared: readonly string[],
  watch: Watch,
): Promise<void> {
  const { compose } = await readRoot(tools, project, watch);
  if (!Object.hasOwn(compose.services ?? {}, service)) throw notShared(service, shared);
  const message = `${service} is not shared: every environment has its own already`;
  watch.report({ kind: "note", message });
}

async function removeUnused(
  tools: Tools,
  project: ProjectRecord,
  services: readonly string[],
  { volumes }: IsolateRequest,
  watch: Watch,
  /** Those that the configuration shares, which are isolated in spite of it. */
  inFile: readonly string[] = [],
): Promise<Omit<Isolated, "isolated">> {
  using _lock = await lockShared(tools, project.id, watch);
  const inUse = services.filter((service) =>
    tools.shared.listUsers(project.id, service).length > 0
  );
  const unused = services.filter((service) => !inUse.includes(service));
  const record = tools.shared.find(project.id);
  const isolated = unused.filter((service) => inFile.includes(service));
  if (unused.length === 0 || record === undefined) {
    tools.shared.setState(project.id, isolated, "isolated");
    return { keptVolumes: [], inUse };
  }
  tools.environments.beginStep(record.id, "isolate", "containers", { services: unused, volumes });
  watch.report({ kind: "started", step: "shared", message: unused.join(", ") });
  const { kept, removed } = await failing(unused, watch, async () => {
    // Those that earlier ones have left were kept on purpose.
    const going = volumes ? await recordVolumes(tools, record, unused) : new Set<string>();
    const keep = (volume: string) => !going.has(volume);
    return await removeShared(tools, project, unused, { keep, data: volumes, watch });
  });
  tools.shared.setState(project.id, isolated, "isolated");
  tools.environments.endOperation(record.id, "isolate");
  const message = `removed ${unused.join(", ")}${withVolumes(removed)}`;
  watch.report({ kind: "done", step: "shared", message });
  return { keptVolumes: kept, inUse };
}

/** Records the volumes of shared services that go with them, in case that is broken off, and names them. */
async function recordVolumes(
  tools: Tools,
  record: EnvironmentRecord,
  services: readonly string[],
): Promise<Set<string>> {
  const { composeProject } = record;
  const containers = (await tools.engine.listContainers({ composeProject }))
    .filter(({ service, labels }) => services.includes(service) && !isForeign(record, labels));
  const journal = journalOf(tools, record.id, REMOVAL, services);
  const volumes = new Set([...journal.earlier, ...await volumesOf(tools, record, containers)]);
  if (volumes.size > 0) journal.record([...volumes]);
  return volumes;
}

/** Removes shared services that no environment uses, and returns the names of the volumes that stay. */
export async function removeSharedServices(
  tools: Tools,
  project: ProjectRecord,
  services: readonly string[],
  watch: Watch,
): Promise<string[]> {
  const request = { services, volumes: false, now: false, wait: false, timeout: 0 };
  return (await removeUnused(tools, project, services, request, watch)).keptVolumes;
}

/** Moves environments one after the other; what is stopped stays so, in each of them. */
async function moveAll(
  tools: Tools,
  environments: readonly EnvironmentRecord[],
  { wait, timeout }: ShareRequest,
  watch: Watch,
  /** The services that they get of their own again. */
  again: readonly string[] = [],
): Promise<void> {
  const failed: NotMoved[] = [];
  for (const environment of environments) {
    if (environment.state === "creating" || environment.state === "destroying") {
      watch.report({
        kind: "warning",
        message: `${environment.name} was not made completely, and is left as it is`,
        hint: `piko destroy ${qualified(environment)}`,
      });
      continue;
    }
    const { composeProject } = environment;
    const containers = await tools.engine.listContainers({ composeProject, signal: watch.signal });
    const running = containers
      .filter(({ state }) => state === "running" || state === "restarting")
      .filter((container) => isOwnContainer(environment, container))
      .map(({ service }) => service);
    const start = running.length > 0;
    const returning = again.filter((service) => isShared(environment, service));
    const only = [...new Set([...running, ...returning])].sort();
    watch.report({ kind: "note", message: `Moving ${environment.name}` });
    const request = { services: [], wait, timeout, start, only, move: true, setUp: false };
    let isMoved = false;
    const report: Watch["report"] = (event) => {
      if (event.kind === "done" && event.step === "containers") isMoved = true;
      watch.report(event);
    };
    try {
      await startEnvironment(tools, environment, request, { ...watch, report });
    } catch (error) {
      if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
      failed.push({ environment, error, isMoved });
    }
  }
  const [first] = failed;
  if (first === undefined) return;
  const stuck = failed.filter(({ isMoved }) => !isMoved);
  const names = nameList(
    (stuck.length > 0 ? stuck : failed).map(({ environment }) => environment.name),
  );
  const isOne = stuck.length === 0 && failed.length === 1;
  throw new PikoError(
    isOne
      ? tellNotMoved(first)
      : stuck.length > 0
      ? `Cannot move ${names}`
      : `${names} were moved, but not all of what they have got ready`,
    {
      code: first.error.code,
      hint: first.error.hint ?? `piko up ${qualified(first.environment)}`,
      details: isOne
        ? [...first.error.details]
        : failed.flatMap((each) => [tellNotMoved(each), ...each.error.details]),
      cause: first.error,
    },
  );
}

/** An environment that could not be moved, or that was and has not started as it should. */
interface NotMoved {
  environment: EnvironmentRecord;
  error: PikoError;
  isMoved: boolean;
}

function tellNotMoved({ environment: { name }, error, isMoved }: NotMoved): string {
  return isMoved ? `${name} was moved, but: ${error.message}` : `${name}: ${error.message}`;
}

async function othersOf(
  tools: Tools,
  project: ProjectRecord,
  services: readonly string[],
): Promise<EnvironmentRecord[]> {
  const environments = tools.environments.list(project.id);
  const names = new Set<string>();
  for (const service of services) {
    for (const name of await listOthers(environments, service)) names.add(name);
  }
  return environments.filter(({ name }) => names.has(name));
}

function describePorts(tools: Tools, project: ProjectRecord, services: readonly string[]): string {
  const ports = tools.shared.require(project.id).ports
    .filter(({ service }) => services.includes(service))
    .map(({ service, containerPort, hostPort }) => `${service} ${containerPort} → ${hostPort}`);
  return ports.join(", ") || services.join(", ");
}

function notShared(service: string, shared: readonly string[]): PikoError {
  const near = nearestName(service, shared);
  return new PikoError(`${quote(service)} is not shared`, {
    code: "not-found",
    hint: near !== undefined
      ? `piko isolate ${near}`
      : shared.length === 0
      ? "nothing is shared; piko share SERVICE shares a service"
      : `shared: ${shared.join(", ")}`,
  });
}

/** Stops shared services and keeps everything; none named means all. It returns those that are meant. */
export async function stopShared(
  tools: Tools,
  project: ProjectRecord,
  services: readonly string[],
  watch: Watch,
): Promise<readonly string[]> {
  return await onShared(tools, project, services, watch, async (record, meant) => {
    await tools.compose.stop(record, { services: meant, signal: watch.signal });
    const users = new Set(
      meant.flatMap((service) => tools.shared.listUsers(project.id, service)),
    );
    if (users.size > 0) {
      watch.report({
        kind: "note",
        message: `${nameList([...users].sort())} ${users.size === 1 ? "uses" : "use"} ${
          nameList(meant)
        }`,
      });
    }
    return "stopped";
  });
}

/** Restarts shared services, or starts them, and has them on all of their networks again; returns those that are meant. */
export async function restartShared(
  tools: Tools,
  project: ProjectRecord,
  request: Omit<ShareRequest, "now"> & { stopFirst: boolean },
  watch: Watch,
): Promise<readonly string[]> {
  const { wait, timeout, stopFirst } = request;
  return await onShared(tools, project, request.services, watch, async (record, services) => {
    if (stopFirst) await tools.compose.stop(record, { services, signal: watch.signal });
    const start = { services, start: true, again: true, wait, timeout };
    await ensureShared(tools, project, start, watch);
    return stopFirst ? "restarted" : describePorts(tools, project, services);
  });
}

async function onShared(
  tools: Tools,
  project: ProjectRecord,
  services: readonly string[],
  watch: Watch,
  work: (record: EnvironmentRecord, services: readonly string[]) => Promise<string>,
): Promise<readonly string[]> {
  using _lock = await lockShared(tools, project.id, watch, tools.block);
  const shared = instanceOf(tools, project.id);
  const known = tools.shared.find(project.id);
  for (const service of services) if (!shared.includes(service)) throw notShared(service, shared);
  if (known === undefined || shared.length === 0) {
    watch.report({ kind: "note", message: `Project ${project.name} shares no service` });
    return [];
  }
  const record = await keepApart(tools, known, watch);
  const meant = services.length === 0 ? shared : services;
  watch.report({ kind: "started", step: "shared", message: meant.join(", ") });
  const message = await failing(meant, watch, () => work(record, meant));
  watch.report({ kind: "done", step: "shared", message });
  return meant;
}

/** Does work on shared services whose failure is told as one of their step. */
async function failing<T>(
  services: readonly string[],
  watch: Watch,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    watch.report({ kind: "failed", step: "shared", message: services.join(", ") });
    throw error;
  }
}
