/**
 * kill -9 after every step that share and isolate record: after `piko doctor --fix` nothing is left over and nothing lost,
 * and the command can be said again.
 */

import assert from "node:assert/strict";
import type { Check } from "../../src/domain/check.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { doctor } from "./doctor.ts";
import { KillPoints } from "./kill_points.ts";

const COMPOSE = `services:
  app: &service
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    healthcheck: { test: [CMD, "true"], interval: 200ms, retries: 1000 }
  kv:
    <<: *service
    ports: ["8025"]
    volumes: [keys:/data]
volumes: { keys: {} }
`;

/** Proves that what doctor says of shared services helps, and that `piko doctor --fix` leaves nothing that is wrong. */
async function mend(sandbox: Sandbox): Promise<void> {
  const isShared = ({ name, ok }: Check) => name === "shared" && !ok;
  for (const { hint } of (await doctor(sandbox)).checks.filter(isShared).slice(0, 1)) {
    await sandbox.pass(hint?.replace(/^piko /, "") ?? "");
    assert.deepEqual((await doctor(sandbox)).checks.filter(isShared), []);
  }
  const { wrong, stderr } = await doctor(sandbox, ["--fix"]);
  assert.deepEqual(wrong, [], stderr);
}

/** Names what runs or is there of the sandbox, without the volumes. */
async function inEngine(sandbox: Sandbox): Promise<string[]> {
  const left = await sandbox.leftInEngine();
  return left.filter((what) => !what.startsWith("volume "))
    .map((what) => what.replace(`piko-${sandbox.project}-`, ""));
}

const OWN = ["container a-app-1", "container a-kv-1", "network a"];
const SHARED = ["container a-app-1", "container shared-kv-1", "network a", "network shared"];

Deno.test({
  name:
    "piko doctor --fix mends what share and isolate have left when they were killed at any step",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const points = new KillPoints(sandbox);
    const project = `piko-${sandbox.project}`;
    await sandbox.pass("create a --no-wait");
    await docker("exec", `${project}-a-kv-1`, "sh", "-c", "echo precious > /data/row");
    const share = await points.stepsOf("share kv --now");
    assert.deepEqual(await inEngine(sandbox), SHARED);
    const isolate = await points.stepsOf("isolate kv --now");
    assert.deepEqual(await inEngine(sandbox), OWN);

    // Each kill of share is followed by one of isolate, since either of them begins where the other has ended.
    for (let index = 0; index < Math.max(share.length, isolate.length); index++) {
      const [toShare, toIsolate] = [share[index], isolate[index]];
      await t.step(`share: ${toShare ?? "whole"}`, async () => {
        if (toShare !== undefined) {
          await points.killAfter("share kv --now", share, index);
          await mend(sandbox);
        }
        await sandbox.pass("share kv --now --no-wait");
        assert.deepEqual(await inEngine(sandbox), SHARED);
        await docker("exec", `${project}-a-app-1`, "ping", "-c", "1", "-W", "5", "kv");
        const { shared } = await sandbox.json("share");
        assert.deepEqual(shared.flatMap(({ users }) => users), ["a"]);
      });
      await t.step(`isolate: ${toIsolate ?? "whole"}`, async () => {
        if (toIsolate !== undefined) {
          await points.killAfter("isolate kv --now", isolate, index);
          await mend(sandbox);
        }
        await sandbox.pass("isolate kv --now --no-wait");
        assert.deepEqual(await inEngine(sandbox), OWN);
        const row = await docker("exec", `${project}-a-kv-1`, "cat", "/data/row");
        assert.equal(row, "precious", "its own volume was kept");
      });
    }
    await sandbox.pass("destroy a --volumes");
    await docker("volume", "rm", `${project}-shared_keys`);
  },
});

Deno.test({
  name: "piko doctor --fix says why a shared service could not be mended, and what helps",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    await sandbox.pass("share kv --no-wait");
    await sandbox.pass("create a --no-wait");
    await docker("rm", "--force", `piko-${sandbox.project}-shared-kv-1`);
    await sandbox.write("compose.yaml", `${COMPOSE}broken: true\n`);
    const { checks } = await doctor(sandbox, ["--fix"]);
    const { message, hint } = checks.find(({ name, ok }) => name === "shared" && !ok) ?? {};
    assert.match(
      message ?? "",
      /The shared kv, which a uses, has no container .*It was not mended: /,
    );
    assert.match(message ?? "", /mended: The compose file is not valid$/);
    assert.match(hint ?? "", /Docker Compose/);
    await sandbox.write("compose.yaml", COMPOSE);
    await mend(sandbox);
    // Somebody connects it again by hand, and leaves out the names by which it is expected there.
    const place = [`piko-${sandbox.project}-a`, `piko-${sandbox.project}-shared-kv-1`];
    for (const command of ["doctor --fix", "up a --no-wait"]) {
      await docker("network", "disconnect", ...place);
      await docker("network", "connect", ...place);
      const { wrong } = await doctor(sandbox);
      assert.equal(wrong.length, 1, wrong.join("\n"));
      assert.match(
        wrong[0] ?? "",
        /The shared kv is not to be found on network \S+-a by the names/,
      );
      if (command.startsWith("doctor")) await mend(sandbox);
      else await sandbox.pass(command);
      assert.deepEqual((await doctor(sandbox)).wrong, []);
      const app = `piko-${sandbox.project}-a-app-1`;
      await docker("exec", app, "ping", "-c", "1", "-W", "5", "kv");
    }
    // Only the environment's own branch still has the service.
    await sandbox.write("compose.yaml", COMPOSE.replace("  kv:\n", "  kv9:\n"));
    await docker("rm", "--force", place[1] ?? "");
    const gone = /The shared "kv" is no service of the compose file of \S+ any more/;
    assert.match(await sandbox.fail("up a --no-wait", 3), gone);
    const fixed = (await doctor(sandbox, ["--fix"])).checks.find(({ name, ok }) =>
      name === "shared" && !ok
    );
    assert.match(fixed?.message ?? "", gone);
    assert.equal(fixed?.hint, `piko -C ${sandbox.root} isolate kv --now`);
    await sandbox.pass("isolate kv --now --no-wait");
    assert.deepEqual((await doctor(sandbox)).wrong, []);
    assert.deepEqual(await inEngine(sandbox), OWN);
    await sandbox.pass("destroy a --volumes");
    await docker("volume", "rm", `piko-${sandbox.project}-shared_keys`);
  },
});

Deno.test({
  name:
    "piko doctor --fix keeps the volumes of shared services that nobody has any more for those who share them next",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const name = `piko-${sandbox.project}-shared`;
    const inShared = (command: string) => docker("exec", `${name}-kv-1`, "sh", "-c", command);
    await sandbox.pass("share kv");
    await inShared("echo precious > /data/row");
    // Started again by hand with the file that piko had written.
    const override = `${sandbox.folder}/docker-compose.piko.yml`;
    await Deno.copyFile(`${sandbox.root}/.piko/shared/docker-compose.piko.yml`, override);
    await sandbox.pass("isolate kv");
    const files = ["-f", `${sandbox.root}/compose.yaml`, "-f", override];
    await docker("compose", "-p", name, ...files, "up", "--detach", "kv");
    const { wrong, fixed } = await doctor(sandbox, ["--fix"]);
    assert.deepEqual(wrong, []);
    assert.match(fixed.join("\n"), /Removed containers \S+-shared-kv-1 .*_keys stays/);
    await sandbox.pass("share kv");
    assert.equal(await inShared("cat /data/row"), "precious");
    await sandbox.pass("isolate kv --volumes");
  },
});
