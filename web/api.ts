/** What the page asks the server for; every refusal is an {@link ApiError} with the server's own words. */

import type {
  Branch,
  CreateBody,
  DestroyBody,
  EditorOpened,
  EnvironmentDetails,
  ErrorBody,
  OperationInFull,
} from "../src/domain/api.ts";

/** An environment as it is named in addresses. */
export interface Named {
  project: string;
  name: string;
}

/** The server refused, or did not answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The status of the answer; 0 when there was none. */
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;
  readonly details: readonly string[];
  /** The work that would be lost, where that is why it was refused; empty where it is not. */
  readonly unsaved: readonly string[];
  /** What stands for that work, where the server has told it. */
  readonly fingerprint: string | undefined;
  readonly field: string | null;

  constructor(status: number, error: ErrorBody["error"]) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.hint = error.hint;
    this.details = error.details ?? [];
    this.unsaved = [...error.unsaved?.files ?? [], ...error.unsaved?.commits ?? []];
    this.fingerprint = error.unsaved?.fingerprint;
    this.field = error.field ?? null;
  }
}

/** What the server can be asked to do with an environment besides creating and destroying it. */
export type Action = "up" | "down" | "restart";

/** Asks for everything that only the environment's own view shows. */
export function fetchDetails(of: Named): Promise<EnvironmentDetails> {
  return ask("GET", addressOf(of));
}

/** Lists the branches that an environment can start from, newest first. */
export async function fetchBranches(project: string, signal?: AbortSignal): Promise<Branch[]> {
  const path = `/api/projects/${encodeURIComponent(project)}/branches`;
  return (await ask<{ branches: Branch[] }>("GET", path, { signal })).branches;
}

/** Asks for an operation with all it has told so far. */
export function fetchOperation(id: string): Promise<OperationInFull> {
  return ask("GET", `/api/operations/${encodeURIComponent(id)}`);
}

/** Has an environment created. */
export function createEnvironment(project: string, body: CreateBody): Promise<OperationInFull> {
  return ask("POST", `/api/projects/${encodeURIComponent(project)}/environments`, { body });
}

/** Has an environment destroyed. */
export function destroyEnvironment(of: Named, body: DestroyBody): Promise<OperationInFull> {
  return ask("DELETE", addressOf(of), { body });
}

/** Has containers started, stopped or restarted; those of all services when none is named. */
export function startAction(
  of: Named,
  action: Action,
  services: readonly string[],
): Promise<OperationInFull> {
  return ask("POST", `${addressOf(of)}/${action}`, { body: { services } });
}

/** Has the worktree opened in the editor. */
export function openEditor(of: Named): Promise<EditorOpened> {
  return ask("POST", `${addressOf(of)}/open`, { body: {} });
}

/** Has an operation broken off, which undoes what it made. */
export function cancelOperation(id: string): Promise<OperationInFull> {
  return ask("POST", `/api/operations/${encodeURIComponent(id)}/cancel`, { body: {} });
}

/** Writes the address of an environment's log stream. */
export function logsAddress(of: Named, query: URLSearchParams): string {
  return `${addressOf(of)}/logs?${query}`;
}

/** Opens a stream of events. */
export async function openStream(
  address: string,
  { lastEventId, signal }: { lastEventId?: string | null; signal: AbortSignal },
): Promise<Response> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (lastEventId) headers["Last-Event-ID"] = lastEventId;
  const response = await reach(address, { headers, signal, cache: "no-store" });
  if (!response.ok) throw await refusal(response);
  return response;
}

function addressOf({ project, name }: Named): string {
  return `/api/projects/${encodeURIComponent(project)}/environments/${encodeURIComponent(name)}`;
}

async function ask<Answer>(
  method: string,
  path: string,
  { body, signal }: { body?: unknown; signal?: AbortSignal | undefined } = {},
): Promise<Answer> {
  const response = await reach(path, {
    method,
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  if (!response.ok) throw await refusal(response);
  return await response.json();
}

/** Milliseconds before a question is asked again whose connection broke: see reload.ts. */
const ASK_AGAIN = [200, 600] as const;

async function reach(path: string, init: RequestInit, attempt = 0): Promise<Response> {
  try {
    return await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    // What fetch throws for a connection that fails is a TypeError (Fetch standard, 5.6).
    if (!(error instanceof TypeError)) throw error;
    const wait = ASK_AGAIN[attempt];
    // What changes something may have been done already.
    const isQuestion = init.method === "GET";
    if (isQuestion && wait !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      init.signal?.throwIfAborted();
      return await reach(path, init, attempt + 1);
    }
    throw new ApiError(0, {
      code: "unavailable",
      message: "piko's server does not answer",
      hint: "piko server",
    });
  }
}

async function refusal(response: Response): Promise<ApiError> {
  let body: Partial<ErrorBody> = {};
  try {
    body = await response.json();
  } catch (error) {
    // Whatever stands there is not piko's; the status alone has to do.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new ApiError(response.status, {
    code: "failed",
    message: `The server answered ${response.status} ${response.statusText}`.trim(),
    hint: null,
    ...body.error,
  });
}
