/**
 * `task test`: sets up the machine, builds dist/piko and runs every test. The last line says how many passed,
 * failed and were skipped, counted from the test runner's own report. `-- --require-all` turns a missing
 * program into a failure; all other arguments go to `deno test`.
 */

import { PikoError } from "../src/domain/errors.ts";
import { runScript, say, tellError } from "./machine/say.ts";
import { PROGRAMS } from "./machine/probe.ts";
import { setUpMachine, tellMissing } from "./machine/set_up.ts";
import { type Counts, countTests } from "./machine/test_report.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname);

await runScript(async () => {
  const args = Deno.args.filter((arg) => arg !== "--" && arg !== "--require-all");
  const requireAll = Deno.args.includes("--require-all");
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const { missing } = await setUpMachine({ ask: true, want: PROGRAMS });
    tellMissing(missing);
    await build();
    counts = await runTests(args, requireAll);
  } catch (error) {
    counts.failed++;
    tellError(error);
  }
  const { passed, failed, skipped } = counts;
  if (passed + failed === 0) say("✗ No test ran");
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return passed > 0 && failed === 0 ? 0 : 1;
});

async function build(): Promise<void> {
  say("Building dist/piko");
  const code = await runDeno(["run", "--allow-all", "--no-prompt", "scripts/build.ts"]);
  if (code !== 0) throw new PikoError("Cannot build dist/piko", { code: "failed" });
}

async function runTests(args: readonly string[], requireAll: boolean): Promise<Counts> {
  const folder = await Deno.makeTempDir({ prefix: "piko-test-" });
  try {
    const report = `${folder}/report.xml`;
    // Some tests run programs as another user, who must get through to their files.
    await Deno.chmod(folder, 0o755);
    await Deno.mkdir(`${folder}/tmp`);
    await Deno.chmod(`${folder}/tmp`, 0o1777);
    const code = await runDeno(
      [
        "test",
        "--allow-all",
        "--no-prompt",
        "--parallel",
        `--junit-path=${report}`,
        ...args,
        ...(args.some(isPath) ? [] : ["tests/"]),
      ],
      {
        TMPDIR: `${folder}/tmp`,
        // The tests wait for containers as much as they compute: one file more than there are cores fills the gaps.
        DENO_JOBS: Deno.env.get("DENO_JOBS") ?? String(navigator.hardwareConcurrency + 1),
        ...(requireAll ? { PIKO_TEST_REQUIRE: "all" } : {}),
      },
    );
    const counts = countTests(await readReport(report));
    if (code !== 0 && counts.failed === 0) {
      // A file that does not load, or throws outside of its tests, stands in no report.
      say("✗ The tests did not all run: see the error above");
      counts.failed = 1;
    }
    return counts;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs deno in the repository with this process's terminal and returns its exit code. */
async function runDeno(args: string[], variables: Record<string, string> = {}): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: variables,
    stdin: "null",
  }).spawn();
  // Ctrl+C reaches the child too; this process outlives it in order to tidy up.
  const forward = () => child.kill("SIGTERM");
  const wait = () => {};
  Deno.addSignalListener("SIGTERM", forward);
  Deno.addSignalListener("SIGINT", wait);
  try {
    return (await child.status).code;
  } finally {
    Deno.removeSignalListener("SIGTERM", forward);
    Deno.removeSignalListener("SIGINT", wait);
  }
}

async function readReport(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function isPath(arg: string): boolean {
  try {
    return Deno.statSync(arg.startsWith("/") ? arg : `${root}${arg}`) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
