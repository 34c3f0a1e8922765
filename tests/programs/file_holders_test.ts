import assert from "node:assert/strict";
import { parseOpeners, parseWriters } from "../../src/programs/file_holders.ts";

Deno.test("parseWriters() finds who has SQLite's write lock, and nobody who reads", () => {
  const text = `13095 deno READ 1073741826 /a b/state.db
13095 deno READ 120 /a b/state.db-shm
77 tmux: server WRITE 120 /a b/state.db-shm
78 other WRITE 120 /other/state.db-shm
79 checkpoint WRITE 121 /a b/state.db-shm
80 flock WRITE 0 /a b/state.db-shm
`;
  assert.deepEqual(parseWriters(text, "/a b/state.db"), [{ pid: 77, command: "tmux: server" }]);
});

Deno.test("parseOpeners() reads process and command of lsof", () => {
  assert.deepEqual(parseOpeners("p12\ncdeno\nf3\np345\ncsqlite3\nf4\nf5\n"), [
    { pid: 12, command: "deno" },
    { pid: 345, command: "sqlite3" },
  ]);
});
