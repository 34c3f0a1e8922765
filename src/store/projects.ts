/** The projects that are registered on this machine. */

import { PikoError } from "../domain/errors.ts";
import { quote } from "../domain/names.ts";
import type { Database, Row } from "./database.ts";

/** A registered repository. */
export interface ProjectRecord {
  id: number;
  name: string;
  /** The real path of the main worktree. */
  root: string;
  createdAt: string;
}

/** The table of projects. */
export class Projects {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Registers a repository.
   *
   * @throws {PikoError} conflict when its root is registered or its name taken.
   */
  add(name: string, root: string): ProjectRecord {
    return this.#database.transaction(() => {
      const known = this.findByRoot(root);
      if (known !== undefined) {
        throw new PikoError(`${root} is already initialized as project ${quote(known.name)}`, {
          code: "conflict",
          hint: "piko create NAME",
        });
      }
      const other = this.findByName(name);
      if (other !== undefined) {
        throw new PikoError(`The name ${quote(name)} is taken by the project in ${other.root}`, {
          code: "conflict",
          hint: "piko init --name OTHER-NAME",
        });
      }
      const createdAt = new Date().toISOString();
      const { id } = this.#database.run(
        "INSERT INTO projects (name, root, created_at) VALUES (?, ?, ?)",
        name,
        root,
        createdAt,
      );
      return { id, name, root, createdAt };
    });
  }

  /** Forgets a project that has no environments. */
  remove(id: number): void {
    this.#database.run("DELETE FROM projects WHERE id = ?", id);
  }

  /** Lists all projects by name. */
  list(): ProjectRecord[] {
    return this.#database.all("SELECT * FROM projects ORDER BY name").map(projectOf);
  }

  /** Finds a project by its name. */
  findByName(name: string): ProjectRecord | undefined {
    const row = this.#database.first("SELECT * FROM projects WHERE name = ?", name);
    return row && projectOf(row);
  }

  /** Finds the project whose main worktree is exactly this folder. */
  findByRoot(root: string): ProjectRecord | undefined {
    const row = this.#database.first("SELECT * FROM projects WHERE root = ?", root);
    return row && projectOf(row);
  }

  /** Finds the project that a folder lies in; the innermost one when they are nested. */
  findAt(folder: string): ProjectRecord | undefined {
    return this.list().filter(({ root }) => isInside(folder, root))
      .sort((a, b) => b.root.length - a.root.length)[0];
  }
}

/** Tells whether a path is a folder or lies in it; both are absolute and real. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function projectOf(row: Row): ProjectRecord {
  return {
    id: Number(row.id),
    name: String(row.name),
    root: String(row.root),
    createdAt: String(row.created_at),
  };
}
