/** How a port of an environment is reached by whoever reads the page: by a link, or by what a client is given. */

import type { Port } from "../src/domain/environment.ts";

/** Schemes of connection strings by what people call services whose ports tell nothing; the first that matches counts. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/postgres|(^|[-_.])pg($|[-_.\d])|timescale|cockroach/, "postgres"],
  [/mysql|mariadb/, "mysql"],
  [/redis|valkey|keydb/, "redis"],
  [/mongo/, "mongodb"],
  [/rabbit|amqp/, "amqp"],
  [/nats/, "nats"],
  [/mosquitto|mqtt/, "mqtt"],
];

/** Tells whether a port is one that a browser opens. */
export function isLink(port: Port): boolean {
  return /^https?:\/\//.test(port.url);
}

/** Writes what a client of this port is given: `postgres://localhost:10132`, or `localhost:10153` when nobody knows. */
export function connectionString(port: Port): string {
  if (port.url.includes("://") || port.protocol === "udp") return port.url;
  const named = BY_NAME.find(([pattern]) => pattern.test(port.service.toLowerCase()));
  return named === undefined ? port.url : `${named[1]}://${port.url}`;
}

/** Writes the container's side of a port: `5432`, `53/udp`. */
export function containerSide(port: Port): string {
  return port.protocol === "udp" ? `${port.containerPort}/udp` : String(port.containerPort);
}
