/**
 * How piko grows with the number of environments: their worktrees and rows are real, and so are the containers of as many
 * as the machine bears.
 */

import { DEFAULT_SOCKET } from "../../src/programs/docker_context.ts";
import { sendRequest } from "../../src/programs/http.ts";
import { say } from "../machine/say.ts";
import { measure } from "./measure.ts";
import type { EventReader, Place } from "./place.ts";
import type { Series } from "./plot.ts";

/** What was measured with so many environments. */
export interface GrowthPoint {
  environments: number;
  containers: number;
  /** Milliseconds. */
  list: number;
  status: number;
  env: number;
  /** `GET /`, with the page rendered. */
  page: number;
  /** From the question to the engine to pause a container until the event of it is read from `/api/events`. */
  event: number;
  /** MiB that `piko server` holds after it has answered. */
  memory: number;
}

/** Measures at each of some numbers of environments. */
export async function measureGrowth(
  place: Place,
  { steps, withContainers, rounds }: {
    steps: readonly number[];
    withContainers: number;
    rounds: number;
  },
  signal: AbortSignal,
): Promise<GrowthPoint[]> {
  const simple = await place.makeEmptyRepository("growth");
  const docker = await place.makeLightRepository("growth-containers");
  const points: GrowthPoint[] = [];
  let made = 0;
  for (const environments of steps) {
    say(`Growing to ${environments} environments`);
    const names = place.names(environments).slice(made);
    const inDocker = names.slice(0, Math.max(0, withContainers - made));
    await place.createAll(docker, inDocker, signal);
    await place.createAll(simple, names.slice(inDocker.length), signal);
    made = environments;
    points.push(await measurePoint(place, docker, environments, rounds, signal));
  }
  return points;
}

async function measurePoint(
  place: Place,
  repository: string,
  environments: number,
  rounds: number,
  signal: AbortSignal,
): Promise<GrowthPoint> {
  const candidate = (...argv: string[]) => ({
    work: async () => {
      signal.throwIfAborted();
      await place.run([place.piko, ...argv], repository);
    },
  });
  const commands = {
    list: candidate("list", "--all"),
    status: candidate("status", "e1"),
    env: candidate("env", "e1"),
  };
  await measure(commands, 2); // Not counted: caches fill.
  const times = await measure(commands, rounds);
  await using server = await place.startServer(repository);
  const visit = { page: { work: () => server.visit() } };
  await measure(visit, 3);
  const { page } = await measure(visit, rounds);
  await using events = await server.readEvents();
  const change = { event: { work: () => togglePause(place, events) } };
  await measure(change, 2);
  const { event } = await measure(change, evenly(rounds));
  const ours = ["--filter", `name=${place.prefix}`];
  const containers = (await place.run(["docker", "ps", "--quiet", ...ours])).trim().split("\n");
  return {
    environments,
    containers: containers.filter(Boolean).length,
    list: times.list.median,
    status: times.status.median,
    env: times.env.median,
    page: page.median,
    event: event.median,
    memory: await server.memory(),
  };
}

/** An even number, so that no container is left paused. */
function evenly(rounds: number): number {
  return rounds + rounds % 2;
}

/** Pauses a container of the first environment, or lets it go on, and waits until the server has told it. */
async function togglePause(place: Place, events: EventReader): Promise<void> {
  const container = `${place.prefix}-growth-containers-e1-one-1`;
  events.isPaused = !events.isPaused;
  using engine = await Deno.connect({ transport: "unix", path: DEFAULT_SOCKET });
  const action = events.isPaused ? "pause" : "unpause";
  await sendRequest(engine, "POST", `/containers/piko-${container}/${action}`);
  await events.until(`"status":"${events.isPaused ? "partial" : "running"}"`);
}

/** Writes the points as a Markdown table. */
export function growthTable(points: readonly GrowthPoint[]): string {
  const rows = points.map((point) => [
    String(point.environments),
    String(point.containers),
    ...[point.list, point.status, point.env, point.page, point.event]
      .map((time) => `${time.toFixed(1)} ms`),
    `${point.memory.toFixed(0)} MiB`,
  ]);
  const head = [
    ...["environments", "containers", "`piko list --all`", "`piko status`", "`piko env`"],
    ...["the page", "an event", "memory of `piko server`"],
  ];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** The lines of the plot. */
export function growthSeries(points: readonly GrowthPoint[]): Series[] {
  const line = (name: string, value: (point: GrowthPoint) => number): Series => ({
    name,
    points: points.map((point) => [point.environments, value(point)]),
  });
  return [
    line("piko list --all", ({ list }) => list),
    line("piko status", ({ status }) => status),
    line("piko env", ({ env }) => env),
    line("the page", ({ page }) => page),
    line("an event", ({ event }) => event),
    line("memory", ({ memory }) => memory),
  ];
}
