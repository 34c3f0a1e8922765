/**
 * Waiting for another piko: every command that works on an environment says for whom it waits, ends at once when it is
 * told to, changes nothing before its turn, and takes over what a dead process held.
 */

import assert from "node:assert/strict";
import { SHARED_NAME } from "../../src/domain/names.ts";
import { acquireLock } from "../../src/store/locks.ts";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { writeProgram } from "../program_file.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import { stateOf } from "./refusal.ts";

const HOLDER = `Waiting for piko test (process ${Deno.pid})`;

/** Holds the lock of an environment of the sandbox's only project, or of its shared services. */
function hold(sandbox: Sandbox, name: string) {
  return acquireLock(`${sandbox.folder}/piko/locks`, `1.${name}`, {
    command: "piko test",
    block: true,
  });
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Checks that a command waits, says for whom, and ends at once without having done anything. */
async function waits(sandbox: Sandbox, command: string, signal: "SIGINT" | "SIGTERM") {
  await using piko = Background.piko(sandbox, command.split(" "));
  await piko.said(HOLDER);
  piko.kill(signal);
  assert.equal(await piko.ended(), 130, `piko ${command}: ${piko.stderr.join("\n")}`);
  assert.equal(piko.stderr.filter((line) => line.includes("Waiting")).length, 1);
}

Deno.test({
  name: "every command on an environment that is held says for whom it waits, and Ctrl+C ends it",
  ...needs("git", "tmux"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create auth --no-attach");
    const sessions = await sandbox.sessions();
    await sandbox.tmux("kill-server");
    const before = await stateOf(sandbox);
    const commands = [
      "up auth",
      "down auth",
      "restart auth",
      "destroy auth",
      "destroy auth --force",
      "create auth",
    ];
    {
      using _lock = await hold(sandbox, "auth");
      for (const [index, command] of commands.entries()) {
        await t.step(command, async () => {
          await waits(sandbox, command, index % 2 === 0 ? "SIGINT" : "SIGTERM");
          await sandbox.fail(`${command} --no-block`, 4);
        });
      }
      await t.step("attach auth, whose session is gone", async () => {
        await using terminal = await Terminal.open(sandbox);
        await terminal.begin("piko attach auth");
        await terminal.shows(HOLDER);
        await terminal.press("C-c");
        await terminal.ends(130);
      });
      await t.step("and questions do not wait", async () => {
        for (const command of ["list", "status auth", "env auth", "ports auth", "config show"]) {
          await sandbox.pass(command);
        }
        assert.deepEqual(await stateOf(sandbox), before);
      });
    }
    await t.step("a command that waited goes on when its turn comes", async () => {
      const lock = await hold(sandbox, "auth");
      await using piko = Background.piko(sandbox, ["up", "auth"]);
      await piko.said(HOLDER);
      lock.release();
      assert.equal(await piko.ended(), 0, piko.stderr.join("\n"));
      assert.deepEqual(await sandbox.sessions(), sessions);
    });
  },
});

Deno.test({
  name: "a lock whose holder was killed is taken over without waiting",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create auth --no-attach");
    const lock = await hold(sandbox, "auth");
    await using piko = Background.piko(sandbox, ["destroy", "auth"]);
    await piko.said(HOLDER);
    // What a kill leaves: the words of the dead, and a lock that nobody holds.
    lock.abandon();
    assert.equal(await piko.ended(), 0, piko.stderr.join("\n"));
    await sandbox.pass("create auth --no-attach");
    (await hold(sandbox, "auth")).abandon();
    const { stderr } = await sandbox.piko(["destroy", "auth", "--no-block"]);
    assert.doesNotMatch(stderr, /Waiting|at work/);
    assert.deepEqual((await sandbox.json("list")).environments, []);
  },
});

Deno.test({
  name:
    "what a killed piko has left at work is waited for, also by whoever comes after one that gave up",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    const held = `${sandbox.folder}/held`;
    // Where the test fails, git goes on as well.
    await using _release = { [Symbol.asyncDispose]: () => removeIfThere(held) };
    const hook = `${sandbox.root}/.git/hooks/post-checkout`;
    await writeProgram(
      hook,
      `#!/bin/sh\ntouch '${held}'\nwhile [ -e '${held}' ]; do sleep 0.05; done\n`,
    );
    {
      await using piko = Background.piko(sandbox, ["create", "auth", "--no-attach"]);
      await until("git's checkout", () => sandbox.exists(held));
      piko.kill("SIGKILL");
      assert.equal(await piko.ended(), 137);
    }
    await Deno.remove(hook);
    const before = await sandbox.git("worktree", "list");
    // Whoever gives up, or is broken off, leaves it to be found by the next one.
    for (let attempt = 1; attempt <= 2; attempt++) {
      const { exitCode, stdout } = await sandbox.piko(["destroy", "auth", "--no-block", "--json"]);
      const { error } = JSON.parse(stdout);
      assert.equal(exitCode, 4, stdout);
      assert.match(
        error.message,
        /^git worktree \(process \d+\), which a killed piko has left, is at work on it$/,
      );
      assert.match(error.hint, /^wait until it is done, or end it: kill \d+$/);
    }
    await using first = Background.piko(sandbox, ["destroy", "auth"]);
    const waiting = "which a killed piko has left at work";
    await first.said(waiting);
    first.kill("SIGINT");
    assert.equal(await first.ended(), 130);
    assert.equal(await sandbox.git("worktree", "list"), before);
    await using second = Background.piko(sandbox, ["destroy", "auth", "--delete-branch"]);
    await second.said(waiting);
    await Deno.remove(held);
    assert.equal(await second.ended(), 0, second.stderr.join("\n"));
    assert.deepEqual((await sandbox.json("list")).environments, []);
    assert.equal(await sandbox.exists(sandbox.worktree("auth")), false);
  },
});

Deno.test({
  name: "every command on containers that are held says for whom it waits, and Ctrl+C ends it",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml":
          "services:\n  web: { image: busybox:1.36, command: sleep 1000, init: true }\n",
      },
      init: true,
    });
    await sandbox.pass("create auth --no-attach --no-start");
    const before = await stateOf(sandbox);
    const commands = {
      auth: ["up auth", "up auth web", "restart auth", "destroy auth --volumes", "run auth"],
      [SHARED_NAME]: [
        "share web",
        "isolate web",
        "share web --now",
        "isolate web --now",
        "create other --no-attach --shared web",
        "up --shared",
        "down --shared",
        "restart --shared",
      ],
    };
    await sandbox.write(".piko.yml", "scripts: { run: 'true' }\n");
    for (const [name, own] of Object.entries(commands)) {
      using _lock = await hold(sandbox, name);
      for (const command of own) {
        await t.step(command, () => waits(sandbox, command, "SIGINT"));
      }
    }
    await Deno.remove(`${sandbox.root}/.piko.yml`);
    assert.deepEqual(await stateOf(sandbox), before);
  },
});
