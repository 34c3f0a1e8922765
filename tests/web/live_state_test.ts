import assert from "node:assert/strict";
import type { ServerEvent } from "../../src/domain/api.ts";
import type { Environment } from "../../src/domain/environment.ts";
import { announcements } from "../../web/announcements.ts";
import {
  applyEvent,
  applyEvents,
  comingEnvironments,
  initialState,
  lastFailure,
  operationsOf,
  runningOperation,
  withOperation,
  withReports,
} from "../../web/live_state.ts";
import { sampleEnvironment, sampleOperation, samplePage, sampleReports, TIME } from "./samples.ts";

const start = initialState(samplePage(), 0);
const AUTH = { project: "shop", name: "feature-auth" };

const names = (state: typeof start) =>
  state.environments.map(({ environment }) => `${environment.project}/${environment.name}`);

Deno.test("an environment that is new stands where it belongs, the server's own project first", () => {
  const later = ["e10", "e2"].reduce(
    (state, name) => applyEvent(state, { type: "environment", ...sampleEnvironment({ name }) }),
    applyEvent(start, {
      type: "environment",
      ...sampleEnvironment({ project: "alpha", name: "x" }),
    }),
  );
  assert.deepEqual(names(later), ["shop/e2", "shop/e10", "shop/feature-auth", "alpha/x"]);
});

Deno.test("an environment that has changed takes its own place, and one that was removed goes", () => {
  const stopped = applyEvent(start, {
    type: "environment",
    ...sampleEnvironment({ status: "stopped" }),
  });
  assert.deepEqual(stopped.environments.map(({ environment }) => environment.status), ["stopped"]);
  assert.deepEqual(applyEvent(stopped, { type: "removed", ...AUTH }).environments, []);
});

Deno.test("a snapshot replaces everything, and has what was asked for asked again", () => {
  const after = applyEvent(withOperation(start, sampleOperation()), {
    type: "snapshot",
    environments: [],
    projects: [],
    operations: [],
    engine: { reachable: false, message: "No engine", hint: null },
  });
  assert.deepEqual([after.environments, after.projects, after.operations], [[], [], []]);
  assert.equal(after.engine.reachable, false);
  assert.equal(after.snapshots, start.snapshots + 1);
});

Deno.test("what was told of operations and environments is forgotten with them", () => {
  const reports = sampleReports({ kind: "note", message: "x" });
  const ids = Array.from({ length: 250 }, (_, index) => `operation-${index}`);
  const details = new Map([["shop/feature-auth", { value: null, failed: "it sleeps" }]]);
  let full: typeof start = { ...start, details };
  for (const [index, id] of ids.entries()) {
    const startedAt = new Date(Date.parse(TIME) + index * 1000).toISOString();
    const operation = sampleOperation({ id, state: "done", startedAt, endedAt: TIME });
    full = withReports(withOperation(full, operation), id, reports);
  }
  const kept = ids.slice(-200);
  assert.deepEqual(full.operations.map(({ id }) => id), kept);
  assert.deepEqual([...full.reports.keys()], kept);
  const snapshot = {
    type: "snapshot" as const,
    environments: [...start.environments],
    projects: [],
    operations: full.operations.slice(-2),
    engine: start.engine,
  };
  const after = applyEvent(full, snapshot);
  assert.deepEqual([...after.reports.keys()], kept.slice(-2));
  assert.deepEqual([...after.details.keys()], ["shop/feature-auth"]);
  assert.deepEqual([...applyEvent(after, { ...snapshot, environments: [] }).details.keys()], []);
  assert.deepEqual([...applyEvent(after, { type: "removed", ...AUTH }).details.keys()], []);
});

Deno.test("an answer that comes late does not bring an operation back that has ended", () => {
  const ended = sampleOperation({ state: "done", endedAt: TIME });
  const state = withOperation(withOperation(start, ended), sampleOperation());
  assert.deepEqual(state.operations, [ended]);
  assert.equal(runningOperation(state, AUTH), undefined);
  assert.deepEqual(operationsOf(state, AUTH), [ended]);
});

Deno.test("an answer that comes late does not take back that an operation was asked to end", () => {
  const asked = withOperation(start, sampleOperation({ cancelledAt: TIME }));
  assert.equal(withOperation(asked, sampleOperation()).operations[0]?.cancelledAt, TIME);
});

Deno.test("reports that come twice, or in two halves, are there once and in order", () => {
  const reports = sampleReports(
    { kind: "started", step: "setup", message: "" },
    { kind: "output", step: "setup", line: "one", from: "stdout" },
    { kind: "output", step: "setup", line: "two", from: "stdout" },
    { kind: "done", step: "setup", message: "" },
  );
  const late = reports.slice(2).map((report): ServerEvent => ({
    type: "report",
    operation: "o",
    report,
  }));
  const state = withReports(applyEvents(start, late), "o", reports.slice(0, 3));
  assert.deepEqual(state.reports.get("o"), reports);
});

Deno.test("an environment that is being made is there before the registry has an entry of it", () => {
  const state = withOperation(start, sampleOperation({ environment: "new" }));
  assert.deepEqual(comingEnvironments(state).map(({ environment }) => environment), ["new"]);
  const entered = applyEvent(state, {
    type: "environment",
    ...sampleEnvironment({ name: "new", status: "creating" }),
  });
  assert.deepEqual(comingEnvironments(entered), []);
});

Deno.test("a failure stays until something else is done, or it is mended", () => {
  const failed = sampleOperation({
    kind: "up",
    state: "failed",
    endedAt: TIME,
    error: { code: "failed", message: "compose could not start it", hint: null },
  });
  const { environment: stopped } = sampleEnvironment({ status: "stopped" });
  const { environment: running } = sampleEnvironment();
  const state = withOperation(start, failed);
  assert.equal(lastFailure(start, stopped), undefined);
  assert.equal(lastFailure(state, stopped)?.id, failed.id);
  assert.equal(lastFailure(state, running), undefined);
  const unhealthy = { ...running, containers: { running: 2, healthy: 1, total: 2 } };
  assert.equal(lastFailure(state, unhealthy)?.id, failed.id);
  const destroy = withOperation(start, { ...failed, kind: "destroy" });
  assert.equal(lastFailure(destroy, running)?.id, failed.id);
  const again = sampleOperation({
    id: "operation-2",
    kind: "up",
    startedAt: "2026-03-04T05:07:00Z",
  });
  assert.equal(lastFailure(withOperation(state, again), stopped), undefined);
});

Deno.test("announcements() tells what happened, and a number when it is much", () => {
  const stopped = applyEvent(start, {
    type: "environment",
    ...sampleEnvironment({ status: "stopped" }),
  });
  assert.equal(announcements(start, stopped), "shop/feature-auth stopped");
  assert.equal(announcements(start, start), "");
  const running = withOperation(start, sampleOperation());
  const failed = withOperation(
    running,
    sampleOperation({
      state: "failed",
      endedAt: TIME,
      error: { code: "failed", message: "Setup failed", hint: null },
    }),
  );
  assert.equal(announcements(running, failed), "shop/feature-auth: create failed, Setup failed");
  const cancelled = sampleOperation({
    kind: "destroy",
    state: "cancelled",
    endedAt: TIME,
    error: { code: "interrupted", message: "Cancelled; it is half destroyed", hint: null },
  });
  assert.equal(
    announcements(running, withOperation(running, cancelled)),
    "shop/feature-auth: destroy cancelled; it is half destroyed",
  );
  const ending = sampleOperation({ cancelledAt: TIME });
  assert.equal(
    announcements(running, withOperation(running, ending)),
    "shop/feature-auth: create is being undone",
  );
  const removed = { type: "removed", project: "shop", name: "feature-auth" } as const;
  assert.equal(announcements(start, applyEvent(start, removed)), "shop/feature-auth destroyed");
  const many = ["a", "b", "c", "d"].map((name) => sampleEnvironment({ name }));
  const all = initialState(samplePage({ environments: many }), 0);
  const after = applyEvents(
    all,
    many.map(({ environment }): ServerEvent => ({
      type: "environment",
      ...sampleEnvironment({ ...environment, status: "stopped" }),
    })),
  );
  assert.equal(announcements(all, after), "4 changes");
  const lost = {
    ...start,
    connection: { kind: "lost", failures: 1, retryAt: 0, message: "" },
  } as const;
  assert.equal(announcements(start, lost), "Connection to the server lost");
  assert.equal(announcements(lost, { ...start, connection: { kind: "live" } }), "Connected again");
});

Deno.test("announcements() tells once what an operation has done, whatever is known of it first", () => {
  const down = sampleOperation({ kind: "down", startedAt: "2026-03-04T05:07:00Z" });
  const begun: ServerEvent = { type: "operation", operation: down };
  const done: ServerEvent = {
    type: "operation",
    operation: { ...down, state: "done", endedAt: "2026-03-04T05:07:09Z" },
  };
  const status = (status: Environment["status"]): ServerEvent => ({
    type: "environment",
    ...sampleEnvironment({ status }),
  });
  const removed: ServerEvent = { type: "removed", project: "shop", name: "feature-auth" };
  const destroy = sampleOperation({ kind: "destroy", id: "operation-2", startedAt: TIME });
  const destroyed: ServerEvent[] = [
    { type: "operation", operation: destroy },
    { type: "operation", operation: { ...destroy, state: "done", endedAt: TIME } },
  ];
  const stopped = "shop/feature-auth stopped";
  const cases: [events: ServerEvent[], told: string[]][] = [
    [[begun, status("partial"), status("stopped"), done], [stopped]],
    [[begun, done, status("stopped")], [stopped]],
    [[begun, done, status("stopped"), status("running"), status("stopped")], [
      stopped,
      "shop/feature-auth running",
      stopped,
    ]],
    [[...destroyed, removed], ["shop/feature-auth destroyed"]],
    [[removed], ["shop/feature-auth destroyed"]],
  ];
  for (const [events, told] of cases) {
    const said: string[] = [];
    let state = start;
    for (const event of events) {
      const after = applyEvent(state, event);
      const text = announcements(state, after);
      if (text !== "") said.push(text);
      state = text === "" ? after : {
        ...after,
        announcement: { text, count: state.announcement.count + 1 },
      };
    }
    assert.deepEqual(said, told, events.map(({ type }) => type).join(", "));
  }
});
