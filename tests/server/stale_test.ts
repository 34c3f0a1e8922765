/**
 * A listing that fails, as when a file system does not answer, is tried again, and so is one of an engine that has told of
 * more than it lists: what it was begun for is shown then.
 */

import assert from "node:assert/strict";
import type { EnvironmentState } from "../../src/domain/api.ts";
import type { Service } from "../../src/domain/environment.ts";
import { docker, eventually, WEB_SERVICE } from "../containers.ts";
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

/** A service that runs until it is told to fail. */
const FAILING = `services:
  web:${WEB_SERVICE}
  job:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sh -c 'rm -f /end; until [ -e /end ]; do sleep 0.05; done; exit 3'
`;

Deno.test({
  name: "piko server shows what became of a container that died, and asks when a person refreshes",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      // A window that begins its `docker exec` just when the container is paused blocks the engine for good.
      files: { "compose.yml": FAILING, ".piko.yml": "ignore: [web, job]\n" },
      init: true,
    });
    await sandbox.pass("create one --no-attach");
    await using server = await Server.start(sandbox);
    const container = (service: string) => `piko-${sandbox.project}-one-${service}-1`;
    const ask = async (path: string) => {
      const answer = await fetch(`${server.origin}${path}`, { headers: await server.key() });
      assert.equal(answer.status, 200, path);
      return answer;
    };
    const services = async (): Promise<Service[]> =>
      (await (await ask("/api/environments/one")).json()).services;
    await using events = new Reading();
    await events.open(server, "/api/events");
    /** Waits until pages were told last that a service's container is in this state. */
    const seen = (service: string, wanted: string) =>
      inTime(events.until(() => {
        const told = events.told.flatMap((event): EnvironmentState[] =>
          event.type === "snapshot"
            ? event.environments
            : event.type === "environment"
            ? [event]
            : []
        ).at(-1);
        return told?.services.find((one) => one.service === service)?.state === wanted;
      }));

    await t.step("one that ends by itself", async () => {
      for (let round = 0; round < 3; round++) {
        await docker("start", container("job"));
        await seen("job", "running");
        await docker("exec", container("job"), "touch", "/end");
        await seen("job", "exited");
        const [job] = await services();
        assert.deepEqual([job?.state, job?.exitCode], ["exited", 3]);
      }
    });

    await t.step("one that is killed", async () => {
      await docker("kill", container("web"));
      await seen("web", "exited");
      const { environments: [environment] } = await (await ask("/api/environments")).json();
      assert.equal(environment.status, "stopped");
    });

    await t.step("one that pauses", async () => {
      await docker("start", container("web"));
      await seen("web", "running");
      await docker("pause", container("web"));
      await seen("web", "paused");
      await docker("unpause", container("web"));
      await seen("web", "running");
    });

    await t.step(
      "a person who refreshes or reloads has it ask the engine, a program not",
      async () => {
        const shown = async () => (await services())[1]?.container;
        const login = await fetch(server.loginUrl, { redirect: "manual" });
        const [cookie = ""] = (login.headers.get("set-cookie") ?? "").split(";");
        // A new name is nothing that the server listens for.
        await docker("rename", container("web"), `${container("web")}-reloaded`);
        for (let count = 0; count < 5; count++) assert.equal(await shown(), container("web"));
        const reloaded = await fetch(server.origin, {
          headers: { cookie, "sec-fetch-site": "none", "sec-fetch-mode": "navigate" },
        });
        assert.equal(reloaded.status, 200, await reloaded.text());
        await eventually(async () => await shown() === `${container("web")}-reloaded`);
        await docker("rename", `${container("web")}-reloaded`, container("web"));
        assert.equal(await shown(), `${container("web")}-reloaded`);
        await using refreshed = new Reading();
        await refreshed.open(server, "/api/events");
        await eventually(async () => await shown() === container("web"));
      },
    );
  },
});
