import assert from "node:assert/strict";
import { portBlock } from "../../src/domain/ports.ts";
import { isPortTaken } from "../../src/programs/port_probe.ts";
import { hasIpv6 } from "../ipv6.ts";
import { staysTaken } from "../ports.ts";
import { claimSlots } from "../slots.ts";

// Ports that the machine chooses would be chosen again for another test as soon as they are free.
const slots = await claimSlots(1);
globalThis.addEventListener("unload", () => slots[Symbol.dispose]());
const nextPort = numbers(portBlock(slots.first).first);

function* numbers(first: number): Generator<number, never> {
  for (let number = first;; number++) yield number;
}

/** Listens on a port that nobody else uses. */
function listen(hostname: string, protocol: "tcp" | "udp"): { port: number } & Disposable {
  const port = nextPort.next().value;
  const listener = protocol === "tcp"
    ? Deno.listen({ hostname, port })
    : Deno.listenDatagram({ transport: "udp", hostname, port });
  return { port, [Symbol.dispose]: () => listener.close() };
}

/** The addresses of this machine, which may have no IPv6. */
const ADDRESSES = ["0.0.0.0", "127.0.0.1", ...(hasIpv6() ? ["::", "::1"] : [])];

for (const protocol of ["tcp", "udp"] as const) {
  for (const hostname of ADDRESSES) {
    Deno.test(`isPortTaken() sees who listens on ${hostname} (${protocol})`, () => {
      const listener = listen(hostname, protocol);
      try {
        assert.equal(isPortTaken(listener.port, protocol), true);
      } finally {
        listener[Symbol.dispose]();
      }
      assert.equal(staysTaken(listener.port, protocol), false);
    });
  }
}

Deno.test("isPortTaken() tells TCP from UDP", () => {
  using tcp = listen("127.0.0.1", "tcp");
  assert.equal(staysTaken(tcp.port, "udp"), false);
  using udp = listen("127.0.0.1", "udp");
  assert.equal(staysTaken(udp.port, "tcp"), false);
});

Deno.test("isPortTaken() leaves the port free", () => {
  const listener = listen("127.0.0.1", "tcp");
  const { port } = listener;
  listener[Symbol.dispose]();
  for (const _ of ["first", "second"]) assert.equal(staysTaken(port, "tcp"), false);
});

Deno.test("isPortTaken() takes an address that this machine lacks for free", () => {
  const listener = listen("127.0.0.1", "tcp");
  const { port } = listener;
  listener[Symbol.dispose]();
  assert.equal(staysTaken(port, "tcp", "203.0.113.7"), false);
});
