/**
 * Which windows the session of an environment has, and what runs in them. Nothing of a configuration is ever put into
 * the text of a command: a command's own `$PIKO_*` are variables of the shell that runs it.
 */

import type { ProjectConfig, UserConfig, Window } from "./config.ts";
import type { Mode } from "./environment.ts";
import { quote } from "./names.ts";
import { compareText } from "./variables.ts";

/** The window of the worktree, and the one of the logs. */
export const SHELL_WINDOW = "shell";
export const LOGS_WINDOW = "logs";

/** A window of a session. */
export type PlannedWindow =
  | { kind: "shell"; name: string }
  | { kind: "service"; name: string }
  | { kind: "custom"; name: string; local: boolean; command: string | undefined }
  | { kind: "logs"; name: string };

/** What the windows are planned from. */
export interface WindowSource {
  mode: Mode;
  services: readonly string[];
  project: Pick<ProjectConfig, "ignore" | "windows">;
  user: Pick<UserConfig, "defaultWindows">;
}

/**
 * Plans the windows of a session in their order: the shell in the worktree, one for each service, custom ones, and
 * the logs. Without containers there are the shell and the custom windows of this machine.
 */
export function planWindows(
  { mode, services, project, user }: WindowSource,
): { windows: PlannedWindow[]; warnings: string[] } {
  const windows: PlannedWindow[] = [{ kind: "shell", name: SHELL_WINDOW }];
  const warnings: string[] = [];
  const isDocker = mode === "docker";
  if (isDocker) {
    const shown = services.filter((service) => !project.ignore.includes(service));
    for (const name of shown.toSorted(compareText)) windows.push({ kind: "service", name });
  }
  for (const window of customWindows(project, user)) {
    const { name, local, command } = window;
    const service = serviceOf(window);
    if (local) {
      windows.push({ kind: "custom", name, local, command });
    } else if (isDocker && services.includes(service)) {
      windows.push({ kind: "custom", name, local, command });
    } else if (isDocker && project.windows.includes(window)) {
      warnings.push(
        `Window ${quote(name)} is left out: there is no service ${quote(service)}; ` +
          "local: true runs it on this machine",
      );
    }
  }
  if (isDocker && services.length > 0) windows.push({ kind: "logs", name: LOGS_WINDOW });
  return { windows, warnings };
}

/** Lists the custom windows, the person's own first; one of the project takes the place of one of the same name. */
export function customWindows(
  project: Pick<ProjectConfig, "windows">,
  user: Pick<UserConfig, "defaultWindows">,
): Window[] {
  const windows = new Map<string, Window>();
  for (const window of [...user.defaultWindows, ...project.windows]) {
    windows.set(window.name, window);
  }
  return [...windows.values()];
}

/** Tells in which service's container a window runs that is not local. */
export function serviceOf(window: Window): string {
  return window.service ?? window.name;
}

/** The shell that every container has which has one at all. */
const PLAIN_SHELL = "sh";

/**
 * Tells what a service's shell is, as an argv for its container: `shells` of the project, else of the person, else the
 * person's `default_shell` where the container has it, else `sh`.
 */
export function shellArgv(
  service: string,
  project: Pick<ProjectConfig, "shells">,
  user: Pick<UserConfig, "shells" | "defaultShell">,
): string[] {
  const own = ownField(project.shells, service) ?? ownField(user.shells, service);
  if (own !== undefined) return commandArgv(own);
  const preferred = user.defaultShell ?? PLAIN_SHELL;
  if (preferred === PLAIN_SHELL) return [PLAIN_SHELL];
  const [program = "", ...args] = preferred.trim().split(/\s+/);
  return [
    PLAIN_SHELL,
    "-c",
    'command -v "$0" >/dev/null && exec "$0" "$@"; exec sh',
    program,
    ...args,
  ];
}

/**
 * Makes an argv of a command: plain words as they are, which works in a container without a shell, and anything else
 * for `sh -c`.
 */
export function commandArgv(command: string): string[] {
  const words = command.trim().split(/[ \t]+/);
  const isPlain = words.every((word) => /^[\w@%+=:,./-]+$/.test(word)) &&
    /^[\w./-]+$/.test(words[0] ?? "");
  return isPlain ? words : [PLAIN_SHELL, "-c", command];
}

function ownField(fields: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
