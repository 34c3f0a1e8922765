/**
 * Starts an environment's containers again: `piko up`, and the other two of its life, `piko down` and `piko restart`. All
 * three may be called twice. Down stops containers and keeps them: their anonymous volumes and what was written
 * inside them are somebody's data.
 *
 * The critical path of up is compose's reading of the project, `compose up`, and the containers until they are ready; the
 * version of compose is asked for beside the reading, and the session is looked after while they become ready. The first
 * up after a create that started nothing runs the setup script behind all that. The critical path of
 * down is `compose stop`, and nothing else is started.
 */

import { CommandError, messageOf, PikoError } from "../domain/errors.ts";
import { pikoIn, qualified } from "../domain/hints.ts";
import type { Container } from "../domain/containers.ts";
import { nameList, nearestName, quote } from "../domain/names.ts";
import { OVERRIDE_PATTERNS } from "../domain/override_file.ts";
import type { Step, Watch } from "../domain/report.ts";
import { dependOnOthers, withoutServices } from "../domain/shared.ts";
import { shellWord } from "../domain/variables.ts";
import type { ProjectConfig } from "../domain/config.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import {
  composeFilesOf,
  givePorts,
  hideOverride,
  keepApart,
  overrideFileOf,
  readCompose,
  readIfThere,
  targetOf,
  writeOverride,
} from "./compose_environment.ts";
import { endBrokenOff, type Lifecycle, recordLifecycle } from "./journal.ts";
import { rememberVolumes, tellKept } from "./kept_volumes.ts";
import { lockEnvironment } from "./lock_environment.ts";
import { configOf } from "./project_config.ts";
import type { Tools } from "./tools.ts";
import { ensureDataFolder, refuseUnfinished, requireWorktree } from "./require_worktree.ts";
import { ownAnonymous } from "./remove_containers.ts";
import { runScript } from "./run_script.ts";
import { isOwnContainer, isShared } from "./service_containers.ts";
import { restoreSession } from "./sessions.ts";
import {
  concernsShared,
  prepareShared,
  projectOf,
  recordUse,
  startWithShared,
  tidyShared,
  type UseRequest,
  wakeShared,
} from "./use_shared.ts";
import { explainFailedStart, waitUntilReady } from "./wait_until_ready.ts";

/** What to start, and how long to wait for it. */
export interface StartRequest {
  /** None of them means all. */
  services: readonly string[];
  wait: boolean;
  /** Milliseconds. */
  timeout: number;
  /** Whether they are started, and not only made as the configuration wants them. */
  start?: boolean;
  /** Whether a setup script that is still to be run is run when all of them are started; it is by default. */
  setUp?: boolean;
  /** Whether containers of its own are removed that it had of services which are shared now. */
  move?: boolean;
  /** Those that are started where all are meant, while the others stay as they are; else all are. */
  only?: readonly string[];
}

/**
 * Starts the containers, with the override file made anew when the compose files say something else; ports that were
 * given stay.
 *
 * @throws {PikoError} conflict when the worktree is gone, usage in simple mode, not-found for an unknown service, failed
 *   when a container does not get ready.
 */
export async function startEnvironment(
  tools: Tools,
  found: EnvironmentRecord,
  request: StartRequest,
  watch: Watch,
): Promise<EnvironmentRecord> {
  using _lock = await lockEnvironment(tools, { id: found.projectId }, found.name, watch);
  return await startHeld(tools, tools.environments.require(found.id), request, watch);
}

/** Says of one that was kept after a failed create that its containers do not make it whole. */
function tellUnfinished(record: EnvironmentRecord, { report }: Watch): void {
  if (record.state !== "failed") return;
  report({
    kind: "warning",
    message: `${record.name} was not made completely, and stays failed`,
    hint: `look into it, then: piko destroy ${qualified(record)}`,
  });
}

/** Starts the containers of an environment whose lock is held. */
async function startHeld(
  tools: Tools,
  record: EnvironmentRecord,
  request: StartRequest,
  watch: Watch,
): Promise<EnvironmentRecord> {
  await requireWorktree(record);
  await ensureDataFolder(record, watch);
  const { services, start = true, move = false, only } = request;
  tellUnfinished(record, watch);
  return await recordLifecycle(
    tools,
    record,
    {
      operation: "up",
      services,
      detail: { services, start, move, ...(only === undefined ? {} : { only }) },
    },
    (begin) => startContainers(tools, record, request, watch, begin),
  );
}

async function startContainers(
  tools: Tools,
  record: EnvironmentRecord,
  request: StartRequest,
  watch: Watch,
  begin: (step: Step) => void,
): Promise<EnvironmentRecord> {
  const config = await configOf(tools, record, watch);
  const files = await composeFilesOf(tools, record.path, config);
  if (record.mode === "simple") {
    if (request.services.length > 0) throw noContainers(record);
    if (files === undefined) {
      watch.report({ kind: "note", message: `${record.name} has no containers to start` });
      begin("session");
      return await restoreSession(tools, record, watch);
    }
    // A branch that had no compose file has got one: its environment gets containers.
    tools.environments.setMode(record.id, "docker");
    record = tools.environments.require(record.id);
  }
  if (files === undefined) {
    throw new PikoError(`The compose file of ${quote(record.name)} is gone from ${record.path}`, {
      code: "conflict",
      hint: `git -C ${shellWord(record.path)} status`,
    });
  }
  // Asked while the files are read, which takes as long.
  const version = tools.compose.requireVersion(watch.signal);
  version.catch(() => undefined);
  record = await keepApart(tools, record, watch);
  let start = request.start ?? true;
  const isWhole = request.services.length === 0;
  const wish = { ...request, start };
  const usable = await makeSharedReady(tools, record, config, wish, version, watch, begin);
  let inFile: string[] = [];
  let services: string[] = [];
  let alone = false;
  begin("override");
  await step(watch, "override", async () => {
    const [checked, read] = await Promise.allSettled([
      version,
      readCompose(tools, record, files, watch),
      keepHidden(tools, record, files, watch),
    ]);
    // What is wrong with compose itself says more than that it cannot read a file.
    if (checked.status === "rejected") throw checked.reason;
    if (read.status === "rejected") throw read.reason;
    const compose = read.value;
    inFile = Object.keys(compose.services ?? {});
    refuseUnknown(request.services, inFile);
    if (isWhole) record = await recordUse(tools, record, compose, usable, watch);
    givePorts(tools, record, compose, await tools.engine.publishedPorts(), watch);
    tools.environments.setComposeFiles(record.id, files, overrideFileOf(files));
    record = tools.environments.require(record.id);
    services = (request.only?.filter((service) => inFile.includes(service)) ?? request.services)
      .filter((service) => !isShared(record, service));
    alone = request.only !== undefined &&
      dependOnOthers(withoutServices(compose, record.shared?.services ?? []), services);
    return await writeOverride(record, compose, files, watch) ? "written anew" : "unchanged";
  });
  if (services.length === 0) {
    if (!isWhole) return record;
    if (request.only !== undefined) start = false;
  }
  begin("containers");
  await step(watch, "containers", async () => {
    // Compose removes the containers of services that the file has no more.
    if (isWhole && services.length === 0) await rememberOrphans(tools, record, inFile, watch);
    const target = targetOf(record, files, overrideFileOf(files));
    const options = {
      services,
      start,
      alone,
      move: request.move ?? false,
      watch,
      begin,
      signal: watch.signal,
      onLine: (line: string) =>
        watch.report({ kind: "output", step: "containers", line, from: "stderr" }),
    };
    try {
      await startWithShared(tools, record, target, options);
    } catch (error) {
      if (!isNetworkGone(error)) {
        throw await explainFailedStart(tools.engine, record.composeProject, error);
      }
      watch.report({
        kind: "note",
        message: "A network was removed meanwhile: the containers are made anew",
      });
      await startWithShared(tools, record, target, { ...options, forceRecreate: true });
    }
    return "";
  });
  // Until all are waited for again: one that the file has no more is not missed.
  const still = record.runningServices.filter((service) => inFile.includes(service));
  if (isWhole) tools.environments.setRunningServices(record.id, still);
  // Who moves all of them looks after what is left itself, its volumes too.
  if (isWhole && request.move !== true) await tidyShared(tools, record, watch);
  if (!start) return record;
  begin("session");
  record = await restoreSession(tools, record, watch);
  if (request.wait) {
    begin("ready");
    const running = await waitForContainers(tools, record, { ...request, services }, watch);
    const others = request.only === undefined ? [] : still;
    const all = [...new Set([...others, ...running])].sort();
    if (isWhole) tools.environments.setRunningServices(record.id, all);
  }
  if (isWhole && record.setupIsDue && request.setUp !== false) {
    await setUp(tools, record, config.scripts.setup, watch, begin);
  }
  return record;
}

/** Runs the setup script that create has left to the first start; one that fails stays to be run. */
async function setUp(
  tools: Tools,
  record: EnvironmentRecord,
  script: string | undefined,
  watch: Watch,
  begin: (step: Step) => void,
): Promise<void> {
  if (script !== undefined) {
    begin("setup");
    await step(watch, "setup", async () => {
      await runScript(tools, record, "setup", script, watch);
      return "";
    }).catch((error: unknown) => {
      if (!(error instanceof PikoError) || error.code !== "failed") throw error;
      const again = `piko up ${qualified(record)} runs it again`;
      throw new PikoError(error.message, {
        code: error.code,
        hint: error.hint === undefined ? again : `${error.hint}; ${again}`,
        details: [...error.details],
        cause: error.cause,
      });
    });
  }
  tools.environments.setSetupDue(record.id, false);
}

/** Records the volumes without names of containers that are about to go with their services, and says that they stay. */
async function rememberOrphans(
  tools: Tools,
  record: EnvironmentRecord,
  inFile: readonly string[],
  { report, signal }: Watch,
): Promise<void> {
  const { composeProject } = record;
  const orphans = (await tools.engine.listContainers({ composeProject, signal }))
    .filter((container) =>
      isOwnContainer(record, container) && !inFile.includes(container.service)
    );
  const volumes = await ownAnonymous(tools, record, orphans);
  if (volumes.length === 0) return;
  await rememberVolumes(tools, record, volumes);
  const services = nameList([...new Set(orphans.map(({ service }) => service))].sort());
  report({
    kind: "note",
    message: `The compose file has no ${services} any more: its containers go${tellKept(volumes)}`,
  });
}

/** Has git ignore the override file again; that it cannot keeps no container from being started. */
async function keepHidden(
  tools: Tools,
  record: EnvironmentRecord,
  files: readonly string[],
  watch: Watch,
): Promise<void> {
  try {
    // Read without git, which is asked only where somebody has removed it.
    const excluded = await readIfThere(`${record.root}/.git/info/exclude`) ?? "";
    if (OVERRIDE_PATTERNS.every((line) => excluded.split("\n").includes(line))) return;
    await hideOverride(tools, record, overrideFileOf(files), watch);
  } catch (error) {
    if (error instanceof PikoError && error.code === "interrupted") return;
    const isExpected = error instanceof PikoError || error instanceof CommandError ||
      error instanceof Deno.errors.PermissionDenied;
    if (!isExpected) throw error;
    watch.report({
      kind: "warning",
      message: `Cannot tell whether git ignores the override file: ${messageOf(error)}`,
    });
  }
}

/** Has the shared services run that the environment is going to use, and names them. */
async function makeSharedReady(
  tools: Tools,
  record: EnvironmentRecord,
  config: ProjectConfig,
  request: StartRequest & UseRequest,
  version: Promise<void>,
  watch: Watch,
  begin: (step: Step) => void,
): Promise<string[]> {
  const isWhole = request.services.length === 0;
  if (isWhole ? !concernsShared(tools, record.projectId, config) : record.shared === null) {
    return [];
  }
  await version;
  let services: string[] = [];
  begin("shared");
  await step(watch, "shared", async () => {
    if (isWhole) {
      ({ services } = await prepareShared(tools, projectOf(record), config, request, watch));
    } else await wakeShared(tools, record, request, watch);
    return (isWhole ? services : record.shared?.services ?? []).join(", ");
  });
  return services;
}

/** What {@link stopEnvironment} answers. */
export interface Stopped {
  record: EnvironmentRecord;
  /** Whether there was a container to stop, one that had stopped before included; otherwise that was reported. */
  hadContainers: boolean;
}

/** Stops the containers and keeps them; what is stopped already is fine. */
export async function stopEnvironment(
  tools: Tools,
  found: EnvironmentRecord,
  services: readonly string[],
  watch: Watch,
): Promise<Stopped> {
  using _lock = await lockEnvironment(tools, { id: found.projectId }, found.name, watch);
  let record = tools.environments.require(found.id);
  if (record.mode === "simple") {
    if (services.length > 0) throw noContainers(record);
    watch.report({ kind: "note", message: `${record.name} has no containers to stop` });
    return { record, hadContainers: false };
  }
  record = await keepApart(tools, record, watch);
  refuseShared(record, services, "down");
  const run: Lifecycle = { operation: "down", services, detail: { services } };
  const known = await knownServices(tools, record);
  // One whose container somebody has removed does not run either.
  const named = new Set([...known, ...record.runningServices]);
  refuseUnknown(services, known.length === 0 ? [] : [...named]);
  const meant = services.filter((service) => known.includes(service));
  if (known.length === 0 || (services.length > 0 && meant.length === 0)) {
    endBrokenOff(tools, record.id, run);
    const message = known.length === 0
      ? `${record.name} has no containers${record.hadContainers ? "" : " yet"}`
      : `${nameList(services)} of ${record.name} has no container to stop`;
    watch.report({ kind: "note", message });
    return { record, hadContainers: false };
  }
  await recordLifecycle(tools, record, run, async (begin) => {
    begin("containers");
    await step(watch, "containers", async () => {
      await tools.compose.stop(record, {
        services: meant,
        signal: watch.signal,
        onLine: (line) =>
          watch.report({ kind: "output", step: "containers", line, from: "stderr" }),
      });
      return "stopped";
    });
  });
  return { record, hadContainers: true };
}

/** Restarts the containers, all or those of some services; what does not exist yet is started. */
export async function restartEnvironment(
  tools: Tools,
  found: EnvironmentRecord,
  request: StartRequest,
  watch: Watch,
): Promise<EnvironmentRecord> {
  using _lock = await lockEnvironment(tools, { id: found.projectId }, found.name, watch);
  let record = tools.environments.require(found.id);
  if (record.mode === "simple") return await startHeld(tools, record, request, watch);
  refuseUnfinished(record);
  refuseShared(record, request.services, "restart");
  record = await keepApart(tools, record, watch);
  const known = await knownServices(tools, record);
  if (known.length === 0 || request.services.some((service) => !known.includes(service))) {
    return await startHeld(tools, record, request, watch);
  }
  tellUnfinished(record, watch);
  // What it had of its own of a service that is shared now stays stopped.
  const services = request.services.length === 0 && record.shared !== null
    ? known
    : request.services;
  const run: Lifecycle = {
    operation: "restart",
    services: request.services,
    detail: { services },
  };
  await recordLifecycle(tools, record, run, async (begin) => {
    begin("containers");
    await step(watch, "containers", async () => {
      await tools.compose.restart(record, {
        services,
        signal: watch.signal,
        onLine: (line) =>
          watch.report({ kind: "output", step: "containers", line, from: "stderr" }),
      });
      return "restarted";
    });
    if (request.wait) {
      begin("ready");
      await waitForContainers(tools, record, request, watch);
    }
  });
  return record;
}

/** Waits until an environment's containers are ready, and reports it as a step; returns the services that run. */
export async function waitForContainers(
  tools: Tools,
  record: EnvironmentRecord,
  request: { services?: readonly string[]; timeout: number },
  watch: Watch,
): Promise<string[]> {
  const asked = request.services ?? [];
  // Of services that are shared by now it may have containers of its own that are stopped and kept.
  const services = asked.length > 0
    ? asked
    : record.shared === null
    ? undefined
    : await knownServices(tools, record);
  let counted = "";
  let containers: readonly Container[] = [];
  await step(watch, "ready", async () => {
    containers = await waitUntilReady(tools.engine, record.composeProject, {
      timeout: request.timeout,
      services,
      ...(watch.signal === undefined ? {} : { signal: watch.signal }),
      onProgress: (ready, total, waitingFor) => {
        counted = `${ready}/${total}`;
        const rest = waitingFor.length === 0 ? "" : `, waiting for ${waitingFor.join(", ")}`;
        watch.report({ kind: "progress", step: "ready", message: `${counted}${rest}` });
      },
    });
    return counted;
  });
  const running = containers.filter((container) =>
    isOwnContainer(record, container) && container.state === "running"
  );
  return [...new Set(running.map(({ service }) => service))].sort();
}

async function step(watch: Watch, name: Step, work: () => Promise<string>): Promise<void> {
  watch.report({ kind: "started", step: name, message: "" });
  try {
    watch.report({ kind: "done", step: name, message: await work() });
  } catch (error) {
    watch.report({ kind: "failed", step: name, message: messageOf(error) });
    throw error;
  }
}

async function knownServices(tools: Tools, record: EnvironmentRecord): Promise<string[]> {
  const containers = await tools.engine.listContainers({ composeProject: record.composeProject });
  const own = containers.filter((container) => isOwnContainer(record, container));
  return [...new Set(own.map(({ service }) => service))];
}

/** Refuses to stop for one environment what others use too. */
function refuseShared(
  record: EnvironmentRecord,
  services: readonly string[],
  verb: "down" | "restart",
): void {
  const shared = services.find((service) => isShared(record, service));
  if (shared === undefined) return;
  throw new PikoError(`Service ${quote(shared)} of ${record.name} is shared with others`, {
    code: "conflict",
    hint: `${pikoIn(record.root)} ${verb} --shared ${shared} is for all of them`,
  });
}

function refuseUnknown(services: readonly string[], known: readonly string[]): void {
  const unknown = services.find((service) => !known.includes(service));
  if (unknown === undefined || known.length === 0) return;
  const near = nearestName(unknown, known);
  throw new PikoError(`There is no service ${quote(unknown)}`, {
    code: "not-found",
    hint: near === undefined ? `services: ${known.join(", ")}` : `did you mean ${near}?`,
  });
}

function noContainers(record: EnvironmentRecord): PikoError {
  return new PikoError(
    `Environment ${quote(record.name)} is in simple mode and has no containers`,
    {
      code: "usage",
      hint: `add a compose file to the branch, then: piko up ${qualified(record)}`,
    },
  );
}

function isNetworkGone(error: unknown): boolean {
  const cause = error instanceof PikoError ? error.cause : error;
  return cause instanceof CommandError && /network \S+ not found/.test(cause.stderr);
}
