/**
 * The routes of the API: what may be asked, and which of piko's operations answers. What is long answers 202 once the
 * checks are done that take no time, so that a mistake is told at its field, and goes on by itself.
 */

import type {
  Branch,
  EditorOpened,
  EnvironmentDetails,
  OperationInFull,
  OperationKind,
} from "../domain/api.ts";
import { CommandError, type ErrorCode, PikoError } from "../domain/errors.ts";
import { describeFailure, inOwnWords } from "../domain/failure.ts";
import { qualified } from "../domain/hints.ts";
import { environmentName } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { environmentVariables } from "../domain/variables.ts";
import { createEnvironment } from "../operations/create_environment.ts";
import { destroyEnvironment, findWork, refuseWork } from "../operations/destroy_environment.ts";
import { prepareEdit } from "../operations/edit_worktree.ts";
import {
  requireEnvironmentOf,
  requireProject,
  requireProjectNamed,
} from "../operations/find_environment.ts";
import { describeProject } from "../operations/projects.ts";
import { planBranch } from "../operations/plan_branch.ts";
import {
  restartEnvironment,
  startEnvironment,
  stopEnvironment,
} from "../operations/start_environment.ts";
import type { Tools } from "../operations/tools.ts";
import { findOtherCheckout } from "../programs/linked_worktree.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { answerJson, FieldError, Refusal } from "./answers.ts";
import { BODIES, readBody } from "./body.ts";
import type { Events } from "./events.ts";
import type { Keys } from "./keys.ts";
import type { LogStreams } from "./logs.ts";
import type { Operations } from "./operations.ts";
import type { Overview } from "./overview.ts";

/** Milliseconds that containers are waited for, as by the CLI. */
const READY_TIME = 120_000;

/** Milliseconds that git is waited for when an environment is looked at. */
const GIT_TIME = 5000;

/** The most branches that are listed. */
const MOST_BRANCHES = 1000;

/** What the routes work with. */
export interface Parts {
  tools: Tools;
  /** The folder that the server was started in. */
  folder: string;
  overview: Overview;
  /** Resolves when the overview knows what the registry says at this moment. */
  fresh: () => Promise<void>;
  events: Events;
  operations: Operations;
  logs: LogStreams;
  keys: Keys;
  /** Makes the address that lets a browser in. */
  loginUrl: () => string;
  /** Is given when the server ends, and nobody waits for an answer any more. */
  ending: AbortSignal;
}

/** One request to a route. */
interface Call extends Parts {
  request: Request;
  url: URL;
  /** What stands in the path for `:name`. */
  params: Readonly<Record<string, string>>;
}

type Answer = (call: Call) => Promise<Response> | Response;

/** A path of words and `:names`, with what answers each method. */
interface Route {
  words: string[];
  methods: Readonly<Record<string, Answer>>;
}

const ENVIRONMENT_ROUTES: Readonly<Record<string, Readonly<Record<string, Answer>>>> = {
  "": { GET: showEnvironment, DELETE: destroy },
  "/up": { POST: (call) => lifecycle(call, "up") },
  "/down": { POST: (call) => lifecycle(call, "down") },
  "/restart": { POST: (call) => lifecycle(call, "restart") },
  "/open": { POST: openEditor },
  "/logs": { GET: readLogs },
};

const ROUTES: readonly Route[] = [
  route("/api/projects", { GET: listProjects }),
  route("/api/project", { GET: showProject }),
  route("/api/projects/:project/branches", { GET: listBranches }),
  route("/api/projects/:project/environments", { GET: listOfProject, POST: create }),
  route("/api/environments", { GET: listAll, POST: create }),
  ...Object.entries(ENVIRONMENT_ROUTES).flatMap(([rest, methods]) => [
    route(`/api/projects/:project/environments/:name${rest}`, methods),
    route(`/api/environments/:name${rest}`, methods),
  ]),
  route("/api/operations", { GET: listOperations }),
  route("/api/operations/:id", { GET: showOperation }),
  route("/api/operations/:id/cancel", { POST: cancelOperation }),
  route("/api/events", { GET: readEvents }),
  route("/api/tickets", { POST: makeTicket }),
  route("/api/token", { POST: renewToken }),
];

/** Lists what the API answers, each as `GET /api/projects`. */
export function listRoutes(): string[] {
  return ROUTES.flatMap(({ words, methods }) =>
    Object.keys(methods).map((method) => `${method} ${words.join("/")}`)
  );
}

/**
 * Answers a request to the API.
 *
 * @throws {Refusal} 404 for an unknown path, 405 for a method that it does not have; what the operations throw.
 */
export async function answerApi(parts: Parts, request: Request, url: URL): Promise<Response> {
  const words = wordsOf(url.pathname);
  for (const { words: pattern, methods } of ROUTES) {
    const params = words && match(pattern, words);
    if (params === undefined) continue;
    const method = request.method === "HEAD" ? "GET" : request.method;
    const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (answer !== undefined) return await answer({ ...parts, request, url, params });
    throw wrongMethod(Object.keys(methods));
  }
  throw new Refusal(404, "There is nothing at this address", { hint: "GET /api/environments" });
}

/** Makes the refusal of a method that an address does not have. */
export function wrongMethod(methods: readonly string[]): Refusal {
  const allow = methods.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]);
  return new Refusal(405, `This address takes ${allow.join(", ")}`, {
    headers: { allow: allow.join(", ") },
  });
}

function route(path: string, methods: Route["methods"]): Route {
  return { words: path.split("/"), methods };
}

function wordsOf(path: string): string[] | undefined {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function match(
  pattern: readonly string[],
  words: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== words.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const word = words[index] ?? "";
    if (expected.startsWith(":")) params[expected.slice(1)] = word;
    else if (expected !== word) return undefined;
  }
  return params;
}

async function listProjects({ tools }: Call): Promise<Response> {
  const projects = await Promise.all(
    tools.projects.list().map((project) => describeProject(tools, project)),
  );
  return answerJson({ projects });
}

async function showProject({ tools, folder }: Call): Promise<Response> {
  return answerJson({ project: await describeProject(tools, requireProject(tools, folder)) });
}

async function listBranches(call: Call): Promise<Response> {
  const { git } = call.tools;
  const { root } = projectOf(call);
  const tips = await git.listBranches(root, MOST_BRANCHES, {
    signal: AbortSignal.timeout(GIT_TIME),
  });
  const local = new Set(tips.filter(({ remote }) => remote === "").map(({ name }) => name));
  const branches = tips.filter(({ name, remote }) => remote === "" || !local.has(name)).map(
    (tip): Branch => ({
      name: tip.name,
      remote: tip.remote || null,
      committedAt: new Date(tip.committedAt).toISOString(),
      subject: tip.subject,
      worktree: tip.worktreePath || null,
    }),
  );
  return answerJson({ branches });
}

async function listAll({ overview, fresh }: Call): Promise<Response> {
  await fresh();
  return answerJson({ environments: overview.environments.map(({ environment }) => environment) });
}

async function listOfProject(call: Call): Promise<Response> {
  const { overview, fresh } = call;
  const project = projectOf(call);
  await fresh();
  const own = overview.environments.filter(({ environment }) =>
    environment.project === project.name
  );
  return answerJson({ environments: own.map(({ environment }) => environment) });
}

async function showEnvironment(call: Call): Promise<Response> {
  const { tools, overview, fresh } = call;
  const record = environmentOf(call);
  const [known, git] = await Promise.all([
    fresh().then(() => overview.find(record.project, record.name)),
    askGit(tools, record),
  ]);
  if (known === undefined) {
    throw new PikoError("The environment was destroyed meanwhile", {
      code: "not-found",
      hint: "piko list",
    });
  }
  return answerJson(
    { ...known, variables: environmentVariables(record), ...git } satisfies EnvironmentDetails,
  );
}

/** Asks git about a worktree, with a limit: a repository on a disk that sleeps must not keep the rest waiting. */
async function askGit(
  tools: Tools,
  record: EnvironmentRecord,
): Promise<
  Pick<EnvironmentDetails, "work" | "lastCommit" | "branchExists" | "checkedOut" | "problem">
> {
  const { root, path, branch } = record;
  const checkedOut = findOtherCheckout(path, branch);
  const nothing = { work: null, lastCommit: null, branchExists: null, checkedOut };
  const signal = AbortSignal.timeout(GIT_TIME);
  // What is wrong with the registry is no problem of git's.
  const carried = tools.environments.listCarried(record.id);
  const hasBranch = async () =>
    await tools.git.findCommit(root, `refs/heads/${branch}`, { signal }) !== undefined;
  try {
    if (!await isFolder(path)) {
      return { ...nothing, branchExists: await hasBranch(), problem: null };
    }
    const [work, commit, branchExists] = await Promise.all([
      findWork(tools, record, signal, carried),
      tools.git.lastCommit(path, { signal }),
      hasBranch(),
    ]);
    const lastCommit = commit === undefined
      ? null
      : { ...commit, committedAt: new Date(commit.committedAt).toISOString() };
    return { work, lastCommit, branchExists, checkedOut, problem: null };
  } catch (error) {
    // A worktree may go while git looks at it, file by file.
    if (!await isFolder(path)) return { ...nothing, problem: null };
    const { code, message } = describeFailure(error);
    if (code === "bug") throw error;
    const said = error instanceof CommandError ? inOwnWords(error) : message;
    return {
      ...nothing,
      problem: signal.aborted ? `git did not answer within ${GIT_TIME / 1000} s` : said,
    };
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

async function create(call: Call): Promise<Response> {
  const { tools, operations, request, ending } = call;
  const body = await readBody(request, BODIES.create);
  const project = projectOf(call);
  const name = atField("name", () => environmentName(body.name));
  const branch = body.branch ?? body.name;
  const wanted = { kind: "create" as const, project, name };
  await operations.refuseBusy(wanted);
  atField("name", () => tools.environments.refuseTaken(project.id, name, branch));
  const watch = { report: () => {}, signal: ending };
  try {
    await planBranch(tools, project.root, branch, body.from, watch);
  } catch (error) {
    const isStart = error instanceof PikoError && error.code === "not-found" &&
      body.from !== undefined;
    throw ofField(isStart ? "from" : body.branch === undefined ? "name" : "branch", error);
  }
  return accepted(operations.start(wanted, async (tools, watch) => {
    await createEnvironment(tools, project, {
      ...body,
      start: true,
      wait: true,
      timeout: READY_TIME,
      keep: false,
    }, watch);
  }));
}

async function lifecycle(
  call: Call,
  kind: Extract<OperationKind, "up" | "down" | "restart">,
): Promise<Response> {
  const { operations, request } = call;
  const { services } = await readBody(request, BODIES.services);
  const record = environmentOf(call);
  const wanted = wantedOf(record, kind);
  await operations.refuseBusy(wanted);
  const start = { services, wait: true, timeout: READY_TIME };
  const works: Record<typeof kind, (tools: Tools, watch: Watch) => Promise<unknown>> = {
    up: (tools, watch) => startEnvironment(tools, record, start, watch),
    down: (tools, watch) => stopEnvironment(tools, record, services, watch),
    restart: (tools, watch) => restartEnvironment(tools, record, start, watch),
  };
  return accepted(operations.start(wanted, async (tools, watch) => {
    await works[kind](tools, watch);
  }));
}

async function destroy(call: Call): Promise<Response> {
  const { operations, request, ending } = call;
  const body = await readBody(request, BODIES.destroy);
  const record = environmentOf(call);
  const wanted = wantedOf(record, "destroy");
  await operations.refuseBusy(wanted);
  const { fingerprint, ...wanting } = body;
  const wish = { ...wanting, accepted: fingerprint, deleteBranch: false, keepData: false };
  await refuseWork(call.tools, record, wish, { report: () => {}, signal: ending });
  return accepted(operations.start(wanted, async (tools, watch) => {
    const { ownSession } = await destroyEnvironment(tools, record, wish, watch);
    if (ownSession === null) return;
    watch.report({
      kind: "warning",
      message: `Session ${ownSession} stays, because piko server runs in it`,
    });
  }));
}

async function openEditor(call: Call): Promise<Response> {
  await readBody(call.request, BODIES.none);
  const record = environmentOf(call);
  const { editor, paths, shellCommand, open } = await prepareEdit(
    call.tools,
    record,
    undefined,
    { report: () => {} },
  );
  if (editor.drawsOnTerminal) {
    throw new PikoError(`${editor.name} needs a terminal, and the browser has none`, {
      code: "conflict",
      hint: `piko edit ${
        qualified(record)
      }, or name an editor with a window in your config.yml: editor: code`,
      details: paths,
    });
  }
  const exitCode = await open();
  if (exitCode !== 0) {
    throw new PikoError(`${editor.name} could not open it (exit code ${exitCode})`, {
      code: "failed",
      hint: `try it yourself: ${shellCommand}`,
    });
  }
  return answerJson({ opened: { editor: editor.argv, paths } } satisfies EditorOpened);
}

function listOperations({ operations }: Call): Response {
  return answerJson({ operations: operations.list() });
}

function showOperation({ operations, params }: Call): Response {
  return answerJson(operations.find(params.id ?? "") ?? noOperation());
}

async function cancelOperation({ operations, params, request }: Call): Promise<Response> {
  await readBody(request, BODIES.none);
  const id = params.id ?? "";
  if (operations.find(id) === undefined) noOperation();
  if (!operations.cancel(id)) {
    throw new PikoError("It has ended already", { code: "conflict" });
  }
  return accepted(operations.find(id) ?? noOperation());
}

function readEvents({ events, overview, request, url }: Call): Response {
  const after = request.headers.get("last-event-id") ?? url.searchParams.get("after");
  // A person who refreshes wants what there is, and not what has been heard of.
  if (after === null) overview.changed();
  return events.open(after);
}

function readLogs(call: Call): Promise<Response> {
  return call.logs.open(environmentOf(call), call.request, call.url);
}

/** A second `piko server` asks for this: it opens the one that is there. */
async function makeTicket({ request, loginUrl }: Call): Promise<Response> {
  await readBody(request, BODIES.none);
  return answerJson({ url: loginUrl() });
}

async function renewToken({ request, keys, events, logs, loginUrl }: Call): Promise<Response> {
  await readBody(request, BODIES.none);
  await keys.renew();
  events.endStreams();
  logs.endStreams();
  return answerJson({ url: loginUrl() });
}

function projectOf({ tools, params, folder }: Call): ProjectRecord {
  return params.project === undefined
    ? requireProject(tools, folder)
    : requireProjectNamed(tools, params.project);
}

function environmentOf(call: Call): EnvironmentRecord {
  return requireEnvironmentOf(call.tools, projectOf(call), call.params.name ?? "");
}

function wantedOf(record: EnvironmentRecord, kind: OperationKind) {
  return { kind, project: { id: record.projectId, name: record.project }, name: record.name };
}

function accepted(operation: OperationInFull): Response {
  return answerJson(operation, 202);
}

function noOperation(): never {
  throw new PikoError("There is no such operation; only the latest are remembered", {
    code: "not-found",
    hint: "GET /api/operations",
  });
}

/** The failures that a field can be the cause of. */
const OF_FIELDS: ReadonlySet<ErrorCode> = new Set(["usage", "not-found", "conflict"]);

function atField<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw ofField(field, error);
  }
}

function ofField(field: string, error: unknown): unknown {
  return error instanceof PikoError && OF_FIELDS.has(error.code)
    ? new FieldError(field, error)
    : error;
}
