/** The setup script of an environment that was made without starting its containers: it waits for the first start of them. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { doctor } from "./doctor.ts";
import { KillPoints } from "./kill_points.ts";

const COMPOSE = `services:
  app: { image: "busybox:1.36", command: sleep 1000, init: true, stop_grace_period: 0s }
  other: { image: "busybox:1.36", command: sleep 1000, init: true, stop_grace_period: 0s }
`;

/** Needs the container, as a migration does, and fails while the file is there. */
const SETUP = 'docker compose -p "$PIKO_PROJECT" exec -T app echo migrated && ! ls not-yet';

Deno.test({
  name: "piko create --no-start leaves the setup script to the first piko up",
  ...needs("git", "engine", "compose", "images", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE, ".piko.yml": `scripts:\n  setup: ${SETUP}\n` },
      init: true,
    });
    const log = (name: string) => `${sandbox.root}/.piko/logs/${name}/setup.log`;
    const { project } = sandbox;

    await t.step("create says so, and runs it not", async () => {
      const { exitCode, stderr } = await sandbox.piko(["create", "one", "--no-start"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^ {2}The setup script runs at the first piko up$/m);
      assert.equal(await sandbox.exists(log("one")), false);
    });

    await t.step("the start of some services leaves it where it is", async () => {
      await sandbox.pass("up one app");
      assert.equal(await sandbox.exists(log("one")), false);
    });

    await t.step("a failure leaves the containers running, and is tried again", async () => {
      await sandbox.write(`${sandbox.worktree("one")}/not-yet`, "");
      const said = await sandbox.fail("up one", 1);
      assert.match(said, /^✗ scripts\.setup failed with exit code 1\n(?: {4}.*\n)+ {2}→ /m);
      assert.ok(said.includes(`${log("one")}; piko up ${project}/one runs it again`), said);
      const [environment] = (await sandbox.json("list")).environments;
      assert.equal(environment?.status, "running");
      await Deno.remove(`${sandbox.worktree("one")}/not-yet`);
      await sandbox.pass("restart one");
      assert.match(await Deno.readTextFile(log("one")), /not-yet/);
      const { exitCode, stderr } = await sandbox.piko(["up", "one"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /│ migrated$/m);
    });

    await t.step("it runs once", async () => {
      await Deno.remove(log("one"));
      await sandbox.pass("down one");
      await sandbox.pass("up one");
      assert.equal(await sandbox.exists(log("one")), false);
    });

    await t.step("killed in it, doctor runs nobody's script, and the next up does", async () => {
      const points = new KillPoints(sandbox);
      await sandbox.pass("create two --no-start");
      const steps = await points.stepsOf("up two --no-wait");
      assert.equal(steps.at(-1), "up setup");
      await sandbox.pass("destroy two --delete-branch");
      await sandbox.pass("create two --no-start");
      await points.killAfter("up two --no-wait", steps, steps.length - 1);
      await Deno.remove(log("two"));
      const { wrong } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(wrong, []);
      assert.equal(await sandbox.exists(log("two")), false);
      await sandbox.pass("up two");
      assert.match(await Deno.readTextFile(log("two")), /^migrated$/m);
    });

    await t.step("with --no-start, an environment without containers has it at once", async () => {
      await sandbox.git("rm", "--quiet", "compose.yaml");
      await sandbox.git("commit", "--quiet", "--message", "Do without containers");
      await sandbox.write(".piko.yml", "scripts: { setup: echo at once }\n");
      await sandbox.pass("create three --no-start");
      assert.equal(await Deno.readTextFile(log("three")), "at once\n");
    });
  },
});
