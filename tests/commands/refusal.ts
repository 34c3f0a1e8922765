/**
 * What every refusal has in common, for the tests of bad input and broken machines: one clear error with its exit code and
 * a hint, on stderr for a person and on stdout as JSON, no stack, no escape sequences, and nothing made or lost.
 */

import assert from "node:assert/strict";
import type { CallOptions, Sandbox } from "../sandbox.ts";

/** The exit code of each kind of failure, as spec.md lists them. */
const EXIT_CODES = {
  failed: 1,
  usage: 2,
  "not-found": 3,
  conflict: 4,
  unavailable: 5,
} as const;

/** How piko is expected to refuse. */
export interface Refusal {
  code: keyof typeof EXIT_CODES;
  /** What the sentence must say. */
  message: RegExp;
  /** What the hint must say. */
  hint: RegExp;
}

/** The document of a failure with `--json`. */
export interface Failure {
  code: string;
  message: string;
  hint: string;
  details: string[];
}

/** Runs piko, proves that it refuses in the right way and that nothing was made or lost; returns what it said. */
export async function refuses(
  sandbox: Sandbox,
  args: readonly string[],
  expected: Refusal,
  options: CallOptions = {},
): Promise<Failure & { stderr: string }> {
  const before = await stateOf(sandbox);
  const failure = await saysNo(sandbox, args, expected, options);
  assert.deepEqual(
    await stateOf(sandbox),
    before,
    `something was made or lost\n${failure.stderr}`,
  );
  return failure;
}

/** Runs piko and proves that it refuses in the right way: for many in a row, where {@link stateOf} is asked around all. */
export async function saysNo(
  sandbox: Sandbox,
  args: readonly string[],
  expected: Refusal,
  options: CallOptions = {},
): Promise<Failure & { stderr: string }> {
  // With --json the same error stands on stdout for the script and on stderr for the log.
  const { exitCode, stdout, stderr } = await sandbox.piko(["--json", ...args], options);
  const said = `piko ${JSON.stringify(args)}: exit ${exitCode}\n${stdout}\n${stderr}`;
  refuteAccident(stderr, said);
  assert.equal(exitCode, EXIT_CODES[expected.code], said);
  const { error } = JSON.parse(stdout) as { error: Failure };
  assert.equal(error.code, expected.code, said);
  assert.match(error.message, expected.message, said);
  assert.doesNotMatch(error.message, /\n|\.$/, said);
  assert.equal(typeof error.hint, "string", `there is no hint: ${said}`);
  assert.match(error.hint, expected.hint, said);
  refuteBareName(error.hint);
  const lines = stderr.split("\n");
  assert.equal(lines.filter((line) => line === `✗ ${error.message}`).length, 1, said);
  assert.ok(lines.includes(`  → ${error.hint}`), said);
  return { ...error, details: error.details ?? [], stderr };
}

/**
 * Proves that a hint can be pasted into any folder: a command on an environment names its project too, unless it is for a
 * person to fill in, or for the services that are shared.
 */
export function refuteBareName(hint: string): void {
  const commands =
    /piko (?:status|env|ports|up|down|restart|attach|switch|run|exec|shell|logs|open|edit|destroy)(?! --help)(?: --?[\w-]+)* ([\w./-]+)/g;
  const allowed = /\/|^[A-Z]+$|^(?:or|and|status|answer|opens|shows|starts)$/;
  for (const [command, word = ""] of hint.matchAll(commands)) {
    assert.match(word, allowed, `the hint "${hint}" names no project in "${command}"`);
  }
}

/** Proves that piko meant what it said: no stack, no words about a bug, nothing that a terminal would obey. */
export function refuteAccident(stderr: string, said = stderr): void {
  assert.doesNotMatch(stderr, /bug in piko/i, said);
  assert.doesNotMatch(stderr, /^\s+at .*(?:file:|ext:|node:|\.js:|\.ts:)/m, said);
  // deno-fmt-ignore
  assert.doesNotMatch(stderr, /[^\P{Cc}\n\t]/u, said);
}

/**
 * Tells what there is: refs, worktrees, git's configuration, every file of the sandbox outside of git's objects and piko's
 * registry, the environments, and the engine's things.
 */
export async function stateOf(sandbox: Sandbox): Promise<Record<string, unknown>> {
  const isRepository = await sandbox.exists(".git");
  const git = async (...args: string[]) => isRepository ? await sandbox.git(...args) : "";
  const [refs, worktrees, status, config, engine] = await Promise.all([
    git("for-each-ref", "--format=%(refname) %(objectname)"),
    git("worktree", "list", "--porcelain"),
    git("status", "--porcelain"),
    git("config", "--local", "--list"),
    sandbox.engine().ping().then(() => sandbox.leftInEngine(), () => []),
  ]);
  return {
    refs,
    worktrees,
    status,
    config: config.split("\n").sort(),
    engine,
    files: [...filesOf(sandbox.folder)].sort(),
    environments: await environmentsOf(sandbox),
  };
}

/** Names what lies below a folder, links as they are; what belongs to git, piko, docker and HOME is left out. */
function* filesOf(folder: string, below = ""): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    const isOthers = below === "" && ["home", "piko"].includes(entry.name);
    // The folders that hold everybody's worktrees and data may stay, and so does what scripts have printed.
    const isCommon = /^[^/]+\/\.piko\/(?:worktrees|data|logs)$/.test(path);
    if (isOthers || entry.name === ".git" || entry.name === "logs") continue;
    if (!isCommon) yield path;
    if (entry.isDirectory) yield* filesOf(`${folder}/${entry.name}`, path);
  }
}

/** Reads the environments of all projects, with what they own; a registry that cannot be read has none. */
async function environmentsOf(sandbox: Sandbox): Promise<unknown> {
  const { exitCode, stdout } = await sandbox.piko(["list", "--all", "--json"]);
  if (exitCode !== 0) return [];
  const { environments } = JSON.parse(stdout) as { environments: Record<string, unknown>[] };
  return environments.map(({ project, name, branch, slot, ports, status }) => ({
    project,
    name,
    branch,
    slot,
    ports,
    status,
  }));
}
