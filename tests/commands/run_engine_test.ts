/** `piko run` in an environment with containers: what is started first, and who is asked. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";

const SERVICE = `
    image: busybox:1.36
    init: true
    stop_grace_period: 0s`;

const COMPOSE = `services:
  web:${SERVICE}
    command: httpd -f -p 8080 -h /tmp
    ports: ["8080"]
  worker:${SERVICE}
    command: sleep 1000
  migrate:${SERVICE}
    command: "true"
`;

const CONFIG = `scripts:
  run: echo "port $PIKO_WEB_PORT"; exit 6
`;

Deno.test({
  name: "piko run starts stopped containers first",
  ...needs("git", "engine", "compose", "images", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE, ".piko.yml": CONFIG },
      init: true,
    });
    await sandbox.pass("create one --no-attach --no-start");
    const running = async () => {
      const { services } = await sandbox.json("status one");
      return services.filter(({ state }: { state: string }) => state === "running")
        .map(({ service }: { service: string }) => service).join(" ");
    };
    const run = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["run", "one", ...args]);
      assert.equal(exitCode, 6, stderr);
      assert.match(stdout, /^port \d{5}\n$/);
      return stderr;
    };

    await t.step("leaves them alone with --no-start", async () => {
      assert.equal(await run("--no-start"), "");
      assert.equal(await running(), "");
    });

    await t.step("makes and starts them where there is nobody to ask", async () => {
      assert.match(await run(), /✓ Containers/);
      assert.equal(await running(), "web worker");
    });

    await t.step("starts nothing when all run, and takes a one-shot for what it is", async () => {
      assert.equal(await run(), "");
    });

    await t.step("starts what has stopped, and nothing else", async () => {
      await sandbox.pass("down one web");
      await run("--yes");
      assert.equal(await running(), "web worker");
    });

    await t.step("asks a person, and takes no for an answer", async () => {
      await sandbox.pass("down one worker");
      await using terminal = await Terminal.open(sandbox);
      await terminal.begin("piko run one");
      await terminal.shows("worker of one is stopped. Start it first? [Y/n]");
      await terminal.type("n");
      assert.match(await terminal.ends(6), /^port \d{5}$/m);
      assert.equal(await running(), "web");
      await terminal.begin("piko run one");
      await terminal.shows("Start it first? [Y/n]");
      await terminal.type("");
      assert.match(await terminal.ends(6), /✓ Containers[^]*^port \d{5}$/m);
      assert.equal(await running(), "web worker");
      await sandbox.pass("down one");
      const screen = await terminal.run("piko run one --yes", 6);
      assert.doesNotMatch(screen, /Y\/n/);
      assert.equal(await running(), "web worker");
    });

    await t.step("does not run the script when Ctrl+C answers the question", async () => {
      await sandbox.pass("down one worker");
      await using terminal = await Terminal.open(sandbox);
      await terminal.begin("piko run one");
      await terminal.shows("Start it first? [Y/n]");
      await terminal.press("C-c");
      assert.doesNotMatch(await terminal.ends(130), /^port/m);
      assert.equal(await running(), "web");
    });
  },
});
