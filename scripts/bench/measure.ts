/**
 * Measures how long programs take, and what may be said about it. The candidates take turns, so that
 * whatever else the machine does hits all of them alike; medians and quartiles, because one slow run says
 * nothing.
 */

/** The middle of a row of measurements, in milliseconds, and the two quartiles around it. */
export interface Timing {
  median: number;
  lower: number;
  upper: number;
}

/** One piece of work that is timed; what `prepare` and `tidy` do is not. */
export interface Candidate {
  prepare?: () => Promise<void>;
  work: () => Promise<void>;
  tidy?: () => Promise<void>;
}

/** Times each candidate `rounds` times, in turns and each round in another order. */
export async function measure<Name extends string>(
  candidates: Readonly<Record<Name, Candidate>>,
  rounds: number,
): Promise<Record<Name, Timing>> {
  const names = Object.keys(candidates) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]!;
      const { prepare, work, tidy } = candidates[name];
      await prepare?.();
      const start = performance.now();
      await work();
      times.get(name)?.push(performance.now() - start);
      await tidy?.();
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, timing(times.get(name) ?? [])]),
  ) as Record<Name, Timing>;
}

/** Sums up measurements; between two of them it interpolates. */
export function timing(times: readonly number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = (sorted.length - 1) * share;
    const below = sorted[Math.floor(place)] ?? NaN;
    const above = sorted[Math.ceil(place)] ?? NaN;
    return below + (above - below) * (place % 1);
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

/** One line of the table: a piece of work against another, and the ratio that is wanted. */
export interface Comparison {
  what: string;
  timing: Timing;
  against: string;
  baseline: Timing;
  /** The ratio that is wanted at most; without one the line is there to be known. */
  wanted?: number;
  /** Why it is as it is, for whoever reads that the ratio is not met or not wanted. */
  reason?: string;
}

/** Tells whether a ratio is wanted and not met. */
export function isMissed({ timing, baseline, wanted }: Comparison): boolean {
  return wanted !== undefined && timing.median / baseline.median > wanted;
}

/** Lists the reasons of the comparisons that are not met, or of which nothing is wanted. */
export function reasons(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap((comparison) => {
    const { what, wanted, reason } = comparison;
    const isWorthIt = reason !== undefined && (wanted === undefined || isMissed(comparison));
    return isWorthIt ? [`- ${what}: ${reason}`] : [];
  });
}

/** Writes the comparisons as a Markdown table. */
export function table(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => {
    const { what, timing, against, baseline, wanted } = comparison;
    const ratio = timing.median / baseline.median;
    const verdict = wanted === undefined ? "" : isMissed(comparison) ? "not met" : "met";
    const limit = wanted === undefined ? "" : `≤ ${wanted} ×`;
    return [
      what,
      inMilliseconds(timing),
      against,
      inMilliseconds(baseline),
      `${ratio.toFixed(2)} ×`,
      limit,
      verdict,
    ];
  });
  const head = [
    "what",
    "median (quartiles)",
    "against",
    "median (quartiles)",
    "ratio",
    "wanted",
    "",
  ];
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function inMilliseconds({ median, lower, upper }: Timing): string {
  const digits = median < 100 ? 1 : 0;
  const [middle, from, to] = [median, lower, upper].map((time) => time.toFixed(digits));
  return `${middle} ms (${from}–${to})`;
}

/** Tells how unsteady the machine was: the mean width of the quartiles, in percent of the median. */
export function noise(timings: readonly Timing[]): number {
  const widths = timings.map(({ median, lower, upper }) => (upper - lower) / median);
  return widths.reduce((sum, width) => sum + width, 0) / widths.length * 100;
}
