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
  words: readonly string[],
): Promise<ServiceWords> {
  const tools = context.tools();
  const [first, second] = words;
  if (first === undefined) {
    throw await whichService(context, verb, await environmentOf(context, first));
  }
  if (second === undefined) {
    const around = findEnvironmentAt(tools, context.folder);
    if (around === undefined) {
      throw await whichService(context, verb, await environmentOf(context, first));
    }
    return { record: around, service: first, command: [...context.handedOn] };
  }
  const { found, services } = await environmentAndServicesOf(context, words);
  const [service = first, ...rest] = services;
  return { record: found, service, command: [...rest, ...context.handedOn] };
}

/** Shows words as they would be typed. */
export function typed(words: readonly string[]): string {
  return words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote(word)).join(" ");
}

async function whichService(
  { handedOn }: Context,
  verb: string,
  record: EnvironmentRecord,
): Promise<PikoError> {
  if (record.mode === "simple") return noContainers(record, handedOn);
  const services = await listServiceNames(record);
  const where = handedOn.length === 0 ? "" : " It stands before --, and the command behind it";
  const named = services.includes(handedOn[0] ?? "") ? [] : [services[0] ?? "SERVICE"];
  return new PikoError(`Which service of ${record.name}?${where}`, {
    code: "usage",
    hint: `piko ${verb} ${qualified(record)} ${typed([...named, ...handedOn])}`,
    details: services,
  });
}
