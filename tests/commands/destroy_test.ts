/** What `piko destroy` may never lose, and how it finishes what was broken off; the engine's part stands in destroy_engine_test.ts. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { writeProgram } from "../program_file.ts";
import { assertSound, doctor } from "./doctor.ts";

const FILES = {
  "README.md": "# Sample\n",
  "app.txt": "one\n",
  "lib/part.txt": "a part\n",
  ".gitignore": "ignored/\n*.log\n",
};

/** Counts the destroys that went past the look for work. */
const COUNTING = 'scripts:\n  destroy: echo destroyed >> "$PIKO_ROOT/.piko/destroyed"\n';

async function git(sandbox: Sandbox, folder: string, ...args: string[]): Promise<string> {
  return await sandbox.run(["git", ...args], folder);
}

/** Proves that nothing of an environment is left but its branch. */
async function assertGone(sandbox: Sandbox, name: string): Promise<void> {
  assert.deepEqual(await names(sandbox), []);
  assert.equal(await sandbox.exists(sandbox.worktree(name)), false);
  assert.equal(await sandbox.exists(`.piko/data/${name}`), false);
  assert.equal(await sandbox.exists(`.piko/logs/${name}`), false);
  assert.equal((await sandbox.git("worktree", "list")).split("\n").length, 1);
}

/** Makes a program of the test's own, git unless another is named, of lines of sh, and returns a PATH that begins with it. */
async function insteadOf(
  sandbox: Sandbox,
  folder: string,
  lines: (git: string) => string[],
  program = "git",
): Promise<string> {
  const real = await sandbox.run(["sh", "-c", `command -v ${program}`]);
  await writeProgram(`${folder}/${program}`, ["#!/bin/sh", ...lines(real), ""].join("\n"));
  return `${folder}:${sandbox.variables.PATH}`;
}

async function names(sandbox: Sandbox): Promise<string[]> {
  const { environments } = await sandbox.json("list --all", { cwd: sandbox.folder });
  return environments.map(({ name }: { name: string }) => name);
}

Deno.test({
  name: "piko destroy keeps a worktree with uncommitted work",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".piko.yml": COUNTING },
      init: true,
    });
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    await sandbox.write(`.piko/data/work/row`, "kept\n");

    const dirt: Record<string, { make: () => Promise<unknown>; shows: string }> = {
      "a changed file": {
        make: () => sandbox.write(`${worktree}/app.txt`, "two\n"),
        shows: "modified: app.txt",
      },
      "an untracked file in a folder": {
        make: () => sandbox.write(`${worktree}/new folder/notes ü.txt`, "think\n"),
        shows: "untracked: new folder/notes ü.txt",
      },
      "a staged file": {
        make: async () => {
          await sandbox.write(`${worktree}/staged.txt`, "new\n");
          await git(sandbox, worktree, "add", "staged.txt");
        },
        shows: "added: staged.txt",
      },
      "a staged change that the file itself no longer shows": {
        make: async () => {
          await sandbox.write(`${worktree}/app.txt`, "staged only\n");
          await git(sandbox, worktree, "add", "app.txt");
          await sandbox.write(`${worktree}/app.txt`, "one\n");
        },
        shows: "modified: app.txt",
      },
      "a renamed file": {
        make: () => git(sandbox, worktree, "mv", "lib/part.txt", "lib/renamed.txt"),
        shows: "renamed: lib/renamed.txt",
      },
      "a deleted file": {
        make: () => Deno.remove(`${worktree}/app.txt`),
        shows: "deleted: app.txt",
      },
      "a file that is ignored but tracked": {
        make: async () => {
          await sandbox.write(`${worktree}/forced.log`, "x\n");
          await git(sandbox, worktree, "add", "--force", "forced.log");
        },
        shows: "added: forced.log",
      },
      "an untracked file that the user's settings hide": {
        make: async () => {
          await git(sandbox, worktree, "config", "status.showUntrackedFiles", "no");
          await sandbox.write(`${worktree}/hidden.txt`, "x\n");
        },
        shows: "untracked: hidden.txt",
      },
    };
    for (const [what, { make, shows }] of Object.entries(dirt)) {
      await t.step(what, async () => {
        await make();
        const before = await git(sandbox, worktree, "status", "--porcelain");
        const said = await sandbox.fail("destroy work", 4);
        assert.ok(said.includes(shows), said);
        assert.match(said, /--force/);
        const asJson = await sandbox.piko(["destroy", "work", "--json", "--yes"]);
        assert.equal(asJson.exitCode, 4);
        const { error } = JSON.parse(asJson.stdout);
        assert.equal(error.code, "conflict");
        assert.match(error.message, /^Environment "work" has work that is not committed$/);
        assert.match(error.hint, /piko destroy \S+\/work --force$/);
        assert.ok(asJson.stdout.includes(shows), asJson.stdout);
        assert.deepEqual(error.unsaved, { files: error.details, commits: [] });
        assert.equal(await git(sandbox, worktree, "status", "--porcelain"), before);
        await git(sandbox, worktree, "reset", "--quiet", "--hard");
        await git(sandbox, worktree, "clean", "--quiet", "--force", "-d");
      });
    }
    await t.step("before anything is touched", async () => {
      assert.equal(await sandbox.exists(".piko/destroyed"), false);
      assert.equal(await Deno.readTextFile(`${sandbox.root}/.piko/data/work/row`), "kept\n");
      assert.equal((await sandbox.json("status work")).environment.status, "simple");
    });
    await t.step("a file of the name that piko hides, unless piko wrote it", async () => {
      // As create has it with containers, for all worktrees of the repository.
      await sandbox.write(".git/info/exclude", "docker-compose.piko.yml\n");
      await sandbox.write(`${worktree}/lib/docker-compose.piko.yml`, "services: {}\n");
      await sandbox.write(`${worktree}/docker-compose.piko.yml`, "# Made by piko for x-work;\n");
      assert.equal(await git(sandbox, worktree, "status", "--porcelain"), "");
      const { stdout } = await sandbox.piko(["destroy", "work", "--json"]);
      assert.deepEqual(JSON.parse(stdout).error.unsaved, {
        files: ["ignored: lib/docker-compose.piko.yml"],
        commits: [],
      });
      await Deno.remove(`${worktree}/lib/docker-compose.piko.yml`);
    });
    await t.step("ignored files aside", async () => {
      await sandbox.write(`${worktree}/debug.log`, "x\n");
      await sandbox.write(`${worktree}/ignored/cache`, "x\n");
      await git(sandbox, worktree, "commit", "--quiet", "--allow-empty", "--message", "Done");
      const commit = await git(sandbox, worktree, "rev-parse", "HEAD");
      assert.match(await sandbox.pass("destroy work"), /Destroyed/);
      await assertGone(sandbox, "work");
      assert.equal(await sandbox.git("rev-parse", "refs/heads/work"), commit);
      assert.equal(await sandbox.exists(".piko/destroyed"), true);
    });
    await t.step("is told that there is none when it is done", async () => {
      assert.match(await sandbox.fail("destroy work", 3), /no environment "work"/);
    });
  },
});

Deno.test({
  name: "piko destroy --force throws uncommitted work away, and --yes does not",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    await sandbox.write(`${sandbox.worktree("work")}/app.txt`, "two\n");
    await sandbox.write(`${sandbox.worktree("work")}/new.txt`, "new\n");
    await sandbox.fail("destroy work --yes", 4);
    assert.equal(await sandbox.exists(`${sandbox.worktree("work")}/new.txt`), true);
    await sandbox.pass("destroy work --force");
    await assertGone(sandbox, "work");
    assert.equal(await Deno.readTextFile(`${sandbox.root}/app.txt`), "one\n");
  },
});

Deno.test({
  name: "piko destroy keeps work and commits that are in a submodule alone",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: FILES });
    await sandbox.git("config", "--global", "protocol.file.allow", "always");
    const library = `${sandbox.folder}/library`;
    await Deno.mkdir(library);
    await git(sandbox, library, "init", "--quiet");
    await sandbox.write(`${library}/lib.txt`, "lib\n");
    await git(sandbox, library, "add", "--all");
    await git(sandbox, library, "commit", "--quiet", "--message", "Library");
    await sandbox.git("submodule", "--quiet", "add", library, "library");
    await sandbox.git("commit", "--quiet", "--message", "Add the library");
    await sandbox.pass("init");
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    await git(sandbox, worktree, "submodule", "--quiet", "update", "--init");
    const inside = `${worktree}/library`;

    await t.step("an untracked file", async () => {
      await sandbox.write(`${inside}/new.txt`, "new\n");
      assert.match(await sandbox.fail("destroy work", 4), /modified: library/);
      await Deno.remove(`${inside}/new.txt`);
    });
    await t.step("a changed file", async () => {
      await sandbox.write(`${inside}/lib.txt`, "changed\n");
      assert.match(await sandbox.fail("destroy work", 4), /modified: library/);
      await git(sandbox, inside, "checkout", "--quiet", "lib.txt");
    });
    await t.step("a commit that was pushed nowhere", async () => {
      const before = await git(sandbox, inside, "rev-parse", "HEAD");
      await git(sandbox, inside, "switch", "--quiet", "--create", "idea");
      await git(sandbox, inside, "commit", "--quiet", "--allow-empty", "--message", "My idea");
      await git(sandbox, inside, "checkout", "--quiet", "--detach", before);
      const said = await sandbox.fail("destroy work", 4);
      assert.match(said, /library: [0-9a-f]+ My idea/);
      await git(sandbox, inside, "push", "--quiet", "origin", "idea");
    });
    await t.step("and nothing else", async () => {
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
    });
  },
});

Deno.test({
  name: "piko destroy keeps changes that git was told not to look for",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work --no-attach");
    const worktree = sandbox.worktree("work");
    await git(sandbox, worktree, "update-index", "--skip-worktree", "app.txt");
    await git(sandbox, worktree, "update-index", "--assume-unchanged", "README.md", "lib/part.txt");
    await sandbox.write(`${worktree}/app.txt`, "my own\n");
    await sandbox.write(`${worktree}/README.md`, "# My own\n");
    assert.equal(await git(sandbox, worktree, "status", "--short"), "");

    const said = await sandbox.fail("destroy work", 4);
    assert.match(said, /^ +modified \(skip-worktree\): app\.txt$/m);
    assert.match(said, /^ +modified \(assume-unchanged\): README\.md$/m);
    assert.doesNotMatch(said, /part\.txt/);

    await sandbox.write(`${worktree}/README.md`, FILES["README.md"]);
    await Deno.remove(`${worktree}/app.txt`);
    await sandbox.pass("destroy work");
    await assertGone(sandbox, "work");
  },
});

Deno.test({
  name: "piko destroy keeps worktrees and projects in ignored folders and in the data folder",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.commit({ ".gitignore": ".piko/\nagents/\nvendor/\n" });
    await sandbox.pass("create x --no-attach");
    const x = sandbox.worktree("x");
    const inner = `${x}/agents/inner`;
    await sandbox.git("-C", x, "worktree", "add", "--quiet", "agents/inner", "-b", "inner");
    await sandbox.write(`${inner}/new.txt`, "precious\n");

    const said = await sandbox.fail("destroy x", 4);
    assert.ok(said.includes(`worktree: ${inner}\n`), said);
    assert.ok(said.includes(`git -C ${sandbox.root} worktree remove ${inner}`), said);
    assert.ok(await sandbox.exists(`${inner}/new.txt`));
    await sandbox.git("worktree", "remove", "--force", inner);

    const vendor = `${x}/vendor/tool`;
    await sandbox.git("init", "--quiet", vendor);
    await sandbox.git("-C", vendor, "commit", "--quiet", "--allow-empty", "-m", "Only here");
    await sandbox.pass("init --name tool", { cwd: vendor });
    const kept = await sandbox.piko(["destroy", "x", "--json"]);
    assert.equal(kept.exitCode, 4, kept.stdout);
    const { files, commits } = JSON.parse(kept.stdout).error.unsaved;
    assert.deepEqual(files, ["untracked: vendor/tool/"]);
    assert.match(commits.join("\n"), /^vendor\/tool: [0-9a-f]+ Only here$/);
    await sandbox.git("-C", vendor, "add", "--all");
    await sandbox.git("-C", vendor, "commit", "--quiet", "-m", "Init");
    const remote = `${sandbox.folder}/tool.git`;
    await sandbox.git("init", "--quiet", "--bare", remote);
    await sandbox.git("-C", vendor, "remote", "add", "origin", remote);
    await sandbox.git("-C", vendor, "push", "--quiet", "origin", "main");
    const refused = await sandbox.fail("destroy x", 4);
    assert.ok(refused.includes(`project tool: ${vendor}\n`), refused);
    assert.ok(await sandbox.exists(`${vendor}/.git`));
    const forget = /then: piko (project forget tool), or throw them away: piko (.+ --force)$/m
      .exec(refused) ?? [];

    await sandbox.pass("create other --no-attach");
    await sandbox.pass(forget[1] ?? "");

    const data = `${sandbox.root}/.piko/data/x`;
    await sandbox.git("worktree", "add", "--quiet", `${data}/wt`, "-b", "in-data");
    await sandbox.write(`${data}/wt/new.txt`, "precious\n");
    for (const isGone of [false, true]) {
      if (isGone) await sandbox.git("worktree", "remove", x);
      const kept = await sandbox.fail("destroy x", 4);
      assert.match(kept, /In the data folder of "x" are other worktrees or projects/);
      assert.ok(kept.includes(`worktree: ${data}/wt\n`), kept);
    }
    assert.ok(await sandbox.exists(`${data}/wt/new.txt`));
    await sandbox.git("worktree", "remove", "--force", `${data}/wt`);
    await sandbox.git("init", "--quiet", `${data}/tool`);
    await sandbox.git(
      "-C",
      `${data}/tool`,
      "commit",
      "--quiet",
      "--allow-empty",
      "-m",
      "Only here",
    );
    await sandbox.pass("init --name inner", { cwd: `${data}/tool` });
    assert.match(await sandbox.fail("destroy x", 4), /project inner: \S+\/data\/x\/tool\n/);
    await sandbox.pass("destroy x --keep-data");
    assert.ok(await sandbox.exists(`${data}/tool/.git`));
    assert.equal(await sandbox.exists(x), false);
    await sandbox.pass("project forget inner");

    await sandbox.write(
      ".piko.yml",
      "scripts: { prepare: 'git worktree add --quiet --detach \"$PIKO_DATA_DIR/wt\" && false' }\n",
    );
    const undone = await sandbox.fail("create y", 1);
    assert.match(undone, /Could not remove the data folder .*\/data\/y: In the data folder of "y"/);
    assert.ok(await sandbox.exists(".piko/data/y/wt"));
    await sandbox.git("worktree", "remove", ".piko/data/y/wt");
    await sandbox.pass("destroy y");
  },
});

Deno.test({
  name: "piko destroy keeps commits that are on no branch",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    await t.step("on a detached HEAD", async () => {
      await git(sandbox, worktree, "checkout", "--quiet", "--detach");
      await git(sandbox, worktree, "commit", "--quiet", "--allow-empty", "--message", "Adrift");
      const said = await sandbox.fail("destroy work", 4);
      assert.match(said, /commits that are on no branch/);
      assert.match(said, /[0-9a-f]{7} Adrift/);
      const keep = /→ keep them: (git .+), or throw them away: piko destroy \S+\/work --force$/m
        .exec(said)?.[1];
      await sandbox.run(["sh", "-c", keep ?? "exit 1"]);
    });
    await t.step("unless a branch has got them", async () => {
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
      assert.match(await sandbox.git("log", "--format=%s", "-1", "rescued"), /Adrift/);
    });
    await t.step("of a rebase that stopped at a conflict", async () => {
      await sandbox.pass("create rebased");
      const rebased = sandbox.worktree("rebased");
      for (const text of ["first", "second"]) {
        await sandbox.write(`${rebased}/app.txt`, `${text}\n`);
        await git(sandbox, rebased, "commit", "--quiet", "--all", "--message", text);
      }
      await sandbox.commit({ "app.txt": "other\n" });
      const outcome = await new Deno.Command("git", {
        args: ["-C", rebased, "rebase", "--quiet", "main"],
        env: sandbox.variables,
        clearEnv: true,
        stdout: "null",
        stderr: "null",
      }).output();
      assert.notEqual(outcome.code, 0);
      assert.match(await sandbox.fail("destroy rebased", 4), /conflicted: app.txt/);

      await sandbox.write(`${rebased}/app.txt`, "resolved\n");
      await git(sandbox, rebased, "add", "app.txt");
      await git(sandbox, rebased, "commit", "--quiet", "--message", "Resolved");
      assert.match(await sandbox.fail("destroy rebased", 4), /[0-9a-f]{7} Resolved/);
      await git(sandbox, rebased, "rebase", "--abort");
    });
    await t.step("nor what git has under way, though no file shows it", async () => {
      const rebased = sandbox.worktree("rebased");
      const patch = `${sandbox.folder}/patch`;
      await Deno.writeTextFile(
        patch,
        await git(sandbox, rebased, "format-patch", "-1", "--stdout"),
      );
      const start: Record<string, [shows: string, start: string, end: string]> = {
        "git am": ["git am", `! git am --quiet ${patch}`, "git am --abort"],
        "a merge": ["a merge", "git merge --quiet -s ours --no-commit main", "git merge --abort"],
        "a rebase": [
          "a rebase",
          "GIT_SEQUENCE_EDITOR='sed -i s/^pick/edit/' git rebase --quiet --interactive HEAD~1",
          "git rebase --abort",
        ],
        "a rebase that picks": [
          "a rebase",
          "! git rebase --quiet main && git checkout --quiet HEAD -- app.txt",
          "git rebase --abort",
        ],
        "a cherry-pick": [
          "a cherry-pick",
          "! git cherry-pick main rebased && git checkout --quiet HEAD -- app.txt",
          "git cherry-pick --abort",
        ],
        "the rest of a cherry-pick": [
          "a cherry-pick or revert",
          "! git cherry-pick main rebased && git reset --quiet --hard && rm -f $(git rev-parse --git-path CHERRY_PICK_HEAD)",
          "git cherry-pick --quit",
        ],
        "a revert": [
          "a revert",
          "! git revert --no-edit HEAD~1 && git checkout --quiet HEAD -- app.txt",
          "git revert --abort",
        ],
        "a bisect": [
          "a bisect",
          "git bisect start && git bisect bad && git bisect good HEAD~2",
          "git bisect reset",
        ],
      };
      for (const [what, [shows, begin, end]] of Object.entries(start)) {
        await sandbox.run(["sh", "-c", `{ ${begin}; } >/dev/null 2>&1`], rebased);
        assert.equal(await git(sandbox, rebased, "status", "--short"), "", what);
        const { exitCode, stdout } = await sandbox.piko(["destroy", "rebased", "--json"]);
        assert.equal(exitCode, 4, `${what}: ${stdout}`);
        const { error } = JSON.parse(stdout);
        assert.deepEqual(error.unsaved, { files: [`under way: ${shows}`], commits: [] }, what);
        assert.match(error.hint, /^finish it, or abort it: git -C \S+\/rebased status, or throw/);
        await sandbox.run(["sh", "-c", `{ ${end}; } >/dev/null 2>&1`], rebased);
      }
      await sandbox.pass("destroy rebased");
      assert.match(await sandbox.git("log", "--format=%s", "-1", "rebased"), /second/);
    });
  },
});

Deno.test({
  name: "piko destroy keeps what git alone still has of a worktree whose folder is gone",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    const { project, root } = sandbox;
    const worktree = sandbox.worktree("work");
    const refused = async (message: RegExp) => {
      const before = await sandbox.git("worktree", "list", "--porcelain");
      const said = await sandbox.fail("destroy work --yes", 4);
      assert.match(said, message);
      assert.ok(said.includes(`: piko destroy ${project}/work --force\n`), said);
      assert.equal(await sandbox.git("worktree", "list", "--porcelain"), before);
      assert.deepEqual(await names(sandbox), ["work"]);
      return said;
    };
    /** Runs the first command of the hint. */
    const obey = async (said: string, before: string) => {
      const [, command = "exit 1"] = new RegExp(`→ ${before}: (.+), or `).exec(said) ?? [];
      await sandbox.run(["sh", "-c", command], sandbox.folder);
    };

    await t.step("commits of a detached HEAD", async () => {
      await sandbox.pass("create work");
      await git(sandbox, worktree, "checkout", "--quiet", "--detach");
      await git(sandbox, worktree, "commit", "--quiet", "--allow-empty", "--message", "Adrift");
      await Deno.remove(worktree, { recursive: true });
      const said = await refused(/commits that are on no branch\n.*[0-9a-f]{7} Adrift/);
      await obey(said, "rescue it");
      assert.match(await sandbox.pass("destroy work"), /Destroyed/);
      await assertGone(sandbox, "work");
      assert.equal(await sandbox.git("log", "--format=%s", "-1", "rescued"), "Adrift");
    });

    await t.step("staged files, and by the API", async () => {
      await sandbox.pass("create work");
      await sandbox.write(`${worktree}/idea.txt`, "precious\n");
      await git(sandbox, worktree, "add", "idea.txt");
      await Deno.remove(worktree, { recursive: true });
      const said = await refused(/work that is not committed\n.*staged: idea\.txt/);
      await using server = await Server.start(sandbox);
      const answer = await fetch(
        `${server.origin}/api/projects/${project}/environments/work`,
        {
          method: "DELETE",
          headers: { ...await server.key(), "content-type": "application/json" },
          body: JSON.stringify({ volumes: false, force: false }),
        },
      );
      const { error } = await answer.json();
      const { fingerprint, ...unsaved } = error.unsaved;
      assert.match(fingerprint, /^[0-9a-f]{64}$/);
      assert.deepEqual(
        [answer.status, error.details, unsaved],
        [409, ["staged: idea.txt"], { files: ["staged: idea.txt"], commits: [] }],
        JSON.stringify(error),
      );
      await obey(said, "rescue it");
      assert.equal(await Deno.readTextFile(`${worktree}/idea.txt`), "precious\n");
      await refused(/added: idea\.txt/);
      await git(sandbox, worktree, "commit", "--quiet", "--message", "Idea");
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
    });

    await t.step("of one that was moved without git", async () => {
      await sandbox.pass("create work");
      await Deno.rename(worktree, `${worktree}-aside`);
      const said = await refused(/was moved without git, from \S+work to \S+work-aside/);
      await obey(said, "move it back");
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
    });

    await t.step("of one that git has moved", async () => {
      await sandbox.pass("create work");
      const elsewhere = `${sandbox.folder}/elsewhere`;
      await sandbox.git("worktree", "move", worktree, elsewhere);
      await sandbox.write(`${elsewhere}/notes.txt`, "precious\n");
      for (const options of [[], ["--detach"]]) {
        if (options.length > 0) await git(sandbox, elsewhere, "checkout", "--quiet", ...options);
        const said = await refused(
          /worktree of "work" is at \S+elsewhere and not at \S+\/work any/,
        );
        await doctor(sandbox, ["--fix"]);
        assert.deepEqual(await names(sandbox), ["work"]);
        await obey(said, "move it back");
        await refused(/untracked: notes\.txt/);
        await sandbox.git("worktree", "move", worktree, elsewhere);
      }
      const { stderr } = await sandbox.piko(["destroy", "work", "--force"]);
      assert.match(stderr, /^✓ Worktree +gone already$/m);
      assert.deepEqual(await names(sandbox), []);
      assert.equal(await Deno.readTextFile(`${elsewhere}/notes.txt`), "precious\n");
      await sandbox.git("worktree", "remove", "--force", elsewhere);
    });

    await t.step("and piko doctor, of one that may have been moved anywhere", async () => {
      await sandbox.pass("create work");
      const elsewhere = `${sandbox.folder}/elsewhere`;
      await Deno.rename(worktree, elsewhere);
      const { wrong, fixed, checks } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual([wrong, fixed], [[
        "worktree: The worktree of PROJECT/work is gone: ROOT/.piko/worktrees/work",
      ], []]);
      const hint = checks.find(({ ok }) => !ok)?.hint ?? "";
      assert.match(hint, /^git -C \S+ worktree repair PLACE, if it was moved, or: piko destroy /);
      assert.equal(await git(sandbox, elsewhere, "branch", "--show-current"), "work");
      const { exitCode, stderr } = await sandbox.piko(["destroy", "work"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^✓ Worktree +gone already: git has forgotten \S+\/worktrees\/work$/m);
      await Deno.remove(elsewhere, { recursive: true });
      await assertGone(sandbox, "work");
    });

    await t.step("of one that is on a disk which is not there", async () => {
      const folder = `${root}/.piko/worktrees`;
      await Deno.remove(folder, { recursive: true });
      await Deno.mkdir(`${sandbox.folder}/disk`);
      await Deno.symlink(`${sandbox.folder}/disk`, folder);
      await sandbox.pass("create work");
      await assertSound(sandbox);
      await Deno.rename(`${sandbox.folder}/disk`, `${sandbox.folder}/away`);
      await refused(/may be on a disk that is not/);
      const { wrong, checks } = await doctor(sandbox, ["--fix"]);
      assert.match(wrong.join("\n"), /may be on a disk that is not/);
      const hint = checks.find(({ ok }) => !ok)?.hint ?? "";
      assert.match(hint, /^bring the disk back/);
      assert.doesNotMatch(hint, /destroy/);
      await Deno.rename(`${sandbox.folder}/away`, `${sandbox.folder}/disk`);
      await sandbox.pass("destroy work");
      await Deno.remove(folder);
      await assertGone(sandbox, "work");
    });

    await t.step("unless --force is told", async () => {
      await sandbox.pass("create work");
      await git(sandbox, worktree, "checkout", "--quiet", "--detach");
      await git(sandbox, worktree, "commit", "--quiet", "--allow-empty", "--message", "Lost");
      await Deno.remove(worktree, { recursive: true });
      assert.match(
        (await sandbox.piko(["destroy", "work", "--force"])).stderr,
        /Branch work stays/,
      );
      await assertGone(sandbox, "work");
    });

    await t.step("and says nothing of a branch that is gone", async () => {
      await sandbox.pass("create work");
      await Deno.remove(worktree, { recursive: true });
      await sandbox.git("worktree", "prune");
      await sandbox.git("branch", "--quiet", "-D", "work");
      const { exitCode, stdout, stderr } = await sandbox.piko(["destroy", "work", "--json"]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(JSON.parse(stdout).destroyed.keptBranch, null);
      assert.doesNotMatch(stderr, /Branch/);
      await assertGone(sandbox, "work");
    });
  },
});

Deno.test({
  name: "piko destroy keeps work that its own script has made",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: {
        ...FILES,
        ".piko.yml": "scripts:\n  destroy: echo bye from $PIKO_ENV_NAME | tee report.txt\n",
      },
      init: true,
    });
    await sandbox.pass("create work");
    await sandbox.write(".piko/data/work/row", "kept\n");
    const said = await sandbox.fail("destroy work", 4);
    assert.match(said, /bye from work/);
    assert.match(said, /untracked: report\.txt/);
    assert.equal(await sandbox.exists(`${sandbox.worktree("work")}/report.txt`), true);
    assert.equal(await sandbox.exists(".piko/data/work/row"), true);
    assert.equal((await sandbox.json("status work")).environment.status, "simple");
    assert.match(await Deno.readTextFile(`${sandbox.root}/.piko/logs/work/destroy.log`), /bye/);
    await sandbox.pass("destroy work --force");
    await assertGone(sandbox, "work");

    await sandbox.write(
      ".piko.yml",
      `scripts:\n  destroy: touch idea.txt && git add idea.txt && rm -r "$PIKO_ENV_PATH"\n`,
    );
    await sandbox.pass("create work");
    assert.match(await sandbox.fail("destroy work", 4), /staged: idea\.txt/);
    await sandbox.pass("destroy work --force");
    await assertGone(sandbox, "work");
  },
});

Deno.test({
  name: "piko destroy keeps work that was made while it was at work, and leaves the rest usable",
  ...needs("git", "tmux"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    await sandbox.write(".piko/data/work/row", "kept\n");
    const works: Record<string, { make: string; shows: RegExp; undo: string[] }> = {
      "commits on a detached HEAD": {
        make: "git checkout --quiet --detach && git commit --quiet --allow-empty -m Adrift",
        shows: /has commits that are on no branch\n +[0-9a-f]{7} Adrift\n/,
        undo: ["git", "switch", "--quiet", "work"],
      },
      "an untracked file": {
        make: "echo precious > notes.txt",
        shows: /has work that is not committed\n +untracked: notes\.txt\n/,
        undo: ["rm", "notes.txt"],
      },
    };
    for (const [what, { make, shows, undo }] of Object.entries(works)) {
      await t.step(what, async () => {
        // The session ends between the first look and the last one.
        const PATH = await insteadOf(sandbox, `${sandbox.folder}/meanwhile`, (tmux) => [
          `case "$*" in *kill-session*) (cd ${worktree} && ${make}) || exit 1 ;; esac`,
          `exec ${tmux} "$@"`,
        ], "tmux");
        const said = await sandbox.fail("destroy work", 4, { variables: { PATH } });
        assert.match(said, shows);
        assert.match(said, /worktree and the data of "work" stay; .*\n.*piko up \S+\/work$/m);
        assert.equal(await Deno.readTextFile(`${sandbox.root}/.piko/data/work/row`), "kept\n");
        assert.deepEqual(await sandbox.sessions(), []);
        await sandbox.pass("up work");
        await assertSound(sandbox);
        await sandbox.run(undo, worktree);
      });
    }
    await t.step("and nothing else", async () => {
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
    });
  },
});

Deno.test({
  name: "piko destroy warns of a script that fails, and goes on",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".piko.yml": "scripts:\n  destroy: echo no luck; exit 3\n" },
      init: true,
    });
    await sandbox.pass("create work");
    const { exitCode, stderr } = await sandbox.piko(["destroy", "work"]);
    assert.equal(exitCode, 0);
    assert.match(stderr, /scripts\.destroy failed with exit code 3/);
    assert.match(stderr, /no luck/);
    await assertGone(sandbox, "work");
  },
});

Deno.test({
  name: "piko destroy follows no link out of the environment",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".gitignore": "ignored\n.env\n" },
      init: true,
    });
    const outside = `${sandbox.folder}/outside`;
    await sandbox.write(`${outside}/precious.txt`, "precious\n");
    await sandbox.write(".env", "SECRET=1\n");
    const assertUntouched = async () => {
      assert.equal(await Deno.readTextFile(`${outside}/precious.txt`), "precious\n");
      assert.equal(await Deno.readTextFile(`${sandbox.root}/.env`), "SECRET=1\n");
    };
    await t.step("in the worktree and the data folder", async () => {
      await sandbox.pass("create work");
      assert.equal(
        await Deno.readLink(`${sandbox.worktree("work")}/.env`),
        `${sandbox.root}/.env`,
      );
      await Deno.symlink(outside, `${sandbox.worktree("work")}/ignored`);
      await Deno.symlink(outside, `${sandbox.root}/.piko/data/work/link`);
      await Deno.symlink(`${outside}/precious.txt`, `${sandbox.root}/.piko/data/work/file`);
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
      await assertUntouched();
    });
    await t.step("where the data folder is one", async () => {
      await sandbox.pass("create work");
      await Deno.remove(`${sandbox.root}/.piko/data/work`, { recursive: true });
      await Deno.symlink(outside, `${sandbox.root}/.piko/data/work`);
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
      await assertUntouched();
    });
    await t.step("where the worktree is one", async () => {
      await sandbox.pass("create work");
      const worktree = sandbox.worktree("work");
      await Deno.rename(worktree, `${sandbox.folder}/moved`);
      await Deno.symlink(outside, worktree);
      const said = await sandbox.fail("destroy work --force", 4);
      assert.ok(said.includes(worktree), said);
      await assertUntouched();
      assert.deepEqual(await names(sandbox), ["work"]);
      await Deno.remove(worktree);
      await Deno.rename(`${sandbox.folder}/moved`, worktree);
      await sandbox.pass("destroy work");
      await assertGone(sandbox, "work");
    });
    await t.step("where an untracked link stands in the place of one of piko's", async () => {
      await sandbox.pass("create work");
      const link = `${sandbox.worktree("work")}/.env`;
      await Deno.remove(link);
      await Deno.symlink(`${outside}/precious.txt`, link);
      await sandbox.pass("destroy work");
      await assertUntouched();
    });
  },
});

Deno.test({
  name: "piko destroy and the undo of create keep what is mounted in their folders",
  ignore: needs("git").ignore || Deno.uid() !== 0 && !Deno.env.has("PIKO_TEST_REQUIRE"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".gitignore": "node modules/\n", ".piko.yml": COUNTING },
      init: true,
    });
    const outside = `${sandbox.folder}/outside`;
    await sandbox.write(`${outside}/precious.txt`, "precious\n");
    const worktree = sandbox.worktree("work");
    const data = `${sandbox.root}/.piko/data/work`;
    await sandbox.pass("create work --no-attach");
    for (const place of [`${worktree}/node modules`, worktree, `${data}/pg`, data]) {
      await t.step(place.slice(sandbox.root.length + 1), async () => {
        await Deno.mkdir(place, { recursive: true });
        await sandbox.run(["mount", "--bind", outside, place]);
        await using _mount = { [Symbol.asyncDispose]: () => unmount(sandbox, place) };
        for (const options of ["", " --force"]) {
          const said = await sandbox.fail(`destroy work${options}`, 4);
          assert.match(
            said,
            /Something is mounted (?:in|on) \S+\/\.piko\/(?:worktrees|data)\/work,/,
          );
          assert.ok(said.includes(` ${place}\n`), said);
          assert.match(said, /→ umount \S/);
        }
        assert.equal(await Deno.readTextFile(`${outside}/precious.txt`), "precious\n");
        assert.equal(await sandbox.exists(".piko/destroyed"), false);
        assert.equal((await sandbox.json("status work")).environment.status, "simple");
      });
    }
    await t.step("--keep-data leaves what is in the data folder alone", async () => {
      await sandbox.run(["mount", "--bind", outside, data]);
      await using _mount = { [Symbol.asyncDispose]: () => unmount(sandbox, data) };
      await sandbox.pass("destroy work --keep-data");
      assert.equal(await Deno.readTextFile(`${outside}/precious.txt`), "precious\n");
    });
    await t.step("what a script of a create that fails has mounted", async () => {
      await sandbox.write(
        ".piko.yml",
        `scripts:\n  prepare: for at in "node modules" "$PIKO_DATA_DIR/pg"; do mkdir "$at" && mount --bind ${outside} "$at"; done; false\n`,
      );
      const said = await sandbox.fail("create other", 1);
      assert.match(said, /Could not remove the data folder .*: Something is mounted in/);
      assert.match(said, /Could not remove the worktree .*: Something is mounted in/);
      assert.equal(await Deno.readTextFile(`${outside}/precious.txt`), "precious\n");
      await unmount(sandbox, `${sandbox.worktree("other")}/node modules`);
      await unmount(sandbox, `${sandbox.root}/.piko/data/other/pg`);
      await sandbox.pass("destroy other");
      await assertGone(sandbox, "other");
    });
  },
});

async function unmount(sandbox: Sandbox, place: string): Promise<void> {
  await sandbox.run(["umount", place], "/");
}

Deno.test({
  name: "piko destroy leaves a folder alone that is no worktree any more",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    await sandbox.write(`${worktree}/notes.txt`, "mine\n");
    const pointer = await Deno.readTextFile(`${worktree}/.git`);
    await Deno.remove(`${worktree}/.git`);
    for (const command of ["destroy work", "destroy work --force"]) {
      const said = await sandbox.fail(command, 4);
      assert.ok(said.includes(worktree), said);
      assert.equal(await Deno.readTextFile(`${worktree}/notes.txt`), "mine\n");
    }
    assert.deepEqual(await names(sandbox), ["work"]);
    await sandbox.write(`${worktree}/.git`, pointer);
    await sandbox.pass("destroy work --force");
    await assertGone(sandbox, "work");
  },
});

Deno.test({
  name: "piko destroy never touches the main worktree",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    await sandbox.write("app.txt", "changed in the main worktree\n");
    await sandbox.write("untracked.txt", "mine\n");
    const status = await sandbox.git("status", "--porcelain");
    const setPath = (path: string) => {
      using registry = new DatabaseSync(`${sandbox.folder}/piko/state.db`);
      registry.prepare("UPDATE environments SET path = ?").run(path);
    };
    // Only a registry that was tampered with names it.
    setPath(sandbox.root);
    const said = await sandbox.fail("destroy work --force", 1);
    assert.match(said, /main worktree/);
    assert.equal(await sandbox.git("status", "--porcelain"), status);
    assert.deepEqual(await names(sandbox), ["work"]);

    setPath(sandbox.worktree("work"));
    await sandbox.pass("destroy work");
    await assertGone(sandbox, "work");
    assert.equal(await sandbox.git("status", "--porcelain"), status);
    assert.equal(await Deno.readTextFile(`${sandbox.root}/untracked.txt`), "mine\n");
  },
});

Deno.test({
  name: "piko destroy finishes when the worktree is gone",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".piko.yml": COUNTING },
      init: true,
    });
    await sandbox.pass("create work");
    await Deno.remove(sandbox.worktree("work"), { recursive: true });
    assert.equal((await sandbox.json("status work")).environment.status, "missing");
    const { exitCode, stderr } = await sandbox.piko(["destroy", "work"]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /No destroy script was run: the worktree is gone/);
    await assertGone(sandbox, "work");
    await sandbox.pass("create work");
    assert.equal((await sandbox.json("status work")).environment.slot, sandbox.firstSlot);
  },
});

Deno.test({
  name: "piko destroy finishes with a .piko.yml that cannot be read",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    await sandbox.write(".piko.yml", "scripts: [\n  destroy: {\n");
    const { exitCode, stderr } = await sandbox.piko(["destroy", "work"]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /No destroy script was run: .*\.piko\.yml/);
    await assertGone(sandbox, "work");
  },
});

Deno.test({
  name: "piko destroy --delete-branch deletes a merged branch, and another one only with --force",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".piko.yml": COUNTING },
      init: true,
    });
    const has = async (branch: string) => await sandbox.git("branch", "--list", branch) !== "";
    await t.step("one that is not merged stops it before anything is touched", async () => {
      await sandbox.pass("create ahead");
      const worktree = sandbox.worktree("ahead");
      await git(sandbox, worktree, "commit", "--quiet", "--allow-empty", "--message", "Ahead");
      const said = await sandbox.fail("destroy ahead --delete-branch", 4);
      assert.match(said, /Branch "ahead" is not merged/);
      assert.match(said, /--delete-branch --force/);
      assert.equal(await sandbox.exists(worktree), true);
      assert.equal(await sandbox.exists(".piko/destroyed"), false);
      await sandbox.pass("destroy ahead --delete-branch --force");
      assert.equal(await has("ahead"), false);
      await assertGone(sandbox, "ahead");
    });
    await t.step("one that is merged goes", async () => {
      await sandbox.pass("create merged");
      const worktree = sandbox.worktree("merged");
      await git(sandbox, worktree, "commit", "--quiet", "--allow-empty", "--message", "Merged");
      await sandbox.git("merge", "--quiet", "--no-ff", "--message", "Merge", "merged");
      const elsewhere = `${sandbox.folder}/elsewhere`;
      await git(sandbox, sandbox.worktree("merged"), "switch", "--quiet", "--create", "side");
      await sandbox.git("worktree", "add", "--quiet", elsewhere, "merged");
      const said = await sandbox.fail("destroy merged --delete-branch --force", 4);
      assert.ok(said.includes(`Branch "merged" is checked out at ${elsewhere}`), said);
      assert.ok(await sandbox.exists(sandbox.worktree("merged")));
      await sandbox.git("worktree", "remove", elsewhere);

      const { destroyed } = await sandbox.json("destroy merged --delete-branch");
      assert.equal(destroyed.keptBranch, null);
      assert.equal(await has("merged"), false);
    });
    await t.step("without the flag it stays", async () => {
      await sandbox.pass("create stays");
      const { destroyed } = await sandbox.json("destroy stays");
      assert.equal(destroyed.keptBranch, "stays");
      assert.equal(await has("stays"), true);
    });
  },
});

Deno.test({
  name: "piko destroy --keep-data keeps the data folder for the next create",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    await sandbox.write(".piko/data/work/row", "kept\n");
    await sandbox.pass("destroy work --keep-data");
    assert.deepEqual(await names(sandbox), []);
    assert.equal(await Deno.readTextFile(`${sandbox.root}/.piko/data/work/row`), "kept\n");
    await sandbox.pass("create work");
    assert.equal(await Deno.readTextFile(`${sandbox.root}/.piko/data/work/row`), "kept\n");
    await sandbox.pass("destroy work");
    assert.equal(await sandbox.exists(".piko/data/work"), false);
    // There is nothing to keep in a folder that was never written to.
    await sandbox.pass("create work");
    await sandbox.pass("destroy work --keep-data");
    assert.equal(await sandbox.exists(".piko/data/work"), false);
  },
});

Deno.test({
  name: "piko destroy respects a worktree that is locked, before anything is touched",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".piko.yml": COUNTING },
      init: true,
    });
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    await sandbox.write(".piko/data/work/row", "kept\n");
    await sandbox.git("worktree", "lock", "--reason", "on a stick", worktree);
    for (const command of ["destroy work", "destroy work --force"]) {
      const said = await sandbox.fail(command, 4);
      assert.match(said, /locked \(on a stick\)/);
      assert.match(said, /worktree unlock/);
    }
    assert.equal(await sandbox.exists(worktree), true);
    assert.equal(await sandbox.exists(".piko/data/work/row"), true);
    assert.equal(await sandbox.exists(".piko/destroyed"), false);
    assert.equal((await sandbox.json("status work")).environment.status, "simple");
    await sandbox.git("worktree", "unlock", worktree);
    await sandbox.pass("destroy work");
    await assertGone(sandbox, "work");
  },
});

Deno.test({
  name: "piko destroy works from inside the worktree itself, without a name",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    await sandbox.pass("create other");
    const inside = { cwd: `${sandbox.worktree("work")}/lib` };
    const { destroyed } = await sandbox.json("destroy --delete-branch", inside);
    assert.equal(destroyed.name, "work");
    assert.equal(destroyed.keptBranch, null);
    assert.equal(await sandbox.git("branch", "--list", "work"), "");
    assert.deepEqual(await names(sandbox), ["other"]);
    assert.equal(await sandbox.exists(sandbox.worktree("work")), false);
    const said = await sandbox.fail("destroy", 2);
    assert.match(said, /Which environment\?/);
    assert.match(said, /other/);
  },
});

Deno.test({
  name: "piko destroy forgets the environments of a repository that was moved, and leaves it alone",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".piko.yml": COUNTING },
      init: true,
    });
    await sandbox.pass("create work");
    await sandbox.write(`${sandbox.worktree("work")}/notes.txt`, "mine\n");
    const moved = `${sandbox.folder}/moved`;
    await Deno.rename(sandbox.root, moved);
    const list = await sandbox.json("list --all", { cwd: sandbox.folder });
    assert.equal(list.environments[0]?.status, "missing");
    const { exitCode, stderr } = await sandbox.piko(
      ["destroy", `${sandbox.project}/work`, "--delete-branch"],
      { cwd: sandbox.folder },
    );
    assert.equal(exitCode, 0, stderr);
    for (const what of ["Worktree", "Data", "Branch"]) {
      assert.match(stderr, new RegExp(`^✓ ${what} +gone already$`, "m"));
    }
    assert.equal(
      await Deno.readTextFile(`${moved}/.piko/worktrees/work/notes.txt`),
      "mine\n",
    );
    assert.deepEqual(await names(sandbox), []);
    const { projects } = await sandbox.json("project list", { cwd: sandbox.folder });
    assert.equal(projects[0]?.environments, 0);
    await sandbox.pass(`project forget ${sandbox.project}`, { cwd: sandbox.folder });
  },
});

Deno.test({
  name: "piko destroy forgets the environments of a repository that is gone",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    const destroy = async (...options: string[]) => {
      await sandbox.pass(["destroy", `${sandbox.project}/work`, ...options].join(" "), {
        cwd: sandbox.folder,
      });
      assert.deepEqual(await names(sandbox), []);
    };
    await sandbox.pass("create work");
    await Deno.rename(sandbox.root, `${sandbox.folder}/aside`);
    await Deno.mkdir(sandbox.root);
    await destroy("--delete-branch");
    await Deno.remove(sandbox.root, { recursive: true });
    await Deno.rename(`${sandbox.folder}/aside`, sandbox.root);
    await sandbox.git("worktree", "remove", ".piko/worktrees/work");

    await sandbox.pass("create work --branch other");
    await Deno.remove(sandbox.root, { recursive: true });
    await destroy("--delete-branch");
  },
});

Deno.test({
  name: "piko destroy finishes what a kill -9 at any of its steps has left",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    let killed = 0;
    for (let at = 1;; at++) {
      assert.ok(at < 40, "destroy never got to its end");
      await sandbox.pass("create work");
      await sandbox.write(".piko/data/work/row", "x\n");
      const folder = `${sandbox.folder}/kill-${at}`;
      const PATH = await insteadOf(sandbox, folder, (git) => [
        // Some calls are made at once: each takes the next number that is free.
        `count=1; while ! mkdir ${folder}/$count 2>/dev/null; do count=$((count + 1)); done`,
        `if [ "$count" -ne ${at} ]; then exec ${git} "$@"; fi`,
        `${git} "$@"`,
        `kill -9 "$PPID"`,
      ]);
      const { exitCode } = await sandbox.piko(["destroy", "work"], { variables: { PATH } });
      if (exitCode === 0) {
        await assertGone(sandbox, "work");
        break;
      }
      assert.equal(exitCode, 137, `killed after git call ${at}`);
      killed++;
      const again = await sandbox.piko(["destroy", "work"]);
      assert.equal(again.exitCode, 0, `after git call ${at}: ${again.stderr}`);
      await assertGone(sandbox, "work");
      assert.match(await sandbox.git("branch", "--list", "work"), /work/);
    }
    assert.ok(killed >= 4, `only ${killed} steps`);
  },
});

Deno.test({
  name:
    "piko destroy goes on with the removal of a worktree that has failed half way or was killed",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { ...FILES, ".piko.yml": COUNTING },
      init: true,
    });
    const worktree = sandbox.worktree("work");
    const entry = `${sandbox.root}/.git/worktrees/work`;
    /** Destroys with a git whose removal of the worktree ends after these lines. */
    const broken = async (...lines: string[]) => {
      await sandbox.pass("create work");
      await sandbox.write(`${worktree}/ignored/cache`, "x\n");
      await sandbox.write(".piko/data/work/row", "x\n");
      const PATH = await insteadOf(sandbox, `${sandbox.folder}/broken`, (git) => [
        `case "$*" in *"worktree remove"*) ${lines.join("; ")} ;; esac`,
        `exec ${git} "$@"`,
      ]);
      return await sandbox.piko(["destroy", "work"], { variables: { PATH } });
    };
    const halves: Record<string, string> = {
      "with some of its files deleted": `rm -r ${worktree}/lib`,
      "with its .git deleted": `rm -r ${worktree}/.git ${worktree}/app.txt`,
      "with its entry deleted": `rm -r ${entry}`,
      "with its .git and its entry deleted": `rm -r ${entry} ${worktree}/.git`,
      "with all deleted but its entry": `rm -r ${worktree}`,
    };
    for (const [what, deletes] of Object.entries(halves)) {
      await t.step(`killed ${what}`, async () => {
        const killed = await broken(deletes, 'kill -9 "$PPID"', "exit 1");
        assert.equal(killed.exitCode, 137, killed.stderr);
        await sandbox.pass("destroy work");
        await assertGone(sandbox, "work");
      });
    }
    await t.step("with something that is written into it", async () => {
      const failed = `echo "error: failed to delete '${worktree}': Directory not empty" >&2`;
      const { exitCode, stderr } = await broken(
        `rm -r ${entry} ${worktree}/.git`,
        failed,
        "exit 255",
      );
      assert.equal(exitCode, 0, stderr);
      await assertGone(sandbox, "work");
    });
    await t.step("but with nothing that came after", async () => {
      await broken(`rm -r ${worktree}/lib`, 'kill -9 "$PPID"', "exit 1");
      await sandbox.write(`${worktree}/app.txt`, "two\n");
      const said = await sandbox.fail("destroy work", 4);
      assert.match(said, /modified: app\.txt\n {2}→/);
      await Deno.rename(worktree, `${worktree}.old`);
      await sandbox.write(`${worktree}/notes.txt`, "mine\n");
      await sandbox.fail("destroy work", 4);
      await sandbox.fail("destroy work --force", 4);
      assert.equal(await Deno.readTextFile(`${worktree}/notes.txt`), "mine\n");
      await Deno.remove(worktree, { recursive: true });
      await Deno.rename(`${worktree}.old`, worktree);
      await sandbox.pass("destroy work --force");
      await assertGone(sandbox, "work");
    });
    await t.step("with a file that may not be deleted, and by piko doctor", async () => {
      if (Deno.uid() !== 0) return;
      await sandbox.pass("create work");
      await sandbox.write(`${worktree}/ignored/fixed`, "x\n");
      await sandbox.run(["chattr", "+i", `${worktree}/ignored/fixed`]);
      try {
        for (const options of ["", " --force"]) {
          const said = await sandbox.fail(`destroy work${options}`, 1);
          assert.match(said, /Cannot remove \S+\/worktrees\/work: /);
          assert.match(said, /lsattr -aR \S+\/work\n.*\n?.*piko destroy \S+\/work again/);
        }
      } finally {
        await sandbox.run(["chattr", "-i", `${worktree}/ignored/fixed`]);
      }
      const { wrong } = await doctor(sandbox, ["--fix"]);
      assert.deepEqual(wrong, []);
      await assertGone(sandbox, "work");
    });
  },
});

Deno.test({
  name:
    "piko list shows an environment as destroying while that goes on, and as failed after a kill",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: FILES, init: true });
    await sandbox.pass("create work");
    const folder = `${sandbox.folder}/hold`;
    const PATH = await insteadOf(sandbox, folder, (git) => [
      `case "$*" in *"worktree remove"*) touch ${folder}/held; exec sleep 60 ;; esac`,
      `exec ${git} "$@"`,
    ]);
    const status = async () => (await sandbox.json("list")).environments[0]?.status;
    {
      await using destroying = Background.piko(sandbox, ["destroy", "work"], {
        variables: { PATH },
      });
      await until("git worktree remove", () => sandbox.exists(`${folder}/held`));
      assert.equal(await status(), "destroying");
      destroying.kill("SIGKILL");
      await until("failed", async () => await status() === "failed");
    }
    assert.match(await sandbox.fail("up work", 4), /half destroyed/);
    await sandbox.pass("destroy work");
    await assertGone(sandbox, "work");
  },
});
