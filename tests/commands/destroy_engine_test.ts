/** `piko destroy` on the real engine: containers, networks and volumes, and what happens when the engine gives trouble. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { writeProgram } from "../program_file.ts";

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

async function makeSandbox(): Promise<Sandbox> {
  return await Sandbox.create({
    files: { "README.md": "# Sample\n", "docker-compose.yml": COMPOSE },
    init: true,
  });
}

async function assertDestroyed(sandbox: Sandbox, ...left: string[]): Promise<void> {
  assert.deepEqual((await sandbox.json("list")).environments, []);
  assert.deepEqual(await sandbox.leftInEngine(), left);
  assert.equal(await sandbox.exists(sandbox.worktree("work")), false);
  assert.equal(await sandbox.exists(".piko/data/work"), false);
}

/** Makes a folder of programs with a `docker` of the test's own, of lines of sh, before the others. */
async function insteadOfDocker(sandbox: Sandbox, name: string, ...lines: string[]) {
  const real = await sandbox.run(["sh", "-c", "command -v docker"]);
  const folder = `${sandbox.folder}/${name}`;
  await writeProgram(`${folder}/docker`, `#!/bin/sh\n${lines.join("\n")}\nexec ${real} "$@"\n`);
  return { folder, PATH: `${folder}:${sandbox.variables.PATH}` };
}

Deno.test({
  name: "piko destroy keeps the volumes for the next create, and removes them with --volumes",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    const rescued = await docker("volume", "create");
    const lender = `${sandbox.project}-lender`;
    await docker("create", "--name", lender, "--volume", "/lent", "busybox:1.36");
    const volume = `piko-${sandbox.project}-work_data`;
    await sandbox.pass("create work");
    const web = `piko-${sandbox.project}-work-web-1`;
    await docker("exec", web, "sh", "-c", "echo a row > /data/row");

    const first = await sandbox.piko(["destroy", "work"]);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.ok(first.stderr.includes(`Volumes stay: ${volume}`), first.stderr);
    assert.ok(first.stderr.includes(`docker volume rm ${volume}`), first.stderr);
    await assertDestroyed(sandbox, `volume ${volume}`);

    const again = await sandbox.piko(["create", "work", "--json"]);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.ok(again.stderr.includes(volume), again.stderr);
    const [{ url }] = JSON.parse(again.stdout).environment.ports;
    assert.equal(await (await fetch(`${url}/row`)).text(), "a row\n");

    const { destroyed } = await sandbox.json("destroy work --volumes --delete-branch");
    assert.deepEqual(destroyed.keptVolumes, []);
    await assertDestroyed(sandbox);

    // Volumes of others that the engine has named itself: an external one, and one that a container lends.
    const lent = await docker("inspect", "--format", "{{(index .Mounts 0).Name}}", lender);
    try {
      const volumes = `volumes: { data: { external: true, name: ${rescued} } }`;
      await sandbox.commit({
        "docker-compose.yml": COMPOSE.replace("volumes: { data: {} }", volumes).replace(
          `["data:/data"]`,
          `["data:/data", /own]\n    volumes_from: ["container:${lender}"]`,
        ),
      });
      await sandbox.pass("create work");
      const mounted = await docker("inspect", "--format", "{{json .Mounts}}", web);
      const names: string[] = JSON.parse(mounted).map(({ Name }: { Name: string }) => Name);
      assert.ok(names.includes(rescued) && names.includes(lent) && names.length === 3, mounted);
      await sandbox.pass("destroy work --volumes");
      await assertDestroyed(sandbox);
      const left = (await docker("volume", "ls", "--quiet")).split("\n");
      assert.deepEqual(names.filter((name) => left.includes(name)).sort(), [rescued, lent].sort());
    } finally {
      await docker("rm", "--volumes", lender);
      await docker("volume", "rm", rescued);
    }
  },
});

Deno.test({
  name:
    "piko destroy finishes what it can without an engine, says what it could not, and finishes later",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    await sandbox.pass("create work");
    const { exitCode, stdout, stderr } = await sandbox.piko(
      ["destroy", "work", "--volumes", "--json"],
      { variables: DEAD },
    );
    assert.equal(exitCode, 5, stderr);
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, "unavailable");
    assert.match(error.message, /not completely destroyed: containers and networks/);
    assert.match(error.hint, /piko destroy \S+\/work again/);
    assert.match(stderr, /\/nonexistent\.sock/);
    assert.equal(await sandbox.exists(sandbox.worktree("work")), false);
    assert.equal(await sandbox.exists(".piko/data/work"), false);
    assert.equal((await sandbox.json("list")).environments[0]?.status, "failed");
    assert.equal((await sandbox.leftInEngine()).length, 3);

    await sandbox.pass("destroy work --volumes");
    await assertDestroyed(sandbox);
  },
});

Deno.test({
  name: "piko destroy names the docker program when it is missing, and finishes later",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    await sandbox.pass("create work");
    const bin = `${sandbox.folder}/bin`;
    await Deno.mkdir(bin);
    for (const program of ["git", "sh", "cat"]) {
      await Deno.symlink(
        await sandbox.run(["sh", "-c", `command -v ${program}`]),
        `${bin}/${program}`,
      );
    }
    const said = await sandbox.fail("destroy work --volumes", 5, { variables: { PATH: bin } });
    assert.match(said, /docker is not installed/);
    await sandbox.pass("destroy work --volumes");
    await assertDestroyed(sandbox);
  },
});

Deno.test({
  name: "piko destroy works with a compose file that cannot be read any more",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    await sandbox.pass("create work --no-wait");
    await sandbox.write(`${sandbox.worktree("work")}/docker-compose.yml`, "services: [\n");
    await sandbox.run(
      ["git", "commit", "--quiet", "--all", "--message", "Break it"],
      sandbox.worktree("work"),
    );
    await sandbox.pass("destroy work --volumes");
    await assertDestroyed(sandbox);
  },
});

Deno.test({
  name:
    "piko destroy says when a network is still in use by a foreign container, and finishes later",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    const foreign = `pikotest-${sandbox.project}-guest`;
    await sandbox.pass("create work --no-wait");
    const [, network = ""] = (await sandbox.leftInEngine()).map((line) => line.split(" ")[1] ?? "");
    try {
      await docker(
        "run",
        "--detach",
        "--init",
        `--name=${foreign}`,
        `--network=${network}`,
        "busybox:1.36",
        "sleep",
        "600",
      );
      const said = await sandbox.fail("destroy work --volumes", 4);
      assert.match(said, /not completely destroyed: containers and networks/);
      assert.ok(said.includes(network), said);
      assert.ok(said.includes(foreign), said);
      assert.equal((await sandbox.json("list")).environments[0]?.status, "failed");
    } finally {
      await docker("rm", "--force", foreign);
    }
    await sandbox.pass("destroy work --volumes");
    await assertDestroyed(sandbox);
  },
});

Deno.test({
  name:
    "piko destroy keeps work that was made while the containers went, and finishes what a kill -9 then has left",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    await sandbox.pass("create work --no-wait");
    const worktree = sandbox.worktree("work");
    const meanwhile = await insteadOfDocker(
      sandbox,
      "meanwhile",
      `case "$*" in *" down"*) echo precious > ${worktree}/notes.txt ;; esac`,
    );
    const said = await sandbox.fail("destroy work", 4, { variables: { PATH: meanwhile.PATH } });
    assert.match(said, /untracked: notes\.txt/);
    assert.match(said, /what is gone: containers, session\n.*piko up \S+\/work$/m);
    await sandbox.pass("up work --no-wait");
    await Deno.remove(`${worktree}/notes.txt`);
    const { folder, PATH } = await insteadOfDocker(
      sandbox,
      "hold",
      `case "$*" in *" down"*) touch ${sandbox.folder}/hold/held; exec sleep 60 ;; esac`,
    );
    {
      await using destroying = Background.piko(sandbox, ["destroy", "work", "--volumes"], {
        variables: { PATH },
      });
      await until("docker compose down", () => sandbox.exists(`${folder}/held`));
      destroying.kill("SIGKILL");
      assert.equal(await destroying.ended(), 137);
    }
    assert.equal((await sandbox.json("list")).environments[0]?.status, "failed");
    await sandbox.pass("destroy work --volumes");
    await assertDestroyed(sandbox);
  },
});

Deno.test({
  name: "piko destroy ends with 130 at Ctrl+C, and finishes later",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    await sandbox.pass("create work --no-wait");
    const { folder, PATH } = await insteadOfDocker(
      sandbox,
      "hold",
      `case "$*" in *" down"*) touch ${sandbox.folder}/hold/held; exec sleep 60 ;; esac`,
    );
    await using destroying = Background.piko(sandbox, ["destroy", "work", "--volumes"], {
      variables: { PATH },
    });
    await until("docker compose down", () => sandbox.exists(`${folder}/held`));
    destroying.kill("SIGINT");
    assert.equal(await destroying.ended(), 130, destroying.stderr.join("\n"));
    assert.match(destroying.stderr.join("\n"), /half destroyed\n.*piko destroy \S+\/work goes on/);
    assert.equal(await sandbox.exists(sandbox.worktree("work")), true);
    await sandbox.pass("destroy work --volumes");
    await assertDestroyed(sandbox);
  },
});
