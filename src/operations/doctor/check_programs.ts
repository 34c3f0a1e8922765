/** Looks at the programs that piko drives: whether they are there, new enough, and answer. */

import { CommandError, messageOf, PikoError } from "../../domain/errors.ts";
import { isAtLeast, OLDEST_COMPOSE } from "../../programs/compose.ts";
import { findProgram } from "../../programs/detached.ts";
import { OLDEST_GIT } from "../../programs/git/repository.ts";
import { OLDEST_TMUX } from "../../programs/tmux.ts";
import { chooseEditor } from "../edit_worktree.ts";
import type { Programs } from "../tools.ts";
import type { Finding, Level } from "./finding.ts";

/**
 * Checks every program.
 *
 * @param needsEngine whether there is an environment with containers; without one the engine is only worth a note.
 */
export async function checkPrograms(
  programs: Programs,
  needsEngine: boolean,
): Promise<Finding[]> {
  const level = needsEngine ? "wrong" : "note";
  return await Promise.all([
    checkVersion("git", "git", "wrong", OLDEST_GIT, () => programs.git.version(), ""),
    checkVersion("tmux", "tmux", "note", OLDEST_TMUX, () => programs.tmux.version(), NO_SESSIONS),
    checkVersion("docker", "docker", level, "0", () => programs.compose.dockerVersion(), ""),
    checkVersion(
      "compose",
      "Docker Compose",
      level,
      OLDEST_COMPOSE,
      () => programs.compose.version(),
      "",
    ),
    checkEngine(programs, level),
    checkFzf(programs),
    checkEditor(programs),
  ]);
}

const NO_SESSIONS = ", so environments have no sessions; everything else works";

async function checkVersion(
  name: "git" | "tmux" | "docker" | "compose",
  title: string,
  level: Level,
  oldest: string,
  ask: () => Promise<string>,
  effect: string,
): Promise<Finding> {
  try {
    const version = await ask();
    // tmux has letters behind its numbers, and `next-3.5` before a release.
    const numbers = /\d+(\.\d+)*/.exec(version)?.[0] ?? "0";
    if (isAtLeast(numbers, oldest)) return { name, level: "fine", message: `${title} ${version}` };
    return {
      name,
      level,
      message: `${title} ${version} is too old: piko needs ${oldest}${effect}`,
      hint: `install ${title} ${oldest} or newer`,
    };
  } catch (error) {
    if (error instanceof CommandError) {
      return { name, level, message: `${title} does not tell its version: ${messageOf(error)}` };
    }
    if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
    return { name, level, message: `${error.message}${effect}`, hint: error.hint };
  }
}

async function checkEngine({ engine }: Programs, level: Level): Promise<Finding> {
  try {
    const [host, { version }] = await Promise.all([engine.findHost(), engine.version()]);
    return { name: "engine", level: "fine", message: `Docker engine ${version} at ${host}` };
  } catch (error) {
    if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
    return { name: "engine", level, message: error.message, hint: error.hint };
  }
}

async function checkFzf({ variables }: Programs): Promise<Finding> {
  const found = await findProgram("fzf", variables);
  const message = found === undefined
    ? "fzf is not installed: piko pick shows a list of its own"
    : `fzf at ${found}`;
  return { name: "fzf", level: "fine", message };
}

async function checkEditor(programs: Programs): Promise<Finding> {
  try {
    const { argv } = await chooseEditor(programs, undefined, { report: () => {} });
    return { name: "editor", level: "fine", message: `Editor ${argv[0]}` };
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    return { name: "editor", level: "note", message: error.message, hint: error.hint };
  }
}
