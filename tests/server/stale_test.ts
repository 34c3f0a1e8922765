/** A listing that fails, as when a file system does not answer, is tried again: what it was begun for is shown then. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Reading } from "./reading.ts";

Deno.test({
  name: "piko server shows what changed while it could not look, once it can look again",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    for (const name of ["one", "two"]) await sandbox.pass(`create ${name} --no-attach`);
    await using server = await Server.start(sandbox);
    await using events = new Reading();
    await events.open(server, "/api/events");
    const worktree = sandbox.worktree("one");
    await Deno.rename(worktree, `${worktree}.aside`);
    // Nobody can look into a link that leads to itself.
    await Deno.symlink(worktree, worktree);
    await sandbox.pass("destroy two");
    const isShown = () => events.told.some(({ type }) => type === "removed");
    await until("that it says so", () => server.said.includes("piko server goes on"));
    assert.ok(!isShown());
    await Deno.remove(worktree);
    await Deno.rename(`${worktree}.aside`, worktree);
    await events.until(isShown);
  },
});
