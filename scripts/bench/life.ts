/** How long an environment's life takes, against the same programs called by hand, in a shell script (by_hand.sh). */

import { say } from "../machine/say.ts";
import { type Comparison, type Timing, timing } from "./measure.ts";
import type { Place } from "./place.ts";

/** The parts of a life, in their order. */
const PARTS = ["create", "down", "up", "destroy"] as const;

type Part = typeof PARTS[number];

/** Milliseconds in which the windows of the session connect, before the next command is measured. */
const SETTLING = 1500;

/** Measures create, down, up and destroy of the sample with its database, in turns with the script. */
export async function measureLife(
  place: Place,
  { lives }: { lives: number },
  signal: AbortSignal,
): Promise<Comparison[]> {
  const withPiko = await place.makeSampleRepository("with-piko");
  await place.run([place.piko, "init", "--name", `${place.prefix}-sample`], withPiko);
  const byHand = await place.makeSampleRepository("by-hand", (compose) => {
    const published = /"\d+:(\d+)"/g;
    const free = freePorts(compose.match(published)?.length ?? 0).values();
    return compose.replaceAll(published, (_, port) => `"${free.next().value}:${port}"`);
  });
  const script = `${place.root}/scripts/bench/by_hand.sh`;
  const ways = {
    piko: (part: Part, name: string) =>
      place.run([place.piko, part, name, ...PIKO_FLAGS[part]], withPiko),
    hand: (part: Part, name: string) =>
      place.run(["env", `PREFIX=${place.prefix}`, "sh", script, part, name], byHand),
  };
  const times = { piko: emptyTimes(), hand: emptyTimes() };
  say(`Measuring an environment's life with piko and by hand, ${lives} of each`);
  // The first of each is not counted: caches fill.
  for (let life = 0; life <= lives; life++) {
    const order = life % 2 === 0 ? ["piko", "hand"] as const : ["hand", "piko"] as const;
    for (const way of order) {
      for (const part of PARTS) {
        signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, SETTLING));
        const start = performance.now();
        await ways[way](part, `life-${life}`);
        if (life > 0) times[way][part].push(performance.now() - start);
      }
    }
  }
  return PARTS.map((part) => ({
    what: `\`piko ${part}\`, 3 services`,
    timing: timing(times.piko[part]),
    against: "the same programs by hand",
    baseline: timing(times.hand[part]),
    wanted: 1.1,
    ...(REASONS[part] === undefined ? {} : { reason: REASONS[part] }),
  }));
}

/** Why a part takes longer than by hand, where it does. */
const REASONS: Partial<Record<Part, string>> = {
  down:
    "nearly all of both is `docker compose stop`; piko itself starts and ends, some 40 ms, and each of its windows " +
    "asks once whether its container is gone",
  destroy:
    "piko starts, looks for work and ends the session, some 60 ms, before `compose down` may begin",
};

const PIKO_FLAGS: Readonly<Record<Part, readonly string[]>> = {
  create: ["--no-attach"],
  down: [],
  up: [],
  destroy: ["--volumes", "--yes"],
};

function emptyTimes(): Record<Part, number[]> {
  return { create: [], down: [], up: [], destroy: [] };
}

/** How long so many creates take at once, and one after the other. */
export async function measureAtOnce(
  place: Place,
  { atOnce }: { atOnce: number },
  signal: AbortSignal,
): Promise<Comparison[]> {
  const repository = await place.makeLightRepository("at-once");
  const names = place.names(atOnce);
  const create = (name: string) =>
    place.run([place.piko, "create", "--no-attach", name], repository);
  const destroyAll = async () => {
    for (const name of names) {
      await place.run([place.piko, "destroy", "--yes", "--volumes", name], repository);
    }
  };
  say(`Measuring ${atOnce} creates one after the other, and at once`);
  signal.throwIfAborted();
  const inTurn = await timeOf(async () => {
    for (const name of names) await create(name);
  });
  await place.endSessions();
  await destroyAll();
  signal.throwIfAborted();
  const together = await timeOf(() => Promise.all(names.map(create)));
  await place.endSessions();
  await destroyAll();
  const cores = navigator.hardwareConcurrency;
  return [{
    what: `${atOnce} \`piko create\` at once, ${cores} cores`,
    timing: together,
    against: "one after the other",
    baseline: inTurn,
    wanted: 0.6,
    reason: `${cores} cores have no more to give than what one create leaves idle while it waits`,
  }];
}

async function timeOf(work: () => Promise<unknown>): Promise<Timing> {
  const start = performance.now();
  await work();
  return timing([performance.now() - start]);
}

/** Finds free ports; all are held until the last is found, so no two are the same. */
function freePorts(count: number): number[] {
  using held = new DisposableStack();
  return Array.from({ length: count }, () => {
    const listener = held.use(Deno.listen({ port: 0, hostname: "0.0.0.0" }));
    return listener.addr.port;
  });
}
