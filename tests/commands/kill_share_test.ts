/**
 * kill -9 after every step that share and isolate record: after `piko doctor --fix` nothing is left over and nothing lost,
 * and the command can be said again.
 */

import assert from "node:assert/strict";
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

/** Proves that `piko doctor --fix` leaves nothing that is wrong. */
async function mend(sandbox: Sandbox): Promise<void> {
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
