/**
 * Ctrl+C, and SIGTERM, at every step: create takes everything back and ends with 130, destroy can be said again, and no
 * process stays behind, however deep it was started.
 */

import assert from "node:assert/strict";
import { signalGroup } from "../../src/programs/run.ts";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { writeProgram } from "../program_file.ts";
import { Sandbox, until } from "../sandbox.ts";
import { CREATE_STEPS, DESTROY_STEPS, Holding } from "./broken_off.ts";
import { refuteAccident, stateOf } from "./refusal.ts";

const engine = needs("git", "engine", "compose", "images");

for (
  const [signal, steps] of [
    ["SIGINT", CREATE_STEPS],
    ["SIGTERM", ["worktree", "containers", "setup"]],
  ] as const
) {
  Deno.test({
    name: `piko create takes everything back on ${signal} at every step`,
    ...engine,
    async fn(t) {
      await using holding = await Holding.create();
      const { sandbox } = holding;
      await holding.hold(undefined);
      const before = await stateOf(sandbox);
      for (const step of steps) {
        await t.step(step, async () => {
          await using piko = await holding.createUntil(step);
          // A terminal sends Ctrl+C to all that runs in it, a service manager SIGTERM to piko alone.
          if (signal === "SIGINT") signalGroup(piko.pid, signal);
          else piko.kill(signal);
          const said = piko.stderr.join("\n");
          assert.equal(await piko.ended(), 130, said);
          refuteAccident(piko.stderr.join("\n"));
          assert.deepEqual(
            piko.stderr.filter((line) => line.startsWith("✗ Interrupted")),
            ['✗ Interrupted: environment "one" was not created'],
          );
          await holding.goneWithin(3000);
          await holding.hold(undefined);
          assert.deepEqual(await stateOf(sandbox), before);
        });
      }
    },
  });
}

Deno.test({
  name: "piko create ends with 130 when it is interrupted before it has begun",
  ...needs("git"),
  async fn() {
    await using holding = await Holding.create({ "compose.yaml": "" });
    const { sandbox } = holding;
    await sandbox.git("rm", "--quiet", "compose.yaml");
    await sandbox.git("commit", "--quiet", "--message", "Simple mode");
    await holding.hold("setup");
    const before = await stateOf(sandbox);
    // From the moment that the shell's part is over, which ends at SIGINT as any program does.
    for (const lock of [false, true]) {
      await using piko = Background.piko(sandbox, ["create", "one"]);
      if (lock) {
        await until("the lock", () => sandbox.exists(`${sandbox.variables.PIKO_HOME}/locks`));
      }
      piko.kill("SIGINT");
      assert.equal(await piko.ended(), 130, piko.stderr.join("\n"));
      refuteAccident(piko.stderr.join("\n"));
      assert.deepEqual(await stateOf(sandbox), before);
    }
  },
});

Deno.test({
  name: "piko create ends what ignores SIGTERM, and what has let go of its output",
  ...needs("git"),
  async fn(t) {
    await using holding = await Holding.create({ "compose.yaml": "" });
    const { sandbox } = holding;
    await sandbox.git("rm", "--quiet", "compose.yaml");
    await sandbox.git("commit", "--quiet", "--message", "Simple mode");
    await holding.hold("setup");
    const deep = `sh "$PIKO_ROOT/../home/deep" 2`;
    for (
      const [name, script] of [
        ["in the foreground", `trap "" TERM INT; ${deep}`],
        ["in the background", `(trap "" TERM INT; exec ${deep} >/dev/null 2>&1) & wait`],
      ] as const
    ) {
      await t.step(name, async () => {
        await sandbox.write(".piko.yml", `scripts:\n  setup: '${script}'\n`);
        const before = await stateOf(sandbox);
        await using piko = Background.piko(sandbox, ["create", "one"]);
        await until(
          "the script at work",
          async () => (await holding.held()).some((line) => line.includes("tail -f")),
        );
        piko.kill("SIGINT");
        assert.equal(await piko.ended(), 130, piko.stderr.join("\n"));
        await holding.goneWithin(6000);
        assert.deepEqual(await stateOf(sandbox), before);
      });
    }
  },
});

Deno.test({
  name: "piko create says at the second Ctrl+C that it is tidying up, and leaves it at the third",
  ...engine,
  async fn() {
    await using holding = await Holding.create();
    const { sandbox } = holding;
    await holding.hold(undefined);
    const before = await stateOf(sandbox);
    await holding.hold("setup", { grace: "8s" });
    await using piko = Background.piko(sandbox, ["create", "one"]);
    await until(
      "setup held",
      async () => (await holding.held()).some((line) => line.includes("tail -f")),
    );
    piko.kill("SIGINT");
    await piko.said("Stopping");
    piko.kill("SIGINT");
    await piko.said("once more to leave them as they are");
    const asked = performance.now();
    piko.kill("SIGINT");
    assert.equal(await piko.ended(), 130);
    assert.ok(performance.now() - asked < 5000, "the third Ctrl+C ends it at once");
    assert.equal(await holding.status(), "failed");
    await sandbox.fail("create one", 4);
    await sandbox.pass("destroy one --volumes");
    await holding.hold(undefined);
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko destroy can be said again after Ctrl+C at any step",
  ...engine,
  async fn(t) {
    await using holding = await Holding.create();
    const { sandbox } = holding;
    await holding.hold(undefined);
    const before = await stateOf(sandbox);
    for (const step of DESTROY_STEPS) {
      await t.step(step, async () => {
        await sandbox.pass("create one");
        const made = await stateOf(sandbox);
        await using piko = await holding.destroyUntil(step, "--delete-branch");
        signalGroup(piko.pid, "SIGINT");
        const exitCode = await piko.ended();
        refuteAccident(piko.stderr.join("\n"));
        await holding.goneWithin(3000);
        await holding.hold(undefined);
        // The last steps take milliseconds: piko may have been through with them.
        if (["destroy", "containers"].includes(step) || exitCode !== 0) {
          assert.equal(exitCode, 130, piko.stderr.join("\n"));
          if (step === "destroy") assert.deepEqual(await stateOf(sandbox), made);
          else assert.equal(await holding.status(), "failed");
          await sandbox.pass("destroy one --delete-branch --volumes");
        } else {
          await sandbox.run(["docker", "volume", "rm", `piko-${sandbox.project}-one_data`]);
        }
        assert.deepEqual(await stateOf(sandbox), before);
      });
    }
  },
});

Deno.test({
  name: "piko destroy stops at Ctrl+C while a container takes long to stop",
  ...engine,
  async fn() {
    await using holding = await Holding.create();
    const { sandbox } = holding;
    await holding.hold(undefined, { grace: "20s" });
    await sandbox.pass("create one");
    await using piko = await holding.destroyUntil("containers");
    const asked = performance.now();
    piko.kill("SIGINT");
    assert.equal(await piko.ended(), 130, piko.stderr.join("\n"));
    assert.ok(performance.now() - asked < 8000, "it does not wait for the container");
    assert.equal(await holding.status(), "failed");
    await sandbox.run(["docker", "kill", `piko-${sandbox.project}-one-app-1`]);
    await sandbox.pass("destroy one --delete-branch --volumes");
  },
});

Deno.test({
  name: "piko that waits for another piko ends at once on Ctrl+C",
  ...needs("git"),
  async fn() {
    await using holding = await Holding.create({ "compose.yaml": "" });
    const { sandbox } = holding;
    await sandbox.git("rm", "--quiet", "compose.yaml");
    await sandbox.git("commit", "--quiet", "--message", "Simple mode");
    await using first = await holding.createUntil("setup");
    for (const args of [["create", "one"], ["destroy", "one"], ["up", "one"]]) {
      await using second = Background.piko(sandbox, args);
      await second.said(`Waiting for piko create one (process ${first.pid})`);
      const asked = performance.now();
      second.kill("SIGINT");
      assert.equal(await second.ended(), 130, second.stderr.join("\n"));
      assert.ok(performance.now() - asked < 3000, "it ends at once");
      refuteAccident(second.stderr.join("\n"));
    }
    assert.equal(await holding.status(), "creating");
    first.kill("SIGTERM");
    assert.equal(await first.ended(), 130);
    assert.equal(await holding.status(), undefined);
  },
});

Deno.test({
  name: "piko create takes back also what the engine makes when compose has been broken off",
  ...needs("git", "engine", "compose"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": "services:\n  app: { image: busybox:1.36, command: sleep 1000 }\n" },
      init: true,
    });
    const bin = `${sandbox.folder}/bin`;
    const name = `piko-${sandbox.project}-one`;
    const real = await sandbox.run(["sh", "-c", "command -v docker"]);
    // An engine that is slow: its network comes after the compose that has asked for it is gone.
    await writeProgram(
      `${bin}/late`,
      `#!/bin/sh\nuntil [ -e '${bin}/ended' ]; do sleep 0.05; done\nsleep 0.7\n` +
        `${real} network create --label com.docker.compose.project=${name} --label com.docker.compose.network=default ${name} > '${bin}/made'\n`,
    );
    await writeProgram(
      `${bin}/docker`,
      `#!/bin/sh\ncase "$*" in *" up "*) ;; *) exec ${real} "$@" ;; esac\n` +
        `trap "touch '${bin}/ended'; exit 130" INT TERM\n` +
        `setsid '${bin}/late' > /dev/null 2>&1 &\ntouch '${bin}/asked'\n` +
        `while :; do sleep 0.05; done\n`,
    );
    const PATH = `${bin}:${sandbox.variables.PATH}`;
    await using piko = Background.piko(sandbox, ["create", "one", "--no-attach"], {
      variables: { PATH },
    });
    await until("compose up", () => sandbox.exists(`${bin}/asked`));
    piko.kill("SIGINT");
    assert.equal(await piko.ended(), 130, piko.stderr.join("\n"));
    await until(
      "the network",
      async () => /\w/.test(await Deno.readTextFile(`${bin}/made`).catch(() => "")),
    );
    assert.deepEqual(await sandbox.leftInEngine(), []);
  },
});
