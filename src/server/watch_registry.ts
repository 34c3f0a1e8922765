/**
 * Notices what other pikos do. Ten times a second SQLite is asked whether the registry was changed, which it knows without
 * reading it: Deno.watchFs would open and close the registry's files, and with that give up SQLite's locks (see
 * store/database.ts). A look each second notices what nobody writes down: a worktree that is gone, a piko that was killed.
 */

import { messageOf, PikoError } from "../domain/errors.ts";
import { isWorktreeThere } from "../operations/list_environments.ts";
import { isEnvironmentLocked } from "../operations/lock_names.ts";
import type { Tools } from "../operations/tools.ts";
import { type Database, openDatabase } from "../store/database.ts";
import type { Overview } from "./overview.ts";

/** Milliseconds between two questions to SQLite; each takes some microseconds. */
const ASK_AGAIN = 100;

/** Milliseconds between two looks. */
const LOOK_AGAIN = 1000;

/** The registry, as it is watched. */
export class RegistryWatch implements Disposable {
  readonly #tools: Tools;
  readonly #overview: Overview;
  /** A connection of its own, since SQLite tells one nothing of its own changes. */
  readonly #database: Database;
  readonly #timers: ReturnType<typeof setInterval>[];
  #version: number;
  /** What the last look found, as text. */
  #seen = "";
  /** What last kept it from asking, and from looking: each is told once, and not ten times a second. */
  #failure = "";
  #lookFailure = "";

  /** @param failed is told what keeps it from looking. */
  constructor(tools: Tools, overview: Overview, failed: (error: unknown) => void) {
    this.#tools = tools;
    this.#overview = overview;
    this.#database = openDatabase(`${tools.home}/state.db`, { create: true });
    this.#version = this.#database.dataVersion();
    this.#timers = [
      setInterval(() => this.#ask(failed), ASK_AGAIN),
      setInterval(() => void this.#look(failed), LOOK_AGAIN),
    ];
  }

  /** Has the overview list again when the registry was changed. */
  check(): void {
    const version = this.#database.dataVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.#overview.changed();
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#database[Symbol.dispose]();
  }

  #ask(failed: (error: unknown) => void): void {
    try {
      this.check();
      this.#failure = "";
    } catch (error) {
      if (!(error instanceof PikoError)) throw error;
      if (error.message !== this.#failure) failed(error);
      this.#failure = error.message;
    }
  }

  async #look(failed: (error: unknown) => void): Promise<void> {
    try {
      await this.#compare();
      this.#lookFailure = "";
    } catch (error) {
      if (messageOf(error) !== this.#lookFailure) failed(error);
      this.#lookFailure = messageOf(error);
    }
  }

  async #compare(): Promise<void> {
    const found = await Promise.all(this.#overview.environments.map(async ({ environment }) => {
      const { path, status } = environment;
      const isBusy = status === "creating" || status === "destroying";
      return [isWorktreeThere(path), isBusy && await this.#isLocked(environment)];
    }));
    const seen = JSON.stringify(found);
    if (seen !== this.#seen) this.#overview.changed();
    this.#seen = seen;
  }

  async #isLocked({ project, name }: { project: string; name: string }): Promise<boolean> {
    const record = this.#tools.projects.findByName(project);
    return record !== undefined && await isEnvironmentLocked(this.#tools, record.id, name);
  }
}
