/** The `PIKO_*` variables of an environment, and which of the person's own variables a program is started with. */

import { variablePart } from "./names.ts";

/** What the variables are made of. */
export interface VariableSource {
  root: string;
  project: string;
  name: string;
  composeProject: string;
  slot: number;
  path: string;
  dataDir: string;
  branch: string;
  ports: readonly {
    service: string;
    containerPort: number;
    protocol: "tcp" | "udp";
    hostPort: number;
  }[];
}

/**
 * Makes the `PIKO_*` variables of an environment. `PIKO_<SERVICE>_PORT` is the host port of the service's lowest
 * container port; where one container port is given out by TCP and UDP, TCP has the plain name and UDP ends in `_UDP`.
 */
export function environmentVariables(of: VariableSource): Record<string, string> {
  const variables: Record<string, string> = {
    PIKO_ROOT: of.root,
    PIKO_PROJECT: of.composeProject,
    PIKO_PROJECT_NAME: of.project,
    PIKO_ENV_NAME: of.name,
    PIKO_ENV_ID: String(of.slot),
    PIKO_ENV_PATH: of.path,
    PIKO_DATA_DIR: of.dataDir,
    PIKO_BRANCH: of.branch,
  };
  const ports = [...of.ports].sort((a, b) =>
    compareText(a.service, b.service) || a.containerPort - b.containerPort ||
    compareText(a.protocol, b.protocol) || a.hostPort - b.hostPort
  );
  for (const port of ports) {
    const short = `PIKO_${variablePart(port.service)}_PORT`;
    const long = `${short}_${port.containerPort}`;
    variables[short] ??= String(port.hostPort);
    variables[long] ??= String(port.hostPort);
    if (port.protocol === "udp") variables[`${long}_UDP`] ??= String(port.hostPort);
  }
  return variables;
}

/**
 * Finds the services whose variables have the same name: `my-db` and `my_db` both have `PIKO_MY_DB_PORT`, which is that of
 * the first. Each entry has two services or more, in the order of {@link compareText}.
 */
export function servicesOfOneVariable(services: Iterable<string>): [string, ...string[]][] {
  const byPart = new Map<string, [string, ...string[]]>();
  for (const service of [...new Set(services)].sort(compareText)) {
    const others = byPart.get(variablePart(service));
    if (others === undefined) byPart.set(variablePart(service), [service]);
    else others.push(service);
  }
  return [...byPart.values()].filter((services) => services.length > 1);
}

/** Compares two texts by their code units, which no locale changes. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Writes a value as a word of a POSIX shell, safe for any value. */
export function shellQuote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Writes a word of a command that a person is shown: quoted for a shell where it must be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote(word);
}

/**
 * The variables that git, docker and compose are started with. Compose lets a shell's variables win over `.env`, so one
 * that merely happens to be set in piko's shell must not change an environment; what names the engine, the
 * person, the proxy and the terminal passes.
 */
const TOOL_VARIABLES =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TERM|COLORTERM|TMPDIR|XDG_.*|SSH_.*|GIT_SSH.*|GIT_ASKPASS|GIT_CONFIG_GLOBAL|GIT_CONFIG_SYSTEM|GIT_CONFIG_NOSYSTEM|GIT_AUTHOR_.*|GIT_COMMITTER_.*|DOCKER_.*|BUILDKIT_.*|BUILDX_.*|COMPOSE_.*|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|all_proxy|ALL_PROXY|SSL_CERT_FILE|SSL_CERT_DIR)$/;

/** Variables of compose that would name other files or another project than piko does. */
const NOT_FOR_COMPOSE =
  /^COMPOSE_(FILE|PROJECT_NAME|PATH_SEPARATOR|DISABLE_ENV_FILE|REMOVE_ORPHANS|ENV_FILES)$/;

/** Chooses the variables that git, docker and compose are started with. */
export function toolVariables(all: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(all).filter(([name]) =>
      TOOL_VARIABLES.test(name) && !NOT_FOR_COMPOSE.test(name)
    ),
  );
}
