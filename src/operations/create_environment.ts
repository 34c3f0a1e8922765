/**
 * Makes an environment: `piko create`. Every step is recorded before it starts and can be taken back; a failure takes
 * back what this call made, in reverse.
 *
 * The critical path is git's plan and worktree, compose's reading of it, `compose up`, the containers until they are
 * ready, the scripts, and the session. Beside it, while the worktree is added, the engine and compose are asked for what
 * they have and are. The session is not made while containers start: that would save the 20 ms of tmux's three calls,
 * and cost more, since its windows, each a program that connects to a container, would take the processor from them.
 */

import type { ProjectConfig } from "../domain/config.ts";
import { messageOf, PikoError, throwIfInterrupted } from "../domain/errors.ts";
import { pikoIn, qualified } from "../domain/hints.ts";
import { environmentName, nameList, quote } from "../domain/names.ts";
import { OVERRIDE_PATTERNS } from "../domain/override_file.ts";
import { shellQuote, shellWord } from "../domain/variables.ts";
import type { Step, Watch } from "../domain/report.ts";
import type { Container } from "../domain/containers.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import { busyPort } from "../programs/compose.ts";
import { findMainWorktree } from "../programs/linked_worktree.ts";
import type { LabelledResource } from "../programs/engine/answers.ts";
import type { WorktreePlan } from "../programs/git.ts";
import { type EnvironmentRecord, ownPorts } from "../store/environments.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { carryFiles, carryLink } from "./carry_files.ts";
import {
  chooseComposeProject,
  composeFilesOf,
  givePorts,
  overrideFileOf,
  PROJECT_LABEL,
  readCompose,
  targetOf,
  writeOverride,
} from "./compose_environment.ts";
import { removeNewData } from "./destroy_environment.ts";
import { isThere, makeFolder } from "./files.ts";
import { lockEnvironment } from "./lock_environment.ts";
import { removeNewBranch } from "./new_branch.ts";
import { removeNewWorktree } from "./new_worktree.ts";
import { planBranch } from "./plan_branch.ts";
import { tellOwnConfig } from "./project_config.ts";
import { requireWorktree } from "./require_worktree.ts";
import { removeContainers } from "./remove_containers.ts";
import { runScript } from "./run_script.ts";
import { endSession, offerSession } from "./sessions.ts";
import { waitForContainers } from "./start_environment.ts";
import type { Tools } from "./tools.ts";
import { Undo } from "./undo.ts";
import {
  concernsShared,
  leaveShared,
  prepareShared,
  projectOf,
  recordUse,
  startWithShared,
  unshare,
} from "./use_shared.ts";
import { explainFailedStart } from "./wait_until_ready.ts";

/** How many of its ports an environment may lose to others while it is made. */
const MOST_LOST_PORTS = 3;

/** What to create. */
export interface CreateRequest {
  /** As it was typed: a branch, or a name. */
  name: string;
  branch?: string | undefined;
  /** Where a new branch starts; default is HEAD of the root. */
  from?: string | undefined;
  /** Services that are shared from now on, if they are not yet. */
  shared?: readonly string[] | undefined;
  /** Whether the containers are started. */
  start: boolean;
  /** Whether to wait until they are ready. */
  wait: boolean;
  /** Milliseconds to wait for that. */
  timeout: number;
  /** Whether an environment that could not be made completely stays for inspection. */
  keep: boolean;
}

/**
 * Creates an environment, all or nothing.
 *
 * @throws {PikoError} usage for a bad name, conflict when name, branch or folder is taken, unavailable without git or
 *   an engine, failed when a script or a container fails, interrupted.
 */
export async function createEnvironment(
  tools: Tools,
  project: ProjectRecord,
  request: CreateRequest,
  watch: Watch,
): Promise<EnvironmentRecord> {
  const name = environmentName(request.name);
  const branch = request.branch ?? request.name;
  using _lock = await lockEnvironment(tools, project, name, watch);
  const known = tools.environments.find(project.id, name);
  // Of one that is whole but for its worktree, that is what helps.
  if (known?.state === "ready" && known.branch === branch) await requireWorktree(known);
  tools.environments.refuseTaken(project.id, name, branch);
  const { config, warnings } = await readProjectConfig(project.root);
  for (const message of warnings) watch.report({ kind: "warning", message });
  const path = `${project.root}/.piko/worktrees/${name}`;
  const dataDir = `${project.root}/.piko/data/${name}`;
  await refuseFolder(path);
  const { plan, commit } = await planBranch(tools, project.root, branch, request.from, watch);
  const rootFiles = await composeFilesOf(tools, project.root, config);
  if (rootFiles === undefined && (request.shared ?? []).length > 0) throw nothingToShare(project);

  const undo = new Undo(watch);
  const call = { tools, config, rootFiles, request, watch, undo, plan, commit };
  const mode = rootFiles === undefined ? "simple" : "docker";
  let record = tools.environments.reserve(project, { name, branch, mode, path, dataDir });
  undo.defer("its entry in the registry", () => forget(tools, record, undo));
  try {
    const engineState = rootFiles === undefined ? undefined : askEngine(tools, request, watch);
    record = await makeWorktree(call, record);
    await tellOwnConfig(tools, record, watch);
    record = await makeContainersReady(call, record, engineState);
    await setUp(call, record);
    await makeSession(call, record);
    throwIfInterrupted(watch.signal);
    tools.environments.endCreate(record.id, "ready");
    undo.keep();
    return tools.environments.require(record.id);
  } catch (error) {
    if (request.keep) {
      tools.environments.endCreate(record.id, "failed");
      watch.report({ kind: "note", message: `Kept ${name} as it is, for inspection: ${path}` });
    } else {
      await undo.run();
    }
    throw cannotCreate(project, name, error, request);
  }
}

/** One call of createEnvironment. */
interface Call {
  tools: Tools;
  config: ProjectConfig;
  /** The compose files of the root; undefined in simple mode. */
  rootFiles: string[] | undefined;
  request: CreateRequest;
  watch: Watch;
  undo: Undo;
  plan: WorktreePlan;
  /** The commit that the worktree starts at. */
  commit: string;
}

/** What the engine has before this call adds to it. */
interface EngineState {
  containers: Container[];
  networks: LabelledResource[];
  volumes: LabelledResource[];
  /** Host ports of running containers: `tcp:10180`. */
  published: ReadonlySet<string>;
}

/** Asks compose for its version and the engine for what it has, while the worktree is made. */
function askEngine(tools: Tools, request: CreateRequest, watch: Watch): Promise<EngineState> {
  const { engine } = tools;
  const asked = Promise.all([
    engine.listContainers({ signal: watch.signal }),
    engine.listNetworks(),
    engine.listVolumes(),
    engine.publishedPorts(),
    tools.compose.requireVersion(watch.signal),
  ]).then(
    ([containers, networks, volumes, published]) => ({ containers, networks, volumes, published }),
    (error: unknown) => {
      if (request.start || !(error instanceof PikoError) || error.code !== "unavailable") {
        throw error;
      }
      watch.report({
        kind: "warning",
        message: `${error.message}; only the registry knows which names are free`,
      });
      return { containers: [], networks: [], volumes: [], published: new Set<string>() };
    },
  );
  // A worktree that fails first leaves nobody to await this; whoever awaits it still gets the error.
  asked.catch(() => undefined);
  return asked;
}

/** Records a step, does it, and tells how it went. */
async function step<T>(
  { tools, watch }: Call,
  record: EnvironmentRecord,
  name: Step,
  work: () => Promise<T>,
  told: { started?: string; done?: (result: T) => string; detail?: Record<string, unknown> } = {},
): Promise<T> {
  throwIfInterrupted(watch.signal);
  tools.environments.beginStep(record.id, "create", name, told.detail);
  watch.report({ kind: "started", step: name, message: told.started ?? "" });
  try {
    const result = await work();
    watch.report({ kind: "done", step: name, message: told.done?.(result) ?? "" });
    return result;
  } catch (error) {
    watch.report({ kind: "failed", step: name, message: messageOf(error) });
    throw error;
  }
}

async function makeWorktree(call: Call, record: EnvironmentRecord): Promise<EnvironmentRecord> {
  const { tools, config, watch, undo, plan, commit } = call;
  const { root, path, branch } = record;
  const isNew = plan.kind !== "existing";
  await step(call, record, "worktree", async () => {
    if (isNew) {
      undo.defer(`branch ${branch}`, async () => {
        const reason = await removeNewBranch(tools, root, branch, commit);
        return reason ? `Kept branch ${branch}, which ${reason}` : reason;
      });
    }
    undo.defer(`the worktree ${path}`, async () => {
      const made = tools.environments.require(record.id);
      return await removeNewWorktree(tools, made, { report: watch.report }) ? undefined : "";
    });
    await tools.git.addWorktree(root, path, plan, { start: commit, signal: watch.signal });
  }, {
    started: branch,
    done: () => `${path} on branch ${branch}${isNew ? ` (new, ${describe(plan)})` : ""}`,
    detail: isNew ? { createdBranch: branch, at: commit } : {},
  });
  await step(call, record, "files", async () => {
    await tools.git.excludePaths(root, OVERRIDE_PATTERNS);
    await carryFiles(tools, record, config, watch);
  });
  await step(call, record, "data", async () => {
    const made = !await isThere(record.dataDir);
    if (made) {
      undo.defer(
        `the data folder ${record.dataDir}`,
        async () => await removeNewData(tools, record) ? undefined : "",
      );
      await makeFolder(record.dataDir);
    }
    return made;
  }, { done: (made) => made ? record.dataDir : `${record.dataDir}, kept from before` });
  return record;
}

async function makeContainersReady(
  call: Call,
  record: EnvironmentRecord,
  engineState: Promise<EngineState> | undefined,
): Promise<EnvironmentRecord> {
  const { tools, request, watch, undo } = call;
  const files = await composeFilesIn(call, record);
  if (files === undefined || engineState === undefined) {
    tools.environments.setMode(record.id, "simple");
    const simple = tools.environments.require(record.id);
    await prepare(call, simple);
    return simple;
  }
  const state = await engineState;
  record = await chooseComposeProject(tools, record, state);
  const usable = await makeSharedReady(call, record);
  const compose = await step(call, record, "ports", async () => {
    const config = await readCompose(tools, record, files, watch);
    refuseContainerNames(record, config, state.containers);
    tools.environments.setComposeFiles(record.id, files, overrideFileOf(files));
    record = await recordUse(tools, record, config, usable, watch);
    givePorts(tools, record, config, state.published, watch);
    record = tools.environments.require(record.id);
    return config;
  }, { done: () => describePorts(record) });
  await step(call, record, "override", () => writeOverride(record, compose, files, watch), {
    done: () => record.overrideFile ?? "",
  });
  await prepare(call, record);
  if (!request.start) return record;

  const volumesBefore = state.volumes.filter(({ labels }) =>
    labels[PROJECT_LABEL] === record.composeProject
  )
    .map(({ name }) => name);
  if (volumesBefore.length > 0) {
    watch.report({
      kind: "note",
      message: `Uses the volumes kept from before: ${volumesBefore.join(", ")}`,
    });
  }
  await step(call, record, "containers", async () => {
    undo.defer("the containers and networks", async () => {
      await leaveShared(tools, tools.environments.require(record.id), { report: watch.report });
      await removeContainers(tools, record, (name) => volumesBefore.includes(name));
    });
    const lost = new Set<number>();
    for (;;) {
      try {
        await startWithShared(tools, record, targetOf(record, files, overrideFileOf(files)), {
          watch,
          begin: (step) => tools.environments.beginStep(record.id, "create", step),
          signal: watch.signal,
          onLine: (line) =>
            watch.report({ kind: "output", step: "containers", line, from: "stderr" }),
        });
        return;
      } catch (error) {
        const port = busyPort(error);
        const isOurs = ownPorts(record).some(({ hostPort }) => hostPort === port);
        if (port === undefined || !isOurs || lost.size === MOST_LOST_PORTS) {
          throw await explainFailedStart(tools.engine, record.composeProject, error);
        }
        lost.add(port);
      }
      // Somebody took the port between the probe and the start; nobody was told of it yet but the prepare script.
      givePorts(tools, record, compose, await tools.engine.publishedPorts(), watch, lost);
      record = tools.environments.require(record.id);
      await writeOverride(record, compose, files, watch);
      await prepare(call, record);
    }
  }, { detail: { volumesBefore } });
  if (request.wait) {
    tools.environments.beginStep(record.id, "create", "ready");
    const running = await waitForContainers(tools, record, request, watch);
    tools.environments.setRunningServices(record.id, running);
  }
  return record;
}

/** Has the shared services run that the environment is going to use, and names them. */
async function makeSharedReady(call: Call, record: EnvironmentRecord): Promise<string[]> {
  const { tools, config, request, watch, undo } = call;
  const { shared: asked = [], start, wait, timeout } = request;
  if (!concernsShared(tools, record.projectId, config, asked)) return [];
  const project = projectOf(record);
  const { services } = await step(call, record, "shared", async () => {
    const usable = await prepareShared(
      tools,
      project,
      config,
      { asked, start, wait, timeout },
      watch,
    );
    if (usable.fresh.length > 0) {
      undo.defer(`the shared ${nameList(usable.fresh)}`, async () => {
        const quietly = { report: watch.report };
        await leaveShared(tools, tools.environments.require(record.id), quietly);
        return await unshare(tools, project, usable, quietly);
      });
    }
    return usable;
  }, { done: ({ services }) => services.join(", ") });
  return services;
}

async function makeSession(call: Call, record: EnvironmentRecord): Promise<void> {
  const { tools, watch, undo } = call;
  await step(call, record, "session", () => {
    undo.defer("the session", async () => {
      return await endSession(tools, tools.environments.require(record.id)) ? undefined : "";
    });
    return offerSession(tools, record, watch);
  }, { done: (name) => name ?? "" });
}

async function prepare(call: Call, record: EnvironmentRecord): Promise<void> {
  const script = call.config.scripts?.prepare;
  if (script === undefined) return;
  await step(
    call,
    record,
    "prepare",
    () => runScript(call.tools, record, "prepare", script, call.watch),
  );
}

/** Runs the setup script, or leaves it to the first start of containers that it may need and that were not asked for. */
async function setUp(call: Call, record: EnvironmentRecord): Promise<void> {
  const { tools, config, request, watch } = call;
  const script = config.scripts?.setup;
  if (script === undefined) return;
  if (request.start || record.mode === "simple") {
    await step(call, record, "setup", () => runScript(tools, record, "setup", script, watch));
    return;
  }
  tools.environments.setSetupDue(record.id, true);
  watch.report({ kind: "note", message: "The setup script runs at the first piko up" });
}

/**
 * Finds the compose files of the new worktree. Files that git ignores are linked from the root; a project with compose
 * files whose branch lacks them makes an environment in simple mode, and says so.
 */
async function composeFilesIn(
  call: Call,
  record: EnvironmentRecord,
): Promise<string[] | undefined> {
  const { tools, config, watch, rootFiles } = call;
  if (rootFiles === undefined) return await composeFilesOf(tools, record.path, config);
  const inRoot = rootFiles.filter((file) => file.startsWith(`${record.root}/`))
    .map((file) => file.slice(record.root.length + 1));
  for (const folder of new Set(inRoot.map(folderOf))) {
    if (folder !== "" && await isThere(`${record.path}/${folder}`)) {
      await carryLink(tools, record, `${folder}/.env`, watch);
    }
  }
  const missing: string[] = [];
  for (const file of inRoot) if (!await isThere(`${record.path}/${file}`)) missing.push(file);
  const ignored = await tools.git.listIgnored(record.root, missing, { signal: watch.signal });
  let lacks = false;
  for (const file of missing) {
    if (ignored.has(file)) {
      await carryLink(tools, record, file, watch);
    } else if (await tools.git.isTrackedIn(record.root, "HEAD", file, { signal: watch.signal })) {
      lacks = true;
    } else {
      throw new PikoError(`${file} is in no commit, so branch ${quote(record.branch)} lacks it`, {
        code: "conflict",
        hint: `git add ${shellQuote(file)} && git commit, then create the environment`,
      });
    }
  }
  const files = lacks && config.compose !== undefined
    ? undefined
    : await composeFilesOf(tools, record.path, config);
  if (files === undefined) {
    const what = missing.length > 0
      ? `Branch ${quote(record.branch)} has no ${missing.join(", ")}`
      : `${inRoot.join(", ")} is a link that leads nowhere in ${record.path}`;
    watch.report({ kind: "warning", message: `${what}: its environment has no containers` });
  }
  return files;
}

/** Refuses container names that another compose project bears: project `a`, service `b-c` and project `a-b`, service `c`. */
function refuseContainerNames(
  record: EnvironmentRecord,
  compose: { services?: Record<string, unknown> },
  containers: readonly Container[],
): void {
  const others = new Map(
    containers.filter((known) => known.composeProject !== record.composeProject)
      .map(({ name, composeProject }) => [name, composeProject]),
  );
  for (const service of Object.keys(compose.services ?? {})) {
    const name = `${record.composeProject}-${service}-1`;
    const other = others.get(name);
    if (other === undefined) continue;
    throw new PikoError(`The container ${name} is there already, in compose project ${other}`, {
      code: "conflict",
      hint: "give the environment another name",
    });
  }
}

async function refuseFolder(path: string): Promise<void> {
  if (!await isThere(path)) return;
  // git keeps the branch of a worktree taken, wherever its folder is moved to.
  const root = findMainWorktree(path);
  throw new PikoError(`${path} is there already, and is no environment that piko knows`, {
    code: "conflict",
    hint: await isThere(`${path}/.git`) && root !== undefined
      ? `commit what is in it, then: git -C ${shellWord(root)} worktree remove ${shellWord(path)}`
      : `look into it, and move it away: mv ${shellWord(path)} ${shellWord(`${path}.old`)}`,
  });
}

function forget(tools: Tools, record: EnvironmentRecord, undo: Undo): string | void {
  if (undo.complete) return tools.environments.remove(record.id);
  // It stays as one that is being created, so that destroy takes back the branch of this call too.
  return `Not everything could be removed; finish with: piko destroy ${qualified(record)}`;
}

function describePorts(record: EnvironmentRecord): string {
  const ports = record.ports.map(({ service, containerPort, hostPort, shared }) =>
    `${service} ${containerPort} → ${hostPort}${shared ? " (shared)" : ""}`
  );
  return ports.join(", ") || "none";
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function describe(plan: WorktreePlan): string {
  return plan.kind === "new"
    ? `from ${plan.from}`
    : plan.kind === "track"
    ? `tracks ${plan.remote}/${plan.branch}`
    : "";
}

function nothingToShare({ name, root }: ProjectRecord): PikoError {
  return new PikoError(`Project ${quote(name)} has no compose file, and so no service to share`, {
    code: "usage",
    hint: `add a compose file to ${root}`,
  });
}

function cannotCreate(
  { name: project, root }: ProjectRecord,
  name: string,
  error: unknown,
  request: CreateRequest,
): unknown {
  if (!(error instanceof PikoError)) return error;
  if (error.code === "interrupted") {
    return new PikoError(`Interrupted: environment ${quote(name)} was not created`, {
      code: "interrupted",
      cause: error,
    });
  }
  return new PikoError(`Cannot create environment ${quote(name)}: ${lowerFirst(error.message)}`, {
    code: error.code,
    hint: error.hint ??
      (request.keep
        ? `look into it, then: piko destroy ${qualified({ project, name })}`
        : `${pikoIn(root)} create ${name} --keep leaves it for inspection`),
    details: [...error.details],
    cause: error.cause,
  });
}

function lowerFirst(text: string): string {
  const isName = text.startsWith("Docker");
  return /^[A-Z][a-z ]/.test(text) && !isName
    ? text.slice(0, 1).toLowerCase() + text.slice(1)
    : text;
}
