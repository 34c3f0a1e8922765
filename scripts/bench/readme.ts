/** Writes what was measured into the README, between its marks. */

import { PikoError } from "../../src/domain/errors.ts";

const BEGIN = "<!-- What follows is written by `deno task bench --readme`. -->\n\n";
const END = "\n\n<!-- The benchmark ends here. -->";

/**
 * Puts words in the place of those of the last benchmark.
 *
 * @throws {PikoError} failed when the README has no place for them.
 */
export function withBenchmark(readme: string, words: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END, begin);
  if (begin < 0 || end < 0) {
    throw new PikoError("README.md has no place for the benchmark", {
      code: "failed",
      hint: `put it between ${BEGIN.trim()} and ${END.trim()}`,
    });
  }
  return readme.slice(0, begin + BEGIN.length) + words + readme.slice(end);
}
