/** How a port of an environment is reached by whoever reads the page: by a link, or by what a client is given. */

import type { Port } from "../src/domain/environment.ts";

/** Schemes of the connection strings of what is often behind a container port. */
const BY_PORT: Readonly<Record<number, string>> = {
  21: "ftp",
  22: "ssh",
  25: "smtp",
  389: "ldap",
  1025: "smtp",
  1433: "sqlserver",
  1883: "mqtt",
  3306: "mysql",
  4222: "nats",
  5432: "postgres",
  5433: "postgres",
  5672: "amqp",
  6379: "redis",
  6380: "redis",
  7687: "bolt",
  26257: "postgres",
  27017: "mongodb",
};

/** The same by what people call such services; the first that matches counts. */
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
  if (isLink(port) || port.protocol === "udp") return port.url;
  const named = BY_NAME.find(([pattern]) => pattern.test(port.service.toLowerCase()));
  const scheme = BY_PORT[port.containerPort] ?? named?.[1];
  return scheme === undefined ? port.url : `${scheme}://${port.url}`;
}

/** Writes the container's side of a port: `5432`, `53/udp`. */
export function containerSide(port: Port): string {
  return port.protocol === "udp" ? `${port.containerPort}/udp` : String(port.containerPort);
}
