/**
 * Docker Compose. Commands that read the user's files (`config`, `up`) name them all with `-f`; the others
 * (`stop`, `start`, `restart`, `down`) go by the labels of the containers alone, so that they work on broken
 * YAML and after the worktree is gone. Those run in `/`: compose would take a compose file from the current
 * folder or one above it, and fails in a folder that was deleted.
 */

import type { ComposeConfig } from "../domain/compose_config.ts";
import { CommandError, PikoError } from "../domain/errors.ts";
import { run, stream, tryRun, type Variables } from "./run.ts";

/** What a compose command that reads files works on. */
export interface ComposeTarget {
  composeProject: string;
  /** Absolute; the base file first, since the folder of the first is the project directory. */
  files: string[];
  overrideFile?: string | undefined;
  /** Variables for the interpolation, besides those that every call starts with. */
  variables: Variables;
  /** Where the user would type the command; its `.env` counts. */
  cwd: string;
}

/** How a command reports and is interrupted. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Called for each line of what compose says. */
  onLine?: ((line: string, from: "stdout" | "stderr") => void) | undefined;
}

/** What `up`, `stop`, `start` and `restart` are asked for. */
export interface ServiceOptions extends CallOptions {
  /** The services that are meant; none of them means all. */
  services?: readonly string[] | undefined;
}

/** What `up` is asked for. */
export interface UpOptions extends ServiceOptions {
  build?: boolean | undefined;
  forceRecreate?: boolean | undefined;
  /** Whether the containers are started, and not only made. */
  start?: boolean | undefined;
  /** Whether what the services depend on is left as it is. */
  alone?: boolean | undefined;
  keepOrphans?: boolean | undefined;
  /** Whether it is fine that no service is left to start, which compose takes for a mistake; then nothing is done at all. */
  mayBeEmpty?: boolean | undefined;
}

/** The oldest compose that knows `!override` and `!reset` as piko writes them. */
export const OLDEST_COMPOSE = "2.24.4";

/** Starts `docker compose`. */
export class Compose {
  readonly #variables: Variables;

  /** Takes the variables that every call starts with (PATH, HOME, DOCKER_…): never piko's own whole set. */
  constructor(options: { variables: Variables }) {
    this.#variables = options.variables;
  }

  /** Tells compose's version, such as `2.26.1`. */
  async version(signal?: AbortSignal): Promise<string> {
    const argv = ["docker", "compose", "version", "--short"];
    const { exitCode, stdout, stderr, signal: ended } = await tryRun(argv, {
      variables: this.#variables,
      cwd: "/",
      signal,
    });
    if (exitCode === 0) return stdout.trim().replace(/^v/, "");
    throw new PikoError("Docker Compose is not installed", {
      code: "unavailable",
      hint: `Install the compose plugin of Docker, ${OLDEST_COMPOSE} or newer`,
      cause: new CommandError(argv, { exitCode, signal: ended, stderr }),
    });
  }

  /** Tells the version of the docker program, such as `28.2.2`; throws unavailable when there is none. */
  async dockerVersion(): Promise<string> {
    const said = await run(["docker", "--version"], { variables: this.#variables, cwd: "/" });
    return /\d[\w.+-]*/.exec(said)?.[0] ?? said.trim();
  }

  /** Throws a PikoError (unavailable) when docker or compose is missing, or compose is too old. */
  async requireVersion(signal?: AbortSignal): Promise<void> {
    const version = await this.version(signal);
    if (isAtLeast(version, OLDEST_COMPOSE)) return;
    throw new PikoError(`Docker Compose ${version} is too old: piko needs ${OLDEST_COMPOSE}`, {
      code: "unavailable",
      hint: "Update the compose plugin of Docker",
    });
  }

  /**
   * Reads the files as compose understands them, services of every profile included. Files may demand
   * `${PIKO_APP_PORT:?}` before a port is known: a required PIKO_ variable that is missing reads as 1.
   */
  async config(target: ComposeTarget, signal?: AbortSignal): Promise<ComposeConfig> {
    const placeholders: Record<string, string> = {};
    for (;;) {
      try {
        const argv = [...withFiles(target, "--profile", "*"), "config", "--format", "json"];
        const variables = { ...this.#variables, ...placeholders, ...target.variables };
        const text = await run(argv, { variables, cwd: target.cwd, signal });
        // Compose doubles every dollar sign, since its output is meant to be read by compose again.
        return JSON.parse(text.replaceAll("$$", "$")) as ComposeConfig;
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        const missing = parseMissingVariable(error.stderr);
        if (missing === undefined || missing in placeholders || missing in target.variables) {
          throw explainComposeFailure(error);
        }
        placeholders[missing] = "1";
      }
    }
  }

  /**
   * Makes and starts what is not running yet, and recreates what has changed; all of it in the background. Containers of
   * services that are in no file any more go when all services are meant, unless `keepOrphans` says otherwise.
   */
  async up(target: ComposeTarget, options: UpOptions = {}): Promise<void> {
    const services = options.services ?? [];
    const argv = [
      ...withFiles(target),
      "up",
      ...(options.start === false ? ["--no-start"] : ["--detach"]),
      "--quiet-pull",
      ...(options.build ? ["--build"] : []),
      ...(options.forceRecreate ? ["--force-recreate"] : []),
      ...(options.alone ? ["--no-deps"] : []),
      ...(services.length > 0
        ? ["--", ...services]
        : options.keepOrphans
        ? []
        : ["--remove-orphans"]),
    ];
    try {
      await this.#call(argv, target.cwd, target.variables, options);
    } catch (error) {
      if (!options.mayBeEmpty || !hasNoService(error)) throw error;
    }
  }

  /** Stops containers and keeps them. */
  async stop(target: { composeProject: string }, options: ServiceOptions = {}): Promise<void> {
    await this.#callWithoutFiles(
      target,
      ["stop", "--", ...options.services ?? []],
      options,
    );
  }

  /** Starts containers that exist. */
  async start(target: { composeProject: string }, options: ServiceOptions = {}): Promise<void> {
    await this.#callWithoutFiles(
      target,
      ["start", "--", ...options.services ?? []],
      options,
    );
  }

  /**
   * Stops and starts containers that exist, and what they depend on. `compose restart` would leave the choice to the
   * engine's own restart, which in Docker 20.10 can lose the root of a container that a health check is in: from
   * then on nothing can be run in it any more.
   */
  async restart(target: { composeProject: string }, options: ServiceOptions = {}): Promise<void> {
    await this.stop(target, options);
    await this.start(target, options);
  }

  /** Stops and removes the containers of some services; their volumes stay. */
  async remove(
    target: { composeProject: string },
    options: ServiceOptions & { services: readonly string[] },
  ): Promise<void> {
    await this.#callWithoutFiles(
      target,
      ["rm", "--stop", "--force", "--", ...options.services],
      options,
    );
  }

  /** Removes containers and networks of a project, and its volumes only when that is said. */
  async down(
    target: { composeProject: string },
    options: CallOptions & { volumes?: boolean | undefined; removeOrphans?: boolean | undefined } =
      {},
  ): Promise<void> {
    await this.#callWithoutFiles(target, [
      "down",
      ...(options.removeOrphans === false ? [] : ["--remove-orphans"]),
      ...(options.volumes ? ["--volumes"] : []),
    ], options);
  }

  /** Removes images by name or id; other names of them stay. */
  async removeImages(images: readonly string[], signal?: AbortSignal): Promise<void> {
    try {
      for (const image of images) {
        const argv = ["docker", "image", "rm", "--", image];
        await run(argv, { variables: this.#variables, cwd: "/", signal });
      }
    } catch (error) {
      throw error instanceof CommandError ? explainComposeFailure(error) : error;
    }
  }

  #callWithoutFiles(
    { composeProject }: { composeProject: string },
    command: string[],
    options: CallOptions,
  ): Promise<void> {
    const argv = ["docker", "compose", "-p", composeProject, ...command];
    return this.#call(argv, "/", { COMPOSE_FILE: "" }, options);
  }

  async #call(
    argv: string[],
    cwd: string,
    variables: Variables,
    { signal, onLine }: CallOptions,
  ): Promise<void> {
    const options = { variables: { ...this.#variables, ...variables }, cwd, signal };
    try {
      if (onLine === undefined) await run(argv, options);
      else await stream(argv, { ...options, onLine });
    } catch (error) {
      throw error instanceof CommandError ? explainComposeFailure(error) : error;
    }
  }
}

function hasNoService(error: unknown): boolean {
  const cause = error instanceof PikoError ? error.cause : error;
  return cause instanceof CommandError && /^no service selected$/m.test(cause.stderr);
}

function withFiles(target: ComposeTarget, ...flags: string[]): string[] {
  const files = target.overrideFile === undefined
    ? target.files
    : [...target.files, target.overrideFile];
  return [
    "docker",
    "compose",
    "-p",
    target.composeProject,
    ...files.flatMap((file) => ["-f", file]),
    ...flags,
  ];
}

/** How the engine says that a process or a container has a port: the first group or the second. */
const BUSY_PORT = /:(\d+): bind: address already in use|:(\d+) failed: port is already allocated/;

/** Tells the host port that somebody else had when containers were started; undefined for another failure. */
export function busyPort(error: unknown): number | undefined {
  const cause = error instanceof PikoError ? error.cause : error;
  const found = cause instanceof CommandError ? BUSY_PORT.exec(cause.stderr) : null;
  return found === null ? undefined : Number(found[1] ?? found[2]);
}

/** Tells whether a version (`2.26.1-4`, `v2.40.3`) is another one or newer. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [found, wanted] = [version, oldest].map((text) =>
    text.replace(/^v/, "").split(/[.+-]/).slice(0, 3).map(Number)
  );
  for (const index of [0, 1, 2]) {
    const difference = (found?.[index] ?? 0) - (wanted?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The names under which compose finds a file by itself, in its order (compose-go, DefaultFileNames). */
const FILE_NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/** What compose layers over it by itself (compose-go, DefaultOverrideFileNames). */
const OVERRIDE_FILE_NAMES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

/** The compose files of a folder, and what they were found by. */
export interface FoundComposeFiles {
  /** Absolute paths, the base file first. */
  files: string[];
  by: ".piko.yml" | "COMPOSE_FILE" | "name";
}

/**
 * Finds the compose files of a folder as compose itself does: those that `.piko.yml` names, else COMPOSE_FILE
 * (also in `.env`), else a file with one of the usual names and its override file. Folders above are left
 * alone, since above a worktree lies the project that it was made from.
 *
 * @returns undefined when there is no compose file.
 * @throws {PikoError} not-found when a file that is named does not exist.
 */
export async function findComposeFiles(
  folder: string,
  options: { compose?: string | readonly string[] | undefined; variables: Variables },
): Promise<FoundComposeFiles | undefined> {
  if (options.compose !== undefined) {
    const files = await namedFiles(folder, [options.compose].flat(), "`compose:` of .piko.yml");
    return { files, by: ".piko.yml" };
  }
  const fromFile = parseDotEnv(await readIfThere(`${folder}/.env`) ?? "");
  const variables = { ...fromFile, ...options.variables };
  if (variables.COMPOSE_FILE) {
    const separator = variables.COMPOSE_PATH_SEPARATOR || ":";
    const names = variables.COMPOSE_FILE.split(separator).filter((name) => name !== "");
    return { files: await namedFiles(folder, names, "COMPOSE_FILE"), by: "COMPOSE_FILE" };
  }
  const base = await firstThere(folder, FILE_NAMES);
  if (base === undefined) return undefined;
  const override = await firstThere(folder, OVERRIDE_FILE_NAMES);
  return { files: override === undefined ? [base] : [base, override], by: "name" };
}

async function namedFiles(
  folder: string,
  names: readonly string[],
  by: string,
): Promise<string[]> {
  const files = names.map((name) => join(folder, name));
  for (const file of files) {
    const info = await fileInfo(file);
    if (info?.isFile) continue;
    const message = info === undefined
      ? `There is no compose file ${file}, which ${by} names`
      : `${file}, which ${by} names as the compose file, is ${
        info.isDirectory ? "a folder" : "no file"
      }`;
    throw new PikoError(message, {
      code: "not-found",
      hint: `Correct ${by}, or add the file`,
    });
  }
  return files;
}

async function firstThere(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    if (await isFile(`${folder}/${name}`)) return `${folder}/${name}`;
  }
  return undefined;
}

/** Reads `KEY=value` lines, as far as file names need it: comments, `export` and quotes, no interpolation. */
function parseDotEnv(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match =
      /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)'|(.*?))\s*(?:\s#.*)?$/
        .exec(line);
    if (match?.[1] !== undefined) variables[match[1]] = match[2] ?? match[3] ?? match[4] ?? "";
  }
  return variables;
}

/**
 * Lists the `env_file` entries of all services, in every form, optional ones and those of included files
 * too. Entries with variables in them are left out: compose names them when they are missing.
 *
 * @param files the compose files, absolute, base file first.
 * @returns absolute paths, whether the files exist or not.
 */
export async function listEnvFiles(files: readonly string[]): Promise<string[]> {
  const { parse } = await import("yaml");
  const found = new Set<string>();
  const visited = new Set<string>();
  const visit = async (file: string, folder: string): Promise<void> => {
    if (visited.has(file)) return;
    visited.add(file);
    const text = await readIfThere(file);
    if (text === undefined) return;
    let document: unknown;
    try {
      document = parse(text, { merge: true, logLevel: "error" });
    } catch (error) {
      // Compose itself is about to read this file and says what is wrong with it.
      if (error instanceof Error && error.name === "YAMLParseError") return;
      throw error;
    }
    for (const service of Object.values(recordOf(recordOf(document).services))) {
      for (const path of pathsOf(recordOf(service).env_file)) found.add(join(folder, path));
    }
    for (const entry of listOf(recordOf(document).include)) {
      const [first, ...rest] = pathsOf(typeof entry === "string" ? entry : recordOf(entry).path);
      if (first === undefined) continue;
      const [directory] = pathsOf(recordOf(entry).project_directory);
      const base = join(folder, first);
      const includedFolder = directory === undefined ? parentOf(base) : join(folder, directory);
      for (const path of pathsOf(recordOf(entry).env_file)) found.add(join(folder, path));
      for (const path of [first, ...rest]) await visit(join(folder, path), includedFolder);
    }
  };
  for (const file of files) await visit(file, parentOf(files[0] ?? file));
  return [...found].sort();
}

/** Reads what names files: a string, a list of them, or a list of `{ path }`. */
function pathsOf(value: unknown): string[] {
  return listOf(value).map((item) => typeof item === "string" ? item : recordOf(item).path)
    .filter((path) => typeof path === "string").filter((path) => !path.includes("$"));
}

function listOf(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : [value].flat();
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

/**
 * Lists those of the paths that do not exist, such as sources of bind mounts.
 */
export async function listMissing(paths: readonly string[]): Promise<Set<string>> {
  const missing = new Set<string>();
  for (const path of paths) if (!await exists(path)) missing.add(path);
  return missing;
}

/** Finds in compose's words the `env_file` that is missing; its path is absolute. */
export function parseMissingEnvFile(stderr: string): string | undefined {
  return /env file (\/.+?) not found/.exec(stderr)?.[1];
}

/** Finds in compose's words the PIKO_ variable that a file demands with `${PIKO_…:?}` and nobody gave. */
export function parseMissingVariable(stderr: string): string | undefined {
  return /required variable (PIKO_\w+) is missing a value/.exec(stderr)?.[1];
}

/** Says in piko's words why compose failed; what compose itself said is the cause. */
export function explainComposeFailure(error: CommandError): PikoError {
  const { stderr } = error;
  for (const [pattern, explain] of FAILURES) {
    const match = pattern.exec(stderr);
    if (match === null) continue;
    const [message, code, hint] = explain(match);
    const details = message === NOT_VALID ? unnamedFiles(error) : [];
    return new PikoError(message, { code, hint, details, cause: error });
  }
  return new PikoError("Docker Compose failed", { code: "failed", cause: error });
}

/** The compose files that were given, unless compose says itself which of them it speaks of. */
function unnamedFiles({ argv, stderr }: CommandError): string[] {
  const files = argv.filter((_, index) => argv[index - 1] === "-f");
  return files.some((file) => stderr.includes(file)) ? [] : files;
}

const NOT_VALID = "The compose file is not valid";

type Explanation = [message: string, code: PikoError["code"], hint: string];

/** Compose's exit codes say nothing that lasts: they differ between versions. Its words do. */
const FAILURES: [RegExp, (match: RegExpExecArray) => Explanation][] = [
  [
    /Cannot connect to the Docker daemon|error during connect|failed to connect to the docker API/,
    () => ["Docker is not running", "unavailable", "Start Docker, and try again"],
  ],
  [
    /permission denied while trying to connect to the docker/i,
    () => [
      "Docker refuses this user",
      "unavailable",
      "Add the user to the group docker, and log in again",
    ],
  ],
  [
    /unable to resolve docker endpoint: context "(.+?)"/,
    ([, context]) => [
      `There is no Docker context "${context}"`,
      "unavailable",
      "docker context ls",
    ],
  ],
  [
    /unknown command: docker compose|'compose' is not a docker command|unknown shorthand flag: 'p'/,
    () => [
      "Docker Compose is not installed",
      "unavailable",
      `Install the compose plugin of Docker, ${OLDEST_COMPOSE} or newer`,
    ],
  ],
  [
    BUSY_PORT,
    ([, ofProcess, ofContainer]) => [
      `Host port ${ofProcess ?? ofContainer} is already in use`,
      "conflict",
      ofContainer === undefined
        ? `Stop the program that listens on ${ofProcess}, and try again`
        : `docker ps --filter publish=${ofContainer}`,
    ],
  ],
  [
    /port is already allocated|address already in use/,
    () => ["A host port is already in use", "conflict", "Stop what listens on it, and try again"],
  ],
  [
    /dependency failed to start: container (\S+) (.+)/,
    ([, container, state]) => [
      `Container ${container}, which others depend on, ${state?.trim()}`,
      "failed",
      `docker logs ${container}`,
    ],
  ],
  [
    /service "(\S+)" didn't complete successfully: exit (\d+)/,
    ([, service, code]) => [
      `Service "${service}", which others depend on, ended with exit code ${code}`,
      "failed",
      `Look at its logs for the reason`,
    ],
  ],
  [
    /non-overlapping IPv4 address pool|address pools have been fully subnetted/,
    () => [
      "Docker has no address range left for another network",
      "failed",
      "Destroy an environment, remove unused networks with docker network prune, " +
      "or add default-address-pools to Docker's daemon.json",
    ],
  ],
  [
    /Pool overlaps with other one on this address space/,
    () => [
      "A network wants an address range that another network has",
      "conflict",
      "docker network ls",
    ],
  ],
  [
    /env file (\/.+?) not found/,
    ([, path]) => [
      `There is no env_file ${path}`,
      "not-found",
      "Add the file to the worktree, or to the root of the project",
    ],
  ],
  [
    // Containers remember a network by its id; only what a file says goes by a name.
    /network [0-9a-f]{64} not found/,
    () => [
      "A network was removed while containers still belonged to it",
      "failed",
      "Bring the environment down and up again",
    ],
  ],
  [
    /network (\S+) (?:not found|declared as external, but could not be found)/,
    ([, network]) => [
      `External network "${network}" does not exist`,
      "not-found",
      `docker network create ${network}`,
    ],
  ],
  [
    /external volume "(.+?)" not found/,
    ([, volume]) => [
      `External volume "${volume}" does not exist`,
      "not-found",
      `docker volume create ${volume}`,
    ],
  ],
  [
    /bind source path does not exist: (.+)/,
    ([, path]) => [
      `A service mounts ${path}, which does not exist`,
      "not-found",
      "Add the file or folder to the worktree",
    ],
  ],
  [
    /required variable (\S+) is missing a value/,
    ([, name]) => [
      `The compose file needs the variable ${name}`,
      "failed",
      `Set ${name} in the .env beside the compose file`,
    ],
  ],
  [
    /no such service: "?([^\s":]+)/,
    ([, service]) => [`There is no service "${service}"`, "not-found", "Check its name"],
  ],
  [
    /no container found for project/,
    () => ["There are no containers to start", "not-found", "Make them with piko up"],
  ],
  [
    /pull access denied for ([^\s,]+)|manifest for (\S+) not found|No such image: (\S+?):?(?:\s|$)/i,
    ([, ...names]) => [
      `Image ${names.find((name) => name !== undefined)} cannot be had`,
      "failed",
      "Check the image's name, and use docker login if it is private",
    ],
  ],
  [
    /^\s*(\S+) Error .*(?:registry|manifest|Get "http|not found)/m,
    ([, service]) => [
      `The image of service "${service}" cannot be pulled`,
      "failed",
      "Check the image's name and the connection to its registry",
    ],
  ],
  [
    /failed to solve|unable to prepare context|returned a non-zero code/,
    () => ["An image could not be built", "failed", "Correct what the build names"],
  ],
  [
    /no space left on device/,
    () => ["The disk is full", "failed", "Make room, for instance with docker system prune"],
  ],
  [
    /OCI runtime create failed: .*?((?:exec|error mounting|mount)\b.*)/,
    ([, reason]) => [
      `A container could not start: ${reason?.replace(/: unknown$/, "")}`,
      "failed",
      "Correct the service's command or mounts in the compose file",
    ],
  ],
  [
    /^open (\/.+): no such file or directory/m,
    ([, path]) => [`There is no ${path}`, "not-found", "Add the file, or correct its name"],
  ],
  [
    /yaml: |validating |invalid compose project|invalid interpolation|Invalid hostPort|invalid project name|empty compose file|no service selected|dependency cycle|must be a (?:mapping|list|string|number|boolean)/,
    () => [NOT_VALID, "failed", "Correct what Docker Compose names"],
  ],
];

async function exists(path: string): Promise<boolean> {
  return await fileInfo(path) !== undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await fileInfo(path))?.isFile ?? false;
}

async function fileInfo(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** Joins a folder and a path, which may be absolute, and takes `.` and `..` out. */
function join(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
