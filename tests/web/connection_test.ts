import assert from "node:assert/strict";
import type { Port } from "../../src/domain/environment.ts";
import { connectionString, containerSide, isLink } from "../../web/connection.ts";

const port = (service: string, containerPort: number, changes: Partial<Port> = {}): Port => ({
  service,
  containerPort,
  hostPort: 10142,
  protocol: "tcp",
  url: "localhost:10142",
  shared: false,
  ...changes,
});

Deno.test("connectionString() tells by the service's name where the port does not", () => {
  assert.equal(connectionString(port("my-postgres", 15432)), "postgres://localhost:10142");
  assert.equal(connectionString(port("pg", 7000)), "postgres://localhost:10142");
  assert.equal(connectionString(port("page", 7000)), "localhost:10142");
  assert.equal(connectionString(port("redis-cache", 7000)), "redis://localhost:10142");
});

Deno.test("connectionString() leaves alone what nobody knows, what is UDP, and what is a URL", () => {
  assert.equal(connectionString(port("thing", 7777)), "localhost:10142");
  assert.equal(connectionString(port("dns", 53, { protocol: "udp" })), "localhost:10142");
  const told = port("redis", 5432, { url: "postgres://localhost:10142" });
  assert.equal(connectionString(told), "postgres://localhost:10142");
  const link = port("postgres-admin", 8080, { url: "http://localhost:10142" });
  assert.equal(connectionString(link), "http://localhost:10142");
  assert.equal(isLink(link), true);
  assert.equal(isLink(port("evil", 1, { url: "javascript:alert(1)" })), false);
  assert.equal(containerSide(port("dns", 53, { protocol: "udp" })), "53/udp");
});
