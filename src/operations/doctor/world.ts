/** What there is, asked once of each: registry, git, engine, tmux, processes and locks. The checks compare. */

import type { Container } from "../../domain/containers.ts";
import { CommandError, PikoError } from "../../domain/errors.ts";
import type { Watch } from "../../domain/report.ts";
import type { EngineInfo } from "../../programs/engine.ts";
import type { LabelledResource, Network } from "../../programs/engine/answers.ts";
import type { Worktree } from "../../programs/git/formats.ts";
import { listCommands } from "../../programs/processes.ts";
import type { Session } from "../../programs/tmux.ts";
import type { EnvironmentRecord } from "../../store/environments.ts";
import { inspectLock, type LockState } from "../../store/locks.ts";
import type { ProjectRecord } from "../../store/projects.ts";
import { isThere } from "../files.ts";
import { findLeftProgram, type LeftProgram } from "../lock_environment.ts";
import { lockKey, locksFolder } from "../lock_names.ts";
import type { Tools } from "../tools.ts";

/** A project, and what git knows of it. */
export interface ProjectState {
  project: ProjectRecord;
  /** The worktrees that git lists; undefined when the root is gone or no repository any more. */
  worktrees: Worktree[] | undefined;
  /** Why they could not be listed, where the root is there. */
  problem: PikoError | CommandError | undefined;
}

/** An environment, and who is at work on it. */
export interface EnvironmentState {
  record: EnvironmentRecord;
  state: ProjectState;
  lock: LockState;
  /** What a killed piko has left at work. */
  leftProgram: LeftProgram | undefined;
}

/** What the engine has. */
export interface EngineState {
  /** Those of `docker compose run` too. */
  containers: Container[];
  networks: Network[];
  volumes: LabelledResource[];
  info: EngineInfo;
}

/** All that the checks compare. */
export interface World {
  tools: Tools;
  watch: Watch;
  projects: ProjectState[];
  environments: EnvironmentState[];
  /** What projects share; each is a record of its own. */
  shared: EnvironmentRecord[];
  /** Undefined when no engine answers. */
  engine: EngineState | undefined;
  /** Undefined without tmux, and where it could not tell. */
  sessions: Session[] | undefined;
  /** Why tmux could not tell its sessions. */
  sessionsProblem: CommandError | undefined;
}

/** Asks everybody. */
export async function surveyWorld(tools: Tools, watch: Watch): Promise<World> {
  const [projects, engine, { sessions, sessionsProblem }, processes] = await Promise.all([
    Promise.all(tools.projects.list().map((project) => surveyProject(tools, project, watch))),
    unlessUnavailable(surveyEngine(tools, watch)),
    surveySessions(tools),
    listCommands(tools.variables),
  ]);
  const environments: EnvironmentState[] = [];
  // Read last: what was made while the others were asked has its record by now.
  for (const record of tools.environments.list()) {
    const state = projects.find(({ project }) => project.id === record.projectId);
    if (state === undefined) continue;
    environments.push({
      record,
      state,
      lock: await inspectLock(locksFolder(tools), lockKey(record.projectId, record.name)),
      leftProgram: findLeftProgram(
        processes ?? [],
        record,
        tools.environments.listSteps(record.id).at(-1),
      ),
    });
  }
  const shared = tools.environments.listShared();
  return { tools, watch, projects, environments, shared, engine, sessions, sessionsProblem };
}

async function surveyProject(
  tools: Tools,
  project: ProjectRecord,
  { signal }: Watch,
): Promise<ProjectState> {
  if (!await isThere(project.root)) return { project, worktrees: undefined, problem: undefined };
  try {
    await tools.git.inspectRepository(project.root, { signal });
    const worktrees = await tools.git.listWorktrees(project.root, { signal });
    return { project, worktrees, problem: undefined };
  } catch (error) {
    if (error instanceof CommandError) return { project, worktrees: undefined, problem: error };
    if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
    return { project, worktrees: undefined, problem: error };
  }
}

async function surveyEngine({ engine }: Tools, { signal }: Watch): Promise<EngineState> {
  const [containers, networks, volumes, info] = await Promise.all([
    engine.listContainers({ oneOff: true, signal }),
    engine.listAllNetworks(),
    engine.listAllVolumes(),
    engine.info(),
  ]);
  return { containers, networks, volumes, info };
}

async function surveySessions(
  { tmux }: Tools,
): Promise<Pick<World, "sessions" | "sessionsProblem">> {
  try {
    const sessions = await unlessUnavailable(tmux.listSessions());
    return { sessions, sessionsProblem: undefined };
  } catch (error) {
    // A server of another version of tmux, say, does not talk to this one.
    if (!(error instanceof CommandError)) throw error;
    return { sessions: undefined, sessionsProblem: error };
  }
}

/** Without engine or tmux there is nothing of theirs to compare; the checks of the programs say why. */
async function unlessUnavailable<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PikoError && error.code === "unavailable") return undefined;
    throw error;
  }
}
