/** The environment that a command is about; a person who has left it out is asked. */

import {
  findEnvironmentAt,
  NoneNamed,
  requireEnvironment,
  requireEnvironmentAndServices,
} from "../operations/find_environment.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Context } from "./context.ts";

/**
 * Finds the environment that was named, or that the folder is in the worktree of, or that a person picks.
 *
 * @throws {PikoError} not-found; usage with the names when there is nobody to ask; interrupted when they pick none.
 */
export async function environmentOf(context: Context, name?: string): Promise<EnvironmentRecord> {
  try {
    return requireEnvironment(context.tools(), context.folder, name);
  } catch (error) {
    return await ask(context, error);
  }
}

/** Does the same for a command that takes services behind the environment's name. */
export async function environmentAndServicesOf(
  context: Context,
  words: readonly string[],
): Promise<{ found: EnvironmentRecord; services: string[] }> {
  try {
    const answer = requireEnvironmentAndServices(context.tools(), context.folder, words);
    if (words[0] !== undefined) tellService(context, words[0], answer.found);
    return answer;
  } catch (error) {
    return { found: await ask(context, error), services: [] };
  }
}

/** Says that a word was taken for an environment which is also a service of the one that the person stands in. */
function tellService(context: Context, word: string, { id }: EnvironmentRecord): void {
  const around = findEnvironmentAt(context.tools(), context.folder);
  if (around === undefined || around.id === id) return;
  const services = [...around.runningServices, ...around.ports.map(({ service }) => service)];
  if (!services.includes(word)) return;
  context.watchQuietly.report({
    kind: "note",
    message: `${word} is the environment here; for the service of ${around.name}, ` +
      `put that in front: ${around.name} ${word}`,
  });
}

async function ask(context: Context, error: unknown): Promise<EnvironmentRecord> {
  if (!(error instanceof NoneNamed) || error.candidates.length === 0) throw error;
  // Only a person waits for this to load.
  const { canPick, pickEnvironment } = await context.parts.pickEnvironment();
  if (!canPick(context)) throw error;
  return await pickEnvironment(context, error.candidates);
}
