/**
 * Makes sure that two pikos never work on one environment at once. A piko that was killed leaves its lock free, but its
 * compose, git or script may still be at work: that counts as well, since two `compose up` at once make networks twice, and
 * a destroy would come before what is still being made, or take the worktree from beneath a script.
 */

import { PikoError, throwIfInterrupted } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { pause } from "../programs/pause.ts";
import { listCommands, type NamedProcess } from "../programs/processes.ts";
import type { EnvironmentRecord, StepProcess, StepRecord } from "../store/environments.ts";
import { acquireLock, type Lock, refuseHeld } from "../store/locks.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { lockKey, locksFolder } from "./lock_names.ts";
import type { Tools } from "./tools.ts";

/** Milliseconds between two looks at what a killed piko has left at work. */
const INTERVAL = 100;

/** Milliseconds by which a process's start by its age may miss the recorded one: clocks are set, and `ps` rounds. */
const TOLERANCE = 2000;

/** What a killed piko has left at work on an environment. */
export interface LeftProgram {
  pid: number;
  /** As a person knows it: `docker compose`. */
  name: string;
  /** The command that ends it. */
  end: string;
}

/** Waits until no other piko works on an environment, says for whom it waits, and holds it. */
export async function lockEnvironment(
  tools: Tools,
  project: Pick<ProjectRecord, "id">,
  name: string,
  watch: Watch,
  /** Milliseconds to wait for programs that a killed piko has left at work. */
  patience: number = tools.block ? Infinity : 0,
): Promise<Lock> {
  const lock = await acquireLock(locksFolder(tools), lockKey(project.id, name), {
    command: tools.command,
    block: tools.block,
    signal: watch.signal,
    onWait: (holder) =>
      watch.report({
        kind: "waiting",
        message: holder === undefined
          ? `Waiting for another piko on ${name}`
          : `Waiting for ${holder.command} (process ${holder.pid})`,
      }),
  });
  if (!lock.wasBrokenOff) return lock;
  try {
    const record = tools.environments.find(project.id, name);
    if (record !== undefined) await waitForLeftPrograms(tools, record, watch, patience);
    return lock;
  } catch (error) {
    // The next one has to wait for them too.
    lock.abandon();
    throw error;
  }
}

/**
 * Refuses an environment that another piko works on, without taking its lock.
 *
 * @throws {PikoError} conflict that says who works on it.
 */
export function refuseLocked(
  tools: Pick<Tools, "home">,
  project: Pick<ProjectRecord, "id">,
  name: string,
): Promise<void> {
  return refuseHeld(locksFolder(tools), lockKey(project.id, name));
}

/**
 * Finds a program that a killed piko has left at work on an environment: compose or git, as piko starts them, or the script
 * of the step that was begun last, by the number and the start of its process. What a script has started in the background
 * is none: a server would never end.
 */
export function findLeftProgram(
  processes: readonly NamedProcess[],
  { root, path, composeProject }: Pick<EnvironmentRecord, "root" | "path" | "composeProject">,
  lastStep: Pick<StepRecord, "step" | "detail"> | undefined,
): LeftProgram | undefined {
  for (const { pid, command } of processes) {
    const [, compose] = command.split(` compose -p ${composeProject} `);
    if (compose !== undefined && COMPOSE_AT_WORK.test(compose)) {
      return { pid, name: "docker compose", end: `kill ${pid}` };
    }
    const [, git] = command.split(`git -C ${root} worktree `);
    if (git !== undefined && /^(add|remove) /.test(git) && `${git} `.includes(` -- ${path} `)) {
      return { pid, name: "git worktree", end: `kill ${pid}` };
    }
  }
  const script = lastStep?.detail.process as StepProcess | undefined;
  if (lastStep === undefined || script === undefined) return undefined;
  const at = Date.parse(script.startedAt);
  const isThere = processes.some(({ pid, started: [earliest, latest] }) =>
    pid === script.pid && at >= earliest - TOLERANCE && at <= latest + TOLERANCE
  );
  // A script leads a process group of its own.
  const end = `kill -- -${script.pid}`;
  return isThere ? { pid: script.pid, name: `scripts.${lastStep.step}`, end } : undefined;
}

const COMPOSE_AT_WORK =
  /^(-f .* )?(up --(detach|no-start)|down|(stop|start|restart) --|rm --stop)( |$)/;

async function waitForLeftPrograms(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
  patience: number,
): Promise<void> {
  const deadline = performance.now() + patience;
  const lastStep = tools.environments.listSteps(record.id).at(-1);
  let shown: number | undefined;
  for (;;) {
    const left = findLeftProgram(await listCommands(tools.variables) ?? [], record, lastStep);
    if (left === undefined) return;
    if (performance.now() >= deadline) throw stillAtWork(left);
    if (shown !== left.pid) {
      shown = left.pid;
      watch.report({
        kind: "waiting",
        message: `Waiting for ${describe(left)}, which a killed piko has left at work`,
      });
    }
    await pause(INTERVAL, watch.signal);
    throwIfInterrupted(watch.signal);
  }
}

function stillAtWork(left: LeftProgram): PikoError {
  return new PikoError(`${describe(left)}, which a killed piko has left, is at work on it`, {
    code: "conflict",
    hint: `wait until it is done, or end it: ${left.end}`,
  });
}

function describe({ pid, name }: LeftProgram): string {
  return `${name} (process ${pid})`;
}
