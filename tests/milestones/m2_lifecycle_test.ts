/** Milestone 2: the life of environments, from an empty list to the last one's end. */

import assert from "node:assert/strict";
import { saysNo } from "../commands/refusal.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { containersOf, hostPort, page, projectFiles, startedAt } from "./sample.ts";

const CONFIG = `scripts:
  destroy: |
    echo "bye $PIKO_ENV_NAME" >> "$PIKO_ROOT/../farewell"
    exit 3
`;

Deno.test({
  name: "M2: the life of an environment",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: projectFiles(CONFIG), init: true });
    const statuses = async () => {
      const { environments } = await sandbox.json("list");
      return Object.fromEntries(environments.map(({ name, status }) => [name, status]));
    };
    const volume = (name: string) => `volume piko-${sandbox.project}-${name}_rows`;

    await t.step("an empty list says how to begin", async () => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["list"]);
      assert.deepEqual([exitCode, stdout], [0, ""]);
      assert.match(stderr, /piko create/);
    });

    await t.step("the list tells what runs, in part, or not at all", async () => {
      await sandbox.pass("create one");
      await sandbox.pass("create two");
      await sandbox.pass("create three --no-start");
      await docker("stop", (await containersOf(sandbox, "two")).app?.id ?? "");
      await until("the end of the app", async () => (await statuses()).two === "partial");
      assert.deepEqual(await statuses(), { one: "running", two: "partial", three: "stopped" });
      const list = await sandbox.pass("list");
      assert.match(list, /^one +running +one +2\/2 /m);
      assert.match(list, /^two +partial +two +1\/2 /m);
    });

    await t.step("down stops one and keeps what it has, also twice", async () => {
      const { environment } = await sandbox.json("status one");
      await sandbox.run(
        [
          "docker",
          "exec",
          (await containersOf(sandbox, "one")).db?.id ?? "",
          "sh",
          "-c",
          "echo kept > /rows/index.html",
        ],
      );
      for (let time = 0; time < 2; time++) await sandbox.pass("down one");
      assert.equal((await statuses()).one, "stopped");
      assert.ok(await sandbox.exists(environment.path));
      assert.ok((await sandbox.leftInEngine()).includes(volume("one")));
      assert.equal((await statuses()).two, "partial");
    });

    await t.step(
      "up starts it again on the same ports with the same rows, also twice",
      async () => {
        const before = (await sandbox.json("ports one")).ports;
        for (let time = 0; time < 2; time++) await sandbox.pass("up one");
        const { environment } = await sandbox.json("status one");
        assert.deepEqual([environment.status, environment.ports], ["running", before]);
        assert.equal(await page(hostPort(environment, "db", 5432)), "kept\n");
        assert.equal(await page(hostPort(environment, "app", 8080)), "the page of main\n");
      },
    );

    await t.step("up writes the override file anew when the compose file has changed", async () => {
      const path = sandbox.worktree("one");
      const override = await Deno.readTextFile(`${path}/docker-compose.piko.yml`);
      const before = await sandbox.json("ports one");
      const compose = await Deno.readTextFile(`${path}/docker-compose.yml`);
      await sandbox.write(
        `${path}/docker-compose.yml`,
        compose.replace('["5432:5432"]', '["5432:5432", "5433:5433"]'),
      );
      await sandbox.pass("up one");
      assert.notEqual(await Deno.readTextFile(`${path}/docker-compose.piko.yml`), override);
      const after = await sandbox.json("ports one");
      assert.equal(after.ports.length, before.ports.length + 1);
      for (const port of before.ports) {
        assert.equal(hostPort(after, port.service, port.containerPort), port.hostPort);
      }
      await sandbox.git("-C", path, "checkout", "--", "docker-compose.yml");
    });

    await t.step("restart restarts all, or one service", async () => {
      const times = async () => {
        const { app, db } = await containersOf(sandbox, "one");
        return { app: await startedAt(app), db: await startedAt(db) };
      };
      const first = await times();
      await sandbox.pass("restart one");
      const second = await times();
      assert.ok(second.app > first.app && second.db > first.db);
      await sandbox.pass("restart one app");
      const third = await times();
      assert.ok(third.app > second.app);
      assert.equal(third.db, second.db);
      assert.equal((await statuses()).one, "running");
    });

    await t.step("destroy takes everything but the volume, though its script fails", async () => {
      const { exitCode, stderr } = await sandbox.piko(["destroy", "one"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /scripts\.destroy failed with exit code 3; going on/);
      assert.match(await Deno.readTextFile(`${sandbox.folder}/farewell`), /^bye one$/m);
      assert.equal(await sandbox.exists(sandbox.worktree("one")), false);
      assert.deepEqual(Object.keys(await statuses()), ["three", "two"].sort());
      const left = (await sandbox.leftInEngine()).filter((thing) => thing.includes("-one"));
      assert.deepEqual(left, [volume("one")]);
      assert.match(await sandbox.git("branch", "--list", "one"), /one/);
    });

    await t.step("destroy --volumes takes the data too", async () => {
      await sandbox.pass("destroy two --volumes");
      const left = (await sandbox.leftInEngine()).filter((thing) => thing.includes("-two"));
      assert.deepEqual(left, []);
      await docker("volume", "rm", volume("one").replace("volume ", ""));
    });

    await t.step("an unknown name is refused with the nearest one", async () => {
      await saysNo(sandbox, ["destroy", "thre"], {
        code: "not-found",
        message: /no environment "thre"/,
        hint: /three/,
      });
    });
  },
});
