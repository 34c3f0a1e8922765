/**
 * Reads the logs of an environment's containers as one, in the order of their times. Followed, they go on over a restart
 * and over containers that are made anew, and end when all have stopped and stay so.
 */

import type { Container } from "../domain/containers.ts";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import type { Watch } from "../domain/report.ts";
import { justAfter } from "../domain/since.ts";
import type { LogLine } from "../programs/container_log.ts";
import type { LogOptions } from "../programs/engine.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { unknownService } from "./exec_in_service.ts";
import { isEnvironmentLocked } from "./lock_names.ts";
import { MergedLines } from "./merge_lines.ts";
import {
  isOwnContainer,
  isShared,
  listServiceContainers,
  missingServices,
  serviceNamesOf,
} from "./service_containers.ts";
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
  /** The time of the last line that is known of each container, by its name: the lines behind it are wanted. */
  after?: Places | undefined;
}

/** How far the logs of containers have been read: the time of the last line by the container's name. */
export type Places = Readonly<Record<string, string>>;

/** A line of one of an environment's containers. */
export interface ServiceLine extends LogLine {
  service: string;
  container: string;
  containerId: string;
  /** The service, with the container's number where it has several. */
  label: string;
}

/** Logs that are ready to be read. */
export interface Logs {
  /** The services of the containers that there are now, and the labels of these. */
  services: string[];
  labels: string[];
  /** The lines, those that come at once together; ending the iteration ends the reading. */
  lines: AsyncGenerator<ServiceLine[]>;
}

/** Milliseconds between two looks at which containers run. */
const LOOK_AGAIN = 500;

/** Milliseconds of silence after which the log of a container that has stopped is read to its end. */
const ALL_IS_READ = 300;

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
        `piko run ${
          qualified(record)
        } shows what scripts.run prints; what other scripts printed is in ` +
        `${record.root}/.piko/logs/${record.name}`,
    });
  }
  const all = await listServiceContainers(tools, record, watch.signal);
  const known = serviceNamesOf(record, all);
  for (const service of request.services) {
    if (all.length > 0 && !known.includes(service)) throw unknownService(record, service, known);
  }
  const containers = wanted(all, request);
  if (containers.length === 0) throw noLogs(record, request, all);
  const services = [...new Set(containers.map(({ service }) => service))];
  const silent = request.services.filter((service) => !services.includes(service));
  if (silent.length > 0) {
    const missing = missingServices(record, all);
    for (const service of new Set(silent)) {
      const message = missing.includes(service)
        ? `The container of ${service} of ${record.name} was removed`
        : `${service} of ${record.name} has no container`;
      watch.report({ kind: "note", message });
    }
  }
  return {
    services,
    labels: containers.map((container) => labelOf(record, container, containers)),
    lines: readLines(tools, record, request, watch, containers),
  };
}

function wanted(containers: readonly Container[], { services }: LogRequest): Container[] {
  return containers.filter(({ service }) => services.length === 0 || services.includes(service));
}

/** Tells where the log of a container is to begin. */
function beginOf({ name }: Container, { tail, since, after }: LogRequest): LogOptions {
  if (after === undefined) return { tail, since };
  // One that was not there yet has been started since the last line of the others.
  const time = after[name] ?? Object.values(after).sort()[0];
  return time === undefined ? { tail, since } : { since: justAfter(time) };
}

function noLogs(
  record: EnvironmentRecord,
  { services }: LogRequest,
  all: readonly Container[],
): PikoError {
  const missing = missingServices(record, all)
    .filter((service) => services.length === 0 || services.includes(service));
  if (missing.length > 0) {
    const named = services.length === 0 ? [] : missing;
    const [what, were] = named.length === 1 ? ["container", "was"] : ["containers", "were"];
    const whose = nameOf(record, { services: named });
    return new PikoError(`There are no logs: the ${what} of ${whose} ${were} removed`, {
      code: "conflict",
      hint: `piko up ${qualified(record)}`,
    });
  }
  const what = nameOf(record, { services });
  const why = record.hadContainers
    ? `: ${what} ${services.length > 1 ? "have" : "has"} no container`
    : ` yet: ${what} was never started`;
  return new PikoError(`There are no logs${why}`, {
    code: "conflict",
    hint: ["piko up", qualified(record), ...services].join(" "),
  });
}

function nameOf({ name }: EnvironmentRecord, { services }: Pick<LogRequest, "services">): string {
  return services.length === 0 ? name : `${services.join(", ")} of ${name}`;
}

async function* readLines(
  tools: Tools,
  record: EnvironmentRecord,
  request: LogRequest,
  watch: Watch,
  containers: readonly Container[],
): AsyncGenerator<ServiceLine[]> {
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, ...(watch.signal ? [watch.signal] : [])]);
  try {
    if (request.follow) {
      yield* new FollowedLogs(tools, record, request, signal).lines(containers);
    } else {
      const merged = new MergedLines<ServiceLine>({ endless: false });
      for (const container of containers) {
        const lines = tools.engine.readLog(container.id, {
          ...beginOf(container, request),
          signal,
        });
        merged.add(labelled(lines, container, labelOf(record, container, containers)));
      }
      for (let lines = await merged.next(); lines !== undefined; lines = await merged.next()) {
        yield lines;
      }
      if (containers.some(isRunning)) return;
    }
    const what = nameOf(record, request);
    const verb = request.services.length > 1 ? "are" : "is";
    const start = ["piko up", qualified(record), ...request.services].join(" ");
    watch.report({ kind: "note", message: `${what} ${verb} stopped: ${start}` });
  } finally {
    ending.abort();
  }
}

/** The log of one run of a container, while it is read. */
interface OpenLog {
  id: string;
  /** Whether it is of a service that goes on when the environment stops. */
  isShared: boolean;
  /** When the run began; undefined for a container that did not run. */
  startedAt: string | undefined;
  /** Since when the next line is waited for; undefined while it is there. */
  waitingSince: number | undefined;
  /** Ends the reading: engines do not always end the log of a container that has stopped. */
  ending: AbortController;
}

/** The logs of containers that come and go. */
class FollowedLogs {
  readonly #tools: Tools;
  readonly #record: EnvironmentRecord;
  readonly #request: LogRequest;
  readonly #signal: AbortSignal;
  readonly #merged = new MergedLines<ServiceLine>({ endless: true });
  readonly #open = new Map<string, OpenLog>();
  /** The time of each container's last line. */
  readonly #times = new Map<string, string>();

  constructor(tools: Tools, record: EnvironmentRecord, request: LogRequest, signal: AbortSignal) {
    this.#tools = tools;
    this.#record = record;
    this.#request = request;
    this.#signal = signal;
  }

  async *lines(containers: readonly Container[]): AsyncGenerator<ServiceLine[]> {
    await Promise.all(
      containers.map((container) => {
        const time = this.#request.after?.[container.name];
        if (time !== undefined) this.#times.set(container.id, time);
        const label = labelOf(this.#record, container, containers);
        return this.#read(container, label, beginOf(container, this.#request));
      }),
    );
    let aliveAt = this.#goesOn(containers) ? performance.now() : -Infinity;
    let lookAt = performance.now() + LOOK_AGAIN;
    for (;;) {
      const lines = await this.#merged.next(lookAt);
      if (lines !== undefined) {
        for (const { containerId, time } of lines) this.#times.set(containerId, time);
        yield lines;
      }
      if (performance.now() < lookAt) continue;
      const goesOn = await this.#look() ||
        aliveAt > -Infinity && await isAtWork(this.#tools, this.#record);
      const now = performance.now();
      if (goesOn) aliveAt = now;
      const isRead = [...this.#open.values()].every((log) => log.isShared);
      if (isRead && now > aliveAt + STOPPED_FOR_GOOD) return;
      lookAt = now + LOOK_AGAIN;
    }
  }

  /** Closes the logs of what has stopped, and opens those of what was started; tells whether anything runs. */
  async #look(): Promise<boolean> {
    const { engine } = this.#tools;
    const all = await listServiceContainers(this.#tools, this.#record, this.#signal);
    const found = wanted(all, this.#request);
    const details = await engine.inspectContainers([...this.#open.keys()], this.#signal);
    for (const log of this.#open.values()) {
      const now = details.find(({ id }) => id === log.id);
      const goesOn = now !== undefined && now.running && now.startedAt === log.startedAt;
      const isRead = performance.now() - (log.waitingSince ?? Infinity) > ALL_IS_READ;
      if (!goesOn && isRead) log.ending.abort();
    }
    for (const container of found.filter(isRunning)) {
      if (this.#open.has(container.id)) continue;
      const time = this.#times.get(container.id);
      const since = time === undefined ? undefined : justAfter(time);
      await this.#read(container, labelOf(this.#record, container, found), { since });
    }
    return this.#goesOn(found);
  }

  /** Tells whether more is to be expected; a shared service runs on when the environment has stopped. */
  #goesOn(containers: readonly Container[]): boolean {
    const own = containers.filter((container) => isOwnContainer(this.#record, container));
    return (own.length > 0 ? own : containers).some(isAlive);
  }

  async #read(container: Container, label: string, options: LogOptions): Promise<void> {
    const { id } = container;
    const [details] = await this.#tools.engine.inspectContainers([id], this.#signal);
    const log: OpenLog = {
      id,
      isShared: isShared(this.#record, container.service),
      startedAt: details?.running ? details.startedAt : undefined,
      waitingSince: undefined,
      ending: new AbortController(),
    };
    const signal = AbortSignal.any([this.#signal, log.ending.signal]);
    const lines = this.#tools.engine.readLog(id, { ...options, follow: true, signal });
    this.#open.set(id, log);
    this.#merged.add(
      untilEnded(labelled(lines, container, label), log),
      () => this.#open.delete(id),
    );
  }
}

async function* untilEnded(
  lines: AsyncGenerator<ServiceLine[]>,
  log: OpenLog,
): AsyncGenerator<ServiceLine[]> {
  try {
    for (;;) {
      log.waitingSince = performance.now();
      const next = await lines.next();
      log.waitingSince = undefined;
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    if (!log.ending.signal.aborted) throw error;
  }
}

async function* labelled(
  batches: AsyncGenerator<LogLine[]>,
  { id: containerId, name: container, service }: Container,
  label: string,
): AsyncGenerator<ServiceLine[]> {
  for await (const lines of batches) {
    yield lines.map(({ time, from, text }) => {
      return { time, from, text, service, container, containerId, label };
    });
  }
}

function labelOf(
  record: EnvironmentRecord,
  container: Container,
  among: readonly Container[],
): string {
  const { service, number } = container;
  const isOnlyOne = among.every((other) => other.service !== service || other.id === container.id);
  const label = isOnlyOne ? service : `${service}-${number}`;
  return isShared(record, service) ? `${label} (shared)` : label;
}

/** Tells whether a piko works on the environment, which may bring the containers back. */
function isAtWork(tools: Tools, record: EnvironmentRecord): Promise<boolean> {
  return isEnvironmentLocked(tools, record.projectId, record.name);
}

function isRunning({ state }: Container): boolean {
  return state === "running";
}

/** Tells whether more is to be expected of a container: one in a crash loop runs now and then. */
function isAlive({ state }: Container): boolean {
  return state === "running" || state === "restarting";
}
