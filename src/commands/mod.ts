/** The commands by name, and what can be said of them before their files are loaded; load.ts finds those. */

/** What a word of a command can be, for completion; `services` is all words from there on, a list the words there are. */
export type CompletedWord =
  | "environment"
  | "service"
  | "services"
  | "shareable"
  | "shared"
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
}

/** All commands, in the order in which `piko help` shows them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  init: {
    usage: "",
    brief: "Register this repository with piko",
  },
  create: {
    usage: "NAME",
    brief: "Give a branch its own worktree, containers, ports and data",
    completes: ["branch"],
  },
  list: {
    usage: "",
    brief: "Show what exists and what runs",
  },
  status: {
    usage: "[NAME]",
    brief: "Show one environment in full, with its containers and ports",
    completes: ["environment"],
  },
  env: {
    usage: "[NAME]",
    brief: "Print an environment's variables",
    completes: ["environment"],
  },
  ports: {
    usage: "[NAME]",
    brief: "Show which host port leads to which service",
    completes: ["environment"],
  },
  up: {
    usage: "[NAME] [SERVICE...]",
    brief: "Start an environment's containers",
    completes: ["environment", "services"],
  },
  down: {
    usage: "[NAME] [SERVICE...]",
    brief: "Stop an environment's containers and keep everything",
    completes: ["environment", "services"],
  },
  restart: {
    usage: "[NAME] [SERVICE...]",
    brief: "Restart an environment's containers",
    completes: ["environment", "services"],
  },
  attach: {
    usage: "[NAME]",
    brief: "Go to an environment's tmux session, from outside tmux",
    completes: ["environment"],
  },
  switch: {
    usage: "[NAME]",
    brief: "Go to another environment's session, from inside tmux",
    completes: ["environment"],
  },
  pick: {
    usage: "",
    brief: "Choose an environment from a list, and go to its session",
  },
  run: {
    usage: "[NAME] [-- ARGS...]",
    brief: "Run the project's run script in an environment",
    wordsBefore: Infinity,
    completes: ["environment"],
  },
  exec: {
    usage: "[NAME] SERVICE [COMMAND...]",
    brief: "Run a command in the container of a service",
    wordsBefore: 2,
    completes: ["environment", "service"],
  },
  shell: {
    usage: "[NAME] SERVICE",
    brief: "Open the shell of a service in its container",
    wordsBefore: 2,
    completes: ["environment", "service"],
  },
  logs: {
    usage: "[NAME] [SERVICE...]",
    brief: "Show what an environment's containers print",
    completes: ["environment", "services"],
  },
  open: {
    usage: "[NAME] [SERVICE]",
    brief: "Open an environment's page in the browser",
    completes: ["environment", "service"],
  },
  edit: {
    usage: "[NAME]",
    brief: "Open an environment's worktree in the editor",
    completes: ["environment"],
  },
  share: {
    usage: "[SERVICE...]",
    brief: "Let all environments share services, or show which they share",
    completes: ["shareable"],
  },
  isolate: {
    usage: "SERVICE...",
    brief: "Give environments a shared service of their own again",
    completes: ["shared"],
  },
  destroy: {
    usage: "[NAME]",
    brief: "Throw an environment away, without losing work",
    completes: ["environment"],
  },
  config: {
    usage: "[show|check|schema]",
    brief: "Show the configuration and where it comes from, or check it",
    completes: [["show", "check", "schema"], ["project", "user"]],
  },
  doctor: {
    usage: "",
    brief: "Find what is wrong, and mend it",
  },
  project: {
    usage: "list | forget NAME",
    brief: "Show or forget the projects of this machine",
    completes: [["list", "forget"], "project"],
  },
  server: {
    usage: "",
    brief: "Show and steer the environments in the browser",
  },
  completion: {
    usage: "bash|zsh|fish",
    brief: "Print a script that completes piko's words in a shell",
    completes: [["bash", "zsh", "fish"]],
  },
};

/** The commands that piko calls itself; nobody types them. */
export const HIDDEN_COMMANDS: Readonly<Record<string, CommandEntry>> = {
  window: {
    usage: "ENVIRONMENT KIND WINDOW",
    brief: "What runs in the windows of a session; tmux starts it",
  },
  complete: {
    usage: "SHELL -- WORD...",
    brief: "Answers the completion scripts",
  },
};

/** Finds a command by the name that was typed. */
export function findCommand(name: string): CommandEntry | undefined {
  const commands = [COMMANDS, HIDDEN_COMMANDS].find((known) => Object.hasOwn(known, name));
  return commands?.[name];
}
