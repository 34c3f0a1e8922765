/** Milestone 7: one instance of a service for several environments, and back. */

import assert from "node:assert/strict";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { containersOf } from "./sample.ts";

const COMPOSE = `services:
  app: &service
    image: redis:7-alpine
    entrypoint: [sleep, "1000"]
    init: true
    stop_grace_period: 0s
    ports: ["8080"]
    depends_on: [redis]
  redis:
    image: redis:7-alpine
    stop_grace_period: 0s
    ports: ["6379:6379"]
    healthcheck: { test: [CMD, redis-cli, ping], interval: 500ms, retries: 100 }
`;

Deno.test({
  name: "M7: shared services",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE, ".piko.yml": "ignore: [app, redis]\n" },
      init: true,
    });
    /** Asks the Redis that an environment's app reaches. */
    const ask = async (name: string, ...words: string[]) =>
      await docker(
        ...["exec", (await containersOf(sandbox, name)).app?.id ?? ""],
        ...["redis-cli", "-h", "redis", ...words],
      );
    const servicesOf = async (name: string) =>
      Object.keys(await containersOf(sandbox, name)).sort();
    const prefix = `piko-${sandbox.project}-shared`;

    await t.step(
      "share starts one of its own, with a network and a container, and marks it",
      async () => {
        await sandbox.pass("share redis");
        const { redis } = await containersOf(sandbox, "shared");
        assert.ok(redis?.name.startsWith(prefix) && redis.state === "running", redis?.name);
        const left = await sandbox.leftInEngine();
        assert.ok(left.some((thing) => thing.startsWith(`network ${prefix}`)), left.join("\n"));
        assert.match(await sandbox.pass("share"), /^redis +running +healthy /m);
        assert.match(await sandbox.pass("config"), /^shared: \[ redis \] +# piko share$/m);
      },
    );

    await t.step(
      "environments made from now on are linked, and given none of their own",
      async () => {
        await sandbox.pass("create one");
        await sandbox.pass("create two");
        for (const name of ["one", "two"]) {
          assert.deepEqual(await servicesOf(name), ["app"]);
          const { services } = await sandbox.json(`status ${name}`);
          assert.deepEqual(services.map(({ service, shared }) => [service, shared]), [
            ["app", false],
            ["redis", true],
          ]);
        }
        const ports = await Promise.all(
          ["one", "two"].map(async (name) => (await sandbox.json(`env ${name}`)).PIKO_REDIS_PORT),
        );
        assert.equal(new Set(ports).size, 1);
      },
    );

    await t.step("several use the same", async () => {
      assert.equal(await ask("one", "set", "greeting", "hello from one"), "OK");
      assert.equal(await ask("two", "get", "greeting"), "hello from one");
    });

    await t.step("down, up and destroy of an environment leave it alone", async () => {
      const { redis } = await containersOf(sandbox, "shared");
      await sandbox.pass("down one");
      await sandbox.pass("up one");
      await sandbox.pass("destroy one --volumes");
      const after = (await containersOf(sandbox, "shared")).redis;
      assert.deepEqual(after, redis);
      assert.equal(await ask("two", "get", "greeting"), "hello from one");
      assert.ok(!(await sandbox.leftInEngine()).some((thing) => thing.includes("-one")));
    });

    await t.step("isolate: those made later have their own again", async () => {
      await sandbox.pass("isolate redis");
      await sandbox.pass("create three");
      assert.deepEqual(await servicesOf("three"), ["app", "redis"]);
      assert.equal(await ask("three", "get", "greeting"), "");
      assert.equal(await ask("two", "get", "greeting"), "hello from one");
      const { services } = await sandbox.json("status three");
      assert.deepEqual(services.map(({ shared }) => shared), [false, false]);
    });

    await t.step("when the last user has gone, it goes without a trace", async () => {
      await sandbox.pass("isolate redis --now --volumes");
      assert.deepEqual(await containersOf(sandbox, "shared"), {});
      assert.match((await sandbox.piko(["share"])).stderr, /shares no service/);
      await sandbox.pass("destroy two --volumes");
      await sandbox.pass("destroy three --volumes");
      assert.deepEqual(await sandbox.leftInEngine(), []);
    });
  },
});
