/** What an operation tells while it works: the terminal prints it, the server streams it. */

/** The steps of piko's operations, in the order in which create takes them. */
export type Step =
  | "worktree"
  | "files"
  | "data"
  | "shared"
  | "ports"
  | "override"
  | "prepare"
  | "containers"
  | "networks"
  | "ready"
  | "setup"
  | "session"
  | "destroy"
  | "volumes"
  | "branch"
  | "record";

/** One thing that an operation tells. */
export type Report =
  | { kind: "started"; step: Step; message: string }
  | { kind: "progress"; step: Step; message: string }
  | { kind: "done"; step: Step; message: string }
  | { kind: "failed"; step: Step; message: string }
  | { kind: "output"; step: Step; line: string; from: "stdout" | "stderr" }
  | { kind: "undone"; message: string }
  | { kind: "warning"; message: string; hint?: string | undefined }
  | { kind: "note"; message: string }
  | { kind: "waiting"; message: string };

/** How an operation is watched and ended. */
export interface Watch {
  report: (report: Report) => void;
  signal?: AbortSignal | undefined;
}

/** A line for a person that says what a step does. */
export const STEP_TITLES: Readonly<Record<Step, string>> = {
  worktree: "Worktree",
  files: "Files",
  data: "Data",
  shared: "Shared",
  ports: "Ports",
  override: "Override file",
  prepare: "Prepare script",
  containers: "Containers",
  networks: "Networks",
  ready: "Readiness",
  setup: "Setup script",
  session: "Session",
  destroy: "Destroy script",
  volumes: "Volumes",
  branch: "Branch",
  record: "Registry",
};
