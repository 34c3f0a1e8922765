/** Where piko is started: linked worktrees of the repository, and folders whose names a shell reads otherwise. */

import assert from "node:assert/strict";
import { tryRun } from "../../src/programs/run.ts";
import { needs } from "../needs.ts";
import { PIKO, Sandbox } from "../sandbox.ts";
import { refuses } from "./refusal.ts";

Deno.test({
  name: "a linked worktree that piko has not made belongs to the project of its repository",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      init: true,
      files: { "lib/README.md": "# Sample\n" },
    });
    await sandbox.pass("create work");
    const linked = `${sandbox.folder}/linked`;
    const cwd = `${linked}/lib`;
    await sandbox.git("worktree", "add", "--quiet", "-b", "linked", linked);
    await t.step("its environments are listed, named, made and completed there", async () => {
      const { environments } = await sandbox.json("list", { cwd });
      assert.deepEqual(environments.map(({ name }) => name), ["work"]);
      assert.equal((await sandbox.json("env work", { cwd })).PIKO_ROOT, sandbox.root);
      assert.equal((await sandbox.json("status", { cwd })).project.name, sandbox.project);
      assert.match(await sandbox.pass("complete zsh -- destroy w", { cwd }), /^work\b/m);
      await sandbox.pass("create more", { cwd });
      assert.ok(await sandbox.exists(sandbox.worktree("more")));
    });
    await t.step("it is no environment of its own, and init says whose it is", async () => {
      assert.match(await sandbox.fail("destroy", 2, { cwd }), /Which environment\?/);
      await refuses(sandbox, ["init"], {
        code: "conflict",
        message: new RegExp(
          `${linked} is a linked worktree of ${sandbox.root}, which is project "${sandbox.project}"`,
        ),
        hint: /^piko create NAME$/,
      }, { cwd });
    });
    await t.step("a submodule and a repository of its own do not belong to it", async () => {
      const own = `${linked}/own`;
      await sandbox.run(["git", "init", "--quiet", own]);
      assert.match(await sandbox.fail("list", 3, { cwd: own }), /is in no piko project/);
      await Deno.remove(`${own}/.git`, { recursive: true });
      await Deno.writeTextFile(`${own}/.git`, `gitdir: ${sandbox.root}/.git/modules/own\n`);
      assert.match(await sandbox.fail("list", 3, { cwd: own }), /is in no piko project/);
    });
    await t.step("one whose entry git has lost belongs to nothing", async () => {
      await Deno.remove(`${sandbox.root}/.git/worktrees/linked`, { recursive: true });
      assert.match(await sandbox.fail("list", 3, { cwd }), /is in no piko project/);
    });
  },
});

Deno.test({
  name: "a project within a worktree stands for itself, and its worktrees for its environments",
  ...needs("git"),
  fn: async () => {
    // Listed before the one inside.
    await using sandbox = await Sandbox.create({ init: true, project: "a-outer" });
    await sandbox.pass("create around");
    const inner = `${sandbox.worktree("around")}/z-inner`;
    await sandbox.run(["git", "init", "--quiet", inner]);
    await sandbox.run(["git", "-C", inner, "commit", "--quiet", "--allow-empty", "-m", "Begin"]);
    await sandbox.pass("init", { cwd: inner });
    await sandbox.pass("create within", { cwd: inner });

    const cwd = `${inner}/.piko/worktrees/within`;
    assert.equal((await sandbox.json("env", { cwd })).PIKO_ENV_NAME, "within");
    assert.match(await sandbox.fail("destroy", 2, { cwd: inner }), /Which environment\?/);
    await sandbox.pass("destroy", { cwd });
    const { environments } = await sandbox.json("list --all");
    assert.deepEqual(environments.map(({ name }) => name), ["around"]);
  },
});

Deno.test({
  name: "the commands that piko shows can be pasted where a folder has spaces and quotes",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create();
    const cwd = `${sandbox.folder}/it's "my" $HOME folder`;
    await sandbox.run(["cp", "-R", sandbox.root, cwd]);
    await sandbox.pass("init --name odd", { cwd });
    const { exitCode, stderr } = await sandbox.piko(["create", "work"], { cwd });
    assert.equal(exitCode, 0, stderr);
    const worktree = `${cwd}/.piko/worktrees/work`;
    const enter = /^ {2}(cd .+)$/m.exec(stderr)?.[1] ?? "";
    assert.equal(await sandbox.run(["sh", "-c", `${enter} && pwd`]), worktree);

    await sandbox.run(["git", "-C", worktree, "worktree", "lock", "."]);
    const locked = await refuses(sandbox, ["destroy", "work"], {
      code: "conflict",
      message: /is locked/,
      hint: /worktree unlock/,
    }, { cwd });
    await sandbox.run(["sh", "-c", locked.hint]);

    await sandbox.pass("destroy work", { cwd });
    await Deno.mkdir(worktree);
    const taken = await refuses(sandbox, ["create", "work"], {
      code: "conflict",
      message: /is there already/,
      hint: /: mv /,
    }, { cwd });
    await sandbox.run(["sh", "-c", taken.hint.replace(/^.*: /, "")]);
    assert.ok(await sandbox.exists(`${worktree}.old`));

    await Deno.rename(`${cwd}/.piko/worktrees`, `${cwd}/.piko/aside`);
    await Deno.writeTextFile(`${cwd}/.piko/worktrees`, "");
    const blocked = await refuses(sandbox, ["create", "work"], {
      code: "failed",
      message: /Cannot create/,
      hint: /: ls -ld /,
    }, { cwd });
    await sandbox.run(["sh", "-c", blocked.hint.replace(/^.*?: /, "")]);
  },
});

Deno.test({
  name: "piko create names the folder that it may not write into",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    const folder = `${sandbox.root}/.piko/worktrees`;
    await Deno.mkdir(folder);
    await Deno.chmod(folder, 0o555);
    const { exitCode, stderr } = await tryRun([
      ...(Deno.uid() === 0 ? ["setpriv", "--bounding-set=-dac_override", "--"] : []),
      ...[PIKO, "create", "work"],
    ], { cwd: sandbox.root, variables: sandbox.variables });
    assert.equal(exitCode, 1, stderr);
    assert.ok(stderr.endsWith(`\n  → check the rights: ls -ld ${folder}\n`), stderr);
    await Deno.chmod(folder, 0o755);
  },
});
