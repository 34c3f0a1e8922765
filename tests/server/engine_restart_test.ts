/**
 * `piko server` while its engine stops, starts and is killed: every stream goes on, what it says is true at each moment, and
 * nothing has to be started again.
 */

import assert from "node:assert/strict";
import type { EnvironmentState, OperationInFull } from "../../src/domain/api.ts";
import { needsOwnEngine, OwnEngine } from "../own_engine.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Reading } from "./reading.ts";

const COMPOSE = `services:
  count:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sh -c 'i=0; while true; do i=$$((i+1)); echo "tick $$i"; sleep 0.1; done'
`;

Deno.test({
  name: "piko server goes on while its engine stops and starts, and says so",
  ...needsOwnEngine(),
  async fn(t) {
    await using engine = await OwnEngine.start();
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE },
      init: true,
      variables: engine.variables,
    });
    await sandbox.pass("create a");
    await sandbox.pass("create b");
    await using server = await Server.start(sandbox);
    const headers = await server.key();
    const ask = async (path: string, body?: unknown) => {
      const response = await fetch(`${server.origin}${path}`, {
        headers: { ...headers, "content-type": "application/json" },
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      });
      return await response.json();
    };
    const statuses = async () =>
      (await ask("/api/environments")).environments.map(
        ({ name, status }: { name: string; status: string }) => `${name} ${status}`,
      );
    /** Starts an environment through the server, and tells how that has ended. */
    const up = async (name: string) => {
      const { operation: { id } } = await ask(`/api/environments/${name}/up`, {});
      let found: OperationInFull | undefined;
      await until(`the end of piko up ${name}`, async () => {
        found = await ask(`/api/operations/${id}`);
        return found?.operation.state !== "running";
      }, 120_000);
      return found?.operation;
    };
    await using events = new Reading();
    await events.open(server, "/api/events");
    /** What the events have told of an environment last. */
    const told = (name: string) =>
      events.told.flatMap((event): EnvironmentState[] =>
        event.type === "snapshot" ? event.environments : event.type === "environment" ? [event] : []
      ).findLast(({ environment }) => environment.name === name)?.environment.status;
    const reachable = () =>
      events.told.flatMap((event) =>
        event.type === "snapshot" || event.type === "engine" ? [event.engine] : []
      ).at(-1)?.reachable;
    await using logs = new Reading();
    const path = "/api/environments/a/logs?follow=true";
    await logs.open(server, path);
    await logs.until(() => logs.lines.length > 3 && logs.events.at(-1)?.type === "place");
    await events.until(() => events.events.length > 0);
    assert.deepEqual([told("a"), told("b"), reachable()], ["running", "running", true]);

    await t.step("stopped: what runs is unknown, and what needs it says why", async () => {
      await engine.stop();
      await events.until(() => reachable() === false && told("a") === "unknown");
      assert.deepEqual(await statuses(), ["a unknown", "b unknown"]);
      await logs.until(() => logs.types.some((type) => type === "failure" || type === "end"));
      const failed = await up("a");
      assert.equal(failed?.state, "failed");
      assert.equal(failed?.error?.code, "unavailable");
      assert.match(failed?.error?.message ?? "", /engine/);
      await using refused = new Reading();
      assert.equal((await refused.open(server, path)).status, 503);
      // Its own streams and those who only read the registry are no worse for it.
      assert.equal((await ask("/api/environments/a")).environment.name, "a");
    });

    await t.step("started again: it is seen by itself, and everything works", async () => {
      await engine.start();
      await events.until(() => reachable() === true && told("a") === "stopped");
      assert.deepEqual(await statuses(), ["a stopped", "b stopped"]);
      assert.equal((await up("a"))?.state, "done");
      await events.until(() => told("a") === "running");
      await engine.docker("start", `piko-${sandbox.project}-b-count-1`);
      await events.until(() => told("b") === "running");
      await using again = new Reading();
      await again.open(server, path, logs.events.findLast(({ id }) => id !== undefined)?.id);
      await again.until(() => again.lines.length > 3);
      const before = new Set(logs.lines.map(({ time }) => time));
      assert.deepEqual(again.lines.filter(({ time }) => before.has(time)), []);
      assert.ok(
        again.lines.some(({ text }) => text === "tick 1"),
        "the new run from its beginning",
      );
    });

    await t.step("killed: the same", async () => {
      await engine.kill();
      await events.until(() => reachable() === false && told("b") === "unknown");
      await engine.start();
      await events.until(() => reachable() === true && told("b") !== "unknown");
      assert.equal((await up("b"))?.state, "done");
      await events.until(() => told("b") === "running");
    });

    assert.deepEqual(events.types.filter((type) => type === "snapshot").length, 1);
    await server.stop();
    await events.until(() => events.types.at(-1) === "closing");
    for (const name of ["a", "b"]) await sandbox.pass(`destroy ${name}`);
  },
});
