/** Runs `piko doctor` in a sandbox, and tells what it has found wrong, noted and mended. */

import assert from "node:assert/strict";
import type { Check } from "../../src/domain/check.ts";
import type { CallOptions, Sandbox } from "../sandbox.ts";
import { refuteAccident, refuteBareName } from "./refusal.ts";

/** What doctor has said, as lines of check and message with the sandbox's own paths and names taken out. */
export interface Diagnosed {
  exitCode: number;
  checks: Check[];
  wrong: string[];
  /** What is in order and has a hint. */
  noted: string[];
  fixed: string[];
  stderr: string;
}

/** Runs `piko doctor --json`, with more arguments, and proves that exit code and document say the same. */
export async function doctor(
  sandbox: Sandbox,
  args: readonly string[] = [],
  options: CallOptions = {},
): Promise<Diagnosed> {
  const { exitCode, stdout, stderr } = await sandbox.piko(["doctor", "--json", ...args], options);
  refuteAccident(stderr, `${stdout}\n${stderr}`);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  assert.equal(exitCode, checks.every(({ ok }) => ok) ? 0 : 1, stdout);
  for (const check of checks) {
    assert.deepEqual(Object.keys(check), ["name", "ok", "message", "hint", "fixed"]);
    assert.doesNotMatch(check.message, /\n|\.$/);
    assert.ok(check.ok || check.hint !== null, `there is no hint: ${check.message}`);
    refuteBareName(check.hint ?? "");
  }
  const lines = (which: (check: Check) => boolean) =>
    checks.filter(which).map(({ name, message }) => `${name}: ${plain(sandbox, message)}`);
  return {
    exitCode,
    checks,
    wrong: lines(({ ok }) => !ok),
    noted: lines(({ ok, hint, name, message }) =>
      ok && hint !== null && !OF_THE_MACHINE.has(name) &&
      (message.includes(sandbox.project) || !OF_THE_ENGINE.has(name))
    ),
    fixed: lines(({ fixed }) => fixed),
    stderr,
  };
}

/** Checks whose notes depend on the machine that the tests run on. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(["disk", "editor", "network-room"]);

/** Checks that also see what other tests have in the engine. */
const OF_THE_ENGINE: ReadonlySet<string> = new Set(["container", "network", "volume"]);

/** Finds the hint of the check whose message has these words. */
export function hintOf({ checks }: Diagnosed, words: string): string | null {
  const found = checks.filter(({ message }) => message.includes(words));
  assert.equal(found.length, 1, `${words}: ${JSON.stringify(checks, null, 1)}`);
  return found[0]?.hint ?? null;
}

/** Proves that a second doctor finds nothing wrong. */
export async function assertSound(sandbox: Sandbox, options: CallOptions = {}): Promise<Diagnosed> {
  const found = await doctor(sandbox, [], options);
  assert.deepEqual(found.wrong, []);
  return found;
}

function plain(sandbox: Sandbox, text: string): string {
  return text.replaceAll(sandbox.root, "ROOT").replaceAll(sandbox.folder, "FOLDER")
    .replaceAll(sandbox.project, "PROJECT");
}
