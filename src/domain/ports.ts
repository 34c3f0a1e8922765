/**
 * Which host port a container port gets. Every slot owns a block of a hundred host ports; a container port
 * takes the one that ends like itself, so that 5432 of slot 3 is 10332 and can be guessed. What was given
 * once stays given.
 */

import { type ComposeConfig, listServices, protocolOf, replicasOf } from "./compose_config.ts";
import { PikoError } from "./errors.ts";
import { MAX_SLOT } from "./slots.ts";

/**
 * One host port that is asked for. A service that needs several for the same container port (replicas)
 * asks as many times; equal entries get neighbouring host ports, since compose takes them as a range `a-b`.
 */
export interface WantedPort {
  service: string;
  containerPort: number;
  protocol: "tcp" | "udp";
  /** The address of this machine to listen on; null for all of them. */
  hostIp: string | null;
}

/** A host port with what it was given to. */
export interface GivenPort extends WantedPort {
  hostPort: number;
  /** Whether it is one of a shared service, which several environments reach and none of them owns. */
  shared?: true;
}

/** What {@link assignHostPorts} answers. */
export interface Assignment {
  /** One entry for each wanted port, sorted by service and container port; a range ascends. */
  given: GivenPort[];
  /** Those whose own host port was already in use on this machine. */
  moved: { port: GivenPort; wantedHostPort: number }[];
}

const FIRST_PORT = 10000;
const BLOCK_SIZE = 100;

/** Tells the block of host ports that a slot owns, both ends included. */
export function portBlock(slot: number): { first: number; last: number } {
  if (!Number.isInteger(slot) || slot < 1 || slot > MAX_SLOT) {
    throw new RangeError(`slot ${slot} is not one of 1 to ${MAX_SLOT}`);
  }
  const first = FIRST_PORT + slot * BLOCK_SIZE;
  return { first, last: first + BLOCK_SIZE - 1 };
}

/** Tells the host port that a container port takes in a slot when nothing stands in the way. */
export function wantedHostPort(slot: number, containerPort: number): number {
  return portBlock(slot).first + containerPort % BLOCK_SIZE;
}

/**
 * Lists the host ports that a project needs: one for every published port, and for every port without a
 * host part too. A host range on a single container asks for one port only: the engine takes the next one
 * of a range at each start, and a port that changes at each start is none that piko could name.
 */
export function wantedPorts(config: ComposeConfig): WantedPort[] {
  const wanted: WantedPort[] = [];
  for (const [service, settings] of listServices(config)) {
    if (settings.network_mode === "host") continue;
    for (const port of settings.ports ?? []) {
      const protocol = protocolOf(port);
      if (protocol === undefined) continue;
      const hostIp = port.host_ip === undefined || port.host_ip === "" ? null : port.host_ip;
      for (let replica = 0; replica < replicasOf(settings); replica++) {
        wanted.push({ service, containerPort: Number(port.target), protocol, hostIp });
      }
    }
  }
  return wanted.sort(byOrder);
}

/**
 * Gives host ports of a slot's block. Recorded ports (`kept`) stay as they are, without being probed;
 * then everybody gets the host port that belongs to the container port; then those whose port is given or
 * taken, in order of service and container port, get the lowest free one. TCP and UDP are separate spaces.
 *
 * @throws {PikoError} conflict when the block has no room.
 */
export function assignHostPorts(
  slot: number,
  wanted: readonly WantedPort[],
  taken: (port: number, protocol: "tcp" | "udp") => boolean,
  kept: readonly GivenPort[] = [],
): Assignment {
  const { first, last } = portBlock(slot);
  const used = { tcp: new Set<number>(), udp: new Set<number>() };
  for (const port of kept) used[port.protocol].add(port.hostPort);

  const starts = new Map<Group, number>();
  const moves = new Set<Group>();
  const groups = groupPorts(wanted);
  const free = (group: Group, start: number, own: readonly number[] = []) =>
    ports(start, group.count).every((port) =>
      own.includes(port) ||
      (port >= first && port <= last && !used[group.protocol].has(port) &&
        !taken(port, group.protocol))
    );
  const give = (group: Group, start: number) => {
    starts.set(group, start);
    for (const port of ports(start, group.count)) used[group.protocol].add(port);
  };

  for (const [group, own] of matchKept(groups, kept)) {
    const lowest = own[0] ?? first;
    const highest = own.at(-1) ?? first;
    // A range that grew keeps its ports and takes neighbours, above rather than below.
    const candidates = own.length >= group.count
      ? [lowest]
      : ports(highest - group.count + 1, group.count - own.length + 1).reverse();
    const start = candidates.find((candidate) => free(group, candidate, own));
    if (start !== undefined) give(group, start);
  }
  for (const group of groups) {
    if (starts.has(group)) continue;
    const start = wantedHostPort(slot, group.containerPort);
    const range = ports(start, group.count);
    if (free(group, start)) give(group, start);
    else if (range.every((port) => port <= last && !used[group.protocol].has(port))) {
      moves.add(group);
    }
  }
  for (const group of groups) {
    if (starts.has(group)) continue;
    const start = ports(first, BLOCK_SIZE).find((candidate) => free(group, candidate));
    if (start === undefined) throw noRoom(group, first, last);
    give(group, start);
  }

  const assignment: Assignment = { given: [], moved: [] };
  for (const group of groups) {
    const wantedStart = wantedHostPort(slot, group.containerPort);
    const { count, ...port } = group;
    for (const [index, hostPort] of ports(starts.get(group) ?? first, count).entries()) {
      const given = { ...port, hostPort };
      assignment.given.push(given);
      if (moves.has(group)) {
        assignment.moved.push({ port: given, wantedHostPort: wantedStart + index });
      }
    }
  }
  return assignment;
}

/** Equal wanted ports, which get `count` neighbouring host ports. */
interface Group extends WantedPort {
  count: number;
}

function groupPorts(wanted: readonly WantedPort[]): Group[] {
  const groups: Group[] = [];
  for (const { service, containerPort, protocol, hostIp } of [...wanted].sort(byOrder)) {
    const previous = groups.at(-1);
    const port = { service, containerPort, protocol, hostIp };
    if (previous !== undefined && byOrder(previous, port) === 0) previous.count++;
    else groups.push({ ...port, count: 1 });
  }
  return groups;
}

/** Finds the recorded host ports of each group; a changed `host_ip` alone does not lose them. */
function matchKept(groups: Group[], kept: readonly GivenPort[]): Map<Group, number[]> {
  const recorded = groupPorts(kept).map((group) => ({
    ...group,
    hostPorts: kept.filter((port) => byOrder(port, group) === 0).map((port) => port.hostPort)
      .sort((a, b) => a - b),
  }));
  const matches = new Map<Group, number[]>();
  for (const sameAddress of [true, false]) {
    for (const group of groups) {
      if (matches.has(group)) continue;
      const found = recorded.findIndex((record) =>
        byOrder({ ...record, hostIp: group.hostIp }, group) === 0 &&
        (!sameAddress || record.hostIp === group.hostIp)
      );
      const [record] = found === -1 ? [] : recorded.splice(found, 1);
      if (record !== undefined) matches.set(group, record.hostPorts);
    }
  }
  return matches;
}

function byOrder(a: WantedPort, b: WantedPort): number {
  return compare(a.service, b.service) || a.containerPort - b.containerPort ||
    compare(a.protocol, b.protocol) || compare(a.hostIp ?? "", b.hostIp ?? "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function ports(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start + index);
}

function noRoom(group: Group, first: number, last: number): PikoError {
  const what = group.count === 1 ? "No host port is" : `No ${group.count} host ports in a row are`;
  const port = `${group.service}:${group.containerPort}/${group.protocol}`;
  return new PikoError(`${what} free between ${first} and ${last} for ${port}`, {
    code: "conflict",
    hint: "Stop the programs that listen there, or publish fewer ports in the compose file",
  });
}
