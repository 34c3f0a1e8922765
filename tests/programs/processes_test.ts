import assert from "node:assert/strict";
import {
  listCommands,
  listProcesses,
  parseCommands,
  parseProcesses,
  processesOf,
} from "../../src/programs/processes.ts";

Deno.test("parseProcesses() reads age and group, and leaves out what has ended", () => {
  const text = `    1     0     1 Ss   2-03:04:05
  310     1   300 S+      01:02
  311   310   300 Z+      00:01
  312   310   300 R+   01:00:00
`;
  assert.deepEqual(parseProcesses(text), [
    { pid: 1, parent: 0, group: 1, age: ((2 * 24 + 3) * 60 + 4) * 60 + 5 },
    { pid: 310, parent: 1, group: 300, age: 62 },
    { pid: 312, parent: 310, group: 300, age: 3600 },
  ]);
});

Deno.test("listProcesses() sees this process", async () => {
  const all = await listProcesses(Deno.env.toObject());
  assert.ok(all?.some(({ pid }) => pid === Deno.pid));
  assert.equal(await listProcesses({ PATH: "/nowhere" }), undefined);
});

Deno.test("listCommands() tells what processes were started with", async () => {
  const text = `    1 Ss   1-00:00:00 /sbin/init
  310 S+        01:02 docker compose -p a  up 
  311 Z+        00:01 [sh] <defunct>
`;
  const day = 24 * 60 * 60_000;
  assert.deepEqual(parseCommands(text, [2 * day, 2 * day + 500]), [
    { pid: 1, started: [day - 1000, day + 500], command: "/sbin/init" },
    {
      pid: 310,
      started: [2 * day - 63_000, 2 * day - 61_500],
      command: "docker compose -p a  up",
    },
  ]);
  const word = `word-${crypto.randomUUID()}`;
  const argv = ["-c", "read line", "sh", "x".repeat(300), word];
  const child = new Deno.Command("sh", { args: argv, stdin: "piped" }).spawn();
  const startedAt = Date.now();
  const all = await listCommands(Deno.env.toObject());
  await child.stdin.close();
  await child.status;
  const found = all?.find(({ pid }) => pid === child.pid);
  assert.ok(found?.command.endsWith(word));
  const [earliest = Infinity, latest = 0] = found?.started ?? [];
  assert.ok(earliest - 1000 <= startedAt && startedAt <= latest + 1000, `${earliest}, ${latest}`);
  assert.equal(await listCommands({ PATH: "/nowhere" }), undefined);
});

Deno.test("processesOf() finds descendants and orphans of the group, and nobody else", () => {
  const process = (pid: number, parent: number, group: number, age = 1) => ({
    pid,
    parent,
    group,
    age,
  });
  const all = [
    process(1, 0, 1, 9000),
    process(10, 1, 10, 900), // an interactive shell
    process(20, 10, 20, 30), // a script, which leads the group
    process(21, 20, 20, 30), // what it has started before, in the background
    process(22, 1, 20, 30), // the same without a parent
    process(23, 20, 20, 5), // piko
    process(24, 23, 20, 5), // piko's witness
    process(25, 10, 20, 5), // the other end of a pipe
    process(30, 23, 20, 4), // the program
    process(31, 30, 20, 3),
    process(32, 31, 32, 3), // in a group of its own
    process(33, 1, 20, 3), // an orphan of the program
    process(34, 33, 20, 2),
    process(35, 1, 35, 2), // a daemon that has left the group
  ];
  const found = (self: number, program: number) =>
    processesOf(all, { by: self, pid: program, age: 5 }).sort((a, b) => a - b);
  assert.deepEqual(found(23, 30), [30, 31, 32, 33, 34]);
  // The program has ended and left its orphans.
  assert.deepEqual(
    processesOf(all.filter(({ pid }) => pid < 30 || pid > 32), { by: 23, pid: 30, age: 5 }).sort(),
    [33, 34],
  );
});
