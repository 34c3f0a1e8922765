/** Environments, operations and whole pages as the server would tell them, for tests that ask nobody. */

import type {
  EnvironmentState,
  Operation,
  OperationReport,
  PageState,
} from "../../src/domain/api.ts";
import type { Environment, Port } from "../../src/domain/environment.ts";
import type { Report } from "../../src/domain/report.ts";

/** A time that all samples are from. */
export const TIME = "2026-03-04T05:06:07.000Z";

const port = (service: string, containerPort: number, hostPort: number, url: string): Port => ({
  service,
  containerPort,
  hostPort,
  protocol: "tcp",
  url,
  shared: false,
});

/** Makes an environment of a project with a web page and a database; what is given is different. */
export function sampleEnvironment(changes: Partial<Environment> = {}): EnvironmentState {
  const { mode = "docker", status = "running", name = "feature-auth", project = "shop" } = changes;
  const ports = mode === "simple" ? [] : [
    port("db", 5432, 10132, "postgres://localhost:10132"),
    port("web", 8080, 10180, "http://localhost:10180"),
  ];
  const running = status === "running" ? ports.length : 0;
  const environment: Environment = {
    project,
    name,
    branch: name,
    mode,
    status,
    slot: 1,
    path: `/code/${project}/.piko/worktrees/${name}`,
    dataDir: `/code/${project}/.piko/data/${name}`,
    composeProject: `piko-${project}-${name}`,
    session: `piko/${project}/${name}`,
    createdAt: TIME,
    containers: { running, healthy: running, total: ports.length },
    ports,
    ...changes,
  };
  const services = environment.ports.map((port) => ({
    service: port.service,
    container: `${environment.composeProject}-${port.service}-1`,
    state: status === "running" ? "running" : "exited",
    health: status === "running" ? "healthy" : null,
    exitCode: status === "running" ? null : 0,
    ports: [port],
    shared: port.shared,
  }));
  return { environment, services };
}

/** Makes an operation. */
export function sampleOperation(changes: Partial<Operation> = {}): Operation {
  return {
    id: "operation-1",
    kind: "create",
    project: "shop",
    environment: "feature-auth",
    state: "running",
    startedAt: TIME,
    cancelledAt: null,
    endedAt: null,
    error: null,
    ...changes,
  };
}

/** Makes the reports of an operation, one a second. */
export function sampleReports(...reports: Report[]): OperationReport[] {
  return reports.map((report, index) => ({
    index,
    at: new Date(Date.parse(TIME) + index * 1000).toISOString(),
    report,
  }));
}

/** Makes what the page is made of. */
export function samplePage(changes: Partial<PageState> = {}): PageState {
  return {
    url: "/",
    projects: [{ name: "shop", root: "/code/shop", composeFile: "compose.yml", environments: 1 }],
    environments: [sampleEnvironment()],
    operations: [],
    engine: { reachable: true, message: null, hint: null },
    project: "shop",
    version: "0.1.0",
    cursor: "abc-1",
    ...changes,
  };
}
