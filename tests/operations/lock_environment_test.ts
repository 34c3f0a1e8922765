import assert from "node:assert/strict";
import { findLeftProgram } from "../../src/operations/lock_environment.ts";

const RECORD = {
  root: "/home/ann/my shop",
  path: "/home/ann/my shop/.piko/worktrees/auth",
  composeProject: "piko-shop-auth",
};

Deno.test("findLeftProgram() finds compose and git as piko starts them, and nothing else", () => {
  const left = [
    "docker compose -p piko-shop-auth -f /home/ann/my shop/.piko/worktrees/auth/a.yml up --detach --quiet-pull",
    "/usr/libexec/docker/cli-plugins/docker-compose compose -p piko-shop-auth up --detach -- web",
    "docker compose -p piko-shop-auth down --remove-orphans",
    "docker compose -p piko-shop-auth stop --",
    "docker compose -p piko-shop-auth start -- web",
    "docker compose -p piko-shop-auth -f /a.yml -f /b.yml up --no-start --quiet-pull",
    "docker compose -p piko-shop-auth rm --stop --force -- web",
    "git -C /home/ann/my shop worktree add -- /home/ann/my shop/.piko/worktrees/auth auth",
    "git -C /home/ann/my shop worktree remove --force -- /home/ann/my shop/.piko/worktrees/auth",
  ];
  const others = [
    "docker compose -p piko-shop-auth logs --follow",
    "docker compose -p piko-shop-auth exec web up",
    "docker compose -p piko-shop-auth-2 up --detach",
    "docker compose -p piko-shop-other -f /a.yml up --detach",
    "git -C /home/ann/my shop worktree add -- /home/ann/my shop/.piko/worktrees/other auth",
    "git -C /home/ann/my shop worktree list --porcelain",
    "vim /home/ann/my shop/.piko/worktrees/auth/a.ts",
  ];
  for (const command of left) {
    assert.ok(findLeftProgram([{ pid: 1, command }], RECORD), command);
  }
  const found = findLeftProgram(others.map((command) => ({ pid: 1, command })), RECORD);
  assert.equal(found, undefined);
});
