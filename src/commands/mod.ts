/** The commands by name; a command's file is loaded when it is called, and no other. */

import type { PikoCommand } from "./context.ts";

/** What a word of a command can be, for completion; `services` is all words from there on, a list the words there are. */
export type CompletedWord =
  | "environment"
  | "service"
  | "services"
  | "branch"
  | "project"
  | readonly string[];

/** A command, before its file is loaded. */
export interface CommandEntry {
  /** What follows the name and the options in the usage line. */
  usage: string;
  /** One line on what it is for. */
  brief: string;
  /**
   * How many words of its own a command has at most that hands on the rest of the line as it is; of the rest, options
   * included, nothing is piko's.
   */
  wordsBefore?: number;
  /** What its words are, in their order. */
  completes?: readonly CompletedWord[];
  load: () => Promise<{ command: PikoCommand }>;
}

/** All commands, in the order in which `piko help` shows them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  init: {
    usage: "",
    brief: "Register this repository with piko",
    load: () => import("./init.ts"),
  },
  create: {
    usage: "NAME",
    brief: "Give a branch its own worktree, containers, ports and data",
    completes: ["branch"],
    load: () => import("./create.ts"),
  },
  list: {
    usage: "",
    brief: "Show what exists and what runs",
    load: () => import("./list.ts"),
  },
  status: {
    usage: "[NAME]",
    brief: "Show one environment in full, with its containers and ports",
    completes: ["environment"],
    load: () => import("./status.ts"),
  },
  env: {
    usage: "[NAME]",
    brief: "Print an environment's variables",
    completes: ["environment"],
    load: () => import("./env.ts"),
  },
  ports: {
    usage: "[NAME]",
    brief: "Show which host port leads to which service",
    completes: ["environment"],
    load: () => import("./ports.ts"),
  },
  up: {
    usage: "[NAME] [SERVICE...]",
    brief: "Start an environment's containers",
    completes: ["environment", "services"],
    load: () => import("./up.ts"),
  },
  down: {
    usage: "[NAME] [SERVICE...]",
    brief: "Stop an environment's containers and keep everything",
    completes: ["environment", "services"],
    load: () => import("./down.ts"),
  },
  restart: {
    usage: "[NAME] [SERVICE...]",
    brief: "Restart an environment's containers",
    completes: ["environment", "services"],
    load: () => import("./restart.ts"),
  },
  attach: {
    usage: "[NAME]",
    brief: "Go to an environment's tmux session, from outside tmux",
    completes: ["environment"],
    load: () => import("./attach.ts"),
  },
  switch: {
    usage: "[NAME]",
    brief: "Go to another environment's session, from inside tmux",
    completes: ["environment"],
    load: () => import("./switch.ts"),
  },
  pick: {
    usage: "",
    brief: "Choose an environment from a list, and go to its session",
    load: () => import("./pick.ts"),
  },
  run: {
    usage: "[NAME] [-- ARGS...]",
    brief: "Run the project's run script in an environment",
    wordsBefore: Infinity,
    completes: ["environment"],
    load: () => import("./run.ts"),
  },
  exec: {
    usage: "[NAME] SERVICE [COMMAND...]",
    brief: "Run a command in the container of a service",
    wordsBefore: 2,
    completes: ["environment", "service"],
    load: () => import("./exec.ts"),
  },
  shell: {
    usage: "[NAME] SERVICE",
    brief: "Open the shell of a service in its container",
    wordsBefore: 2,
    completes: ["environment", "service"],
    load: () => import("./shell.ts"),
  },
  logs: {
    usage: "[NAME] [SERVICE...]",
    brief: "Show what an environment's containers print",
    completes: ["environment", "services"],
    load: () => import("./logs.ts"),
  },
  open: {
    usage: "[NAME] [SERVICE]",
    brief: "Open an environment's page in the browser",
    completes: ["environment", "service"],
    load: () => import("./open.ts"),
  },
  edit: {
    usage: "[NAME]",
    brief: "Open an environment's worktree in the editor",
    completes: ["environment"],
    load: () => import("./edit.ts"),
  },
  destroy: {
    usage: "[NAME]",
    brief: "Throw an environment away, without losing work",
    completes: ["environment"],
    load: () => import("./destroy.ts"),
  },
  project: {
    usage: "list | forget NAME",
    brief: "Show or forget the projects of this machine",
    completes: [["list", "forget"], "project"],
    load: () => import("./project.ts"),
  },
  server: {
    usage: "",
    brief: "Show and steer the environments in the browser",
    load: () => import("./server.ts"),
  },
  completion: {
    usage: "bash|zsh|fish",
    brief: "Print a script that completes piko's words in a shell",
    completes: [["bash", "zsh", "fish"]],
    load: () => import("./completion.ts"),
  },
};

/** The commands that piko calls itself; nobody types them. */
export const HIDDEN_COMMANDS: Readonly<Record<string, CommandEntry>> = {
  window: {
    usage: "ENVIRONMENT KIND WINDOW",
    brief: "What runs in the windows of a session; tmux starts it",
    load: () => import("./window.ts"),
  },
  complete: {
    usage: "SHELL -- WORD...",
    brief: "Answers the completion scripts",
    load: () => import("./complete.ts"),
  },
};
