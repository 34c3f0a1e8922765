/**
 * Three environments with one Redis on an engine that is stopped, started and killed: what is shared is on all networks
 * again, with its data and under its port, and nothing is left in the end.
 */

import assert from "node:assert/strict";
import { needsOwnEngine, OwnEngine } from "../own_engine.ts";
import { Sandbox } from "../sandbox.ts";
import { assertSound, doctor } from "./doctor.ts";

/** An application that can ask Redis, a database of its own, and the Redis that is shared. */
const COMPOSE = `services:
  app:
    image: redis:7-alpine
    entrypoint: [sleep, "1000"]
    init: true
    stop_grace_period: 0s
    depends_on: { db: { condition: service_started }, redis: { condition: service_healthy } }
    networks: [front, back]
  db:
    image: redis:7-alpine
    stop_grace_period: 1s
    networks: [back]
    volumes: [rows:/data]
    ports: ["5432:6379"]
  redis:
    image: redis:7-alpine
    networks: { back: { aliases: [cache] } }
    ports: ["6379:6379"]
    volumes: [keys:/data]
    command: redis-server --appendonly yes
    healthcheck: { test: [CMD, redis-cli, ping], interval: 300ms, retries: 1000 }
networks: { front: , back: }
volumes: { rows: , keys: }
`;

const NAMES = ["one", "two", "three"];

Deno.test({
  name: "a shared Redis and its three environments outlive the engine's restart and its crash",
  ...needsOwnEngine(),
  async fn(t) {
    await using engine = await OwnEngine.start();
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml": COMPOSE,
        ".piko.yml": "ignore: [app, db, redis]\nshared: [redis]\n",
      },
      init: true,
      variables: engine.variables,
    });
    const named = (name: string, service: string) => `piko-${sandbox.project}-${name}-${service}-1`;
    /** Asks a Redis as an environment's application does. */
    const ask = (name: string, host: string, ...words: string[]) =>
      engine.docker("exec", named(name, "app"), "redis-cli", "-h", host, ...words);
    /** Asks a Redis through its host port, which is one of the engine's own namespace. */
    const askPort = (port: number, ...words: string[]) =>
      engine.docker(
        ...["run", "--rm", "--network=host", "redis:7-alpine", "redis-cli", "-h", "127.0.0.1"],
        ...["-p", String(port), ...words],
      );
    const portsOf = async (name: string) =>
      (await sandbox.json(`ports ${name}`)).ports.map(({ service, hostPort, shared }) => ({
        service,
        hostPort,
        shared,
      }));
    const redisPort = async () =>
      (await portsOf("two")).find(({ service }) => service === "redis")?.hostPort ?? 0;
    /** Proves that all have the one Redis, by its names, and each its own database. */
    const proveShared = async (names: readonly string[]) => {
      for (const name of names) {
        for (const host of ["redis", "cache"]) {
          assert.equal(await ask(name, host, "get", "written"), "by one", `${name} ${host}`);
        }
        assert.equal(await ask(name, "db", "get", "who"), name);
        // To look up the others' names would take until a name server gives up that cannot be reached from here.
        const label = `--filter=label=com.docker.compose.project=piko-${sandbox.project}-${name}`;
        const networks = await engine.docker("network", "ls", "--format={{.Name}}", label);
        const members = await Promise.all(
          networks.split("\n").sort().map((network) =>
            engine.docker("ps", "--format={{.Names}}", `--filter=network=${network}`)
          ),
        );
        assert.deepEqual(members.map((lines) => lines.split("\n").sort()), [
          [named(name, "app"), named(name, "db"), named("shared", "redis")].sort(),
          [named(name, "app")],
        ]);
      }
      assert.equal(await askPort(await redisPort(), "get", "written"), "by one");
    };

    for (const name of NAMES) await sandbox.pass(`create ${name}`);
    assert.equal(await ask("one", "redis", "set", "written", "by one"), "OK");
    for (const name of NAMES) await ask(name, "db", "set", "who", name);
    await proveShared(NAMES);
    const before = await Promise.all(NAMES.map(portsOf));
    const shared = async () => (await sandbox.json("share")).shared[0];
    assert.deepEqual((await shared())?.users, [...NAMES].sort());

    await t.step("without the engine nothing is forgotten, nor taken for gone", async () => {
      await engine.stop();
      const { wrong, fixed } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(fixed, []);
      assert.ok(wrong.some((line) => line.startsWith("engine: ")), wrong.join("\n"));
      await sandbox.fail("up one", 5);
      assert.deepEqual(await Promise.all(NAMES.map(portsOf)), before);
    });

    await t.step("restarted, each piko up has its environment whole again", async () => {
      await engine.start();
      assert.equal((await shared())?.state, "exited");
      for (const [index, name] of NAMES.entries()) {
        await sandbox.pass(`up ${name}`);
        await proveShared(NAMES.slice(0, index + 1));
      }
      assert.deepEqual(await Promise.all(NAMES.map(portsOf)), before);
      await assertSound(sandbox);
    });

    await t.step("killed, all at once", async () => {
      await engine.kill();
      await engine.start();
      await Promise.all(NAMES.map((name) => sandbox.pass(`up ${name}`)));
      await proveShared(NAMES);
      assert.deepEqual(await Promise.all(NAMES.map(portsOf)), before);
      await assertSound(sandbox);
    });

    await t.step("made anew after a restart, doctor has it on all networks", async () => {
      await engine.stop();
      await engine.start();
      await engine.docker("rm", named("shared", "redis"));
      await engine.docker(
        "start",
        ...NAMES.flatMap((name) => [named(name, "app"), named(name, "db")]),
      );
      const { wrong, fixed } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(wrong, []);
      assert.deepEqual(fixed, [
        "shared: Put in order: The shared redis, which one, three and two use, has no container",
      ]);
      await proveShared(NAMES);
      assert.deepEqual(await Promise.all(NAMES.map(portsOf)), before);
    });

    await t.step("one that goes leaves the others as they are", async () => {
      await sandbox.pass("destroy one --volumes");
      const left = await sandbox.leftInEngine();
      assert.deepEqual(left.filter((line) => line.includes("-one")), []);
      await proveShared(["two", "three"]);
    });

    await t.step("a volume that is kept here is not taken for gone on another engine", async () => {
      await sandbox.pass("destroy two");
      const rows = `piko-${sandbox.project}-two_rows`;
      const elsewhere = { variables: { DOCKER_HOST: "unix:///var/run/docker.sock" } };
      const there = await doctor(sandbox, ["--fix"], elsewhere);
      assert.deepEqual(there.fixed.filter((line) => line.startsWith("volume: ")), []);
      assert.ok(
        there.checks.some(({ message }) =>
          message.startsWith("2 volumes kept on other engines: ") && message.endsWith(rows)
        ),
        JSON.stringify(there.checks),
      );
      await sandbox.pass("create two");
      assert.equal(await ask("two", "db", "get", "who"), "two");
    });

    await t.step("isolated, each has its own, and the last leaves nothing", async () => {
      await sandbox.pass("isolate redis --now --volumes");
      assert.equal(await shared(), undefined);
      for (const name of ["two", "three"]) {
        assert.equal(await ask(name, "redis", "get", "written"), "");
        assert.equal(await ask(name, "db", "get", "who"), name);
        await sandbox.pass(`destroy ${name} --volumes`);
      }
      assert.deepEqual(await sandbox.leftInEngine(), []);
      assert.equal(await engine.docker("ps", "--all", "--quiet"), "");
      const networks = await engine.docker("network", "ls", "--format", "{{.Name}}");
      assert.deepEqual(networks.split("\n").sort(), ["bridge", "host", "none"]);
      assert.equal(await engine.docker("volume", "ls", "--quiet"), "");
    });
  },
});
