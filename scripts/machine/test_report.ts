/** Counts the tests of a JUnit report as `deno test --junit-path` writes it. */

/** How many tests passed, failed and were skipped. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts the tests of a report; the steps of a test, named "test > step", count as part of it. */
export function countTests(report: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of report.split(/<testsuite /).slice(1)) {
    const cases = suite.split(/<testcase /).slice(1).map((text) => ({
      name: text.match(/^name="([^"]*)"/)?.[1] ?? "",
      outcome: outcomeOf(text),
    }));
    const names = new Set(cases.map(({ name }) => name));
    for (const { name, outcome } of cases) if (!isStep(name, names)) counts[outcome]++;
  }
  return counts;
}

function outcomeOf(testcase: string): keyof Counts {
  if (testcase.includes("<skipped")) return "skipped";
  return /<(failure|error)\b/.test(testcase) ? "failed" : "passed";
}

function isStep(name: string, names: ReadonlySet<string>): boolean {
  const parts = name.split(" &gt; ");
  return parts.some((_, end) => end > 0 && names.has(parts.slice(0, end).join(" &gt; ")));
}
