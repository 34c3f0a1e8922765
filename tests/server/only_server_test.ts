/** A second `piko server` that finds no answer where the first one is to listen. */

import assert from "node:assert/strict";
import { acquireLock } from "../../src/store/locks.ts";
import { saysNo } from "../commands/refusal.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Server } from "../server.ts";

/** Proves that a second server gives up, and returns the two commands of its hint. */
async function givesUp(sandbox: Sandbox, pid: number): Promise<string[]> {
  const { message, hint } = await saysNo(sandbox, ["server", "--no-open"], {
    code: "unavailable",
    message:
      /^A piko server \(process \d+\) runs for this registry and does not answer within 5 s$/,
    hint: /^let it go on, if it was stopped: kill -CONT \d+, or end it: kill -9 \d+$/,
  }, { timeout: 30_000 });
  assert.ok(message.includes(`process ${pid}`), message);
  return hint.replace(/^.*?: /, "").split(", or end it: ");
}

Deno.test({
  name: "piko server gives up on one that was stopped, which goes on by the command of the hint",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await using server = await Server.start(sandbox);
    Deno.kill(server.pid, "SIGSTOP");
    const [goOn = "", end] = await givesUp(sandbox, server.pid);
    assert.equal(end, `kill -9 ${server.pid}`);
    await sandbox.run(["sh", "-c", goOn]);
    assert.equal(new URL(await sandbox.pass("server --no-open")).origin, server.origin);
  },
});

Deno.test({
  name: "piko server gives up on one that accepts and never answers, and asks nobody else",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const home = sandbox.variables.PIKO_HOME;
    await using server = await Server.start(sandbox);
    const { port } = new URL(server.origin);
    const place = await Deno.readTextFile(`${home}/server.json`);
    await server.stop();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
    const accepted: Deno.Conn[] = [];
    const accepting = (async () => {
      for await (const connection of listener) accepted.push(connection);
    })();
    using _lock = await acquireLock(`${home}/locks`, "server", {
      command: "piko server",
      block: false,
    });
    const write = (pid: number) =>
      Deno.writeTextFile(`${home}/server.json`, JSON.stringify({ ...JSON.parse(place), pid }));

    await t.step("of the server that runs", async () => {
      await write(Deno.pid);
      await givesUp(sandbox, Deno.pid);
      assert.equal(accepted.length, 1);
    });
    await t.step("of one before it, while it starts: nobody else is given the token", async () => {
      await write(server.pid);
      await saysNo(sandbox, ["server", "--no-open"], {
        code: "unavailable",
        message:
          /^A piko server runs for this registry and does not answer: it does not listen yet$/,
        hint: /^piko doctor$/,
      }, { timeout: 60_000 });
      assert.equal(accepted.length, 1, "nobody was asked");
    });
    listener.close();
    await accepting;
    for (const connection of accepted) connection.close();
  },
});

Deno.test({
  name: "piko server says what it was answered where the other one does not speak its language",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const home = sandbox.variables.PIKO_HOME;
    await using server = await Server.start(sandbox);
    await server.stop();
    await using proxy = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("<h1>Welcome</h1>"),
    );
    using _lock = await acquireLock(`${home}/locks`, "server", {
      command: "piko server",
      block: false,
    });
    await Deno.writeTextFile(
      `${home}/server.json`,
      JSON.stringify({ pid: Deno.pid, address: "127.0.0.1", port: proxy.addr.port }),
    );
    await saysNo(sandbox, ["server", "--no-open"], {
      code: "unavailable",
      message: /^A piko server runs for this registry and does not answer: .*<h1>/,
      hint: /^piko doctor$/,
    });
  },
});
