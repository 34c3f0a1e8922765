/**
 * Reads the logs of an environment's containers as one, in the order of their times. Followed, they go on over a restart
 * and over containers that are made anew, and end when all have stopped and stay so.
 */

import type { Container } from "../domain/containers.ts";
import { PikoError } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { justAfter } from "../domain/since.ts";
import type { LogLine } from "../programs/container_log.ts";
import type { LogOptions } from "../programs/engine.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isLocked } from "../store/locks.ts";
import { unknownService } from "./exec_in_service.ts";
import { lockKey, locksFolder } from "./lock_environment.ts";
import { MergedLines } from "./merge_lines.ts";
import type { Tools } from "./tools.ts";

/** Which lines are wanted. */
export interface LogRequest {
  /** None of them means all. */
  services: readonly string[];
  follow: boolean;
  /** How many of the last lines of each container. */
  tail: number | "all";
  /** Seconds since 1970. */
  since: string | undefined;
}

/** A line of one of an environment's containers. */
export interface ServiceLine extends LogLine {
  service: string;
  container: string;
  /** The service, with the container's number where it has several. */
  label: string;
}

/** Logs that are ready to be read. */
export interface Logs {
  /** The services of the containers that there are now, and the labels of these. */
  services: string[];
  labels: string[];
  /** The lines; ending the iteration ends the reading. */
  lines: AsyncGenerator<ServiceLine>;
}

/** Milliseconds between two looks at which containers run. */
const LOOK_AGAIN = 500;

/** Milliseconds after which containers that have stopped are not expected back. */
const STOPPED_FOR_GOOD = 3000;

/**
 * Finds the containers whose logs are wanted.
 *
 * @throws {PikoError} usage in simple mode, not-found for an unknown service, conflict when there are no containers yet.
 */
export async function openLogs(
  tools: Tools,
  record: EnvironmentRecord,
  request: LogRequest,
  watch: Watch,
): Promise<Logs> {
  if (record.mode === "simple") {
    throw new PikoError(`${record.name} is in simple mode and has no containers to log`, {
      code: "usage",
      hint:
        `piko run ${record.name} shows what scripts.run prints; what other scripts printed is in ` +
        `${record.root}/.piko/logs/${record.name}`,
    });
  }
  const { composeProject } = record;
  const all = await tools.engine.listContainers({ composeProject, signal: watch.signal });
  const known = [...new Set([...all, ...record.ports].map(({ service }) => service))];
  for (const service of request.services) {
    if (all.length > 0 && !known.includes(service)) throw unknownService(record, service, known);
  }
  const containers = wanted(all, request);
  if (containers.length === 0) throw neverStarted(record, request);
  return {
    services: [...new Set(containers.map(({ service }) => service))],
    labels: containers.map((container) => labelOf(container, containers)),
    lines: readLines(tools, record, request, watch, containers),
  };
}

function wanted(containers: readonly Container[], { services }: LogRequest): Container[] {
  return containers.filter(({ service }) => services.length === 0 || services.includes(service));
}

function neverStarted(record: EnvironmentRecord, request: LogRequest): PikoError {
  return new PikoError(`There are no logs yet: ${nameOf(record, request)} was never started`, {
    code: "conflict",
    hint: ["piko up", record.name, ...request.services].join(" "),
  });
}

function nameOf({ name }: EnvironmentRecord, { services }: LogRequest): string {
  return services.length === 0 ? name : `${services.join(", ")} of ${name}`;
}

async function* readLines(
  tools: Tools,
  record: EnvironmentRecord,
  request: LogRequest,
  watch: Watch,
  containers: readonly Container[],
): AsyncGenerator<ServiceLine> {
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, ...(watch.signal ? [watch.signal] : [])]);
  const merged = new MergedLines<ServiceLine & { id: string }>({ endless: request.follow });
  const times = new Map<string, string>();
  const open = new Set<string>();
  const read = (container: Container, label: string, options: LogOptions) => {
    open.add(container.id);
    const lines = tools.engine.readLog(container.id, {
      ...options,
      follow: request.follow,
      signal,
    });
    merged.add(labelled(lines, container, label), () => open.delete(container.id));
  };
  try {
    for (const container of containers) {
      read(container, labelOf(container, containers), request);
    }
    let aliveAt = containers.some(isRunning) ? performance.now() : -Infinity;
    let lookAt = performance.now() + LOOK_AGAIN;
    for (;;) {
      const line = await merged.next(request.follow ? lookAt : undefined);
      if (line !== undefined) {
        times.set(line.id, line.time);
        const { id: _id, ...told } = line;
        yield told;
      } else if (!request.follow) {
        break;
      }
      const now = performance.now();
      if (!request.follow || now < lookAt) continue;
      if (aliveAt > -Infinity && (merged.size > 0 || await isAtWork(tools, record))) aliveAt = now;
      if (merged.size === 0 && now > aliveAt + STOPPED_FOR_GOOD) break;
      const { composeProject } = record;
      const all = await tools.engine.listContainers({ composeProject, signal });
      const found = wanted(all, request);
      for (const container of found.filter(isRunning)) {
        if (open.has(container.id)) continue;
        const time = times.get(container.id);
        const since = time === undefined ? undefined : justAfter(time);
        read(container, labelOf(container, found), { since });
        aliveAt = now;
      }
      lookAt = now + LOOK_AGAIN;
    }
    if (request.follow || !containers.some(isRunning)) {
      const what = nameOf(record, request);
      const verb = request.services.length > 1 ? "are" : "is";
      const start = ["piko up", record.name, ...request.services].join(" ");
      watch.report({ kind: "note", message: `${what} ${verb} stopped: ${start}` });
    }
  } finally {
    ending.abort();
  }
}

async function* labelled(
  lines: AsyncGenerator<LogLine>,
  { id, name, service }: Container,
  label: string,
): AsyncGenerator<ServiceLine & { id: string }> {
  for await (const line of lines) yield { ...line, id, service, container: name, label };
}

function labelOf(container: Container, among: readonly Container[]): string {
  const { service, number } = container;
  const isOnlyOne = among.every((other) => other.service !== service || other.id === container.id);
  return isOnlyOne ? service : `${service}-${number}`;
}

/** Tells whether a piko works on the environment, which may bring the containers back. */
function isAtWork(tools: Tools, record: EnvironmentRecord): Promise<boolean> {
  return isLocked(locksFolder(tools), lockKey(record.projectId, record.name));
}

function isRunning({ state }: Container): boolean {
  return state === "running";
}
