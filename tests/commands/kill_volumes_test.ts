/**
 * kill -9 in what removes volumes: `piko doctor --fix` keeps those that are left and names them with the command that removes
 * them, and the same command, said again, removes them; also those without a name, which nothing leads to any more once
 * their containers are gone.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { type Diagnosed, doctor } from "./doctor.ts";
import { KillPoints } from "./kill_points.ts";

const COMPOSE = `services:
  kv: &service
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    volumes: [keys:/data, /scratch]
  other:
    <<: *service
    volumes: []
volumes: { keys: {} }
`;

const NEEDS = needs("git", "engine", "compose", "images");

Deno.test({
  name: "volumes that a killed destroy --volumes has left are named, or removed by the next",
  ...NEEDS,
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const points = new KillPoints(sandbox);
    const volumes = new Volumes(sandbox, "a");
    await sandbox.pass("create a --no-wait");
    await volumes.remember();
    const command = "destroy a --volumes";
    const steps = await points.stepsOf(command);
    assert.deepEqual(await volumes.left(), []);
    assert.ok(steps.includes("destroy volumes"), steps.join(", "));

    for (const index of volumeSteps(steps)) {
      await t.step(`doctor --fix after ${steps[index]}`, async () => {
        await sandbox.pass("create a --no-wait");
        await volumes.remember();
        await points.killAfter(command, steps, index);
        await volumes.assertTold(await doctor(sandbox, ["--fix"]));
      });
    }
    for (const index of volumeSteps(steps)) {
      await t.step(`again after ${steps[index]}`, async () => {
        await sandbox.pass("create a --no-wait");
        await volumes.remember();
        await points.killAfter(command, steps, index);
        const { exitCode, stderr } = await sandbox.piko(command.split(" "));
        // The last step may have been its end.
        assert.ok(exitCode === 0 || exitCode === 3, stderr);
        assert.deepEqual(await volumes.left(), []);
      });
    }
    await t.step("again, though one in between could not record what it was to do", async () => {
      await sandbox.pass("create a --no-wait");
      await volumes.remember();
      // Somebody uses it, so it outlasts the containers that tell whose it is.
      const user = `piko-${sandbox.project}-user`;
      const [unnamed = ""] = (await volumes.left()).filter((name) => !name.includes("keys"));
      await docker("create", "--name", user, "--volume", `${unnamed}:/used`, "busybox:1.36");
      await sandbox.fail(command, 4);
      assert.deepEqual(await volumes.left(), [unnamed]);
      const refuse = "CREATE TRIGGER test_refuse BEFORE INSERT ON steps " +
        "BEGIN SELECT RAISE(ABORT, 'refused by the test'); END";
      for (const sql of [refuse, "DROP TRIGGER test_refuse"]) {
        {
          using database = new DatabaseSync(`${sandbox.variables.PIKO_HOME}/state.db`, {
            timeout: 10_000,
          });
          database.exec(sql);
        }
        if (sql === refuse) await sandbox.fail(command, 1);
      }
      await docker("rm", user);
      await sandbox.pass(command);
      assert.deepEqual(await volumes.left(), []);
    });
    assert.deepEqual(await sandbox.leftInEngine(), []);
  },
});

Deno.test({
  name: "volumes that a killed isolate --volumes has left are named, or removed by the next",
  ...NEEDS,
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const points = new KillPoints(sandbox);
    const volumes = new Volumes(sandbox, "shared");
    await sandbox.pass("share kv other --no-wait");
    await volumes.remember();
    const command = "isolate kv --volumes";
    const steps = await points.stepsOf(command);
    assert.deepEqual(await volumes.left(), []);
    assert.ok(steps.includes("removal volumes"), steps.join(", "));

    for (const index of volumeSteps(steps)) {
      await t.step(`doctor --fix after ${steps[index]}`, async () => {
        await sandbox.pass("share kv --no-wait");
        await volumes.remember();
        await points.killAfter(command, steps, index);
        await volumes.assertTold(await doctor(sandbox, ["--fix"]));
      });
    }
    for (const index of volumeSteps(steps)) {
      await t.step(`again after ${steps[index]}`, async () => {
        await sandbox.pass("share kv --no-wait");
        await volumes.remember();
        await points.killAfter(command, steps, index);
        await sandbox.piko(command.split(" "));
        assert.deepEqual(await volumes.left(), []);
      });
    }
    await sandbox.pass("isolate other");
    assert.deepEqual(await sandbox.leftInEngine(), []);
  },
});

/** Finds the steps during which volumes may go; kill_test.ts and kill_share_test.ts are for all of them. */
function volumeSteps(steps: readonly string[]): number[] {
  return [...steps.keys()].filter((index) => /containers|volumes/.test(steps[index] ?? ""));
}

/** The volumes of the service `kv`: one with a name, and one that the engine has named. */
class Volumes {
  readonly #sandbox: Sandbox;
  readonly #container: string;
  #names: string[] = [];

  constructor(sandbox: Sandbox, environment: string) {
    this.#sandbox = sandbox;
    this.#container = `piko-${sandbox.project}-${environment}-kv-1`;
  }

  async remember(): Promise<void> {
    const format = "{{range .Mounts}}{{.Name}} {{end}}";
    this.#names = (await docker("inspect", "--format", format, this.#container)).trim().split(" ");
    assert.equal(this.#names.length, 2);
  }

  /** Names those that are there. */
  async left(): Promise<string[]> {
    const there = (await docker("volume", "ls", "--quiet")).split("\n");
    return this.#names.filter((name) => there.includes(name));
  }

  /** Proves that doctor has named those that are there with the command that removes them, and removes them. */
  async assertTold({ wrong, fixed, stderr }: Diagnosed): Promise<void> {
    assert.deepEqual(wrong, [], stderr);
    const left = await this.left();
    const told = fixed.map((line) => line.replaceAll("PROJECT", this.#sandbox.project)).join("\n");
    const removed = /docker volume rm ([^)]+) removes/.exec(told)?.[1]?.split(" ") ?? [];
    assert.deepEqual(removed.sort(), left.sort(), told);
    if (left.length > 0) await docker("volume", "rm", ...left);
  }
}
