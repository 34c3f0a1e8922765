/**
 * Makes sure that two pikos never work on one environment at once. A piko that was killed leaves its lock free, but its
 * compose or git may still be at work: that counts as well, since two `compose up` at once make networks twice, and a
 * destroy would come before what is still being made.
 */

import { PikoError, throwIfInterrupted } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { pause } from "../programs/pause.ts";
import { listCommands, type NamedProcess } from "../programs/processes.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { acquireLock, type Lock, refuseHeld } from "../store/locks.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { lockKey, locksFolder } from "./lock_names.ts";
import type { Tools } from "./tools.ts";

/** Milliseconds between two looks at what a killed piko has left at work. */
const INTERVAL = 100;

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

/** Finds a program that a killed piko has left at work on an environment: compose or git, as piko starts them. */
export function findLeftProgram(
  processes: readonly NamedProcess[],
  { root, path, composeProject }: Pick<EnvironmentRecord, "root" | "path" | "composeProject">,
): NamedProcess | undefined {
  return processes.find(({ command }) => {
    const [, compose] = command.split(` compose -p ${composeProject} `);
    if (compose !== undefined) {
      return /^(-f .* )?(up --(detach|no-start)|down|(stop|start|restart) --|rm --stop)( |$)/.test(
        compose,
      );
    }
    const [, git] = command.split(`git -C ${root} worktree `);
    return git !== undefined && /^(add|remove) /.test(git) && `${git} `.includes(` -- ${path} `);
  });
}

async function waitForLeftPrograms(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
  patience: number,
): Promise<void> {
  const deadline = performance.now() + patience;
  let shown: number | undefined;
  for (;;) {
    const left = findLeftProgram(await listCommands(tools.variables) ?? [], record);
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

function stillAtWork(left: NamedProcess): PikoError {
  return new PikoError(`${describe(left)}, which a killed piko has left, is at work on it`, {
    code: "conflict",
    hint: `wait until it is done, or end it: kill ${left.pid}`,
  });
}

function describe({ pid, command }: NamedProcess): string {
  const what = command.includes("git -C ") ? "git worktree" : "docker compose";
  return `${what} (process ${pid})`;
}
