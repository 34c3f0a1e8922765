/** Runs a command in the container of a service: `piko exec`, and `piko shell`, whose command is the service's shell. */

import type { Container } from "../domain/containers.ts";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { nearestName, quote } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { environmentVariables, shellWord, toolVariables } from "../domain/variables.ts";
import { shellArgv } from "../domain/windows.ts";
import { execInTerminal } from "../programs/container_terminal.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { configOf } from "./project_config.ts";
import { listServiceContainers, missingServices, serviceNamesOf } from "./service_containers.ts";
import type { Tools } from "./tools.ts";
import { ownConfig } from "./user_config.ts";

/** A command that is ready to run in a container. */
export interface PreparedExec {
  container: Container;
  argv: string[];
  /** Runs it with piko's terminal, or its streams when that is none, and returns its exit code. */
  run: (options: { terminal: boolean }) => Promise<number>;
}

/**
 * Finds the container of a service and the command to run in it.
 *
 * @param command is the service's shell when it is empty.
 * @throws {PikoError} usage in simple mode, not-found for an unknown service, conflict when it does not run.
 */
export async function prepareExec(
  tools: Tools,
  record: EnvironmentRecord,
  service: string,
  command: readonly string[],
  watch: Watch,
): Promise<PreparedExec> {
  if (record.mode === "simple") throw noContainers(record, command);
  const container = await requireRunning(tools, record, service, watch);
  const argv = command.length > 0 ? [...command] : await shellOf(tools, record, service, watch);
  const options = {
    variables: toolVariables(tools.variables),
    given: environmentVariables(record),
  };
  return {
    container,
    argv,
    run: ({ terminal }) => execInTerminal(container.id, argv, { ...options, terminal }),
  };
}

/**
 * Finds a container of a service that runs, the one with the lowest number.
 *
 * @throws {PikoError} not-found for an unknown service, conflict when it does not run.
 */
export async function requireRunning(
  tools: Tools,
  record: EnvironmentRecord,
  service: string,
  watch: Watch,
): Promise<Container> {
  const containers = await listServiceContainers(tools, record, watch.signal);
  const own = containers.filter((container) => container.service === service);
  const running = own.find(({ state }) => state === "running");
  if (running !== undefined) return running;
  if (own[0] !== undefined) throw notRunning(record, own[0]);
  const known = serviceNamesOf(record, containers);
  if (known.includes(service) || containers.length === 0) {
    throw withoutContainer(record, service, containers);
  }
  throw unknownService(record, service, known);
}

/** Makes the error for a service that an environment does not have. */
export function unknownService(
  record: EnvironmentRecord,
  service: string,
  known: readonly string[],
): PikoError {
  const near = nearestName(service, known);
  return new PikoError(`${record.name} has no service ${quote(service)}`, {
    code: "not-found",
    hint: near === undefined ? `services: ${known.join(", ")}` : `did you mean ${near}?`,
  });
}

/** Makes the error for a service whose container does not run. */
export function notRunning(record: EnvironmentRecord, container: Container): PikoError {
  const { service, state, exitCode } = container;
  const how = state === "exited" ? `has ended with exit code ${exitCode ?? 0}` : `is ${state}`;
  return new PikoError(`Service ${quote(service)} of ${record.name} does not run: it ${how}`, {
    code: "conflict",
    hint: state === "paused"
      ? `docker unpause ${container.name}`
      : state === "restarting"
      ? `piko logs ${qualified(record)} ${service}`
      : `piko up ${qualified(record)} ${service}`,
  });
}

/** Makes the error for a service that has no container. */
export function withoutContainer(
  record: EnvironmentRecord,
  service: string,
  containers: readonly Container[],
): PikoError {
  const which = `${quote(service)} of ${record.name}`;
  const message = missingServices(record, containers).includes(service)
    ? `The container of service ${which} was removed`
    : `Service ${which} has no container${record.hadContainers ? "" : " yet"}`;
  return new PikoError(message, { code: "conflict", hint: `piko up ${qualified(record)}` });
}

async function shellOf(
  tools: Tools,
  record: EnvironmentRecord,
  service: string,
  watch: Watch,
): Promise<string[]> {
  const config = await configOf(tools, record, watch);
  return shellArgv(service, config, await ownConfig(tools, watch));
}

/** Makes the error for a command in a container where simple mode has none. */
export function noContainers(record: EnvironmentRecord, command: readonly string[]): PikoError {
  const what = command.length === 0 ? "" : ` && ${command.map(shellWord).join(" ")}`;
  return new PikoError(`${record.name} is in simple mode and has no containers`, {
    code: "usage",
    hint: command.length === 0
      ? `its worktree is the place to work:  cd ${shellWord(record.path)}`
      : `in its worktree:  cd ${shellWord(record.path)}${what}`,
  });
}
