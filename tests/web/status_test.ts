import assert from "node:assert/strict";
import { containersText } from "../../src/commands/list.ts";
import { type ContainerCondition, environmentStatus } from "../../src/domain/containers.ts";
import { explainStatus, showService, showStatus } from "../../web/status.ts";
import { sampleEnvironment } from "./samples.ts";

const RUNS: ContainerCondition = { state: "running", health: null, exitCode: null };
const HEALTHY: ContainerCondition = { ...RUNS, health: "healthy" };
const STARTING: ContainerCondition = { ...RUNS, health: "starting" };
const SICK: ContainerCondition = { ...RUNS, health: "unhealthy" };
const DONE: ContainerCondition = { state: "exited", health: null, exitCode: 0 };
const BROKEN: ContainerCondition = { ...DONE, exitCode: 1 };

Deno.test("showStatus() counts containers as piko list does", () => {
  for (
    const [containers, page, list] of [
      [[RUNS, RUNS, HEALTHY], "running 3/3 healthy", "3/3"],
      [[RUNS, RUNS, STARTING], "starting 3/3, 2 healthy", "3/3, 2 healthy"],
      [[RUNS, RUNS, SICK], "unhealthy 3/3, 2 healthy", "3/3, 2 healthy"],
      [[RUNS, HEALTHY, DONE], "running 2/3", "2/3"],
      [[RUNS, HEALTHY, BROKEN], "partial 2/3", "2/3"],
      [[RUNS, STARTING, BROKEN], "partial 2/3, 1 healthy", "2/3, 1 healthy"],
    ] as const
  ) {
    const { status, counts } = environmentStatus(containers);
    const { environment } = sampleEnvironment({ status, containers: counts });
    const { word, detail, count } = showStatus(environment);
    assert.equal(`${word} ${detail}`, page);
    assert.equal(containersText(environment), list);
    assert.ok(list.startsWith(count), `${count} and ${list}`);
  }
});

Deno.test("showService() does not say that a container was never there, which somebody may have removed", () => {
  const { services: [service] } = sampleEnvironment();
  assert.ok(service !== undefined);
  const { word, detail } = showService({ ...service, container: null, state: "missing" });
  assert.deepEqual([word, detail], ["no container", ""]);
});

Deno.test("showService() tells a container that failed from one that was stopped or has done its work", () => {
  const { services: [service] } = sampleEnvironment();
  assert.ok(service !== undefined);
  for (
    const [state, exitCode, expected] of [
      ["exited", 0, "hollow idle: exited (0)"],
      ["exited", 3, "cross bad: exited (3) failed"],
      ["exited", 143, "hollow idle: exited (143) stopped"],
      ["exited", 137, "hollow idle: exited (137) stopped"],
      ["exited", null, "hollow idle: exited"],
      ["restarting", 1, "warning bad: restarting (1) it ends again and again"],
    ] as const
  ) {
    const { shape, tone, word, detail } = showService({
      ...service,
      state,
      exitCode,
      health: null,
    });
    assert.equal(`${shape} ${tone}: ${word} ${detail}`.trimEnd(), expected);
  }
});

Deno.test("explainStatus() names the services that do not run, and those that failed", () => {
  const { environment, services: [one] } = sampleEnvironment();
  assert.ok(one !== undefined);
  const named = (service: string, state: string, exitCode: number | null = null) => ({
    ...one,
    service,
    container: state === "missing" ? null : service,
    state,
    exitCode,
  });
  const services = [
    named("cache", "exited", 143),
    named("checked", "exited", 3),
    named("migrate", "exited", 0),
    named("web", "running"),
    named("worker", "missing"),
  ];
  const explain = (status: "partial" | "stopped" | "running", count = services.length) =>
    explainStatus({ ...environment, status }, services.slice(0, count));
  assert.equal(
    explain("partial"),
    "Not running: cache exited (143), checked exited (3), worker missing.",
  );
  assert.equal(explain("stopped"), "Failed: checked exited (3).");
  assert.equal(explain("stopped", 1), null);
  assert.equal(explain("running"), null);
});
