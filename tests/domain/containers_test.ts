import assert from "node:assert/strict";
import {
  type ContainerCondition,
  type ContainerHealth,
  environmentStatus,
} from "../../src/domain/containers.ts";

const up = (health: ContainerHealth = null): ContainerCondition => ({
  state: "running",
  health,
  exitCode: null,
});
const exited = (exitCode: number | null): ContainerCondition => ({
  state: "exited",
  health: null,
  exitCode,
});
const is = (state: ContainerCondition["state"]): ContainerCondition => ({
  state,
  health: null,
  exitCode: null,
});

const cases: [string, ContainerCondition[], string, [number, number, number]][] = [
  ["no containers", [], "stopped", [0, 0, 0]],
  ["one that runs", [up()], "running", [1, 1, 1]],
  ["one that is healthy", [up("healthy")], "running", [1, 1, 1]],
  ["one whose health is not known yet", [up("starting")], "running", [1, 0, 1]],
  ["an unhealthy one", [up("unhealthy")], "unhealthy", [1, 0, 1]],
  ["an unhealthy one among others", [up(), up("unhealthy")], "unhealthy", [2, 1, 2]],
  ["an unhealthy one beside a crashed one", [exited(1), up("unhealthy")], "unhealthy", [1, 0, 2]],
  ["all ended", [exited(0), exited(137)], "stopped", [0, 0, 2]],
  ["never started", [is("created"), is("created")], "stopped", [0, 0, 2]],
  ["some run, one crashed", [up(), exited(1)], "partial", [1, 1, 2]],
  ["some run, one was never started", [up(), is("created")], "partial", [1, 1, 2]],
  ["some run, one is dead", [up(), is("dead")], "partial", [1, 1, 2]],
  ["one ended in an unknown way", [up(), exited(null)], "partial", [1, 1, 2]],
  ["a finished one-shot beside a running one", [up(), exited(0)], "running", [1, 1, 2]],
  ["a failed one-shot beside a running one", [up(), exited(3)], "partial", [1, 1, 2]],
  ["a finished one-shot alone", [exited(0)], "stopped", [0, 0, 1]],
  ["one that restarts", [up(), is("restarting")], "partial", [1, 1, 2]],
  ["only one that restarts", [is("restarting")], "partial", [0, 0, 1]],
  ["only paused ones", [is("paused"), is("paused")], "partial", [0, 0, 2]],
];

for (const [name, containers, status, [running, healthy, total]] of cases) {
  Deno.test(`environmentStatus() of ${name} is ${status}`, () => {
    assert.deepEqual(environmentStatus(containers), {
      status,
      counts: { running, healthy, total },
    });
  });
}

Deno.test("environmentStatus() counts containers that are missing, and is partial without them", () => {
  assert.deepEqual(environmentStatus([up(), exited(0)], 1), {
    status: "partial",
    counts: { running: 1, healthy: 1, total: 3 },
  });
  assert.deepEqual(environmentStatus([], 2), {
    status: "stopped",
    counts: { running: 0, healthy: 0, total: 2 },
  });
});
