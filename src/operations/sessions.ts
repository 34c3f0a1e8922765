/**
 * The tmux session of an environment. Its name is recorded before it is made, and stays the same whatever the
 * configuration says later. A session says by an option of its own which worktree it was made for; one that does not
 * is somebody else's, and is never touched.
 */

import type { UserConfig } from "../domain/config.ts";
import { messageOf, PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { quote, sessionName } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { compareText, environmentVariables } from "../domain/variables.ts";
import { type PlannedWindow, planWindows } from "../domain/windows.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import { readOverrideServices } from "../programs/override_file.ts";
import { type NewWindow, type Session, tmuxName } from "../programs/tmux.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { lockEnvironment } from "./lock_environment.ts";
import { requireWorktree } from "./require_worktree.ts";
import { tellOwnConfig } from "./project_config.ts";
import type { Tools } from "./tools.ts";
import { ownConfig } from "./user_config.ts";

/** Variables that name the engine: a tmux server that was started without them would ask another one. */
const ENGINE_VARIABLES = /^DOCKER_(HOST|CONTEXT|CONFIG|CERT_PATH|TLS_VERIFY|API_VERSION)$/;

/** The session of an environment. */
interface FoundSession {
  name: string;
  /** Whether it was made by this call. */
  isNew: boolean;
}

/**
 * Makes the session of an environment when it has none, and returns its name. Whoever calls it holds the
 * environment's lock.
 *
 * @throws {PikoError} conflict when another session has its name; unavailable without tmux.
 */
export async function ensureSession(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<string> {
  return (await findOrMake(tools, record, watch)).name;
}

async function findOrMake(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<FoundSession> {
  const user = await ownConfig(tools, watch);
  const name = record.session ??
    tmuxName(sessionName(record.project, record.name, user.sessionPrefix));
  const variables = sessionVariables(tools, record);
  const { owner, isUnfinished } = await tools.tmux.findState(name) ?? {};
  if (owner === record.path) {
    const stale = (await tools.tmux.listVariables(name)).filter((variable) =>
      variable.startsWith("PIKO_") && variables[variable] === undefined
    );
    await tools.tmux.setVariables(name, variables, stale);
    if (record.session === null) tools.environments.setSession(record.id, name);
    if (isUnfinished) {
      await tools.tmux.finishSession(
        name,
        record.path,
        await windowsOf(tools, record, watch, user),
      );
    }
    return { name, isNew: false };
  }
  if (owner !== undefined) throw notOurs(record, name, owner);
  await tellOwnConfig(tools, record, watch);
  const windows = await windowsOf(tools, record, watch, user);
  tools.environments.setSession(record.id, name);
  try {
    await tools.tmux.newSession({
      name,
      owner: record.path,
      folder: record.path,
      variables,
      windows,
    }, watch.signal);
  } catch (error) {
    if (await tools.tmux.findOwner(name).catch(() => undefined) !== record.path) {
      tools.environments.setSession(record.id, record.session);
    }
    throw error;
  }
  return { name, isNew: true };
}

/** Plans the windows of an environment's session, the shell first. */
async function windowsOf(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
  user: UserConfig,
): Promise<[NewWindow, ...NewWindow[]]> {
  const { config } = await readProjectConfig(record.root);
  const services = await servicesOf(tools, record);
  const { windows, warnings } = planWindows({ mode: record.mode, services, project: config, user });
  for (const message of warnings) watch.report({ kind: "warning", message });
  const [first, ...others] = windows.map((window) => newWindow(tools, record, window));
  if (first === undefined) throw new TypeError("a session without a window");
  return [first, ...others];
}

/**
 * Makes the session of an environment when it has none; what keeps it from having one is told and does no harm.
 *
 * @returns its name, or undefined where there is none.
 */
export async function offerSession(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<string | undefined> {
  return (await tryToMake(tools, record, watch))?.name;
}

async function tryToMake(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<FoundSession | undefined> {
  try {
    return await findOrMake(tools, record, watch);
  } catch (error) {
    if (error instanceof PikoError && error.code === "interrupted") throw error;
    watch.report({
      kind: "warning",
      message: `No session: ${messageOf(error)}`,
      hint: error instanceof PikoError ? error.hint : undefined,
    });
    return undefined;
  }
}

/** Makes the missing session of an environment that was started, and tells so; create has told why there is none. */
export async function restoreSession(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<EnvironmentRecord> {
  if (record.session === null && !await isInstalled(tools)) return record;
  const session = await tryToMake(tools, record, watch);
  if (session?.isNew) {
    watch.report({ kind: "note", message: `Made the session ${session.name} anew` });
  }
  return tools.environments.require(record.id);
}

/**
 * Finds the session of an environment in order to go there, and makes it when it is missing.
 *
 * @throws {PikoError} conflict when another session has its name or the worktree is gone; unavailable without tmux.
 */
export async function openSession(
  tools: Tools,
  found: EnvironmentRecord,
  watch: Watch,
): Promise<string> {
  const { session } = found;
  if (session !== null) {
    const { owner, isUnfinished } = await tools.tmux.findState(session) ?? {};
    if (owner === found.path && !isUnfinished) return session;
  }
  using _lock = await lockEnvironment(tools, { id: found.projectId }, found.name, watch);
  const record = tools.environments.require(found.id);
  await requireWorktree(record);
  return await ensureSession(tools, record, watch);
}

/** Ends the session of an environment, also one that was renamed; tells whether there was one that piko had made. */
export async function endSession(tools: Tools, record: EnvironmentRecord): Promise<boolean> {
  if (record.session === null) return false;
  if (await hasSession(tools, record, record.session)) {
    await tools.tmux.killSession(record.session);
    return true;
  }
  const renamed = (await listOwn(tools, record))[0];
  if (renamed === undefined) return false;
  await tools.tmux.killListed(renamed);
  return true;
}

/** Tells whether piko itself runs in the session of an environment, whose end would be its own. */
export async function isInSession(tools: Tools, record: EnvironmentRecord): Promise<boolean> {
  if (record.session === null || !tools.tmux.isInside) return false;
  const own = await listOwn(tools, record);
  if (own.length === 0) return false;
  const around = await tools.tmux.findOwnSession();
  return own.some(({ name }) => name === around);
}

/** Tells whether somebody looks at the session of an environment. */
export async function isLookedAt(tools: Tools, record: EnvironmentRecord): Promise<boolean> {
  return (await listOwn(tools, record)).some(({ isAttached }) => isAttached);
}

/** Lists the sessions that piko made for an environment, whatever they are called by now. */
async function listOwn(tools: Tools, { path }: EnvironmentRecord): Promise<Session[]> {
  try {
    return (await tools.tmux.listSessions()).filter(({ owner }) => owner === path);
  } catch (error) {
    // Without tmux there is no session either.
    if (error instanceof PikoError && error.code === "unavailable") return [];
    throw error;
  }
}

async function isInstalled(tools: Tools): Promise<boolean> {
  try {
    await tools.tmux.version();
    return true;
  } catch (error) {
    if (error instanceof PikoError && error.code === "unavailable") return false;
    throw error;
  }
}

async function hasSession(tools: Tools, record: EnvironmentRecord, name: string): Promise<boolean> {
  try {
    return await tools.tmux.findOwner(name) === record.path;
  } catch (error) {
    // Without tmux there is no session either.
    if (error instanceof PikoError && error.code === "unavailable") return false;
    throw error;
  }
}

function newWindow(tools: Tools, record: EnvironmentRecord, window: PlannedWindow): NewWindow {
  const { kind, name } = window;
  if (kind === "shell") return { name };
  if (kind === "custom" && window.local && window.command === undefined) return { name };
  return {
    name,
    argv: [...tools.piko, "window", "--", `${record.project}/${record.name}`, kind, name],
  };
}

function sessionVariables(tools: Tools, record: EnvironmentRecord): Record<string, string> {
  const engine = Object.entries(tools.variables).filter(([name]) => ENGINE_VARIABLES.test(name));
  return {
    ...Object.fromEntries(engine),
    ...environmentVariables(record),
    // A tmux server that was started with another registry would not know the environment.
    PIKO_HOME: tools.home,
    ...(tools.variables.PIKO_SLOTS ? { PIKO_SLOTS: tools.variables.PIKO_SLOTS } : {}),
  };
}

/** Lists the services of an environment, those that were never started too. */
async function servicesOf(tools: Tools, record: EnvironmentRecord): Promise<string[]> {
  if (record.mode === "simple") return [];
  if (record.overrideFile !== null) {
    const services = await readOverrideServices(record.overrideFile);
    if (services !== undefined) return services;
  }
  // Somebody has removed the override file; piko up writes it anew.
  const containers = await tools.engine.listContainers({ composeProject: record.composeProject });
  const services = [...containers, ...record.ports].map(({ service }) => service);
  return [...new Set(services)].sort(compareText);
}

function notOurs(record: EnvironmentRecord, name: string, owner: string): PikoError {
  const whose = owner === "" ? "and piko did not make it" : `for ${owner}`;
  return new PikoError(`A tmux session ${quote(name)} is there already, ${whose}`, {
    code: "conflict",
    hint: `rename it, then: piko attach ${
      qualified(record)
    }    (tmux rename-session -t '=${name}' OTHER-NAME)`,
  });
}
