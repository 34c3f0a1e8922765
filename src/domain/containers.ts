/** What the containers of an environment say about it: how many run, and which of piko's words sums them up. */

/** The engine's own words for what a container is doing. */
export type ContainerState =
  | "created"
  | "running"
  | "paused"
  | "restarting"
  | "removing"
  | "exited"
  | "dead";

/** What a health check says; null where a container has none, or does not run. */
export type ContainerHealth = "healthy" | "unhealthy" | "starting" | null;

/** A container port as it is bound on this machine; `hostPort` is null for one that is only exposed. */
export interface ContainerPort {
  containerPort: number;
  hostPort: number | null;
  protocol: "tcp" | "udp" | "sctp";
  hostIp: string | null;
}

/** A container of a compose project. */
export interface Container {
  id: string;
  name: string;
  composeProject: string;
  service: string;
  /** Which of the service's replicas it is, from 1 on. */
  number: number;
  state: ContainerState;
  health: ContainerHealth;
  /** How its last run ended; null while it runs and when it never did. */
  exitCode: number | null;
  /** Whole seconds since it started, by the engine's clock; from a minute on only a lower bound. */
  runningSeconds: number | null;
  /** The engine's sentence, like "Up 2 hours (healthy)". */
  status: string;
  image: string;
  ports: ContainerPort[];
  networks: string[];
  /** The ids of its networks by their names; null for one that it has joined while it was stopped. */
  networkIds: Record<string, string | null>;
  /** The network that it was made for first, or `host`, `none`, `container:ID`. */
  networkMode: string;
  /** Names of the volumes that are mounted, anonymous ones included. */
  volumes: string[];
  /** The folder that the project was started for. */
  workingDir: string | null;
  /** The compose files that it was started from. */
  configFiles: string[];
  labels: Record<string, string>;
}

/** The word for an environment whose containers are known. */
export type RunStatus = "running" | "partial" | "stopped" | "unhealthy";

/** How many containers there are, run, and are healthy. */
export interface ContainerCounts {
  running: number;
  healthy: number;
  total: number;
}

/** What {@link environmentStatus} needs to know of a container. */
export type ContainerCondition = Pick<Container, "state" | "health" | "exitCode">;

/**
 * Sums up containers as counts and one word. A running container without a health check counts as healthy;
 * a paused or restarting one does not run, but keeps the environment from being called stopped; a one-shot
 * that ended with 0 takes nothing away.
 *
 * @param missing is how many more there should be.
 */
export function environmentStatus(
  containers: readonly ContainerCondition[],
  missing = 0,
): { status: RunStatus; counts: ContainerCounts } {
  const running = containers.filter(({ state }) => state === "running");
  const healthy = running.filter(({ health }) => health === null || health === "healthy");
  return {
    status: statusOf(containers, running, missing),
    counts: {
      running: running.length,
      healthy: healthy.length,
      total: containers.length + missing,
    },
  };
}

function statusOf(
  containers: readonly ContainerCondition[],
  running: readonly ContainerCondition[],
  missing: number,
): RunStatus {
  if (running.some(({ health }) => health === "unhealthy")) return "unhealthy";
  const alive = containers.some(({ state }) => state === "paused" || state === "restarting");
  if (running.length === 0) return alive ? "partial" : "stopped";
  return missing === 0 && containers.every(runsOrIsDone) ? "running" : "partial";
}

function runsOrIsDone({ state, exitCode }: ContainerCondition): boolean {
  return state === "running" || (state === "exited" && exitCode === 0);
}

/** Tells whether the engine has named a volume itself, for one container: another one never finds it again. */
export function isAnonymousVolume(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}
