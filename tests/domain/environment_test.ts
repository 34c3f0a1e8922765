import assert from "node:assert/strict";
import { type Known, type Status, statusOf } from "../../src/domain/environment.ts";
import { portUrl } from "../../src/domain/port_url.ts";

const READY: Known = {
  mode: "docker",
  state: "ready",
  atWork: false,
  worktreeExists: true,
  containers: "running",
};

const CASES: readonly (readonly [string, Partial<Known>, Status])[] = [
  ["what its containers say", {}, "running"],
  ["unknown when no engine answers", { containers: undefined }, "unknown"],
  ["simple without containers", { mode: "simple", containers: undefined }, "simple"],
  ["missing when the worktree is gone", { worktreeExists: false }, "missing"],
  [
    "creating while a piko is at work",
    { state: "creating", atWork: true, worktreeExists: false },
    "creating",
  ],
  ["failed when a create was broken off", { state: "creating", worktreeExists: false }, "failed"],
  ["destroying while a piko is at work", { state: "destroying", atWork: true }, "destroying"],
  ["failed when a destroy was broken off", { state: "destroying" }, "failed"],
  ["failed when it was kept for inspection", { state: "failed" }, "failed"],
];

for (const [what, known, status] of CASES) {
  Deno.test(`statusOf() is ${what}`, () => assert.equal(statusOf({ ...READY, ...known }), status));
}

Deno.test("portUrl() makes a link of what speaks HTTP and an address of the rest", () => {
  const port = { hostPort: 10180, protocol: "tcp", hostIp: null } as const;
  assert.equal(portUrl({ ...port, containerPort: 8080 }), "http://localhost:10180");
  assert.equal(portUrl({ ...port, containerPort: 443 }), "https://localhost:10180");
  assert.equal(portUrl({ ...port, containerPort: 5432 }), "postgres://localhost:10180");
  assert.equal(portUrl({ ...port, containerPort: 6379 }), "redis://localhost:10180");
  assert.equal(portUrl({ ...port, containerPort: 7777 }), "localhost:10180");
  assert.equal(portUrl({ ...port, containerPort: 389, protocol: "udp" }), "localhost:10180");
  assert.equal(
    portUrl({ ...port, containerPort: 80, hostIp: "192.0.2.1" }),
    "http://192.0.2.1:10180",
  );
  assert.equal(portUrl({ ...port, containerPort: 80, hostIp: "::1" }), "http://localhost:10180");
});
