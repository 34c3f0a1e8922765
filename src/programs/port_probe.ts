/**
 * Whether a port of this machine is in use, found out by listening on it. Listening on all addresses alone
 * would not do: macOS lets one program have 0.0.0.0 while another one has 127.0.0.1.
 */

/**
 * Tells whether a port is in use on IPv4 or IPv6.
 *
 * What containers publish shows here only while Docker's `userland-proxy` is on, as it is by default;
 * with it off, firewall rules forward the port and no one listens: ask the engine as well.
 *
 * Says taken, for a moment, of a port that is free when another thread of this process starts a program just
 * then, which has a copy of the probe's own listener until it runs. piko has one thread.
 *
 * @param hostIp an address to try besides all addresses and the loopback ones.
 */
export function isPortTaken(
  port: number,
  protocol: "tcp" | "udp",
  hostIp?: string | null,
): boolean {
  const addresses = new Set(["0.0.0.0", "127.0.0.1", "::", "::1"]);
  if (hostIp) addresses.add(hostIp);
  return [...addresses].some((hostname) => !canListen(hostname, port, protocol));
}

function canListen(hostname: string, port: number, protocol: "tcp" | "udp"): boolean {
  try {
    const listener = protocol === "tcp"
      ? Deno.listen({ hostname, port })
      : Deno.listenDatagram({ transport: "udp", hostname, port });
    listener.close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    // The machine has no such address, such as all of IPv6, so nothing can be in use there.
    if (error instanceof Deno.errors.AddrNotAvailable) return true;
    // EAFNOSUPPORT, which has no class of its own: Linux 97, macOS 47.
    if (error instanceof Error && /os error (97|47)\b/.test(error.message)) return true;
    throw error;
  }
}
