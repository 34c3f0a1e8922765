/** A registry that a broken disk has damaged while a piko has it open. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Sandbox, until } from "./sandbox.ts";

/**
 * Damages the registry of a sandbox; disposed, it is whole again.
 *
 * @param pid is that of the piko which has it open: it is held still meanwhile, since what it reads between the change and
 *   the damage it would go on to know by heart.
 * @param table is the only one that is damaged; without it the whole file is.
 */
export async function damageRegistry(
  sandbox: Sandbox,
  pid: number,
  table?: string,
): Promise<AsyncDisposable> {
  const path = `${sandbox.variables.PIKO_HOME}/state.db`;
  let whole: Uint8Array | undefined;
  await until("nobody reads the registry", async () => {
    Deno.kill(pid, "SIGSTOP");
    try {
      if (!change(path)) return false;
      whole = await Deno.readFile(path);
      const pages = table === undefined
        ? [{ start: 0, end: whole.length }]
        : firstPages(path, table);
      const damaged = whole.slice();
      for (const { start, end } of pages) damaged.fill(0, start, end);
      await overwrite(path, damaged);
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

/** Lists where the first pages of a table and of its indices are. */
function firstPages(path: string, table: string): { start: number; end: number }[] {
  using database = new DatabaseSync(path, { readOnly: true });
  const size = Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
  return database.prepare("SELECT rootpage FROM sqlite_schema WHERE tbl_name = ?").all(table)
    .map(({ rootpage }) => ({
      start: (Number(rootpage) - 1) * size,
      end: Number(rootpage) * size,
    }));
}

/** Writes over a file, which is neither emptied nor another one then. */
async function overwrite(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true });
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
