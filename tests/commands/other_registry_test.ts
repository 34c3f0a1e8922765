/**
 * Two registries on one machine with projects of one name: an environment that was made while no engine could tell, or was
 * not started, gets a compose project of its own as soon as one answers, whatever is done first, and nothing of the other
 * one's is touched.
 */

import assert from "node:assert/strict";
import { acquireLock } from "../../src/store/locks.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { doctor } from "./doctor.ts";

const COMPOSE = `services:
  web:
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    volumes: [rows:/data]
volumes: { rows: {} }
`;

Deno.test({
  name: "an environment that was made without an engine takes no other registry's containers",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const { project, folder } = sandbox;
    await sandbox.pass("create x --no-attach --no-wait");
    const before = await sandbox.leftInEngine();
    const running = async () => (await sandbox.json("list")).environments[0]?.containers.running;
    const root = `${folder}/elsewhere/${project}`;
    await sandbox.git("clone", "--quiet", sandbox.root, root);
    const there = { cwd: root, variables: { PIKO_HOME: `${folder}/other` } };
    const nowhere = {
      cwd: root,
      variables: { ...there.variables, DOCKER_HOST: "unix:///nowhere/docker.sock" },
    };
    await sandbox.pass("init", there);
    const name = async () => (await sandbox.json("status x", there)).environment.composeProject;

    for (
      const first of ["destroy x --volumes", "down x", "restart x --no-wait", "up x --no-wait"]
    ) {
      await t.step(first, async () => {
        await sandbox.pass("create x --no-attach --no-start", nowhere);
        assert.equal(await name(), `piko-${project}-x`);
        {
          // Not before its turn.
          const held = { command: "piko test", block: true };
          using _lock = await acquireLock(`${folder}/other/locks`, "1.x", held);
          await sandbox.fail(`${first} --no-block`, 4, there);
          assert.equal(await name(), `piko-${project}-x`);
        }
        const { exitCode, stderr } = await sandbox.piko(first.split(" "), there);
        assert.equal(exitCode, 0, stderr);
        assert.ok(
          stderr.includes(`piko-${project}-x is an environment of ${sandbox.root}`),
          stderr,
        );
        assert.equal(await running(), 1);
        if (!first.startsWith("destroy")) {
          assert.equal(await name(), `piko-${project}-x-2`);
          await sandbox.pass("destroy x --volumes", there);
        }
        assert.deepEqual(await sandbox.leftInEngine(), before);
        await sandbox.git("-C", root, "branch", "-D", "x");
      });
    }
    await sandbox.pass("destroy x --volumes");
  },
});

Deno.test({
  name: "an environment that was never started takes no volumes that another registry has kept",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const { project, folder } = sandbox;
    const root = `${folder}/elsewhere/${project}`;
    await sandbox.git("clone", "--quiet", sandbox.root, root);
    const there = { cwd: root, variables: { PIKO_HOME: `${folder}/other` } };
    await sandbox.pass("init", there);
    const volume = `piko-${project}-x_rows`;
    const name = async () => (await sandbox.json("status x")).environment.composeProject;

    for (const first of ["destroy x --volumes", "up x --no-wait", "restart x --no-wait"]) {
      await t.step(first, async () => {
        await sandbox.pass("create x --no-attach --no-start");
        assert.equal(await name(), `piko-${project}-x`);
        await sandbox.pass("create x --no-attach --no-wait", there);
        await sandbox.pass("destroy x", there);
        assert.deepEqual(await sandbox.leftInEngine(), [`volume ${volume}`]);

        const { exitCode, stderr } = await sandbox.piko(first.split(" "));
        assert.equal(exitCode, 0, stderr);
        assert.ok(stderr.includes(`piko-${project}-x-2 from now on`), stderr);
        if (!first.startsWith("destroy")) {
          assert.equal(await name(), `piko-${project}-x-2`);
          await sandbox.pass("destroy x --volumes");
        }
        assert.deepEqual(await sandbox.leftInEngine(), [`volume ${volume}`]);
        await sandbox.run(["docker", "volume", "rm", volume]);
      });
    }
  },
});

Deno.test({
  name: "an environment that was never started shows no other registry's containers",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const { project, folder } = sandbox;
    const root = `${folder}/elsewhere/${project}`;
    await sandbox.git("clone", "--quiet", sandbox.root, root);
    const there = { cwd: root, variables: { PIKO_HOME: `${folder}/other` } };
    await sandbox.pass("init", there);
    await sandbox.pass("create x --no-attach --no-start");
    await sandbox.pass("create x --no-attach --no-wait", there);

    const { environments } = await sandbox.json("list");
    assert.equal(environments[0]?.status, "stopped");
    assert.deepEqual(environments[0].containers, { running: 0, healthy: 0, total: 0 });
    const { services } = await sandbox.json("status x");
    assert.deepEqual(services.map(({ service, container, state }) => [service, container, state]), [
      ["web", null, "missing"],
    ]);
    await sandbox.fail("exec x web touch /data/theirs", 4);
    assert.equal(await sandbox.pass("exec x web ls /data", there), "");
    assert.equal((await sandbox.json("list", there)).environments[0]?.containers.running, 1);

    await sandbox.pass("destroy x");
    await sandbox.pass("destroy x --volumes", there);
  },
});

Deno.test({
  name: "piko doctor --fix leaves the data folders of another registry's environments alone",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create x --no-attach");
    const data = `${sandbox.root}/.piko/data/x`;
    const there = { variables: { PIKO_HOME: `${sandbox.folder}/other` } };
    await sandbox.pass("init", there);

    const found = await doctor(sandbox, ["--fix"], there);
    assert.deepEqual([found.wrong, found.fixed], [[], []]);
    assert.ok(found.noted.some((line) => line.includes("/.piko/worktrees/x belongs to no")));
    assert.ok(await sandbox.exists(data));
    await sandbox.git("worktree", "move", sandbox.worktree("x"), `${sandbox.folder}/x`);
    assert.equal((await doctor(sandbox, ["--fix"], there)).fixed.length, 1);
    assert.equal(await sandbox.exists(data), false);
    await sandbox.git("worktree", "move", `${sandbox.folder}/x`, sandbox.worktree("x"));
  },
});

Deno.test({
  name: "shared services that were never started take no other registry's containers",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    const service =
      "{ image: busybox:1.36, command: sleep 1000, init: true, stop_grace_period: 0s }";
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": `services: { web: ${service}, kv: ${service}, pg: ${service} }\n` },
      init: true,
    });
    const { project, folder } = sandbox;
    const root = `${folder}/elsewhere/${project}`;
    await sandbox.git("clone", "--quiet", sandbox.root, root);
    const there = { cwd: root, variables: { PIKO_HOME: `${folder}/other` } };
    await sandbox.pass("init", there);
    await sandbox.write(".piko.yml", "shared: [kv, web]\n");
    await sandbox.pass("create x --no-attach --no-start");
    await sandbox.write(`${root}/.piko.yml`, "shared: [pg, kv]\n");
    await sandbox.pass("create y --no-attach --no-wait", there);
    const running = async () => {
      const containers = await sandbox.engine().listContainers();
      return containers.filter(({ composeProject }) => composeProject === `piko-${project}-shared`)
        .map(({ id, service, state }) => [id, service, state]);
    };
    const before = await running();
    assert.deepEqual(before.map(([, ...rest]) => rest), [["kv", "running"], ["pg", "running"]]);

    const { shared } = await sandbox.json("share");
    assert.deepEqual(shared.map(({ state }) => state), ["missing", "missing"]);
    await t.step("doctor --fix", async () => {
      await doctor(sandbox, ["--fix"]);
      assert.deepEqual(await running(), before);
    });
    for (const command of ["down --shared", "isolate web", "isolate kv", "destroy x --volumes"]) {
      await t.step(command, async () => {
        await sandbox.pass(command);
        assert.deepEqual(await running(), before);
      });
    }
    await sandbox.pass("destroy y --volumes", there);
    await sandbox.pass("isolate pg kv", there);
  },
});
