/** Ports of this machine, looked at from within the process of the tests. */

import { isPortTaken } from "../src/programs/port_probe.ts";

/** Milliseconds after which a program that was being started runs, and has no copy of a listener any more. */
const PATIENCE = 2000;

const nobody = new Int32Array(new SharedArrayBuffer(4));

/**
 * Tells whether a port is in use, and not only by a copy of the probe's own listener: the files of tests run in threads of
 * one process, and a program that one of them starts has all that is open in the process until it runs.
 */
export function staysTaken(
  port: number,
  protocol: "tcp" | "udp",
  hostIp?: string | null,
): boolean {
  const end = performance.now() + PATIENCE;
  while (isPortTaken(port, protocol, hostIp)) {
    if (performance.now() > end) return true;
    Atomics.wait(nobody, 0, 0, 5);
  }
  return false;
}
