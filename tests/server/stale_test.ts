/** A listing that fails, as when a file system does not answer, is tried again: what it was begun for is shown then. */

import assert from "node:assert/strict";
import { damageRegistry } from "../damaged_registry.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { inTime, Reading } from "./reading.ts";

Deno.test({
  name: "piko server shows what changed while it could not look, once it can look again",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    await using server = await Server.start(sandbox);
    await using events = new Reading();
    await events.open(server, "/api/events");
    const worktree = sandbox.worktree("one");
    /** Waits until it has looked at the worktree, which it does now and then. */
    const seen = (wanted: string) =>
      events.until(() => {
        const last = events.told.findLast(({ type }) => type === "environment");
        return last?.type === "environment" && last.environment.name === "one" &&
          last.environment.status === wanted;
      });
    await Deno.rename(worktree, `${worktree}.aside`);
    await seen("missing");
    await Deno.rename(`${worktree}.aside`, worktree);
    await seen("simple");
    await Deno.rename(worktree, `${worktree}.aside`);
    // Nobody can look into a link that leads to itself.
    await Deno.symlink(worktree, worktree);
    await sandbox.pass("create two --no-attach");
    const isShown = () =>
      events.told.some((event) =>
        event.type === "environment" && event.environment.name === "two" &&
        event.environment.status === "simple"
      );
    // Whoever asks has it look, in vain.
    const answer = await fetch(`${server.origin}/api/environments`, {
      headers: await server.key(),
    });
    await answer.body?.cancel();
    await until("that it says so", () => server.said.includes("piko server goes on"));
    assert.ok(!isShown());
    const told = server.said.split("\n").filter((line) => line.includes("goes on")).length;
    assert.ok(told <= 2, server.said);
    await Deno.remove(worktree);
    await Deno.rename(`${worktree}.aside`, worktree);
    await inTime(events.until(isShown));
  },
});

Deno.test({
  name:
    "piko server tells of a damaged registry as such, and not as of a worktree that git cannot read",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    await using server = await Server.start(sandbox);
    const ask = async () => {
      const url = `${server.origin}/api/projects/${sandbox.project}/environments/one`;
      const answer = await fetch(url, { headers: await server.key() });
      return { status: answer.status, text: await answer.text() };
    };
    assert.equal((await ask()).status, 200);
    {
      await using _damage = await damageRegistry(sandbox, server.pid, "carried");
      const { status, text } = await ask();
      assert.equal(status, 500, text);
      assert.match(text, /The registry \S+ is damaged/);
    }
    assert.equal((await ask()).status, 200);
  },
});
