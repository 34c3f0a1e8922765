/** piko called by git itself, from an alias or a hook: the variables by which git names a repository and its index stay behind. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { PIKO, Sandbox } from "../sandbox.ts";

Deno.test({
  name: "piko called by a git alias in a worktree leaves that worktree's repository to git",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: {
        ".piko.yml":
          "scripts:\n  setup: echo generated > made && git add made && git commit -qm Generated\n" +
          "  run: git rev-parse --show-toplevel\n",
      },
      init: true,
    });
    await sandbox.git("config", "alias.newenv", `!'${PIKO}' create --no-attach`);
    await sandbox.git("config", "alias.pr", `!'${PIKO}' run`);
    await sandbox.pass("create one");
    await sandbox.tmux("kill-server");
    const one = sandbox.worktree("one");
    await sandbox.write(`${one}/mine`, "staged\n");
    const inOne = (...args: string[]) => sandbox.run(["git", ...args], one);
    await inOne("add", "mine");
    const before = await inOne("rev-parse", "HEAD");

    await inOne("newenv", "two");
    assert.equal(await inOne("rev-parse", "HEAD"), before);
    assert.equal(await inOne("status", "--porcelain"), "A  mine");
    const two = sandbox.worktree("two");
    assert.equal(await sandbox.run(["git", "log", "--format=%s", "-1"], two), "Generated");
    assert.equal(await sandbox.run(["git", "status", "--porcelain"], two), "");
    const { stdout } = await sandbox.tmux("show-environment", "-g");
    assert.doesNotMatch(stdout, /^GIT_(DIR|INDEX_FILE|PREFIX|WORK_TREE)=/m);

    assert.equal((await inOne("pr", "two")).split("\n").at(-1), two);
  },
});
