/** Makes of an operation's reports the steps that a person follows, each with its output and what became of it. */

import type { Operation, OperationKind, OperationReport } from "../src/domain/api.ts";
import type { Step } from "../src/domain/report.ts";

/** The names of the steps, the words of the terminal (src/domain/report.ts). */
export const STEP_TITLES: Readonly<Record<Step, string>> = {
  worktree: "Worktree",
  files: "Files",
  data: "Data",
  shared: "Shared",
  ports: "Ports",
  override: "Override file",
  prepare: "Prepare script",
  containers: "Containers",
  networks: "Networks",
  ready: "Readiness",
  setup: "Setup script",
  session: "Session",
  destroy: "Destroy script",
  volumes: "Volumes",
  branch: "Branch",
  record: "Registry",
};

/** A line that a script or a program has printed. */
export interface OutputLine {
  index: number;
  text: string;
  isError: boolean;
}

/** One step of an operation. */
export interface StepEntry {
  kind: "step";
  key: number;
  step: Step;
  state: "running" | "done" | "failed" | "stopped";
  message: string;
  startedAt: string;
  endedAt: string | null;
  output: OutputLine[];
}

/** Something that is told between the steps. */
export interface NoteEntry {
  kind: "undone" | "warning" | "note" | "waiting";
  key: number;
  message: string;
  hint: string | null;
}

export type Entry = StepEntry | NoteEntry;

/** Puts reports together; a step without an end has stopped when its operation has. */
export function entriesOf(
  reports: readonly OperationReport[],
  operation: Operation,
): Entry[] {
  const entries: Entry[] = [];
  let current: StepEntry | undefined;
  const stepOf = ({ index, at }: OperationReport, step: Step): StepEntry => {
    if (current?.step === step && current.endedAt === null) return current;
    current = {
      kind: "step",
      key: index,
      step,
      state: "running",
      message: "",
      startedAt: at,
      endedAt: null,
      output: [],
    };
    entries.push(current);
    return current;
  };
  for (const told of reports) {
    const { index, at, report } = told;
    switch (report.kind) {
      case "started":
        if (current?.endedAt === null) current.endedAt = at;
        current = undefined;
        stepOf(told, report.step).message = report.message;
        break;
      case "progress":
        stepOf(told, report.step).message = report.message;
        break;
      case "done":
      case "failed": {
        const step = stepOf(told, report.step);
        step.state = report.kind;
        step.endedAt = at;
        if (report.message !== "") step.message = report.message;
        break;
      }
      case "output":
        stepOf(told, report.step).output.push({
          index,
          text: report.line,
          isError: report.from === "stderr",
        });
        break;
      case "warning":
        entries.push({
          kind: "warning",
          key: index,
          message: report.message,
          hint: report.hint ?? null,
        });
        break;
      case "undone":
      case "note":
      case "waiting":
        entries.push({ kind: report.kind, key: index, message: report.message, hint: null });
        break;
    }
  }
  if (operation.state !== "running") {
    for (const entry of entries) {
      if (entry.kind === "step" && entry.state === "running") entry.state = "stopped";
    }
  }
  return entries;
}

/** How an operation stands; one that was asked to end is not at its work any more. */
type Standing = Operation["state"] | "ending";

const TITLES: Readonly<Record<OperationKind, Readonly<Record<Standing, string>>>> = {
  create: {
    running: "Creating",
    ending: "Undoing",
    done: "Created",
    failed: "Not created",
    cancelled: "Not created",
  },
  up: {
    running: "Starting",
    ending: "Cancelling the start",
    done: "Started",
    failed: "Start failed",
    cancelled: "Start cancelled",
  },
  down: {
    running: "Stopping",
    ending: "Cancelling the stop",
    done: "Stopped",
    failed: "Stop failed",
    cancelled: "Stop cancelled",
  },
  restart: {
    running: "Restarting",
    ending: "Cancelling the restart",
    done: "Restarted",
    failed: "Restart failed",
    cancelled: "Restart cancelled",
  },
  destroy: {
    running: "Destroying",
    ending: "Cancelling the rest",
    done: "Destroyed",
    failed: "Destroy failed",
    cancelled: "Destroy cancelled",
  },
};

/** Says in a word or two what an operation does or has done. */
export function operationTitle(operation: Operation): string {
  return TITLES[operation.kind][isEnding(operation) ? "ending" : operation.state];
}

/** Tells whether an operation was asked to end and has not come to its end yet. */
export function isEnding({ state, cancelledAt }: Operation): boolean {
  return state === "running" && cancelledAt !== null;
}

/** Says what a cancel would do. */
export function cancelTitle(kind: OperationKind): string {
  if (kind === "create") return "Cancel and undo";
  // Nothing brings back what is destroyed already.
  return kind === "destroy" ? "Cancel the rest" : "Cancel";
}
