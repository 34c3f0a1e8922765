/** Asks the person which environment they mean: by fzf where it is installed, else by piko's own list. */

import { CommandError, interrupted, PikoError } from "../domain/errors.ts";
import { describeEnvironments } from "../operations/list_environments.ts";
import { pickWithFzf } from "../programs/fzf.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { type Cell, pick } from "../terminal/picker.ts";
import { canAsk } from "../terminal/prompt.ts";
import { widthOf } from "../domain/width.ts";
import type { Context } from "./context.ts";
import { STATUS_STYLES } from "./list.ts";

/** Tells whether there is a person with a terminal that a list can be drawn on. */
export function canPick({ output }: Context): boolean {
  return canAsk() && output.isTerminal;
}

/**
 * Lets the person pick one of some environments, which are shown with their project where there are several.
 *
 * @throws {PikoError} interrupted when they pick none.
 */
export async function pickEnvironment(
  context: Context,
  records: readonly EnvironmentRecord[],
): Promise<EnvironmentRecord> {
  const entries = await entriesOf(context, records);
  const index = await askFzf(context, entries);
  const picked = index === undefined ? undefined : records[index];
  if (picked === undefined) throw interrupted("No environment was picked");
  return picked;
}

async function askFzf(context: Context, entries: Cell[][]): Promise<number | undefined> {
  const { output, signal } = context;
  const { variables } = context.tools();
  try {
    return await pickWithFzf(columns(entries), { title: TITLE, variables, signal });
  } catch (error) {
    // Without fzf, or with one that is too old or cannot draw here, piko asks by itself.
    if (error instanceof CommandError) output.verbose && output.warn(error.message);
    else if (!(error instanceof PikoError) || error.code !== "unavailable") throw error;
    return await pick({ title: TITLE, entries, output, signal });
  }
}

const TITLE = "Environment";

async function entriesOf(
  context: Context,
  records: readonly EnvironmentRecord[],
): Promise<Cell[][]> {
  const isOneProject = new Set(records.map(({ projectId }) => projectId)).size === 1;
  const described = await describeEnvironments(context.tools(), records, {
    // Without an engine the statuses say so themselves.
    report: () => {},
    signal: context.signal,
  });
  return described.map(({ environment: { project, name, status, branch } }) => [
    { text: isOneProject ? name : `${project}/${name}` },
    { text: status, style: STATUS_STYLES[status] },
    { text: branch },
  ]);
}

function columns(entries: readonly (readonly Cell[])[]): string[] {
  const widths = (entries[0] ?? []).map((_, column) =>
    Math.max(...entries.map((cells) => widthOf(cells[column]?.text ?? "")))
  );
  return entries.map((cells) =>
    cells.map(({ text }, column) => text + " ".repeat((widths[column] ?? 0) - widthOf(text)))
      .join("  ").trimEnd()
  );
}
