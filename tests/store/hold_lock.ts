/**
 * Takes a lock for the tests in a process of its own: `hold_lock.ts <folder> <key> <command> [journal]`. It
 * holds the lock until its standard input ends, or, with a journal, counts one up in that file and ends.
 */

import { acquireLock } from "../../src/store/locks.ts";

const [folder = "", key = "", command = "", journal] = Deno.args;
using _lock = await acquireLock(folder, key, {
  command,
  block: true,
  onWait: (holder) => console.log("waits for", holder?.command),
});
if (journal === undefined) {
  // A child that outlives a killed holder must not keep the lock.
  const child = new Deno.Command("sleep", { args: ["60"], stdin: "null", stdout: "null" }).spawn();
  console.log("holds with", child.pid);
  await Deno.stdin.readable.pipeTo(new WritableStream());
  child.kill("SIGKILL");
} else {
  // Two at once would lose a number.
  const count = Number(await Deno.readTextFile(journal));
  await Deno.writeTextFile(journal, "");
  await new Promise((resolve) => setTimeout(resolve, 5));
  await Deno.writeTextFile(journal, `${count + 1}`);
}
