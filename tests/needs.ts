/**
 * How a test says which programs it needs. Where one is missing the test is skipped and the reason told;
 * where PIKO_TEST_REQUIRE names the program (a comma list, or "all", as CI does) a test of its own fails.
 */

import { type Program, whyMissing } from "../scripts/machine/probe.ts";

const found = new Map<Program, string | undefined>();

/** Returns the options of a test that needs these programs: `Deno.test({ name, ...needs("git"), fn })`. */
export function needs(...programs: Program[]): { ignore: boolean } {
  return { ignore: programs.map(isMissing).includes(true) };
}

function isMissing(program: Program): boolean {
  if (!found.has(program)) {
    const why = whyMissing(program);
    found.set(program, why);
    if (why !== undefined) tell(program, why);
  }
  return found.get(program) !== undefined;
}

/** Fails or tells, once per test file; the tests that need the program are skipped either way. */
function tell(program: Program, why: string): void {
  const sentence = `${program} is needed: ${why}`;
  if (!isRequired(program)) return console.warn(`skipping tests: ${sentence}`);
  Deno.test(sentence, () => {
    throw new Error(`${sentence}, and PIKO_TEST_REQUIRE demands it`);
  });
}

function isRequired(program: Program): boolean {
  const required = (Deno.env.get("PIKO_TEST_REQUIRE") ?? "").split(",").map((name) => name.trim());
  return required.includes("all") || required.includes(program);
}
