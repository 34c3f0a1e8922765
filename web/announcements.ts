/** What a screen reader is told of a change: what happened to operations, environments and the connection, in a sentence. */

import type { Operation, OperationKind } from "../src/domain/api.ts";
import type { Named } from "./api.ts";
import { findEnvironment, type LiveState, operationsOf } from "./live_state.ts";
import { fullName } from "./names.ts";
import { isEnding } from "./operation_steps.ts";
import { showStatus } from "./status.ts";

/** With more changes at once than this, their number is told and not each of them. */
const MOST_SENTENCES = 3;

const DONE: Readonly<Record<OperationKind, string>> = {
  create: "created",
  up: "started",
  down: "stopped",
  restart: "restarted",
  destroy: "destroyed",
};

/** What an environment is called once an operation is done; its end and the new state are told once. */
const STATUS_AFTER: Readonly<Partial<Record<OperationKind, string>>> = {
  up: "running",
  down: "stopped",
  restart: "running",
};

/** Tells in words what is new in a state; empty when there is nothing to tell. */
export function announcements(before: LiveState, after: LiveState): string {
  const sentences = [
    ...operationChanges(before, after),
    ...statusChanges(before, after),
    ...removals(before, after),
  ];
  const told = sentences.length > MOST_SENTENCES ? [`${sentences.length} changes`] : sentences;
  return [...connectionChange(before, after), ...told].join(". ");
}

function operationChanges(before: LiveState, after: LiveState): string[] {
  if (before.operations === after.operations) return [];
  const known = new Map(before.operations.map((operation) => [operation.id, operation]));
  return after.operations.flatMap((operation) => {
    const earlier = known.get(operation.id);
    if (earlier?.state !== "running") return [];
    if (operation.state !== "running") return [describeEnd(operation)];
    return isEnding(operation) && !isEnding(earlier) ? [describeEnding(operation)] : [];
  });
}

function describeEnding({ kind, project, environment }: Operation): string {
  const name = fullName({ project, name: environment });
  return `${name}: ${kind} is being ${kind === "create" ? "undone" : "cancelled"}`;
}

function describeEnd({ kind, project, environment, state, error }: Operation): string {
  const name = fullName({ project, name: environment });
  if (state === "done") return `${name} ${DONE[kind]}`;
  if (state === "cancelled") {
    return `${name}: ${kind} ${error === null ? "cancelled" : lowerFirst(error.message)}`;
  }
  return `${name}: ${kind} failed${error === null ? "" : `, ${error.message}`}`;
}

function statusChanges(before: LiveState, after: LiveState): string[] {
  if (before.environments === after.environments) return [];
  const known = new Map(
    before.environments.map(({ environment }) => [
      fullName(environment),
      showStatus(environment).word,
    ]),
  );
  return after.environments.flatMap(({ environment }) => {
    const name = fullName(environment);
    const { word } = showStatus(environment);
    const earlier = known.get(name);
    if (earlier === undefined || earlier === word) return [];
    return isToldByOperation(before, after, environment, word) ? [] : [`${name} ${word}`];
  });
}

/** Tells whether the end of an operation tells of a state too: one that goes on, or one that was the last to be told of. */
function isToldByOperation(
  before: LiveState,
  after: LiveState,
  named: Named,
  word: string,
): boolean {
  const [newest] = operationsOf(after, named);
  if (newest === undefined) return false;
  if (newest.state === "running") return true;
  if (newest.state !== "done" || STATUS_AFTER[newest.kind] !== word) return false;
  const said = describeEnd(newest);
  const isNew = operationsOf(before, named).some(({ id, state }) =>
    id === newest.id && state === "running"
  );
  return isNew || before.announcement.text.split(". ").includes(said);
}

/** Tells what was destroyed elsewhere: an operation of the server's own tells its end itself. */
function removals(before: LiveState, after: LiveState): string[] {
  if (before.environments === after.environments) return [];
  return before.environments.flatMap(({ environment }) => {
    if (findEnvironment(after, environment) !== undefined) return [];
    const [newest] = operationsOf(after, environment);
    const isOwn = newest !== undefined && isRemoval(newest) &&
      // Of an environment that was there before this one it tells nothing.
      (newest.endedAt === null || Date.parse(newest.endedAt) >= Date.parse(environment.createdAt));
    return isOwn ? [] : [`${fullName(environment)} destroyed`];
  });
}

/** Tells whether an operation removes an environment: a destroy, or a create that is undone. */
function isRemoval({ kind, state }: Operation): boolean {
  return kind === "destroy"
    ? state === "running" || state === "done"
    : kind === "create" && state !== "done";
}

function connectionChange(before: LiveState, after: LiveState): string[] {
  const [from, to] = [before.connection.kind, after.connection.kind];
  if (from === to) return [];
  if (to === "lost") return ["Connection to the server lost"];
  if (to === "refused") return ["The server does not let this browser in"];
  if (to === "live" && from === "lost") return ["Connected again"];
  return [];
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
