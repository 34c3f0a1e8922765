/**
 * What people do beside piko with git, tmux, docker and in its folders, row by row: each is made for real, found and named,
 * mended where that loses nothing, and whatever work and data there was is there afterwards.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { acquireLock } from "../../src/store/locks.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { assertSound, doctor, hintOf } from "./doctor.ts";

/** Something that is done beside piko to environment "one". */
interface Row {
  what: string;
  make: () => Promise<unknown>;
  /** What doctor then finds wrong, with ID for each commit. */
  wrong?: readonly string[];
  /** What it finds worth knowing. */
  noted?: readonly string[];
  /** What `list` says then; "stopped" or "simple" where it is not said. */
  status?: string;
  /** What `--fix` says that it has mended. */
  fixed?: readonly string[];
  /** Whether what `--fix` leaves is put in order by the command that doctor names. */
  byHint?: boolean;
  /** Proves what else holds, and puts in order what `--fix` and the hint do not. */
  then?: () => Promise<unknown>;
}

/** Walks the rows; `kept` proves after each that nothing of the person's is lost. */
async function walk(
  t: Deno.TestContext,
  sandbox: Sandbox,
  rows: readonly Row[],
  status: string,
  kept: () => Promise<void>,
): Promise<void> {
  const plain = (lines: readonly string[]) =>
    lines.map((line) => line.replace(/\b[0-9a-f]{7}$/, "ID")).sort();
  for (const row of rows) {
    const { wrong = [], noted = [], fixed = [] } = row;
    await t.step(row.what, async () => {
      await row.make();
      const found = await doctor(sandbox);
      assert.deepEqual([plain(found.wrong), plain(found.noted)], [plain(wrong), plain(noted)]);
      const { environments } = await sandbox.json("list");
      const one = environments.find(({ name }) => name === "one");
      assert.equal(one?.status, row.status ?? status);
      if (wrong.length > 0) {
        const mended = await doctor(sandbox, ["--fix"]);
        assert.deepEqual(plain(mended.fixed), plain(fixed), mended.stderr);
        if (row.byHint) {
          const hint = mended.checks.find(({ ok }) => !ok)?.hint ?? "";
          await sandbox.run(["sh", "-c", hint]);
        }
      }
      await row.then?.();
      await kept();
      await assertSound(sandbox);
    });
  }
}

Deno.test({
  name: "what is done beside piko with git, tmux and in its folders loses nothing",
  ...needs("git", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const { root, project, folder } = sandbox;
    const path = sandbox.worktree("one");
    const state = `${sandbox.variables.PIKO_HOME}/state.db`;
    await sandbox.pass("create one");
    await sandbox.run(["git", "commit", "--quiet", "--allow-empty", "-m", "Only here"], path);
    const commit = await sandbox.run(["git", "rev-parse", "HEAD"], path);
    await sandbox.write(`${path}/notes.txt`, "precious\n");
    await sandbox.write(".piko/data/one/rows", "precious\n");
    const kept = async () => {
      assert.equal(await Deno.readTextFile(`${path}/notes.txt`), "precious\n");
      assert.equal(await Deno.readTextFile(`${root}/.piko/data/one/rows`), "precious\n");
      assert.equal(await sandbox.run(["git", "rev-parse", "HEAD"], path), commit);
      const { environment } = await sandbox.json("status one");
      assert.equal(environment.branch, "one");
      assert.equal(await sandbox.run(["git", "branch", "--show-current"], path), "one");
    };
    await walk(
      t,
      sandbox,
      [
        {
          what: "a branch that was renamed",
          make: () => sandbox.git("branch", "--move", "one", "uno"),
          wrong: ['worktree: Branch "one" of PROJECT/one is gone; its worktree is on branch "uno"'],
          fixed: ['worktree: Took "uno" for the branch of PROJECT/one'],
          then: async () => {
            assert.equal((await sandbox.json("env one")).PIKO_BRANCH, "uno");
            assert.match(
              await sandbox.fail("destroy one --delete-branch", 4),
              /notes\.txt/,
            );
            await sandbox.git("branch", "--move", "uno", "one");
            await doctor(sandbox, ["--fix"]);
          },
        },
        {
          what: "a branch that was deleted beneath its worktree",
          make: () => sandbox.git("update-ref", "-d", "refs/heads/one"),
          wrong: [
            'worktree: Branch "one" of PROJECT/one was deleted; its last commit was ID',
          ],
          byHint: true,
        },
        {
          what: "a worktree that was moved without git",
          make: () => Deno.rename(path, `${path}-aside`),
          wrong: [
            "worktree: The worktree of PROJECT/one was moved without git, from ROOT/.piko/worktrees/one to ROOT/.piko/worktrees/one-aside",
          ],
          status: "missing",
          byHint: true,
        },
        {
          what: "a worktree that was locked",
          make: () => sandbox.git("worktree", "lock", path),
          then: async () => {
            assert.match(
              await sandbox.fail("destroy one --force", 4),
              /is locked\n.*worktree unlock/,
            );
            await sandbox.git("worktree", "unlock", path);
          },
        },
        {
          what: "a window that was closed stays so",
          make: () => sandbox.tmux("kill-window", "-t", `=piko/${project}/one:logs`),
        },
        {
          what: "a data folder that was removed",
          make: () => Deno.rename(`${root}/.piko/data/one`, `${folder}/data`),
          wrong: ["folder: The data folder of PROJECT/one is gone: ROOT/.piko/data/one"],
          fixed: ["folder: Made ROOT/.piko/data/one, which is empty"],
          then: async () => {
            await Deno.remove(`${root}/.piko/data`, { recursive: true });
            const { stderr } = await sandbox.piko(["up", "one"]);
            assert.match(
              stderr,
              /The data folder was gone, and is made anew, empty: .*data\/one$/m,
            );
            await Deno.remove(`${root}/.piko/data/one`);
            await Deno.rename(`${folder}/data`, `${root}/.piko/data/one`);
          },
        },
      ],
      "simple",
      kept,
    );

    await t.step(
      "a repository that was moved is not taken for one whose worktrees are gone",
      async () => {
        await Deno.rename(root, `${root}.away`);
        const { wrong, fixed } = await doctor(sandbox, ["--fix"], { cwd: folder });
        assert.deepEqual(
          [wrong, fixed],
          [["project: The repository of project PROJECT is gone: ROOT"], []],
        );
        for (const verb of ["up", "edit"]) {
          const said = await sandbox.fail(`${verb} ${project}/one`, 4, { cwd: folder });
          assert.match(
            said,
            /The repository of project .* is gone: .*\n.*bring it back; piko destroy/,
          );
        }
        await Deno.rename(`${root}.away`, root);
        await kept();
        await assertSound(sandbox);
      },
    );

    await t.step("a registry that is lost, or was emptied", async () => {
      for (const lose of [() => Deno.remove(state), () => Deno.truncate(state)]) {
        await sandbox.tmux("kill-server");
        await Promise.all(["-wal", "-shm"].map((end) => Deno.remove(state + end).catch(() => {})));
        await lose();
        assert.equal((await doctor(sandbox)).exitCode, 0);
        assert.match(await sandbox.fail("list", 3), /is in no piko project/);
        await sandbox.pass("init");
        const { wrong, noted } = await doctor(sandbox, ["--fix"]);
        assert.deepEqual(wrong, []);
        assert.deepEqual(noted.sort(), [
          "folder: Data of an environment that is gone: ROOT/.piko/data/one",
          "folder: The worktree ROOT/.piko/worktrees/one belongs to no environment",
        ]);
        const said = await sandbox.fail("create one", 4);
        assert.match(said, /is there already, and is no environment that piko knows/);
        // git refuses to remove what is not committed.
        const remove = /commit what is in it, then: (.*)/.exec(said)?.[1] ?? "";
        await assert.rejects(sandbox.run(["sh", "-c", remove]));
        await Deno.remove(`${path}/notes.txt`);
        await sandbox.run(["sh", "-c", remove]);
        await sandbox.pass("create one");
        await sandbox.write(`${path}/notes.txt`, "precious\n");
        await kept();
        await assertSound(sandbox);
      }
    });

    await t.step("a registry that was emptied while a piko has it open", async () => {
      using open = new DatabaseSync(state);
      open.exec("SELECT * FROM projects");
      // By other processes: this one's locks would end with the file that it closes.
      await sandbox.run(["cp", state, `${folder}/copy`]);
      await sandbox.run(["truncate", "--size=0", state]);
      await sandbox.run(["rm", `${state}-wal`, `${state}-shm`]);
      const { wrong, checks } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(wrong, [
        "registry: The registry FOLDER/piko/state.db was emptied while pikos have it open",
      ]);
      assert.equal(checks.some(({ name }) => name === "worktree"), false);
      open.close();
      await Deno.remove(state);
      await Deno.rename(`${folder}/copy`, state);
      await kept();
      await assertSound(sandbox);
    });

    await t.step(".piko as a whole", async () => {
      await Deno.remove(`${root}/.piko`, { recursive: true });
      assert.equal((await sandbox.json("list")).environments[0]?.status, "missing");
      assert.match(await sandbox.fail("up one", 4), /The worktree of "one" is gone/);
      const { wrong, fixed } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual([wrong, fixed], [[
        "worktree: The worktree of PROJECT/one is gone: ROOT/.piko/worktrees/one",
      ], []]);
      await sandbox.pass("destroy one");
      assert.deepEqual(await sandbox.sessions(), []);
      assert.equal(await sandbox.git("rev-parse", "one"), commit);
      await sandbox.pass("create one");
      await assertSound(sandbox);
    });

    await t.step("the whole repository", async () => {
      await Deno.remove(root, { recursive: true });
      const { wrong } = await doctor(sandbox, ["--fix"], { cwd: folder });
      assert.deepEqual(wrong, ["project: The repository of project PROJECT is gone: ROOT"]);
      await sandbox.pass(`destroy ${project}/one`, { cwd: folder });
      await sandbox.pass(`project forget ${project}`, { cwd: folder });
      await assertSound(sandbox, { cwd: folder });
    });
  },
});

const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 8025 -h /data
    ports: ["8025"]
    volumes: ["data:/data"]
  kv:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 6379 -h /
    ports: ["6379"]
  tool:
    image: busybox:1.36
    ports: ["9000"]
    profiles: [tools]
volumes: { data: {} }
`;

Deno.test({
  name: "what is done beside piko with docker loses nothing",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yml": COMPOSE, ".piko.yml": "ignore: [web, kv]\n" },
      init: true,
    });
    const { root, project } = sandbox;
    const path = sandbox.worktree("one");
    const override = `${path}/docker-compose.piko.yml`;
    const network = `piko-${project}-one`;
    const web = `${network}-web-1`;
    await sandbox.pass("create one");
    await docker("exec", web, "sh", "-c", "echo precious > /data/row");
    await sandbox.write(`${path}/notes.txt`, "precious\n");
    /** Asks from inside one service for another one by its name. */
    const reaches = async (from: string, url: string) => {
      await docker("exec", from, "wget", "-q", "-O", "/dev/null", url);
    };
    const kept = async () => {
      assert.equal(await docker("exec", web, "cat", "/data/row"), "precious");
      assert.equal(await Deno.readTextFile(`${path}/notes.txt`), "precious\n");
      await reaches(web, "http://kv:6379/etc/hostname");
      assert.equal((await sandbox.json("list")).environments[0]?.status, "running");
    };
    const up = () => sandbox.pass("up one");

    await walk(
      t,
      sandbox,
      [
        {
          what: "a container that was renamed is known all the same",
          make: () => docker("rename", web, `${project}-mine`),
          then: async () => {
            const { services } = await sandbox.json("status one");
            assert.deepEqual(services.map(({ service, container }) => [service, container]), [
              ["kv", `${network}-kv-1`],
              ["tool", null],
              ["web", `${project}-mine`],
            ]);
            assert.equal(await sandbox.pass("exec one web cat /data/row"), "precious\n");
            await up();
            await docker("rename", `${project}-mine`, web);
          },
        },
        {
          what: "a container that was stopped",
          make: () => docker("stop", web),
          status: "partial",
          then: up,
        },
        {
          what: "a container that was removed",
          make: () => docker("rm", "--force", web),
          noted: ["container: PROJECT/one has no container of web"],
          status: "partial",
          then: async () => {
            // What a broken compose file has services of, nobody knows: `up` says what is wrong with it.
            await sandbox.write(`${path}/compose.yml`, `${COMPOSE}  broken: [\n`);
            const { noted } = await assertSound(sandbox);
            assert.deepEqual(noted, []);
            assert.match(await sandbox.fail("up one", 1), /compose\.yml/);
            await sandbox.write(`${path}/compose.yml`, COMPOSE);
            await up();
          },
        },
        {
          what: "a container that was taken off its network",
          make: () => docker("network", "disconnect", network, web),
          wrong: [
            "network: Container piko-PROJECT-one-web-1 of PROJECT/one is not on its network piko-PROJECT-one any more",
          ],
          fixed: ["network: Connected piko-PROJECT-one-web-1 to piko-PROJECT-one"],
          then: () => reaches(`${network}-kv-1`, "http://web:8025/row"),
        },
        {
          what: "a network that was removed beneath running containers",
          make: async () => {
            for (const service of ["web", "kv"]) {
              await docker("network", "disconnect", network, `${network}-${service}-1`);
            }
            await docker("network", "rm", network);
          },
          wrong: ["kv", "web"].map((service) =>
            `network: Container piko-PROJECT-one-${service}-1 of PROJECT/one is not on its network piko-PROJECT-one any more`
          ),
          then: async () => {
            await up();
            const { fixed, wrong } = await doctor(sandbox, ["--fix"]);
            assert.deepEqual(wrong, []);
            assert.equal(fixed.length, 2);
          },
        },
        {
          what: "an override file that was edited",
          make: async () => {
            const text = await Deno.readTextFile(override);
            await Deno.writeTextFile(override, `${text}# by hand\n`);
          },
          then: async () => {
            await up();
            assert.doesNotMatch(await Deno.readTextFile(override), /by hand/);
          },
        },
        {
          what: "an override file that git shows",
          make: () => Deno.writeTextFile(`${root}/.git/info/exclude`, ""),
          wrong: [
            "override: git does not ignore the override file of PROJECT/one: ROOT/.piko/worktrees/one/docker-compose.piko.yml",
          ],
          fixed: ["override: Had git ignore ROOT/.piko/worktrees/one/docker-compose.piko.yml"],
          then: async () => {
            await Deno.writeTextFile(`${root}/.git/info/exclude`, "");
            await up();
            await assertSound(sandbox);
            await Deno.writeTextFile(`${root}/.git/info/exclude`, "");
            // It is nobody's work; the notes are.
            const said = await sandbox.fail("destroy one", 4);
            assert.match(said, /untracked: notes\.txt/);
            assert.doesNotMatch(said, /docker-compose\.piko\.yml/);
          },
        },
      ],
      "running",
      kept,
    );

    await sandbox.pass("share kv --now");
    const shared = `piko-${project}-shared-kv-1`;
    await walk(
      t,
      sandbox,
      [
        {
          what: "a shared container that was stopped",
          make: () => docker("stop", shared),
          noted: ["shared: The shared kv is stopped, and one runs and uses it"],
          then: async () => {
            assert.equal((await sandbox.json("share")).shared[0]?.state, "exited");
            await up();
          },
        },
        {
          what: "a shared container that was renamed is known all the same",
          make: () => docker("rename", shared, `${project}-shared`),
          then: async () => {
            assert.equal((await sandbox.json("share")).shared[0]?.container, `${project}-shared`);
            await up();
            await docker("rename", `${project}-shared`, shared);
          },
        },
        {
          what: "a shared container that was taken off an environment's network",
          make: async () => {
            await docker("network", "disconnect", network, shared);
            // Whoever is at work on the environment is about to bring it there.
            const { PIKO_HOME } = sandbox.variables;
            const options = { command: "piko up one", block: false };
            using _work = await acquireLock(`${PIKO_HOME}/locks`, "1.one", options);
            assert.deepEqual((await doctor(sandbox)).wrong, []);
          },
          wrong: [
            "shared: The shared kv is not on network piko-PROJECT-one, where it is expected (PROJECT)",
          ],
          fixed: [
            "shared: Put in order: The shared kv is not on network piko-PROJECT-one, where it is expected",
          ],
        },
        {
          what: "a shared container that was taken off its own network",
          make: () => docker("network", "disconnect", `piko-${project}-shared`, shared),
          wrong: [
            "network: Container piko-PROJECT-shared-kv-1 of what PROJECT shares is not on its network piko-PROJECT-shared any more",
          ],
          fixed: ["network: Connected piko-PROJECT-shared-kv-1 to piko-PROJECT-shared"],
        },
        {
          what: "a shared container that was removed, with its network",
          make: async () => {
            await docker("rm", "--force", shared);
            await docker("network", "rm", `piko-${project}-shared`);
          },
          wrong: ["shared: The shared kv, which one uses, has no container (PROJECT)"],
          fixed: ["shared: Put in order: The shared kv, which one uses, has no container"],
        },
        {
          what: "an environment's network that was removed beneath the shared container",
          make: async () => {
            await sandbox.pass("down one");
            await docker("stop", shared);
            await docker("network", "disconnect", "--force", network, shared);
            await docker("network", "rm", network);
          },
          wrong: [
            "network: Network piko-PROJECT-one of PROJECT/one was removed: its containers cannot start",
          ],
          status: "stopped",
          then: up,
        },
      ],
      "running",
      kept,
    );

    await Deno.remove(`${path}/notes.txt`);
    await docker("rename", web, `${project}-mine`);
    await sandbox.pass("destroy one --volumes");
    await sandbox.pass("isolate kv --volumes");
    assert.deepEqual(await sandbox.leftInEngine(), []);
    await assertSound(sandbox);
  },
});

Deno.test({
  name: "piko doctor names no command that removes the worktrees of a repository that was moved",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one");
    await sandbox.write(`${sandbox.worktree("one")}/new.txt`, "precious\n");
    const moved = `${sandbox.folder}/moved`;
    await Deno.rename(sandbox.root, moved);
    await sandbox.pass("init", { cwd: moved });
    await sandbox.pass(`destroy ${sandbox.project}/one`, { cwd: moved });

    const path = `${moved}/.piko/worktrees/one`;
    const found = await doctor(sandbox, ["--fix"], { cwd: moved });
    const hint = hintOf(found, `does not take for its worktree any more: ${path}`);
    await sandbox.run(["sh", "-c", hint ?? "exit 1"], moved);
    assert.equal(await sandbox.run(["git", "-C", path, "status", "--short"], moved), "?? new.txt");
    await Deno.rename(moved, sandbox.root);
    await sandbox.git("worktree", "repair", sandbox.worktree("one"));
    await sandbox.git("worktree", "remove", "--force", sandbox.worktree("one"));
  },
});
