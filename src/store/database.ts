/**
 * Opens the registry, one SQLite database for all projects of a person, and brings its schema forward. WAL, foreign
 * keys and a busy timeout make it safe for many pikos at once; a newer schema and a damaged file are refused
 * and left as they are. SQLite's locks are those of the process, and end when any part of it opens and closes one of the
 * registry's files: nothing else may, and Deno.watchFs, which does so with what has changed, not look at their folder.
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { messageOf, PikoError } from "../domain/errors.ts";
import { shellWord } from "../domain/variables.ts";

// Loaded with this file and not with the bundle that it ends up in: `piko --version` would pay 2 ms for it.
const sqlite = await import("node:sqlite");

/** Milliseconds that a statement waits for another piko's transaction. */
const BUSY_TIMEOUT = 10_000;

/**
 * The schema's steps: entry n brings a database from `user_version` n to n + 1. A step that has been released is
 * never changed; it may add, copy and rename, and keeps every row.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    root TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE environments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    branch TEXT NOT NULL,
    slot INTEGER NOT NULL UNIQUE CHECK (slot BETWEEN 1 AND 220),
    mode TEXT NOT NULL CHECK (mode IN ('docker', 'simple')),
    state TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'failed', 'destroying')),
    path TEXT NOT NULL UNIQUE,
    data_dir TEXT NOT NULL,
    compose_project TEXT NOT NULL UNIQUE,
    compose_files TEXT NOT NULL DEFAULT '[]',
    override_file TEXT,
    session TEXT,
    created_at TEXT NOT NULL,
    UNIQUE (project_id, name)
  ) STRICT;

  CREATE TABLE ports (
    environment_id INTEGER NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    service TEXT NOT NULL,
    container_port INTEGER NOT NULL,
    protocol TEXT NOT NULL CHECK (protocol IN ('tcp', 'udp')),
    host_ip TEXT,
    host_port INTEGER NOT NULL,
    PRIMARY KEY (protocol, host_port)
  ) STRICT;

  CREATE TABLE steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment_id INTEGER NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    operation TEXT NOT NULL,
    step TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}',
    started_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE carried (
    environment_id INTEGER NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (environment_id, path)
  ) STRICT;

  CREATE TABLE kept_volumes (
    name TEXT PRIMARY KEY,
    root TEXT NOT NULL,
    environment TEXT NOT NULL,
    compose_project TEXT NOT NULL,
    kept_at TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE environments ADD COLUMN kind TEXT NOT NULL DEFAULT 'environment'
    CHECK (kind IN ('environment', 'shared'));

  CREATE UNIQUE INDEX one_shared_per_project ON environments (project_id) WHERE kind = 'shared';

  CREATE TABLE shared_services (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    service TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('starting', 'shared', 'leaving', 'isolated')),
    PRIMARY KEY (project_id, service)
  ) STRICT;

  CREATE TABLE shared_users (
    environment_id INTEGER NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    service TEXT NOT NULL,
    PRIMARY KEY (environment_id, service)
  ) STRICT;

  CREATE TABLE shared_links (
    environment_id INTEGER NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    service TEXT NOT NULL,
    network TEXT NOT NULL,
    aliases TEXT NOT NULL,
    wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),
    PRIMARY KEY (environment_id, service, network)
  ) STRICT;
  `,
  `
  ALTER TABLE environments ADD COLUMN told_config TEXT;
  `,
  `
  CREATE TABLE kept_on_engines (
    engine TEXT NOT NULL,
    name TEXT NOT NULL,
    root TEXT NOT NULL,
    environment TEXT NOT NULL,
    compose_project TEXT NOT NULL,
    kept_at TEXT NOT NULL,
    PRIMARY KEY (engine, name)
  ) STRICT;

  INSERT INTO kept_on_engines (engine, name, root, environment, compose_project, kept_at)
    SELECT '', name, root, environment, compose_project, kept_at FROM kept_volumes;

  DROP TABLE kept_volumes;

  ALTER TABLE kept_on_engines RENAME TO kept_volumes;
  `,
  `
  ALTER TABLE environments ADD COLUMN had_containers INTEGER NOT NULL DEFAULT 1
    CHECK (had_containers IN (0, 1));
  `,
  `
  ALTER TABLE environments ADD COLUMN running_services TEXT NOT NULL DEFAULT '[]';
  `,
  `
  ALTER TABLE environments ADD COLUMN setup_due INTEGER NOT NULL DEFAULT 0
    CHECK (setup_due IN (0, 1));
  `,
];

/** The schema that this piko reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** A row, as `node:sqlite` returns it. */
export type Row = Record<string, unknown>;

/** An open registry; what goes wrong inside SQLite comes out as a {@link PikoError} that names the file. */
export class Database implements Disposable {
  readonly path: string;
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, sqlite: DatabaseSync) {
    this.path = path;
    this.#sqlite = sqlite;
  }

  /** Runs a statement and tells how many rows it changed and the last new row's id. */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number } {
    return explained(this.path, () => {
      const result = this.#prepare(sql).run(...values);
      return { changes: Number(result.changes), id: Number(result.lastInsertRowid) };
    });
  }

  /** Runs a query and returns all of its rows. */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return explained(this.path, () => this.#prepare(sql).all(...values) as Row[]);
  }

  /** Runs a query and returns its first row. */
  first(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return explained(this.path, () => this.#prepare(sql).get(...values) as Row | undefined);
  }

  /** Does work in one transaction that holds the write lock from its start; an error rolls it back. */
  transaction<T>(work: () => T): T {
    explained(this.path, () => this.#sqlite.exec("BEGIN IMMEDIATE"));
    try {
      const result = work();
      explained(this.path, () => this.#sqlite.exec("COMMIT"));
      return result;
    } catch (error) {
      if (this.#sqlite.isTransaction) this.#sqlite.exec("ROLLBACK");
      throw error;
    }
  }

  /** Lists what SQLite finds wrong with the file, and rows that refer to others which are not there; mostly nothing. */
  listProblems(): string[] {
    const problems = this.all("PRAGMA integrity_check").map((row) => String(row.integrity_check))
      .filter((line) => line !== "ok");
    const orphans = this.all("PRAGMA foreign_key_check").map(({ table, parent }) =>
      `a row of ${table} belongs to a row of ${parent} that is not there`
    );
    return [...problems, ...orphans];
  }

  /**
   * Writes to the database without changing anything.
   *
   * @throws {PikoError} as every write would, conflict when somebody else holds it for `patience` milliseconds.
   */
  tryWriting(patience: number): void {
    this.all(`PRAGMA busy_timeout = ${patience}`);
    try {
      // Sets what is set already: SQLite writes the page all the same.
      this.transaction(() => this.all(`PRAGMA user_version = ${SCHEMA_VERSION}`));
    } finally {
      this.all(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    }
  }

  /**
   * Tells a number that is another one when the registry was changed through any other connection
   * (https://sqlite.org/pragma.html#pragma_data_version).
   */
  dataVersion(): number {
    return Number(this.first("PRAGMA data_version")?.data_version);
  }

  [Symbol.dispose](): void {
    this.#sqlite.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * Opens the registry and migrates it. Without `create`, a registry that does not exist yet is read as an empty
 * one and nothing is written.
 *
 * @throws {PikoError} failed when the file is damaged, newer than this piko, or cannot be opened.
 */
export function openDatabase(path: string, options: { create: boolean }): Database {
  const exists = fileExists(path);
  if (!exists && options.create) makeFolder(path);
  return explained(path, () => {
    const opened = new sqlite.DatabaseSync(exists || options.create ? path : ":memory:", {
      timeout: BUSY_TIMEOUT,
      enableForeignKeyConstraints: true,
    });
    try {
      migrate(path, opened);
    } catch (error) {
      opened.close();
      throw error;
    }
    return new Database(path, opened);
  });
}

function migrate(path: string, sqlite: DatabaseSync): void {
  let version = userVersion(sqlite);
  if (version === SCHEMA_VERSION) return;
  if (version > SCHEMA_VERSION) {
    throw new PikoError(
      `The registry ${path} was written by a newer piko (schema ${version}, this one knows ${SCHEMA_VERSION})`,
      { code: "failed", hint: "install the newer piko again; nothing was changed" },
    );
  }
  // Several first starts at once race for the switch, which SQLite's busy timeout does not cover.
  try {
    withRetries(() => sqlite.exec("PRAGMA journal_mode = WAL"));
  } catch (error) {
    if (sqliteCode(error) === 5 && Deno.statSync(path).size === 0) throw emptied(path, error);
    throw error;
  }
  sqlite.exec("BEGIN IMMEDIATE");
  try {
    version = userVersion(sqlite);
    for (const step of MIGRATIONS.slice(version)) sqlite.exec(step);
    sqlite.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    sqlite.exec("COMMIT");
  } catch (error) {
    if (sqlite.isTransaction) sqlite.exec("ROLLBACK");
    throw error;
  }
}

function emptied(path: string, cause: unknown): PikoError {
  return new PikoError(`The registry ${path} was emptied while pikos have it open`, {
    code: "failed",
    hint: `put a copy of it back, or end them: lsof ${shellWord(path)} names them; then piko init`,
    cause,
  });
}

function userVersion(sqlite: DatabaseSync): number {
  const row = sqlite.prepare("PRAGMA user_version").get() as { user_version: number };
  return row.user_version;
}

function withRetries(work: () => void): void {
  const deadline = Date.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (sqliteCode(error) !== 5 || Date.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 20);
    }
  }
}

/** What SQLite says for a code; Deno 2.9 leaves the code itself out when a file is opened and in `exec`. */
const WORDS: readonly (readonly [RegExp, number])[] = [
  [/database (?:table )?is locked/, 5],
  [/readonly database/, 8],
  [/disk I\/O error/, 10],
  [/malformed/, 11],
  [/database or disk is full/, 13],
  [/unable to open database file/, 14],
  [/not a database/, 26],
];

/** Gives the primary result code of an SQLite error (https://sqlite.org/rescode.html), else undefined. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error) return Number(error.errcode) & 0xff;
  if (!("code" in error) || error.code !== "ERR_SQLITE_ERROR") return undefined;
  return WORDS.find(([words]) => words.test(error.message))?.[1] ?? 1;
}

function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    throw explain(path, code, error);
  }
}

function explain(path: string, code: number, cause: unknown): PikoError {
  switch (code) {
    case 5:
    case 6:
      return new PikoError(`The registry ${path} is busy: another piko holds it for too long`, {
        code: "conflict",
        hint: "try again; `piko doctor` names the process",
        cause,
      });
    case 11:
    case 26:
      return new PikoError(`The registry ${path} is damaged, and was left as it is`, {
        code: "failed",
        hint:
          `restore it from a backup, or set it aside (mv ${shellWord(path)} ${
            shellWord(`${path}.damaged`)
          }) and run piko init again: ` +
          "worktrees, containers and volumes are still there",
        cause,
      });
    case 13:
      return new PikoError(`Cannot write the registry ${path}: the disk is full`, {
        code: "failed",
        hint: "free some space and try again; nothing was changed",
        cause,
      });
    case 10:
      // A full disk shows as this too, where SQLite cannot make the files beside the registry.
      return new PikoError(
        `Cannot read or write the registry ${path}: the disk is full or broken`,
        {
          code: "failed",
          hint: `see whether there is space: df -h ${
            shellWord(path.slice(0, path.lastIndexOf("/")))
          }`,
          cause,
        },
      );
    case 8:
    case 14:
    case 3:
      return new PikoError(`Cannot open the registry ${path} for writing`, {
        code: "failed",
        hint: "check the rights of its folder, or set PIKO_HOME to another one",
        cause,
      });
    default:
      return new PikoError(`The registry ${path} failed: ${messageOf(cause)}`, {
        code: "failed",
        hint: "look at the file and the rights of its folder, or set PIKO_HOME to another one",
        cause,
      });
  }
}

function fileExists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw notWritable(path, error);
  }
}

function makeFolder(path: string): void {
  const folder = path.slice(0, path.lastIndexOf("/"));
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw notWritable(path, error);
  }
}

function notWritable(path: string, cause: unknown): PikoError {
  return new PikoError(`Cannot open the registry ${path}: ${messageOf(cause)}`, {
    code: "failed",
    hint: "check the rights of its folder, or set PIKO_HOME to another one",
    cause,
  });
}
