/** A registry that a broken disk has damaged while a piko has it open. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Sandbox, until } from "./sandbox.ts";

/**
 * Damages the registry of a sandbox; disposed, it is whole again.
 *
 * @param pid is that of the piko which has it open: it is held still meanwhile, since what it reads between the change and
 *   the damage it would go on to know by heart.
 */
export async function damageRegistry(sandbox: Sandbox, pid: number): Promise<AsyncDisposable> {
  const path = `${sandbox.variables.PIKO_HOME}/state.db`;
  let whole: Uint8Array | undefined;
  await until("nobody reads the registry", async () => {
    Deno.kill(pid, "SIGSTOP");
    try {
      if (!change(path)) return false;
      whole = await Deno.readFile(path);
      await overwrite(path, new Uint8Array(whole.length));
      return true;
    } finally {
      Deno.kill(pid, "SIGCONT");
    }
  });
  assert.ok(whole !== undefined);
  const before = whole;
  return {
    async [Symbol.asyncDispose]() {
      await overwrite(path, before);
      change(path);
    },
  };
}

/** Has whoever has the registry open read it anew, from the file alone; false while somebody is at it. */
function change(path: string): boolean {
  using database = new DatabaseSync(path);
  database.exec("UPDATE projects SET name = name");
  return database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0;
}

/** Writes over a file, which is neither emptied nor another one then. */
async function overwrite(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true });
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
