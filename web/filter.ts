/** Which environments a filter leaves, and which commands a few typed letters mean. */

import type { EnvironmentState, Operation } from "../src/domain/api.ts";
import { showOperation, showStatus } from "./status.ts";

/** Keeps the environments that have every word of the filter in name, branch, project, status or a port. */
export function filterEnvironments(
  environments: readonly EnvironmentState[],
  filter: string,
): EnvironmentState[] {
  return environments.filter(({ environment }) => {
    const { project, name, branch, ports } = environment;
    return hasWords(filter, [
      `${project}/${name}`,
      branch,
      showStatus(environment).word,
      ...ports.map(({ service, hostPort }) => `${service} ${hostPort}`),
    ]);
  });
}

/** Keeps the operations whose environments, which there is no more of yet, have every word of the filter. */
export function filterComing(operations: readonly Operation[], filter: string): Operation[] {
  return operations.filter((operation) =>
    hasWords(filter, [
      `${operation.project}/${operation.environment}`,
      showOperation(operation).word,
    ])
  );
}

function hasWords(filter: string, texts: readonly string[]): boolean {
  const text = texts.join("\n").toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** A text that was found, with the places of its letters that were typed. */
export interface Match {
  score: number;
  places: readonly number[];
}

/** The least score of a text that has whole words of what was typed, and not letters here and there. */
export const WORDS = 500;

/**
 * Finds typed letters in a text, in order but not side by side: `lofa` in `Logs of feature-auth`. Whole words count most,
 * then beginnings of words, then letters that follow one another; undefined when a letter is missing.
 */
export function fuzzyMatch(typed: string, text: string): Match | undefined {
  const wanted = typed.toLowerCase().replaceAll(/\s+/g, " ").trim();
  const within = text.toLowerCase();
  if (wanted === "") return { score: 0, places: [] };
  const whole = within.indexOf(wanted);
  if (whole >= 0) {
    const isStart = whole === 0 || isBoundary(within, whole);
    return {
      score: 1000 + (isStart ? 200 : 0) - whole,
      places: Array.from({ length: wanted.length }, (_, index) => whole + index),
    };
  }
  const letters = wanted.replaceAll(" ", "");
  return matchWords(wanted.split(" "), within) ??
    matchLetters(letters, within, nextBoundary) ?? matchLetters(letters, within, () => undefined);
}

/** Finds every word anywhere: `auth logs` in `Logs of feature-auth`. */
function matchWords(words: readonly string[], text: string): Match | undefined {
  if (words.length < 2) return undefined;
  const places: number[] = [];
  let score = WORDS;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at < 0) return undefined;
    if (isBoundary(text, at)) score += 50;
    for (let index = 0; index < word.length; index++) places.push(at + index);
  }
  return { score, places: places.sort((a, b) => a - b) };
}

function matchLetters(
  letters: string,
  text: string,
  boundaryOf: typeof nextBoundary,
): Match | undefined {
  const places: number[] = [];
  let score = 0;
  let from = 0;
  for (const letter of letters) {
    const boundary = boundaryOf(text, letter, from);
    const at = boundary ?? text.indexOf(letter, from);
    if (at < 0) return undefined;
    score += at === from && from > 0 ? 8 : boundary === undefined ? 1 : 6;
    places.push(at);
    from = at + 1;
  }
  return { score: Math.min(score, WORDS - 1) - text.length / 10, places };
}

/** Finds the letter right here or else at the beginning of a word. */
function nextBoundary(text: string, letter: string, from: number): number | undefined {
  if (text[from] === letter) return from;
  for (let at = text.indexOf(letter, from); at >= 0; at = text.indexOf(letter, at + 1)) {
    if (isBoundary(text, at)) return at;
  }
  return undefined;
}

function isBoundary(text: string, at: number): boolean {
  return at === 0 || /[^a-z0-9]/.test(text[at - 1] ?? "");
}
