/** Tells whether this machine has IPv6, which not every machine has. */
export function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    // Whatever keeps a test from listening there keeps piko from it.
    return false;
  }
}
