/**
 * Finds everything that disagrees among registry, git, engine and tmux, and mends it: `piko doctor`. It looks, mends what
 * can be mended without losing work or touching what is not piko's, and looks again, since one thing that is mended
 * may uncover another; what it answers is what it saw last.
 */

import { type Check, CHECK_NAMES, type CheckName } from "../domain/check.ts";
import { PikoError, throwIfInterrupted } from "../domain/errors.ts";
import type { Watch } from "../domain/report.ts";
import { withoutSecretValues } from "../domain/secrets.ts";
import { checkEngine } from "./doctor/check_engine.ts";
import { checkEnvironments } from "./doctor/check_environments.ts";
import { checkFolders, checkProjects } from "./doctor/check_folders.ts";
import { checkPorts } from "./doctor/check_ports.ts";
import { checkPrograms } from "./doctor/check_programs.ts";
import { checkDisks, checkHome, checkRegistry } from "./doctor/check_registry.ts";
import { checkShared } from "./doctor/check_shared.ts";
import { checkSessions } from "./doctor/check_sessions.ts";
import { count, type Finding, type Level } from "./doctor/finding.ts";
import { guarded, isExpected, whyNot } from "./doctor/guarded.ts";
import { surveyWorld, type World } from "./doctor/world.ts";
import type { Programs, Tools } from "./tools.ts";

/** A check, and what a person is shown besides. */
export interface Diagnosis extends Check {
  /** How much it matters: a note is in order, and worth knowing. */
  level: Level;
  /** Whether `fix` can try to mend it. */
  canMend: boolean;
}

/** How often doctor looks again after it has mended something. */
const MOST_ROUNDS = 5;

/** How often it looks for something wrong that is there twice in a row. */
const MOST_LOOKS = 5;

/** How many of the files, commits or names that an error speaks of are told. */
const MOST_DETAILS = 5;

/** Looks at everything, and with `fix` mends what can be mended. */
export async function examine(
  tools: Tools,
  { fix }: { fix: boolean },
  watch: Watch,
): Promise<Diagnosis[]> {
  // Whoever is at work is left alone, and not waited for.
  const careful: Tools = { ...tools, block: false };
  const mended: Finding[] = [];
  const refused = new Map<string, unknown>();
  for (let round = 1;; round++) {
    throwIfInterrupted(watch.signal);
    const found = await lookAgain(careful, watch);
    const toMend = found.filter((finding) =>
      finding.mend !== undefined && !refused.has(keyOf(finding))
    );
    if (!fix || toMend.length === 0 || round === MOST_ROUNDS) {
      const diagnoses = [
        ...mended.map((finding) => diagnosis(finding, tools, true)),
        ...found.map((finding) => diagnosis(explain(finding, refused), tools, false)),
      ];
      return diagnoses.sort((a, b) => CHECK_NAMES.indexOf(a.name) - CHECK_NAMES.indexOf(b.name));
    }
    for (const finding of toMend) {
      throwIfInterrupted(watch.signal);
      watch.report({ kind: "note", message: `Mending: ${finding.message}` });
      try {
        const message = await finding.mend?.() ?? "";
        mended.push({ name: finding.name, level: "fine", message });
      } catch (error) {
        if (!isExpected(error)) throw error;
        refused.set(keyOf(finding), error);
      }
    }
  }
}

/** Looks at what can be looked at when the registry cannot be opened. */
export async function examineWithoutRegistry(
  programs: Programs,
  home: string,
  failure: PikoError,
): Promise<Diagnosis[]> {
  const found: Finding[] = [
    ...await checkPrograms(programs, false),
    ...await guarded(["home"], () => checkHome(home)),
    { name: "registry", level: "wrong", message: failure.message, hint: failure.hint },
  ];
  return found.map((finding) => diagnosis(finding, programs, false));
}

/**
 * Looks again before it calls something wrong: whoever ends a destroy while doctor looks, say, has removed the worktree of an
 * environment that was there a moment ago, and holds its lock no more. What is wrong in another way than a moment ago is
 * looked at once more, and told in the end, since nothing that may be wrong is passed over.
 */
async function lookAgain(tools: Tools, watch: Watch): Promise<Finding[]> {
  let before: ReadonlySet<string> = new Set();
  for (let look = 1;; look++) {
    throwIfInterrupted(watch.signal);
    const found = await lookAtAll(tools, watch);
    const wrong = found.filter(({ level }) => level === "wrong").map(keyOfKind);
    if (look === MOST_LOOKS || wrong.every((key) => before.has(key))) return found;
    before = new Set(wrong);
  }
}

/** Names a finding without its numbers: what is left on a disk is never the same twice. */
function keyOfKind({ name, message }: Finding): string {
  return `${name} ${message.replace(/\d+/g, "0")}`;
}

async function lookAtAll(tools: Tools, watch: Watch): Promise<Finding[]> {
  const world = await surveyWorld(tools, watch);
  const needsEngine = world.shared.length > 0 ||
    world.environments.some(({ record }) => record.mode === "docker");
  const found = [
    ...await guarded(["engine"], () => checkPrograms(tools, needsEngine)),
    ...await guarded(["home"], () => checkHome(tools.home)),
    ...await guarded(["registry"], () => checkRegistry(tools)),
    ...await guarded(["disk"], () => checkDisks(tools)),
    ...await guarded(["project", "config"], () => checkProjects(world)),
    ...await checkEnvironments(world),
    ...await guarded(["shared"], () => checkShared(world)),
    ...await guarded(["session"], () => checkSessions(world)),
    ...await guarded(["port"], () => Promise.resolve(checkPorts(world))),
    ...await guarded(["container", "network", "volume"], () => checkEngine(world)),
    ...await guarded(["folder", "git-entry"], () => checkFolders(world)),
  ];
  const names = new Set(
    found.filter(({ level }) => level !== "fine")
      .flatMap(({ name, unseen = [] }) => [name, ...unseen]),
  );
  for (const [name, message] of Object.entries(inOrder(world))) {
    if (names.has(name as CheckName)) continue;
    found.push({ name: name as CheckName, level: "fine", message });
  }
  return found;
}

/** What is said of checks that have found nothing; what could not be looked at is left out. */
function inOrder(world: World): Partial<Record<CheckName, string>> {
  const environments = world.environments.length;
  const areAllThere = world.environments.every(({ state }) => state.worktrees !== undefined);
  const areAllRead = world.projects.every(({ worktrees }) => worktrees !== undefined);
  return {
    project: `${count(world.projects.length, "project")}, each in its place`,
    ...(areAllThere
      ? {
        environment: `${count(environments, "environment")}, none of them half made`,
        worktree: "Every environment has its worktree",
        override: "Every override file is in its place",
      }
      : {}),
    ...(world.sessions === undefined ? {} : { session: "Every session is there, and belongs" }),
    ...(world.engine === undefined ? {} : {
      shared: "Every shared service is where it is expected",
      port: "Nobody else has a port of an environment",
      container: "Every container of piko belongs to an environment",
      network: "Every network of piko belongs to an environment",
      volume: "Every volume that was kept is there",
    }),
    ...(areAllRead
      ? {
        config: "Every .piko.yml can be read",
        "git-entry": "git lists no worktree that is gone",
        folder: "Nothing is left in .piko of environments that are gone",
      }
      : {}),
  };
}

/** Says why something could not be mended. */
function explain(finding: Finding, refused: ReadonlyMap<string, unknown>): Finding {
  const error = refused.get(keyOf(finding));
  if (error === undefined) return finding;
  const details = error instanceof PikoError ? error.details : [];
  const told = details.length === 0
    ? ""
    : `: ${details.slice(0, MOST_DETAILS).join(", ")}${details.length > MOST_DETAILS ? ", …" : ""}`;
  return {
    ...finding,
    message: `${finding.message}. It was not mended: ${whyNot(error).said}${told}`,
    hint: error instanceof PikoError && error.hint !== undefined ? error.hint : finding.hint,
  };
}

function diagnosis(
  { name, level, message, hint, mend }: Finding,
  { variables }: Pick<Programs, "variables">,
  fixed: boolean,
): Diagnosis {
  const clean = (text: string) => withoutSecretValues(text, variables);
  return {
    name,
    ok: level !== "wrong",
    message: clean(message),
    hint: hint === undefined ? null : clean(hint),
    fixed,
    level,
    canMend: mend !== undefined,
  };
}

function keyOf({ name, message }: Finding): string {
  return `${name} ${message}`;
}
