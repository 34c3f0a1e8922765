/**
 * `task bench`: how long piko takes, against an empty `deno run`, one `docker ps`, and the same programs called by hand,
 * and how it grows. Everything is measured in one run, by turns, and told as medians and ratios: absolute times say as
 * much about the machine as about piko.
 *
 * With Chromium at hand it also tells how soon the page of `piko server` shows what, and what that costs.
 *
 *     deno task bench
 *     deno task bench --only start,life,at-once,growth,page --rounds 30 --lives 7 --at-once 20 --environments 20
 *     deno task bench --readme      writes the tables and the plot of this machine into the README
 */

import { parseArgs } from "node:util";
import { PikoError } from "../src/domain/errors.ts";
import { run } from "../src/programs/run.ts";
import { growthSeries, growthTable, measureGrowth } from "./bench/growth.ts";
import { measureAtOnce, measureLife } from "./bench/life.ts";
import { type Comparison, isMissed, noise, reasons, table, type Timing } from "./bench/measure.ts";
import { Place } from "./bench/place.ts";
import { plot } from "./bench/plot.ts";
import { withBenchmark } from "./bench/readme.ts";
import { measureStart } from "./bench/start.ts";
import { runScript, say } from "./machine/say.ts";
import { setUpMachine, tellMissing } from "./machine/set_up.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

/** The numbers of environments that are measured; piko has 220 slots. */
const GROWTH = [1, 10, 50, 100, 200];

/** Where the plot of the README is. */
const PLOT = "scripts/bench/growth.svg";

/** The parts of the benchmark. */
const PARTS = ["start", "life", "at-once", "growth", "page"] as const;

await runScript(async () => {
  const options = readArguments();
  const { missing } = await setUpMachine({
    ask: true,
    want: ["git", "tmux", "engine", "compose", "images", "chromium"],
  });
  tellMissing(missing);
  const hasBrowser = missing.every(({ program }) => program !== "chromium");
  if (missing.some(({ program }) => program !== "chromium")) {
    throw new PikoError("The benchmark needs a Docker engine, compose, tmux and git", {
      code: "unavailable",
    });
  }
  say("Building dist/piko");
  await run([Deno.execPath(), "run", "--allow-all", "--no-prompt", "scripts/build.ts"], {
    cwd: root,
  });
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    await measureAll(
      { ...options, only: options.only.filter((part) => part !== "page" || hasBrowser) },
      stop.signal,
    );
    return 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
});

async function measureAll(options: Options, signal: AbortSignal): Promise<void> {
  const comparisons: Comparison[] = [];
  let growth: { table: string; plot: string } | undefined;
  let page: string | undefined;
  for (const part of PARTS) {
    if (!options.only.includes(part)) continue;
    await using place = await Place.create(root);
    if (part === "start") comparisons.push(...await measureStart(place, options, signal));
    if (part === "life") comparisons.push(...await measureLife(place, options, signal));
    if (part === "at-once") comparisons.push(...await measureAtOnce(place, options, signal));
    if (part === "page") {
      const { measurePage, pageTable } = await import("./bench/page.ts");
      page = pageTable(await measurePage(place, Math.ceil(options.rounds / 2), signal));
    }
    if (part === "growth") {
      const points = await measureGrowth(place, { ...options, steps: GROWTH }, signal);
      growth = {
        table: growthTable(points),
        plot: plot(growthSeries(points), {
          title: "Time and memory against the number of environments",
          x: "environments",
          y: "ms, MiB",
        }),
      };
    }
  }
  const told = tell(comparisons, options);
  console.log([told, growth?.table, page].filter(Boolean).join("\n\n"));
  if (growth !== undefined) {
    await Deno.mkdir(`${root}/dist`, { recursive: true });
    const file = options.readme ? `${root}/${PLOT}` : `${root}/dist/growth.svg`;
    await Deno.writeTextFile(file, growth.plot);
    if (options.readme) await run([Deno.execPath(), "fmt", "--quiet", PLOT], { cwd: root });
    say(`✓ Wrote ${file}`);
  }
  if (options.readme) {
    const readme = `${root}/README.md`;
    const text = await Deno.readTextFile(readme);
    const words = [
      machineWords(),
      told,
      growth && `![How time and memory grow with the number of environments](${PLOT})`,
      growth?.table,
      page,
    ].filter((one) => one !== undefined);
    await Deno.writeTextFile(readme, withBenchmark(text, words.join("\n\n")));
    say(`✓ Wrote the benchmark into ${readme}`);
  }
}

function tell(comparisons: readonly Comparison[], { rounds, lives }: Options): string | undefined {
  if (comparisons.length === 0) return undefined;
  const timings = new Set<Timing>(
    comparisons.flatMap(({ timing, baseline }) => [timing, baseline]),
  );
  const missed = comparisons.filter(isMissed);
  const why = reasons(comparisons);
  return `${table(comparisons)}

${
    why.length === 0
      ? ""
      : `${why.join("\n")}\n\n`
  }${rounds} rounds of the short commands, ${lives} lives of an environment, in turns. Noise: the quartiles lie ${
    noise([...timings]).toFixed(0)
  } % of the median apart. ${
    missed.length === 0 ? "All wanted ratios are met." : `${missed.length} wanted ratio(s) not met.`
  }`;
}

function machineWords(): string {
  const day = new Date().toISOString().slice(0, 10);
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `Measured on ${day} on ${Deno.build.os} ${Deno.build.arch} with ${navigator.hardwareConcurrency} cores and ${memory} GiB.`;
}

interface Options {
  only: readonly string[];
  rounds: number;
  lives: number;
  atOnce: number;
  environments: number;
  withContainers: number;
  readme: boolean;
}

function readArguments(): Options {
  const { values } = parseArgs({
    args: Deno.args.filter((arg) => arg !== "--"),
    options: {
      only: { type: "string", default: PARTS.join(",") },
      rounds: { type: "string", default: "30" },
      lives: { type: "string", default: "7" },
      "at-once": { type: "string", default: "20" },
      environments: { type: "string", default: "20" },
      "with-containers": { type: "string", default: "20" },
      readme: { type: "boolean", default: false },
    },
  });
  const only = values.only.split(",");
  const unknown = only.find((part) => !PARTS.some((known) => known === part));
  if (unknown !== undefined) {
    throw new PikoError(`There is no part "${unknown}" of the benchmark`, {
      code: "usage",
      hint: `--only ${PARTS.join(",")}`,
    });
  }
  return {
    only,
    rounds: positive("rounds", values.rounds),
    lives: positive("lives", values.lives),
    atOnce: positive("at-once", values["at-once"]),
    environments: positive("environments", values.environments),
    withContainers: positive("with-containers", values["with-containers"]),
    readme: values.readme,
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new PikoError(`--${name} wants a number above 0, not "${text}"`, { code: "usage" });
}
