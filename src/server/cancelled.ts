/**
 * Says what an operation that was cancelled has left, and the command that goes on. Only a create is taken back; all
 * others stay where they were stopped.
 */

import type { ErrorBody, OperationKind } from "../domain/api.ts";
import { qualified } from "../domain/hints.ts";
import type { EnvironmentRecord } from "../store/environments.ts";

/** Tells what is left; the record is that of the environment now, undefined when there is none. */
export function describeCancelled(
  kind: OperationKind,
  record: Pick<EnvironmentRecord, "project" | "name" | "state"> | undefined,
): ErrorBody["error"] {
  const left = (message: string, hint: string | null): ErrorBody["error"] => ({
    code: "interrupted",
    message,
    hint,
  });
  if (record === undefined) {
    return kind === "create"
      ? left("Cancelled, and what it had made was taken back", null)
      : left("Cancelled; the environment is gone", null);
  }
  const name = qualified(record);
  switch (kind) {
    case "create":
      // Somebody else's, who was quicker.
      if (record.state === "ready") return left("Cancelled before it had made anything", null);
      return left(
        "Cancelled; not all that it had made could be taken back",
        `piko destroy ${name} removes the rest`,
      );
    case "up":
      return left(
        "Cancelled; what it had started goes on running",
        `piko up ${name} starts the rest`,
      );
    case "down":
      return left(
        "Cancelled; what it had not stopped yet may go on running",
        `piko down ${name} stops the rest`,
      );
    case "restart":
      return left(
        "Cancelled; some of its containers may be stopped now",
        `piko up ${name} starts them`,
      );
    case "destroy":
      return record.state === "destroying"
        ? left("Cancelled; it is half destroyed", `piko destroy ${name} goes on where it stopped`)
        : left("Cancelled before anything of it was removed", null);
  }
}
