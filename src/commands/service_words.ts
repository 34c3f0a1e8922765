/** Which service, of which environment, the words of `piko exec` and `piko shell` name, and what is the command. */

import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { shellQuote } from "../domain/variables.ts";
import { listServiceNames } from "../operations/complete_words.ts";
import { noContainers } from "../operations/exec_in_service.ts";
import { findEnvironmentAt } from "../operations/find_environment.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf, environmentOf } from "./environment.ts";

/** What was meant. */
export interface ServiceWords {
  record: EnvironmentRecord;
  service: string;
  command: string[];
}

/**
 * Takes the words apart: the environment, which may be left out inside its worktree, the service and the command. The
 * first of several words is the environment when there is one of that name.
 *
 * @throws {PikoError} usage when no service is named, not-found for an unknown environment.
 */
export async function readServiceWords(
  context: Context,
  verb: string,
  typedWords: readonly string[],
): Promise<ServiceWords> {
  const tools = context.tools();
  const { words, command } = splitWords(typedWords, context.handedOn);
  const [first, second] = words;
  if (first === undefined) {
    throw await whichService(verb, await environmentOf(context, first), command);
  }
  if (second === undefined) {
    const around = findEnvironmentAt(tools, context.folder);
    if (around === undefined) {
      throw await whichService(verb, await environmentOf(context, first), command);
    }
    return { record: around, service: first, command };
  }
  const { found, services } = await environmentAndServicesOf(context, words);
  const [service = first, ...rest] = services;
  return { record: found, service, command: [...rest, ...command] };
}

/** Tells the environment and the service from the command; where none of them stands before `--`, all stand behind it. */
function splitWords(
  words: readonly string[],
  handedOn: readonly string[],
): { words: readonly string[]; command: string[] } {
  if (words.length > 0) return { words, command: [...handedOn] };
  const end = handedOn.slice(0, 3).indexOf("--");
  return end < 0
    ? { words: handedOn.slice(0, 2), command: handedOn.slice(2) }
    : { words: handedOn.slice(0, end), command: handedOn.slice(end + 1) };
}

/** Shows words as they would be typed. */
export function typed(words: readonly string[]): string {
  return words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote(word)).join(" ");
}

async function whichService(
  verb: string,
  record: EnvironmentRecord,
  command: readonly string[],
): Promise<PikoError> {
  if (record.mode === "simple") return noContainers(record, command);
  const services = await listServiceNames(record);
  const where = command.length === 0 ? "" : " It stands before --, and the command behind it";
  const named = services.includes(command[0] ?? "") ? [] : [services[0] ?? "SERVICE"];
  return new PikoError(`Which service of ${record.name}?${where}`, {
    code: "usage",
    hint: `piko ${verb} ${qualified(record)} ${typed([...named, ...command])}`,
    details: services,
  });
}
