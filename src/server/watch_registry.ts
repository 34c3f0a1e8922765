/**
 * Notices what other pikos do: changes of the registry, and locks that are taken or given back. The file system tells at
 * once that something was written, and SQLite whether it was the registry. A look each second notices what nobody tells: a
 * worktree that is gone, a piko that was killed, a file system that cannot be watched.
 */

import { messageOf } from "../domain/errors.ts";
import { isWorktreeThere } from "../operations/list_environments.ts";
import { isEnvironmentLocked, locksFolder } from "../operations/lock_names.ts";
import type { Tools } from "../operations/tools.ts";
import { type Database, openDatabase } from "../store/database.ts";
import type { Overview } from "./overview.ts";

/** Milliseconds between two looks. */
const LOOK_AGAIN = 1000;

/** The registry, as it is watched. */
export class RegistryWatch implements Disposable {
  readonly #tools: Tools;
  readonly #overview: Overview;
  /** A connection of its own, since SQLite tells one nothing of its own changes. */
  readonly #database: Database;
  readonly #timer: ReturnType<typeof setInterval>;
  #watcher: Deno.FsWatcher | undefined;
  #version: number;
  /** What the last look found, as text. */
  #seen = "";

  /** @param failed is told what keeps the file system from being watched. */
  constructor(tools: Tools, overview: Overview, failed: (error: unknown) => void) {
    this.#tools = tools;
    this.#overview = overview;
    this.#database = openDatabase(`${tools.home}/state.db`, { create: true });
    this.#version = this.#database.dataVersion();
    this.#watch().catch(failed);
    this.#timer = setInterval(() => this.#look().catch(failed), LOOK_AGAIN);
  }

  /** Has the overview list again when the registry was changed; takes some microseconds. */
  check(): void {
    const version = this.#database.dataVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.#overview.changed();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#watcher?.close();
    this.#database[Symbol.dispose]();
  }

  async #watch(): Promise<void> {
    const locks = locksFolder(this.#tools);
    await Deno.mkdir(locks, { recursive: true, mode: 0o700 });
    try {
      this.#watcher = Deno.watchFs([this.#tools.home, locks], { recursive: false });
    } catch (error) {
      throw new Error(`Changes show a second late: ${messageOf(error)}`, { cause: error });
    }
    for await (const { kind, paths } of this.#watcher) {
      // Whoever merely looks, as the listing itself does, opens files too.
      if (kind === "access") continue;
      if (paths.some((path) => path.startsWith(`${locks}/`))) this.#overview.changed();
      else this.check();
    }
  }

  async #look(): Promise<void> {
    this.check();
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
