/** What an environment or a service is doing, in words, a glyph and a tone: each alone tells the states apart. */

import type { Operation, OperationKind } from "../src/domain/api.ts";
import type { Environment, Service } from "../src/domain/environment.ts";
import { isEnding } from "./operation_steps.ts";

/** The shapes of {@link glyph}. */
export type Shape =
  | "full"
  | "half"
  | "hollow"
  | "warning"
  | "cross"
  | "check"
  | "spinner"
  | "diamond"
  | "gone"
  | "unknown";

/** The meanings of colours. */
export type Tone = "good" | "warn" | "bad" | "busy" | "idle";

/** How a state is shown. */
export interface Shown {
  shape: Shape;
  tone: Tone;
  /** One or two words: `running`, `creating…`. */
  word: string;
  /** What there is to add: `3/3 healthy`, `2/3`, or nothing. */
  detail: string;
  /** The same in a narrow place: `3/3`, or nothing. */
  count: string;
}

const STATUSES: Readonly<Record<Environment["status"], Omit<Shown, "detail" | "count">>> = {
  running: { shape: "full", tone: "good", word: "running" },
  partial: { shape: "half", tone: "warn", word: "partial" },
  stopped: { shape: "hollow", tone: "idle", word: "stopped" },
  unhealthy: { shape: "warning", tone: "bad", word: "unhealthy" },
  creating: { shape: "spinner", tone: "busy", word: "creating…" },
  failed: { shape: "cross", tone: "bad", word: "failed" },
  destroying: { shape: "spinner", tone: "busy", word: "destroying…" },
  simple: { shape: "diamond", tone: "idle", word: "simple" },
  missing: { shape: "gone", tone: "bad", word: "missing" },
  unknown: { shape: "unknown", tone: "warn", word: "unknown" },
};

/** Tells how an environment's status is shown. */
export function showStatus({ status, mode, containers }: Environment): Shown {
  const shown = STATUSES[status];
  const { running, healthy, total } = containers;
  const isCounted = mode === "docker" && ["running", "partial", "unhealthy"].includes(status);
  if (!isCounted) return { ...shown, detail: "", count: "" };
  const count = `${running}/${total}`;
  // As `piko list` says it. A container without a health check counts as healthy while it runs.
  if (healthy < running) {
    const counts = { detail: `${count}, ${healthy} healthy`, count };
    return status === "running"
      ? { shape: "spinner", tone: "busy", word: "starting", ...counts }
      : { ...shown, ...counts };
  }
  // One that has done its work and ended is not healthy, and not sick.
  const isWhole = status === "running" && running === total;
  return { ...shown, detail: isWhole ? `${count} healthy` : count, count };
}

const AT_WORK: Readonly<Record<OperationKind, string>> = {
  create: "creating…",
  up: "starting…",
  down: "stopping…",
  restart: "restarting…",
  destroy: "destroying…",
};

/** Tells how an environment is shown while an operation is at work on it. */
export function showOperation(operation: Operation, environment?: Environment): Shown {
  const { kind } = operation;
  const counts = environment === undefined || kind === "create"
    ? { detail: "", count: "" }
    : showStatus(environment);
  return {
    shape: "spinner",
    tone: "busy",
    word: !isEnding(operation) ? AT_WORK[kind] : kind === "create" ? "undoing…" : "cancelling…",
    detail: counts.detail,
    count: "",
  };
}

/** The most services that are named as not running. */
const MOST_NAMED = 4;

/** Says what a status that is not self-explanatory means. */
export function explainStatus(
  { status, path, name }: Environment,
  services: readonly Service[],
): string | null {
  switch (status) {
    case "partial": {
      // One that has done its work takes nothing away.
      const others = services.filter(({ state, exitCode }) =>
        state !== "running" && exitCode !== 0
      );
      return sentence("Not running", others) ?? "Some of its containers run and some do not.";
    }
    case "stopped":
      return sentence("Failed", services.filter(hasFailed));
    case "failed":
      return "It was not made or removed completely. Destroying it removes what there is of it.";
    case "missing":
      return `Its worktree ${path} is gone. Destroying ${name} clears away what is left of it.`;
    case "unknown":
      return "No Docker engine answers, so nobody knows what runs.";
    default:
      return null;
  }
}

function sentence(what: string, services: readonly Service[]): string | null {
  if (services.length === 0) return null;
  const named = services.slice(0, MOST_NAMED).map((one) => `${one.service} ${stateWord(one)}`);
  const more = services.length - named.length;
  return `${what}: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}

/** What a stop makes programs end with that do not listen to it: 128 and SIGINT, SIGKILL or SIGTERM. */
const STOPPED: ReadonlySet<number> = new Set([130, 137, 143]);

function hasFailed({ state, exitCode }: Service): boolean {
  return state === "exited" && exitCode !== null && exitCode !== 0 && !STOPPED.has(exitCode);
}

/** Says what a container is doing as `docker ps` does: `exited (3)`. */
function stateWord({ state, exitCode }: Service): string {
  return exitCode === null ? state : `${state} (${exitCode})`;
}

/** Tells how a service's state is shown. */
export function showService(service: Service): Shown {
  const { container, state, health, exitCode } = service;
  const shown = (shape: Shape, tone: Tone, word: string, detail = "") => ({
    shape,
    tone,
    word,
    detail,
    count: "",
  });
  if (state === "unknown") return shown("unknown", "warn", "unknown");
  if (container === null) return shown("hollow", "idle", "no container");
  if (health === "unhealthy") return shown("warning", "bad", "unhealthy", state);
  switch (state) {
    case "running":
      return health === "starting"
        ? shown("spinner", "busy", "starting", "waits for its health check")
        : shown("full", "good", "running", health ?? "");
    case "restarting":
      return shown("warning", "bad", stateWord(service), "it ends again and again");
    case "paused":
      return shown("half", "warn", "paused");
    case "created":
      return shown("hollow", "idle", "created", "never started");
  }
  if (hasFailed(service)) return shown("cross", "bad", stateWord(service), "failed");
  const isStopped = exitCode !== null && STOPPED.has(exitCode);
  return shown("hollow", "idle", stateWord(service), isStopped ? "stopped" : "");
}

/** Tells whether an environment's containers can be stopped: some of them run. */
export function canStop({ mode, status }: Environment): boolean {
  return mode === "docker" && ["running", "partial", "unhealthy"].includes(status);
}

/** Tells whether an environment's containers can be started: some of them do not run. */
export function canStart({ mode, status }: Environment): boolean {
  return mode === "docker" && ["stopped", "partial", "unknown"].includes(status);
}
