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

/** Tells whether a container port speaks HTTP by convention. */
export function speaksHttp(port: { containerPort: number; protocol: "tcp" | "udp" }): boolean {
  return port.protocol === "tcp" &&
    (HTTP_PORTS.has(port.containerPort) || HTTPS_PORTS.has(port.containerPort));
}

/** Makes a port's address: a URL where it speaks HTTP by convention, else `localhost:10132`. */
export function portUrl(
  port: { containerPort: number; hostPort: number; protocol: "tcp" | "udp"; hostIp: string | null },
): string {
  const host = hostOf(port.hostIp);
  if (!speaksHttp(port)) return `${host}:${port.hostPort}`;
  return `${HTTPS_PORTS.has(port.containerPort) ? "https" : "http"}://${host}:${port.hostPort}`;
}

function hostOf(hostIp: string | null): string {
  if (hostIp === null || ["0.0.0.0", "::", "127.0.0.1", "::1", ""].includes(hostIp)) {
    return "localhost";
  }
  return hostIp.includes(":") ? `[${hostIp}]` : hostIp;
}
