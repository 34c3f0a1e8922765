/** A container that somebody removed beside piko: what open, logs, exec and shell say of its service, and what brings it back. */

import assert from "node:assert/strict";
import { docker, WEB_SERVICE } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";

const COMPOSE = `services:
  api:${WEB_SERVICE}
    ports: ["80"]
  db:${WEB_SERVICE}
  extra:${WEB_SERVICE}
    ports: ["81"]
  once:
    image: busybox:1.36
    command: "true"
`;

Deno.test({
  name: "a container that was removed is said to be, and piko up brings it back",
  ...needs("git", "engine", "compose", "images", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    await sandbox.pass("create one --no-attach");
    await sandbox.pass("create other --no-attach --no-start");
    const remove = (...services: string[]) => {
      const names = services.map((service) => `piko-${sandbox.project}-one-${service}-1`);
      return docker("rm", "--force", "--volumes", ...names);
    };
    const up = `→ piko up ${sandbox.project}/one\n`;

    await t.step("one of several, with ports and without", async () => {
      await remove("api", "db");
      const expected = [
        ["open one api", "api"],
        ["open one", "api"],
        ["exec one db ls", "db"],
        ["shell one db", "db"],
      ] as const;
      for (const [words, service] of expected) {
        const said = await sandbox.fail(words, 4);
        assert.ok(said.includes(`The container of service "${service}" of one was removed`), said);
        assert.ok(said.includes(up), said);
      }
      const logs = await sandbox.fail("logs one db", 4);
      assert.match(logs, /^✗ There are no logs: the container of db of one was removed$/m);
      assert.ok(logs.includes(up), logs);
      assert.match(await sandbox.fail("exec one dv ls", 3), /did you mean db\?/);
      assert.match(await sandbox.fail("open one db", 3), /publishes no port/);
      const some = await sandbox.piko(["logs", "one", "extra", "db", "db"]);
      assert.deepEqual(
        [some.exitCode, some.stderr],
        [0, "  The container of db of one was removed\n"],
      );
      const { exitCode, stdout, stderr } = await sandbox.piko(["down", "one", "db"]);
      assert.deepEqual([exitCode, stdout, stderr], [
        0,
        "",
        "  db of one has no container to stop\n",
      ]);
      assert.match((await sandbox.piko(["down", "other"])).stderr, /other has no containers yet$/m);
      assert.match(await sandbox.fail("down one dv", 3), /did you mean db\?/);
      assert.match(
        await sandbox.fail("down one elsewhere", 3),
        /→ services: extra, once, api, db$/m,
      );
    });

    await t.step("one beside those that piko stopped", async () => {
      await sandbox.pass("down one");
      assert.match(await sandbox.fail("open one api", 4), /"api" of one was removed/);
      assert.match(await sandbox.fail("open one extra", 4), /it has ended/);
      assert.match(await sandbox.fail("open one", 4), /^✗ one is stopped/);
    });

    await t.step("all of them", async () => {
      await remove("extra", "once");
      const down = await sandbox.piko(["down", "one"]);
      assert.deepEqual([down.stdout, down.stderr], ["", "  one has no containers\n"]);
      const logs = await sandbox.fail("logs one", 4);
      assert.match(logs, /^✗ There are no logs: the containers of one were removed$/m);
      assert.ok(logs.includes(up), logs);
      const two = await sandbox.fail("logs one api extra", 4);
      assert.match(two, /no logs: the containers of api, extra of one were removed$/m);
      assert.match(await sandbox.fail("open one extra", 4), /"extra" of one was removed/);
      assert.match(
        await sandbox.fail("logs one once", 4),
        /no logs: once of one has no container$/m,
      );
      assert.match(await sandbox.fail("exec one once ls", 4), /"once" of one has no container$/m);
      assert.match(await sandbox.fail("logs other", 4), /no logs yet: other was never started/);
      assert.match(await sandbox.fail("exec other db ls", 4), /no container yet/);
    });

    await t.step("what they say brings it back", async () => {
      await sandbox.pass("up one");
      assert.equal((await sandbox.json("status one")).environment.status, "running");
      assert.match(await sandbox.pass("open one api"), /^http:\/\/localhost:\d+$/m);
      await sandbox.pass("exec one db true");
    });

    await t.step("a service that the compose file has no more is not missed", async () => {
      const rest = COMPOSE.replace(`  db:${WEB_SERVICE}\n`, "");
      await sandbox.write(`${sandbox.worktree("one")}/compose.yaml`, rest);
      await sandbox.pass("up one --no-wait");
      const { services } = await sandbox.json("status one");
      assert.deepEqual(services.map(({ service }) => service), ["api", "extra", "once"]);
      assert.match(await sandbox.fail("logs one db", 3), /no service "db"/);
    });
  },
});
