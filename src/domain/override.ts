/**
 * The override file: what piko layers over the user's compose file so that two environments of it share
 * nothing. It says only what changes. A fully resolved file would be simpler to make, and would copy every
 * value of `.env` into the worktree in plain text.
 *
 * It is JSON with YAML tags, and needs compose 2.24.4 or newer: without `!override` compose appends `ports`
 * to those of the base file and binds both.
 */

import {
  type ComposeConfig,
  type ComposeMount,
  type ComposeNetwork,
  type ComposePort,
  type ComposeService,
  type ComposeServiceNetwork,
  listServices,
  protocolOf,
  replicasOf,
} from "./compose_config.ts";
import { OVERRIDE_START } from "./override_file.ts";
import type { GivenPort } from "./ports.ts";
import { networkName, serviceOfEntry, serviceOfMode, withoutServices } from "./shared.ts";

/** The override file and what a person should know about what it cannot isolate. */
export interface Override {
  text: string;
  /** Sentences with capital letter and without full stop, each naming the service, network or volume. */
  warnings: string[];
}

/** What {@link composeOverride} needs to know of the environment. */
export interface OverrideOptions {
  composeProject: string;
  /** The host ports given to what {@link wantedPorts} asked for. */
  ports: readonly GivenPort[];
  /** The root of the project, absolute. */
  root: string;
  /** The worktree of the environment, absolute. */
  worktreePath: string;
  /**
   * Labels for every container and network. Volumes get none: newer versions of compose want to recreate a
   * volume whose labels changed.
   */
  labels?: Record<string, string> | undefined;
  /** Sources of bind mounts that do not exist, as {@link bindSources} lists them. */
  missing?: ReadonlySet<string> | undefined;
  /** Services that the compose project does without. */
  leftOut?: readonly string[] | undefined;
  /** The compose project that has them instead, and builds their images. */
  sharedComposeProject?: string | undefined;
}

/** Makes the override file of an environment from the compose project that the user's files describe. */
export function composeOverride(config: ComposeConfig, options: OverrideOptions): Override {
  const warnings: string[] = [];
  const left = withoutServices(config, options.leftOut ?? []);
  const services = overrideServices(config, left, options, warnings);
  for (const [name] of listServices(config)) {
    if (options.leftOut?.includes(name)) services[name] = RESET;
  }
  const file = {
    services,
    networks: overrideNetworks(left, options, warnings),
    volumes: overrideVolumes(left, options, warnings),
  };
  const text =
    `${OVERRIDE_START}for ${options.composeProject}; piko writes it anew, so edits are lost.\n` +
    `${serialise(withoutEmpty(file))}\n`;
  return { text, warnings };
}

/** Lists the bind mounts' sources that Docker would create when they are missing: as folders, owned by root. */
export function bindSources(config: ComposeConfig): string[] {
  const sources = listServices(config).flatMap(([, service]) => service.volumes ?? [])
    .filter((mount) => mount.type === "bind" && createsSource(mount))
    .flatMap((mount) => mount.source === undefined ? [] : [mount.source]);
  return [...new Set(sources)].sort();
}

function overrideServices(
  config: ComposeConfig,
  left: ComposeConfig,
  options: OverrideOptions,
  warnings: string[],
): YamlMap {
  const images = ownImages(config, options);
  const containers = new Map(
    listServices(config).flatMap(([name, { container_name }]) =>
      container_name === undefined ? [] : [[container_name, name] as const]
    ),
  );
  const services: YamlMap = {};
  for (const [name, service] of listServices(left)) {
    warnings.push(...warnOfService(name, service, config), ...warnOfMounts(name, service, options));
    const fixedName = service.container_name;
    const changes = withoutEmpty({
      ...images.get(name),
      // `build.tags` are names beside `image`, and each build would take them from the last one's.
      build: service.build?.tags?.length ? { tags: RESET } : undefined,
      container_name: fixedName === undefined ? undefined : RESET,
      ports: overridePorts(name, service, options.ports),
      networks: overrideServiceNetworks(
        service,
        config,
        fixedName === name ? undefined : fixedName,
      ),
      network_mode: followContainer(service.network_mode, containers),
      pid: followContainer(service.pid, containers),
      ipc: followContainer(service.ipc, containers),
      ...overrideNeeds(name, service, config, options.leftOut ?? [], warnings),
      labels: options.labels,
    });
    if (!isEmpty(changes)) services[name] = changes;
  }
  return services;
}

/** Takes away what a service would need of one that is left out; its network is reached by name instead. */
function overrideNeeds(
  name: string,
  service: ComposeService,
  config: ComposeConfig,
  leftOut: readonly string[],
  warnings: string[],
): YamlMap {
  if (leftOut.length === 0) return {};
  const isLeftOut = (needed: string | undefined) =>
    needed !== undefined && leftOut.includes(needed);
  const needs = Object.keys(service.depends_on ?? {}).filter(isLeftOut);
  const mode = (key: "network_mode" | "pid" | "ipc") => {
    const needed = serviceOfMode(service[key], config);
    if (!isLeftOut(needed)) return undefined;
    warnings.push(
      `Service "${name}" has ${key}: ${service[key]}, which is shared: it gets its own instead` +
        (key === "network_mode" ? `, and reaches ${needed} by that name` : ""),
    );
    return RESET;
  };
  const entries = (key: "links" | "volumes_from") => {
    const before = service[key] ?? [];
    const after = before.filter((entry) => !isLeftOut(serviceOfEntry(entry)));
    if (after.length === before.length) return undefined;
    if (key === "volumes_from") {
      warnings.push(`Service "${name}" takes volumes from a service that is shared: it gets none`);
    }
    return after.length === 0 ? RESET : new Tagged("!override", after);
  };
  return withoutUndefined({
    depends_on: needs.length === 0
      ? undefined
      : Object.fromEntries(needs.map((needed) => [needed, RESET])),
    links: entries("links"),
    volumes_from: entries("volumes_from"),
    network_mode: mode("network_mode"),
    pid: mode("pid"),
    ipc: mode("ipc"),
  });
}

function overridePorts(
  name: string,
  service: ComposeService,
  given: readonly GivenPort[],
): Tagged | undefined {
  if (!service.ports?.length || service.network_mode === "host") return undefined;
  const replicas = replicasOf(service);
  const rest = given.filter((port) => port.service === name)
    .sort((a, b) => a.hostPort - b.hostPort);
  const ports = service.ports.map((port) => {
    const entry: YamlMap = { ...longForm(port) };
    if (protocolOf(port) === undefined) return entry;
    const own = rest.filter((candidate) => isFor(candidate, port)).slice(0, replicas);
    const [first, last] = [own[0]?.hostPort, own.at(-1)?.hostPort];
    if (first === undefined || last === undefined || own.length < replicas) {
      throw new TypeError(`no host port was given to ${name}:${port.target}`);
    }
    for (const port of own) rest.splice(rest.indexOf(port), 1);
    entry.published = first === last ? `${first}` : `${first}-${last}`;
    return entry;
  });
  return new Tagged("!override", ports);
}

function isFor(given: GivenPort, port: ComposePort): boolean {
  return given.containerPort === Number(port.target) && given.protocol === protocolOf(port) &&
    (given.hostIp ?? "") === (port.host_ip ?? "");
}

function longForm({ target, protocol, host_ip, mode, name, app_protocol }: ComposePort): YamlMap {
  return withoutEmpty({
    target: Number(target),
    protocol: protocol ?? "tcp",
    host_ip: host_ip === "" ? undefined : host_ip,
    mode: mode === "ingress" ? undefined : mode,
    name,
    app_protocol,
  });
}

/** The old container name stays reachable as an alias; fixed addresses go, and everything beside them stays. */
function overrideServiceNetworks(
  service: ComposeService,
  config: ComposeConfig,
  alias: string | undefined,
): YamlMap | undefined {
  if (service.network_mode !== undefined) return undefined;
  const networks: YamlMap = {};
  for (const [key, membership] of sortedEntries(service.networks ?? { default: null })) {
    const added = alias === undefined ? [] : [alias];
    const isOwn = config.networks?.[key]?.external !== true;
    if (isOwn && (membership?.ipv4_address ?? membership?.ipv6_address) !== undefined) {
      networks[key] = new Tagged("!override", withoutAddresses(membership, added));
    } else if (added.length > 0) networks[key] = { aliases: added };
  }
  return networks;
}

function withoutAddresses(membership: ComposeServiceNetwork | null, aliases: string[]): YamlMap {
  const { ipv4_address: _4, ipv6_address: _6, aliases: own, ...rest } = membership ?? {};
  return withoutEmpty({ ...rest as YamlMap, aliases: [...own ?? [], ...aliases] });
}

/** `container:<name>` of a service whose fixed name is gone means the service. */
function followContainer(
  mode: string | undefined,
  services: ReadonlyMap<string, string>,
): string | undefined {
  const container = mode?.startsWith("container:") ? mode.slice("container:".length) : undefined;
  const service = container === undefined ? undefined : services.get(container);
  return service === undefined ? undefined : `service:${service}`;
}

/**
 * Finds the images for those services that build one under a name of the user's choice, and for those that
 * start what another one builds. Without `image:` compose names it `<composeProject>-<service>`, and only
 * then does not ask a registry for it first; whoever starts the same image has to be kept from asking.
 */
function ownImages(
  config: ComposeConfig,
  { composeProject, leftOut = [], sharedComposeProject }: OverrideOptions,
): Map<string, { image: Yaml; pull_policy?: string }> {
  const images = new Map<string, { image: Yaml; pull_policy?: string }>();
  const builtBy = new Map<string, string>();
  for (const [name, { build, image }] of listServices(config)) {
    if (!build || image === undefined) continue;
    images.set(name, { image: RESET });
    if (!builtBy.has(withTag(image))) builtBy.set(withTag(image), name);
  }
  for (const [name, { build, image }] of listServices(config)) {
    const builder = build || image === undefined ? undefined : builtBy.get(withTag(image));
    if (builder === undefined) continue;
    const where = leftOut.includes(builder) ? sharedComposeProject : composeProject;
    // The shared services start what was built by hand where none of them builds it.
    if (where === undefined) continue;
    images.set(name, { image: `${where}-${builder}`, pull_policy: "never" });
  }
  return images;
}

function withTag(image: string): string {
  return /[:@][^/]*$/.test(image) ? image : `${image}:latest`;
}

function overrideNetworks(
  config: ComposeConfig,
  options: OverrideOptions,
  warnings: string[],
): YamlMap {
  const { composeProject, labels } = options;
  const networks: YamlMap = {};
  for (const [key, network] of sortedEntries(config.networks ?? {})) {
    if (network?.external) {
      if (isForSharing(options)) continue;
      warnings.push(
        `Network "${network.name ?? key}" is external, so every environment shares it, ` +
          "and a service name on it can reach another environment's container",
      );
      continue;
    }
    networks[key] = withoutEmpty({
      name: networkName(key, composeProject),
      ipam: overrideIpam(network, `${composeProject}_${key}`),
      driver_opts: network?.driver_opts?.[BRIDGE_NAME] === undefined
        ? undefined
        : { [BRIDGE_NAME]: RESET },
      labels,
    });
  }
  return networks;
}

/** The network interface of this machine that a bridge network is; two networks cannot be one. */
const BRIDGE_NAME = "com.docker.network.bridge.name";

/**
 * Leaves the choice of the subnet to the engine. For IPv6 older engines have no pool to choose from, so
 * that the network gets a subnet of its own out of the private range.
 */
function overrideIpam(network: ComposeNetwork | null, name: string): Tagged | undefined {
  if (!network?.ipam?.config?.length) return undefined;
  const isIpv6 = network.ipam.config.some(({ subnet }) => subnet?.includes(":"));
  if (!network.enable_ipv6 || !isIpv6) return RESET;
  return new Tagged("!override", { config: [{ subnet: privateSubnet(name) }] });
}

/** Makes an IPv6 subnet of a name: `fd` and 56 bits that stand for it, as RFC 4193 lays them out. */
function privateSubnet(name: string): string {
  // FNV-1a with 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  const digits = `fd${hash.toString(16).padStart(16, "0").slice(2)}`;
  return `${digits.match(/.{4}/g)?.join(":")}::/64`;
}

function overrideVolumes(
  config: ComposeConfig,
  options: OverrideOptions,
  warnings: string[],
): YamlMap {
  const { composeProject } = options;
  const volumes: YamlMap = {};
  for (const [key, volume] of sortedEntries(config.volumes ?? {})) {
    if (volume?.external) {
      if (isForSharing(options)) continue;
      warnings.push(
        `Volume "${volume.name ?? key}" is external, so every environment shares its data`,
      );
      continue;
    }
    const device = volume?.driver_opts?.device;
    if (device !== undefined && !isOwn(device, options) && !isForSharing(options)) {
      warnings.push(`Volume "${key}" lies at ${device}, so every environment shares its data`);
    }
    volumes[key] = { name: `${composeProject}_${key}` };
  }
  return volumes;
}

function warnOfService(name: string, service: ComposeService, config: ComposeConfig): string[] {
  const warnings: string[] = [];
  const networks = Object.keys(service.networks ?? {});
  const isHost = service.network_mode === "host" ||
    networks.some((key) => config.networks?.[key]?.name === "host");
  if (isHost) {
    warnings.push(
      `Service "${name}" uses the network of this machine, so its ports cannot be isolated ` +
        "and only one environment can listen on them",
    );
  }
  for (const port of service.ports ?? []) {
    if (protocolOf(port) !== undefined) continue;
    warnings.push(
      `Service "${name}" publishes ${port.target}/${port.protocol}: piko gives host ports to ` +
        "TCP and UDP alone, so Docker chooses this one",
    );
  }
  return warnings;
}

function warnOfMounts(name: string, service: ComposeService, options: OverrideOptions): string[] {
  const warnings: string[] = [];
  for (const mount of service.volumes ?? []) {
    const { type, source } = mount;
    if (type !== "bind" || source === undefined) continue;
    if (createsSource(mount) && options.missing?.has(source)) {
      warnings.push(
        `Service "${name}" mounts ${source}, which does not exist: ` +
          "Docker would make an empty folder there, owned by root",
      );
    } else if (!isForSharing(options) && !isOwn(source, options) && !isOfMachine(source)) {
      warnings.push(
        `Service "${name}" mounts ${source}, which is outside the worktree ` +
          "and shared by every environment",
      );
    }
  }
  return warnings;
}

/** Tells whether the compose project is that of the shared services, which are started from the root. */
function isForSharing({ root, worktreePath }: OverrideOptions): boolean {
  return worktreePath === root;
}

/** Tells whether Docker makes a missing source: the long form without `bind:` fails instead. */
function createsSource({ bind }: Pick<ComposeMount, "bind">): boolean {
  return bind !== undefined && bind?.create_host_path !== false;
}

/** Tells whether a path belongs to this environment alone: to its worktree or its data directory. */
function isOwn(
  path: string,
  { root, worktreePath }: Pick<OverrideOptions, "root" | "worktreePath">,
): boolean {
  const data = `${root}/.piko/data/${worktreePath.slice(worktreePath.lastIndexOf("/") + 1)}`;
  return [worktreePath, data].some((own) => path === own || path.startsWith(`${own}/`));
}

/** Tells whether a path is one of the machine's own, which nobody would want to have twice. */
function isOfMachine(path: string): boolean {
  return /^\/(dev|etc|lib|proc|run|sys|usr|var\/run|tmp\/\.X11-unix)(\/|$)/.test(path);
}

type Yaml = string | number | boolean | null | undefined | Yaml[] | YamlMap | Tagged;

interface YamlMap {
  [key: string]: Yaml;
}

/** A value with a YAML tag before it. */
class Tagged {
  readonly tag: "!override" | "!reset";
  readonly value: Yaml;

  constructor(tag: "!override" | "!reset", value: Yaml) {
    this.tag = tag;
    this.value = value;
  }
}

const RESET = new Tagged("!reset", null);

function withoutEmpty(map: YamlMap): YamlMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => !isEmpty(value)));
}

function withoutUndefined(map: YamlMap): YamlMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined));
}

function isEmpty(value: Yaml): boolean {
  if (value === undefined) return true;
  if (value === null || typeof value !== "object" || value instanceof Tagged) return false;
  return Object.keys(value).length === 0;
}

/** Writes flow style YAML with one entry a line for the first three levels, and the rest in one line. */
function serialise(value: Yaml, depth = 0): string {
  if (value instanceof Tagged) return `${value.tag} ${serialise(value.value, Infinity)}`;
  // Compose interpolates this file too.
  if (typeof value === "string") return JSON.stringify(value.replaceAll("$", "$$$$"));
  if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
  const entries = Array.isArray(value)
    ? value.map((item) => serialise(item, depth + 1))
    : sortedEntries(value).filter(([, item]) => item !== undefined)
      .map(([key, item]) => `${JSON.stringify(key)}: ${serialise(item, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return open + close;
  if (depth > 2) return `${open}${entries.join(", ")}${close}`;
  const indent = "  ".repeat(depth);
  return `${open}\n${entries.map((entry) => `${indent}  ${entry}`).join(",\n")}\n${indent}${close}`;
}

function sortedEntries<T>(map: Record<string, T>): [string, T][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
