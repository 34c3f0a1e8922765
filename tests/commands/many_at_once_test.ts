/** Many pikos at once: on many environments side by side, and two on the same one. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";

const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 8082 -h /tmp
    ports: ["8082"]
`;

interface Listed {
  project: string;
  name: string;
  status: string;
  slot: number;
  composeProject: string;
  ports: { hostPort: number; url: string }[];
}

Deno.test({
  name: "16 piko create at once, over two projects, make 16 environments that share nothing",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "docker-compose.yml": COMPOSE },
      init: true,
      slots: 2,
    });
    const other = `${sandbox.root}-other`;
    await sandbox.run(["git", "clone", "--quiet", sandbox.root, other]);
    await sandbox.pass("init", { cwd: other });
    const wanted = [sandbox.root, other].flatMap((root) =>
      Array.from({ length: 8 }, (_, index) => ({ root, name: `e${index}` }))
    );
    await t.step("made", async () => {
      const outcomes = await Promise.all(
        wanted.map(({ root, name }) =>
          sandbox.piko(["create", name], { cwd: root, timeout: 300_000 })
        ),
      );
      for (const { exitCode, stdout, stderr } of outcomes) {
        assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
      }
    });
    await t.step("with slots, ports, networks, worktrees and containers of their own", async () => {
      const environments: Listed[] = (await sandbox.json("list --all")).environments;
      assert.equal(environments.length, 16);
      assert.deepEqual([...new Set(environments.map(({ status }) => status))], ["running"]);
      const slots = environments.map(({ slot }) => slot).sort((a, b) => a - b);
      assert.deepEqual(slots, Array.from({ length: 16 }, (_, index) => index + sandbox.firstSlot));
      const ports = environments.flatMap((environment) => environment.ports);
      assert.equal(new Set(ports.map(({ hostPort }) => hostPort)).size, 16);
      assert.equal(new Set(environments.map(({ composeProject }) => composeProject)).size, 16);
      const left = await sandbox.leftInEngine();
      assert.equal(left.filter((line) => line.startsWith("container ")).length, 16);
      assert.equal(left.filter((line) => line.startsWith("network ")).length, 16);
      for (const { composeProject, ports } of environments) {
        await docker(
          "exec",
          `${composeProject}-web-1`,
          "sh",
          "-c",
          `echo ${composeProject} > /tmp/who`,
        );
        assert.equal(await (await fetch(`${ports[0]?.url}/who`)).text(), `${composeProject}\n`);
      }
      for (const root of [sandbox.root, other]) {
        const list = await sandbox.run(["git", "worktree", "list", "--porcelain"], root);
        assert.equal(list.match(/^branch refs\/heads\/e\d$/gm)?.length, 8);
      }
    });
    await t.step("and are destroyed at once", async () => {
      const outcomes = await Promise.all(
        wanted.map(({ root, name }) =>
          sandbox.piko(["destroy", name, "--delete-branch"], { cwd: root, timeout: 300_000 })
        ),
      );
      for (const { exitCode, stdout, stderr } of outcomes) {
        assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
      }
      assert.deepEqual((await sandbox.json("list --all")).environments, []);
      assert.deepEqual(await sandbox.leftInEngine(), []);
      for (const root of [sandbox.root, other]) {
        assert.equal((await sandbox.run(["git", "branch"], root)).split("\n").length, 1);
        assert.equal((await sandbox.run(["git", "worktree", "list"], root)).split("\n").length, 1);
      }
    });
  },
});

Deno.test({
  name: "16 piko create of one name at once make one environment, and the others are a conflict",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, () => sandbox.piko(["create", "same"])),
    );
    const exitCodes = outcomes.map(({ exitCode }) => exitCode).sort();
    assert.deepEqual(exitCodes, [0, ...Array.from({ length: 15 }, () => 4)]);
    assert.equal((await sandbox.json("list")).environments.length, 1);
    assert.equal(await sandbox.exists(`${sandbox.worktree("same")}/README.md`), true);
  },
});

Deno.test({
  name: "two commands on one environment never work at once",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        "README.md": "# Sample\n",
        ".piko.yml": `scripts:
  setup: |
    [ "$PIKO_ENV_NAME" = work ] || exit 0
    touch "$PIKO_ROOT/.piko/at-work"
    while [ ! -e "$PIKO_ROOT/.piko/go" ]; do sleep 0.05; done
`,
      },
      init: true,
    });
    /** Starts a create that stays in its setup script until `go` is written. */
    const create = async () => {
      for (const name of ["at-work", "go"]) {
        await Deno.remove(`${sandbox.root}/.piko/${name}`).catch((error: unknown) => {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        });
      }
      const creating = Background.piko(sandbox, ["create", "work"]);
      await until("the setup script", () => sandbox.exists(".piko/at-work"));
      return creating;
    };
    const go = () => sandbox.write(".piko/go", "");
    await t.step("the second says for whom it waits, and goes on after it", async () => {
      await using creating = await create();
      await using destroying = Background.piko(sandbox, ["destroy", "work"]);
      await destroying.said(`Waiting for piko create work (process ${creating.pid})`);
      assert.equal(await sandbox.exists(sandbox.worktree("work")), true);
      await go();
      assert.equal(await creating.ended(), 0);
      assert.equal(await destroying.ended(), 0, destroying.stderr.join("\n"));
      assert.equal(await sandbox.exists(sandbox.worktree("work")), false);
    });
    await t.step("with --no-block it is a conflict", async () => {
      await using creating = await create();
      for (const command of ["destroy", "up", "down", "create"]) {
        const { exitCode, stdout } = await sandbox.piko([command, "work", "--no-block", "--json"]);
        assert.equal(exitCode, 4, command);
        const { error } = JSON.parse(stdout);
        assert.equal(error.code, "conflict");
        assert.equal(
          error.message,
          `"piko create work" (process ${creating.pid}) is at work on it`,
        );
        assert.match(error.hint, /--no-block/);
      }
      await go();
      assert.equal(await creating.ended(), 0);
      await sandbox.pass("destroy work --no-block");
    });
    await t.step("questions, and work on another environment, do not wait", async () => {
      await using creating = await create();
      await sandbox.pass("create other --no-block");
      assert.equal((await sandbox.json("status work")).environment.status, "creating");
      assert.equal((await sandbox.json("env work")).PIKO_ENV_NAME, "work");
      await sandbox.pass("destroy other --no-block");
      await go();
      assert.equal(await creating.ended(), 0);
      await sandbox.pass("destroy work");
    });
    await t.step("the second goes on when the first is killed", async () => {
      await using creating = await create();
      await using destroying = Background.piko(sandbox, ["destroy", "work"]);
      await destroying.said("Waiting for piko create work");
      creating.kill("SIGKILL");
      // Its script is still at work.
      await destroying.said("Waiting for scripts.setup");
      await go();
      assert.equal(await destroying.ended(), 0, destroying.stderr.join("\n"));
      assert.deepEqual((await sandbox.json("list")).environments, []);
      assert.equal(await sandbox.exists(sandbox.worktree("work")), false);
    });
    await t.step("Ctrl+C ends the waiting, and the first goes on", async () => {
      await using creating = await create();
      await using destroying = Background.piko(sandbox, ["destroy", "work"]);
      await destroying.said("Waiting for piko create work");
      destroying.kill("SIGINT");
      assert.equal(await destroying.ended(), 130);
      await go();
      assert.equal(await creating.ended(), 0);
      assert.equal((await sandbox.json("status work")).environment.status, "simple");
    });
  },
});
