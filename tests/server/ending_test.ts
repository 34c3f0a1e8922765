/** What the end of the server says of the work that it breaks off: each sentence is held against what is left. */

import assert from "node:assert/strict";
import { damageRegistry } from "../damaged_registry.ts";
import { needs } from "../needs.ts";
import { writeProgram } from "../program_file.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { inTime, Reading } from "./reading.ts";

/** Containers that do not stop when they are told to; with `HEALTH=false` they do not get ready either. */
const COMPOSE = `services:
  app:
    image: busybox:1.36
    stop_grace_period: \${GRACE}
    command: sh -c 'while true; do sleep 1; done'
    healthcheck: { test: ["CMD", "\${HEALTH}"], interval: 300ms, retries: 1000 }
`;

/** Scripts that do not come to their end. */
const CONFIG = `scripts:
  setup: |
    if [ "$PIKO_ENV_NAME" = made ]; then echo held; exec sleep 100000; fi
  destroy: |
    if [ "$PIKO_ENV_NAME" = untouched ]; then echo held; exec sleep 100000; fi
`;

/** Kills the sandbox's containers, which take their time otherwise. */
async function killAll(sandbox: Sandbox): Promise<void> {
  for (const { name, composeProject, state } of await sandbox.engine().listContainers()) {
    const isOwn = composeProject.startsWith(`piko-${sandbox.project}-`);
    if (isOwn && state === "running") await sandbox.run(["docker", "kill", name]);
  }
}

Deno.test({
  name: "the end of piko server says what is left of the work that it broke off, and what goes on",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: { "compose.yml": COMPOSE, ".piko.yml": CONFIG, ".gitignore": ".env\n" },
      init: true,
    });
    const { project } = sandbox;
    // Every worktree has a link to it.
    await sandbox.write(".env", "HEALTH=true\nGRACE=100s\n");
    for (const name of ["destroyed", "downed", "restarted"]) {
      await sandbox.pass(`create ${name} --no-attach`);
    }
    for (const name of ["upped", "untouched"]) {
      await sandbox.pass(`create ${name} --no-attach --no-start`);
    }
    await sandbox.write(".env", "HEALTH=false\nGRACE=100s\n");
    await using server = await Server.start(sandbox);
    await using events = new Reading();
    await events.open(server, "/api/events");
    const held = async (method: string, path: string, step: string, body = {}) => {
      const response = await fetch(`${server.origin}/api/environments${path}`, {
        method,
        headers: { ...await server.key(), "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const answer = await response.json();
      assert.equal(response.status, 202, JSON.stringify(answer));
      await events.until(() =>
        events.told.some((event) =>
          event.type === "report" && event.operation === answer.operation.id &&
          (event.report.report.kind === "output"
            ? event.report.report.line === "held"
            : event.report.report.kind === "started" && event.report.report.step === step)
        )
      );
    };
    await held("DELETE", "/destroyed", "containers");
    await held("POST", "/downed/down", "containers");
    await held("POST", "/restarted/restart", "containers");
    await held("POST", "/upped/up", "ready");
    await held("DELETE", "/untouched", "never");
    await sandbox.write(".env", "HEALTH=true\nGRACE=0s\n");
    await held("POST", "", "never", { name: "made" });

    assert.equal(await server.stop(), 0);
    const said = server.said.split("\n").map((line) => line.trim());
    const at = (name: string) => `${project}/${name}`;
    const expected = [
      [`The destroy of ${at("destroyed")} was cancelled; it is half destroyed`],
      [`piko destroy ${at("destroyed")} goes on where it stopped`],
      [`The down of ${at("downed")} was cancelled; what it had not stopped yet may go on running`],
      [`piko down ${at("downed")} stops the rest`],
      [`The restart of ${
        at("restarted")
      } was cancelled; some of its containers may be stopped now`],
      [`piko up ${at("restarted")} starts them`],
      [`The up of ${at("upped")} was cancelled; what it had started goes on running`],
      [`piko up ${at("upped")} starts the rest`],
      [`The destroy of ${at("untouched")} was cancelled before anything of it was removed`],
      [`The create of ${at("made")} was cancelled, and what it had made was taken back`],
    ].flat();
    assert.deepEqual(said.slice(-expected.length), expected);

    const states = Object.fromEntries(
      (await sandbox.json("list")).environments.map(({ name, status, containers }) =>
        [name, status === "failed" ? status : containers.total] as const
      ),
    );
    assert.deepEqual(states, {
      destroyed: "failed",
      downed: 1,
      restarted: 1,
      upped: 1,
      untouched: 0,
    });
    assert.ok(await sandbox.exists(sandbox.worktree("untouched")));
    // What they say can be typed as it stands.
    await killAll(sandbox);
    const elsewhere = { cwd: sandbox.folder };
    await sandbox.pass(`destroy ${at("destroyed")}`, elsewhere);
    await sandbox.pass(`down ${at("downed")}`, elsewhere);
    await sandbox.pass(`up ${at("restarted")} --no-wait`, elsewhere);
    await killAll(sandbox);
    await sandbox.write(".piko.yml", "{}\n");
  },
});

Deno.test({
  name: "the end of piko server says that a registry which is damaged does not tell what is left",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: { ".piko.yml": CONFIG },
      init: true,
    });
    const { project } = sandbox;
    await sandbox.pass("create untouched --no-attach");
    await using server = await Server.start(sandbox);
    await using events = new Reading();
    await events.open(server, "/api/events");
    const answer = await fetch(`${server.origin}/api/environments/untouched`, {
      method: "DELETE",
      headers: { ...await server.key(), "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(answer.status, 202, await answer.text());
    await events.until(() =>
      events.told.some((event) =>
        event.type === "report" && event.report.report.kind === "output" &&
        event.report.report.line === "held"
      )
    );
    await sandbox.write(".piko.yml", "{}\n");
    {
      await using _damage = await damageRegistry(sandbox, server.pid);
      assert.equal(await inTime(server.stop()), 0);
    }
    const said = server.said.split("\n").map((line) => line.trim());
    assert.equal(
      said.at(-2),
      `The destroy of ${project}/untouched was cancelled; what is left of it is not known: ` +
        `The registry ${sandbox.variables.PIKO_HOME}/state.db is damaged, and was left as it is`,
    );
    assert.match(said.at(-1) ?? "", /^restore it from a backup, or set it aside/);
    assert.equal((await sandbox.json("list")).environments[0]?.status, "simple");
    assert.ok(await sandbox.exists(sandbox.worktree("untouched")));
  },
});

Deno.test({
  name: "piko server ends while git still looks for the work that a destroy would lose",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    const git = await sandbox.run(["sh", "-c", "command -v git"]);
    const bin = `${sandbox.folder}/bin`;
    const asked = `${sandbox.folder}/asked`;
    await writeProgram(
      `${bin}/git`,
      `#!/bin/sh
[ -e '${asked}.hold' ] && case "$*" in *status*) touch '${asked}'; exec sleep 100000;; esac
exec ${git} "$@"
`,
    );
    const PATH = `${bin}:${sandbox.variables.PATH}`;
    await using server = await Server.start(sandbox, 0, { PATH });
    await sandbox.write(`${asked}.hold`, "");
    const answer = fetch(`${server.origin}/api/environments/one`, {
      method: "DELETE",
      headers: { ...await server.key(), "content-type": "application/json" },
      body: "{}",
    }).then(() => "answered", () => "cut off");
    await until("the look", () => sandbox.exists(asked));
    assert.equal(await inTime(server.stop()), 0);
    assert.ok(["answered", "cut off"].includes(await answer));
    assert.ok(await sandbox.exists(sandbox.worktree("one")));
  },
});
