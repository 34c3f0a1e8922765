/**
 * kill -9 after every step that create, destroy and up record, in both modes: after `piko doctor --fix` nothing is left over
 * and nothing lost, and the command can be said again.
 */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { writeProgram } from "../program_file.ts";
import { Sandbox, until } from "../sandbox.ts";
import { assertSound, doctor, hintOf } from "./doctor.ts";
import { KillPoints } from "./kill_points.ts";
import { stateOf } from "./refusal.ts";

/** An application with data, and a service that all environments share. */
const COMPOSE = `services:
  app: &service
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    ports: ["8025"]
    volumes: [data:/data]
    healthcheck: { test: [CMD, "true"], interval: 200ms, retries: 1000 }
  kv:
    <<: *service
    volumes: []
volumes: { data: {} }
`;

const CONFIG = `scripts:
  prepare: echo prepared
  setup: echo set up
  destroy: echo destroyed
`;

/** What there is, but for volumes: they are somebody's data, and stay. */
async function stateWithoutVolumes(sandbox: Sandbox): Promise<Record<string, unknown>> {
  const { engine, ...state } = await stateOf(sandbox);
  return { ...state, engine: (engine as string[]).filter((what) => !what.startsWith("volume ")) };
}

/** Proves that `piko doctor --fix` leaves nothing that is wrong. */
async function mend(sandbox: Sandbox): Promise<void> {
  const { wrong, stderr } = await doctor(sandbox, ["--fix"]);
  assert.deepEqual(wrong, [], stderr);
}

const MODES = [
  { mode: "docker", running: "running", files: { "compose.yaml": COMPOSE, ".piko.yml": CONFIG } },
  { mode: "simple", running: "simple", files: { "a.txt": "a\n", ".piko.yml": CONFIG } },
] as const;

for (const { mode, running, files } of MODES) {
  const options = mode === "docker"
    ? needs("git", "tmux", "engine", "compose", "images")
    : needs("git", "tmux");
  const make = async () => {
    const sandbox = await Sandbox.create({ files, init: true });
    if (mode === "docker") await sandbox.pass("share kv --no-wait");
    return sandbox;
  };
  const unmake = async (sandbox: Sandbox) => {
    if (mode === "docker") await sandbox.pass("isolate kv");
  };
  const statusOf = async (sandbox: Sandbox) =>
    (await sandbox.json("list")).environments.find(({ name }) => name === "one")?.status;

  Deno.test({
    name: `piko doctor --fix takes back a create that was killed at any step, in ${mode} mode`,
    ...options,
    async fn(t) {
      await using sandbox = await make();
      const before = await stateOf(sandbox);
      const points = new KillPoints(sandbox);
      const steps = await points.stepsOf("create one");
      await sandbox.pass("destroy one --volumes --delete-branch");
      assert.deepEqual(await stateOf(sandbox), before);
      for (const [index, step] of steps.entries()) {
        await t.step(step, async () => {
          // Each of them says the command of the one before again.
          await points.killAfter("create one", steps, index);
          await mend(sandbox);
          const status = await statusOf(sandbox);
          // With its last step it is whole.
          assert.equal(status, index === steps.length - 1 ? running : undefined);
          if (status !== undefined) await sandbox.pass("destroy one --delete-branch");
          assert.deepEqual(await stateWithoutVolumes(sandbox), before);
        });
      }
      await sandbox.pass("create one");
      assert.equal(await statusOf(sandbox), running);
      await sandbox.pass("destroy one --volumes --delete-branch");
      assert.deepEqual(await stateOf(sandbox), before);
      await unmake(sandbox);
    },
  });

  Deno.test({
    name: `piko doctor --fix finishes a destroy that was killed at any step, in ${mode} mode`,
    ...options,
    async fn(t) {
      await using sandbox = await make();
      const data = `${sandbox.root}/.piko/data/one`;
      await sandbox.git("branch", "one");
      const before = await stateOf(sandbox);
      const points = new KillPoints(sandbox);
      const createWithData = async () => {
        await sandbox.pass("create one --no-wait");
        await sandbox.write(`${data}/rows`, "precious\n");
      };
      await createWithData();
      const steps = await points.stepsOf("destroy one");
      for (const [index, step] of steps.entries()) {
        await t.step(step, async () => {
          await createWithData();
          const made = await stateOf(sandbox);
          await points.killAfter("destroy one", steps, index);
          await mend(sandbox);
          const status = await statusOf(sandbox);
          if (status !== undefined) {
            // Nothing was touched yet: it is what it was.
            assert.deepEqual(await stateOf(sandbox), made);
            await sandbox.pass("destroy one");
          } else if (await sandbox.exists(data)) {
            // Data is never deleted by doctor; what destroy had begun to delete, the user has asked for.
            assert.equal(await Deno.readTextFile(`${data}/rows`), "precious\n");
            await Deno.remove(data, { recursive: true });
          }
          assert.deepEqual(await stateWithoutVolumes(sandbox), before);
        });
      }
      await sandbox.pass("create one --no-wait");
      await sandbox.pass("destroy one --volumes");
      assert.deepEqual(await stateOf(sandbox), before);
      await unmake(sandbox);
    },
  });

  Deno.test({
    name: `piko doctor --fix does an up again that was killed at any step, in ${mode} mode`,
    ...options,
    async fn(t) {
      await using sandbox = await make();
      await sandbox.pass("create one --no-wait");
      const made = await stateOf(sandbox);
      const points = new KillPoints(sandbox);
      const stop = async () => {
        await sandbox.pass("down one");
        await sandbox.tmux("kill-server");
        if (mode === "docker") {
          await Deno.remove(`${sandbox.worktree("one")}/docker-compose.piko.yml`);
        }
      };
      await stop();
      const steps = await points.stepsOf("up one");
      for (const [index, step] of steps.entries()) {
        await t.step(step, async () => {
          await stop();
          await points.killAfter("up one", steps, index);
          await mend(sandbox);
          assert.deepEqual(await sandbox.sessions(), [`piko/${sandbox.project}/one`]);
          await sandbox.pass("up one");
          assert.deepEqual(await stateOf(sandbox), made);
        });
      }
      await sandbox.pass("destroy one --volumes");
      await unmake(sandbox);
    },
  });
}

Deno.test({
  name: "piko doctor --fix repeats no killed down or up over what was done since",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    await sandbox.pass("create one --no-attach");
    /** Kills a command in the moment in which it has compose do `verb`, which never gets to it. */
    const breakOff = async (command: string, verb: "stop" | "up") => {
      const bin = `${sandbox.folder}/bin/${verb}`;
      await Deno.remove(bin, { recursive: true }).catch(() => {});
      await writeProgram(
        `${bin}/docker`,
        `#!/bin/sh\ncase " $* " in *" ${verb} "*) touch '${bin}/held'; until [ -e '${bin}/go' ]; do sleep 0.02; done; exit 1 ;; esac\n` +
          `PATH=\${PATH#*:}\nexec docker "$@"\n`,
      );
      const variables = { PATH: `${bin}:${sandbox.variables.PATH}` };
      await using piko = Background.piko(sandbox, command.split(" "), { variables });
      await until(`${command} held`, () => sandbox.exists(`${bin}/held`));
      piko.kill("SIGKILL");
      assert.equal(await piko.ended(), 137);
      await sandbox.write(`${bin}/go`, "");
    };
    const running = async () => {
      const { services } = await sandbox.json("status one");
      return services.filter(({ state }) => state === "running").map(({ service }) => service);
    };
    const both = ["app", "kv"];

    await t.step("a whole up has ended a killed down", async () => {
      await breakOff("down one", "stop");
      const { wrong } = await doctor(sandbox);
      assert.deepEqual(wrong, [
        'environment: PROJECT/one is half way: piko down was broken off at step "containers"',
      ]);
      await sandbox.pass("up one");
      const { wrong: after, fixed } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual([after, fixed, await running()], [[], [], both]);
    });

    await t.step("an up of one service leaves a person to say what is to be", async () => {
      await breakOff("down one", "stop");
      await sandbox.pass("up one kv");
      const found = await doctor(sandbox, ["--fix"]);
      assert.deepEqual([found.wrong, found.fixed], [[
        'environment: PROJECT/one is half way: piko down was broken off at step "containers", ' +
        "and after it came piko up PROJECT/one kv",
      ], []]);
      assert.deepEqual(await running(), both);
      const { project } = sandbox;
      assert.equal(
        hintOf(found, "is half way"),
        `say which it is to be: piko up ${project}/one, or piko down ${project}/one`,
      );
      await sandbox.pass("down one");
      assert.deepEqual(await running(), []);
      await assertSound(sandbox);
    });

    await t.step("a killed up of all outlasts an up of one", async () => {
      await breakOff("up one", "up");
      await sandbox.pass("up one kv");
      assert.deepEqual(await running(), ["kv"]);
      const { wrong, fixed } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual([wrong, fixed], [[], ["environment: Did again: piko up PROJECT/one"]]);
      assert.deepEqual(await running(), both);
    });

    await t.step("the last of two that were killed is what holds", async () => {
      await breakOff("down one", "stop");
      await breakOff("up one", "up");
      const { wrong, fixed } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual([wrong, fixed], [[], ["environment: Did again: piko up PROJECT/one"]]);
      assert.deepEqual(await running(), both);
      await assertSound(sandbox);
    });
    await sandbox.pass("destroy one --volumes");
  },
});

Deno.test({
  name: "piko doctor names a killed create whose git ends while doctor looks",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const bin = `${sandbox.folder}/bin`;
    const waiting = (file: string) => `until [ -e '${bin}/${file}' ]; do sleep 0.02; done`;
    await writeProgram(
      `${sandbox.root}/.git/hooks/post-checkout`,
      `#!/bin/sh\ntouch '${bin}/held'\n${waiting("go")}\n`,
    );
    // Whoever asks for the processes is told of git, which has ended when they are asked for again.
    await writeProgram(
      `${bin}/ps`,
      `#!/bin/sh\nPATH=\${PATH#*:}\nps "$@" | tee -a '${bin}/told'\ntouch '${bin}/go'\n` +
        `while pgrep -f 'git -C ${sandbox.root} worktree' > '${bin}/pids'; do sleep 0.02; done\n`,
    );
    await using piko = Background.piko(sandbox, ["create", "one"]);
    await until("git's hook", () => sandbox.exists(`${bin}/held`));
    piko.kill("SIGKILL");
    assert.equal(await piko.ended(), 137);
    const PATH = `${bin}:${sandbox.variables.PATH}`;
    const { wrong } = await doctor(sandbox, [], { variables: { PATH } });
    assert.match(await Deno.readTextFile(`${bin}/told`), /git -C \S+ worktree add/);
    assert.deepEqual(wrong, [
      'environment: PROJECT/one was never made completely: piko create was broken off at step "worktree"',
    ]);
    await mend(sandbox);
    assert.deepEqual((await sandbox.json("list")).environments, []);
  },
});
