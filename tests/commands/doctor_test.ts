/**
 * `piko doctor`: every disagreement is made for real, by killing piko or by working beside it with git, tmux and docker; it
 * is found and named, `--fix` mends what it may, a second doctor is content, and nothing that is not piko's is touched.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { SCHEMA_VERSION } from "../../src/store/database.ts";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { assertSound, doctor, hintOf } from "./doctor.ts";
import { writeProgram } from "../program_file.ts";

/** A setup script that holds in the environments that are to be killed there. */
const HELD = `windows: [{ name: last, command: sleep 1000, local: true }]
scripts:
  setup: |
    case $PIKO_ENV_NAME in half*|busy) exec tail -f "$PIKO_ROOT/../home/held" ;; esac
`;

async function makeSimple(): Promise<Sandbox> {
  const sandbox = await Sandbox.create({
    files: { "README.md": "# Sample\n", ".piko.yml": HELD },
    init: true,
    slots: 2,
  });
  await sandbox.write(`${sandbox.folder}/home/held`, "");
  return sandbox;
}

/** Starts a create that does not come to its end, and waits until it is in its last script. */
async function createHeld(sandbox: Sandbox, name: string): Promise<Background> {
  const piko = Background.piko(sandbox, ["create", name]);
  await until(`${name} held`, () => sandbox.exists(`.piko/logs/${name}/setup.log`));
  return piko;
}

/** Kills piko in the last script of a create; tail ends when nobody reads from it any more. */
async function killHeld(sandbox: Sandbox, name: string): Promise<void> {
  await using piko = await createHeld(sandbox, name);
  piko.kill("SIGKILL");
  assert.equal(await piko.ended(), 137);
}

Deno.test({
  name: "piko doctor finds and mends what is left of environments in git, tmux and piko's folders",
  ...needs("git", "tmux"),
  async fn(t) {
    await using sandbox = await makeSimple();
    const { root, project } = sandbox;
    const worktree = (name: string) => sandbox.worktree(name);
    const tmux = async (...args: string[]) => {
      const { exitCode, stderr } = await sandbox.tmux(...args);
      assert.equal(exitCode, 0, stderr);
    };

    await t.step("a project in order, and one that is not there yet", async () => {
      await sandbox.pass("create whole");
      const sound = await assertSound(sandbox);
      assert.deepEqual([sound.noted, sound.fixed, sound.exitCode], [[], [], 0]);
      const elsewhere = { variables: { PIKO_HOME: `${sandbox.folder}/none` } };
      const { wrong, checks } = await doctor(sandbox, [], elsewhere);
      assert.deepEqual(wrong, []);
      assert.match(
        checks.find(({ name }) => name === "registry")?.message ?? "",
        /no registry yet/,
      );
      assert.equal(await sandbox.exists(`${sandbox.folder}/none`), false);
    });

    // Killed halves, one of them with work in it.
    await killHeld(sandbox, "half");
    await killHeld(sandbox, "half-worked");
    await sandbox.write(`${worktree("half-worked")}/notes.txt`, "precious\n");
    await sandbox.write(`.piko/data/half/rows`, "precious\n");
    // Worktrees that somebody has removed, moved, switched and locked.
    for (
      const name of [
        "gone",
        "moved",
        "switched",
        "locked",
        "detached",
        "unlinked",
        "pruned",
        "kept",
      ]
    ) {
      await sandbox.pass(`create ${name}`);
    }
    await Deno.remove(`${worktree("unlinked")}/.git`);
    await Deno.remove(`${root}/.git/worktrees/pruned`, { recursive: true });
    await sandbox.write(`${worktree("pruned")}/notes.txt`, "precious\n");
    await sandbox.git("worktree", "remove", worktree("gone"));
    await sandbox.git("worktree", "move", worktree("moved"), `${sandbox.folder}/elsewhere`);
    await sandbox.run(["git", "switch", "--quiet", "--create", "another"], worktree("switched"));
    await sandbox.git("worktree", "lock", "--reason", "on a stick", worktree("locked"));
    await Deno.remove(worktree("locked"), { recursive: true });
    await sandbox.run(["git", "checkout", "--quiet", "--detach"], worktree("detached"));
    await sandbox.run(
      ["git", "commit", "--quiet", "--allow-empty", "-m", "On no branch"],
      worktree("detached"),
    );
    await Deno.remove(worktree("detached"), { recursive: true });
    // Sessions that somebody has ended, renamed, or put in the place of piko's.
    for (const name of ["ended", "renamed", "taken", "short"]) await sandbox.pass(`create ${name}`);
    // As a kill between two calls of tmux leaves it.
    await tmux("set-option", "-t", `=piko/${project}/short:`, "@piko_state", "unfinished");
    await tmux("kill-window", "-t", `=piko/${project}/short:last`);
    await tmux("kill-session", "-t", `=piko/${project}/ended`);
    await tmux("rename-session", "-t", `=piko/${project}/renamed`, "mine");
    await tmux("kill-session", "-t", `=piko/${project}/taken`);
    await tmux("new-session", "-d", "-s", `piko/${project}/taken`);
    await tmux("new-session", "-d", "-s", `piko/${project}/foreign`);
    const { PIKO_HOME = "" } = sandbox.variables;
    for (
      const [name, home, owner] of [
        ["orphan", PIKO_HOME, worktree("never")],
        ["other-registry", "/somewhere/else", worktree("never")],
        ["other-project", PIKO_HOME, "/somewhere/else/.piko/worktrees/one"],
      ] as const
    ) {
      await tmux("new-session", "-d", "-s", name, "-e", `PIKO_HOME=${home}`);
      await tmux("set-option", "-t", `=${name}:`, "@piko_environment", owner);
    }
    // Entries of git, and folders, that no environment has.
    for (const name of ["stale", "staged", "stuck", "by-hand"]) {
      await sandbox.git("worktree", "add", "--quiet", worktree(name));
    }
    await sandbox.write(`${worktree("staged")}/new.txt`, "precious\n");
    await sandbox.run(["git", "add", "new.txt"], worktree("staged"));
    await sandbox.git("worktree", "lock", worktree("stuck"));
    for (const name of ["stale", "staged", "stuck"]) {
      await Deno.remove(worktree(name), { recursive: true });
    }
    await sandbox.git("worktree", "add", "--quiet", `${sandbox.folder}/outside`);
    await Deno.remove(`${sandbox.folder}/outside`, { recursive: true });
    await sandbox.write(".piko/worktrees/files/a.txt", "precious\n");
    await sandbox.write(".piko/data/old/rows", "precious\n");
    await sandbox.write(".piko/logs/undone/setup.log", "why it failed\n");
    for (const path of ["worktrees/empty/src", "data/empty/pg", "logs/empty"]) {
      await Deno.mkdir(`${root}/.piko/${path}`, { recursive: true });
    }
    await using busy = await createHeld(sandbox, "busy");

    const unmended = [
      "git-entry: git still lists the worktree ROOT/.piko/worktrees/stale, which is gone",
      "git-entry: The worktree ROOT/.piko/worktrees/staged is gone, and git alone still has staged: new.txt",
      "worktree: git does not know ROOT/.piko/worktrees/pruned, the worktree of PROJECT/pruned, any more",
      "worktree: The worktree of PROJECT/detached is gone, and git alone still has COMMIT On no branch",
      "worktree: The worktree of PROJECT/locked is gone, and locked (on a stick): ROOT/.piko/worktrees/locked",
      "worktree: The worktree of PROJECT/moved is at FOLDER/elsewhere and not at ROOT/.piko/worktrees/moved any more",
    ];
    const mendable = [
      'environment: PROJECT/half was never made completely: piko create was broken off at step "setup"',
      'environment: PROJECT/half-worked was never made completely: piko create was broken off at step "setup"',
      "folder: An empty folder of an environment that is gone: ROOT/.piko/data/empty",
      "folder: An empty folder of an environment that is gone: ROOT/.piko/logs/empty",
      "folder: An empty folder of an environment that is gone: ROOT/.piko/worktrees/empty",
      'session: Session "orphan" belongs to no environment: it was made for ROOT/.piko/worktrees/never',
      "session: Windows are missing in the session of PROJECT/short: piko was broken off while it made them",
      "session: The session of PROJECT/ended is gone: piko/PROJECT/ended",
      'session: The session of PROJECT/renamed is called "mine" by now, and not "piko/PROJECT/renamed"',
      "worktree: The worktree of PROJECT/gone is gone: ROOT/.piko/worktrees/gone",
      "worktree: The worktree of PROJECT/unlinked is none any more: ROOT/.piko/worktrees/unlinked/.git is gone",
    ];
    const noted = [
      `environment: PROJECT/busy was left alone: "piko create busy" (process ${busy.pid}) is at work on it`,
      "folder: A folder where a worktree was: ROOT/.piko/worktrees/files",
      "folder: Data of an environment that is gone: ROOT/.piko/data/old",
      "folder: Logs of an environment that was not made, or is gone: ROOT/.piko/logs/undone",
      "folder: The worktree ROOT/.piko/worktrees/by-hand belongs to no environment",
      "git-entry: git lists the worktree ROOT/.piko/worktrees/stuck, which is gone and is locked",
      'session: A session "piko/PROJECT/taken" is there that is not the one of PROJECT/taken',
      'session: Session "other-project" belongs to no environment: it was made for /somewhere/else/.piko/worktrees/one with another registry',
      'session: Session "other-registry" belongs to no environment: it was made for ROOT/.piko/worktrees/never with another registry',
      'worktree: The worktree of PROJECT/switched is on branch "another"; it was made for "switched"',
    ];
    const commit = (lines: string[]) =>
      lines.map((line) => line.replace(/\b[0-9a-f]{7,}(?= On no branch)/, "COMMIT")).sort();

    await t.step("found and named, with a command that helps, and nothing touched", async () => {
      const before = await sandbox.git("worktree", "list", "--porcelain");
      const found = await doctor(sandbox);
      assert.deepEqual(commit(found.wrong), [...unmended, ...mendable].sort());
      assert.deepEqual(found.noted.sort(), noted);
      assert.deepEqual(found.fixed, []);
      assert.equal(hintOf(found, "/gone"), `piko destroy ${project}/gone`);
      const logs = `${root}/.piko/logs/undone`;
      assert.equal(hintOf(found, logs), `read them, and remove them: rm -r ${logs}`);
      assert.equal(hintOf(found, "ended is gone"), `piko attach ${project}/ended`);
      assert.equal(
        hintOf(found, "/moved"),
        `git -C ${root} worktree move ${sandbox.folder}/elsewhere ${worktree("moved")}`,
      );
      assert.equal(await sandbox.git("worktree", "list", "--porcelain"), before);
    });

    await t.step("mended, but for work, data, and what is not piko's", async () => {
      const refs = await sandbox.git("for-each-ref", "--format=%(refname)");
      const { wrong, fixed, stderr } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(
        commit(wrong),
        [
          ...unmended,
          `${
            mendable[1]
          }. It was not mended: Environment "half-worked" has work that is not committed: untracked: notes.txt`,
        ].sort(),
        stderr,
      );
      assert.deepEqual(fixed.sort(), [
        "environment: Took back what there was of PROJECT/half; ROOT/.piko/data/half stays",
        "folder: Removed the empty folder ROOT/.piko/data/empty",
        "folder: Removed the empty folder ROOT/.piko/logs/empty",
        "folder: Removed the empty folder ROOT/.piko/worktrees/empty",
        'session: Ended session "orphan"',
        'session: Made the session "piko/PROJECT/ended"',
        'session: Made the windows of "piko/PROJECT/short"',
        'session: Took "mine" for the session of PROJECT/renamed',
        "worktree: Had git write ROOT/.piko/worktrees/unlinked/.git anew",
        "worktree: Removed what there was of PROJECT/gone",
      ]);
      const short = await sandbox.tmux(
        ...["list-windows", "-t", `=piko/${project}/short`, "-F", "#{window_name}"],
      );
      assert.equal(short.stdout, "shell\nlast\n");
      const { environments } = await sandbox.json("list");
      const names = environments.map(({ name }) => name);
      assert.equal(names.includes("half") || names.includes("gone"), false);
      assert.equal(environments.find(({ name }) => name === "busy")?.status, "creating");
      assert.equal(await Deno.readTextFile(`${root}/.piko/data/half/rows`), "precious\n");
      assert.ok(await sandbox.exists(".piko/logs/undone/setup.log"));
      assert.equal(await Deno.readTextFile(`${root}/.piko/data/old/rows`), "precious\n");
      assert.equal(await Deno.readTextFile(`${worktree("half-worked")}/notes.txt`), "precious\n");
      assert.equal(await sandbox.exists(`${worktree("files")}/a.txt`), true);
      assert.deepEqual(
        (await sandbox.sessions()).filter((name) => !name.startsWith("piko/")).sort(),
        ["mine", "other-project", "other-registry"],
      );
      assert.ok((await sandbox.sessions()).includes(`piko/${project}/foreign`));
      const listed = await sandbox.git("worktree", "list", "--porcelain");
      for (const name of ["staged", "stuck", "by-hand", "detached", "locked"]) {
        assert.ok(listed.includes(worktree(name)), name);
      }
      assert.ok(listed.includes(`${sandbox.folder}/outside`));
      // The branch that a killed create had made is taken back with it.
      assert.deepEqual(
        (await sandbox.git("for-each-ref", "--format=%(refname)")).split("\n"),
        refs.split("\n").filter((ref) => ref !== "refs/heads/half"),
      );
    });

    await t.step("and what a person had to see to, is in order once they have", async () => {
      busy.kill("SIGTERM");
      assert.equal(await busy.ended(), 130);
      await Deno.remove(`${worktree("half-worked")}/notes.txt`);
      const moved = await doctor(sandbox);
      for (const words of ["/moved", "new.txt"]) {
        await sandbox.run(["sh", "-c", (hintOf(moved, words) ?? "").replace(", then: ", " && ")]);
      }
      const aside = hintOf(moved, "/pruned, the worktree")?.replace("set its files aside: ", "") ??
        "";
      await sandbox.run(["sh", "-c", aside.split(", then: ")[0] ?? ""]);
      assert.equal(await Deno.readTextFile(`${worktree("pruned")}.old/notes.txt`), "precious\n");
      await Deno.remove(`${worktree("pruned")}.old`, { recursive: true });
      const staged = worktree("staged");
      assert.equal(await Deno.readTextFile(`${staged}/new.txt`), "precious\n");
      assert.match(
        await sandbox.run(["git", "status", "--short", "--branch"], staged),
        /^## staged\nA {2}new\.txt$/,
      );
      await sandbox.git("worktree", "remove", "--force", staged);
      const rescue = hintOf(moved, "On no branch")?.split(", then: ")[0] ?? "";
      await sandbox.run(["sh", "-c", rescue]);
      await sandbox.git("worktree", "unlock", worktree("locked"));
      const { wrong, fixed, noted } = await doctor(sandbox, ["--fix"]);
      // They may have been moved, and would be no worktrees any more without their entries.
      assert.deepEqual(wrong.sort(), [
        "git-entry: git still lists the worktree ROOT/.piko/worktrees/stale, which is gone",
        "worktree: The worktree of PROJECT/detached is gone: ROOT/.piko/worktrees/detached",
        "worktree: The worktree of PROJECT/locked is gone: ROOT/.piko/worktrees/locked",
      ]);
      await sandbox.run(["sh", "-c", hintOf(moved, "/stale") ?? "exit 1"]);
      for (const name of ["detached", "locked"]) await sandbox.pass(`destroy ${name}`);
      assert.deepEqual(fixed.sort(), [
        "environment: Took back what there was of PROJECT/half-worked",
        "worktree: Removed what there was of PROJECT/pruned",
      ]);
      assert.ok(
        noted.includes("folder: Data of an environment that is gone: ROOT/.piko/data/half"),
      );
      assert.equal(await sandbox.git("log", "-1", "--format=%s", "rescued"), "On no branch");
      await assertSound(sandbox);
    });

    await t.step("for a person: a sign for each, with a hint, in groups", async () => {
      await sandbox.git("worktree", "remove", worktree("kept"));
      const { exitCode, stdout, stderr } = await sandbox.piko(["doctor"]);
      assert.equal(exitCode, 1);
      const lines = stdout.split("\n");
      assert.deepEqual(
        lines.filter((line) => /^\w/.test(line)),
        ["Programs", "Registry", "Projects", "Environments", "Docker"],
      );
      const at = lines.indexOf(`  ✗ The worktree of ${project}/kept is gone: ${worktree("kept")}`);
      assert.equal(lines[at + 1], `      → piko destroy ${project}/kept`);
      assert.match(stderr, /1 wrong; piko doctor --fix mends what it can/);
      const mended = await sandbox.piko(["doctor", "--fix"]);
      assert.equal(mended.exitCode, 0, mended.stdout);
      assert.match(mended.stdout, /✓ Removed what there was of \S+\/kept \(mended\)/);
      assert.match(mended.stderr, /1 mended, all is in order/);
    });

    // What is not piko's is the test's own to take away.
    for (const name of ["other-project", "other-registry"]) {
      await tmux("kill-session", "-t", `=${name}`);
    }
    await sandbox.git("worktree", "unlock", worktree("stuck"));
    for (const path of [worktree("stuck"), worktree("by-hand"), `${sandbox.folder}/outside`]) {
      await sandbox.git("worktree", "remove", path);
    }
  },
});

Deno.test({
  name: "piko doctor looks at programs, registry and configuration, and says what helps",
  ...needs("git", "tmux", "engine", "compose"),
  async fn(t) {
    await using sandbox = await makeSimple();
    const { root, project, folder } = sandbox;
    const { PIKO_HOME = "" } = sandbox.variables;
    const state = `${PIKO_HOME}/state.db`;
    const bin = `${folder}/bin`;
    await Deno.mkdir(bin);
    const real = async (program: string) => await sandbox.run(["which", program]);
    for (const program of ["git", "sh", "df"]) {
      await Deno.symlink(await real(program), `${bin}/${program}`);
    }

    await t.step("programs that are not there are notes, where nothing needs them", async () => {
      const found = await doctor(sandbox, [], { variables: { PATH: bin } });
      assert.deepEqual(found.wrong, []);
      assert.deepEqual(
        found.noted.filter((line) => !line.startsWith("engine")),
        [
          "tmux: tmux is not installed or not on the PATH, so environments have no sessions; everything else works",
          "docker: docker is not installed or not on the PATH",
          "compose: docker is not installed or not on the PATH",
        ],
      );
      assert.equal(found.checks.some(({ name }) => name === "session"), false);
    });

    await t.step("programs that are too old", async () => {
      for (
        const [program, says] of [["git", "git version 2.30.9"], ["tmux", "tmux 3.1c"]] as const
      ) {
        await writeProgram(
          `${bin}/${program}`,
          `#!/bin/sh\ncase $1 in --version|-V) echo '${says}' ;; *) exec ${await real(
            program,
          )} "$@" ;; esac\n`,
        );
      }
      const PATH = `${bin}:${sandbox.variables.PATH}`;
      const found = await doctor(sandbox, [], { variables: { PATH } });
      assert.deepEqual(found.wrong, ["git: git 2.30.9 is too old: piko needs 2.31"]);
      assert.equal(hintOf(found, "git 2.30.9"), "install git 2.31 or newer");
      assert.ok(found.noted[0]?.startsWith("tmux: tmux 3.1c is too old: piko needs 3.2"));
    });

    await t.step(
      "a tmux that does not tell its sessions keeps nothing else from being told",
      async () => {
        await sandbox.write(".piko/data/old/rows", "precious\n");
        const tmux = `${folder}/tmux`;
        await Deno.mkdir(tmux);
        const refuse = "echo 'protocol version mismatch (client 8, server 7)' >&2; exit 1";
        await writeProgram(
          `${tmux}/tmux`,
          `#!/bin/sh\ncase $1 in -V) echo 'tmux 3.4' ;; *) ${refuse} ;; esac\n`,
        );
        const PATH = `${tmux}:${sandbox.variables.PATH}`;
        for (const args of [[], ["--fix"]]) {
          const found = await doctor(sandbox, args, { variables: { PATH } });
          assert.equal(found.wrong.length, 1, found.wrong.join("\n"));
          assert.match(
            found.wrong[0] ?? "",
            /^session: tmux does not tell its sessions: .*protocol version mismatch/,
          );
          assert.equal(hintOf(found, "its sessions"), "tmux list-sessions");
          assert.deepEqual(found.noted.filter((line) => line.startsWith("folder")), [
            "folder: Data of an environment that is gone: ROOT/.piko/data/old",
          ]);
        }
        await Deno.remove(`${root}/.piko/data/old`, { recursive: true });
      },
    );

    await t.step("an engine that does not answer", async () => {
      const variables = { DOCKER_HOST: "tcp://ann:hunter2hunter2@127.0.0.1:9" };
      const found = await doctor(sandbox, [], { variables });
      assert.deepEqual(found.wrong, []);
      assert.equal(found.checks.some(({ name }) => name === "container"), false);
      assert.doesNotMatch(JSON.stringify(found), /hunter2/);
    });

    await t.step("secrets stay secret", async () => {
      const variables = { VISUAL: "/opt/s3cr3t-value/vim", API_TOKEN: "s3cr3t-value" };
      const { checks } = await doctor(sandbox, [], { variables });
      const editor = checks.find(({ name }) => name === "editor");
      assert.equal(editor?.message, "/opt/***/vim, which $VISUAL names, is not installed");
    });

    await t.step("a registry that everybody may write to", async () => {
      await Deno.chmod(PIKO_HOME, 0o777);
      const found = await doctor(sandbox);
      assert.deepEqual(found.wrong, [
        "home: Everybody may write to FOLDER/piko, and with it change what piko starts",
      ]);
      const { fixed } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(fixed, [
        "home: Took the right to write to FOLDER/piko from everybody else",
      ]);
      assert.equal((Deno.statSync(PIKO_HOME).mode ?? 0) & 0o777, 0o775);
    });

    await t.step("a registry that somebody holds", async () => {
      using database = new DatabaseSync(state);
      database.exec("BEGIN IMMEDIATE; UPDATE projects SET name = name");
      const found = await doctor(sandbox);
      assert.equal(found.wrong.length, 1);
      assert.match(
        found.wrong[0] ?? "",
        new RegExp(
          `^registry: The registry FOLDER/piko/state.db is held by \\S+ \\(process ${Deno.pid}\\)$`,
        ),
      );
      assert.equal(hintOf(found, "is held by"), `try again, or end it: kill ${Deno.pid}`);
      database.exec("ROLLBACK");
      await assertSound(sandbox);
    });

    await t.step("rows that belong to nothing, and a newer or damaged registry", async () => {
      using database = new DatabaseSync(state, { enableForeignKeyConstraints: false });
      database.exec("INSERT INTO carried VALUES (99, 'a', 'b')");
      const orphan = await doctor(sandbox);
      assert.deepEqual(orphan.wrong, [
        "registry: The registry FOLDER/piko/state.db is damaged: a row of carried belongs to a row of environments that is not there",
      ]);
      database.exec("DELETE FROM carried; PRAGMA user_version = 1000");
      const newer = await doctor(sandbox);
      assert.match(newer.wrong[0] ?? "", /^registry: The registry .* was written by a newer piko/);
      assert.deepEqual(newer.checks.map(({ name }) => name).slice(0, 3), ["git", "tmux", "docker"]);
      const damaged = `${folder}/damaged`;
      await sandbox.write(`${damaged}/state.db`, "no database, this");
      const found = await doctor(sandbox, ["--fix"], { variables: { PIKO_HOME: damaged } });
      assert.match(found.wrong[0] ?? "", /^registry: The registry .* is damaged/);
      assert.equal(await Deno.readTextFile(`${damaged}/state.db`), "no database, this");
      database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
      await assertSound(sandbox);
    });

    await t.step("a configuration that cannot be read, and a repository that is gone", async () => {
      await sandbox.write(".piko.yml", "scripts: [\n");
      const broken = await doctor(sandbox);
      assert.equal(broken.wrong.length, 1, broken.wrong.join("\n"));
      assert.match(
        broken.wrong[0] ?? "",
        /^config: The configuration of project PROJECT cannot be read: .*\.piko\.yml/,
      );
      await sandbox.git("checkout", "--", ".piko.yml");
      await sandbox.pass("create one");
      await Deno.rename(root, `${root}.away`);
      const gone = await doctor(sandbox, ["--fix"], { cwd: folder });
      assert.deepEqual(gone.wrong, ["project: The repository of project PROJECT is gone: ROOT"]);
      assert.deepEqual(gone.fixed, []);
      assert.equal(gone.checks.some(({ name }) => name === "worktree"), false);
      assert.equal(
        hintOf(gone, "The repository"),
        `bring it back, or: piko destroy ${project}/one`,
      );
      await Deno.rename(`${root}.away`, root);
      await assertSound(sandbox);
    });
  },
});

Deno.test({
  name: "piko doctor --fix leaves the worktrees alone of the repository that this one is a copy of",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create theirs");
    const copy = `${sandbox.folder}/copy`;
    await sandbox.run(["cp", "-a", sandbox.root, copy]);
    await sandbox.pass("init --name copied", { cwd: copy });
    await sandbox.pass("create own", { cwd: copy });
    const link = `${copy}/.piko/worktrees/own/.git`;
    const links = [link, `${sandbox.worktree("theirs")}/.git`];
    const before = await Promise.all(links.map((path) => Deno.readTextFile(path)));
    await Deno.remove(link);
    await sandbox.piko(["doctor", "--fix"], { cwd: copy });
    assert.deepEqual(await Promise.all(links.map((path) => Deno.readTextFile(path))), before);
    await sandbox.pass("destroy copied/own --delete-branch", { cwd: copy });
  },
});

Deno.test({
  name: "piko doctor says what git cannot read, and looks at all the rest",
  ...needs("git", "engine", "compose"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yml": 'services: { web: { image: "busybox:1.36", ports: ["8080"] } }\n',
      },
      init: true,
    });
    const { root, project, folder } = sandbox;
    const gitDir = `${root}/.git`;
    for (const name of ["broken", "whole"]) await sandbox.pass(`create ${name} --no-start`);
    const override = `${sandbox.worktree("whole")}/docker-compose.piko.yml`;
    /** Breaks a file while something is done. */
    const broken = async (path: string, change: (text: string) => string, work: () => unknown) => {
      const before = await Deno.readFile(path);
      await sandbox.write(path, change(await Deno.readTextFile(path)));
      await work();
      await Deno.writeFile(path, before);
    };
    const namesOf = ({ checks }: { checks: { name: string }[] }) =>
      new Set(checks.map(({ name }) => name));

    await t.step("one environment", async () => {
      const index = `${gitDir}/worktrees/broken/index`;
      await broken(index, () => "no index, this, however long it may be\n", async () => {
        await Deno.remove(override);
        const unseen =
          "environment: Could not look at PROJECT/broken: git failed (exit code 128): fatal: index file corrupt";
        const found = await doctor(sandbox);
        const whole = "override: The override file of PROJECT/whole is gone: ";
        assert.deepEqual(found.wrong, [unseen, `${whole}${override.replace(root, "ROOT")}`]);
        assert.equal(hintOf(found, "index file"), `git -C ${sandbox.worktree("broken")} status`);
        // What was not seen of each is said of none.
        for (const name of ["worktree", "session"]) assert.equal(namesOf(found).has(name), false);
        const mended = await doctor(sandbox, ["--fix"]);
        assert.deepEqual(mended.wrong, [unseen]);
        assert.deepEqual(mended.fixed, [`override: Wrote ${override.replace(root, "ROOT")}`]);
      });
      await assertSound(sandbox);
    });

    await t.step("one repository", async () => {
      await sandbox.git("pack-refs", "--all");
      const cases: [path: string, change: (text: string) => string, says: string][] = [
        [
          `${gitDir}/config`,
          (text) => `[[\n${text}`,
          "git cannot read the repository of ROOT: git failed (exit code 128): fatal: bad config line 1 in file .git/config",
        ],
        [
          `${gitDir}/packed-refs`,
          (text) => `nonsense\n${text}`,
          "git failed (exit code 128): fatal: unexpected line in .git/packed-refs: nonsense",
        ],
      ];
      await sandbox.run(["git", "init", "--quiet", `${folder}/other`]);
      await sandbox.pass("init", { cwd: `${folder}/other` });
      await sandbox.write(`${folder}/other/.piko/data/old/rows`, "precious\n");
      for (const [path, change, says] of cases) {
        await broken(path, change, async () => {
          const found = await doctor(sandbox, ["--fix"]);
          assert.deepEqual(found.wrong, [`project: Could not look at project PROJECT: ${says}`]);
          assert.equal(hintOf(found, `project ${project}: git`), `git -C ${root} status`);
          assert.deepEqual(found.fixed, []);
          assert.ok(
            found.noted.includes(
              "folder: Data of an environment that is gone: FOLDER/other/.piko/data/old",
            ),
            found.noted.join("\n"),
          );
          for (const name of ["environment", "worktree", "override", "git-entry", "config"]) {
            assert.equal(namesOf(found).has(name), false, name);
          }
        });
      }
      await Deno.remove(`${folder}/other/.piko/data/old`, { recursive: true });
    });

    await t.step("none any more", async () => {
      await Deno.rename(gitDir, `${folder}/away`);
      const found = await doctor(sandbox, ["--fix"]);
      await Deno.rename(`${folder}/away`, gitDir);
      assert.deepEqual(found.wrong, [
        "project: Project PROJECT is no repository any more: ROOT is not a git repository",
      ]);
      assert.equal(
        hintOf(found, "no repository"),
        `bring ${gitDir} back, and look again: piko doctor`,
      );
      assert.deepEqual(found.fixed, []);
      await assertSound(sandbox);
    });
  },
});
