import assert from "node:assert/strict";
import { staysTaken } from "../ports.ts";
import { compose, engineTest, Pair, type Twin } from "./compose_pair.ts";

/** Lists what a service's containers listen on at this machine, as `80/tcp 127.0.0.1:10180`, IPv4 alone. */
async function listPublished(twin: Twin, service: string): Promise<string[]> {
  const published = new Set<string>();
  for (const container of await twin.inspect(service)) {
    assert.equal(container.State.Status, "running");
    for (const [port, bindings] of Object.entries(container.NetworkSettings.Ports)) {
      for (const { HostIp, HostPort } of bindings ?? []) {
        if (!HostIp.includes(":")) published.add(`${port} ${HostIp}:${HostPort}`);
      }
    }
  }
  return [...published].sort();
}

/** Says what was given to a service in the same words. */
function listGiven(twin: Twin, service: string): string[] {
  return twin.ports.filter((port) => port.service === service).map((port) =>
    `${port.containerPort}/${port.protocol} ${port.hostIp ?? "0.0.0.0"}:${port.hostPort}`
  ).sort();
}

engineTest(
  "override: ports, addresses, UDP and ranges of two environments never meet",
  async () => {
    await using pair = await Pair.up("ports");
    const hostPorts = pair.both.flatMap((twin) =>
      twin.ports.map((port) => `${port.hostPort}/${port.protocol}`)
    );
    assert.equal(new Set(hostPorts).size, 2 * 11);
    for (const twin of pair.both) {
      assert.equal(twin.ports.length, 11);
      for (const service of ["web", "dns"]) {
        assert.deepEqual(await listPublished(twin, service), listGiven(twin, service));
      }
      const dns = twin.hostPorts("dns");
      assert.equal(dns["53/udp"]?.[0], dns["53/tcp"]?.[0]);
      const hostname = await twin.exec("web", "hostname");
      for (const port of ["80/tcp", "3001/tcp", "9000/tcp"]) {
        const response = await fetch(`http://127.0.0.1:${twin.hostPorts("web")[port]?.[0]}/`);
        assert.equal((await response.text()).trim(), hostname);
      }
    }
  },
);

engineTest("override: ports of several base files are replaced, not appended to", async () => {
  await using pair = await Pair.up("layered");
  assert.equal(staysTaken(18431, "tcp") || staysTaken(18432, "tcp"), false);
  for (const twin of pair.both) {
    assert.equal(twin.target.files.length, 2);
    assert.deepEqual(Object.keys(twin.hostPorts("app")), ["80/tcp", "81/tcp"]);
    assert.deepEqual(await listPublished(twin, "app"), listGiven(twin, "app"));
    assert.ok((await twin.only("app")).Config.Env.includes("LAYER=two"));
  }
});

engineTest("override: replicas share a range of host ports", async () => {
  await using pair = await Pair.up("replicas");
  for (const twin of pair.both) {
    assert.equal((await twin.inspect("app")).length, 3);
    assert.equal((await twin.inspect("worker")).length, 2);
    assert.equal(twin.ports.length, 3 + 3 + 2);
    for (const service of ["app", "worker"]) {
      assert.deepEqual(await listPublished(twin, service), listGiven(twin, service));
    }
  }
});

engineTest("override: services of a profile get ports and do not meet", async () => {
  await using pair = await Pair.up("profiles", { variables: { COMPOSE_PROFILES: "debug" } });
  for (const twin of pair.both) {
    for (const service of ["app", "debug"]) {
      assert.deepEqual(await listPublished(twin, service), listGiven(twin, service));
    }
    const networks = (await twin.only("debug")).NetworkSettings.Networks;
    assert.ok(networks[twin.composeProject]?.Aliases?.includes("shop-debug"));
  }
});

engineTest("override: services of a profile stay down until it is asked for", async () => {
  await using pair = await Pair.up("profiles");
  assert.deepEqual((await pair.a.inspect()).map((container) => container.Name), [
    `/${pair.a.composeProject}-app-1`,
  ]);
  assert.equal(pair.a.ports.length, 2);
});

engineTest("override: a second up changes nothing, and stop and start keep the ports", async () => {
  await using pair = await Pair.up("layered");
  const before = await pair.a.only("app");
  const lines: string[] = [];
  await compose.up(pair.a.target, { onLine: (line) => lines.push(line) });
  assert.match(lines.join("\n"), /Running/);
  await compose.stop(pair.a.target, { services: ["app"] });
  assert.equal((await pair.a.only("app")).State.Status, "exited");
  await compose.start(pair.a.target);
  const after = await pair.a.only("app");
  assert.equal(after.State.Status, "running");
  assert.deepEqual(after.HostConfig.PortBindings, before.HostConfig.PortBindings);
  assert.deepEqual(await listPublished(pair.a, "app"), listGiven(pair.a, "app"));
});
