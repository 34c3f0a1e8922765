import assert from "node:assert/strict";
import { containersText } from "../../src/commands/list.ts";
import { type ContainerCondition, environmentStatus } from "../../src/domain/containers.ts";
import { showService, showStatus } from "../../web/status.ts";
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
