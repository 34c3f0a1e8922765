/** What the page knows, and what each event makes of it. Pure: src/domain/api.ts says what the events mean. */

import type {
  EngineState,
  EnvironmentDetails,
  EnvironmentState,
  Operation,
  OperationKind,
  OperationReport,
  PageState,
  ServerEvent,
} from "../src/domain/api.ts";
import type { Environment, Project } from "../src/domain/environment.ts";
import type { Named } from "./api.ts";
import { compareNames, fullName } from "./names.ts";

/** How the page is connected to its server. */
export type Connection =
  | { kind: "connecting" }
  | { kind: "live" }
  /** The tab is hidden and has let its connections go. */
  | { kind: "resting" }
  /** The connection broke; `failures` counts the attempts in a row, and the next one is at `retryAt`. */
  | { kind: "lost"; failures: number; retryAt: number; message: string }
  /** The server wants a token that the browser does not have. */
  | { kind: "refused"; message: string; hint: string | null };

/** Something to be told that belongs to no field of a form. */
export interface Notice {
  id: number;
  tone: "bad" | "good";
  message: string;
  hint: string | null;
  details: readonly string[];
  /** The environment that it is about, `shop/feature-auth`; null for all of the page. */
  about: string | null;
}

/** What an environment's view shows beyond the list; `failed` tells why it could not be had. */
export interface Details {
  /** The last that was had; null while it is waited for. */
  value: EnvironmentDetails | null;
  failed: string | null;
}

/** Everything that the page shows but where it is. */
export interface LiveState {
  projects: readonly Project[];
  /** In the order in which they are shown. */
  environments: readonly EnvironmentState[];
  /** In the order in which they began. */
  operations: readonly Operation[];
  engine: EngineState;
  current: string | null;
  version: string;
  reports: ReadonlyMap<string, readonly OperationReport[]>;
  details: ReadonlyMap<string, Details>;
  connection: Connection;
  /** How often everything was told anew: what was asked for before may have changed since unnoticed. */
  snapshots: number;
  /** When something last came from the server, in milliseconds since 1970. */
  updatedAt: number;
  notices: readonly Notice[];
  /** What the page has asked for and not been answered yet: `up shop/feature-auth`. */
  pending: ReadonlySet<string>;
  /** The last thing to be read out, and its number, so that the same words can be read out again. */
  announcement: { text: string; count: number };
}

/** The most reports of one operation that are kept. */
const MOST_REPORTS = 5000;

/** The most operations of the past that are kept. */
const MOST_OPERATIONS = 200;

/** Makes the first state of what the server rendered. */
export function initialState(page: PageState, now: number): LiveState {
  return {
    projects: page.projects,
    environments: sortEnvironments(page.environments, page.project),
    operations: sortOperations(page.operations),
    engine: page.engine,
    current: page.project,
    version: page.version,
    reports: new Map(),
    details: new Map(),
    connection: { kind: "connecting" },
    snapshots: 0,
    updatedAt: now,
    notices: [],
    pending: new Set(),
    announcement: { text: "", count: 0 },
  };
}

/** Applies an event of `GET /api/events`. */
export function applyEvent(state: LiveState, event: ServerEvent): LiveState {
  switch (event.type) {
    case "snapshot":
      return forgetReports(forgetDetails({
        ...state,
        environments: sortEnvironments(event.environments, state.current),
        projects: event.projects,
        operations: sortOperations(event.operations),
        engine: event.engine,
        snapshots: state.snapshots + 1,
      }));
    case "environment": {
      const { environment, services } = event;
      const others = state.environments.filter((other) => !isSame(other.environment, environment));
      const environments = [...others, { environment, services }];
      return { ...state, environments: sortEnvironments(environments, state.current) };
    }
    case "removed":
      return forgetDetails({
        ...state,
        environments: state.environments.filter(({ environment }) => !isSame(environment, event)),
      });
    case "projects":
      return { ...state, projects: event.projects };
    case "operation":
      return withOperation(state, event.operation);
    case "report":
      return withReports(state, event.operation, [event.report]);
    case "engine":
      return { ...state, engine: event.engine };
    case "closing":
      return state;
  }
}

/** Applies events in their order; reports of one operation that follow one another are added at once. */
export function applyEvents(state: LiveState, events: readonly ServerEvent[]): LiveState {
  let reports: OperationReport[] = [];
  events.forEach((event, at) => {
    if (event.type !== "report") {
      state = applyEvent(state, event);
      return;
    }
    reports.push(event.report);
    const next = events[at + 1];
    if (next?.type === "report" && next.operation === event.operation) return;
    state = withReports(state, event.operation, reports);
    reports = [];
  });
  return state;
}

/** Adds an operation, or what has become of it. */
export function withOperation(state: LiveState, operation: Operation): LiveState {
  const known = state.operations.findIndex(({ id }) => id === operation.id);
  if (known < 0) {
    const operations = sortOperations([...state.operations, operation]).slice(-MOST_OPERATIONS);
    const after = { ...state, operations };
    return operations.length > state.operations.length ? after : forgetReports(after);
  }
  // An answer that was under way while the operation ended, or was asked to, knows less than the event did.
  const { endedAt, cancelledAt } = state.operations[known] ?? operation;
  const isOlder = (endedAt !== null && operation.endedAt === null) ||
    (cancelledAt !== null && operation.cancelledAt === null);
  return isOlder ? state : { ...state, operations: state.operations.with(known, operation) };
}

/** Adds reports of an operation; those that are there already are not doubled. */
export function withReports(
  state: LiveState,
  operation: string,
  added: readonly OperationReport[],
): LiveState {
  const before = state.reports.get(operation) ?? [];
  const last = before.at(-1)?.index ?? -1;
  const isInOrder = added.every(({ index }, at) => index > (added[at - 1]?.index ?? last));
  const merged = isInOrder ? [...before, ...added] : mergeReports(before, added);
  return {
    ...state,
    reports: new Map(state.reports).set(operation, merged.slice(-MOST_REPORTS)),
  };
}

/** Drops the reports of operations that are not remembered any more. */
function forgetReports(state: LiveState): LiveState {
  const known = new Set(state.operations.map(({ id }) => id));
  return { ...state, reports: onlyKnown(state.reports, known) };
}

/** Drops what was shown of environments that are gone. */
function forgetDetails(state: LiveState): LiveState {
  const known = new Set(state.environments.map(({ environment }) => fullName(environment)));
  return { ...state, details: onlyKnown(state.details, known) };
}

function onlyKnown<T>(
  map: ReadonlyMap<string, T>,
  known: ReadonlySet<string>,
): ReadonlyMap<string, T> {
  return new Map([...map].filter(([key]) => known.has(key)));
}

function mergeReports(
  before: readonly OperationReport[],
  added: readonly OperationReport[],
): OperationReport[] {
  const byIndex = new Map([...before, ...added].map((report) => [report.index, report]));
  return [...byIndex.values()].sort((a, b) => a.index - b.index);
}

/** Finds an environment by project and name. */
export function findEnvironment(state: LiveState, named: Named): EnvironmentState | undefined {
  return state.environments.find(({ environment }) => isSame(environment, named));
}

/** Lists an environment's operations, the newest first. */
export function operationsOf(state: LiveState, named: Named): Operation[] {
  return state.operations.filter(({ project, environment }) =>
    project === named.project && environment === named.name
  ).reverse();
}

/** Finds the operation that is at work on an environment. */
export function runningOperation(state: LiveState, named: Named): Operation | undefined {
  return operationsOf(state, named).find(({ state }) => state === "running");
}

/**
 * Finds the operation that has failed last on an environment, if nothing was begun since and its failure still shows:
 * a start that somebody has made good elsewhere is none any more.
 */
export function lastFailure(state: LiveState, environment: Environment): Operation | undefined {
  const [newest] = operationsOf(state, environment);
  if (newest?.state !== "failed") return undefined;
  const { status, containers: { healthy, total } } = environment;
  const isMended = (newest.kind === "down" && status === "stopped") ||
    (isStart(newest.kind) && status === "running" && healthy === total);
  return isMended ? undefined : newest;
}

function isStart(kind: OperationKind): boolean {
  return kind === "create" || kind === "up" || kind === "restart";
}

/**
 * Lists the environments that are being made and that the registry has no entry of yet, so that their row is there from the
 * first moment.
 */
export function comingEnvironments(state: LiveState): Operation[] {
  return state.operations.filter(({ kind, state: how, project, environment }) =>
    kind === "create" && how === "running" &&
    findEnvironment(state, { project, name: environment }) === undefined
  );
}

/** Names what was asked for in {@link LiveState.pending}. */
export function pendingKey(action: string, named: Named): string {
  return `${action} ${fullName(named)}`;
}

function isSame(a: Named, b: Named): boolean {
  return a.project === b.project && a.name === b.name;
}

function sortEnvironments(
  environments: readonly EnvironmentState[],
  current: string | null,
): EnvironmentState[] {
  return environments.toSorted(({ environment: a }, { environment: b }) =>
    compareProjects(a.project, b.project, current) || compareNames(a.name, b.name)
  );
}

/** Compares projects: the one that the server was started in comes first. */
export function compareProjects(a: string, b: string, current: string | null): number {
  if (a === b) return 0;
  if (a === current) return -1;
  return b === current ? 1 : compareNames(a, b);
}

function sortOperations(operations: readonly Operation[]): Operation[] {
  return operations.toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}
