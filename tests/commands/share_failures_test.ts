/** Shared services when something else is wrong: no engine, an environment that cannot be moved, a configuration that cannot be read. */

import assert from "node:assert/strict";
import type { SharedService } from "../../src/domain/environment.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";

const COMPOSE = `services:
  kv: &service
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
  app: *service
  worker: *service
  front:
    <<: *service
    depends_on: [worker]
`;

Deno.test({
  name: "what goes wrong beside shared services keeps neither them nor others from what they do",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const { project } = sandbox;
    const shared = async () =>
      (await sandbox.json("share")).shared.map((
        { service, state, users },
      ) => [service, state, users]);

    await t.step("no engine: a create that starts nothing shares as well", async () => {
      const variables = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
      await sandbox.pass("create x --no-attach --no-start --shared kv", { variables });
      assert.deepEqual(await sandbox.leftInEngine(), []);
      await sandbox.pass("up x --no-wait");
      assert.deepEqual(await shared(), [["kv", "running", ["x"]]]);
      // Who uses it is told all the same.
      const listed = await sandbox.piko(["share", "--json"], { variables });
      assert.equal(listed.exitCode, 0, listed.stderr);
      const [unknown] = (JSON.parse(listed.stdout) as { shared: SharedService[] }).shared;
      assert.deepEqual([unknown?.service, unknown?.state, unknown?.users], ["kv", "unknown", [
        "x",
      ]]);
      assert.match(
        listed.stderr,
        /^! Cannot reach the Docker engine at unix:.*docker\.sock; what runs is unknown\n {2}\S/,
      );
      assert.match(await sandbox.pass("share", { variables }), /^kv +unknown/m);
      await sandbox.pass("destroy x --delete-branch");
    });
    await t.step("isolating what nobody shares says so, and that of nothing else", async () => {
      const own = (service: string) =>
        `  ${service} is not shared: every environment has its own already\n`;
      const { exitCode, stdout, stderr } = await sandbox.piko(["isolate", "app"]);
      assert.deepEqual([exitCode, stdout, stderr], [0, "", own("app")]);
      const both = await sandbox.piko(["isolate", "app", "kv"]);
      assert.equal(both.stdout, `✓ Isolated kv in ${project}\n`, both.stderr);
      assert.ok(both.stderr.startsWith(own("app")), both.stderr);
      const again = await sandbox.piko(["isolate", "kv"]);
      assert.deepEqual([again.exitCode, again.stdout, again.stderr], [0, "", own("kv")]);
    });
    await t.step("one that cannot be moved is named, and the others are moved", async () => {
      for (const name of ["one", "two"]) await sandbox.pass(`create ${name} --no-attach --no-wait`);
      const file = `${sandbox.worktree("one")}/compose.yaml`;
      await sandbox.write(file, "services: [\n");
      const said = await sandbox.fail("share kv --now --no-wait", 1);
      assert.match(said, /Cannot move one/);
      assert.deepEqual(await shared(), [["kv", "running", ["two"]]]);
      const crashing = "app: { <<: *service, command: 'false' }";
      await sandbox.write(file, COMPOSE.replace("app: *service", crashing));
      const moved = await sandbox.fail("share kv --now", 1);
      assert.match(moved, /✗ one was moved, but: Service "app" exited with code 1/);
      assert.doesNotMatch(moved, /Cannot move/);
      await sandbox.write(file, COMPOSE);
      await sandbox.pass("up one --no-wait");
      assert.deepEqual(await shared(), [["kv", "running", ["one", "two"]]]);
    });
    await t.step("what is stopped, or was never started, stays so when it is moved", async () => {
      await sandbox.pass("create three --no-attach --no-start");
      await sandbox.pass("up three app --no-wait");
      // What runs needs it, and another one does not.
      await sandbox.pass("down one worker");
      const runs = async (name: string) => {
        const { services } = await sandbox.json(`status ${name}`);
        return services.filter(({ state, shared }) => state === "running" && !shared)
          .map(({ service }) => service);
      };
      await sandbox.pass("isolate kv --now --no-wait");
      assert.deepEqual(await shared(), []);
      assert.deepEqual(await runs("one"), ["app", "front", "kv"]);
      assert.deepEqual(await runs("two"), ["app", "front", "kv", "worker"]);
      assert.deepEqual(await runs("three"), ["app", "kv"]);
      await sandbox.pass("share kv --now --no-wait");
      assert.deepEqual(await shared(), [["kv", "running", ["one", "three", "two"]]]);
      assert.deepEqual(await runs("one"), ["app", "front"]);
      assert.deepEqual(await runs("three"), ["app"]);
      await sandbox.pass("destroy three --delete-branch");
      await sandbox.pass("up one --no-wait");
      assert.deepEqual(await runs("one"), ["app", "front", "worker"]);
    });
    await t.step(
      "a configuration that cannot be read: the last user's leaving is no worse",
      async () => {
        await sandbox.pass("isolate kv");
        assert.deepEqual(await shared(), [["kv", "running", ["one", "two"]]]);
        await sandbox.write(".piko.yml", "shared: [\n");
        for (const name of ["one", "two"]) await sandbox.pass(`destroy ${name} --delete-branch`);
        assert.deepEqual(await sandbox.leftInEngine(), []);
        await sandbox.write(".piko.yml", "");
        assert.deepEqual((await sandbox.json("project list")).projects.map(({ name }) => name), [
          project,
        ]);
      },
    );
  },
});
