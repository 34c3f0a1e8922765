/** Which branch `piko create` takes, makes or refuses, and how its name becomes the environment's. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { doctor } from "./doctor.ts";
import { refuses } from "./refusal.ts";

/** A project in simple mode, with two commits and a tag on the first. */
async function project(): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ init: true });
  await sandbox.git("tag", "first");
  await sandbox.commit({ "app.txt": "second\n" }, "Second");
  return sandbox;
}

async function headOf(sandbox: Sandbox, name: string): Promise<{ branch: string; commit: string }> {
  const git = (...args: string[]) => sandbox.run(["git", ...args], sandbox.worktree(name));
  return {
    branch: await git("symbolic-ref", "--short", "HEAD"),
    commit: await git("rev-parse", "HEAD"),
  };
}

Deno.test({
  name: "piko create makes a new branch from HEAD of the root, or from --from",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await project();
    const [main, first] = await Promise.all([
      sandbox.git("rev-parse", "main"),
      sandbox.git("rev-parse", "first"),
    ]);

    await t.step("from HEAD, also of a detached one", async () => {
      const { environment } = await sandbox.json("create fresh");
      assert.equal(environment.branch, "fresh");
      assert.deepEqual(await headOf(sandbox, "fresh"), { branch: "fresh", commit: main });
      await sandbox.git("checkout", "--quiet", "--detach", "first");
      await sandbox.pass("create detached");
      assert.deepEqual(await headOf(sandbox, "detached"), { branch: "detached", commit: first });
      await sandbox.git("switch", "--quiet", "main");
    });

    await t.step("from a tag, a commit, and another environment's branch", async () => {
      for (const [name, from] of [["tagged", "first"], ["hashed", first.slice(0, 12)]]) {
        await sandbox.pass(`create ${name} --from ${from}`);
        assert.deepEqual(await headOf(sandbox, name ?? ""), { branch: name, commit: first });
      }
      await sandbox.pass("create stacked --from tagged");
      assert.deepEqual(await headOf(sandbox, "stacked"), { branch: "stacked", commit: first });
    });

    await t.step("from inside another worktree: still HEAD of the root", async () => {
      await sandbox.pass("create nested", { cwd: sandbox.worktree("tagged") });
      assert.deepEqual(await headOf(sandbox, "nested"), { branch: "nested", commit: main });
      assert.equal(await sandbox.exists(`${sandbox.worktree("tagged")}/.piko`), false);
    });

    await t.step("a start that names nothing", async () => {
      await refuses(sandbox, ["create", "lost", "--from", "no-such-ref"], {
        code: "not-found",
        message: /no commit, branch or tag "no-such-ref"/,
        hint: /^git branch --all$/,
      });
      await refuses(sandbox, ["create", "lost", "--from=--orphan"], {
        code: "not-found",
        message: /no commit, branch or tag "--orphan"/,
        hint: /^git branch --all$/,
      });
    });
  },
});

Deno.test({
  name: "piko create uses a branch that exists, under its own name or with --branch",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await project();
    const [main, first] = await Promise.all([
      sandbox.git("rev-parse", "main"),
      sandbox.git("rev-parse", "first"),
    ]);
    await sandbox.git("branch", "old", "first");
    await sandbox.git("branch", "Their/Branch", "first");

    await t.step("by its name", async () => {
      await sandbox.pass("create old");
      assert.deepEqual(await headOf(sandbox, "old"), { branch: "old", commit: first });
    });

    await t.step("by --branch", async () => {
      const { environment } = await sandbox.json("create review --branch Their/Branch");
      assert.deepEqual([environment.name, environment.branch], ["review", "Their/Branch"]);
      assert.deepEqual(await headOf(sandbox, "review"), { branch: "Their/Branch", commit: first });
    });

    await t.step("with --from: the branch stays where it is, and that is said", async () => {
      await sandbox.pass("destroy old");
      const { exitCode, stderr } = await sandbox.piko(["create", "old", "--from", "main"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^! Branch "old" exists and is used as it is; --from has no effect$/m);
      assert.deepEqual(await headOf(sandbox, "old"), { branch: "old", commit: first });
    });

    await t.step("checked out in the root or in an environment: says where", async () => {
      await refuses(sandbox, ["create", "main"], {
        code: "conflict",
        message: new RegExp(`branch "main" is checked out at ${sandbox.root}$`, "i"),
        hint: /^piko create .* --from main /,
      });
      await refuses(sandbox, ["create", "again", "--branch", "old"], {
        code: "conflict",
        message: new RegExp(`branch "old" is checked out at ${sandbox.worktree("old")}$`, "i"),
        hint: /--from old /,
      });
      assert.equal(await sandbox.git("rev-parse", "main"), main);
    });
  },
});

Deno.test({
  name: "piko create tracks a branch that only a remote has",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await project();
    for (const remote of ["origin", "fork"]) {
      await sandbox.run(["git", "init", "--quiet", "--bare", `${sandbox.folder}/${remote}.git`]);
      await sandbox.git("remote", "add", remote, `${sandbox.folder}/${remote}.git`);
    }
    await sandbox.git("push", "--quiet", "origin", "first^{commit}:refs/heads/feature/theirs");
    await sandbox.git("push", "--quiet", "origin", "main:refs/heads/both");
    await sandbox.git("push", "--quiet", "fork", "first^{commit}:refs/heads/both");
    const first = await sandbox.git("rev-parse", "first");
    const upstream = (branch: string) =>
      sandbox.git("for-each-ref", "--format=%(upstream:short)", `refs/heads/${branch}`);

    await t.step("one remote", async () => {
      const { exitCode, stderr } = await sandbox.piko(["create", "feature/theirs"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /tracks origin\/feature\/theirs/);
      assert.deepEqual(await headOf(sandbox, "feature-theirs"), {
        branch: "feature/theirs",
        commit: first,
      });
      assert.equal(await upstream("feature/theirs"), "origin/feature/theirs");
    });

    await t.step("several remotes: conflict that names them, and --from decides", async () => {
      const { hint } = await refuses(sandbox, ["create", "both"], {
        code: "conflict",
        message: /branch "both" is on several remotes: origin, fork/i,
        hint: /--from 'origin\/both'/,
      });
      assert.match(hint, /--from/);
      await sandbox.pass("create both --from fork/both");
      assert.deepEqual(await headOf(sandbox, "both"), { branch: "both", commit: first });
    });

    await t.step(
      "a remote's branch under the name that git has for it here: conflict",
      async () => {
        await sandbox.pass("destroy feature-theirs --delete-branch");
        const { hint } = await refuses(sandbox, ["create", "origin/feature/theirs"], {
          code: "conflict",
          message: /"origin\/feature\/theirs" is branch "feature\/theirs" of remote origin$/,
          hint: /: piko -C \S+ create feature\/theirs$/,
        });
        await sandbox.pass(hint.replace(/^.*: piko /, ""));
        assert.equal(await upstream("feature/theirs"), "origin/feature/theirs");
      },
    );

    await t.step("a new branch tracks nothing", async () => {
      await sandbox.pass("create fresh --from origin/feature/theirs");
      assert.equal(await upstream("fresh"), "");
    });
  },
});

Deno.test({
  name:
    "piko create says of a new branch that it has the name of a tag, and the branch is what piko means by it",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await project();
    const { project: name, folder } = sandbox;
    const [main, first] = await Promise.all([
      sandbox.git("rev-parse", "main"),
      sandbox.git("rev-parse", "first"),
    ]);
    const worktree = sandbox.worktree("first");
    const refs = () =>
      sandbox.git("for-each-ref", "--format=%(refname) %(objectname)", "*/*/first");
    const TAG = `refs/tags/first ${first}`;
    const warnings = (stderr: string) =>
      stderr.split("\n").filter((line) => /^! |--branch/.test(line));
    const SAID = [
      '! Branch "first" gets the name of a tag, and git takes that name for the tag',
      "  --branch OTHER-NAME gives it another name",
    ];

    await t.step("a new one, which starts at HEAD of the root", async () => {
      const { exitCode, stderr } = await sandbox.piko(["create", "first"]);
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(warnings(stderr), SAID);
      assert.equal(
        await sandbox.run(["git", "symbolic-ref", "HEAD"], worktree),
        "refs/heads/first",
      );
      assert.equal(await sandbox.run(["git", "rev-parse", "HEAD"], worktree), main);
      assert.equal(await sandbox.run(["git", "status", "--porcelain"], worktree), "");
      const { environment, checkedOut } = await sandbox.json("status first");
      assert.deepEqual([environment.branch, checkedOut], ["first", null]);
    });

    await sandbox.run(["git", "commit", "--quiet", "--allow-empty", "-m", "Only here"], worktree);
    const mine = await sandbox.run(["git", "rev-parse", "HEAD"], worktree);

    await t.step("checked out: the hint starts at the branch", async () => {
      const { hint } = await refuses(sandbox, ["create", "again", "--branch", "first"], {
        code: "conflict",
        message: /branch "first" is checked out at /i,
        hint: /^piko create OTHER-NAME --from heads\/first /,
      });
      const way = hint.replace("OTHER-NAME", "stacked").split(" ").slice(1, 5);
      await sandbox.pass(way.join(" "));
      assert.equal((await headOf(sandbox, "stacked")).commit, mine);
    });

    await t.step("its commits are not merged, though those of the tag are", async () => {
      const said = await sandbox.fail("destroy first --delete-branch", 4);
      assert.match(said, /Branch "first" is not merged/);
      const { destroyed } = await sandbox.json("destroy first");
      assert.equal(destroyed.keptBranch, "first");
      assert.equal(await refs(), `refs/heads/first ${mine}\n${TAG}`);
    });

    await t.step("one that exists is used without a word, and is what is deleted", async () => {
      const { exitCode, stderr } = await sandbox.piko(["create", "first"]);
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(warnings(stderr), []);
      assert.equal(await sandbox.run(["git", "rev-parse", "HEAD"], worktree), mine);
      assert.deepEqual((await doctor(sandbox)).wrong, []);
      await sandbox.git("merge", "--quiet", "--ff-only", "heads/first");
      await sandbox.pass("destroy first --delete-branch");
      assert.equal(await refs(), TAG);
    });

    await t.step("one that a remote has", async () => {
      await sandbox.run(["git", "init", "--quiet", "--bare", `${folder}/origin.git`]);
      await sandbox.git("remote", "add", "origin", `${folder}/origin.git`);
      await sandbox.git("push", "--quiet", "origin", `${main}:refs/heads/first`);
      const { exitCode, stderr } = await sandbox.piko(["create", "first"]);
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(warnings(stderr), SAID);
      assert.equal(await sandbox.run(["git", "rev-parse", "HEAD"], worktree), main);
      await sandbox.run(["git", "commit", "--quiet", "--allow-empty", "-m", "More"], worktree);
      await sandbox.git("tag", "--force", "first", "refs/heads/first");
      const said = await sandbox.fail("destroy first --delete-branch", 4);
      assert.match(said, new RegExp(`${name}/first --delete-branch --force`));
      await sandbox.pass("destroy first --delete-branch --force");
      assert.match(await refs(), /^refs\/tags\/first \w+$/);
    });

    await t.step("a failed create takes the branch back, and not the tag", async () => {
      await sandbox.git("remote", "remove", "origin");
      await sandbox.write(".piko.yml", "scripts: { setup: 'false' }\n");
      const before = await refs();
      await sandbox.fail("create first", 1);
      assert.equal(await refs(), before);
    });
  },
});

Deno.test({
  name: "piko create flattens what was typed into the environment's name",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await project();

    await t.step("feature/Auth", async () => {
      const { environment } = await sandbox.json("create feature/Auth");
      assert.deepEqual([environment.name, environment.branch], ["feature-auth", "feature/Auth"]);
      assert.equal(environment.path, sandbox.worktree("feature-auth"));
      assert.equal((await headOf(sandbox, "feature-auth")).branch, "feature/Auth");
    });

    await t.step("the same name from another branch", async () => {
      const { hint } = await refuses(sandbox, ["create", "feature/auth"], {
        code: "conflict",
        message: /environment "feature-auth" exists already, for branch "feature\/Auth"/i,
        hint: /--branch 'feature\/auth'/,
      });
      const way = hint.replace("OTHER-NAME", "lower").replaceAll("'", "").split(" ").slice(1);
      await sandbox.pass(way.join(" "));
      assert.equal((await headOf(sandbox, "lower")).branch, "feature/auth");
    });

    await t.step("the same branch again", async () => {
      await refuses(sandbox, ["create", "feature/Auth"], {
        code: "conflict",
        message: /environment "feature-auth" exists already$/i,
        hint: /^piko status \S+\/feature-auth$/,
      });
    });

    await t.step("more than 40 characters, dots, spaces at the ends", async () => {
      const long = `very/long.${"x".repeat(60)}`;
      const { environment } = await sandbox.json(`create ${long}`);
      assert.equal(environment.name, `very-long-${"x".repeat(30)}`);
      assert.equal(environment.branch, long);
      const { environment: odd } = await sandbox.json("create _odd_.name_");
      assert.deepEqual([odd.name, odd.branch], ["odd-name", "_odd_.name_"]);
    });

    await t.step("nothing left of it, or no branch's name to git", async () => {
      await refuses(sandbox, ["create", "äöü"], {
        code: "usage",
        message: /cannot make an environment name of "äöü"/i,
        hint: /--branch/,
      });
      await sandbox.pass("create umlauts --branch äöü");
      assert.equal((await headOf(sandbox, "umlauts")).branch, "äöü");
      for (const name of ["a..b", "a b", "a~1", "a.lock"]) {
        await refuses(sandbox, ["create", name], {
          code: "usage",
          message: /is not a valid branch name/,
          hint: /check-ref-format/,
        });
      }
      await sandbox.pass("create spaced --branch plain");
    });

    await t.step("beside a branch that git cannot keep it with", async () => {
      await refuses(sandbox, ["create", "feature/Auth/part"], {
        code: "conflict",
        message: /git cannot keep branch "feature\/Auth\/part" beside branch "feature\/Auth"/,
        hint: /--branch/,
      });
    });

    await t.step("no name at all", async () => {
      await refuses(sandbox, ["create"], { code: "usage", message: /NAME/, hint: /piko create/ });
    });
  },
});

Deno.test({
  name: "piko create outside a project says how to begin",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create();
    await refuses(sandbox, ["create", "feature"], {
      code: "not-found",
      message: new RegExp(`${sandbox.root} is in no piko project`),
      hint: /^piko init$/,
    });
  },
});
