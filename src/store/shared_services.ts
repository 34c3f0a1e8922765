/**
 * Which services a project's environments share, which environment uses which of them, and on which of its networks. The
 * rows say what is meant to be; whoever changes them holds the project's lock for shared services.
 */

import { PikoError } from "../domain/errors.ts";
import { SHARED_NAME } from "../domain/names.ts";
import type { Database } from "./database.ts";
import type { EnvironmentRecord, Environments } from "./environments.ts";
import type { ProjectRecord } from "./projects.ts";

/**
 * What has become of a service: `starting` while it is shared for the first time; `leaving` while environments that are
 * made shall have their own again, and others may still use it; `isolated` when it is gone although `.piko.yml` names it.
 */
export type SharedState = "starting" | "shared" | "leaving" | "isolated";

/** A service that is shared, or was. */
export interface SharedServiceRecord {
  service: string;
  state: SharedState;
}

/** A place of a shared service on a network of an environment. */
export interface SharedLink {
  environmentId: number;
  /** The environment's compose project. */
  composeProject: string;
  service: string;
  /** The network's name in the engine. */
  network: string;
  /** The names by which the environment reaches the service there. */
  aliases: string[];
  /** Whether it is to be there; else it is about to go, with the use or with the environment. */
  isWanted: boolean;
}

/** The tables of shared services. */
export class SharedServices {
  readonly #database: Database;
  readonly #environments: Environments;

  constructor(database: Database, environments: Environments) {
    this.#database = database;
    this.#environments = environments;
  }

  /** Finds what the shared services of a project have of their own: slot, ports and compose project. */
  find(projectId: number): EnvironmentRecord | undefined {
    return this.#environments.listShared(projectId)[0];
  }

  /** Reads it again, where it is known to be there. */
  require(projectId: number): EnvironmentRecord {
    const record = this.find(projectId);
    if (record !== undefined) return record;
    throw new PikoError("The shared services were removed meanwhile", {
      code: "not-found",
      hint: "piko share",
    });
  }

  /** Gives a project's shared services a slot and a compose project, if they have none yet. */
  reserve(project: ProjectRecord, branch: string): EnvironmentRecord {
    return this.find(project.id) ?? this.#environments.reserve(project, {
      name: SHARED_NAME,
      branch,
      mode: "docker",
      path: project.root,
      dataDir: `${project.root}/.piko/data/${SHARED_NAME}`,
    });
  }

  /** Lists the services of a project that are shared or were, by name. */
  list(projectId: number): SharedServiceRecord[] {
    return this.#database.all(
      "SELECT service, state FROM shared_services WHERE project_id = ? ORDER BY service",
      projectId,
    ).map(({ service, state }) => ({ service: String(service), state: state as SharedState }));
  }

  /** Records what becomes of services. */
  setState(projectId: number, services: readonly string[], state: SharedState): void {
    this.#database.transaction(() => {
      for (const service of services) {
        this.#database.run(
          "INSERT OR REPLACE INTO shared_services (project_id, service, state) VALUES (?, ?, ?)",
          projectId,
          service,
          state,
        );
      }
    });
  }

  /** Forgets that a service was shared. */
  remove(projectId: number, service: string): void {
    this.#database.run(
      "DELETE FROM shared_services WHERE project_id = ? AND service = ?",
      projectId,
      service,
    );
  }

  /** Lists the names of the environments that use a service, or any. */
  listUsers(projectId: number, service?: string): string[] {
    const rows = service === undefined
      ? this.#database.all(
        `SELECT DISTINCT e.name FROM shared_users u JOIN environments e ON e.id = u.environment_id
         WHERE e.project_id = ? ORDER BY e.name`,
        projectId,
      )
      : this.#database.all(
        `SELECT e.name FROM shared_users u JOIN environments e ON e.id = u.environment_id
         WHERE e.project_id = ? AND u.service = ? ORDER BY e.name`,
        projectId,
        service,
      );
    return rows.map(({ name }) => String(name));
  }

  /**
   * Records which shared services an environment uses from now on, and where they are to be on its networks. Places that
   * it had before stay as ones that are about to go.
   */
  setUse(
    environmentId: number,
    services: readonly string[],
    links: readonly Pick<SharedLink, "service" | "network" | "aliases">[],
  ): void {
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM shared_users WHERE environment_id = ?", environmentId);
      for (const service of services) {
        this.#database.run(
          "INSERT INTO shared_users (environment_id, service) VALUES (?, ?)",
          environmentId,
          service,
        );
      }
      this.#database.run(
        "UPDATE shared_links SET wanted = 0 WHERE environment_id = ?",
        environmentId,
      );
      for (const { service, network, aliases } of links) {
        this.#database.run(
          `INSERT OR REPLACE INTO shared_links (environment_id, service, network, aliases, wanted)
           VALUES (?, ?, ?, ?, 1)`,
          environmentId,
          service,
          network,
          JSON.stringify(aliases),
        );
      }
    });
  }

  /** Lists the places of a project's shared services on networks, those that are about to go too. */
  listLinks(projectId: number): SharedLink[] {
    return this.#database.all(
      `SELECT l.*, e.compose_project, l.wanted AND e.state <> 'destroying' AS is_wanted
       FROM shared_links l JOIN environments e ON e.id = l.environment_id
       WHERE e.project_id = ? ORDER BY l.network, l.service`,
      projectId,
    ).map((row) => ({
      environmentId: Number(row.environment_id),
      composeProject: String(row.compose_project),
      service: String(row.service),
      network: String(row.network),
      aliases: JSON.parse(String(row.aliases)) as string[],
      isWanted: row.is_wanted === 1,
    }));
  }

  /** Forgets a place that a shared service has left. */
  removeLink({ environmentId, service, network }: SharedLink): void {
    this.#database.run(
      "DELETE FROM shared_links WHERE environment_id = ? AND service = ? AND network = ?",
      environmentId,
      service,
      network,
    );
  }
}
