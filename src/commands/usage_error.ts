/** Says in piko's words what is wrong with what was typed, and which command or option was meant. */

import {
  AliasNotFoundError,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  InvalidNegatedFlagSyntaxError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { messageOf, PikoError } from "../domain/errors.ts";
import { nearestName, quote } from "../domain/names.ts";
import type { PikoCommand } from "./context.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { COMMANDS } from "./mod.ts";
import { optionsOf } from "./options.ts";

/** The long names of the options of every command; those that stand alone have been taken out of the arguments. */
const GLOBAL_NAMES = GLOBAL_OPTIONS.flatMap(([names]) => /--[\w-]+/.exec(names)?.[0] ?? []);

const isGlobal = (option: string) => GLOBAL_NAMES.includes(option);

/** Makes one error of all that Stricli found wrong with the arguments of a command. */
export function usageError(
  name: string,
  command: PikoCommand,
  problems: readonly unknown[],
): PikoError {
  const sentences = problems.map((problem) => sentence(name, problem));
  const [first = "Wrong usage", ...details] = sentences;
  const near = problems.map((problem) => nearest(command, problem)).find((one) =>
    one !== undefined
  );
  const help = `piko ${name} --help`;
  return new PikoError(first, {
    code: "usage",
    hint: near === undefined ? help : `did you mean ${near}? ${help} has all of them`,
    details,
  });
}

/** Makes the error of an option that the command does not have. */
export function unknownOption(name: string, command: PikoCommand, option: string): PikoError {
  return usageError(name, command, [new FlagNotFoundError(option.replace(/^--/, ""), [])]);
}

/** Makes the error of a command that there is not. */
export function unknownCommand(name: string): PikoError {
  const known = [...Object.keys(COMMANDS), "help"];
  const begun = known.filter((command) => command.startsWith(name));
  const near = (Object.hasOwn(USUAL_NAMES, name) ? USUAL_NAMES[name] : undefined) ??
    (begun.length === 1 ? begun[0] : nearestName(name, known));
  return new PikoError(`There is no command ${quote(name)}`, {
    code: "usage",
    hint: near === undefined ? "piko help" : `piko ${near}`,
  });
}

/** What git, docker, tmux, gh and others call what piko does. */
const USUAL_NAMES: Readonly<Record<string, string | undefined>> = {
  add: "create",
  new: "create",
  checkout: "create",
  ls: "list",
  ps: "list",
  info: "status",
  inspect: "status",
  path: "status",
  show: "status",
  start: "up",
  resume: "up",
  stop: "down",
  halt: "down",
  kill: "down",
  rm: "destroy",
  remove: "destroy",
  delete: "destroy",
  prune: "doctor",
  check: "doctor",
  cd: "attach",
  enter: "attach",
  go: "attach",
  tmux: "attach",
  select: "pick",
  ssh: "shell",
  bash: "shell",
  sh: "shell",
  tail: "logs",
  browse: "open",
  url: "open",
  code: "edit",
  vim: "edit",
  unshare: "isolate",
  ui: "server",
  web: "server",
  dashboard: "server",
  version: "--version",
};

function sentence(name: string, problem: unknown): string {
  if (problem instanceof FlagNotFoundError) {
    return isGlobal(`--${problem.input}`)
      ? `--${problem.input} takes no value`
      : `piko ${name} has no option ${quote(`--${problem.input}`)}`;
  }
  if (problem instanceof AliasNotFoundError) {
    return `piko ${name} has no option ${quote(`-${problem.input}`)}`;
  }
  if (problem instanceof UnsatisfiedFlagError) {
    return `--${problem.externalFlagName} needs a value`;
  }
  if (problem instanceof UnexpectedFlagError) {
    return `--${problem.externalFlagName} was given twice`;
  }
  if (problem instanceof InvalidNegatedFlagSyntaxError) {
    return `--${problem.externalFlagName} takes no value`;
  }
  if (problem instanceof UnsatisfiedPositionalError) {
    return `${problem.placeholder} is missing`;
  }
  if (problem instanceof UnexpectedPositionalError) {
    const { expectedCount, input } = problem;
    const most = expectedCount === 0
      ? "no arguments"
      : expectedCount === 1
      ? "one argument"
      : `${expectedCount} arguments`;
    return `piko ${name} takes ${most}, and ${quote(input)} is one too many`;
  }
  if (problem instanceof EnumValidationError) {
    const { externalFlagName, input, values } = problem;
    return `--${externalFlagName} must be one of ${values.join(", ")}, not ${quote(input)}`;
  }
  if (problem instanceof ArgumentParseError) {
    const { externalFlagNameOrPlaceholder: what, input, exception } = problem;
    const shown = /^[a-z]/.test(what) ? `--${what}` : what;
    return `${shown} ${quote(input)} is wrong: ${messageOf(exception)}`;
  }
  return messageOf(problem).replace(/\.$/, "");
}

function nearest(command: PikoCommand, problem: unknown): string | undefined {
  if (problem instanceof EnumValidationError) return nearestName(problem.input, problem.values);
  if (!(problem instanceof FlagNotFoundError)) return undefined;
  const typed = `--${problem.input}`;
  if (isGlobal(typed)) return undefined;
  const known = [...optionsOf(command).map(({ name }) => name), ...GLOBAL_NAMES];
  const begun = known.filter((option) => option.startsWith(typed));
  return begun.length === 1 ? begun[0] : nearestName(typed, known);
}
