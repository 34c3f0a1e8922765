/**
 * What piko does on a machine where something is missing, stopped, full or locked: one clear error with its exit code and a
 * hint, nothing half made, nothing lost; and what can be done without the missing thing is done.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { needs } from "../needs.ts";
import { PIKO, Sandbox } from "../sandbox.ts";
import { refuses, refuteAccident, stateOf } from "./refusal.ts";
import { copyProgram, writeProgram } from "../program_file.ts";

const COMPOSE = [
  "services:",
  "  app:",
  "    image: busybox:1.36",
  "    command: sleep 1000",
  "    stop_signal: SIGKILL",
  "",
].join("\n");

/** Mounts are root's; where they are forbidden these tests are skipped, unless everything is required. */
const mounting = { ignore: Deno.uid() !== 0 && !Deno.env.has("PIKO_TEST_REQUIRE") };

Deno.test({
  name: "piko without git says so, and answers what needs none",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one");
    await Deno.writeTextFile(`${sandbox.worktree("one")}/work.txt`, "precious\n");
    const variables = { PATH: await pathWithout(sandbox, "git") };
    for (const args of [["init"], ["create", "two"], ["destroy", "one"]]) {
      await refuses(sandbox, args, {
        code: "unavailable",
        message: /git is not installed or not on the PATH/,
        hint: /install git/,
      }, { variables });
    }
    assert.match(await sandbox.pass("list", { variables }), /^one +simple/m);
    assert.match(await sandbox.pass("env one", { variables }), /PIKO_ENV_NAME=one/);
    await Deno.remove(`${sandbox.worktree("one")}/work.txt`);
    await sandbox.pass("destroy one --delete-branch");
  },
});

Deno.test({
  name: "piko without docker works in simple mode",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const variables = {
      PATH: await pathWithout(sandbox, "docker"),
      DOCKER_HOST: `unix://${sandbox.folder}/no.sock`,
    };
    const before = await stateOf(sandbox);
    const created = await sandbox.piko(["create", "one"], { variables });
    assert.deepEqual([created.exitCode, /docker|engine/i.test(created.stderr)], [0, false]);
    assert.match(await sandbox.pass("list", { variables }), /^one +simple/m);
    const destroyed = await sandbox.piko(["destroy", "one", "--delete-branch"], { variables });
    assert.deepEqual([destroyed.exitCode, /docker|engine/i.test(destroyed.stderr)], [0, false]);
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko without an engine refuses what needs it, lists the rest, and finishes destroy later",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    await sandbox.pass("create one --no-wait");
    const dead = `${sandbox.folder}/dead.sock`;
    makeDeadSocket(dead);
    const none = `unix://${sandbox.folder}/none.sock`;
    const cases: [
      name: string,
      variables: Record<string, string>,
      message: RegExp,
      hint: RegExp,
    ][] = [
      [
        "no docker program",
        { PATH: await pathWithout(sandbox, "docker"), DOCKER_HOST: none },
        /[Dd]ocker is not installed or not on the PATH/,
        /install/,
      ],
      [
        "no socket",
        { DOCKER_HOST: none },
        /annot reach the Docker engine at unix:.*none\.sock/,
        /docker info/,
      ],
      [
        "a socket where nobody listens",
        { DOCKER_HOST: `unix://${dead}` },
        /annot reach the Docker engine at unix:.*dead\.sock/,
        /docker info/,
      ],
      [
        "a context that does not exist",
        { DOCKER_CONTEXT: "nowhere" },
        /here is no Docker context "nowhere"/,
        /docker context ls/,
      ],
    ];
    for (const [name, variables, message, hint] of cases) {
      await t.step(name, async () => {
        await refuses(sandbox, ["create", "two"], { code: "unavailable", message, hint }, {
          variables,
        });
        for (const command of ["up", "down", "restart"]) {
          const { exitCode, stderr } = await sandbox.piko([command, "one"], { variables });
          assert.equal(exitCode, 5, `${command}: ${stderr}`);
          refuteAccident(stderr);
        }
        const listed = await sandbox.piko(["list", "--json"], { variables });
        assert.equal(listed.exitCode, 0, listed.stderr);
        assert.equal(JSON.parse(listed.stdout).environments[0]?.status, "unknown");
        assert.match(listed.stderr, /^! .*what runs is unknown$/m);
        assert.match(await sandbox.pass("env one", { variables }), /PIKO_ENV_NAME=one/);
      });
    }
    await t.step("an engine that does not answer", async () => {
      using _engine = Deno.listen({ transport: "unix", path: `${sandbox.folder}/mute.sock` });
      await refuses(sandbox, ["create", "two"], {
        code: "unavailable",
        message: /engine at unix:.*mute\.sock did not answer within \d+ s/,
        hint: /docker info/,
      }, { variables: { DOCKER_HOST: `unix://${sandbox.folder}/mute.sock` } });
    });
    await t.step("a compose that does not come to its end holds up nobody either", async () => {
      const docker = await sandbox.run(["sh", "-c", "command -v docker"]);
      const folder = `${sandbox.folder}/home/slow`;
      await writeProgram(
        `${folder}/docker`,
        `#!/bin/sh\nif [ "$1 $2" = "compose version" ]; then exec sleep 600; fi\nexec ${docker} "$@"\n`,
      );
      await refuses(sandbox, ["create", "two"], {
        code: "unavailable",
        message: /annot reach the Docker engine at unix:.*none\.sock/,
        hint: /docker info/,
      }, { variables: { PATH: `${folder}:${sandbox.variables.PATH}`, DOCKER_HOST: none } });
    });
    await t.step("destroy does what it can, and the rest when the engine is back", async () => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["destroy", "one", "--json"], {
        variables: { DOCKER_HOST: none },
      });
      assert.equal(exitCode, 5, stderr);
      refuteAccident(stderr);
      const { error } = JSON.parse(stdout);
      assert.match(
        error.message,
        /not completely destroyed: containers and networks could not be removed/,
      );
      assert.match(error.hint, /piko destroy \S+\/one again/);
      assert.match(
        error.details.join("\n"),
        /Containers and networks: Cannot reach the Docker engine/,
      );
      assert.equal(await sandbox.exists(sandbox.worktree("one")), false);
      assert.equal((await sandbox.json("list")).environments[0]?.status, "failed");
      assert.equal((await sandbox.leftInEngine()).length, 2);
      await sandbox.pass("destroy one --delete-branch");
      assert.deepEqual(await sandbox.leftInEngine(), []);
      assert.deepEqual((await sandbox.json("list")).environments, []);
    });
  },
});

Deno.test({
  name: "piko says that this user may not talk to the engine",
  ...needs("git", "engine", "compose"),
  ignore: needs("git", "engine", "compose").ignore || mounting.ignore,
  async fn() {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const piko = `${sandbox.folder}/home/piko`;
    await copyProgram(PIKO, piko);
    await sandbox.run(["chown", "--recursive", "nobody", sandbox.folder]);
    try {
      const { tryRun } = await import("../../src/programs/run.ts");
      const { exitCode, stdout, stderr } = await tryRun([
        ...["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"],
        ...[piko, "create", "one", "--json"],
      ], {
        cwd: sandbox.root,
        // What another user has unpacked is not trusted.
        variables: { ...sandbox.variables, XDG_CACHE_HOME: `${sandbox.folder}/home/cache` },
      });
      assert.equal(exitCode, 5, stderr);
      refuteAccident(stderr);
      const { error } = JSON.parse(stdout);
      assert.equal(error.code, "unavailable");
      assert.match(error.message, /have no permission to use the Docker engine at unix:/);
      assert.match(error.hint, /usermod -aG docker/);
    } finally {
      await sandbox.run(["chown", "--recursive", "root", sandbox.folder], "/");
    }
    assert.deepEqual((await sandbox.json("list")).environments, []);
    assert.equal(await sandbox.git("branch", "--list", "one"), "");
  },
});

Deno.test({
  name: "piko says that compose is missing or too old",
  ...needs("git", "engine", "compose"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    // No other compose can be had here, so the one question that tells its version is answered for it.
    const withCompose = async (name: string, answer: string) => {
      const folder = `${sandbox.folder}/home/${name}`;
      const docker = await sandbox.run(["sh", "-c", "command -v docker"]);
      await writeProgram(
        `${folder}/docker`,
        `#!/bin/sh\ncase "$1" in compose) ${answer};; esac\nexec ${docker} "$@"\n`,
      );
      return { PATH: `${folder}:${sandbox.variables.PATH}` };
    };
    for (const version of ["2.24.3", "v2.20.2-desktop.1", "1.29.2"]) {
      await t.step(version, async () => {
        const answer = `if [ "$2" = version ]; then echo ${version}; exit; fi`;
        const variables = await withCompose(`compose-${version}`, answer);
        await refuses(sandbox, ["create", "one"], {
          code: "unavailable",
          message: new RegExp(
            `Docker Compose ${version.replace("v", "")} is too old: piko needs 2\\.24\\.4`,
          ),
          hint: /[Uu]pdate the compose plugin/,
        }, { variables });
      });
    }
    await t.step("missing", async () => {
      // In docker's own words, which has the plugin in a folder that others use at this moment.
      const said = `docker: 'compose' is not a docker command.\\nSee 'docker --help'`;
      const variables = await withCompose("no-compose", `printf "%b\\n" "${said}" >&2; exit 1`);
      await refuses(sandbox, ["create", "one"], {
        code: "unavailable",
        message: /Docker Compose is not installed/,
        hint: /[Ii]nstall the compose plugin/,
      }, { variables });
    });
  },
});

Deno.test({
  name: "piko create says what is wrong with a compose file",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const cases: [name: string, text: string, message: RegExp, words: RegExp][] = [
      ["broken YAML", "services:\n  app: [\n", /he compose file is not valid/, /yaml/],
      ["a tab", "services:\n\tapp: {}\n", /he compose file is not valid/, /yaml/],
      [
        "an unknown key",
        "services:\n  app:\n    imagee: busybox:1.36\n",
        /he compose file is not valid/,
        /imagee/,
      ],
      [
        "neither image nor build",
        "services:\n  app:\n    command: sleep 1\n",
        /he compose file is not valid/,
        /neither an image nor a build/,
      ],
      ["a wrong type", "services:\n  - app\n", /he compose file is not valid/, /services/],
      ["no services", "# nothing\n", /he compose file is not valid/, /empty compose file/],
      [
        "an image that is not here",
        "services:\n  app:\n    image: pikotest-nowhere:1\n    pull_policy: never\n",
        /pikotest-nowhere|image of service "app"/,
        /pikotest-nowhere|app/,
      ],
      [
        "an image that cannot be pulled",
        "services:\n  app:\n    image: localhost:1/pikotest-nowhere:1\n",
        /image of service "app" cannot be pulled|Image .* cannot be had/,
        /localhost:1/,
      ],
      [
        "a program that the image lacks",
        "services:\n  app:\n    image: busybox:1.36\n    command: pikotest-nothing\n",
        /container could not start/,
        /pikotest-nothing/,
      ],
      [
        "a variable that nobody sets",
        "services:\n  app:\n    image: busybox:${PIKOTEST_TAG:?}\n",
        /needs the variable PIKOTEST_TAG/,
        /PIKOTEST_TAG/,
      ],
    ];
    for (const [name, text, message, words] of cases) {
      await t.step(name, async () => {
        await sandbox.commit({ "compose.yaml": text });
        const expected = { code: "failed", message, hint: /./ } as const;
        const failure = await refuses(sandbox, ["create", "one"], expected);
        // What compose itself has said is shown.
        assert.match(failure.stderr, words);
      });
    }
    await t.step("a file that `compose:` names and that is not there", async () => {
      await sandbox.commit({ ".piko.yml": "compose: deploy/compose.yml\n" });
      await refuses(sandbox, ["create", "one"], {
        code: "not-found",
        message: /deploy\/compose\.yml.*`compose:` of \.piko\.yml names/,
        hint: /\.piko\.yml/,
      });
    });
    await t.step("a file of the user's own with the override file's name", async () => {
      await sandbox.write("docker-compose.piko.yml", "services: {}\n");
      // By now git ignores the name.
      await sandbox.git("add", "--force", "docker-compose.piko.yml");
      await sandbox.commit({ ".piko.yml": "{}\n", "compose.yaml": COMPOSE });
      await refuses(sandbox, ["create", "one"], {
        code: "conflict",
        message: /docker-compose\.piko\.yml is there already, and piko did not write it/,
        hint: /rename it/,
      });
    });
  },
});

Deno.test({
  name: "piko says that the disk is full, and leaves nothing half written",
  ...mounting,
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "README.md": "# Sample\n", "big.bin": "0123456789abcdef".repeat(20_000) },
      init: true,
    });
    await t.step("for the registry", async () => {
      await sandbox.pass("create kept");
      const home = `${sandbox.folder}/home/full`;
      await using disk = await Disk.mount(sandbox, home, "300k");
      await sandbox.run(["cp", "-a", `${sandbox.folder}/piko/.`, home]);
      await disk.fill();
      const variables = { PIKO_HOME: home };
      const failure = await refuses(sandbox, ["create", "one"], {
        code: "failed",
        message: /disk is full/,
        hint: /space|room/,
      }, { variables });
      assert.ok(failure.message.includes(home), failure.message);
      await disk.free();
      assert.match(await sandbox.pass("list", { variables }), /^kept +simple/m);
      await sandbox.pass("destroy kept --delete-branch");
    });
    await t.step("for a first registry", async () => {
      const home = `${sandbox.folder}/home/first`;
      await using disk = await Disk.mount(sandbox, home, "16k");
      await disk.fill();
      await refuses(sandbox, ["init"], {
        code: "failed",
        message: /disk is full/,
        hint: /space|room/,
      }, { variables: { PIKO_HOME: home } });
    });
    await t.step("for the worktree", async () => {
      await using _disk = await Disk.mount(sandbox, `${sandbox.root}/.piko/worktrees`, "200k");
      const { stderr } = await refuses(sandbox, ["create", "one"], {
        code: "failed",
        message: /annot add a worktree for branch "one"|disk is full/,
        hint: /space|room/,
      });
      assert.match(stderr, /unable to write file big\.bin/);
    });
    await t.step("for the data folder", async () => {
      await using disk = await Disk.mount(sandbox, `${sandbox.root}/.piko/data`, "16k");
      await disk.fillInodes();
      await refuses(sandbox, ["create", "one"], {
        code: "failed",
        message: /annot make the folder .*No space left/,
        hint: /space|room/,
      });
    });
    await t.step("for a script's log", async () => {
      await sandbox.write(
        ".piko.yml",
        "scripts:\n  setup: head -c 3000000 /dev/zero | tr '\\0' x | fold -w 1000\n",
      );
      await using _disk = await Disk.mount(sandbox, `${sandbox.root}/.piko/logs`, "64k");
      await refuses(sandbox, ["create", "one", "--quiet"], {
        code: "failed",
        message: /annot write .*setup\.log: No space left/,
        hint: /space|room/,
      });
    });
  },
});

Deno.test({
  name: "piko create says that the disk is full for the override file",
  ...needs("git", "engine", "compose"),
  ignore: needs("git", "engine", "compose").ignore || mounting.ignore,
  async fn() {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    await using _disk = await Disk.mount(sandbox, `${sandbox.root}/.piko/worktrees`, "256k");
    // The checkout is the last moment before: what it leaves free a hook takes.
    await writeProgram(
      `${sandbox.root}/.git/hooks/post-checkout`,
      `#!/bin/sh\ndd if=/dev/zero of='${sandbox.root}/.piko/worktrees/.fill' bs=4k 2>/dev/null\nexit 0\n`,
    );
    const before = await stateOf(sandbox);
    const { exitCode, stdout, stderr } = await sandbox.piko(["create", "one", "--json"]);
    assert.equal(exitCode, 1, stderr);
    refuteAccident(stderr);
    const { error } = JSON.parse(stdout);
    assert.match(error.message, /docker-compose\.piko\.yml.*No space left|disk is full/);
    assert.match(error.hint, /space|room/);
    await Deno.remove(`${sandbox.root}/.piko/worktrees/.fill`);
    assert.deepEqual(await stateOf(sandbox), before);
    await Deno.remove(`${sandbox.root}/.git/hooks/post-checkout`);
    await sandbox.pass("create one --no-start");
    await sandbox.pass("destroy one --delete-branch");
  },
});

Deno.test({
  name: "piko says that .piko or the registry's folder is read-only, and loses nothing",
  ...mounting,
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create kept");
    const branch = await sandbox.git("rev-parse", "kept");
    await t.step("create in a read-only .piko", async () => {
      await using _readOnly = await Disk.mountReadOnly(sandbox, `${sandbox.root}/.piko`);
      await refuses(sandbox, ["create", "one"], {
        code: "failed",
        message: /[Rr]ead-only|annot add a worktree/,
        hint: /rights|read-only|write/,
      });
    });
    await t.step("destroy in a read-only .piko goes on when it is writable again", async () => {
      {
        await using _readOnly = await Disk.mountReadOnly(sandbox, `${sandbox.root}/.piko`);
        const { exitCode, stdout, stderr } = await sandbox.piko(["destroy", "kept", "--json"]);
        assert.equal(exitCode, 1, stderr);
        refuteAccident(stderr);
        const { error } = JSON.parse(stdout);
        assert.match(
          error.message,
          /not completely destroyed: worktree could not be removed/,
        );
        assert.match(error.hint, /piko destroy \S+\/kept again/);
      }
      assert.equal((await sandbox.json("list")).environments[0]?.status, "failed");
      await sandbox.pass("destroy kept");
      assert.deepEqual((await sandbox.json("list")).environments, []);
      assert.equal(await sandbox.git("rev-parse", "kept"), branch);
    });
    await t.step("a read-only registry", async () => {
      const { PIKO_HOME = "" } = sandbox.variables;
      {
        await using _readOnly = await Disk.mountReadOnly(sandbox, PIKO_HOME);
        for (const args of [["create", "one"], ["init"]]) {
          const { exitCode, stdout, stderr } = await sandbox.piko([...args, "--json"]);
          refuteAccident(stderr);
          const { error } = JSON.parse(stdout);
          if (args[0] === "init" && exitCode === 4) continue;
          assert.equal(exitCode, 1, stderr);
          assert.ok(error.message.includes(PIKO_HOME), error.message);
          assert.match(error.hint, /rights|PIKO_HOME/);
        }
        const listed = await sandbox.piko(["list"]);
        refuteAccident(listed.stderr);
      }
      assert.equal(await sandbox.git("branch", "--list", "one"), "");
      await sandbox.pass("create one");
      await sandbox.pass("destroy one --delete-branch");
    });
  },
});

Deno.test({
  name: "piko leaves a registry alone that is newer or damaged",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const path = `${sandbox.variables.PIKO_HOME}/state.db`;
    const whole = await Deno.readFile(path);
    const damages: [
      name: string,
      message: RegExp,
      hint: RegExp,
      damage: (bytes: Uint8Array) => Uint8Array,
    ][] = [
      [
        "text",
        /is damaged, and was left as it is/,
        /state\.db\.damaged/,
        () => new TextEncoder().encode("not a database\n".repeat(100)),
      ],
      [
        "cut off in the middle",
        /is damaged, and was left as it is/,
        /state\.db\.damaged/,
        (bytes) => bytes.slice(0, bytes.length / 2 + 100),
      ],
      [
        "zeros over its pages",
        /is damaged, and was left as it is/,
        /state\.db\.damaged/,
        (bytes) => {
          const copy = bytes.slice();
          copy.fill(0, 4096);
          return copy;
        },
      ],
    ];
    for (const [name, message, hint, damage] of damages) {
      await t.step(`damaged: ${name}`, async () => {
        const damaged = damage(whole);
        await Deno.writeFile(path, damaged);
        await refuseAll(sandbox, message, hint);
        assert.deepEqual(await Deno.readFile(path), damaged, "the file was changed");
      });
    }
    await t.step("newer", async () => {
      await Deno.writeFile(path, whole);
      {
        using database = new DatabaseSync(path);
        database.exec("PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)");
      }
      const newer = await Deno.readFile(path);
      await refuseAll(sandbox, /was written by a newer piko \(schema 999/, /newer piko/);
      assert.deepEqual(await Deno.readFile(path), newer, "the file was changed");
    });
    await t.step("a folder", async () => {
      await Deno.remove(path);
      await Deno.mkdir(path);
      try {
        await refuseAll(sandbox, /Cannot open the registry/, /PIKO_HOME/);
      } finally {
        await Deno.remove(path);
      }
    });
    await t.step("its folder is a file", async () => {
      const variables = { PIKO_HOME: `${sandbox.root}/README.md` };
      const message = /Cannot open the registry .*README\.md\/state\.db: /;
      await refuseAll(sandbox, message, /PIKO_HOME/, variables);
      const { stdout } = await sandbox.piko(["doctor"], { variables });
      assert.match(stdout, /✗ .*README\.md is no folder$/m);
    });
    await Deno.writeFile(path, whole);
    assert.deepEqual((await sandbox.json("list")).environments, []);
  },
});

async function refuseAll(
  sandbox: Sandbox,
  message: RegExp,
  hint: RegExp,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const args of [["list"], ["create", "one"], ["init"], ["destroy", "one"]]) {
    await refuses(sandbox, args, { code: "failed", message, hint }, { variables });
  }
}

/** Makes a folder of links to what is on the PATH, but one program, and returns it as a PATH. */
async function pathWithout(sandbox: Sandbox, program: string): Promise<string> {
  const folder = `${sandbox.folder}/home/without-${program}`;
  await Deno.mkdir(folder);
  for (const from of (sandbox.variables.PATH ?? "").split(":")) {
    try {
      for await (const { name } of Deno.readDir(from)) {
        if (name === program) continue;
        await Deno.symlink(`${from}/${name}`, `${folder}/${name}`).catch(ignoreExisting);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return folder;
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
}

/** Makes a socket whose listener is gone: closing removes the name that it was made under alone. */
function makeDeadSocket(path: string): void {
  using _listener = Deno.listen({ transport: "unix", path: `${path}.alive` });
  Deno.linkSync(`${path}.alive`, path);
}

/** A mount that goes with its scope. */
class Disk implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #path: string;

  private constructor(sandbox: Sandbox, path: string) {
    this.#sandbox = sandbox;
    this.#path = path;
  }

  /** Mounts an empty disk of a certain size. */
  static async mount(sandbox: Sandbox, path: string, size: string): Promise<Disk> {
    await Deno.mkdir(path, { recursive: true });
    await sandbox.run([
      "mount",
      "-t",
      "tmpfs",
      "-o",
      `size=${size},nr_inodes=64,mode=700`,
      "piko-test",
      path,
    ]);
    return new Disk(sandbox, path);
  }

  /** Lays a read-only view of a folder over itself. */
  static async mountReadOnly(sandbox: Sandbox, path: string): Promise<Disk> {
    await sandbox.run(["mount", "--bind", path, path]);
    await sandbox.run(["mount", "-o", "remount,bind,ro", path]);
    return new Disk(sandbox, path);
  }

  /** Takes all of the space. */
  async fill(): Promise<void> {
    await this.#sandbox.run([
      "sh",
      "-c",
      `dd if=/dev/zero of="$1/.fill" bs=4k 2>/dev/null || :`,
      "sh",
      this.#path,
    ]);
  }

  /** Takes all of the names. */
  async fillInodes(): Promise<void> {
    for (let count = 0;; count++) {
      try {
        await Deno.writeTextFile(`${this.#path}/.fill-${count}`, "");
      } catch {
        return;
      }
    }
  }

  /** Gives the space back. */
  async free(): Promise<void> {
    await Deno.remove(`${this.#path}/.fill`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox.run(["umount", this.#path], "/");
  }
}
