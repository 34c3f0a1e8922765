/** The project that the milestones are walked with: a page and a database, each a busybox, and helpers to look at it. */

import assert from "node:assert/strict";
import { docker } from "../containers.ts";
import { type Answer, type Sandbox, until } from "../sandbox.ts";

/** A page on two ports and rows in a volume; both tell when they are healthy. */
export const COMPOSE = `services:
  app: &service
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sh -c 'echo the app is up; httpd -p 8081 -h /page; exec httpd -f -p 8080 -h /page'
    volumes: ["./page:/page:ro"]
    ports: ["8080:8080", "8081:8081"]
    depends_on: { db: { condition: service_healthy } }
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/"], interval: 300ms }
  db:
    <<: *service
    command: sh -c 'echo the db is up; exec httpd -f -p 5432 -h /rows'
    volumes: ["rows:/rows"]
    ports: ["5432:5432"]
    depends_on: []
    healthcheck: { test: [CMD, test, -d, /rows], interval: 300ms }
volumes: { rows: {} }
`;

/** The files of the project's first commit, with a configuration or without. */
export function projectFiles(config?: string): Record<string, string> {
  return {
    "docker-compose.yml": COMPOSE,
    "page/index.html": "the page of main\n",
    ...(config === undefined ? {} : { ".piko.yml": config }),
  };
}

/** Finds the host port of a service's container port among what `--json` has answered. */
export function hostPort(
  { ports }: Pick<Answer["environment"], "ports">,
  service: string,
  containerPort: number,
): number {
  const found = ports.find((port) =>
    port.service === service && port.containerPort === containerPort
  );
  return found?.hostPort ?? assert.fail(`${service}:${containerPort} has no host port`);
}

/** Reads a page of this machine. */
export async function page(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(response.status, 200);
  return await response.text();
}

/** Tells what runs for an environment, as the engine knows it: service → container's name and state. */
export async function containersOf(
  sandbox: Sandbox,
  name: string,
): Promise<Record<string, { name: string; id: string; state: string }>> {
  const composeProject = `piko-${sandbox.project}-${name}`;
  const containers = await sandbox.engine().listContainers({ composeProject });
  return Object.fromEntries(
    containers.map(({ service, name, id, state }) => [service, { name, id, state }]),
  );
}

/** Tells when a container was started last. */
export async function startedAt(container: { id: string } | undefined): Promise<string> {
  return await docker("inspect", "--format", "{{.State.StartedAt}}", container?.id ?? "");
}

/** What the person of a sandbox has told tmux: a plain shell, and room for long names. */
export const TMUX_CONF = `set -g default-command "PS1='inner> ' exec sh"
set -g status-left-length 60
set -g status-right ""
`;

/** Names the windows of a session in their order. */
export async function windowsOf(sandbox: Sandbox, session: string): Promise<string[]> {
  const argv = ["list-windows", "-t", `=${session}`, "-F", "#{window_name}"];
  return (await sandbox.tmux(...argv)).stdout.trimEnd().split("\n");
}

/** Waits until a window of a session shows something. */
export async function windowShows(
  sandbox: Sandbox,
  session: string,
  window: string,
  what: string | RegExp,
): Promise<void> {
  let screen = "";
  await until(`${what} in window ${window}`, async () => {
    const argv = ["capture-pane", "-p", "-J", "-t", `=${session}:=${window}`];
    screen = (await sandbox.tmux(...argv)).stdout.trimEnd();
    return typeof what === "string" ? screen.includes(what) : what.test(screen);
  }).catch((error: Error) => {
    error.message += `\n${screen}`;
    throw error;
  });
}

/** Names the session that a client of the sandbox's tmux looks at. */
export async function lookedAt(sandbox: Sandbox): Promise<string> {
  return (await sandbox.tmux("list-clients", "-F", "#{session_name}")).stdout.trim();
}

/** Makes a folder with every program of the PATH but one. */
export async function pathWithout(sandbox: Sandbox, program: string): Promise<string> {
  const folder = `${sandbox.folder}/without-${program}`;
  await Deno.mkdir(folder);
  for (const path of (sandbox.variables.PATH ?? "").split(":")) {
    if (!await sandbox.exists(path)) continue;
    for await (const { name } of Deno.readDir(path)) {
      if (name === program || await sandbox.exists(`${folder}/${name}`)) continue;
      await Deno.symlink(`${path}/${name}`, `${folder}/${name}`);
    }
  }
  return folder;
}
