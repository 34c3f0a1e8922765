/**
 * An environment as piko shows it: the one vocabulary of `--json`, the API and the page (camelCase, times in ISO
 * 8601 UTC, paths absolute, absent values null).
 */

/** With containers, or with a worktree, data and scripts alone. */
export type Mode = "docker" | "simple";

/** How far an environment has come, as the registry records it. */
export type State = "creating" | "ready" | "failed" | "destroying";

/** What an environment is doing, as it is shown. */
export type Status =
  | "running"
  | "partial"
  | "stopped"
  | "unhealthy"
  | "creating"
  | "failed"
  | "destroying"
  | "simple"
  | "missing"
  | "unknown";

export interface Port {
  service: string;
  containerPort: number;
  hostPort: number;
  protocol: "tcp" | "udp";
  /** Where a program reaches it: `http://localhost:10180`, or `localhost:10132` when it speaks no HTTP. */
  url: string;
  shared: boolean;
}

export interface Containers {
  running: number;
  healthy: number;
  total: number;
}

export interface Service {
  service: string;
  container: string | null;
  state: string;
  health: string | null;
  /** How its last run ended; null while it runs and when it never did. */
  exitCode: number | null;
  ports: Port[];
  shared: boolean;
}

/** A service that environments of a project share. */
export interface SharedService {
  service: string;
  /** False once new environments get their own again and the last ones still use it. */
  offered: boolean;
  container: string | null;
  state: string;
  health: string | null;
  ports: Port[];
  /** Names of the environments that use it. */
  users: string[];
  /** Names of the environments that have their own, which `--now` would move. */
  others: string[];
}

export interface Environment {
  project: string;
  name: string;
  branch: string;
  mode: Mode;
  status: Status;
  slot: number;
  path: string;
  dataDir: string;
  /** In simple mode the same name, which no container has. */
  composeProject: string;
  /** The tmux session; null where there is none. */
  session: string | null;
  createdAt: string;
  containers: Containers;
  ports: Port[];
}

export interface Project {
  name: string;
  root: string;
  composeFile: string | null;
  environments: number;
}

/** What is known of an environment when its status is asked for. */
export interface Known {
  mode: Mode;
  state: State;
  /** Whether a piko is at work on it now, which an interrupted create or destroy no longer is. */
  atWork: boolean;
  worktreeExists: boolean;
  /** What the engine says of its containers; undefined when no engine answers. */
  containers: Status | undefined;
}

/** Tells an environment's status of what is known of it. */
export function statusOf(known: Known): Status {
  if (known.state === "creating" || known.state === "destroying") {
    return known.atWork ? known.state : "failed";
  }
  if (!known.worktreeExists) return "missing";
  if (known.state === "failed") return "failed";
  if (known.mode === "simple") return "simple";
  return known.containers ?? "unknown";
}
