/** How long the short commands take, with many environments and their containers at hand. */

import { PikoError } from "../../src/domain/errors.ts";
import { say } from "../machine/say.ts";
import { type Comparison, measure, type Timing } from "./measure.ts";
import type { Place } from "./place.ts";

/** Reads what `piko list` has to read, and does nothing with it. */
const LEAST = `
const engine = await Deno.connect({ transport: "unix", path: "/var/run/docker.sock" });
const question = "GET /containers/json?all=1 HTTP/1.0\\r\\nHost: docker\\r\\n\\r\\n";
await engine.write(new TextEncoder().encode(question));
const { DatabaseSync } = await import("node:sqlite");
const registry = new DatabaseSync(Deno.args[0], { timeout: 5000 });
const environments = registry.prepare("SELECT * FROM environments").all();
const answer = await new Response(engine.readable).text();
const containers = JSON.parse(answer.slice(answer.indexOf("\\r\\n\\r\\n")));
console.log(environments.length, containers.length);
registry.close();
`;

/** Measures the commands that a prompt or a Tab waits for, against an empty `deno run` and one `docker ps`. */
export async function measureStart(
  place: Place,
  { rounds, environments }: { rounds: number; environments: number },
  signal: AbortSignal,
): Promise<Comparison[]> {
  const repository = await place.makeLightRepository("start");
  say(`Making ${environments} environments of 3 containers`);
  await place.createAll(repository, place.names(environments), signal);

  const { piko } = place;
  const listed = await place.run([piko, "list", "--json"], repository);
  const found: { environments: unknown[] } = JSON.parse(listed);
  if (found.environments.length !== environments) {
    throw new PikoError(`piko list shows ${found.environments.length} of ${environments}`, {
      code: "failed",
    });
  }
  const containers = (await place.run(["docker", "ps", "--quiet"])).trim().split("\n").length;
  say(`Measuring the short commands, ${rounds} rounds, ${containers} containers on the engine`);
  const candidate = (argv: string[]) => ({
    work: async () => {
      signal.throwIfAborted();
      await place.run(argv, repository);
    },
  });
  await Deno.writeTextFile(`${place.folder}/least.js`, LEAST);
  const candidates = {
    empty: candidate([
      ...[Deno.execPath(), "run", "--quiet", "--no-config", `${place.folder}/empty.js`],
    ]),
    least: candidate([
      ...[Deno.execPath(), "run", "--allow-all", "--quiet", "--no-config"],
      ...[`${place.folder}/least.js`, `${place.variables.PIKO_HOME}/state.db`],
    ]),
    ps: candidate(["docker", "ps"]),
    version: candidate([piko, "--version"]),
    list: candidate([piko, "list"]),
    env: candidate([piko, "env", "e1"]),
    ports: candidate([piko, "ports", "e1"]),
    complete: candidate([piko, "complete", "bash", "e", "piko destroy e"]),
    status: candidate([piko, "status", "e1"]),
  };
  await measure(candidates, 3); // Not counted: caches fill.
  const times = await measure(candidates, rounds);
  const toEmpty = { against: "an empty `deno run`", baseline: times.empty };
  const toPs = { against: "`docker ps`", baseline: times.ps };
  const many = `${environments} environments`;
  const ratioOf = (one: Timing, other: Timing) => (one.median / other.median).toFixed(2);
  return [
    { what: "`piko --version`", timing: times.version, ...toEmpty, wanted: 1.25 },
    {
      ...{ what: `\`piko list\`, ${many}`, timing: times.list, ...toEmpty, wanted: 1.6 },
      reason:
        `what it has to ask for, the registry and the engine about ${containers} containers, ` +
        `takes ${
          ratioOf(times.least, times.empty)
        } × in a file of 10 lines; the rest is piko's own code`,
    },
    { what: "`piko env`", timing: times.env, ...toEmpty, wanted: 1.6 },
    { what: "`piko ports`", timing: times.ports, ...toEmpty, wanted: 1.6 },
    { what: "a Tab behind `piko destroy e`", timing: times.complete, ...toEmpty, wanted: 1.6 },
    { what: "`piko status`", timing: times.status, ...toEmpty },
    { what: `\`piko list\`, ${many}`, timing: times.list, ...toPs },
  ];
}
