import assert from "node:assert/strict";
import { listDisks, parseDisks } from "../../src/programs/disk.ts";

Deno.test("parseDisks() reads what is free of each disk once, wherever it is mounted", () => {
  const text = `Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda         264212084 25906264  80484648      25% /
/dev/vda         264212084 25906264  80484648      25% /
//ann@nas/my things 1000       999         1     100% /media/my things
`;
  assert.deepEqual(parseDisks(text), [
    { mountPoint: "/", free: 80484648 * 1024 },
    { mountPoint: "/media/my things", free: 1024 },
  ]);
});

Deno.test("listDisks() asks df, and tells of those that are there when another one is not", async () => {
  const variables = Deno.env.toObject();
  const [disk] = await listDisks(["/nowhere/at/all", "/"], variables);
  assert.equal(disk?.mountPoint, "/");
  assert.ok((disk?.free ?? 0) > 0);
  assert.deepEqual(await listDisks([], variables), []);
});
