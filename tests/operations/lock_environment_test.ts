import assert from "node:assert/strict";
import { findLeftProgram } from "../../src/operations/lock_environment.ts";
import type { NamedProcess } from "../../src/programs/processes.ts";

const RECORD = {
  root: "/home/ann/my shop",
  path: "/home/ann/my shop/.piko/worktrees/auth",
  composeProject: "piko-shop-auth",
};

const STARTED = Date.UTC(2026, 0, 1);

function process(pid: number, command: string): NamedProcess {
  return { pid, started: [STARTED - 1000, STARTED], command };
}

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
    const found = findLeftProgram([process(1, command)], RECORD, undefined);
    const name = command.startsWith("git") ? "git worktree" : "docker compose";
    assert.deepEqual(found, { pid: 1, name, end: "kill 1" }, command);
  }
  const processes = others.map((command) => process(1, command));
  assert.equal(findLeftProgram(processes, RECORD, undefined), undefined);
});

Deno.test("findLeftProgram() finds the script of the last step by its process and when that was started", () => {
  const processes = [process(7, "sleep 60"), process(8, "sh -c 'make migrate'")];
  const find = (pid: number, late: number) =>
    findLeftProgram(processes, RECORD, {
      step: "setup",
      detail: { process: { pid, startedAt: new Date(STARTED + late).toISOString() } },
    });
  const found = { pid: 7, name: "scripts.setup", end: "kill -- -7" };
  for (const late of [-2900, 0, 1900]) assert.deepEqual(find(7, late), found, `${late}`);
  for (const late of [-3100, 2100, 3_600_000]) assert.equal(find(7, late), undefined, `${late}`);
  assert.equal(find(9, 0), undefined);
  assert.equal(findLeftProgram(processes, RECORD, { step: "setup", detail: {} }), undefined);
});
