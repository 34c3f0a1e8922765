/**
 * Records the steps of an operation while it is being done. They go when it comes to an end, well or not, since whoever
 * called it is told; steps that stay say that piko was killed, and where.
 *
 * Up, down and restart say, each anew, whether containers run. What one of them has left when it was killed is to be done
 * again until a later one has come to its end for the same services; and once a later one wanted the opposite for some of
 * them, only a person can tell which it is to be.
 */

import { qualified } from "../domain/hints.ts";
import type { Step } from "../domain/report.ts";
import type { EnvironmentRecord, StepRecord } from "../store/environments.ts";
import type { Tools } from "./tools.ts";

type Registry = Pick<Tools, "environments">;

/** What says whether an environment's containers run. */
export type LifecycleOperation = "up" | "down" | "restart";

/** An up, down or restart. */
export interface Lifecycle {
  operation: LifecycleOperation;
  /** What was asked for; none of them means all. */
  services: readonly string[];
  /** What is needed to do it again. */
  detail: Readonly<Record<string, unknown>>;
}

/** An up, down or restart that was killed. */
export interface BrokenOff extends Lifecycle {
  last: StepRecord;
  steps: readonly number[];
  /** The command that wanted the opposite later, for some of its services. */
  since: string | undefined;
}

/** Does work that records its steps by `begin`; the detail is what is needed to do it again. */
export async function recordSteps<T>(
  { environments }: Registry,
  id: number,
  operation: string,
  detail: Record<string, unknown>,
  work: (begin: (step: Step) => void) => Promise<T>,
): Promise<T> {
  environments.endOperation(id, operation);
  try {
    return await work((step) => environments.beginStep(id, operation, step, detail));
  } finally {
    environments.endOperation(id, operation);
  }
}

/** Does an up, down or restart that records its steps by `begin`, and settles what earlier ones have left. */
export async function recordLifecycle<T>(
  tools: Registry,
  record: Pick<EnvironmentRecord, "id" | "project" | "name">,
  run: Lifecycle,
  work: (begin: (step: Step) => void) => Promise<T>,
): Promise<T> {
  const { environments } = tools;
  const { id } = record;
  const { operation, services } = run;
  const detail = { ...run.detail, asked: services };
  const own: number[] = [];
  const begin = (step: Step) => {
    if (own.length > 0) {
      own.push(environments.beginStep(id, operation, step, detail));
      return;
    }
    const earlier = listBrokenOff(tools, id);
    own.push(environments.beginRun(id, operation, step, detail, {
      // Its steps take the place of those of the same command.
      forget: stepsOf(earlier, (each) => each.operation === operation && ends(run, each)),
      doubt: stepsOf(earlier, (each) => opposes(run, each)),
      since: ["piko", operation, qualified(record), ...services].join(" "),
    }));
  };
  try {
    const result = await work(begin);
    endBrokenOff(tools, id, run);
    return result;
  } finally {
    environments.forgetSteps(own);
  }
}

/** Forgets what earlier ups, downs and restarts have left, as far as one that has come to its end settles it. */
export function endBrokenOff({ environments }: Registry, id: number, run: Lifecycle): void {
  environments.forgetSteps(
    stepsOf(listBrokenOff({ environments }, id), (each) => ends(run, each)),
  );
}

/** Lists the killed ups, downs and restarts of an environment that are to be done again, the oldest first. */
export function listUnsettled(tools: Registry, id: number): BrokenOff[] {
  return listBrokenOff(tools, id)
    .filter((run, index, all) => !all.slice(index + 1).some((later) => ends(later, run)));
}

/** Lists the ups, downs and restarts of an environment that have left steps, the oldest first. */
function listBrokenOff({ environments }: Registry, id: number): BrokenOff[] {
  const runs = new Map<string, BrokenOff>();
  for (const last of environments.listSteps(id)) {
    // What a step has started is no part of what was asked for.
    const { operation, detail: { since, process: _, ...detail } } = last;
    if (!isLifecycle(operation)) continue;
    const key = JSON.stringify([operation, detail]);
    const steps = [...runs.get(key)?.steps ?? [], last.id];
    // In the order of their last steps.
    runs.delete(key);
    runs.set(key, {
      operation,
      // A piko that did not record what was asked for has left only what it did.
      services: listOf(detail.asked ?? detail.services),
      detail,
      last,
      steps,
      since: typeof since === "string" ? since : undefined,
    });
  }
  return [...runs.values()];
}

function isLifecycle(operation: string): operation is LifecycleOperation {
  return operation === "up" || operation === "down" || operation === "restart";
}

/** Tells whether nothing is left to do of an earlier one once a later one has come to its end. */
function ends(later: Lifecycle, earlier: Lifecycle): boolean {
  const covers = later.services.length === 0 ||
    earlier.services.length > 0 &&
      earlier.services.every((service) => later.services.includes(service));
  return covers && (wants(later) !== "made" || wants(earlier) === "made");
}

/** Tells whether a later one leaves some containers in another state than an earlier one wanted. */
function opposes(later: Lifecycle, earlier: Lifecycle): boolean {
  const overlap = later.services.length === 0 || earlier.services.length === 0 ||
    earlier.services.some((service) => later.services.includes(service));
  const [now, before] = [wants(later), wants(earlier)];
  return overlap && now !== before && now !== "made" && before !== "made";
}

/** What is to be so of its containers: `made` is what moves to shared services and leaves them stopped or running. */
function wants({ operation, detail }: Lifecycle): "running" | "stopped" | "made" {
  if (operation === "down") return "stopped";
  return detail.start === false ? "made" : "running";
}

function stepsOf(runs: readonly BrokenOff[], which: (run: BrokenOff) => boolean): number[] {
  return runs.filter(which).flatMap(({ steps }) => steps);
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
