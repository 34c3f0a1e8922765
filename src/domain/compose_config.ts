/**
 * The parts of `docker compose config --format json` that piko reads. Compose has normalised them: short
 * forms are long forms, paths are absolute, lists that may be maps are maps. Whatever else stands there is
 * none of piko's business and stays as it is.
 */

/** A compose project as compose itself understands the user's files. */
export interface ComposeConfig {
  name: string;
  services?: Record<string, ComposeService>;
  networks?: Record<string, ComposeNetwork | null>;
  volumes?: Record<string, ComposeVolume | null>;
}

/** One service. */
export interface ComposeService {
  image?: string;
  build?: { context?: string; tags?: string[] | null } | null;
  container_name?: string;
  ports?: ComposePort[] | null;
  /** Absent when the service has a `network_mode`. */
  networks?: Record<string, ComposeServiceNetwork | null> | null;
  /** `host`, `none`, `bridge`, `service:<service>` or `container:<container name>`. */
  network_mode?: string;
  pid?: string;
  ipc?: string;
  volumes?: ComposeMount[] | null;
  scale?: number | string;
  deploy?: { replicas?: number | string } | null;
  profiles?: string[] | null;
  depends_on?: Record<string, { condition?: string; required?: boolean } | null> | null;
  /** `service` or `service:alias`. */
  links?: string[] | null;
  /** `service`, `service:ro` or `container:name`. */
  volumes_from?: string[] | null;
}

/** One published port of a service; a range of container ports has become one entry each. */
export interface ComposePort {
  target: number;
  /** A host port or a range such as `8080-8082`; absent when the engine is to choose one. */
  published?: string | number;
  /** `tcp`, `udp` or `sctp`. */
  protocol?: string;
  host_ip?: string;
  mode?: string;
  name?: string;
  app_protocol?: string;
}

/** How a service takes part in one network. */
export interface ComposeServiceNetwork {
  aliases?: string[] | null;
  ipv4_address?: string;
  ipv6_address?: string;
  link_local_ips?: string[] | null;
  priority?: number;
  [other: string]: unknown;
}

/** One mount of a service. */
export interface ComposeMount {
  /** `bind`, `volume`, `tmpfs`, … */
  type: string;
  source?: string;
  target?: string;
  read_only?: boolean;
  bind?: { create_host_path?: boolean } | null;
}

/** One network of the project. */
export interface ComposeNetwork {
  name?: string;
  external?: boolean;
  enable_ipv6?: boolean;
  ipam?: { driver?: string; config?: { subnet?: string }[] | null } | null;
  driver_opts?: Record<string, string> | null;
}

/** One named volume of the project. */
export interface ComposeVolume {
  name?: string;
  external?: boolean;
  driver_opts?: Record<string, string> | null;
}

/** Lists the services with their names, in byte order: never dependent on the order in the file. */
export function listServices(config: ComposeConfig): [name: string, service: ComposeService][] {
  return Object.entries(config.services ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Tells how many containers a service has; compose's own default is one. */
export function replicasOf(service: ComposeService): number {
  const replicas = Number(service.deploy?.replicas ?? service.scale ?? 1);
  return Number.isInteger(replicas) && replicas > 1 ? replicas : 1;
}

/** Tells the protocol of a port, when it is one that piko gives out. */
export function protocolOf(port: ComposePort): "tcp" | "udp" | undefined {
  const protocol = port.protocol ?? "tcp";
  return protocol === "tcp" || protocol === "udp" ? protocol : undefined;
}
