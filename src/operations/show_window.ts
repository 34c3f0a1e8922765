/**
 * What runs in a window of a session: a program in a container, one of this machine, or the logs. A window outlives what
 * it shows: it waits for a container that is not there, connects when it is back, and asks before it starts again
 * what the person has left.
 */

import type { Container } from "../domain/containers.ts";
import type { ProjectConfig, UserConfig, Window } from "../domain/config.ts";
import { messageOf, PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { quote } from "../domain/names.ts";
import type { Watch } from "../domain/report.ts";
import { environmentVariables, toolVariables } from "../domain/variables.ts";
import { customWindows, serviceOf, shellArgv } from "../domain/windows.ts";
import { readProjectConfig } from "../programs/config_file.ts";
import { execInTerminal, followLogs } from "../programs/container_terminal.ts";
import { attach } from "../programs/foreground.ts";
import { pause } from "../programs/pause.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isThere } from "./files.ts";
import { isOwnContainer, listServiceContainers } from "./service_containers.ts";
import type { Tools } from "./tools.ts";
import { ownConfig } from "./user_config.ts";

/** Milliseconds between two looks at a container that is waited for: at first, and after some minutes. */
const LOOK_AGAIN = { first: 1000, last: 5000 } as const;

/**
 * Milliseconds behind the end of a container in which its windows do nothing: mostly the others of the environment stop
 * too, and windows that look around at once take the time from whoever stops them.
 */
const AFTER_END = 500;

/** Milliseconds within which a container is gone whose end has killed a program in it. */
const END_OF_CONTAINER = 3000;

/** The exit code of a program that was killed, as by the end of its container. */
const KILLED = 137;

/** A window, as its argv names it. */
export interface ShownWindow {
  kind: "service" | "custom" | "logs";
  name: string;
}

/** How a window speaks with the person in front of it. */
export interface Conversation extends Watch {
  /** Waits for Enter; false when the person wants the window to close. */
  askAgain: () => Promise<boolean>;
  /** Puts the terminal in order after a program that could not do so itself. */
  resetTerminal: () => void;
}

/** Shows a window until its environment is destroyed or the person closes it. */
export async function showWindow(
  tools: Tools,
  found: EnvironmentRecord,
  window: ShownWindow,
  talk: Conversation,
): Promise<void> {
  const call: Call = { tools, id: found.id, window, talk, since: undefined };
  for (;;) {
    let next: Next;
    try {
      next = await show(call);
    } catch (error) {
      if (!(error instanceof PikoError)) throw error;
      if (isDestroyed(tools, found.id)) return;
      next = { said: messageOf(error), again: "tries again" };
    }
    if (next === "gone") return;
    if (next === "on") continue;
    note(call, `${next.said}. Enter ${next.again}, Ctrl+D closes the window.`);
    if (!await talk.askAgain()) return;
  }
}

interface Call {
  tools: Tools;
  id: number;
  window: ShownWindow;
  talk: Conversation;
  /** When the logs were last seen. */
  since: string | undefined;
}

/** How a window goes on: at once, not at all, or when the person wants to. */
type Next = "on" | "gone" | { said: string; again: string };

async function show(call: Call): Promise<Next> {
  const { tools, window, talk } = call;
  const record = tools.environments.require(call.id);
  if (window.kind === "logs") return await showLogs(call, record);
  const { config: project } = await readProjectConfig(record.root);
  const user = await ownConfig(tools, talk);
  if (window.kind === "service") {
    return await showContainer(call, window.name, shellArgv(window.name, project, user));
  }
  const custom = findCustom(window.name, project, user);
  if (custom.local) return await showLocal(call, record, custom);
  const service = serviceOf(custom);
  const argv = custom.command === undefined
    ? shellArgv(service, project, user)
    : ["sh", "-c", custom.command];
  return await showContainer(call, service, argv);
}

function findCustom(name: string, project: ProjectConfig, user: UserConfig): Window {
  const found = customWindows(project, user).find((window) => window.name === name);
  if (found !== undefined) return found;
  throw new PikoError(`There is no window ${quote(name)} in the configuration any more`, {
    code: "not-found",
  });
}

async function showLocal(call: Call, record: EnvironmentRecord, window: Window): Promise<Next> {
  const argv = window.command === undefined
    ? [call.tools.variables.SHELL || "sh"]
    : ["sh", "-c", window.command];
  const exitCode = await attach(argv, {
    cwd: record.path,
    variables: { ...call.tools.variables, ...environmentVariables(record) },
  });
  return {
    said: `${quote(window.command ?? "the shell")} ended with exit code ${exitCode}`,
    again: "starts it again",
  };
}

async function showContainer(
  call: Call,
  service: string,
  argv: readonly string[],
): Promise<Next> {
  const { tools, talk } = call;
  const container = await waitForContainer(call, service);
  if (container === undefined) return "gone";
  const record = tools.environments.require(call.id);
  const startedAt = await startOf(tools, container);
  note(call, `Connected to ${container.name}: ${shown(argv)}`);
  const exitCode = await execInTerminal(container.id, argv, {
    variables: toolVariables(tools.variables),
    given: environmentVariables(record),
  });
  const limit = exitCode === KILLED ? END_OF_CONTAINER : 0;
  if (await hasEnded(tools, container, startedAt, limit)) {
    talk.resetTerminal();
    note(call, `${service} has stopped`);
    await pause(AFTER_END);
    return "on";
  }
  if (exitCode === 126 || exitCode === 127) {
    return { said: `${service} could not run ${shown(argv)}`, again: "tries again" };
  }
  const how = exitCode === 0 ? "" : ` (exit code ${exitCode})`;
  return { said: `You have left ${service}${how}`, again: "connects again" };
}

async function showLogs(call: Call, record: EnvironmentRecord): Promise<Next> {
  const { tools } = call;
  if (await waitForContainer(call, undefined) === undefined) return "gone";
  const exitCode = record.shared === null
    ? await followLogs(record.composeProject, {
      variables: toolVariables(tools.variables),
      since: call.since,
    })
    : await followSharedLogs(call, record);
  call.since = new Date().toISOString();
  await pause(AFTER_END);
  if (await runningOf(tools, record, undefined) === undefined) return "on";
  const how = exitCode === 0 || exitCode === 130 ? "" : ` (exit code ${exitCode})`;
  return { said: `The logs have ended${how}`, again: "follows them again" };
}

/** Shows the logs where some are of another compose project, which compose does not show as one. */
function followSharedLogs({ tools, since }: Call, record: EnvironmentRecord): Promise<number> {
  const start = since === undefined ? ["--tail", "100"] : ["--since", since];
  const name = `${record.project}/${record.name}`;
  return attach([...tools.piko, "logs", "--follow", ...start, "--", name], {
    cwd: "/",
    variables: { ...tools.variables, PIKO_HOME: tools.home },
  });
}

/** Waits until a container of a service runs, or any without a service; undefined when the environment is gone. */
async function waitForContainer(
  call: Call,
  service: string | undefined,
): Promise<Container | undefined> {
  const { tools } = call;
  let before = "";
  let wait: number = LOOK_AGAIN.first;
  for (;;) {
    if (isDestroyed(tools, call.id)) return undefined;
    const record = tools.environments.require(call.id);
    // Without its worktree nothing starts a container of it any more.
    if (!await isThere(record.path)) return undefined;
    const found = await lookFor(tools, record, service);
    if (typeof found !== "string") return found;
    if (found !== before) note(call, `Waiting: ${found}`);
    before = found;
    await pause(wait);
    wait = Math.min(wait * 1.02, LOOK_AGAIN.last);
  }
}

/** Finds a container that runs, or says what there is instead. */
async function lookFor(
  tools: Tools,
  record: EnvironmentRecord,
  service: string | undefined,
): Promise<Container | string> {
  const start = `piko up ${qualified(record)} starts it`;
  try {
    const found = await runningOf(tools, record, service);
    if (found !== undefined) return found;
    if (service === undefined) {
      return `no container runs (piko up ${qualified(record)} starts them)`;
    }
    const [container] = await containersOf(tools, record, service);
    if (container === undefined) return `${service} has no container (${start})`;
    const { state, exitCode } = container;
    return state === "exited"
      ? `${service} has ended with exit code ${exitCode ?? 0} (${start})`
      : `${service} is ${state}${state === "created" ? ` (${start})` : ""}`;
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    return messageOf(error);
  }
}

async function runningOf(
  tools: Tools,
  record: EnvironmentRecord,
  service: string | undefined,
): Promise<Container | undefined> {
  const containers = await containersOf(tools, record, service);
  return containers.find(({ state }) => state === "running");
}

async function containersOf(
  tools: Tools,
  record: EnvironmentRecord,
  service: string | undefined,
): Promise<Container[]> {
  const containers = await listServiceContainers(tools, record);
  if (service !== undefined) return containers.filter((container) => container.service === service);
  // What is shared runs on when the environment has stopped.
  const own = containers.filter((container) => isOwnContainer(record, container));
  return own.length > 0 ? own : containers;
}

/** Tells whether a container has stopped since a program was started in it, and waits a little for that. */
async function hasEnded(
  tools: Tools,
  container: Container,
  startedAt: string | undefined,
  limit: number,
): Promise<boolean> {
  const deadline = performance.now() + limit;
  for (;;) {
    if (await startOf(tools, container) !== startedAt) return true;
    if (performance.now() >= deadline) return false;
    await pause(200);
  }
}

/** Tells when a container was started; undefined when it does not run. */
async function startOf(tools: Tools, { id }: Container): Promise<string | undefined> {
  const [details] = await tools.engine.inspectContainers([id]);
  return details?.running ? details.startedAt : undefined;
}

function isDestroyed(tools: Tools, id: number): boolean {
  return !tools.environments.list().some((record) => record.id === id);
}

function shown(argv: readonly string[]): string {
  const [program, flag, script] = argv;
  return program === "sh" && flag === "-c" && script !== undefined && argv.length === 3
    ? script
    : program === "sh" && flag === "-c"
    ? argv.slice(3).join(" ")
    : argv.join(" ");
}

function note({ talk }: Call, message: string): void {
  talk.report({ kind: "note", message });
}
