/** A registry that a broken disk has damaged while a piko has it open. */

import { DatabaseSync } from "node:sqlite";
import type { Sandbox } from "./sandbox.ts";

/** Damages the registry of a sandbox; disposed, it is whole again. */
export async function damageRegistry(sandbox: Sandbox): Promise<AsyncDisposable> {
  const path = `${sandbox.variables.PIKO_HOME}/state.db`;
  change(path);
  const whole = await Deno.readFile(path);
  await overwrite(path, new Uint8Array(whole.length));
  return {
    async [Symbol.asyncDispose]() {
      await overwrite(path, whole);
      change(path);
    },
  };
}

/** Has whoever has the registry open read it anew. */
function change(path: string): void {
  using database = new DatabaseSync(path);
  database.exec("UPDATE projects SET name = name; PRAGMA wal_checkpoint(TRUNCATE)");
}

/** Writes over a file, which is neither emptied nor another one then. */
async function overwrite(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true });
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
