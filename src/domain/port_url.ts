/** Where a person or a program reaches a port of an environment. */

/** Container ports that speak HTTP by convention. */
const HTTP_PORTS: ReadonlySet<number> = new Set([
  80,
  591,
  1313,
  2368,
  3000,
  3001,
  3030,
  4000,
  4173,
  4200,
  4321,
  5000,
  5173,
  5174,
  5601,
  6006,
  7080,
  8000,
  8008,
  8025,
  8080,
  8081,
  8082,
  8083,
  8088,
  8090,
  8161,
  8888,
  9000,
  9001,
  9080,
  9090,
  9200,
  15672,
  16686,
]);

/** Container ports that speak HTTP over TLS by convention. */
const HTTPS_PORTS: ReadonlySet<number> = new Set([443, 8443, 9443]);

/** What container ports speak by convention that is not HTTP, as the scheme of what a client is given. */
const OTHER_SCHEMES: ReadonlyMap<number, string> = new Map([
  [21, "ftp"],
  [22, "ssh"],
  [25, "smtp"],
  [389, "ldap"],
  [1025, "smtp"],
  [1433, "sqlserver"],
  [1883, "mqtt"],
  [3306, "mysql"],
  [4222, "nats"],
  [5432, "postgres"],
  [5433, "postgres"],
  [5672, "amqp"],
  [6379, "redis"],
  [6380, "redis"],
  [7687, "bolt"],
  [26257, "postgres"],
  [27017, "mongodb"],
]);

/** Tells whether a container port speaks HTTP by convention. */
export function speaksHttp(port: { containerPort: number; protocol: "tcp" | "udp" }): boolean {
  return port.protocol === "tcp" &&
    (HTTP_PORTS.has(port.containerPort) || HTTPS_PORTS.has(port.containerPort));
}

/** Tells whether a container port speaks something else by convention, so that no browser has anything to show of it. */
export function speaksOther(port: { containerPort: number; protocol: "tcp" | "udp" }): boolean {
  return port.protocol === "tcp" && OTHER_SCHEMES.has(port.containerPort);
}

/** Makes a port's address: a URL by the convention of the container port, `localhost:10142` where there is none. */
export function portUrl(
  port: { containerPort: number; hostPort: number; protocol: "tcp" | "udp"; hostIp: string | null },
): string {
  const address = `${hostOf(port.hostIp)}:${port.hostPort}`;
  const scheme = schemeOf(port);
  return scheme === undefined ? address : `${scheme}://${address}`;
}

function schemeOf(
  { containerPort, protocol }: { containerPort: number; protocol: "tcp" | "udp" },
): string | undefined {
  if (protocol === "udp") return undefined;
  if (HTTPS_PORTS.has(containerPort)) return "https";
  return HTTP_PORTS.has(containerPort) ? "http" : OTHER_SCHEMES.get(containerPort);
}

function hostOf(hostIp: string | null): string {
  if (hostIp === null || ["0.0.0.0", "::", "127.0.0.1", "::1", ""].includes(hostIp)) {
    return "localhost";
  }
  return hostIp.includes(":") ? `[${hostIp}]` : hostIp;
}
