/**
 * What piko calls things: environments, projects, compose projects and variables. Two names that were typed
 * differently can become one; whoever gives out a name asks the registry whether it is free.
 */

import { PikoError } from "./errors.ts";

/** The most characters that an environment's or a project's name has. */
export const MAX_NAME = 40;

/** The most characters of a compose project's name: a container's host name ends at 63 (RFC 1123). */
export const MAX_COMPOSE_PROJECT = 63;

/** The environment name that the compose project of shared services stands for. */
export const SHARED = "shared";

/** What the registry calls a project's shared services among its environments; no environment can be named so. */
export const SHARED_NAME = ".shared";

/** Makes a name of `[a-z0-9-]`, at most 40 characters, of any text; it may become empty. */
export function flattenName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+/, "").slice(0, MAX_NAME)
    .replace(/-+$/, "");
}

/**
 * Makes an environment's name of what the user typed.
 *
 * @throws {PikoError} usage when nothing is left of it.
 */
export function environmentName(typed: string): string {
  const name = flattenName(typed);
  if (name === "") {
    throw new PikoError(`Cannot make an environment name of ${quote(typed)}`, {
      code: "usage",
      hint: "use letters, digits and -; --branch names the branch when it is called differently",
    });
  }
  return name;
}

/**
 * Makes a project's name of the one asked for, or of its folder.
 *
 * @throws {PikoError} usage when nothing is left of it.
 */
export function projectName(typed: string): string {
  const name = flattenName(typed);
  if (name === "") {
    throw new PikoError(`Cannot make a project name of ${quote(typed)}`, {
      code: "usage",
      hint: "piko init --name NAME",
    });
  }
  return name;
}

/**
 * Lists the names that the compose project of an environment, or of {@link SHARED_NAME}, may have, the documented one
 * first. Joining with `-` is ambiguous, and 40 + 40 characters do not fit into 63, so the ones after it carry a number.
 */
export function* composeProjectNames(project: string, environment: string): Generator<string> {
  const isShared = environment === SHARED_NAME;
  const wanted = `piko-${project}-${isShared ? SHARED : environment}`;
  if (wanted.length <= MAX_COMPOSE_PROJECT && environment !== SHARED) yield wanted;
  for (let number = 2;; number++) {
    const suffix = `-${number}`;
    yield wanted.slice(0, MAX_COMPOSE_PROJECT - suffix.length).replace(/-+$/, "") + suffix;
  }
}

/** What the names of sessions begin with where the person's configuration says nothing else. */
export const SESSION_PREFIX = "piko/";

/**
 * Makes the name of an environment's session. The last character of the prefix stands between project and environment
 * too, unless it is a letter, a digit or `-`, which names are made of: `dev:` gives `dev:shop:auth`, `dev` gives
 * `dev/shop/auth`.
 */
export function sessionName(
  project: string,
  environment: string,
  prefix: string = SESSION_PREFIX,
): string {
  const last = /[^A-Za-z0-9-]$/u.exec(prefix)?.[0];
  const between = last ?? "/";
  const start = last === undefined && prefix !== "" ? `${prefix}/` : prefix;
  return [start + project, environment].join(between);
}

/** Makes the part of a variable's name that stands for a service: `web-api` becomes `WEB_API`. */
export function variablePart(service: string): string {
  return service.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}

/** Quotes text for a message, with control characters made visible. */
export function quote(text: string): string {
  const shown = text.length > 100 ? `${text.slice(0, 97)}…` : text;
  // JSON leaves DEL and the controls of ISO 8859 as they are, and some terminals obey them.
  return JSON.stringify(shown).replace(/\p{Cc}/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Names several things in a sentence: "redis", "redis and jaeger", "a, b and c". */
export function nameList(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Finds the candidate that is nearest to what was typed, when it is near enough to be meant. */
export function nearestName(typed: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(typed.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Counts the insertions, deletions, replacements and swaps of neighbours between two words. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(
        at(rows, i - 1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(rows, i - 1, j - 1) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, at(rows, i - 2, j - 2) + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

function at(rows: number[][], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}
