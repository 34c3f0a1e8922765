/**
 * What `piko isolate` has kept of a service that was shared stays, whatever fails afterwards: its volumes, with and without a
 * name, its data folder, and that it is isolated; and what another registry shares under the same name is not touched.
 */

import assert from "node:assert/strict";
import { openRegistry } from "../../src/registry.ts";
import { SHARED_NAME } from "../../src/domain/names.ts";
import { acquireLock } from "../../src/store/locks.ts";
import { Background } from "../background.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { doctor } from "./doctor.ts";
import { KillPoints } from "./kill_points.ts";

const NEEDS = needs("git", "engine", "compose", "images");

/** A service with data in a named volume, in one without a name, and in a folder; and one that uses it. */
const compose = (command = "sleep 1000") =>
  `services:
  kv:
    image: busybox:1.36
    command: ${command}
    init: true
    stop_grace_period: 0s
    volumes: [keys:/data, /scratch, "\${PIKO_DATA_DIR:-/tmp}/kv:/files"]
  app:
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
volumes: { keys: {} }
`;

const FAILING = "scripts: { prepare: exit 1 }\n";

/** Lists the volumes of the shared `kv`, which must run. */
async function volumesOfShared({ project }: Sandbox): Promise<string[]> {
  const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}';
  const names = await docker("inspect", "--format", format, `piko-${project}-shared-kv-1`);
  return names.trim().split(" ").sort();
}

/** What is said of a volume that nothing finds again. */
function told(volume: string | undefined): string {
  return `${volume} has no name and is not found again: docker run --rm -it -v ${volume}:/volume busybox`;
}

async function requireThere(volumes: readonly string[]): Promise<void> {
  const known = (await docker("volume", "ls", "--quiet")).split("\n");
  assert.deepEqual(volumes.filter((name) => !known.includes(name)), [], "volumes are gone");
}

/** Names the services that are recorded as isolated. */
function isolated(sandbox: Sandbox): string[] {
  using registry = openRegistry({
    variables: sandbox.variables,
    command: "piko test",
    block: true,
    create: false,
  });
  return registry.shared.list(1).filter(({ state }) => state === "isolated")
    .map(({ service }) => service);
}

Deno.test({
  name: "what piko isolate has kept outlives whatever fails afterwards",
  ...NEEDS,
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": compose(), ".piko.yml": "" },
      init: true,
    });
    const dataDir = `${sandbox.root}/.piko/data/.shared`;
    const data = `${dataDir}/kv`;
    await t.step("a create that fails leaves no volume that it has made", async () => {
      await sandbox.write(".piko.yml", FAILING);
      await sandbox.fail("create x --no-attach --no-wait --shared kv", 1);
      await sandbox.write(".piko.yml", "");
      assert.deepEqual(await sandbox.leftInEngine(), []);
    });
    await sandbox.pass("share kv --no-wait");
    const volumes = await volumesOfShared(sandbox);
    assert.equal(volumes.length, 2);
    await sandbox.write(`${data}/rows`, "precious\n");

    await t.step("isolate itself keeps the data folder, and says so", async () => {
      const { exitCode, stderr } = await sandbox.piko(["isolate", "kv"]);
      assert.equal(exitCode, 0, stderr);
      await requireThere(volumes);
      assert.equal(await Deno.readTextFile(`${data}/rows`), "precious\n");
      assert.ok(stderr.includes(dataDir), stderr);
      // Only what has a name is found again.
      const [named, anonymous] = volumes.toSorted().reverse();
      assert.ok(stderr.includes(`piko share finds ${named} again; docker volume rm `), stderr);
      assert.ok(stderr.includes(told(anonymous)), stderr);
    });
    await t.step("a create that is not started, and fails", async () => {
      await sandbox.write(".piko.yml", FAILING);
      await sandbox.fail("create x --no-attach --no-start --shared kv", 1);
      await requireThere(volumes);
      assert.equal(await Deno.readTextFile(`${data}/rows`), "precious\n");
    });
    await t.step("a create that fails when the shared service runs", async () => {
      const said = await sandbox.fail("create x --no-attach --no-wait --shared kv", 1);
      await requireThere(volumes);
      const kept = volumes.toSorted().join(" ");
      assert.match(
        said,
        new RegExp(`Removed the shared kv; .* \\(docker volume rm ${kept} removes`),
      );
      await sandbox.write(".piko.yml", "");
    });
    await t.step("a share that does not get ready", async () => {
      await sandbox.write("compose.yaml", compose("'false'"));
      await sandbox.fail("share kv", 1);
      await requireThere(volumes);
      await sandbox.write("compose.yaml", compose());
    });
    await t.step("a create that was killed while it shared, and doctor", async () => {
      const points = new KillPoints(sandbox);
      const command = "create x --no-attach --no-start --shared kv";
      const steps = await points.stepsOf(command);
      await sandbox.pass("destroy x --delete-branch");
      await sandbox.pass("isolate kv");
      for (const [index, step] of steps.entries()) {
        if (!step.startsWith("share ")) continue;
        await points.killAfter(command, steps, index);
        const { wrong } = await doctor(sandbox, ["--fix"]);
        assert.deepEqual(wrong, [], step);
        await requireThere(volumes);
      }
    });
    await t.step("an isolate --volumes of another service", async () => {
      await sandbox.pass("share kv app --no-wait");
      const latest = await volumesOfShared(sandbox);
      await sandbox.pass("isolate kv");
      const { exitCode, stderr } = await sandbox.piko(["isolate", "app", "--volumes"]);
      assert.equal(exitCode, 0, stderr);
      assert.doesNotMatch(stderr, /with the volume/);
      await requireThere([...volumes, ...latest]);
      // The next share and isolate do not find the one without a name.
      const anonymous = latest.filter((name) => !volumes.includes(name));
      assert.ok(stderr.includes(volumes.find((name) => name.endsWith("_keys")) ?? "?"), stderr);
      await docker("volume", "rm", ...anonymous);
      // The data folder goes with the last one, whoever has written to it.
      assert.ok(stderr.includes(`Removed the data of the shared services: ${dataDir}\n`), stderr);
      await sandbox.write(`${data}/rows`, "precious\n");
    });
    await t.step("shared again, it has them again; and --volumes removes its own", async () => {
      await sandbox.pass("share kv --no-wait");
      const own = await volumesOfShared(sandbox);
      const earlier = volumes.filter((name) => !own.includes(name));
      assert.ok(own.includes(`piko-${sandbox.project}-shared_keys`));
      assert.equal(
        await docker("exec", `piko-${sandbox.project}-shared-kv-1`, "cat", "/files/rows"),
        "precious",
      );
      const { exitCode, stderr } = await sandbox.piko(["isolate", "kv", "--volumes"]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(await sandbox.exists(data), false);
      const known = (await docker("volume", "ls", "--quiet")).split("\n");
      assert.deepEqual(own.filter((name) => known.includes(name)), []);
      assert.ok(stderr.includes(`removed kv, with the volumes ${own.join(", ")}`), stderr);
      // What an earlier one has left was kept on purpose.
      assert.equal(earlier.length, 1);
      await requireThere(earlier);
      assert.match(stderr, new RegExp(`Volumes stay: .*${earlier[0]}`));
      await docker("volume", "rm", ...earlier);
    });
  },
});

Deno.test({
  name: "a share that fails leaves isolated what was isolated, and an up that waits heeds it",
  ...NEEDS,
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": compose(), ".piko.yml": "shared: [kv]\n" },
      init: true,
    });
    await sandbox.pass("share kv --no-wait");
    await sandbox.pass("isolate kv --volumes");
    assert.deepEqual(isolated(sandbox), ["kv"]);
    await t.step("a share that fails", async () => {
      await sandbox.write("compose.yaml", compose("'false'"));
      await sandbox.fail("share kv", 1);
      assert.deepEqual(isolated(sandbox), ["kv"]);
      await sandbox.write("compose.yaml", compose());
    });
    await t.step("one that was killed", async () => {
      const points = new KillPoints(sandbox);
      const steps = await points.stepsOf("share kv --no-wait");
      await sandbox.pass("isolate kv --volumes");
      for (const [index, step] of steps.slice(0, -1).entries()) {
        await points.killAfter("share kv --no-wait", steps, index);
        const { wrong } = await doctor(sandbox, ["--fix"]);
        assert.deepEqual(wrong, [], step);
        assert.deepEqual(isolated(sandbox), ["kv"], step);
      }
    });
    await t.step("an up that waits while somebody isolates", async () => {
      await sandbox.pass("share kv --no-wait");
      await sandbox.pass("create x --no-attach --no-start");
      const lock = await acquireLock(`${sandbox.folder}/piko/locks`, `1.${SHARED_NAME}`, {
        command: "piko test",
        block: true,
      });
      await using up = Background.piko(sandbox, ["up", "x"]);
      await up.said("Waiting for piko test");
      {
        using registry = openRegistry({
          variables: sandbox.variables,
          command: "piko test",
          block: true,
          create: false,
        });
        registry.shared.setState(1, ["kv"], "leaving");
      }
      lock.release();
      assert.equal(await up.ended(), 0, up.stderr.join("\n"));
      const [environment] = (await sandbox.json("list")).environments;
      assert.equal(environment?.containers.total, 2, "it has its own kv");
      await sandbox.pass("destroy x --volumes");
      // The shared one has gone with its last user, which never takes volumes along.
      const left = await sandbox.leftInEngine();
      assert.deepEqual(left, [`volume piko-${sandbox.project}-shared_keys`]);
      await docker("volume", "rm", left[0]?.replace("volume ", "") ?? "");
    });
  },
});

Deno.test({
  name:
    "volumes without a name, of a service that was moved, go with destroy --volumes or are named",
  ...NEEDS,
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": compose() },
      init: true,
    });
    const named = `piko-${sandbox.project}-x_keys`;
    /** Creates an environment, moves it to the shared service, and tells the volumes that it has left behind. */
    const createAndMove = async (): Promise<string[]> => {
      await sandbox.pass("create x --no-attach --no-wait");
      const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}';
      const container = `piko-${sandbox.project}-x-kv-1`;
      const volumes = (await docker("inspect", "--format", format, container)).trim().split(" ");
      assert.equal(volumes.length, 2);
      const { exitCode, stderr } = await sandbox.piko(["share", "kv", "--now", "--no-wait"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, new RegExp(`Moved x to the shared kv; kept its volumes: .*${named}`));
      assert.ok(stderr.includes(told(volumes.find((name) => name !== named))), stderr);
      await requireThere(volumes);
      assert.deepEqual((await doctor(sandbox)).wrong, []);
      return volumes;
    };
    await t.step("with --volumes", async () => {
      const volumes = await createAndMove();
      const { exitCode, stderr } = await sandbox.piko([
        "destroy",
        "x",
        "--volumes",
        "--delete-branch",
      ]);
      assert.equal(exitCode, 0, stderr);
      const gone = volumes.toSorted().join(", ");
      assert.ok(stderr.includes(`removed, with the volumes ${gone}`), stderr);
      await sandbox.pass("isolate kv --volumes");
      const known = (await docker("volume", "ls", "--quiet")).split("\n");
      assert.deepEqual(volumes.filter((name) => known.includes(name)), []);
    });
    await t.step("without", async () => {
      const volumes = await createAndMove();
      const { exitCode, stderr } = await sandbox.piko(["destroy", "x"]);
      assert.equal(exitCode, 0, stderr);
      await sandbox.pass("isolate kv --volumes");
      const kept = volumes.toSorted();
      assert.ok(stderr.includes(`Volumes stay: ${kept.join(", ")}\n`), stderr);
      assert.ok(
        stderr.includes(
          `create x finds ${named} again; docker volume rm ${kept.join(" ")} removes them`,
        ),
        stderr,
      );
      await docker("volume", "rm", ...kept);
    });
  },
});

Deno.test({
  name: "what another registry shares under the same name stays as it is",
  ...NEEDS,
  async fn() {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": compose(), ".piko.yml": FAILING },
      init: true,
    });
    await sandbox.pass("share kv --no-wait");
    const volumes = await volumesOfShared(sandbox);
    const before = await sandbox.leftInEngine();
    const root = `${sandbox.folder}/elsewhere/${sandbox.project}`;
    await sandbox.git("clone", "--quiet", sandbox.root, root);
    const there = { cwd: root, variables: { PIKO_HOME: `${sandbox.folder}/other` } };
    await sandbox.pass("init", there);
    await sandbox.fail("create x --no-attach --no-start --shared kv", 1, there);
    assert.deepEqual(await sandbox.leftInEngine(), before);
    await requireThere(volumes);
    await sandbox.write(`${root}/.piko.yml`, "");
    await sandbox.pass("create x --no-attach --no-start --shared kv", there);
    await sandbox.pass("up x --no-wait", there);
    const [theirs] = (await sandbox.json("share", there)).shared;
    assert.notEqual(theirs?.container, `piko-${sandbox.project}-shared-kv-1`);
    await sandbox.pass("destroy x --volumes", there);
    await sandbox.pass("isolate kv --volumes", there);
    assert.deepEqual(await sandbox.leftInEngine(), before);
    await sandbox.pass("isolate kv --volumes");
  },
});
