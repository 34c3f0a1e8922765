/**
 * What it means to share some services of a compose project: what they need of the others, which part of the project is
 * left, and on which networks, under which names, those that are left expect them.
 */

import { type ComposeConfig, type ComposeService, listServices } from "./compose_config.ts";
import { variablePart } from "./names.ts";

/** Something that a service needs of another one. */
export interface Need {
  service: string;
  needs: string;
}

/** A place that a shared service has on a network of an environment. */
export interface SharedPlace {
  service: string;
  /** The network's name in the engine. */
  network: string;
  /** The names by which others reach the service there. */
  aliases: string[];
}

/** Lists what services cannot be without and is not among them. */
export function missingNeeds(config: ComposeConfig, services: readonly string[]): Need[] {
  const missing: Need[] = [];
  for (const [name, service] of listServices(config)) {
    if (!services.includes(name)) continue;
    for (const needs of new Set(needsOf(service, config))) {
      if (!services.includes(needs)) missing.push({ service: name, needs });
    }
  }
  return missing;
}

/** Tells whether services depend on others of the project that have to run; what has to be done once counts for none. */
export function dependOnOthers(config: ComposeConfig, services: readonly string[]): boolean {
  return listServices(config).some(([name, service]) =>
    services.includes(name) &&
    Object.entries(service.depends_on ?? {}).some(([needs, dependency]) =>
      dependency?.condition !== "service_completed_successfully" &&
      !services.includes(needs) && Object.hasOwn(config.services ?? {}, needs)
    )
  );
}

/** Leaves services out of a project, and the networks and volumes that only they use. */
export function withoutServices(
  config: ComposeConfig,
  leftOut: readonly string[],
): ComposeConfig {
  if (leftOut.length === 0) return config;
  const services = listServices(config).filter(([name]) => !leftOut.includes(name));
  const networks = new Set(services.flatMap(([, service]) => networksOf(service, config, leftOut)));
  const volumes = new Set(
    services.flatMap(([, service]) =>
      (service.volumes ?? []).flatMap(({ type, source }) =>
        type === "volume" && source !== undefined ? [source] : []
      )
    ),
  );
  // Whoever loses the container whose network it was in joins the default one.
  const ofProject = { default: null, ...config.networks };
  return {
    name: config.name,
    services: Object.fromEntries(services),
    networks: only(ofProject, networks),
    volumes: only(config.volumes ?? {}, volumes),
  };
}

/** Tells on which networks of an environment, and by which names, shared services are to be reached. */
export function sharedPlaces(
  config: ComposeConfig,
  shared: readonly string[],
  composeProject: string,
): SharedPlace[] {
  const left = withoutServices(config, shared);
  const places: SharedPlace[] = [];
  for (const [name, service] of listServices(config)) {
    if (!shared.includes(name) || service.network_mode !== undefined) continue;
    for (const [key, membership] of Object.entries(service.networks ?? { default: null })) {
      // On an external network the shared service is already, by itself.
      if (config.networks?.[key]?.external === true) continue;
      if (left.networks === undefined || !Object.hasOwn(left.networks, key)) continue;
      const aliases = [
        name,
        ...(service.container_name === undefined ? [] : [service.container_name]),
        ...membership?.aliases ?? [],
        ...linkAliases(left, name),
      ];
      places.push({
        service: name,
        network: networkName(key, composeProject),
        aliases: [...new Set(aliases)],
      });
    }
  }
  return places.sort((a, b) => compare(a.service, b.service) || compare(a.network, b.network));
}

/** Tells what piko calls a network of a compose project. */
export function networkName(key: string, composeProject: string): string {
  return key === "default" ? composeProject : `${composeProject}_${key}`;
}

/**
 * Makes the `PIKO_…_PORT` variables of services as if they were started by hand, without piko: a compose file may demand
 * them of every service, whichever part of it is started.
 */
export function portsByHand(
  config: ComposeConfig,
  services: readonly string[],
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, service] of listServices(config)) {
    if (!services.includes(name)) continue;
    for (const { target, published } of service.ports ?? []) {
      const port = String(published ?? target).split("-", 1)[0] ?? "";
      const short = `PIKO_${variablePart(name)}_PORT`;
      variables[short] ??= port;
      variables[`${short}_${target}`] ??= port;
    }
  }
  return variables;
}

/** Tells which service a mode such as `service:db`, or `container:` with the name of one, means. */
export function serviceOfMode(mode: string | undefined, config: ComposeConfig): string | undefined {
  if (mode?.startsWith("service:")) return mode.slice("service:".length);
  if (!mode?.startsWith("container:")) return undefined;
  const container = mode.slice("container:".length);
  return listServices(config).find(([, { container_name }]) => container_name === container)?.[0];
}

/** Tells which service an entry of `links` or `volumes_from` means, such as `db:database` and `db:ro`. */
export function serviceOfEntry(entry: string): string | undefined {
  const [service, rest] = entry.split(":", 2);
  return service === "container" && rest !== undefined ? undefined : service;
}

function needsOf(service: ComposeService, config: ComposeConfig): string[] {
  const dependsOn = Object.entries(service.depends_on ?? {})
    .filter(([, condition]) => condition?.required !== false);
  return [
    ...dependsOn.map(([name]) => name),
    ...[...service.links ?? [], ...service.volumes_from ?? []].map(serviceOfEntry),
    ...[service.network_mode, service.pid, service.ipc].map((mode) => serviceOfMode(mode, config)),
  ].filter((name) => name !== undefined);
}

function networksOf(
  service: ComposeService,
  config: ComposeConfig,
  leftOut: readonly string[],
): string[] {
  const { network_mode: mode } = service;
  if (mode === undefined) return Object.keys(service.networks ?? { default: null });
  return leftOut.includes(serviceOfMode(mode, config) ?? "") ? ["default"] : [];
}

/** Lists the names that others have given a service in their `links`. */
function linkAliases(config: ComposeConfig, service: string): string[] {
  return listServices(config).flatMap(([, { links }]) => links ?? [])
    .filter((link) => serviceOfEntry(link) === service)
    .flatMap((link) => link.split(":", 2)[1] ?? []);
}

function only<T>(map: Record<string, T>, keys: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => keys.has(key)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
