/**
 * The long work that browsers ask for. It goes on whoever watches: what it reports is kept, and told to everybody; a
 * cancelled one ends as at Ctrl+C on the terminal, and says what it has left. It takes the same locks as the CLI, and never
 * waits for one: whoever asks is told who is at work.
 */

import type {
  Operation,
  OperationInFull,
  OperationKind,
  OperationReport,
  ServerEvent,
} from "../domain/api.ts";
import { PikoError } from "../domain/errors.ts";
import type { Report, Watch } from "../domain/report.ts";
import { refuseLocked } from "../operations/lock_environment.ts";
import type { Tools } from "../operations/tools.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { errorBody } from "./answers.ts";
import { describeCancelled } from "./cancelled.ts";

/** How many operations that have ended can still be asked for. */
const KEPT = 50;

/** How many reports of one operation are kept; lines of output give way first. */
const KEPT_REPORTS = 2000;

/** What an operation is about. */
export interface Wanted {
  kind: OperationKind;
  project: Pick<ProjectRecord, "id" | "name">;
  /** The environment's name. */
  name: string;
}

interface Running {
  operation: Operation;
  reports: OperationReport[];
  nextIndex: number;
  ending: AbortController;
  ended: Promise<void>;
}

/** The operations of this server. */
export class Operations {
  readonly #tools: Tools;
  readonly #publish: (event: ServerEvent) => void;
  readonly #failed: (error: unknown) => void;
  readonly #all = new Map<string, Running>();
  #isEnding = false;

  /** @param failed is told what went wrong that nobody expects. */
  constructor(
    tools: Tools,
    publish: (event: ServerEvent) => void,
    failed: (error: unknown) => void,
  ) {
    this.#tools = tools;
    this.#publish = publish;
    this.#failed = failed;
  }

  /** Lists the operations, the oldest first. */
  list(): Operation[] {
    return [...this.#all.values()].map(({ operation }) => operation);
  }

  /** Finds an operation with its reports. */
  find(id: string): OperationInFull | undefined {
    const found = this.#all.get(id);
    return found && { operation: found.operation, reports: found.reports };
  }

  /**
   * Makes sure that nobody is at work on an environment.
   *
   * @throws {PikoError} conflict that says who is.
   */
  async refuseBusy(wanted: Wanted): Promise<void> {
    this.#refuseOwn(wanted);
    await refuseLocked(this.#tools, wanted.project, wanted.name);
  }

  /**
   * Begins an operation.
   *
   * @throws {PikoError} conflict when this server is at work on the environment.
   */
  start(wanted: Wanted, work: (tools: Tools, watch: Watch) => Promise<void>): OperationInFull {
    this.#refuseOwn(wanted);
    if (this.#isEnding) throw serverEnding();
    const operation: Operation = {
      id: crypto.randomUUID(),
      kind: wanted.kind,
      project: wanted.project.name,
      environment: wanted.name,
      state: "running",
      startedAt: new Date().toISOString(),
      cancelledAt: null,
      endedAt: null,
      error: null,
    };
    const running: Running = {
      operation,
      reports: [],
      nextIndex: 0,
      ending: new AbortController(),
      ended: Promise.resolve(),
    };
    this.#all.set(operation.id, running);
    this.#publish({ type: "operation", operation });
    running.ended = this.#run(running, wanted, work);
    return { operation, reports: [] };
  }

  /** Asks an operation to end; false when it has ended already. */
  cancel(id: string): boolean {
    const found = this.#all.get(id);
    if (found?.operation.state !== "running") return false;
    this.#cancel(found);
    return true;
  }

  /** Cancels everything, lets nothing begin any more, and returns what was running with how it ended. */
  async end(): Promise<Operation[]> {
    this.#isEnding = true;
    const running = [...this.#all.values()].filter(({ operation }) =>
      operation.state === "running"
    );
    for (const one of running) this.#cancel(one);
    await Promise.all(running.map(({ ended }) => ended));
    return running.map(({ operation }) => this.#all.get(operation.id)?.operation ?? operation);
  }

  /** What it takes to end may take its time, so everybody is told at once that it was asked for. */
  #cancel(running: Running): void {
    if (running.operation.cancelledAt !== null) return;
    running.operation = { ...running.operation, cancelledAt: new Date().toISOString() };
    this.#publish({ type: "operation", operation: running.operation });
    running.ending.abort();
  }

  async #run(
    running: Running,
    wanted: Wanted,
    work: (tools: Tools, watch: Watch) => Promise<void>,
  ): Promise<void> {
    const { kind, name } = wanted;
    const tools = { ...this.#tools, command: `piko ${kind} ${name}`, block: false };
    const watch: Watch = {
      report: (report) => this.#report(running, report),
      signal: running.ending.signal,
    };
    try {
      await work(tools, watch);
      this.#ended(running, "done", null);
    } catch (error) {
      const isCancelled = error instanceof PikoError && error.code === "interrupted";
      if (!(error instanceof PikoError)) this.#failed(error);
      if (isCancelled) this.#ended(running, "cancelled", this.#whatIsLeft(wanted));
      else this.#ended(running, "failed", errorBody(error));
    }
  }

  #whatIsLeft({ kind, project, name }: Wanted): Operation["error"] {
    try {
      return describeCancelled(kind, this.#tools.environments.find(project.id, name));
    } catch (unreadable) {
      if (!(unreadable instanceof PikoError)) throw unreadable;
      const { message, hint = null } = unreadable;
      return {
        code: "interrupted",
        message: `Cancelled; what is left of it is not known: ${message}`,
        hint,
      };
    }
  }

  #ended(running: Running, state: Operation["state"], error: Operation["error"]): void {
    running.operation = { ...running.operation, state, endedAt: new Date().toISOString(), error };
    this.#publish({ type: "operation", operation: running.operation });
    const ended = [...this.#all.values()].filter(({ operation }) => operation.state !== "running");
    for (const { operation } of ended.slice(0, -KEPT)) this.#all.delete(operation.id);
  }

  #report(running: Running, report: Report): void {
    const { reports, operation } = running;
    const told = { index: running.nextIndex++, at: new Date().toISOString(), report };
    reports.push(told);
    if (reports.length > KEPT_REPORTS) {
      const oldest = reports.findIndex(({ report: { kind } }) => kind === "output");
      reports.splice(Math.max(0, oldest), 1);
    }
    this.#publish({ type: "report", operation: operation.id, report: told });
  }

  #refuseOwn({ project, name }: Wanted): void {
    for (const { operation } of this.#all.values()) {
      const isSame = operation.project === project.name && operation.environment === name;
      if (!isSame || operation.state !== "running") continue;
      throw new PikoError(
        `"piko ${operation.kind} ${name}" (process ${Deno.pid}) is at work on it`,
        { code: "conflict", hint: "wait until it is done" },
      );
    }
  }
}

/** Makes the refusal of a server that begins nothing any more. */
export function serverEnding(): PikoError {
  return new PikoError("piko server is ending", {
    code: "unavailable",
    hint: "piko server starts it again",
  });
}
