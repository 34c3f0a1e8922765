/** What the engine answers, and how it is read. */

import type {
  Container,
  ContainerHealth,
  ContainerPort,
  ContainerState,
} from "../../domain/containers.ts";
import { PikoError } from "../../domain/errors.ts";

/** What the names of compose's labels begin with. */
export const LABEL = "com.docker.compose.";

/** What only a closer look at a container tells. */
export interface ContainerDetails {
  id: string;
  running: boolean;
  /** How often its restart policy has started it again since it was last started by hand. */
  restartCount: number;
  /** "no", "always", "unless-stopped" or "on-failure". */
  restartPolicy: string;
  exitCode: number;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
  tty: boolean;
  /** What the last health check printed; null where there is none. */
  healthOutput: string | null;
  /** The names that lead to it on each network, by the network's name. */
  aliases: Record<string, string[]>;
}

/** Something that happened to a container. */
export interface ContainerEvent {
  /** The engine's word: "start", "die", "health_status: healthy". */
  action: string;
  /** The container's name. */
  container: string;
  composeProject: string;
}

/** A volume or a network of a compose project. */
export interface LabelledResource {
  name: string;
  labels: Record<string, string>;
  /** When it was made by the engine's clock, in milliseconds since 1970; a volume's time is one of whole seconds. */
  createdAt: number;
}

/** A network of the engine. */
export interface Network extends LabelledResource {
  id: string;
  /** "bridge" for those that take a subnet of the engine's pools. */
  driver: string;
}

/** Reads an answer as JSON. */
export function decodeJson<T>(bytes: Uint8Array<ArrayBuffer>): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

/** What `GET /containers/json` tells of a container. */
export interface ListedContainer {
  Id: string;
  /** Seconds since 1970. */
  Created: number;
  Names: string[];
  Image: string;
  State: string;
  Status: string;
  Labels: Record<string, string> | null;
  Ports: { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[] | null;
  NetworkSettings: { Networks: Record<string, { NetworkID?: string } | null> | null } | null;
  HostConfig?: { NetworkMode?: string } | null;
  Mounts?: { Type: string; Name?: string }[] | null;
}

/** What `GET /containers/ID/json` tells of a container. */
export interface InspectedContainer {
  Id: string;
  RestartCount: number;
  State: {
    Running: boolean;
    OOMKilled: boolean;
    ExitCode: number;
    StartedAt: string;
    FinishedAt: string;
    Health?: { Log: { Output: string }[] | null } | null;
  };
  HostConfig: { RestartPolicy: { Name: string } };
  Config: { Tty: boolean };
  NetworkSettings?: { Networks: Record<string, { Aliases?: string[] | null } | null> | null };
}

/** What the engine's lists tell of a volume or a network. */
export interface ListedResource {
  Name: string;
  Labels: Record<string, string> | null;
  /** Of a network. */
  Created?: string;
  /** Of a volume; some drivers do not tell. */
  CreatedAt?: string;
}

interface ToldEvent {
  Action: string;
  Actor: { Attributes: Record<string, string> | null };
}

/** Reads the engine's events, a line of JSON each. */
export async function* readEvents(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ContainerEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() === "") continue;
      const { Action, Actor } = JSON.parse(line) as ToldEvent;
      const { name = "", [`${LABEL}project`]: composeProject = "" } = Actor.Attributes ?? {};
      yield { action: Action, container: name, composeProject };
    }
  }
}

/** Reads one container of the engine's list. */
export function parseContainer(listed: ListedContainer): Container {
  const labels = listed.Labels ?? {};
  const networks = Object.entries(listed.NetworkSettings?.Networks ?? {});
  return {
    id: listed.Id,
    name: (listed.Names[0] ?? listed.Id).replace(/^\//, ""),
    composeProject: labels[`${LABEL}project`] ?? "",
    service: labels[`${LABEL}service`] ?? "",
    number: Number(labels[`${LABEL}container-number`] ?? 1),
    state: listed.State as ContainerState,
    ...parseStatus(listed.Status),
    status: listed.Status,
    image: listed.Image,
    ports: (listed.Ports ?? []).map((port) => ({
      containerPort: port.PrivatePort,
      hostPort: port.PublicPort ?? null,
      protocol: port.Type as ContainerPort["protocol"],
      hostIp: port.IP ?? null,
    })),
    networks: networks.map(([name]) => name),
    networkIds: Object.fromEntries(
      networks.map(([name, endpoint]) => [name, endpoint?.NetworkID || null]),
    ),
    networkMode: listed.HostConfig?.NetworkMode ?? "",
    volumes: (listed.Mounts ?? []).flatMap(({ Type, Name }) =>
      Type === "volume" && Name ? [Name] : []
    ),
    workingDir: labels[`${LABEL}project.working_dir`] ?? null,
    configFiles: labels[`${LABEL}project.config_files`]?.split(",") ?? [],
    labels,
  };
}

/**
 * Reads the engine's sentence about a container, the only place where its list tells health, exit code and
 * running time: "Up Less than a second", "Up 3 minutes (unhealthy)", "Exited (137) 2 hours ago".
 */
export function parseStatus(
  status: string,
): { health: ContainerHealth; exitCode: number | null; runningSeconds: number | null } {
  const exit = /^(?:Exited|Restarting) \((\d+)\)/.exec(status);
  const health = /\((?:health: )?(healthy|unhealthy|starting)\)/.exec(status);
  return {
    health: (health?.[1] ?? null) as ContainerHealth,
    exitCode: exit === null ? null : Number(exit[1]),
    runningSeconds: status.startsWith("Up ") ? parseUptime(status.slice("Up ".length)) : null,
  };
}

function parseUptime(text: string): number {
  if (text.startsWith("Less than a second")) return 0;
  const seconds = /^(\d+) seconds?\b/.exec(text);
  return seconds === null ? 60 : Number(seconds[1]);
}

/** Reads what the engine tells of one container alone. */
export function parseDetails(inspected: InspectedContainer): ContainerDetails {
  const { State: state } = inspected;
  return {
    id: inspected.Id,
    running: state.Running,
    restartCount: inspected.RestartCount,
    restartPolicy: inspected.HostConfig.RestartPolicy.Name || "no",
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    startedAt: state.StartedAt,
    finishedAt: state.FinishedAt,
    tty: inspected.Config.Tty,
    healthOutput: state.Health?.Log?.at(-1)?.Output.trim() ?? null,
    aliases: Object.fromEntries(
      Object.entries(inspected.NetworkSettings?.Networks ?? {})
        .map(([network, endpoint]) => [network, endpoint?.Aliases ?? []]),
    ),
  };
}

/** Reads one volume or network of the engine's lists; a time that it does not tell is NaN. */
export function parseResource(listed: ListedResource): LabelledResource {
  const createdAt = Date.parse(listed.Created ?? listed.CreatedAt ?? "");
  return { name: listed.Name, labels: listed.Labels ?? {}, createdAt };
}

/**
 * Reads the log of a container without a terminal: frames of one byte for the stream, three zeros, and the
 * length in four bytes (https://docs.docker.com/reference/api/engine/, "Stream format"). A line may be spread
 * over several frames of its stream.
 */
export function parseLog(bytes: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const streams = new Map<number, { decoder: TextDecoder; rest: string }>();
  const lines: string[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const id = bytes[at] ?? 0;
    const end = at + 8 + view.getUint32(at + 4);
    const stream = streams.get(id) ?? {
      decoder: new TextDecoder("utf-8", { ignoreBOM: true }),
      rest: "",
    };
    streams.set(id, stream);
    const text = stream.rest + stream.decoder.decode(bytes.subarray(at + 8, end), { stream: true });
    const newline = text.lastIndexOf("\n") + 1;
    lines.push(...splitLines(text.slice(0, newline)));
    stream.rest = text.slice(newline);
    at = end;
  }
  for (const { rest } of streams.values()) if (rest !== "") lines.push(rest);
  return lines;
}

/** Takes text apart at its line ends. */
export function splitLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Addresses from which the engine takes those of networks. */
export interface AddressPool {
  /** Such as `10.0.0.0/8`. */
  Base: string;
  /** The bits of one network. */
  Size: number;
}

/** Counts how many networks fit into pools of addresses; those for IPv6 alone limit nothing. */
export function networkRoom(pools: readonly AddressPool[]): number {
  const ipv4 = pools.filter(({ Base }) => Base.includes("."));
  if (ipv4.length === 0) return USUAL_NETWORK_ROOM;
  return ipv4.reduce((sum, { Base, Size }) => sum + 2 ** (Size - Number(Base.split("/")[1])), 0);
}

/**
 * The networks that fit where nobody has configured pools: 172.17.0.0/16 to 172.31.0.0/16, and 192.168.0.0/16 in parts of
 * /20 (moby, libnetwork/ipamutils).
 */
const USUAL_NETWORK_ROOM = 31;

/** Makes an error of an answer that refuses what was asked. */
export function refusal(status: number, bytes: Uint8Array<ArrayBuffer>): PikoError {
  const code = status === 404 ? "not-found" : status === 409 ? "conflict" : "failed";
  return new PikoError(`The Docker engine answered ${status}: ${reasonOf(bytes)}`, { code });
}

function reasonOf(bytes: Uint8Array<ArrayBuffer>): string {
  const text = new TextDecoder().decode(bytes).trim();
  try {
    return (JSON.parse(text) as { message: string }).message;
  } catch {
    // A proxy in between answers in its own words.
    return text;
  }
}
