/** A `.piko.yml` that changes while `piko server` runs holds from the next thing that it does. */

import assert from "node:assert/strict";
import type { OperationInFull } from "../../src/domain/api.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";

Deno.test({
  name: "piko server heeds a .piko.yml as it is at each moment, and says what is wrong with it",
  ...needs("git", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { ".piko.yml": 'scripts: { setup: "echo first > made-by" }\n' },
      init: true,
    });
    await using server = await Server.start(sandbox);
    const headers = { ...await server.key(), "content-type": "application/json" };
    const ask = async (method: string, path: string, body: unknown) => {
      const response = await fetch(`${server.origin}/api/${path}`, {
        method,
        headers,
        body: JSON.stringify(body),
      });
      return await response.json();
    };
    /** Does something long, and tells how that has ended. */
    const perform = async (method: string, path: string, body: unknown) => {
      const { operation: { id } } = await ask(method, path, body);
      let found: OperationInFull | undefined;
      await until(`the end of ${method} ${path}`, async () => {
        const response = await fetch(`${server.origin}/api/operations/${id}`, { headers });
        found = await response.json() as OperationInFull;
        return found.operation.state !== "running";
      });
      return found?.operation;
    };
    const create = (name: string) =>
      perform("POST", `projects/${sandbox.project}/environments`, { name });
    const madeBy = (name: string) => Deno.readTextFile(`${sandbox.worktree(name)}/made-by`);

    await t.step("as it was at the start", async () => {
      assert.equal((await create("one"))?.state, "done");
      assert.equal(await madeBy("one"), "first\n");
    });
    await t.step("as it is after a change", async () => {
      await sandbox.write(".piko.yml", 'scripts: { setup: "echo second > made-by" }\n');
      assert.equal((await create("two"))?.state, "done");
      assert.equal(await madeBy("two"), "second\n");
    });
    await t.step("broken: by file, line and column, and nothing is made", async () => {
      await sandbox.write(".piko.yml", "scripts:\n  setup: [1]\n");
      const failed = await create("three");
      assert.equal(failed?.state, "failed");
      assert.match(failed?.error?.message ?? "", /\.piko\.yml:2:10: .*setup/);
      assert.equal(await sandbox.exists(sandbox.worktree("three")), false);
      assert.deepEqual(
        (await sandbox.json("list")).environments.map(({ name }) => name),
        ["one", "two"],
      );
    });
    await t.step("gone: there is nothing to run", async () => {
      await Deno.remove(`${sandbox.root}/.piko.yml`);
      assert.equal((await create("three"))?.state, "done");
      assert.equal(await sandbox.exists(`${sandbox.worktree("three")}/made-by`), false);
    });
    assert.equal(await server.stop(), 0);
    for (const name of ["one", "two", "three"]) await sandbox.pass(`destroy ${name} --force`);
  },
});
