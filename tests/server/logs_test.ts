/** `GET …/:name/logs` of a real server over real containers. */

import assert from "node:assert/strict";
import type { LogEvent } from "../../src/domain/api.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Reading } from "./reading.ts";

const COMPOSE = `services:
  count:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sh -c 'i=0; while true; do i=$$((i+1)); echo "tick $$i"; sleep 0.05; done'
  words:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command:
      - sh
      - -c
      - |
        printf 'gr\\303'; sleep 0.3; printf '\\274n 🎉\\n'
        echo 'to stderr' >&2
        seq 1 30000 | sed 's/^/flood /'
        exec sleep 100000
`;

const ticks = (lines: readonly LogEvent[]) =>
  lines.flatMap(({ text }) => /^tick (\d+)$/.exec(text)?.[1] ?? []).map(Number);

Deno.test({
  name:
    "GET …/logs streams lines of all or some services, whole, in order, and goes on where it was",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: { "compose.yml": COMPOSE }, init: true });
    await sandbox.pass("create auth --no-attach");
    await using server = await Server.start(sandbox);
    const path = "/api/environments/auth/logs";

    await t.step("lines are whole, of the right service, and none is missing", async () => {
      await using reading = new Reading();
      const response = await reading.open(server, `${path}?service=words&follow=true&tail=all`);
      assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
      // The engine reads stdout and stderr each by itself: no order between the two is certain.
      await reading.until(() =>
        reading.lines.slice(-2).some(({ text }) => text === "flood 30000") &&
        reading.lines.some(({ stream }) => stream === "stderr")
      );
      const { lines } = reading;
      assert.deepEqual([...new Set(lines.map(({ service }) => service))], ["words"]);
      assert.equal(lines.find(({ stream }) => stream === "stdout")?.text, "grün 🎉");
      assert.equal(lines.find(({ text }) => text === "to stderr")?.stream, "stderr");
      const flood = lines.flatMap(({ text }) => /^flood (\d+)$/.exec(text)?.[1] ?? []).map(Number);
      assert.deepEqual(flood, Array.from({ length: 30_000 }, (_, index) => index + 1));
    });

    await t.step("a reader that comes back goes on behind the last line", async () => {
      await using first = new Reading();
      await first.open(server, `${path}?service=count&follow=true&tail=all`);
      await first.until(() => first.lines.length > 5 && first.events.at(-1)?.type === "place");
      const seen = ticks(first.lines);
      await using second = new Reading();
      await second.open(server, `${path}?service=count&follow=true`, first.events.at(-1)?.id);
      await second.until(() => second.lines.length > 5);
      const all = [...seen, ...ticks(second.lines)];
      assert.deepEqual(all, all.map((_, index) => index + 1));
    });

    await t.step("an id that is none is no reason to tell nothing", async () => {
      for (const id of ["", "nonsense", "{}", "[1]", '{"x":"y"}', '{"__proto__":1}', "null"]) {
        await using reading = new Reading();
        await reading.open(server, `${path}?service=count&tail=3`, id);
        await reading.until(() => reading.types.includes("end"));
        assert.equal(reading.lines.length, 3, id);
      }
    });

    await t.step("the end is told when the containers have stopped", async () => {
      await using reading = new Reading();
      await reading.open(server, `${path}?service=count&follow=true&tail=1`);
      await reading.until(() => reading.lines.length > 0);
      await sandbox.pass("down auth");
      await reading.until(() => reading.types.includes("end"));
      assert.deepEqual(reading.types, ["note", "end"]);
    });

    await t.step("what has stopped, and what was never started, ends at once", async () => {
      await using stopped = new Reading();
      await stopped.open(server, `${path}?service=count&follow=true&tail=2`);
      await stopped.until(() => stopped.types.includes("end"));
      assert.deepEqual([stopped.lines.length, stopped.types], [2, ["note", "end"]]);
      await sandbox.pass("create never --no-attach --no-start");
      const never = await fetch(`${server.origin}/api/environments/never/logs?follow=true`, {
        headers: await server.key(),
      });
      const { error } = await never.json();
      assert.equal(never.status, 409);
      assert.equal(error.message, "There are no logs yet: never was never started");
      assert.equal(error.hint, `piko up ${sandbox.project}/never`);
      await sandbox.pass("destroy never");
    });

    await t.step("what makes no sense is refused", async () => {
      const refused = async (query: string) => {
        await using reading = new Reading();
        const response = await reading.open(server, path + query);
        return response.status;
      };
      assert.equal(await refused("?tail=-1"), 400);
      assert.equal(await refused("?tail=many"), 400);
      assert.equal(await refused("?follow=maybe"), 400);
      assert.equal(await refused("?since=tomorrow"), 400);
      assert.equal(await refused("?service=wrods"), 404);
      const other = await fetch(`${server.origin}/api/environments/none/logs`, {
        headers: await server.key(),
      });
      assert.equal(other.status, 404);
      await other.body?.cancel();
    });

    await t.step("the server ends although somebody reads", async () => {
      await sandbox.pass("up auth");
      await using reading = new Reading();
      await reading.open(server, `${path}?follow=true&tail=1`);
      await reading.until(() => reading.lines.length > 0);
      await server.stop();
    });
  },
});
