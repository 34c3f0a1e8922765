import assert from "node:assert/strict";
import type { ComposeConfig } from "../../src/domain/compose_config.ts";
import { PikoError } from "../../src/domain/errors.ts";
import {
  assignHostPorts,
  type GivenPort,
  portBlock,
  wantedHostPort,
  type WantedPort,
  wantedPorts,
} from "../../src/domain/ports.ts";
import { MAX_SLOT } from "../../src/domain/slots.ts";

const NOTHING_TAKEN = () => false;

function want(text: string): WantedPort {
  const [service = "", port = "", protocol = "tcp", hostIp] = text.split(/[:/@]/);
  return {
    service,
    containerPort: Number(port),
    protocol: protocol === "udp" ? "udp" : "tcp",
    hostIp: hostIp ?? null,
  };
}

/** Writes given ports as `service:containerPort/protocol=hostPort`. */
function show(given: readonly GivenPort[]): string[] {
  return given.map((port) =>
    `${port.service}:${port.containerPort}/${port.protocol}=${port.hostPort}`
  );
}

Deno.test("portBlock() gives each slot a hundred ports below the ephemeral ones", () => {
  assert.deepEqual(portBlock(1), { first: 10100, last: 10199 });
  assert.deepEqual(portBlock(MAX_SLOT), { first: 32000, last: 32099 });
  for (const slot of [0, -1, 1.5, MAX_SLOT + 1]) assert.throws(() => portBlock(slot), RangeError);
});

Deno.test("wantedHostPort() ends like the container port", () => {
  assert.equal(wantedHostPort(3, 5432), 10332);
  assert.equal(wantedHostPort(1, 8000), 10100);
  assert.equal(wantedHostPort(1, 99), 10199);
});

Deno.test("assignHostPorts() gives what ends alike, whatever the order of the services", () => {
  const wanted = [want("web:3000"), want("db:5432"), want("app:8080")];
  const expected = ["app:8080/tcp=10180", "db:5432/tcp=10132", "web:3000/tcp=10100"];
  assert.deepEqual(show(assignHostPorts(1, wanted, NOTHING_TAKEN).given), expected);
  assert.deepEqual(show(assignHostPorts(1, wanted.reverse(), NOTHING_TAKEN).given), expected);
});

Deno.test("assignHostPorts() sorts services by bytes and container ports by number", () => {
  const wanted = ["b:80", "B:80", "a:1080", "a:80", "a-b:80"].map(want);
  assert.deepEqual(show(assignHostPorts(1, wanted, NOTHING_TAKEN).given), [
    "B:80/tcp=10180",
    "a:80/tcp=10100",
    "a:1080/tcp=10101",
    "a-b:80/tcp=10102",
    "b:80/tcp=10103",
  ]);
});

Deno.test("assignHostPorts() leaves a port to who wants it, not to who lost another one", () => {
  const wanted = ["a:80", "b:180", "c:8000"].map(want);
  assert.deepEqual(show(assignHostPorts(1, wanted, NOTHING_TAKEN).given), [
    "a:80/tcp=10180",
    "b:180/tcp=10101",
    "c:8000/tcp=10100",
  ]);
});

Deno.test("assignHostPorts() moves what is taken on the machine and says so", () => {
  const taken = (port: number) => port === 10180 || port === 10100;
  const { given, moved } = assignHostPorts(1, [want("app:80"), want("web:180")], taken);
  assert.deepEqual(show(given), ["app:80/tcp=10101", "web:180/tcp=10102"]);
  assert.deepEqual(moved.map(({ port, wantedHostPort }) => [port.service, wantedHostPort]), [
    ["app", 10180],
    ["web", 10180],
  ]);
});

Deno.test("assignHostPorts() does not call a clash within the project moved", () => {
  assert.deepEqual(assignHostPorts(1, ["a:80", "b:80"].map(want), NOTHING_TAKEN).moved, []);
});

Deno.test("assignHostPorts() treats TCP and UDP as two spaces", () => {
  const taken = (_port: number, protocol: string) => protocol === "udp";
  const wanted = [want("dns:53/udp"), want("dns:53/tcp")];
  assert.deepEqual(show(assignHostPorts(2, wanted, NOTHING_TAKEN).given), [
    "dns:53/tcp=10253",
    "dns:53/udp=10253",
  ]);
  assert.deepEqual(show(assignHostPorts(2, [want("dns:53/tcp")], taken).given), [
    "dns:53/tcp=10253",
  ]);
});

Deno.test("assignHostPorts() keeps recorded ports without probing them", () => {
  const kept = [{ ...want("app:80"), hostPort: 10142 }];
  const probed: number[] = [];
  const { given, moved } = assignHostPorts(
    1,
    ["app:80", "db:5442", "a:80"].map(want),
    (port) => (probed.push(port), port === 10142),
    kept,
  );
  assert.deepEqual(show(given), ["a:80/tcp=10180", "app:80/tcp=10142", "db:5442/tcp=10100"]);
  assert.deepEqual(moved, []);
  assert.ok(!probed.includes(10142));
});

Deno.test("assignHostPorts() gives nobody else a recorded port whose service is gone", () => {
  const kept = [{ ...want("old:80"), hostPort: 10180 }];
  assert.deepEqual(show(assignHostPorts(1, [want("app:80")], NOTHING_TAKEN, kept).given), [
    "app:80/tcp=10100",
  ]);
});

Deno.test("assignHostPorts() keeps a port when only its address changes", () => {
  const kept = [{ ...want("app:80"), hostPort: 10142 }];
  const { given } = assignHostPorts(1, [want("app:80/tcp@127.0.0.1")], NOTHING_TAKEN, kept);
  assert.deepEqual(given, [{ ...want("app:80/tcp@127.0.0.1"), hostPort: 10142 }]);
});

Deno.test("assignHostPorts() gives equal ports neighbours inside the block", () => {
  const three = ["app:80", "app:80", "app:80"].map(want);
  assert.deepEqual(show(assignHostPorts(1, three, NOTHING_TAKEN).given), [
    "app:80/tcp=10180",
    "app:80/tcp=10181",
    "app:80/tcp=10182",
  ]);
  const { given, moved } = assignHostPorts(1, three, (port) => port === 10181 || port === 10101);
  assert.deepEqual(show(given), ["app:80/tcp=10102", "app:80/tcp=10103", "app:80/tcp=10104"]);
  assert.deepEqual(moved.map((move) => move.wantedHostPort), [10180, 10181, 10182]);
  const last = assignHostPorts(1, ["app:99", "app:99"].map(want), NOTHING_TAKEN);
  assert.deepEqual(show(last.given), ["app:99/tcp=10100", "app:99/tcp=10101"]);
  assert.deepEqual(last.moved, []);
});

Deno.test("assignHostPorts() extends a recorded range upwards, else downwards, else moves it", () => {
  const kept = [{ ...want("app:80"), hostPort: 10180 }];
  const two = ["app:80", "app:80"].map(want);
  const hostPorts = (taken: (port: number) => boolean, wanted = two, recorded = kept) =>
    assignHostPorts(1, wanted, taken, recorded).given.map((port) => port.hostPort);
  assert.deepEqual(hostPorts(NOTHING_TAKEN), [10180, 10181]);
  assert.deepEqual(hostPorts((port) => port === 10181), [10179, 10180]);
  assert.deepEqual(hostPorts((port) => port === 10181 || port === 10179), [10100, 10101]);
  const recorded = [10150, 10151, 10152].map((hostPort) => ({ ...want("app:80"), hostPort }));
  assert.deepEqual(hostPorts(NOTHING_TAKEN, two, recorded), [10150, 10151]);
});

Deno.test("assignHostPorts() answers the same for what it answered", () => {
  const wanted = ["a:80", "b:80", "c:80", "c:80", "d:53/udp", "d:53/tcp"].map(want);
  const { given } = assignHostPorts(7, wanted, (port) => port % 3 === 0);
  assert.deepEqual(assignHostPorts(7, wanted, () => true, given).given, given);
});

Deno.test("assignHostPorts() refuses when the block is full", () => {
  const full = Array.from({ length: 101 }, (_, index) => want(`app:${1000 + index}`));
  assert.throws(() => assignHostPorts(1, full, NOTHING_TAKEN), (error) => {
    assert.ok(error instanceof PikoError);
    assert.equal(error.code, "conflict");
    assert.match(error.message, /^No host port is free between 10100 and 10199 for app:1100\/tcp$/);
    return true;
  });
  assert.equal(assignHostPorts(1, full.slice(1), NOTHING_TAKEN).given.length, 100);
  assert.throws(
    () => assignHostPorts(1, ["app:80", "app:80"].map(want), (port) => port % 2 === 0),
    /No 2 host ports in a row/,
  );
});

Deno.test("wantedPorts() lists every port, replicas as often as they run", () => {
  const config: ComposeConfig = {
    name: "shop",
    services: {
      web: {
        deploy: { replicas: 2 },
        ports: [{ target: 80, published: "8080-8089", protocol: "tcp", mode: "ingress" }],
      },
      app: {
        ports: [
          { target: 5000, protocol: "tcp" },
          { target: 53, published: "53", protocol: "udp", host_ip: "127.0.0.1" },
          { target: 70, published: "7000-7002" },
          { target: 132, published: "132", protocol: "sctp" },
        ],
      },
      host: { network_mode: "host", ports: [{ target: 80, published: "80" }] },
      idle: { scale: 0, ports: [{ target: 1, published: "1" }] },
      none: {},
    },
  };
  assert.deepEqual(wantedPorts(config), [
    want("app:53/udp@127.0.0.1"),
    want("app:70"),
    want("app:5000"),
    want("idle:1"),
    want("web:80"),
    want("web:80"),
  ]);
  assert.deepEqual(wantedPorts({ name: "shop" }), []);
});
