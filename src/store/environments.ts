/**
 * The environments of this machine with their slots, ports and steps. A slot and a name are given out in one
 * transaction, so that any number of pikos at once, in any number of projects, never get the same.
 */

import type { Mode, State } from "../domain/environment.ts";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { composeProjectNames, quote, SHARED_NAME } from "../domain/names.ts";
import type { GivenPort } from "../domain/ports.ts";
import type { Step } from "../domain/report.ts";
import { ALL_SLOTS, MAX_SLOT, type SlotRange } from "../domain/slots.ts";
import { compareText } from "../domain/variables.ts";
import type { Database, Row } from "./database.ts";
import type { ProjectRecord } from "./projects.ts";

/** What an environment takes from its project's shared services instead of having it of its own. */
export interface SharedUse {
  /** The compose project of the shared services. */
  composeProject: string;
  services: string[];
}

/**
 * An environment as the registry knows it. A project's shared services are one too, which has the root for its
 * worktree: they need a slot, ports, a compose project and steps as an environment does. It is in no list.
 */
export interface EnvironmentRecord {
  id: number;
  projectId: number;
  project: string;
  root: string;
  /** When its project was registered. */
  registeredAt: string;
  name: string;
  branch: string;
  slot: number;
  mode: Mode;
  state: State;
  path: string;
  dataDir: string;
  composeProject: string;
  /** Whether containers were ever made for it: before, no volume is its own but those of an earlier life. */
  hadContainers: boolean;
  /** The services that ran when all of them were last started and waited for; empty before. */
  runningServices: string[];
  /** Whether its setup script is still to be run, when all of its containers are started for the first time. */
  setupIsDue: boolean;
  /** Absolute paths, the first of which sets the project directory; empty in simple mode. */
  composeFiles: string[];
  overrideFile: string | null;
  session: string | null;
  createdAt: string;
  /** Its own ports, and those of the shared services that it uses. */
  ports: GivenPort[];
  /** Null for an environment that uses none. */
  shared: SharedUse | null;
}

/** What `reserve` needs to know. */
export interface Wanted {
  name: string;
  branch: string;
  mode: Mode;
  path: string;
  dataDir: string;
}

/** A step of an operation that was begun. */
export interface StepRecord {
  id: number;
  operation: string;
  step: Step;
  detail: Record<string, unknown>;
  startedAt: string;
}

/** The process that a step has started, as its detail holds it. */
export interface StepProcess {
  pid: number;
  /** In ISO 8601; another process gets the same number some day. */
  startedAt: string;
}

/** A link that piko made in a worktree. */
export interface CarriedRecord {
  /** Relative to the worktree. */
  path: string;
  /** What the link holds. */
  target: string;
}

/** A volume that stayed when its environment was destroyed. */
export interface KeptVolume {
  name: string;
  /** The identity of the engine that has it; null when it was kept by a piko that did not record it. */
  engine: string | null;
  root: string;
  environment: string;
  composeProject: string;
}

const COLUMNS =
  "SELECT e.*, p.name AS project, p.root AS root, p.created_at AS registered_at FROM environments e JOIN projects p ON p.id = e.project_id";

/** The tables of environments and of what belongs to them. */
export class Environments {
  readonly #database: Database;
  readonly #slots: SlotRange;

  /** @param slots are those that it gives out; environments of other slots stay what they are. */
  constructor(database: Database, slots: SlotRange = ALL_SLOTS) {
    this.#database = database;
    this.#slots = slots;
  }

  /**
   * Gives out a name, the lowest free slot and a compose project, and records the environment as `creating`.
   *
   * @throws {PikoError} conflict when the name is taken or no slot is free.
   */
  reserve(project: ProjectRecord, wanted: Wanted): EnvironmentRecord {
    return this.#database.transaction(() => {
      this.refuseTaken(project.id, wanted.name, wanted.branch);
      const kind = wanted.name === SHARED_NAME ? "shared" : "environment";
      const slot = this.#lowestFreeSlot();
      const composeProject = this.#freeComposeProject(project, wanted.name);
      const { id } = this.#database.run(
        `INSERT INTO environments
           (kind, project_id, name, branch, slot, mode, state, path, data_dir, compose_project, had_containers, created_at)
         VALUES (?, ?, ?, ?, ?, ?, 'creating', ?, ?, ?, 0, ?)`,
        kind,
        project.id,
        wanted.name,
        wanted.branch,
        slot,
        wanted.mode,
        wanted.path,
        wanted.dataDir,
        composeProject,
        new Date().toISOString(),
      );
      return this.require(id);
    });
  }

  /**
   * Refuses a name that an environment of the project has.
   *
   * @throws {PikoError} conflict that says for which branch, and what helps.
   */
  refuseTaken(projectId: number, name: string, branch: string): void {
    const known = this.find(projectId, name);
    if (known !== undefined) throw nameTaken(known, branch);
  }

  /** Forgets an environment, and with it its slot, ports, steps and links. */
  remove(id: number): void {
    this.#database.run("DELETE FROM environments WHERE id = ?", id);
  }

  /** Reads an environment that is known to be there. */
  require(id: number): EnvironmentRecord {
    const row = this.#database.first(`${COLUMNS} WHERE e.id = ?`, id);
    if (row === undefined) {
      throw new PikoError("The environment was destroyed meanwhile", {
        code: "not-found",
        hint: "piko list",
      });
    }
    return this.#withPorts([row])[0] as EnvironmentRecord;
  }

  /** Finds an environment of a project by its name. */
  find(projectId: number, name: string): EnvironmentRecord | undefined {
    const row = this.#database.first(
      `${COLUMNS} WHERE e.project_id = ? AND e.name = ?`,
      projectId,
      name,
    );
    return row && this.#withPorts([row])[0];
  }

  /** Lists the environments of a project, or of all, by project and name. */
  list(projectId?: number): EnvironmentRecord[] {
    const own = `${COLUMNS} WHERE e.kind = 'environment'`;
    const rows = projectId === undefined
      ? this.#database.all(`${own} ORDER BY p.name, e.name`)
      : this.#database.all(`${own} AND e.project_id = ? ORDER BY e.name`, projectId);
    return this.#withPorts(rows);
  }

  /** Lists the shared services of a project, or of all, each project's as one record. */
  listShared(projectId?: number): EnvironmentRecord[] {
    const shared = `${COLUMNS} WHERE e.kind = 'shared'`;
    const rows = projectId === undefined
      ? this.#database.all(`${shared} ORDER BY p.name`)
      : this.#database.all(`${shared} AND e.project_id = ?`, projectId);
    return this.#withPorts(rows);
  }

  /** Records how far an environment has come. */
  setState(id: number, state: State): void {
    this.#database.run("UPDATE environments SET state = ? WHERE id = ?", state, id);
  }

  /** Records whether an environment has containers: its branch may turn out to have no compose file, or get one. */
  setMode(id: number, mode: Mode): void {
    this.#database.run("UPDATE environments SET mode = ? WHERE id = ?", mode, id);
  }

  /** Records that containers of an environment are about to be made. */
  setHadContainers(id: number): void {
    this.#database.run("UPDATE environments SET had_containers = 1 WHERE id = ?", id);
  }

  /** Records the services of an environment that run when all of them were started. */
  setRunningServices(id: number, services: readonly string[]): void {
    const names = JSON.stringify(services);
    this.#database.run("UPDATE environments SET running_services = ? WHERE id = ?", names, id);
  }

  /** Records whether the setup script of an environment is still to be run. */
  setSetupDue(id: number, isDue: boolean): void {
    this.#database.run("UPDATE environments SET setup_due = ? WHERE id = ?", isDue ? 1 : 0, id);
  }

  /** Records the tmux session of an environment, or that it has none. */
  setSession(id: number, session: string | null): void {
    this.#database.run("UPDATE environments SET session = ? WHERE id = ?", session, id);
  }

  /** Records the branch of an environment after it was renamed. */
  setBranch(id: number, branch: string): void {
    this.#database.run("UPDATE environments SET branch = ? WHERE id = ?", branch, id);
  }

  /** Records the compose files of an environment and the override file piko lays over them. */
  setComposeFiles(id: number, files: readonly string[], overrideFile: string): void {
    this.#database.run(
      "UPDATE environments SET compose_files = ?, override_file = ? WHERE id = ?",
      JSON.stringify(files),
      overrideFile,
      id,
    );
  }

  /**
   * Gives an environment the first compose project that neither another row nor the engine has.
   *
   * @param isTaken tells whether something in the engine bears this name already.
   */
  chooseComposeProject(record: EnvironmentRecord, isTaken: (name: string) => boolean): string {
    return this.#database.transaction(() => {
      for (const name of composeProjectNames(record.project, record.name)) {
        const other = this.#database.first(
          "SELECT id FROM environments WHERE compose_project = ? AND id <> ?",
          name,
          record.id,
        );
        if (other !== undefined || isTaken(name)) continue;
        this.#database.run(
          "UPDATE environments SET compose_project = ? WHERE id = ?",
          name,
          record.id,
        );
        return name;
      }
      throw new TypeError("composeProjectNames() ended");
    });
  }

  /** Replaces the ports of an environment, computed inside the transaction that records them. */
  givePorts(id: number, assign: (kept: readonly GivenPort[]) => readonly GivenPort[]): GivenPort[] {
    return this.#database.transaction(() => {
      const given = assign(ownPorts(this.require(id)));
      this.#database.run("DELETE FROM ports WHERE environment_id = ?", id);
      for (const port of given) {
        this.#database.run(
          `INSERT INTO ports (environment_id, service, container_port, protocol, host_ip, host_port)
           VALUES (?, ?, ?, ?, ?, ?)`,
          id,
          port.service,
          port.containerPort,
          port.protocol,
          port.hostIp,
          port.hostPort,
        );
      }
      return ownPorts(this.require(id));
    });
  }

  /** Records that a step is about to begin, and returns the step's number. */
  beginStep(
    id: number,
    operation: string,
    step: Step,
    detail: Record<string, unknown> = {},
  ): number {
    return this.#database.run(
      "INSERT INTO steps (environment_id, operation, step, detail, started_at) VALUES (?, ?, ?, ?, ?)",
      id,
      operation,
      step,
      JSON.stringify(detail),
      new Date().toISOString(),
    ).id;
  }

  /** Records, in the detail of the step that was begun last, the process that it has started just now. */
  recordProcess(id: number, pid: number): void {
    const process: StepProcess = { pid, startedAt: new Date().toISOString() };
    this.#database.run(
      `UPDATE steps SET detail = json_set(detail, '$.process', json(?))
       WHERE id = (SELECT max(id) FROM steps WHERE environment_id = ?)`,
      JSON.stringify(process),
      id,
    );
  }

  /**
   * Records the first step of an operation together with what it means for steps that were left: those it takes the place
   * of, and those that are to be done again no longer without asking, since this command came after them.
   */
  beginRun(
    id: number,
    operation: string,
    step: Step,
    detail: Record<string, unknown>,
    left: { forget: readonly number[]; doubt: readonly number[]; since: string },
  ): number {
    return this.#database.transaction(() => {
      this.forgetSteps(left.forget);
      this.#database.run(
        `UPDATE steps SET detail = json_set(detail, '$.since', ?)
         WHERE id IN (SELECT value FROM json_each(?))`,
        left.since,
        JSON.stringify(left.doubt),
      );
      return this.beginStep(id, operation, step, detail);
    });
  }

  /** Forgets the steps of an operation's last run, and records those that its next one goes on from, both or none. */
  restartOperation(
    id: number,
    operation: string,
    steps: readonly Pick<StepRecord, "step" | "detail">[],
  ): void {
    this.#database.transaction(() => {
      this.endOperation(id, operation);
      for (const { step, detail } of steps) this.beginStep(id, operation, step, detail);
    });
  }

  /**
   * Records the last step of create together with what has become of the environment, so that a piko that is killed leaves
   * one that is not made yet or one that is whole.
   */
  endCreate(id: number, state: "ready" | "failed"): void {
    this.#database.transaction(() => {
      this.beginStep(id, "create", "record");
      this.setState(id, state);
    });
  }

  /** Forgets the steps of an operation: of one that came to its end, or of its last run before the next one. */
  endOperation(id: number, operation: string): void {
    this.#database.run(
      "DELETE FROM steps WHERE environment_id = ? AND operation = ?",
      id,
      operation,
    );
  }

  /** Forgets steps by their numbers. */
  forgetSteps(steps: readonly number[]): void {
    if (steps.length === 0) return;
    this.#database.run(
      "DELETE FROM steps WHERE id IN (SELECT value FROM json_each(?))",
      JSON.stringify(steps),
    );
  }

  /** Lists the steps that were begun on an environment, the oldest first. */
  listSteps(id: number): StepRecord[] {
    return this.#database.all("SELECT * FROM steps WHERE environment_id = ? ORDER BY id", id).map(
      (row) => ({
        id: Number(row.id),
        operation: String(row.operation),
        step: String(row.step) as Step,
        detail: JSON.parse(String(row.detail)) as Record<string, unknown>,
        startedAt: String(row.started_at),
      }),
    );
  }

  /** Remembers that the worktree's own configuration was told of; false when that was done before for this content. */
  tellConfig(id: number, fingerprint: string): boolean {
    const { changes } = this.#database.run(
      "UPDATE environments SET told_config = ? WHERE id = ? AND told_config IS NOT ?",
      fingerprint,
      id,
      fingerprint,
    );
    return changes > 0;
  }

  /** Records a link that is about to be made in an environment's worktree. */
  addCarried(id: number, carried: CarriedRecord): void {
    this.#database.run(
      "INSERT OR REPLACE INTO carried (environment_id, path, target) VALUES (?, ?, ?)",
      id,
      carried.path,
      carried.target,
    );
  }

  /** Lists the links that piko made in an environment's worktree. */
  listCarried(id: number): CarriedRecord[] {
    return this.#database.all(
      "SELECT path, target FROM carried WHERE environment_id = ? ORDER BY path",
      id,
    )
      .map((row) => ({ path: String(row.path), target: String(row.target) }));
  }

  /**
   * Records the volumes that stay on an engine after an environment is gone, so that its next life may have them again;
   * they take the place of what an earlier life has kept there.
   */
  keepVolumes(
    record: Pick<EnvironmentRecord, "root" | "name" | "composeProject">,
    names: readonly string[],
    engine: string,
  ): void {
    this.#database.transaction(() => {
      this.#database.run(
        "DELETE FROM kept_volumes WHERE compose_project = ? AND engine IN (?, '')",
        record.composeProject,
        engine,
      );
      for (const name of names) {
        this.#database.run(
          `INSERT OR REPLACE INTO kept_volumes (engine, name, root, environment, compose_project, kept_at)
           VALUES (?, ?, ?, ?, ?, ?)`,
          engine,
          name,
          record.root,
          record.name,
          record.composeProject,
          new Date().toISOString(),
        );
      }
    });
  }

  /** Tells whether a volume is recorded, on any engine, that bears the name of a compose project. */
  hasKeptVolumes(composeProject: string): boolean {
    const found = "SELECT 1 FROM kept_volumes WHERE compose_project = ?";
    return this.#database.first(found, composeProject) !== undefined;
  }

  /** Forgets a volume that was kept. */
  forgetKeptVolume({ name, engine }: Pick<KeptVolume, "name" | "engine">): void {
    this.#database.run(
      "DELETE FROM kept_volumes WHERE name = ? AND engine = ?",
      name,
      engine ?? "",
    );
  }

  /** Lists the volumes that earlier environments of a project left behind. */
  listKeptVolumes(root: string): KeptVolume[] {
    return this.#database.all("SELECT * FROM kept_volumes WHERE root = ? ORDER BY name", root).map(
      (row) => ({
        name: String(row.name),
        engine: row.engine === "" ? null : String(row.engine),
        root: String(row.root),
        environment: String(row.environment),
        composeProject: String(row.compose_project),
      }),
    );
  }

  #lowestFreeSlot(): number {
    const taken = new Set(
      this.#database.all("SELECT slot FROM environments").map((row) => row.slot),
    );
    const { first, last } = this.#slots;
    for (let slot = first; slot <= last; slot++) if (!taken.has(slot)) return slot;
    const which = first === 1 && last === MAX_SLOT
      ? `All ${MAX_SLOT} slots of this machine`
      : `The slots ${first} to ${last} of PIKO_SLOTS`;
    throw new PikoError(`${which} are in use`, {
      code: "conflict",
      hint: "piko list --all shows what exists; piko destroy NAME frees a slot",
    });
  }

  #freeComposeProject(project: ProjectRecord, name: string): string {
    const kept = this.#database.first(
      "SELECT compose_project FROM kept_volumes WHERE root = ? AND environment = ? ORDER BY kept_at DESC",
      project.root,
      name,
    );
    const candidates = kept === undefined ? composeProjectNames(project.name, name) : [
      String(kept.compose_project),
      ...firstOf(composeProjectNames(project.name, name), MAX_SLOT + 1),
    ];
    for (const candidate of candidates) {
      const known = this.#database.first(
        "SELECT 1 FROM environments WHERE compose_project = ?",
        candidate,
      );
      if (known === undefined) return candidate;
    }
    throw new TypeError("More compose projects than slots");
  }

  #withPorts(rows: Row[]): EnvironmentRecord[] {
    if (rows.length === 0) return [];
    const ports = new Map<number, GivenPort[]>();
    const uses = new Map<number, SharedUse>();
    const ids = rows.length === 1 ? [Number(rows[0]?.id)] : [];
    const only = (column: string) => ids.length === 0 ? "" : ` WHERE ${column} = ?`;
    for (const row of this.#database.all(`SELECT * FROM ports${only("environment_id")}`, ...ids)) {
      listIn(ports, Number(row.environment_id)).push(portOf(row));
    }
    for (const row of this.#database.all(SHARED_USES + only("u.environment_id"), ...ids)) {
      const user = Number(row.user);
      const use = uses.get(user) ?? { composeProject: String(row.compose_project), services: [] };
      uses.set(user, use);
      const service = String(row.used);
      if (!use.services.includes(service)) use.services.push(service);
      if (row.host_port !== null) listIn(ports, user).push({ ...portOf(row), shared: true });
    }
    for (const list of ports.values()) list.sort(byPlace);
    return rows.map((row) => {
      const known = Number(row.id);
      return environmentOf(row, ports.get(known) ?? [], uses.get(known) ?? null);
    });
  }
}

/** What each environment uses of its project's shared services, with one row for each port or none. */
const SHARED_USES = `
  SELECT u.environment_id AS user, u.service AS used, s.compose_project, p.*
  FROM shared_users u
  JOIN environments e ON e.id = u.environment_id
  JOIN environments s ON s.project_id = e.project_id AND s.kind = 'shared'
  LEFT JOIN ports p ON p.environment_id = s.id AND p.service = u.service`;

/** Lists the ports that an environment owns. */
export function ownPorts({ ports }: Pick<EnvironmentRecord, "ports">): GivenPort[] {
  return ports.filter(({ shared }) => shared !== true);
}

function portOf(row: Row): GivenPort {
  return {
    service: String(row.service),
    containerPort: Number(row.container_port),
    protocol: row.protocol === "udp" ? "udp" : "tcp",
    hostIp: row.host_ip === null ? null : String(row.host_ip),
    hostPort: Number(row.host_port),
  };
}

function byPlace(a: GivenPort, b: GivenPort): number {
  return compareText(a.service, b.service) || a.containerPort - b.containerPort ||
    compareText(a.protocol, b.protocol) || a.hostPort - b.hostPort;
}

function listIn<T>(lists: Map<number, T[]>, key: number): T[] {
  const list = lists.get(key) ?? [];
  if (list.length === 0) lists.set(key, list);
  return list;
}

function* firstOf<T>(items: Iterable<T>, count: number): Generator<T> {
  for (const item of items) {
    if (count-- <= 0) return;
    yield item;
  }
}

function nameTaken(known: EnvironmentRecord, branch: string): PikoError {
  if (known.branch !== branch) {
    return new PikoError(
      `Environment ${quote(known.name)} exists already, for branch ${quote(known.branch)}`,
      {
        code: "conflict",
        hint: `piko create OTHER-NAME --branch '${branch.replaceAll("'", `'\\''`)}'`,
      },
    );
  }
  if (known.state === "creating" || known.state === "failed") {
    return new PikoError(
      `Environment ${quote(known.name)} exists already, and was not made completely`,
      {
        code: "conflict",
        hint: `piko destroy ${qualified(known)}`,
      },
    );
  }
  if (known.state === "destroying") {
    return new PikoError(`Environment ${quote(known.name)} is still there, and half destroyed`, {
      code: "conflict",
      hint: `piko destroy ${qualified(known)}`,
    });
  }
  return new PikoError(`Environment ${quote(known.name)} exists already`, {
    code: "conflict",
    hint: `piko status ${qualified(known)}`,
  });
}

function environmentOf(
  row: Row,
  ports: GivenPort[],
  shared: SharedUse | null,
): EnvironmentRecord {
  return {
    id: Number(row.id),
    projectId: Number(row.project_id),
    project: String(row.project),
    root: String(row.root),
    registeredAt: String(row.registered_at),
    name: String(row.name),
    branch: String(row.branch),
    slot: Number(row.slot),
    mode: row.mode as Mode,
    state: row.state as State,
    path: String(row.path),
    dataDir: String(row.data_dir),
    composeProject: String(row.compose_project),
    hadContainers: row.had_containers === 1,
    runningServices: JSON.parse(String(row.running_services)) as string[],
    setupIsDue: row.setup_due === 1,
    composeFiles: JSON.parse(String(row.compose_files)) as string[],
    overrideFile: row.override_file === null ? null : String(row.override_file),
    session: row.session === null ? null : String(row.session),
    createdAt: String(row.created_at),
    ports,
    shared,
  };
}
