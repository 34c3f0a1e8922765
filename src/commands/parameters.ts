/** Parameters that several commands have. */

/** The environment, which may be left out inside its worktree. */
export const OPTIONAL_NAME = {
  brief: "environment: NAME, PROJECT/NAME, or none inside its worktree",
  parse: String,
  placeholder: "NAME",
  optional: true,
} as const;

/** Reads a number of seconds as milliseconds. */
export function parseSeconds(input: string): number {
  const seconds = Number(input);
  if (!/^\d+(\.\d+)?$/.test(input)) throw new SyntaxError("not a number of seconds");
  if (seconds <= 0 || seconds > 86_400) {
    throw new SyntaxError("it must be more than 0 and at most 86400, a day");
  }
  return seconds * 1000;
}

/** Flags of the commands that wait until containers are ready. */
export const WAIT_FLAGS = {
  wait: {
    kind: "boolean",
    brief: "wait until the containers are ready",
    default: true,
  },
  timeout: {
    kind: "parsed",
    parse: parseSeconds,
    brief: "seconds to wait for that",
    default: "120",
    placeholder: "S",
  },
} as const;

/** Which environments `piko share` and `piko isolate` are about. */
export const NOW_FLAG = {
  now: {
    kind: "boolean",
    brief: "move the environments that exist, too",
    default: false,
    withNegated: false,
  },
} as const;

/** Has a command work on the shared services of the project. */
export const SHARED_FLAG = {
  shared: {
    kind: "boolean",
    brief: "the services that the project's environments share, instead of one environment's",
    default: false,
    withNegated: false,
  },
} as const;

/** An option that takes services; what it is for is the command's to say. */
export const SERVICES_FLAG = {
  kind: "parsed",
  parse: parseService,
  optional: true,
  variadic: ",",
  placeholder: "SERVICES",
} as const;

function parseService(text: string): string {
  const service = text.trim();
  if (service === "") throw new SyntaxError("names no service");
  return service;
}

/** Services of a project. */
export const NAMES_OF_SERVICES = {
  kind: "array",
  parameter: { brief: "services of the compose file", parse: String, placeholder: "SERVICE" },
} as const;

/** An environment and, behind it, services. */
export const NAME_AND_SERVICES = {
  kind: "array",
  parameter: {
    brief: "the environment, then services",
    parse: String,
    placeholder: "NAME SERVICE",
  },
} as const;

/** An environment, a service and the beginning of a command, of which the rest is handed on. */
export const SERVICE_WORDS = {
  kind: "array",
  parameter: {
    brief: "the environment, unless inside its worktree, and the service; then the command",
    parse: String,
    placeholder: "NAME SERVICE",
  },
} as const;

/** What docker is asked for by `-it`: piko hands on its input, and its terminal where there is one, without being asked. */
export const TERMINAL_PARAMETERS = {
  flags: {
    interactive: {
      kind: "boolean",
      brief: "hand on the input, as always",
      default: false,
      hidden: true,
      withNegated: false,
    },
    tty: {
      kind: "boolean",
      brief: "hand on the terminal, as always",
      default: false,
      hidden: true,
      withNegated: false,
    },
  },
  aliases: { i: "interactive", t: "tty" },
} as const;

/** What was typed of {@link TERMINAL_PARAMETERS}. */
export interface TerminalFlags {
  interactive: boolean;
  tty: boolean;
}
