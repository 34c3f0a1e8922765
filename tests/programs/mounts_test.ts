import assert from "node:assert/strict";
import { parseMountPoints } from "../../src/programs/mounts.ts";

Deno.test("parseMountPoints() reads blanks, backslashes and letters of any language", () => {
  const text = `22 27 0:21 / /proc rw,relatime - proc proc rw
36 35 98:0 /a\\040b /media/my\\040things\\011\\134ü rw,noatime master:1 - ext3 /dev/root rw
40 35 0:51 / /run/docker/netns/x rw shared:3 - nsfs nsfs rw
`;
  assert.deepEqual(parseMountPoints(text), [
    "/proc",
    "/media/my things\t\\ü",
    "/run/docker/netns/x",
  ]);
});
