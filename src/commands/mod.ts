/** The commands by name; a command's file is loaded when it is called, and no other. */

import { GLOBAL_OPTIONS } from "./global_options.ts";
import type { PikoCommand } from "./context.ts";

/** A command, before its file is loaded. */
export interface CommandEntry {
  /** What follows the name in the usage line. */
  usage: string;
  /** One line on what it is for. */
  brief: string;
  /**
   * How many words of its own a command has at most that hands on the rest of the line as it is; of the rest, options
   * included, nothing is piko's.
   */
  wordsBefore?: number;
  load: () => Promise<{ command: PikoCommand }>;
}

/** All commands, in the order in which `piko help` shows them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  init: {
    usage: "[--name NAME]",
    brief: "Register this repository with piko",
    load: () => import("./init.ts"),
  },
  create: {
    usage: "NAME [--branch B] [--from REF]",
    brief: "Give a branch its own worktree, containers, ports and data",
    load: () => import("./create.ts"),
  },
  list: {
    usage: "[--all]",
    brief: "Show what exists and what runs",
    load: () => import("./list.ts"),
  },
  status: {
    usage: "[NAME]",
    brief: "Show one environment in full, with its containers and ports",
    load: () => import("./status.ts"),
  },
  env: {
    usage: "[NAME] [--export]",
    brief: "Print an environment's variables",
    load: () => import("./env.ts"),
  },
  ports: {
    usage: "[NAME]",
    brief: "Show which host port leads to which service",
    load: () => import("./ports.ts"),
  },
  up: {
    usage: "[NAME] [SERVICE...]",
    brief: "Start an environment's containers",
    load: () => import("./up.ts"),
  },
  down: {
    usage: "[NAME] [SERVICE...]",
    brief: "Stop an environment's containers and keep everything",
    load: () => import("./down.ts"),
  },
  restart: {
    usage: "[NAME] [SERVICE...]",
    brief: "Restart an environment's containers",
    load: () => import("./restart.ts"),
  },
  attach: {
    usage: "[NAME]",
    brief: "Go to an environment's tmux session, from outside tmux",
    load: () => import("./attach.ts"),
  },
  switch: {
    usage: "[NAME]",
    brief: "Go to another environment's session, from inside tmux",
    load: () => import("./switch.ts"),
  },
  run: {
    usage: "[NAME] [-- ARGS...]",
    brief: "Run the project's run script in an environment",
    wordsBefore: Infinity,
    load: () => import("./run.ts"),
  },
  exec: {
    usage: "[NAME] SERVICE [COMMAND...]",
    brief: "Run a command in the container of a service",
    wordsBefore: 2,
    load: () => import("./exec.ts"),
  },
  shell: {
    usage: "[NAME] SERVICE",
    brief: "Open the shell of a service in its container",
    wordsBefore: 2,
    load: () => import("./shell.ts"),
  },
  destroy: {
    usage: "[NAME] [--volumes] [--force]",
    brief: "Throw an environment away, without losing work",
    load: () => import("./destroy.ts"),
  },
  project: {
    usage: "list | forget NAME",
    brief: "Show or forget the projects of this machine",
    load: () => import("./project.ts"),
  },
};

/** The commands that piko calls itself; nobody types them. */
export const HIDDEN_COMMANDS: Readonly<Record<string, CommandEntry>> = {
  window: {
    usage: "ENVIRONMENT KIND WINDOW",
    brief: "What runs in the windows of a session; tmux starts it",
    load: () => import("./window.ts"),
  },
};

/** Writes what `piko help` says. */
export function helpText(): string {
  const commands = Object.entries(COMMANDS).map(([name, { usage, brief }]) =>
    [`${name} ${usage}`, brief] as const
  );
  return `piko: several branches at once, each with its own worktree, containers, ports and data

Usage: piko COMMAND [ARGUMENTS] [OPTIONS]

Commands:
${rows(commands)}

Options of every command:
${rows(GLOBAL_OPTIONS)}

An environment is named NAME in its project's folder, PROJECT/NAME from anywhere, and not at all in
its own worktree. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 a program
or daemon is not there, 130 interrupted.

  piko init                    once per repository
  piko create feature-auth     a worktree, containers, ports and data for a branch
  piko list                    what exists, what runs
  piko destroy feature-auth    everything gone except commits; refuses to lose work`;
}

function rows(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
