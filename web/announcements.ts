/** What a screen reader is told of a change: what happened to operations, environments and the connection, in a sentence. */

import type { Operation, OperationKind } from "../src/domain/api.ts";
import type { LiveState } from "./live_state.ts";
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

/** Tells in words what is new in a state; empty when there is nothing to tell. */
export function announcements(before: LiveState, after: LiveState): string {
  const sentences = [
    ...operationChanges(before, after),
    ...statusChanges(before, after),
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
    return earlier === undefined || earlier === word ? [] : [`${name} ${word}`];
  });
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
