/**
 * `piko doctor` on the real engine: what killed pikos and people beside piko have left of containers, networks and volumes
 * is found, and mended where its labels prove that this registry made it; all the rest is named and stays.
 */

import assert from "node:assert/strict";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { assertSound, doctor, hintOf } from "./doctor.ts";

const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 8025 -h /data
    ports: ["8025"]
    volumes: ["data:/data"]
volumes: { data: {} }
`;

const DEAD = { DOCKER_HOST: "unix:///nonexistent.sock" };

Deno.test({
  name: "piko doctor finds and mends what is left in the engine, and touches nothing foreign",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yml": COMPOSE }, init: true });
    const { root, project, folder } = sandbox;
    const worktree = (name: string) => sandbox.worktree(name);
    const override = (name: string) => `${worktree(name)}/docker-compose.piko.yml`;
    const named = (name: string) => `piko-${project}-${name}`;
    const compose = (name: string, from: string, ...words: string[]) =>
      docker(
        ...["compose", "-p", named(name), "-f", `${from}/compose.yml`],
        ...["-f", `${from}/docker-compose.piko.yml`, ...words],
      );

    const started = ["one", "gone", "dead", "net", "removed", "lost", "kept"];
    await Promise.all([
      ...started.map((name) => sandbox.pass(`create ${name} --no-wait`)),
      ...["over", "other", "foreign"].map((name) => sandbox.pass(`create ${name} --no-start`)),
    ]);
    await docker("exec", `${named("gone")}-web-1`, "sh", "-c", "echo precious > /data/row");

    // Killed and broken off: a destroy without an engine, a half of an override file.
    await sandbox.fail("destroy dead", 5, { variables: DEAD });
    await Deno.remove(override("over"));
    const half = `${override("over")}.${crypto.randomUUID()}.tmp`;
    await Deno.writeTextFile(half, "# Made by piko for");
    // Beside piko: worktree, override files, networks, volumes and ports.
    await sandbox.git("worktree", "remove", "--force", worktree("gone"));
    await Deno.copyFile(override("one"), override("other"));
    await Deno.writeTextFile(override("foreign"), "services: {}\n");
    await sandbox.pass("down net");
    await docker("network", "rm", named("net"));
    await sandbox.pass("destroy kept");
    await docker("volume", "rm", `${named("kept")}_data`);
    await compose("one", worktree("one"), "run", "-T", "web", "true");
    await docker("rm", "--force", `${named("removed")}-web-1`);
    // An environment that is gone, started again by hand with the files that piko had written.
    const saved = `${folder}/saved`;
    await Deno.mkdir(saved);
    for (const file of ["compose.yml", "docker-compose.piko.yml"]) {
      await Deno.copyFile(`${worktree("lost")}/${file}`, `${saved}/${file}`);
    }
    await sandbox.pass("destroy lost");
    await compose("lost", saved, "up", "--detach");
    // What others have: another registry of the same repository, one whose repository is gone, and names alike.
    const label = (name: string, more: Record<string, string>) =>
      Object.entries({
        "com.docker.compose.project": named(name),
        "com.docker.compose.service": "web",
        ...more,
      }).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    const theirs = label("theirs", {
      "dev.piko.root": root,
      "dev.piko.registered": "2020-01-01T00:00:00.000Z",
    });
    await docker("create", "--name", `${named("theirs")}-web-1`, ...theirs, "busybox:1.36", "true");
    await docker("volume", "create", ...theirs, `${named("theirs")}_data`);
    await docker("network", "create", ...label("plain", {}), named("plain"));
    const moved = label("moved", { "dev.piko.root": `${folder}/not/there` });
    await docker("create", "--name", `${named("moved")}-web-1`, ...moved, "busybox:1.36", "true");
    await docker("create", "--name", `${named("alike")}-web-1`, "busybox:1.36", "true");
    const foreign = () =>
      docker("ps", "--all", "--format", "{{.Names}}", "--filter", `name=${named("")}`);
    const { environments } = await sandbox.json("list");
    const port = environments.find(({ name }) => name === "over")?.ports[0]?.hostPort ?? 0;

    const unmended = [
      "network: Network piko-PROJECT-net of PROJECT/net was removed: its containers cannot start",
      "override: piko did not write the override file of PROJECT/foreign: ROOT/.piko/worktrees/foreign/docker-compose.piko.yml",
      `port: Host port ${port} of PROJECT/over (web) is taken by another program`,
    ];
    const mendable = [
      "container: Containers piko-PROJECT-lost-web-1 and networks piko-PROJECT-lost of compose project piko-PROJECT-lost belong to no environment",
      'environment: PROJECT/dead is half destroyed: piko destroy was broken off at step "data"',
      `override: A killed piko has left a half of an override file: ${half.replace(root, "ROOT")}`,
      "override: The override file of PROJECT/other is that of another environment: ROOT/.piko/worktrees/other/docker-compose.piko.yml",
      "override: The override file of PROJECT/over is gone: ROOT/.piko/worktrees/over/docker-compose.piko.yml",
      "worktree: The worktree of PROJECT/gone is gone: ROOT/.piko/worktrees/gone",
    ];

    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    await t.step("found and named", async () => {
      const before = await foreign();
      const found = await doctor(sandbox);
      assert.deepEqual(found.wrong.sort(), [...unmended, ...mendable].sort());
      const noted = found.noted.map((line) => line.replace(/-web-run-\w+/, "-web-run-ID"));
      assert.deepEqual(noted.sort(), [
        "container: Containers piko-PROJECT-moved-web-1 of compose project piko-PROJECT-moved belong to no environment; its repository is gone: FOLDER/not/there",
        "container: Containers piko-PROJECT-theirs-web-1 of compose project piko-PROJECT-theirs belong to no environment of this registry: they were made with another registry, or one that is gone",
        "container: The containers of PROJECT/removed were removed",
        "container: docker compose run has left piko-PROJECT-one-web-run-ID in PROJECT/one",
        "network: Networks piko-PROJECT-plain of compose project piko-PROJECT-plain belong to no environment",
        "volume: 1 volume kept of PROJECT/lost, which is gone: piko-PROJECT-lost_data",
        "volume: Volume piko-PROJECT-kept_data, kept of PROJECT/kept, was removed",
        "volume: Volume piko-PROJECT-theirs_data belongs to no environment",
      ]);
      assert.equal(
        hintOf(found, "lost, which is gone"),
        `to remove it, with what is in it: docker volume rm ${named("lost")}_data`,
      );
      assert.equal(hintOf(found, "-theirs-web-1"), `docker compose -p ${named("theirs")} down`);
      assert.equal(hintOf(found, "was removed:"), `piko up ${project}/net`);
      assert.equal(hintOf(found, "-kept_data"), "piko doctor --fix forgets it");
      assert.equal(await foreign(), before);
    });

    await t.step("without an engine, what needs it is not guessed", async () => {
      const found = await doctor(sandbox, [], { variables: DEAD });
      assert.ok(
        found.wrong.some((line) => line.startsWith("engine: Cannot reach the Docker engine")),
      );
      const names = new Set(found.checks.map(({ name }) => name));
      for (const name of ["container", "network", "volume", "port"] as const) {
        assert.equal(names.has(name), false, name);
      }
    });

    await t.step("mended, and what is foreign, work or data stays", async () => {
      const { wrong, fixed, stderr } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(wrong.sort(), unmended, stderr);
      assert.deepEqual(fixed.sort(), [
        "container: Removed containers piko-PROJECT-lost-web-1 and networks piko-PROJECT-lost; piko-PROJECT-lost_data stays (docker volume rm piko-PROJECT-lost_data removes it)",
        "environment: Removed what there was of PROJECT/dead; piko-PROJECT-dead_data stays (docker volume rm piko-PROJECT-dead_data removes it)",
        `override: Removed ${half.replace(root, "ROOT")}`,
        "override: Wrote ROOT/.piko/worktrees/other/docker-compose.piko.yml",
        "override: Wrote ROOT/.piko/worktrees/over/docker-compose.piko.yml",
        "volume: Forgot volume piko-PROJECT-kept_data",
        "worktree: Removed what there was of PROJECT/gone; piko-PROJECT-gone_data stays (docker volume rm piko-PROJECT-gone_data removes it)",
      ]);
      const left = await sandbox.leftInEngine();
      assert.deepEqual(
        left.filter((what) => !/-(one|net|removed|theirs|moved|plain)(_|-|$)/.test(what)),
        [
          `volume ${named("dead")}_data`,
          `volume ${named("gone")}_data`,
          `volume ${named("lost")}_data`,
        ],
      );
      assert.ok((await foreign()).includes(`${named("alike")}-web-1`));
      assert.equal(left.filter((what) => /-(theirs|moved|plain)/.test(what)).length, 4);
      assert.equal(await sandbox.exists(half), false);
      assert.match(await Deno.readTextFile(override("over")), /^# Made by piko for \S+-over;/);
      assert.equal(await Deno.readTextFile(override("foreign")), "services: {}\n");
    });

    await t.step("and what was named can be put in order as it says", async () => {
      listener.close();
      await Deno.remove(override("foreign"));
      const names = ["net", "removed", "over", "other", "foreign"];
      await Promise.all(names.map((name) => sandbox.pass(`up ${name} --no-wait`)));
      await assertSound(sandbox);
      // The volumes that were kept are found again.
      await sandbox.pass("create gone --no-wait");
      const row = await docker("exec", `${named("gone")}-web-1`, "cat", "/data/row");
      assert.equal(row, "precious");
    });

    for (const name of ["theirs", "moved", "alike"]) await docker("rm", `${named(name)}-web-1`);
    await docker("network", "rm", named("plain"));
    for (const name of ["theirs", "dead", "lost"]) {
      await docker("volume", "rm", `${named(name)}_data`);
    }
  },
});
