import assert from "node:assert/strict";
import { compose, docker, engineTest, Pair, type Twin, uniqueName } from "./compose_pair.ts";

/** Tells which container answers when a service asks for a host name. */
async function ask(twin: Twin, service: string, host: string): Promise<string> {
  const command =
    `for i in $(seq 50); do wget -qO - http://${host}/ && exit; sleep 0.1; done; exit 1`;
  return await twin.exec(service, "sh", "-c", command);
}

engineTest(
  "override: an old container name reaches one's own container on every network",
  async () => {
    await using pair = await Pair.up("container_name");
    for (const twin of pair.both) {
      const db = await twin.only("db");
      assert.equal(db.Name, `/${twin.composeProject}-db-1`);
      const hostname = await twin.exec("db", "hostname");
      for (const host of ["shop-db", "db"]) {
        assert.equal(await ask(twin, "app", host), hostname);
        assert.equal(await ask(twin, "far", host), hostname);
      }
      // The aliases of the user's own file stay.
      assert.equal(await ask(twin, "far", "data"), hostname);
      assert.match((await twin.only("beside")).HostConfig.NetworkMode, /^container:/);
      assert.equal(await twin.exec("beside", "hostname"), hostname);
    }
  },
);

engineTest("override: networks and volumes with names of their own are not shared", async () => {
  await using pair = await Pair.up("named");
  for (const twin of pair.both) {
    const db = await twin.only("db");
    const { composeProject } = twin;
    assert.deepEqual(Object.keys(db.NetworkSettings.Networks).sort(), [
      composeProject,
      `${composeProject}_back`,
    ]);
    assert.deepEqual(db.Mounts.map((mount) => mount.Name).sort(), [
      `${composeProject}_data`,
      `${composeProject}_plain`,
    ]);
  }
  await pair.a.exec("db", "sh", "-c", "echo mine > /data/row");
  assert.equal(await pair.b.exec("db", "ls", "/data"), "");
  await compose.down(pair.a.target);
  await compose.up(pair.a.target);
  assert.equal(await pair.a.exec("db", "cat", "/data/row"), "mine");
});

engineTest("override: fixed subnets, addresses and bridges do not collide", async () => {
  await using pair = await Pair.up("subnets");
  const subnets = new Set<string>();
  for (const twin of pair.both) {
    const network = `${twin.composeProject}_back`;
    const format = "{{range .IPAM.Config}}{{.Subnet}} {{end}}|{{json .Options}}";
    const [ranges = "", options = ""] =
      (await docker("network", "inspect", "--format", format, network)).split("|");
    assert.doesNotMatch(options, /pikotest-br0/);
    const [ipv4, ipv6, ...others] = ranges.trim().split(" ");
    assert.deepEqual(others, []);
    assert.ok(ipv4 !== undefined && ipv6 !== undefined);
    subnets.add(ipv4).add(ipv6);
    const { Aliases } = (await twin.only("db")).NetworkSettings.Networks[network] ?? {};
    assert.ok(Aliases?.includes("data"));
    assert.match(await twin.exec("db", "ping", "-c", "1", "-w", "5", "shop-app"), /1 packets rec/);
    assert.match(twin.text, /"priority": 7/);
  }
  assert.equal(subnets.size, 4);
  assert.ok(!subnets.has("10.213.7.0/24"));
});

engineTest(
  "override: external networks and volumes stay shared, with a warning, and outlive down",
  async () => {
    const outside = uniqueName();
    await docker("network", "create", outside);
    try {
      await docker("volume", "create", outside);
      {
        await using pair = await Pair.up("external", { variables: { OUTSIDE: outside } });
        for (const twin of pair.both) {
          assert.deepEqual(twin.warnings, [
            `Network "${outside}" is external, so every environment shares it, ` +
            "and a service name on it can reach another environment's container",
            `Volume "${outside}" is external, so every environment shares its data`,
          ]);
          const db = await twin.only("db");
          assert.deepEqual(
            Object.keys(db.NetworkSettings.Networks).sort(),
            [outside, twin.composeProject].sort(),
          );
          assert.deepEqual(db.Mounts.map((mount) => mount.Name), [outside]);
        }
      }
      assert.equal(await docker("network", "ls", "-q", "--filter", `name=${outside}`) !== "", true);
      assert.equal(await docker("volume", "ls", "-q", "--filter", `name=${outside}`), outside);
    } finally {
      await docker("network", "rm", outside);
      await docker("volume", "rm", "--force", outside);
    }
  },
);

engineTest("override: the network of the machine is kept, with a warning", async () => {
  await using pair = await Pair.up("host");
  for (const twin of pair.both) {
    assert.deepEqual(twin.warnings, [
      'Service "agent" uses the network of this machine, so its ports cannot be isolated ' +
      "and only one environment can listen on them",
    ]);
    assert.deepEqual(twin.ports, []);
    const agent = await twin.only("agent");
    assert.equal(agent.State.Status, "running");
    assert.equal(agent.HostConfig.NetworkMode, "host");
    assert.equal(agent.Name, `/${twin.composeProject}-agent-1`);
  }
});

engineTest(
  "override: links, depends_on in every form and health checks go on working",
  async () => {
    await using pair = await Pair.up("depends");
    for (const twin of pair.both) {
      assert.equal((await twin.only("migrate")).State.ExitCode, 0);
      const hostname = await twin.exec("db", "hostname");
      for (const host of ["database", "db", "shop-db"]) {
        assert.equal(await ask(twin, "app", host), hostname);
      }
    }
  },
);
