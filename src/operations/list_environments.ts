/**
 * Tells what exists and what runs: `piko list`, `status`, `env` and `ports`. The engine is asked once, whatever the
 * number of environments, and what it cannot say is `unknown`; env and ports ask nobody but the registry.
 */

import { type Container, environmentStatus } from "../domain/containers.ts";
import {
  type Environment,
  type Port,
  type Service,
  type Status,
  statusOf,
} from "../domain/environment.ts";
import { PikoError } from "../domain/errors.ts";
import { portUrl } from "../domain/port_url.ts";
import type { Watch } from "../domain/report.ts";
import { compareText } from "../domain/variables.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isEnvironmentLocked } from "./lock_names.ts";
import {
  isOwnContainer,
  isShared,
  isSharedContainer,
  missingServices,
} from "./service_containers.ts";
import type { Tools } from "./tools.ts";

/** An environment with each of its services. */
export interface EnvironmentInFull {
  environment: Environment;
  services: Service[];
}

/**
 * Describes environments with their status; an engine that does not answer is told as a warning.
 *
 * @param listMore names services that are to be shown even without a container.
 */
export async function describeEnvironments(
  tools: Tools,
  records: readonly EnvironmentRecord[],
  watch: Watch,
  listMore?: (record: EnvironmentRecord) => Promise<string[]>,
): Promise<EnvironmentInFull[]> {
  const containers = await containersOf(tools, records, watch);
  return await Promise.all(records.map(async (record) => {
    const found = containers &&
      [record.composeProject, record.shared?.composeProject ?? ""]
        .flatMap((composeProject) => containers.get(composeProject) ?? []);
    const own = found?.filter((container) => isOwnContainer(record, container));
    const shared = found?.filter((container) => isSharedContainer(record, container));
    return {
      environment: await describe(tools, record, own),
      services: servicesOf(record, own && [...own, ...shared ?? []], await listMore?.(record)),
    };
  }));
}

/** Lists the ports of an environment as they are shown. */
export function portsOf(record: EnvironmentRecord): Port[] {
  return record.ports.map((port) => ({
    service: port.service,
    containerPort: port.containerPort,
    hostPort: port.hostPort,
    protocol: port.protocol,
    url: portUrl(port),
    shared: port.shared === true,
  }));
}

async function containersOf(
  tools: Tools,
  records: readonly EnvironmentRecord[],
  watch: Watch,
): Promise<Map<string, Container[]> | undefined> {
  const docker = records.filter(({ mode }) => mode === "docker");
  const found = new Map<string, Container[]>();
  if (docker.length === 0) return found;
  const [first, ...others] = docker;
  const only = others.length === 0 && first?.shared === null ? first.composeProject : undefined;
  try {
    for (
      const container of await tools.engine.listContainers({
        composeProject: only,
        signal: watch.signal,
      })
    ) {
      const list = found.get(container.composeProject);
      if (list === undefined) found.set(container.composeProject, [container]);
      else list.push(container);
    }
    return found;
  } catch (error) {
    if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
    watch.report({
      kind: "warning",
      message: `${error.message}; what runs is unknown`,
      hint: error.hint,
    });
    return undefined;
  }
}

async function describe(
  tools: Tools,
  record: EnvironmentRecord,
  containers: readonly Container[] | undefined,
): Promise<Environment> {
  const sum = containers &&
    environmentStatus(containers, missingServices(record, containers).length);
  return {
    project: record.project,
    name: record.name,
    branch: record.branch,
    mode: record.mode,
    status: await findStatus(tools, record, sum?.status),
    slot: record.slot,
    path: record.path,
    dataDir: record.dataDir,
    composeProject: record.composeProject,
    session: record.session,
    createdAt: record.createdAt,
    containers: sum?.counts ?? { running: 0, healthy: 0, total: 0 },
    ports: portsOf(record),
  };
}

async function findStatus(
  tools: Tools,
  record: EnvironmentRecord,
  containers: Status | undefined,
): Promise<Status> {
  const { projectId, name, mode, path } = record;
  let { state } = record;
  const isBusy = state === "creating" || state === "destroying";
  let atWork = isBusy && await isEnvironmentLocked(tools, projectId, name);
  if (isBusy && !atWork) {
    // Whoever was at work may have come to its end since the registry was read.
    const now = tools.environments.find(projectId, name);
    if (now?.id === record.id) state = now.state;
    else atWork = true;
  }
  return statusOf({ mode, state, atWork, worktreeExists: isWorktreeThere(path), containers });
}

/** Lists the services with their containers, which are undefined where nobody can tell. */
function servicesOf(
  record: EnvironmentRecord,
  containers: readonly Container[] | undefined,
  more: readonly string[] = [],
): Service[] {
  const ports = portsOf(record);
  const services = (containers ?? []).map((
    { service, name, state, health, exitCode },
  ): Service => ({
    service,
    container: name,
    state,
    health,
    exitCode,
    ports: ports.filter((port) => port.service === service),
    shared: isShared(record, service),
  }));
  const known = new Set(services.map(({ service }) => service));
  const others = [
    ...ports.map((port) => port.service),
    ...record.shared?.services ?? [],
    ...missingServices(record, containers ?? []),
    ...more,
  ];
  for (const service of new Set(others)) {
    if (known.has(service)) continue;
    services.push({
      service,
      container: null,
      state: containers === undefined ? "unknown" : "missing",
      health: null,
      exitCode: null,
      ports: ports.filter((port) => port.service === service),
      shared: isShared(record, service),
    });
  }
  return services.sort((a, b) =>
    compareText(a.service, b.service) || compareText(a.container ?? "", b.container ?? "")
  );
}

/** Tells whether the folder of a worktree is there. */
export function isWorktreeThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
