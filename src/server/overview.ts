/**
 * What exists and what runs, kept up to date for every page at once. Whoever notices that something may have changed says
 * so, any number of times; one listing answers them all, and only what is different afterwards is told. Nothing is asked
 * for while nothing happens.
 */

import type { EngineState, EnvironmentState, ServerEvent } from "../domain/api.ts";
import type { Project } from "../domain/environment.ts";
import { messageOf } from "../domain/errors.ts";
import type { Report } from "../domain/report.ts";
import { describeEnvironments } from "../operations/list_environments.ts";
import { describeProject } from "../operations/projects.ts";
import type { Tools } from "../operations/tools.ts";
import { listUnstartedServices } from "../operations/unstarted_services.ts";
import type { ContainerEvent } from "../programs/engine/answers.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { Told } from "./told.ts";

/** Milliseconds between two listings; the first change after a quiet time is listed at once. */
const PAUSE = 50;

/** Milliseconds until an engine is asked again that tells what happens but did not answer, or a listing failed. */
const RETRY = 2000;

/** Milliseconds until the engine is asked again that does not list yet what it has told: at first, and at most. */
const FIRST_AGAIN = 100;
const LATEST_AGAIN = 1000;

type Warning = Extract<Report, { kind: "warning" }>;

/** What the overview works with. */
export interface OverviewOptions {
  tools: Tools;
  /** Tells a change to everybody. */
  publish: (event: ServerEvent) => void;
  /** Tells of a listing that failed. */
  failed: (error: unknown) => void;
}

/** What exists and what runs. */
export class Overview {
  readonly #tools: Tools;
  readonly #publish: (event: ServerEvent) => void;
  readonly #failed: (error: unknown) => void;
  #environments = new Map<string, { state: EnvironmentState; text: string }>();
  /** Those of the environments, and of the shared services that they use. */
  #composeProjects: ReadonlySet<string> = new Set();
  #projects: Project[] = [];
  /** What the registry said when they were described. */
  #projectsText = "";
  #engine: EngineState = { reachable: true, message: null, hint: null };
  /** Whether the engine tells what happens; without that, one that does not answer is not asked again. */
  #isEngineHeard = false;
  /** The listing that has not begun yet, and the one that is under way. */
  #planned: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #told = new Told();
  #again = FIRST_AGAIN;
  /** Why the last listing failed; what it was begun for is still to be shown. */
  #failure: string | undefined;
  #lastEnd = -Infinity;
  #isEnded = false;

  constructor({ tools, publish, failed }: OverviewOptions) {
    this.#tools = tools;
    this.#publish = publish;
    this.#failed = failed;
  }

  /** The environments by project and name. */
  get environments(): EnvironmentState[] {
    return [...this.#environments.values()].map(({ state }) => state);
  }

  get projects(): Project[] {
    return this.#projects;
  }

  get engine(): EngineState {
    return this.#engine;
  }

  /** Finds what is known of an environment. */
  find(project: string, name: string): EnvironmentState | undefined {
    return this.#environments.get(`${project}/${name}`)?.state;
  }

  /** Says that something may have changed. */
  changed(): void {
    void this.refresh();
  }

  /** Says what the engine has told of a container; the engine is asked until its list agrees. */
  happened(event: ContainerEvent): void {
    this.#told.add(event);
    this.#again = FIRST_AGAIN;
    this.changed();
  }

  /** Lists again, and resolves when that is done. */
  refresh(): Promise<void> {
    return this.#planned ??= this.#plan();
  }

  /** Resolves when everything that was said to have changed is known. */
  async settled(): Promise<void> {
    await (this.#planned ?? this.#running ?? (this.#failure === undefined ? null : this.refresh()));
  }

  /** Tells whether something of a compose project could be shown. */
  concerns(composeProject: string): boolean {
    // What the listing that is under way will find is not known yet.
    return this.#running !== undefined || this.#composeProjects.has(composeProject);
  }

  /** Says that the engine tells from now on what happens. */
  engineHeard(): void {
    this.#isEngineHeard = true;
    this.#setEngine({ reachable: true, message: null, hint: null });
    this.changed();
  }

  /** Says that the engine is not there. */
  engineLost(
    { message, hint = null }: { message: string; hint?: string | null | undefined },
  ): void {
    this.#isEngineHeard = false;
    this.#setEngine({ reachable: false, message, hint });
    this.changed();
  }

  /** Ends it: nothing is listed any more. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#retry);
  }

  async #plan(): Promise<void> {
    await this.#running;
    const pause = this.#lastEnd + PAUSE - performance.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    this.#planned = undefined;
    this.#running = this.#list();
    await this.#running;
  }

  async #list(): Promise<void> {
    try {
      if (!this.#isEnded) await this.#update();
      this.#failure = undefined;
    } catch (error) {
      // Told once, and not at each attempt.
      if (this.#failure !== messageOf(error)) this.#failed(error);
      this.#failure = messageOf(error);
      clearTimeout(this.#retry);
      if (!this.#isEnded) this.#retry = setTimeout(() => this.changed(), RETRY);
    } finally {
      this.#lastEnd = performance.now();
      this.#running = undefined;
    }
  }

  #setEngine(engine: EngineState): void {
    if (JSON.stringify(engine) === JSON.stringify(this.#engine)) return;
    this.#engine = engine;
    this.#publish({ type: "engine", engine });
  }

  async #update(): Promise<void> {
    const tools = this.#tools;
    const records = tools.environments.list();
    this.#composeProjects = new Set(
      records.flatMap(({ composeProject, shared }) =>
        shared === null ? [composeProject] : [composeProject, shared.composeProject]
      ),
    );
    const isOutOfDate = this.#told.compare();
    let complaint: Warning | undefined;
    const states = await describeEnvironments(tools, records, {
      report: (report) => {
        if (report.kind === "warning") complaint = report;
      },
    }, listUnstartedServices);
    if (this.#isEnded) return;
    this.#judgeEngine(complaint);
    if (complaint === undefined && isOutOfDate(states.flatMap(({ services }) => services))) {
      this.#retry = setTimeout(() => this.changed(), this.#again);
      this.#again = Math.min(LATEST_AGAIN, this.#again * 2);
    }
    await this.#updateProjects(records);
    const before = this.#environments;
    this.#environments = new Map(
      states.map((state) => {
        const { project, name } = state.environment;
        return [`${project}/${name}`, { state, text: JSON.stringify(state) }];
      }),
    );
    for (const [key, { state }] of before) {
      if (this.#environments.has(key)) continue;
      const { project, name } = state.environment;
      this.#publish({ type: "removed", project, name });
    }
    for (const [key, { state, text }] of this.#environments) {
      if (before.get(key)?.text !== text) this.#publish({ type: "environment", ...state });
    }
  }

  /** Notes that the engine did not answer, or does again. */
  #judgeEngine(complaint: Warning | undefined): void {
    clearTimeout(this.#retry);
    if (complaint !== undefined) {
      const { message, hint = null } = complaint;
      const reason = message.replace(/; what runs is unknown$/, "");
      this.#setEngine({ reachable: false, message: reason, hint });
      if (this.#isEngineHeard) this.#retry = setTimeout(() => this.changed(), RETRY);
    } else if (this.#isEngineHeard) {
      this.#setEngine({ reachable: true, message: null, hint: null });
    }
  }

  /** Describes the projects when the registry says something else of them; their files are read for it. */
  async #updateProjects(records: readonly EnvironmentRecord[]): Promise<void> {
    const tools = this.#tools;
    const known = tools.projects.list();
    const text = JSON.stringify([known, known.map(({ id }) => countOf(records, id))]);
    if (text === this.#projectsText) return;
    const projects = await Promise.all(known.map((record) => describeProject(tools, record)));
    this.#projectsText = text;
    this.#projects = projects;
    this.#publish({ type: "projects", projects });
  }
}

function countOf(records: readonly EnvironmentRecord[], projectId: number): number {
  return records.filter((record) => record.projectId === projectId).length;
}
