/**
 * What the server and its page say to each other besides the documents of `environment.ts`: the bodies of requests,
 * operations with their reports, and the events of `GET /api/events`.
 */

import type { Environment, Project, Service } from "./environment.ts";
import type { UnsavedWork } from "./errors.ts";
import type { Report } from "./report.ts";

/** The body of every refusal, the same as with `--json`. */
export interface ErrorBody {
  error: {
    code: string;
    message: string;
    hint: string | null;
    /** The files, names or lines that the message speaks of. */
    details?: string[];
    /** The work that would be lost, where that is why it was refused; it is among the details too. */
    unsaved?: UnsavedWork;
    /** The field of the request's body that it is about. */
    field?: string;
  };
}

/** What `POST /api/projects/:project/environments` takes. */
export interface CreateBody {
  name: string;
  branch?: string;
  from?: string;
}

/** What `DELETE …/:name` takes. */
export interface DestroyBody {
  volumes?: boolean;
  /** Loses work that is not saved. */
  force?: boolean;
  /** The one in {@link UnsavedWork}, of the refusal that was shown: with it, `force` loses that work and no other. */
  fingerprint?: string;
}

/** What `POST …/:name/up`, `/down` and `/restart` take; none of the services means all. */
export interface ServicesBody {
  services?: string[];
}

/** What `POST …/:name/open` answers. */
export interface EditorOpened {
  opened: { editor: string[]; paths: string[] };
}

/** What an operation does. */
export type OperationKind = "create" | "up" | "down" | "restart" | "destroy";

/** Long work that the server does, as it stands now. */
export interface Operation {
  id: string;
  kind: OperationKind;
  project: string;
  /** The environment's name. */
  environment: string;
  state: "running" | "done" | "failed" | "cancelled";
  startedAt: string;
  /** When it was first asked to end; it goes on taking back what it can, or comes to its end before it heard of it. */
  cancelledAt: string | null;
  endedAt: string | null;
  error: ErrorBody["error"] | null;
}

/** One report of an operation, with its time. */
export interface OperationReport {
  /** Counts from 0 within the operation; the oldest lines of output may be missing. */
  index: number;
  at: string;
  report: Report;
}

/** What `GET /api/operations/:id` answers, and 202 with no reports yet. */
export interface OperationInFull {
  operation: Operation;
  reports: OperationReport[];
}

/** A local or remote branch that an environment can start from. */
export interface Branch {
  name: string;
  /** The remote that alone has it; null for a local one. */
  remote: string | null;
  /** When its last commit was made. */
  committedAt: string;
  subject: string;
  /** Where it is checked out, if anywhere. */
  worktree: string | null;
}

/** What `GET …/:name` answers. */
export interface EnvironmentDetails {
  environment: Environment;
  services: Service[];
  /** The variables of `piko env`. */
  variables: Record<string, string>;
  /** What destroy would refuse to lose; null when the worktree is gone. */
  work: UnsavedWork | null;
  lastCommit: { hash: string; subject: string; author: string; committedAt: string } | null;
  /** Whether the environment's branch is still there; null when git could not tell. */
  branchExists: boolean | null;
  /** The branch or commit that the worktree has checked out instead of its own branch. */
  checkedOut: string | null;
  /** Why git could not tell the work, the last commit and the branch; null when it could, or had nothing to tell. */
  problem: string | null;
}

/** A line of `GET …/:name/logs`, the data of an event of the default type. */
export interface LogEvent {
  service: string;
  /** The service, with the container's number where it has several. */
  label: string;
  container: string;
  time: string;
  stream: "stdout" | "stderr";
  text: string;
}

/** What the other events of `GET …/:name/logs` say, by their SSE type. */
export interface LogEvents {
  /** Something worth knowing, such as that the containers have stopped. */
  note: { message: string };
  /** Says by its id how far the logs were read; whoever comes back with it as `Last-Event-ID` goes on there. */
  place: Record<string, never>;
  /** Nothing will follow; whoever reads closes the stream, which would be opened again otherwise. */
  end: Record<string, never>;
  /** What an {@link ErrorBody} says; nothing will follow. */
  failure: ErrorBody["error"];
}

/** An event of `GET /api/events`; its SSE type is its `type`, its data the whole of it as JSON. */
export type ServerEvent =
  /** Follows a connection that cannot be resumed: everything may have changed, and this is all there is. */
  | {
    type: "snapshot";
    environments: EnvironmentState[];
    projects: Project[];
    operations: Operation[];
    engine: EngineState;
  }
  /** An environment is new, or something of it has changed. */
  | { type: "environment"; environment: Environment; services: Service[] }
  | { type: "removed"; project: string; name: string }
  | { type: "projects"; projects: Project[] }
  | { type: "operation"; operation: Operation }
  | { type: "report"; operation: string; report: OperationReport }
  | { type: "engine"; engine: EngineState }
  /** The server ends, and the stream with it. */
  | { type: "closing" };

/** What the page is made of when it is asked for. */
export interface PageState {
  /** Path and query of the page, in which the choice is. */
  url: string;
  projects: Project[];
  environments: EnvironmentState[];
  operations: Operation[];
  engine: EngineState;
  /** The project that the server was started in. */
  project: string | null;
  version: string;
  /** The id of the last event that the state contains: `GET /api/events?after=` goes on from there. */
  cursor: string;
}

/** An environment with its services. */
export interface EnvironmentState {
  environment: Environment;
  services: Service[];
}

/** Whether the Docker engine answers, and if not, why and what helps. */
export interface EngineState {
  reachable: boolean;
  message: string | null;
  hint: string | null;
}
