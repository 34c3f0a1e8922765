/** From where `piko server` can be reached, and by whom: this machine alone, unless somebody says otherwise. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { hasIpv6 } from "../ipv6.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";

/** The addresses of this machine that others reach it by. */
function otherAddresses(): string[] {
  return Deno.networkInterfaces().filter(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  ).map(({ address }) => address);
}

async function isOpen(hostname: string, port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

Deno.test({
  name: "piko server is reached from this machine alone",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await using server = await Server.start(sandbox);
    const port = Number(new URL(server.origin).port);
    const headers = await server.key();
    for (const host of ["localhost", "127.0.0.1", ...hasIpv6() ? ["[::1]"] : []]) {
      const response = await fetch(`http://${host}:${port}/api/environments`, { headers });
      assert.deepEqual(await response.json(), { environments: [] }, host);
    }
    const others = otherAddresses();
    assert.ok(others.length > 0, "this machine has no address but its loopback");
    for (const address of others) assert.equal(await isOpen(address, port), false, address);
  },
});

Deno.test({
  name: "piko server --host 0.0.0.0 lets in by address alone, and nobody without a key",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const args = ["server", "--no-open", "--port", "0", "--host", "0.0.0.0"];
    await using piko = Background.piko(sandbox, args);
    await until("the address", () => piko.stdout.length > 0);
    const { port, search } = new URL(piko.stdout[0] ?? "");
    const token = (await Deno.readTextFile(`${sandbox.variables.PIKO_HOME}/server-token`)).trim();
    const authorization = `Bearer ${token}`;
    const [address = ""] = otherAddresses();
    const ask = async (path: string, headers: Record<string, string> = {}, host = address) => {
      const answer = await fetch(`http://${host}:${port}${path}`, { headers, redirect: "manual" });
      const text = await answer.text();
      if (answer.status !== 200) assert.ok(!text.includes(sandbox.root), text);
      assert.ok(!text.includes(token), text);
      return { status: answer.status, cookie: answer.headers.get("set-cookie")?.split(";")[0] };
    };
    for (const path of ["/", "/api/environments", "/api/events", "/api/project"]) {
      assert.equal((await ask(path)).status, 401, path);
      assert.equal((await ask(path, { authorization: "Bearer x" })).status, 401, path);
      assert.equal((await ask(path, { cookie: `piko-${port}=${token}` })).status, 401, path);
    }
    assert.equal((await ask("/api/environments", { authorization })).status, 200);
    // Whoever has the address that was printed gets the cookie: by HTTP a browser then says nothing of where a request is from.
    const { status, cookie = "" } = await ask(`/login${search}`);
    assert.equal(status, 303);
    assert.equal((await ask("/", { cookie })).status, 200);
    const change = await fetch(
      `http://${address}:${port}/api/projects/${sandbox.project}/environments`,
      {
        method: "POST",
        headers: { cookie, "content-type": "application/json" },
        body: '{"name":"one"}',
      },
    );
    assert.equal(change.status, 403);
    await change.body?.cancel();
    piko.kill("SIGTERM");
    assert.equal(await piko.ended(), 0);
  },
});
