/**
 * Asks the Docker engine over its socket: what runs, what it logs, which volumes it keeps.
 *
 * HTTP by hand over the bare socket adds 5 ms to an empty deno run, `fetch` through a unix proxy 19 ms. Either
 * needs the net permission for the socket's exact path, and Deno's `unix:` takes no pattern. So any engine but
 * the one at /var/run/docker.sock (another context's socket, tcp, ssh, TLS) is reached through
 * `docker system dial-stdio`, with which docker itself carries its API over ssh: same requests, same answers,
 * 25 ms more each.
 */

import type { Container } from "../domain/containers.ts";
import { interrupted, messageOf, PikoError } from "../domain/errors.ts";
import { type AskedAhead, listPath, projectFilter } from "./ask_ahead.ts";
import { type LogLine, readLogLines } from "./container_log.ts";
import { DEFAULT_SOCKET, findDockerHost } from "./docker_context.ts";
import {
  type AddressPool,
  type ContainerDetails,
  type ContainerEvent,
  decodeJson,
  type InspectedContainer,
  LABEL,
  type LabelledResource,
  type ListedContainer,
  type ListedResource,
  type Network,
  networkRoom,
  parseContainer,
  parseDetails,
  parseLog,
  parseResource,
  readEvents,
  refusal,
  splitLines,
} from "./engine/answers.ts";
import {
  dialThroughDocker,
  isOnPath,
  type Line,
  notInstalled,
  socketLine,
  usableSocket,
} from "./engine/line.ts";
import { type Answer, ConnectionLost, exchange, readAll, receiveAnswer } from "./http.ts";

/** How an engine is reached. */
export interface EngineOptions {
  /** The process variables that name the engine, and that the docker program is started with; read when they are needed. */
  variables: Readonly<Record<string, string>>;
  /**
   * Milliseconds after which an engine that does not answer is given up; 20000 by default, since an engine answers
   * nothing about a container while it starts it, which a busy machine takes seconds for.
   */
  timeout?: number | undefined;
  /** Where the answer to the first question for containers will come. */
  askedAhead?: AskedAhead;
}

/** What of a container's log is read. */
export interface LogOptions {
  /** Whether to wait for more until the container stops. */
  follow?: boolean | undefined;
  /** How many of the last lines; all by default. */
  tail?: number | "all" | undefined;
  /** Seconds since 1970, with up to nine digits behind the dot. */
  since?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Which engine it is, and how much it has room for. */
export interface EngineInfo {
  /** Differs from one engine to another, whatever they are reached by; two of one machine may share an ID, but no folder. */
  identity: string;
  /** How many bridge networks fit into its pools of addresses. */
  networkRoom: number;
}

/** The version of an engine, and of the API that it speaks. */
export interface EngineVersion {
  version: string;
  apiVersion: string;
}

/** The Docker engine that the docker client would use. */
export class Engine {
  readonly #options: EngineOptions;
  #host: Promise<string> | undefined;
  #askedAhead: AskedAhead;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#askedAhead = options.askedAhead;
  }

  /** Tells the engine's address. */
  findHost(): Promise<string> {
    // A context that could not be read may be mended while a server goes on running.
    return this.#host ??= findDockerHost(this.#options.variables).catch((error) => {
      this.#host = undefined;
      throw error;
    });
  }

  /** Asks whether the engine is there; throws unavailable when it is not. */
  async ping(): Promise<void> {
    await this.#request("GET", "/_ping");
  }

  async version(): Promise<EngineVersion> {
    const { Version, ApiVersion } = await this.#json<{ Version: string; ApiVersion: string }>(
      "/version",
    );
    return { version: Version, apiVersion: ApiVersion };
  }

  /**
   * Lists the containers of one compose project, or of all, sorted by project, service and number; what
   * `docker compose run` started is left out, unless it is asked for too.
   */
  async listContainers(
    filter: {
      composeProject?: string | undefined;
      oneOff?: boolean;
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<Container[]> {
    const { composeProject, oneOff = false, signal } = filter;
    const asked = this.#askedAhead;
    this.#askedAhead = undefined;
    const listed: ListedContainer[] = asked === undefined
      ? await this.#json(listPath(composeProject), signal)
      : decodeJson((await this.#converse(socketLine(asked), receiveAnswer, { signal })).bytes);
    return listed.filter(({ Labels }) => oneOff || Labels?.[`${LABEL}oneoff`] !== "True")
      .map(parseContainer)
      .filter((found) => composeProject === undefined || found.composeProject === composeProject)
      .sort((a, b) =>
        compare(a.composeProject, b.composeProject) || compare(a.service, b.service) ||
        a.number - b.number
      );
  }

  /** Looks closer at containers; those that are gone by now are left out. */
  async inspectContainers(
    ids: readonly string[],
    signal?: AbortSignal,
  ): Promise<ContainerDetails[]> {
    const found = await Promise.all(ids.map((id) => this.#inspect(id, signal)));
    return found.filter((details) => details !== undefined);
  }

  /** Reads the last lines that a container wrote to stdout and stderr, in their order. */
  async logTail(id: string, lines: number, signal?: AbortSignal): Promise<string[]> {
    const path = `/containers/${encodeURIComponent(id)}/logs?stdout=1&stderr=1&tail=${lines}`;
    const [details, log] = await Promise.all([
      this.#inspect(id, signal),
      this.#request("GET", path, { signal }),
    ]);
    return details?.tty
      ? splitLines(new TextDecoder("utf-8", { ignoreBOM: true }).decode(log.bytes))
      : parseLog(log.bytes);
  }

  /**
   * Reads a container's log as it comes, the lines that come at once together: what there is, and with `follow` what is
   * written until the container stops.
   */
  async *readLog(id: string, options: LogOptions = {}): AsyncGenerator<LogLine[]> {
    const { signal, follow = false, tail = "all", since = "" } = options;
    const details = await this.#inspect(id, signal);
    if (details === undefined) return;
    const query = `stdout=1&stderr=1&timestamps=1&follow=${follow}&tail=${tail}&since=${since}`;
    const path = `/containers/${encodeURIComponent(id)}/logs?${query}`;
    yield* this.#stream(path, signal, (body) => readLogLines(body, details.tty));
  }

  /**
   * Tells what happens to the containers of compose projects, as it happens, until the signal is given.
   *
   * @param options.opened is called when the engine listens: what happened before is not told.
   * @throws {PikoError} interrupted; unavailable when the engine is not there, or ends.
   */
  async *events(
    { signal, opened }: { signal: AbortSignal; opened?: () => void },
  ): AsyncGenerator<ContainerEvent> {
    const filters = { type: ["container"], event: EVENTS, label: [`${LABEL}project`] };
    const path = `/events?filters=${encodeURIComponent(JSON.stringify(filters))}`;
    yield* this.#stream(path, signal, (body) => {
      opened?.();
      return readEvents(body);
    });
    throw await this.#unreachable(
      await this.findHost(),
      "it has ended",
      new ConnectionLost("The engine has ended"),
    );
  }

  /** Lists the volumes of a compose project, or of all. */
  async listVolumes(composeProject?: string): Promise<LabelledResource[]> {
    const { Volumes } = await this.#json<{ Volumes: ListedResource[] | null }>(
      `/volumes?filters=${projectFilter(composeProject)}`,
    );
    return (Volumes ?? []).map(parseResource);
  }

  /** Lists every volume of the engine, compose's or not. */
  async listAllVolumes(): Promise<LabelledResource[]> {
    const { Volumes } = await this.#json<{ Volumes: ListedResource[] | null }>("/volumes");
    return (Volumes ?? []).map(parseResource);
  }

  /** Lists the containers, compose's or not, that have one of these volumes, with when they were made, in milliseconds since 1970. */
  async listVolumeUsers(
    volumes: readonly string[],
  ): Promise<(Pick<Container, "composeProject" | "volumes"> & { createdAt: number })[]> {
    const filters = encodeURIComponent(JSON.stringify({ volume: volumes }));
    const listed = await this.#json<ListedContainer[]>(
      `/containers/json?all=true&filters=${filters}`,
    );
    return listed.map((each) => ({ ...parseContainer(each), createdAt: each.Created * 1000 }));
  }

  /** Lists the images that were built for a compose project: by their name, or by their id where they have lost it. */
  async listImages(composeProject: string, signal?: AbortSignal): Promise<string[]> {
    const listed = await this.#json<{ Id: string; RepoTags: string[] | null }[]>(
      `/images/json?filters=${projectFilter(composeProject)}`,
      signal,
    );
    return listed.flatMap(({ Id, RepoTags }) => {
      // Older engines call an image without a name "<none>:<none>".
      const names = (RepoTags ?? []).filter((name) => !name.startsWith("<none>:"));
      return names.length === 0
        ? [Id]
        : names.filter((name) => name.startsWith(`${composeProject}-`));
    });
  }

  /** Lists the networks of a compose project, or of all. */
  async listNetworks(composeProject?: string): Promise<LabelledResource[]> {
    const networks = await this.#json<ListedResource[]>(
      `/networks?filters=${projectFilter(composeProject)}`,
    );
    return networks.map(parseResource);
  }

  /** Lists every network of the engine, compose's or not. */
  async listAllNetworks(): Promise<Network[]> {
    const networks = await this.#json<(ListedResource & { Id: string; Driver: string })[]>(
      "/networks",
    );
    return networks.map((listed) => ({
      ...parseResource(listed),
      id: listed.Id,
      driver: listed.Driver,
    }));
  }

  /** Tells which engine it is, and how much it has room for. */
  async info(): Promise<EngineInfo> {
    const { ID, DockerRootDir, DefaultAddressPools: pools } = await this.#json<
      { ID: string; DockerRootDir: string; DefaultAddressPools?: AddressPool[] | null }
    >("/info");
    return { identity: `${ID} ${DockerRootDir}`, networkRoom: networkRoom(pools ?? []) };
  }

  /** Connects a container to a network, where these names lead to it; one that is there already stays as it is. */
  async connectNetwork(
    network: string,
    container: string,
    aliases: readonly string[],
  ): Promise<void> {
    const body = { Container: container, EndpointConfig: { Aliases: aliases } };
    try {
      await this.#request("POST", `/networks/${encodeURIComponent(network)}/connect`, { body });
    } catch (error) {
      if (!/already (?:exists in|attached to) network/.test(messageOf(error))) throw error;
    }
  }

  /** Takes a container off a network, also off one that is gone; one that is not there is fine. */
  async disconnectNetwork(network: string, container: string): Promise<void> {
    const body = { Container: container, Force: true };
    try {
      await this.#request("POST", `/networks/${encodeURIComponent(network)}/disconnect`, {
        body,
        missingIsFine: true,
      });
    } catch (error) {
      if (!/is not connected to/.test(messageOf(error))) throw error;
    }
  }

  /** Names the containers that are connected to a network; none when it is gone. */
  async listNetworkUsers(name: string): Promise<string[]> {
    const { status, bytes } = await this.#request(
      "GET",
      `/networks/${encodeURIComponent(name)}`,
      { missingIsFine: true },
    );
    if (status === 404) return [];
    const { Containers } = decodeJson<{ Containers: Record<string, { Name: string }> | null }>(
      bytes,
    );
    return Object.values(Containers ?? {}).map(({ Name }) => Name).sort();
  }

  /** Removes volumes; one that is not there is fine, one in use is a conflict. */
  async removeVolumes(names: readonly string[]): Promise<void> {
    const removed = await Promise.allSettled(
      names.map((name) =>
        this.#request("DELETE", `/volumes/${encodeURIComponent(name)}`, { missingIsFine: true })
      ),
    );
    for (const outcome of removed) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** Lists the host ports that running containers hold, compose's or not, like "tcp:10180". */
  async publishedPorts(): Promise<Set<string>> {
    const listed = await this.#json<Pick<ListedContainer, "Ports">[]>("/containers/json");
    return new Set(
      listed.flatMap(({ Ports }) => Ports ?? [])
        .filter(({ PublicPort }) => PublicPort !== undefined)
        .map(({ Type, PublicPort }) => `${Type}:${PublicPort}`),
    );
  }

  async #inspect(id: string, signal?: AbortSignal): Promise<ContainerDetails | undefined> {
    const { status, bytes } = await this.#request(
      "GET",
      `/containers/${encodeURIComponent(id)}/json`,
      { signal, missingIsFine: true },
    );
    return status === 404 ? undefined : parseDetails(decodeJson<InspectedContainer>(bytes));
  }

  async #json<T>(path: string, signal?: AbortSignal): Promise<T> {
    return decodeJson<T>((await this.#request("GET", path, { signal })).bytes);
  }

  async #request(
    method: "GET" | "DELETE" | "POST",
    path: string,
    options: {
      body?: unknown;
      signal?: AbortSignal | undefined;
      missingIsFine?: boolean;
    } = {},
  ): Promise<{ status: number; bytes: Uint8Array<ArrayBuffer> }> {
    if (options.signal?.aborted) throw interrupted();
    return await this.#converse(
      await this.#connect(await this.findHost()),
      (line) => exchange(line, method, path, options.body),
      options,
    );
  }

  /** Has an answer over a connection, which is closed then. */
  async #converse(
    line: Line,
    work: (line: Line) => Promise<Answer>,
    { signal, missingIsFine = false }: {
      signal?: AbortSignal | undefined;
      missingIsFine?: boolean;
    },
  ): Promise<{ status: number; bytes: Uint8Array<ArrayBuffer> }> {
    const { timeout = 20_000 } = this.#options;
    // Not setTimeout, whose first call loads 13 ms of Node's timers.
    const timer = AbortSignal.timeout(timeout);
    const abort = () => line.close();
    timer.addEventListener("abort", abort);
    signal?.addEventListener("abort", abort);
    // The signal may have been given while connecting.
    if (signal?.aborted) line.close();
    try {
      const answer = await work(line);
      const bytes = await readAll(answer.body);
      const fine = answer.status < 300 || (answer.status === 404 && missingIsFine);
      if (!fine) throw refusal(answer.status, bytes);
      return { status: answer.status, bytes };
    } catch (error) {
      if (signal?.aborted) throw interrupted();
      const host = await this.findHost();
      if (timer.aborted) {
        throw new PikoError(
          `The Docker engine at ${host} did not answer within ${timeout / 1000} s`,
          { code: "unavailable", hint: "docker info", cause: error },
        );
      }
      if (error instanceof PikoError) throw error;
      throw await this.#unreachable(host, await line.complaint() ?? messageOf(error), error);
    } finally {
      timer.removeEventListener("abort", abort);
      signal?.removeEventListener("abort", abort);
      line.close();
      await line.closed;
    }
  }

  /** Reads an answer as it comes, until its end or the signal. */
  async *#stream<T>(
    path: string,
    signal: AbortSignal | undefined,
    read: (body: AsyncGenerator<Uint8Array<ArrayBuffer>>) => AsyncGenerator<T>,
  ): AsyncGenerator<T> {
    const host = await this.findHost();
    const line = await this.#connect(host);
    const abort = () => line.close();
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) line.close();
    try {
      const answer = await exchange(line, "GET", path);
      if (answer.status >= 300) throw refusal(answer.status, await readAll(answer.body));
      yield* read(answer.body);
    } catch (error) {
      if (signal?.aborted) throw interrupted();
      if (error instanceof PikoError) throw error;
      throw await this.#unreachable(host, await line.complaint() ?? messageOf(error), error);
    } finally {
      signal?.removeEventListener("abort", abort);
      line.close();
      await line.closed;
    }
  }

  async #connect(host: string): Promise<Line> {
    const path = await usableSocket(host);
    if (path === undefined) return dialThroughDocker(this.#options.variables);
    try {
      return socketLine(await Deno.connect({ transport: "unix", path }));
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        return dialThroughDocker(this.#options.variables);
      }
      throw await this.#unreachable(host, messageOf(error), error);
    }
  }

  async #unreachable(host: string, reason: string, cause: unknown): Promise<PikoError> {
    if (cause instanceof Deno.errors.PermissionDenied || /permission denied/i.test(reason)) {
      return new PikoError(`You have no permission to use the Docker engine at ${host}`, {
        code: "unavailable",
        hint:
          'add yourself to the docker group: sudo usermod -aG docker "$USER", then log in again',
        cause,
      });
    }
    if (!await isOnPath("docker", this.#options.variables)) {
      return notInstalled(cause);
    }
    const notRunning = cause instanceof ConnectionLost || cause instanceof Deno.errors.NotFound ||
      cause instanceof Deno.errors.ConnectionRefused ||
      /no such file|connection refused|cannot connect/i.test(reason);
    return new PikoError(`Cannot reach the Docker engine at ${host}`, {
      code: "unavailable",
      hint: notRunning && host === `unix://${DEFAULT_SOCKET}` ? startHint() : "docker info",
      details: [reason],
      cause,
    });
  }
}

/** What of all that happens changes what is shown; the rest is mostly the noise of health checks. */
const EVENTS = [
  "create",
  "start",
  "die",
  "stop",
  "oom",
  "pause",
  "unpause",
  "destroy",
  "health_status",
];

function startHint(): string {
  return Deno.build.os === "darwin" ? "open -a Docker" : "sudo systemctl start docker";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
