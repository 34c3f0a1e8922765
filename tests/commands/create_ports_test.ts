import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";

Deno.test({
  name: "piko create moves to another port when one is taken after it was given out",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({
      init: true,
      files: {
        "compose.yml": `
services:
  web:
    image: busybox:1.36
    command: httpd -f -p 8039
    init: true
    stop_grace_period: 0s
    ports: ["8039"]
`,
        // Somebody else's container takes the port between the probe and the start.
        ".piko.yml": `
scripts:
  prepare: |
    echo "$PIKO_WEB_PORT" >> "$PIKO_DATA_DIR/ports"
    [ -e "$PIKO_DATA_DIR/thief" ] || docker run --detach --rm --init --cidfile "$PIKO_DATA_DIR/thief" \\
      --publish "$PIKO_WEB_PORT:8039" busybox:1.36 sleep 600
`,
      },
    });
    const data = `${sandbox.root}/.piko/data/topic`;
    try {
      const { exitCode, stdout, stderr } = await sandbox.piko(["create", "topic", "--json"]);
      assert.equal(exitCode, 0, stderr);
      // Another test may take one too, so there can be more than two.
      const had = (await Deno.readTextFile(`${data}/ports`)).trim().split("\n");
      const [lost, given] = [had[0], had.at(-1)];
      assert.ok(lost !== undefined && given !== undefined && new Set(had).size >= 2);
      const { environment } = JSON.parse(stdout);
      assert.equal(environment.status, "running");
      assert.deepEqual(
        environment.ports.map(({ hostPort }: { hostPort: number }) => String(hostPort)),
        [given],
      );
      assert.match(stderr, new RegExp(`${lost} is in use; web:8039 gets `));
      assert.equal((await fetch(`http://127.0.0.1:${given}/`)).status, 404);
    } finally {
      const thief = await Deno.readTextFile(`${data}/thief`).catch(() => undefined);
      if (thief !== undefined) await sandbox.run(["docker", "rm", "--force", thief], "/");
    }
  },
});
