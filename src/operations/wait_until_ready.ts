/**
 * Waits until the containers of an environment are ready, by a rule of piko's own: compose's `--wait` calls a
 * crash loop success and a finished one-shot a failure. One list per look tells nearly everything; only a
 * container that has just started or crashed is looked at more closely.
 */

import type { Container } from "../domain/containers.ts";
import { CommandError, PikoError, throwIfInterrupted } from "../domain/errors.ts";
import { withoutSecrets } from "../domain/secrets.ts";
import { pause } from "../programs/pause.ts";
import type { Engine } from "../programs/engine.ts";
import type { ContainerDetails } from "../programs/engine/answers.ts";

/** What is waited for, and for how long. */
export interface WaitOptions {
  /** The services that matter; all of the project without it. */
  services?: readonly string[] | undefined;
  /** Milliseconds after which waiting ends in a failure. */
  timeout: number;
  signal?: AbortSignal | undefined;
  /** Called at the start and whenever a service got ready or ceased to be. */
  onProgress?:
    | ((ready: number, total: number, waitingFor: readonly string[]) => void)
    | undefined;
}

/** Milliseconds between two looks. */
const INTERVAL = 60;

/** Seconds that a container without a health check has to run, so that an immediate crash is seen. */
const SETTLE_SECONDS = 1;

/** The same for one that has crashed before. */
const SETTLE_SECONDS_AFTER_CRASH = 3;

/** Crashes that an app is allowed, such as until its database is there. */
const ALLOWED_RESTARTS = 5;

/** The exit code of what SIGKILL has ended, which is what the kernel sends when memory runs out. */
const KILLED = 137;

/** Looks at a killed container until the engine knows whether memory ran out. */
const KILLED_LOOKS = 10;

/** Lines of a container's log that a failure shows. */
const LOG_LINES = 20;

/**
 * Waits until every container runs and is healthy, where it has a health check, or ended with 0. A project
 * without containers is ready.
 *
 * @returns the containers as they were then.
 * @throws {PikoError} failed, with the last log lines, when a container cannot become ready or has not in
 * time; interrupted when the signal was given.
 */
export async function waitUntilReady(
  engine: Engine,
  composeProject: string,
  options: WaitOptions,
): Promise<Container[]> {
  const { services, signal } = options;
  const deadline = performance.now() + options.timeout;
  const firstRestartCounts = new Map<string, number>();
  let progress: string | undefined;
  for (;;) {
    throwIfInterrupted(signal);
    const containers = (await engine.listContainers({ composeProject, signal }))
      .filter(({ service }) => services === undefined || services.includes(service));
    const waiting: Container[] = [];
    for (const container of containers) {
      if (!await isReady(engine, container, firstRestartCounts, signal)) waiting.push(container);
    }
    const names = [...new Set(waiting.map(({ service }) => service))];
    const ready = containers.length - waiting.length;
    if (progress !== (progress = `${ready}/${containers.length} ${names}`)) {
      options.onProgress?.(ready, containers.length, names);
    }
    if (waiting.length === 0) return containers;
    const left = deadline - performance.now();
    if (left <= 0) throw await timedOut(engine, waiting, options);
    await pause(Math.min(INTERVAL, left), signal);
  }
}

/**
 * Says more of a start that compose gave up because of a container that others depend on, or that is paused: the same
 * words and log lines as {@link waitUntilReady}. Any other error is returned as it is.
 */
export async function explainFailedStart(
  engine: Engine,
  composeProject: string,
  error: unknown,
): Promise<unknown> {
  const said = error instanceof PikoError && error.cause instanceof CommandError
    ? error.cause.stderr
    : "";
  const name = /dependency failed to start: container (\S+)/.exec(said)?.[1];
  const service = /service "(\S+)" didn't complete successfully/.exec(said)?.[1];
  const isPaused = said.includes("cannot start a paused container");
  if (name === undefined && service === undefined && !isPaused) return error;
  const containers = await engine.listContainers({ composeProject });
  const paused = containers.find(({ state }) => isPaused && state === "paused");
  if (paused !== undefined) return await pausedFailure(engine, paused);
  const container = containers.find((known) => known.name === name || known.service === service);
  if (container === undefined) return error;
  const reason = container.health === "unhealthy"
    ? "is unhealthy"
    : `exited with code ${container.exitCode}`;
  return await failure(engine, container, reason);
}

async function pausedFailure(engine: Engine, container: Container): Promise<PikoError> {
  return await failure(engine, container, "is paused", `docker unpause ${container.name}`);
}

/** Tells whether a container is ready, and throws if it can no longer become so. */
async function isReady(
  engine: Engine,
  container: Container,
  firstRestartCounts: Map<string, number>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  switch (container.state) {
    case "running":
      if (container.health === "unhealthy") throw await failure(engine, container, "is unhealthy");
      if (container.health !== null) return container.health === "healthy";
      return await hasSettled(engine, container, signal);
    case "exited":
      if (container.exitCode === 0) return true;
      throw await failure(engine, container, `exited with code ${container.exitCode}`);
    case "restarting":
      if (await isCrashLoop(engine, container, firstRestartCounts, signal)) {
        throw await failure(engine, container, "keeps restarting");
      }
      return false;
    case "paused":
      throw await pausedFailure(engine, container);
    case "dead":
      throw await failure(engine, container, "is dead");
    case "created":
    case "removing":
      return false;
  }
}

async function hasSettled(
  engine: Engine,
  container: Container,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const seconds = container.runningSeconds ?? 0;
  if (seconds < SETTLE_SECONDS) return false;
  if (seconds >= SETTLE_SECONDS_AFTER_CRASH) return true;
  const details = await inspect(engine, container, signal);
  return details?.restartCount === 0;
}

/**
 * Counts only a container that crashed again while it was watched: one that has been restarting for an hour
 * may just have got the database that it lacked.
 */
async function isCrashLoop(
  engine: Engine,
  container: Container,
  firstRestartCounts: Map<string, number>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const count = (await inspect(engine, container, signal))?.restartCount ?? 0;
  const first = firstRestartCounts.get(container.id) ?? count;
  firstRestartCounts.set(container.id, first);
  return count > ALLOWED_RESTARTS && count > first;
}

async function inspect(
  engine: Engine,
  container: Container,
  signal?: AbortSignal,
): Promise<ContainerDetails | undefined> {
  return (await engine.inspectContainers([container.id], signal))[0];
}

/** Inspects a container that has failed; the engine learns after its end that the kernel killed it for memory. */
async function inspectKilled(
  engine: Engine,
  container: Container,
): Promise<ContainerDetails | undefined> {
  for (let look = 1;; look++) {
    const details = await inspect(engine, container);
    if (details?.exitCode !== KILLED || details.oomKilled || look === KILLED_LOOKS) return details;
    await pause(INTERVAL);
  }
}

async function failure(
  engine: Engine,
  container: Container,
  what: string,
  hint?: string,
): Promise<PikoError> {
  const details = await inspectKilled(engine, container);
  const reason = details?.oomKilled ? `${what} (it ran out of memory)` : what;
  const check = container.health === "unhealthy" ? details?.healthOutput : undefined;
  return new PikoError(`Service "${container.service}" ${reason}`, {
    code: "failed",
    hint,
    details: [
      ...(check ? [`The health check said: ${withoutSecrets(check)}`] : []),
      ...await lastLines(engine, container, LOG_LINES),
    ],
  });
}

async function timedOut(
  engine: Engine,
  waiting: readonly Container[],
  options: WaitOptions,
): Promise<PikoError> {
  for (const container of waiting) {
    const restarts = (await inspect(engine, container))?.restartCount ?? 0;
    if (container.state === "restarting" || restarts > ALLOWED_RESTARTS) {
      return await failure(engine, container, "keeps restarting");
    }
  }
  const names = [...new Set(waiting.map(({ service }) => `"${service}"`))];
  const what = names.length === 1 ? `Service ${names} is` : `Services ${names.join(", ")} are`;
  const details: string[] = [];
  for (const container of waiting) {
    details.push(`${container.service}: ${container.status || container.state}`);
    const lines = await lastLines(engine, container, Math.ceil(LOG_LINES / waiting.length));
    details.push(...lines.map((line) => `  ${line}`));
  }
  return new PikoError(`${what} not ready after ${options.timeout / 1000} s`, {
    code: "failed",
    hint: "give it more time with --timeout, or do not wait with --no-wait",
    details,
  });
}

async function lastLines(engine: Engine, container: Container, lines: number): Promise<string[]> {
  try {
    return (await engine.logTail(container.id, lines)).map((line) => withoutSecrets(line));
  } catch (error) {
    // Some log drivers cannot be read back; the failure itself matters more.
    if (error instanceof PikoError) return [error.message];
    throw error;
  }
}
