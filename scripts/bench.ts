/**
 * `task bench`: how long piko takes, against an empty `deno run`, one `docker ps`, and the same work by hand.
 * Everything is measured in one run, by turns, and told as medians and ratios: absolute times say as much
 * about the machine as about piko.
 *
 * With Chromium at hand it also tells how soon the page of `piko server` shows what, and what that costs.
 *
 *     deno task bench [--rounds 30] [--creates 7] [--environments 20] [--only commands|page]
 */

import { parseArgs } from "node:util";
import { PikoError } from "../src/domain/errors.ts";
import { run } from "../src/programs/run.ts";
import { type Comparison, measure, noise, table, type Timing } from "./bench/measure.ts";
import { Place } from "./bench/place.ts";
import { runScript, say } from "./machine/say.ts";
import { setUpMachine, tellMissing } from "./machine/set_up.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

/** How many environments are made at once before the measurement. */
const AT_ONCE = 4;

await runScript(async () => {
  const { rounds, creates, environments, only } = readArguments();
  const { missing } = await setUpMachine({
    ask: true,
    want: ["git", "engine", "compose", "images", "chromium"],
  });
  tellMissing(missing);
  const hasBrowser = missing.every(({ program }) => program !== "chromium");
  if (missing.some(({ program }) => program !== "chromium")) {
    throw new PikoError("The benchmark needs a Docker engine, compose and git", {
      code: "unavailable",
    });
  }
  say("Building dist/piko");
  await run([Deno.execPath(), "run", "--allow-all", "--no-prompt", "scripts/build.ts"], {
    cwd: root,
  });

  await using place = await Place.create(root);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    if (only !== "page") {
      const creation = await measureCreation(place, creates, stop.signal);
      const commands = await measureCommands(place, rounds, environments, stop.signal);
      tell([...commands, ...creation], { rounds, creates });
    }
    if (only !== "commands" && hasBrowser) {
      const { measurePage, pageTable } = await import("./bench/page.ts");
      const rows = await measurePage(place, Math.ceil(rounds / 2), stop.signal);
      console.log(`\n${pageTable(rows)}`);
    }
    return 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
});

/** Measures the short commands with many environments and their containers at hand. */
async function measureCommands(
  place: Place,
  rounds: number,
  environments: number,
  signal: AbortSignal,
): Promise<Comparison[]> {
  const repository = await place.makeLightRepository();
  say(`Making ${environments} environments of 3 containers`);
  const names = Array.from({ length: environments }, (_, index) => `e${index + 1}`);
  const waiting = names.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const name of waiting) {
      signal.throwIfAborted();
      await place.run([place.piko, "create", "--no-attach", name], repository);
    }
  }));

  // Eighty windows that connect to their containers would be what is measured, on a machine of two cores.
  await place.endSessions();

  const version = [place.piko, "--version"];
  const list = [place.piko, "list"];
  const env = [place.piko, "env", "e1"];
  const empty = [Deno.execPath(), "run", "--quiet", "--no-config", `${place.folder}/empty.js`];
  const ps = ["docker", "ps"];
  const containers = (await place.run(["docker", "ps", "--quiet"])).trim().split("\n").length;
  const listed = await place.run([...list, "--json"], repository);
  const found: { environments: unknown[] } = JSON.parse(listed);
  if (found.environments.length !== environments) {
    throw new PikoError(`piko list shows ${found.environments.length} of ${environments}`, {
      code: "failed",
    });
  }
  say(`Measuring the short commands, ${rounds} rounds, ${containers} containers on the engine`);
  const candidate = (argv: string[]) => ({
    work: async () => {
      signal.throwIfAborted();
      await place.run(argv, repository);
    },
  });
  const candidates = {
    empty: candidate(empty),
    ps: candidate(ps),
    version: candidate(version),
    list: candidate(list),
    env: candidate(env),
  };
  await measure(candidates, 3); // Not counted: caches fill.
  const times = await measure(candidates, rounds);
  const toEmpty = { against: "an empty `deno run`", baseline: times.empty };
  const toPs = { against: "`docker ps`", baseline: times.ps };
  const what = { version: "`piko --version`", list: `\`piko list\`, ${environments} environments` };
  return [
    { what: what.version, timing: times.version, ...toEmpty, wanted: 1.3 },
    { what: what.version, timing: times.version, ...toPs },
    { what: what.list, timing: times.list, ...toEmpty, wanted: 2 },
    { what: what.list, timing: times.list, ...toPs },
    { what: "`piko env`", timing: times.env, ...toEmpty },
    { what: "`piko env`", timing: times.env, ...toPs },
  ];
}

/** Measures `piko create` of the sample against a worktree and `docker compose up --wait` by hand. */
async function measureCreation(
  place: Place,
  rounds: number,
  signal: AbortSignal,
): Promise<Comparison[]> {
  const withPiko = await place.makeSampleRepository("with-piko");
  await place.run([place.piko, "init", "--name", `${place.prefix}-sample`], withPiko);
  // Who works by hand gives the second copy other ports; they stand in the file, so this costs no time.
  const byHand = await place.makeSampleRepository("by-hand", (compose) => {
    const published = /"\d+:(\d+)"/g;
    const free = freePorts(compose.match(published)?.length ?? 0).values();
    return compose.replaceAll(published, (_, port) => `"${free.next().value}:${port}"`);
  });
  let count = 0;
  const composeProject = () => `${place.prefix}-hand-${count}`;
  const worktree = () => `${place.folder}/hand-${count}`;

  const candidates = {
    piko: {
      prepare: () => Promise.resolve(void count++),
      work: async () => {
        signal.throwIfAborted();
        await place.run([place.piko, "create", "--no-attach", `work-${count}`], withPiko);
      },
      tidy: async () => {
        await place.run(
          [place.piko, "destroy", "--yes", "--force", "--volumes", `work-${count}`],
          withPiko,
        );
      },
    },
    hand: {
      prepare: () => Promise.resolve(void count++),
      work: async () => {
        signal.throwIfAborted();
        await place.run(
          ["git", "worktree", "add", "-b", `hand-${count}`, "--", worktree()],
          byHand,
        );
        await place.run(
          ["docker", "compose", "-p", composeProject(), "up", "--detach", "--wait"],
          worktree(),
        );
      },
      tidy: async () => {
        await place.run(
          ["docker", "compose", "-p", composeProject(), "down", "--volumes"],
          worktree(),
        );
        await place.run(["git", "worktree", "remove", "--force", "--", worktree()], byHand);
      },
    },
  };
  say(`Measuring piko create and the same work by hand, ${rounds} rounds`);
  await measure(candidates, 1); // Not counted: caches fill.
  const times = await measure(candidates, rounds);
  return [{
    what: "`piko create --no-attach`, 3 services",
    timing: times.piko,
    against: "`git worktree add`, `docker compose up -d --wait`",
    baseline: times.hand,
    wanted: 1.15,
  }];
}

function tell(
  comparisons: readonly Comparison[],
  { rounds, creates }: { rounds: number; creates: number },
): void {
  const timings = new Set<Timing>(
    comparisons.flatMap(({ timing, baseline }) => [timing, baseline]),
  );
  const missed = comparisons.filter(({ timing, baseline, wanted }) =>
    wanted !== undefined && timing.median / baseline.median > wanted
  );
  console.log(`
${table(comparisons)}

${rounds} rounds of the short commands, ${creates} of create, in turns. Noise: the quartiles lie ${
    noise([...timings]).toFixed(0)
  } % of the median apart.
${
    missed.length === 0
      ? "All wanted ratios are met."
      : `${missed.length} wanted ratio(s) not met.`
  }`);
}

/** Finds free ports; all are held until the last is found, so no two are the same. */
function freePorts(count: number): number[] {
  using held = new DisposableStack();
  return Array.from({ length: count }, () => {
    const listener = held.use(Deno.listen({ port: 0, hostname: "0.0.0.0" }));
    return listener.addr.port;
  });
}

interface Arguments {
  rounds: number;
  creates: number;
  environments: number;
  only: string | undefined;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    args: Deno.args.filter((arg) => arg !== "--"),
    options: {
      rounds: { type: "string", default: "30" },
      creates: { type: "string", default: "7" },
      environments: { type: "string", default: "20" },
      only: { type: "string" },
    },
  });
  const { only } = values;
  if (only !== undefined && only !== "commands" && only !== "page") {
    throw new PikoError(`--only takes commands or page, not "${only}"`, { code: "usage" });
  }
  return {
    only,
    rounds: positive("rounds", values.rounds),
    creates: positive("creates", values.creates),
    environments: positive("environments", values.environments),
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new PikoError(`--${name} wants a number above 0, not "${text}"`, { code: "usage" });
}
