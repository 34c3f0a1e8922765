/** Goes to a session with the person's terminal. */

import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { openSession } from "../operations/sessions.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Context } from "./context.ts";

/** Tells whether there is a terminal that could be given away. */
export function hasTerminal(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/**
 * Refuses to go to a session without a terminal.
 *
 * @throws {PikoError} usage.
 */
export function requireTerminal(verb: string): void {
  if (hasTerminal()) return;
  throw new PikoError(`Cannot ${verb} without a terminal`, {
    code: "usage",
    hint: "piko env, status and list answer without one",
  });
}

/**
 * Goes to the session of an environment: attaches to it until it is left, or inside tmux switches to it. A session that
 * is missing is made.
 *
 * @throws {PikoError} conflict when another session has its name; unavailable without tmux; failed when tmux fails.
 */
export async function enterSession(context: Context, record: EnvironmentRecord): Promise<void> {
  const { output } = context;
  const tools = context.tools();
  const session = await openSession(tools, record, context.watch);
  if (tools.tmux.isInside) return await tools.tmux.switchClient(session);
  const exitCode = await tools.tmux.attachSession(session);
  const title = qualified(record);
  if (!tools.environments.list().some(({ id }) => id === record.id)) {
    return output.note(`${output.paint("green", "✓")} ${title} was destroyed`);
  }
  if (exitCode === 0) return;
  throw new PikoError(`tmux could not show the session ${session}`, {
    code: "failed",
    hint: `piko attach ${title}`,
  });
}
