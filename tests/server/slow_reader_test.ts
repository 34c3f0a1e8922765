/**
 * Readers that take nothing of what they asked for: they cost the server a bounded amount of memory, hold up nobody, are
 * told everything when they read on, and do not keep the server from ending.
 */

import assert from "node:assert/strict";
import { receiveAnswer } from "../../src/programs/http.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Server } from "../server.ts";
import { inTime, Reading } from "./reading.ts";

/** How many lines a flood has, each of about 100 bytes: 10 MB. */
const LINES = 100_000;

const COMPOSE = `services:
  flood:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command:
      - sh
      - -c
      - |
        seq 1 ${LINES} | sed 's/$$/ ${"x".repeat(90)}/'
        exec sleep 100000
  quiet:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sleep 100000
`;

/** A setup script that does not come to its end. */
const CONFIG = `scripts:
  setup: |
    if [ "$PIKO_ENV_NAME" = other ]; then echo "setting up"; exec sleep 100000; fi
`;

/** How many stuck readers there are of each kind. */
const STUCK = 20;

/** Bytes that so many may cost: what the kernel's own buffers hold is not the server's. */
const MOST_BYTES = 120 * 1024 * 1024;

/** The memory of a process that is its own and in use, in bytes; 0 where nobody tells. */
async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** How an answer begins that has a body. */
const FIRST_WORDS = "HTTP/1.1 200";

/** Reads the numbers of all lines of the flood that a connection brings, of whose answer the first words were read before. */
async function readLines(socket: Deno.TcpConn): Promise<number[]> {
  const found: number[] = [];
  let rest = "";
  let unread: string | null = FIRST_WORDS;
  const decoder = new TextDecoder();
  const { body } = await receiveAnswer({
    read(buffer) {
      if (unread === null) return socket.read(buffer);
      const { written } = new TextEncoder().encodeInto(unread, buffer);
      unread = null;
      return Promise.resolve(written);
    },
    write: (bytes) => socket.write(bytes),
  });
  for await (const part of body) {
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const number = /"text":"(\d+) x+"/.exec(line)?.[1];
      if (number !== undefined) found.push(Number(number));
    }
    if (found.at(-1) === LINES) return found;
  }
  assert.fail(`it has ended after ${found.length} lines`);
}

Deno.test({
  name: "readers that take nothing hold up nobody, and cost the server little",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: { "compose.yml": COMPOSE, ".piko.yml": CONFIG },
      init: true,
    });
    await sandbox.pass("create auth --no-attach");
    await using server = await Server.start(sandbox);
    const { authorization } = await server.key();
    const { host, port } = new URL(server.origin);
    /** Asks for a stream, and never reads of it more than its first bytes. */
    const getStuck = async (path: string): Promise<Deno.TcpConn> => {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      const head =
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n\r\n`;
      await socket.write(new TextEncoder().encode(head));
      const first = new Uint8Array(FIRST_WORDS.length);
      assert.equal(await socket.read(first), first.length);
      assert.equal(new TextDecoder().decode(first), FIRST_WORDS);
      return socket;
    };
    const before = await residentBytes(server.pid);
    const logs = "/api/environments/auth/logs?service=flood&follow=true&tail=all";
    const stuck = await Promise.all(
      [logs, "/api/events"].flatMap((path) => Array.from({ length: STUCK }, () => getStuck(path))),
    );
    try {
      await using reading = new Reading();
      await using events = new Reading();
      await reading.open(server, logs);
      await events.open(server, "/api/events");
      await reading.until(() => reading.lines.length >= LINES);
      const numbers = reading.lines.map(({ text }) => Number.parseInt(text));
      assert.deepEqual(numbers, Array.from({ length: LINES }, (_, index) => index + 1));
      await sandbox.pass("down auth quiet");
      await events.until(() =>
        events.told.some((event) =>
          event.type === "environment" && event.environment.status === "partial"
        )
      );
      const answer = await fetch(`${server.origin}/api/environments`, {
        headers: { authorization },
      });
      assert.equal((await answer.json()).environments[0].status, "partial");
      const cost = await residentBytes(server.pid) - before;
      assert.ok(cost < MOST_BYTES, `${STUCK * 2} stuck readers cost ${cost} bytes`);
      assert.deepEqual(await readLines(stuck[0] as Deno.TcpConn), numbers);

      const created = await fetch(`${server.origin}/api/environments`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({ name: "other" }),
      });
      const { operation } = await created.json();
      await events.until(() =>
        events.told.some((event) =>
          event.type === "report" && event.operation === operation.id &&
          event.report.report.kind === "output" && event.report.report.line === "setting up"
        )
      );
      const ended = server.stop();
      await events.until(() => events.types.includes("closing"));
      assert.equal(await inTime(ended), 0);
    } finally {
      for (const socket of stuck) socket.close();
    }
    assert.deepEqual((await sandbox.json("list")).environments.map(({ name }) => name), ["auth"]);
    assert.ok(!await sandbox.exists(sandbox.worktree("other")));
  },
});
