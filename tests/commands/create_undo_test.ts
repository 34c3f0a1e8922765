/** A `piko create` that fails, at each of its steps: what it has made is gone, what was there before is untouched. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { type Failure, type Refusal, saysNo } from "./refusal.ts";
import { takeStock, type Traces } from "./traces.ts";
import { writeProgram } from "../program_file.ts";

const NEEDED = needs("git", "engine", "compose", "images");

/** What a failing create is expected to say. */
interface Undone extends Refusal {
  /** What it takes back, in this order; in `()` what it does not name. */
  undone: string[];
  /** What was in the worktree and goes into a stash, which else there is none of. */
  stashed?: string;
}

/** Runs create and proves that it fails with these words and leaves everything as it was. */
async function undoes(
  sandbox: Sandbox,
  args: readonly string[],
  expected: Undone,
): Promise<Failure & { stderr: string }> {
  const before = await takeStock(sandbox);
  const failure = await saysNo(sandbox, ["create", ...args], expected, {
    variables: { TEST_MARK: sandbox.project },
  });
  const after = await takeStock(sandbox);
  const { stashed } = expected;
  if (stashed === undefined) {
    assert.deepEqual(after, before, failure.stderr);
  } else {
    assert.deepEqual(withoutStash(after), withoutStash(before), failure.stderr);
    assert.equal(stashIn(failure.stderr).files, stashed);
  }
  assert.deepEqual(undoneIn(failure.stderr), expected.undone, failure.stderr);
  return failure;
}

/** Reads what was taken back: the first words of each line, paths aside. */
function undoneIn(stderr: string): string[] {
  return [...stderr.matchAll(/^ {2}↩ (?:Removed )?(.+)$/gm)].map(([, what = ""]) =>
    what.replace(/ \/.*/, "")
  );
}

function withoutStash(traces: Traces): Traces {
  return { ...traces, refs: traces.refs.filter((ref) => !ref.startsWith("refs/stash ")) };
}

/** Reads which files were stashed, and the command that brings them back. */
function stashIn(stderr: string): { files: string; command: string } {
  const [, files = "", command = ""] =
    /^! Stashed what was in the worktree: (.+)\n {2}to have it back, .*, then: (git .+)$/m
      .exec(stderr) ?? [];
  assert.notEqual(command, "", stderr);
  return { files, command };
}

const ROW = "its entry in the registry";
const WORKTREE = "the worktree";
const DATA = "the data folder";
const CONTAINERS = "the containers and networks";

function app(...lines: string[]): string {
  return ["services:", "  app:", "    image: busybox:1.36", "    stop_signal: SIGKILL", ...lines]
    .join("\n") + "\n";
}

const SLEEPS = "    command: sleep 600";

Deno.test({
  name: "piko create takes back its worktree and data when git or a folder fails",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "README.md": "# Sample\n", ".piko.yml": "scripts: { prepare: 'true' }\n" },
      init: true,
    });
    await sandbox.git("branch", "there-before");
    await sandbox.pass("create neighbour");

    await t.step("a post-checkout hook that fails", async () => {
      const hook = `${sandbox.root}/.git/hooks/post-checkout`;
      await writeProgram(hook, "#!/bin/sh\necho the hook says no >&2\nexit 1\n");
      for (const branch of ["fresh", "there-before"]) {
        const { stderr } = await undoes(sandbox, [branch], {
          code: "failed",
          message: /"(fresh|there-before)".*the post-checkout hook failed/,
          hint: /hook/,
          undone: [ROW],
        });
        assert.match(stderr, /│ the hook says no/);
      }
      await Deno.remove(hook);
    });

    await t.step("a filter of git that is not installed", async () => {
      await sandbox.write(".git/info/attributes", "README.md filter=large\n");
      await sandbox.git("config", "filter.large.smudge", "no-such-program smudge");
      // git status cleans the file when it is as young as the index.
      await sandbox.git("config", "filter.large.clean", "cat");
      await sandbox.git("config", "filter.large.required", "true");
      const { stderr } = await undoes(sandbox, ["fresh"], {
        code: "failed",
        message: /Cannot create environment "fresh": cannot add a worktree/,
        hint: /^mend what git calls: git -C \S+ config filter\.large\.smudge$/,
        undone: [ROW],
      });
      assert.match(stderr, /│ .*no-such-program/);
      await sandbox.git("config", "--remove-section", "filter.large");
      await Deno.remove(`${sandbox.root}/.git/info/attributes`);
    });

    await t.step("a git that is killed while it writes the files", async () => {
      const killer = `${sandbox.folder}/kill-git`;
      await writeProgram(
        killer,
        "#!/bin/sh\npid=$$\nwhile [ $pid -gt 1 ]; do\n  pid=$(ps -o ppid= -p $pid | tr -d ' ')\n" +
          '  [ "$(ps -o comm= -p $pid)" = git ] && gits="$pid $gits"\ndone\nkill -9 $gits\n',
      );
      await sandbox.write(".git/info/attributes", "README.md filter=killed\n");
      await sandbox.git("config", "filter.killed.smudge", killer);
      await sandbox.git("config", "filter.killed.clean", "cat");
      await undoes(sandbox, ["fresh"], {
        code: "failed",
        message: /Cannot create environment "fresh": cannot add a worktree/,
        hint: /./,
        undone: [ROW],
      });
      await sandbox.git("config", "--remove-section", "filter.killed");
      await Deno.remove(`${sandbox.root}/.git/info/attributes`);
    });

    await t.step("a file in the place of each of piko's folders", async () => {
      for (
        const [folder, undone] of [
          ["worktrees", [ROW]],
          ["data", [WORKTREE, "branch fresh", ROW]],
          ["logs", [DATA, WORKTREE, "branch fresh", ROW]],
        ] as const
      ) {
        const path = `${sandbox.root}/.piko/${folder}`;
        await Deno.rename(path, `${sandbox.folder}/aside`);
        await Deno.writeTextFile(path, "in the way\n");
        await undoes(sandbox, ["fresh"], {
          code: "failed",
          message: new RegExp(`"fresh".*(?:add a worktree|make the folder ${path}/fresh)`),
          hint: /ls -ld/,
          undone: [...undone],
        });
        await Deno.remove(path);
        await Deno.rename(`${sandbox.folder}/aside`, path);
      }
    });

    await t.step("a folder of the environment's name that piko does not know", async () => {
      await sandbox.write(".piko/worktrees/fresh/work.txt", "somebody's\n");
      await undoes(sandbox, ["fresh"], {
        code: "conflict",
        message: /worktrees\/fresh is there already/,
        hint: /mv/,
        undone: [],
      });
      await Deno.remove(`${sandbox.root}/.piko/worktrees/fresh`, { recursive: true });
    });

    await t.step("a script that commits: its branch stays", async () => {
      await sandbox.write(
        ".piko.yml",
        "scripts:\n  setup: git commit --quiet --allow-empty -m 'Work of the script'; exit 4\n",
      );
      const before = await takeStock(sandbox);
      const { stderr } = await saysNo(sandbox, ["create", "worked"], {
        code: "failed",
        message: /scripts\.setup failed with exit code 4/,
        hint: /logs\/worked\/setup\.log/,
      });
      const after = await takeStock(sandbox);
      assert.deepEqual(undoneIn(stderr), [
        DATA,
        WORKTREE,
        "Kept branch worked, which has new commits",
        ROW,
      ]);
      assert.equal(await sandbox.git("log", "-1", "--format=%s", "worked"), "Work of the script");
      assert.deepEqual(
        { ...after, refs: after.refs.filter((ref) => !ref.startsWith("refs/heads/worked ")) },
        before,
      );
    });

    await t.step("a branch that tracks a remote's: it goes with what it tracks", async () => {
      await sandbox.write(".piko.yml", "scripts: { setup: exit 1 }\n");
      await sandbox.run(["git", "init", "--quiet", "--bare", `${sandbox.folder}/origin.git`]);
      await sandbox.git("remote", "add", "origin", `${sandbox.folder}/origin.git`);
      await sandbox.git("push", "--quiet", "origin", "main:refs/heads/theirs");
      await undoes(sandbox, ["theirs"], {
        code: "failed",
        message: /scripts\.setup failed with exit code 1/,
        hint: /setup\.log/,
        undone: [DATA, WORKTREE, "branch theirs", ROW],
      });
    });

    await t.step(
      "a worktree that cannot be removed: the rest is, and destroy finishes",
      async () => {
        await sandbox.write(
          ".piko.yml",
          "scripts:\n  setup: git worktree lock . --reason mine; exit 4\n",
        );
        const before = await takeStock(sandbox);
        const { stderr } = await saysNo(sandbox, ["create", "held"], {
          code: "failed",
          message: /scripts\.setup failed with exit code 4/,
          hint: /setup\.log/,
        });
        assert.match(stderr, /^! Could not remove the worktree .*is locked \(mine\)/m);
        assert.match(stderr, /finish with: piko destroy \S+\/held/);
        const { environment } = await sandbox.json("status held");
        assert.equal(environment.status, "failed");
        assert.equal(await sandbox.exists(".piko/data/held"), false);
        await saysNo(sandbox, ["create", "held"], {
          code: "conflict",
          message: /"held" exists already, and was not made completely/,
          hint: /^piko destroy \S+\/held$/,
        });

        await sandbox.git("worktree", "unlock", sandbox.worktree("held"));
        await sandbox.write(".piko.yml", "scripts: { prepare: 'true' }\n");
        await sandbox.pass("destroy held");
        assert.deepEqual(await takeStock(sandbox), { ...before, status: "## main" });
      },
    );
  },
});

/** What a person has written: it comes back byte for byte. */
const WRITTEN: Readonly<Record<string, string>> = {
  "README.md": "# Sample\r\n\nby a person, no end",
  "notes/to do.txt": "\u0000\u0001 ünï\n",
};

async function writeWork(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/notes`);
  for (const [path, text] of Object.entries(WRITTEN)) {
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  await Deno.chmod(`${folder}/notes/to do.txt`, 0o755);
}

/** Proves that the command brings back what {@link writeWork} has written into the worktree of a name. */
async function comesBack(sandbox: Sandbox, name: string, command: string): Promise<void> {
  await sandbox.write(".piko.yml", "scripts: { setup: 'true' }\n");
  await sandbox.pass(`create ${name}`);
  const folder = sandbox.worktree(name);
  assert.equal(await sandbox.git("-C", folder, "status", "--porcelain"), "");
  // Others come and go; the command still means the one.
  await sandbox.write("README.md", "changed in the root\n");
  await sandbox.git("stash", "push", "--quiet", "--message", "of somebody else");
  await sandbox.run(["sh", "-c", command], sandbox.folder);
  for (const [path, text] of Object.entries(WRITTEN)) {
    assert.equal(await Deno.readTextFile(`${folder}/${path}`), text);
  }
  assert.equal((await Deno.stat(`${folder}/notes/to do.txt`)).mode ?? 0 & 0o100, 0o100755);
  await sandbox.git("stash", "drop", "--quiet");
  await sandbox.pass(`destroy ${name} --force --delete-branch`);
}

Deno.test({
  name: "piko create that fails stashes what somebody has written in its worktree",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "README.md": "# Sample\n", ".gitignore": "*.log\n" },
      init: true,
    });
    const made = [DATA, WORKTREE, "branch fresh", ROW];
    const files = "modified: README.md, untracked: notes/to do.txt";
    const failed = {
      code: "failed",
      message: /scripts\.setup failed with exit code 4/,
      hint: /setup\.log/,
      undone: made,
    } as const;
    await Deno.mkdir(`${sandbox.folder}/written`);
    await writeWork(`${sandbox.folder}/written`);
    const writes = `cp -R "$PIKO_ROOT"/../written/. .; touch output.log`;
    const home = `${sandbox.folder}/home`;

    await t.step("while a script ran that fails", async () => {
      await sandbox.write(".piko.yml", `scripts:\n  setup: '${writes}; exit 4'\n`);
      const { stderr } = await undoes(sandbox, ["fresh"], { ...failed, stashed: files });
      assert.equal(
        await sandbox.git("stash", "list", "--format=%gs"),
        "On fresh: piko create fresh: what was in its worktree",
      );
      await comesBack(sandbox, "fresh", stashIn(stderr).command);
    });

    await t.step("where git knows no author", async () => {
      const file = `${home}/.gitconfig`;
      const configured = await Deno.readTextFile(file);
      await sandbox.write(".piko.yml", `scripts:\n  setup: '${writes}; exit 4'\n`);
      await Deno.writeTextFile(file, "[user]\n\tuseConfigOnly = true\n");
      const { stderr } = await undoes(sandbox, ["fresh"], { ...failed, stashed: files });
      await Deno.writeTextFile(file, configured);
      await comesBack(sandbox, "fresh", stashIn(stderr).command);
    });

    await t.step("until Ctrl+C", async () => {
      await sandbox.write(
        ".piko.yml",
        "scripts:\n  setup: 'touch \"$PIKO_DATA_DIR/began\"; exec tail -f /dev/null'\n",
      );
      const before = await takeStock(sandbox);
      await using piko = Background.piko(sandbox, ["create", "fresh", "--quiet"]);
      await until("the setup script", () => sandbox.exists(".piko/data/fresh/began"));
      await writeWork(sandbox.worktree("fresh"));
      piko.kill("SIGINT");
      const exitCode = await piko.ended();
      const stderr = piko.stderr.join("\n");
      assert.equal(exitCode, 130, stderr);
      assert.deepEqual(withoutStash(await takeStock(sandbox)), withoutStash(before), stderr);
      const { files: stashed, command } = stashIn(stderr);
      assert.equal(stashed, files);
      await comesBack(sandbox, "fresh", command);
    });

    await t.step("in what was staged too, more than is named", async () => {
      const script = 'touch 1 "$(printf "2\\033")" 3 4 5 6 7; git add .; rm README.md; exit 4';
      await sandbox.write(".piko.yml", JSON.stringify({ scripts: { setup: script } }));
      const { stderr } = await undoes(sandbox, ["fresh"], {
        ...failed,
        stashed: "added: 1, added: 2\ufffd, added: 3, added: 4, added: 5 and 3 more",
      });
      const { command } = stashIn(stderr);
      await sandbox.write(".piko.yml", "scripts: { setup: 'true' }\n");
      await sandbox.pass("create fresh");
      await sandbox.run(["sh", "-c", command], sandbox.folder);
      assert.equal(
        await sandbox.git("-C", sandbox.worktree("fresh"), "status", "--porcelain"),
        'A  1\nA  "2\\033"\nA  3\nA  4\nA  5\nA  6\nA  7\n D README.md',
      );
      await sandbox.pass("destroy fresh --force --delete-branch");
    });

    await t.step("while a hook of git ran that fails", async () => {
      const hook = `${sandbox.root}/.git/hooks/post-checkout`;
      await writeProgram(hook, `#!/bin/sh\ncp -R '${sandbox.folder}'/written/. .; exit 1\n`);
      const { stderr } = await undoes(sandbox, ["fresh"], {
        code: "failed",
        message: /the post-checkout hook failed/,
        hint: /hook/,
        undone: [WORKTREE, "branch fresh", ROW],
        stashed: files,
      });
      await Deno.remove(hook);
      await comesBack(sandbox, "fresh", stashIn(stderr).command);
    });

    await t.step("and nothing where git ignores it, or piko has made it", async () => {
      await sandbox.write("shared.txt", "of the root\n");
      await sandbox.write(
        ".piko.yml",
        "link: [shared.txt]\nscripts: { setup: 'cat shared.txt > output.log; exit 4' }\n",
      );
      const { stderr } = await undoes(sandbox, ["fresh"], failed);
      assert.doesNotMatch(stderr, /stash/i);
      await Deno.remove(`${sandbox.root}/shared.txt`);
    });

    await t.step("and loses nothing where it is killed before the worktree goes", async () => {
      await sandbox.write(".piko.yml", `scripts:\n  setup: '${writes}; exit 4'\n`);
      await sandbox.git("stash", "clear");
      const real = await sandbox.run(["sh", "-c", "command -v git"]);
      await writeProgram(
        `${sandbox.folder}/bin/git`,
        `#!/bin/sh\ncase "$*" in *" worktree remove "*) kill -9 $PPID; exit 1 ;; esac\nexec ${real} "$@"\n`,
      );
      const before = await takeStock(sandbox);
      const { exitCode } = await sandbox.piko(["create", "fresh"], {
        variables: { PATH: `${sandbox.folder}/bin:${sandbox.variables.PATH}` },
      });
      assert.equal(exitCode, 137);
      await sandbox.pass("doctor --fix");
      assert.deepEqual(withoutStash(await takeStock(sandbox)), before);
      const id = await sandbox.git("stash", "list", "--format=%H");
      const command = `git -C '${sandbox.worktree("fresh")}' stash apply ${id}`;
      await comesBack(sandbox, "fresh", command);
    });
  },
});

Deno.test({
  name: "piko create that fails keeps a worktree with work that no stash holds",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "README.md": "# Sample\n", "other.txt": "other\n", ".gitignore": "hidden\n" },
      init: true,
    });
    const commit = "git commit --quiet --all --message";
    const copy = `rm -rf "$PIKO_ROOT/../as-it-was"; cp -R . "$PIKO_ROOT/../as-it-was"`;
    const apart = `echo one > README.md; ${commit} one; git switch --quiet --create two @~; ` +
      `echo two > README.md; ${commit} two`;
    const cases: { what: string; script: string; why: RegExp; listed: RegExp }[] = [{
      what: "a repository in it",
      script: "git init --quiet mine; echo precious > mine/work; echo more > loose",
      why: /git cannot stash what is in it: a stash does not hold untracked: mine\/$/m,
      listed: /untracked: loose\n.*untracked: mine\//,
    }, {
      what: "files that git was told not to look for",
      script: "git update-index --skip-worktree README.md; git update-index --assume-unchanged " +
        "other.txt; echo precious > README.md; echo precious > other.txt; echo more > loose",
      why: /does not hold modified \(skip-worktree\): README\.md, modified \(assume-unchanged\): /,
      listed: /skip-worktree/,
    }, {
      what: "a folder where a file was",
      script:
        "rm README.md; mkdir README.md; echo precious > README.md/work; echo more > other.txt",
      why: /does not hold untracked: README\.md\/work$/m,
      listed: /README\.md\/work/,
    }, {
      what: "a file that git was only told of",
      script: "echo precious > work; git add --intent-to-add work; echo more > other.txt",
      why: /git cannot stash what is in it: error: .*work/,
      listed: /work/,
    }, {
      what: "a file of the name that piko hides, and a repository in what git ignores",
      script: 'echo docker-compose.piko.yml >> "$(git rev-parse --git-path info/exclude)"; ' +
        "echo precious > docker-compose.piko.yml; git init --quiet hidden; echo precious > hidden/work; echo more > loose",
      why: /does not hold ignored: docker-compose\.piko\.yml, untracked: hidden\/$/m,
      listed: /ignored: docker-compose\.piko\.yml\n.*untracked: hidden\//,
    }, {
      what: "a conflict",
      script: `${apart}; echo three > README.md; git switch --quiet --merge kept`,
      why: /does not hold conflicted: README\.md$/m,
      listed: /conflicted: README\.md/,
    }, {
      what: "a merge under way",
      script: `${apart}; git merge --quiet kept`,
      why: /: a merge is under way$/m,
      listed: /conflicted: README\.md/,
    }, {
      what: "a merge that no file shows",
      script: `${apart}; git merge --quiet --strategy ours --no-commit kept`,
      why: /: a merge is under way$/m,
      listed: /under way: a merge/,
    }, {
      what: "a rebase under way",
      script:
        `echo more > loose; GIT_SEQUENCE_EDITOR="echo break >" git rebase --quiet --interactive HEAD 2>&1 | cat -v`,
      why: /: a rebase is under way$/m,
      listed: /loose/,
    }, {
      what: "commits on no branch",
      script: `git switch --quiet --detach; echo precious > other.txt; ${commit} apart; ` +
        "echo more > README.md",
      why: /has work that is not committed, and commits that are on no branch$/m,
      listed: /apart/,
    }, {
      what: "a lock of git's that stays",
      script: 'echo precious > work; touch "$(git rev-parse --git-dir)/index.lock"',
      why: /A git is at work in the repository, or has left its lock: \S+index\.lock$/m,
      listed: /work/,
    }, {
      what: "a lock of somebody's",
      script: "echo precious > work; git worktree lock . --reason mine",
      why: /is locked \(mine\)$/m,
      listed: /work/,
    }, {
      what: "a worktree in it, which git ignores",
      script: "git worktree add --quiet --detach hidden",
      why: /In the worktree of "kept" are other worktrees or projects/,
      listed: /worktree: .*hidden/,
    }];
    for (const { what, script, why, listed } of cases) {
      await t.step(what, async () => {
        await sandbox.write(
          ".piko.yml",
          JSON.stringify({ scripts: { setup: `${script}; ${copy}; exit 4` } }),
        );
        const { stderr } = await saysNo(sandbox, ["create", "kept"], {
          code: "failed",
          message: /scripts\.setup failed with exit code 4/,
          hint: /setup\.log/,
        });
        assert.match(stderr, /^! Could not remove the worktree \S+\/kept: /m);
        assert.match(stderr, why);
        assert.match(stderr, /finish with: piko destroy \S+\/kept$/m);
        assert.equal(await sandbox.git("stash", "list"), "");
        const folder = sandbox.worktree("kept");
        await sandbox.run(["diff", "-r", "--exclude=.git", `${sandbox.folder}/as-it-was`, folder]);
        assert.equal((await sandbox.json("status kept")).environment.status, "failed");
        await sandbox.write(".piko.yml", "{}\n");
        const refused = await sandbox.fail("destroy kept", 4);
        assert.match(refused, listed);

        await sandbox.run(["sh", "-c", `git worktree unlock '${folder}' || true`]);
        await sandbox.pass("destroy kept --force");
        await sandbox.git("worktree", "prune");
        for (const branch of ["kept", "two"]) {
          await sandbox.run(["sh", "-c", `git branch --quiet -D ${branch} || true`]);
        }
      });
    }
  },
});

Deno.test({
  name: "piko create takes everything back when the compose file is of no use",
  ...NEEDED,
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": app(SLEEPS) },
      init: true,
    });
    const made = (branch: string) => [DATA, WORKTREE, `branch ${branch}`, ROW];
    const broken: [branch: string, files: Record<string, string>, expected: Refusal][] = [
      ["yaml", { "compose.yaml": "services:\n  app: [\n" }, {
        code: "failed",
        message: /the compose file is not valid/i,
        hint: /./,
      }],
      ["variable", { "compose.yaml": app("    command: echo ${SURELY_UNSET:?}") }, {
        code: "failed",
        message: /needs the variable SURELY_UNSET/,
        hint: /\.env/,
      }],
      ["envfile", { "compose.yaml": app("    env_file: secrets.env") }, {
        code: "not-found",
        message: /there is no env_file .*secrets\.env/i,
        hint: /root of the project/,
      }],
      ["ports", { "compose.yaml": app('    ports: ["4000-4100:4000-4100"]') }, {
        code: "conflict",
        message: /no host port is free between \d{3}00 and \d{3}99 for app:4\d+\/tcp/i,
        hint: /./,
      }],
      ["override", { "docker-compose.piko.yml": "services: {}\n" }, {
        code: "conflict",
        message: /docker-compose\.piko\.yml is there already, and piko did not write it/,
        hint: /rename it/,
      }],
    ];
    for (const [branch, files, expected] of broken) {
      await sandbox.git("switch", "--quiet", "--create", `with-${branch}`);
      for (const [path, text] of Object.entries(files)) await sandbox.write(path, text);
      // By force, since git ignores the override file's name by now.
      await sandbox.git("add", "--force", "--", ...Object.keys(files));
      await sandbox.git("commit", "--quiet", "--message", branch);
      await sandbox.git("switch", "--quiet", "main");
      await t.step(branch, async () => {
        // A new branch that starts there goes, and the branch itself stays.
        await undoes(sandbox, ["fresh", "--from", `with-${branch}`], {
          ...expected,
          undone: made("fresh"),
        });
        await undoes(sandbox, [`with-${branch}`], {
          ...expected,
          undone: [DATA, WORKTREE, ROW],
        });
      });
    }

    await t.step("a prepare script that fails, before any container", async () => {
      await sandbox.write(
        ".piko.yml",
        "scripts:\n  prepare: echo first; echo second >&2; touch made; exit 7\n",
      );
      const failure = await undoes(sandbox, ["fresh"], {
        code: "failed",
        message: /scripts\.prepare failed with exit code 7/,
        hint: /\.piko\/logs\/fresh\/prepare\.log$/,
        undone: made("fresh"),
        stashed: "untracked: made",
      });
      assert.deepEqual(failure.details.toSorted(), ["first", "second"]);
      const log = await Deno.readTextFile(`${sandbox.root}/.piko/logs/fresh/prepare.log`);
      assert.deepEqual(log.trimEnd().split("\n").toSorted(), ["first", "second"]);
    });
  },
});

Deno.test({
  name: "piko create takes containers, networks and volumes back when one does not get ready",
  ...NEEDED,
  fn: async (t) => {
    const volumes = ["    volumes: [store:/store]", "volumes: { store: {} }"];
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": app(SLEEPS, ...volumes) },
      init: true,
    });
    await sandbox.pass("create neighbour --no-wait");
    const made = [CONTAINERS, DATA, WORKTREE, "branch fresh", ROW];
    const check = (test: string) =>
      `    healthcheck: { test: ${test}, interval: 100ms, timeout: 2s, retries: 1 }`;
    const cases: {
      what: string;
      compose: string;
      args?: string[];
      expected: Refusal;
      details?: RegExp;
    }[] = [{
      what: "an image that is not there",
      compose: app(SLEEPS).replace("busybox:1.36", "piko-none:1\n    pull_policy: never"),
      expected: { code: "failed", message: /image piko-none:1 cannot be had/i, hint: /image/ },
    }, {
      what: "an external network that is not there",
      compose: app(SLEEPS, "networks: { default: { external: true, name: piko-none } }"),
      expected: {
        code: "not-found",
        message: /external network "piko-none" does not exist/i,
        hint: /^docker network create piko-none$/,
      },
    }, {
      what: "a command that is not there",
      compose: app("    command: /none", ...volumes),
      expected: { code: "failed", message: /could not start.*\/none/, hint: /command/ },
    }, {
      what: "an exit",
      compose: app('    command: sh -c "echo dying; exit 3"', ...volumes),
      expected: {
        code: "failed",
        message: /service "app" exited with code 3/i,
        hint: /piko -C \S+ create fresh --keep/,
      },
      details: /dying/,
    }, {
      what: "a health check that fails",
      compose: app(
        '    command: sh -c "echo not well; sleep 600"',
        check('[CMD-SHELL, "echo no pulse; exit 1"]'),
      ),
      expected: {
        code: "failed",
        message: /service "app" is unhealthy/i,
        hint: /piko -C \S+ create fresh --keep/,
      },
      details: /no pulse[^]*not well/,
    }, {
      what: "a health check that fails, and a service that waits for it",
      compose: app(
        '    command: sh -c "echo not well; sleep 600"',
        check('[CMD-SHELL, "echo no pulse; exit 1"]'),
        "  web:",
        "    image: busybox:1.36",
        "    command: sleep 600",
        "    depends_on: { app: { condition: service_healthy } }",
      ),
      expected: { code: "failed", message: /app.* is unhealthy/i, hint: /--keep/ },
      details: /no pulse[^]*not well/,
    }, {
      what: "a health check that never answers",
      compose: app(SLEEPS, check("[CMD, sleep, '60']").replace("2s", "60s")),
      args: ["--timeout", "1"],
      expected: {
        code: "failed",
        message: /service "app" is not ready after 1 s/i,
        hint: /--timeout.*--no-wait/,
      },
    }, {
      what: "a crash loop",
      compose: app('    command: sh -c "echo once more; exit 1"', "    restart: always"),
      expected: {
        code: "failed",
        message: /service "app" keeps restarting/i,
        hint: /piko -C \S+ create fresh --keep/,
      },
      details: /once more/,
    }];
    for (const { what, compose, args = [], expected, details } of cases) {
      await t.step(what, async () => {
        await sandbox.commit({ "compose.yaml": compose }, what);
        const failure = await undoes(sandbox, ["fresh", ...args], { ...expected, undone: made });
        if (details !== undefined) assert.match(failure.details.join("\n"), details);
      });
    }

    await t.step("host ports that are taken in the last moment, again and again", async () => {
      await sandbox.commit({
        "compose.yaml": app(SLEEPS, '    ports: ["4267"]', "  other:") +
          "    image: busybox:1.36\n    stop_signal: SIGKILL\n    command: sleep 600\n",
      });
      await sandbox.write(
        ".piko.yml",
        "scripts:\n  prepare: >-\n    docker run --detach --label $TEST_MARK-squatter" +
          " --publish $PIKO_APP_PORT:1 busybox:1.36 sleep 600\n",
      );
      try {
        await undoes(sandbox, ["fresh"], {
          code: "conflict",
          message: /host port \d{5} is already in use/i,
          hint: /^docker ps --filter publish=\d{5}$/,
          undone: made,
        });
      } finally {
        const label = `label=${sandbox.project}-squatter`;
        const squatters = await sandbox.run(["docker", "ps", "--quiet", "--filter", label]);
        assert.equal(squatters.split("\n").length, 4);
        await sandbox.run(["docker", "rm", "--force", ...squatters.split("\n")]);
      }
    });

    await t.step("a setup script that fails, with an image that was built", async () => {
      await sandbox.commit({
        "Dockerfile": "FROM busybox:1.36\nCOPY README.md /\n",
        "README.md": "# Sample\n",
        "compose.yaml": app(SLEEPS, ...volumes).replace("image: busybox:1.36", "build: ."),
      });
      await sandbox.write(
        ".piko.yml",
        'scripts:\n  setup: touch "$PIKO_DATA_DIR/made" made; echo half way; exit 9\n',
      );
      const failure = await undoes(sandbox, ["fresh"], {
        code: "failed",
        message: /scripts\.setup failed with exit code 9/,
        hint: /\.piko\/logs\/fresh\/setup\.log$/,
        undone: made,
        stashed: "untracked: made",
      });
      assert.deepEqual(failure.details, ["half way"]);
    });

    const { environment } = await sandbox.json("status neighbour");
    assert.equal(environment.status, "running");
  },
});

Deno.test({
  name: "piko create that fails keeps volumes and data of an earlier life",
  ...NEEDED,
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml": app(
          SLEEPS,
          "    volumes: [store:/store, more:/more]",
          "volumes: { store: {}, more: {} }",
        ),
      },
      init: true,
    });
    await sandbox.write(
      ".piko.yml",
      [
        "scripts:",
        "  setup: >-",
        '    docker compose -p "$PIKO_PROJECT" exec -T app sh -c "echo row >> /store/rows"',
        '    && echo fact > "$PIKO_DATA_DIR/facts"',
        "",
      ].join("\n"),
    );
    await sandbox.pass("create again --no-wait");
    await sandbox.pass("destroy again --keep-data");
    // One of the two volumes is gone: the failing create makes it anew, and takes back that one alone.
    const prefix = `piko-${sandbox.project}-again`;
    await sandbox.run(["docker", "volume", "rm", `${prefix}_more`]);
    const before = await takeStock(sandbox);
    assert.deepEqual(before.engine, [`volume ${prefix}_store`]);

    await sandbox.write(".piko.yml", "scripts: { setup: exit 1 }\n");
    const { stderr } = await undoes(sandbox, ["again", "--no-wait"], {
      code: "failed",
      message: /scripts\.setup failed/,
      hint: /setup\.log/,
      undone: [CONTAINERS, WORKTREE, ROW],
    });
    assert.match(stderr, new RegExp(`Uses the volumes kept from before: ${prefix}_store$`, "m"));
    assert.match(stderr, /data\/again, kept from before/);

    await sandbox.write(
      ".piko.yml",
      'scripts: { setup: docker compose -p "$PIKO_PROJECT" exec -T app cat /store/rows }\n',
    );
    await sandbox.pass("create again --no-wait");
    assert.equal(await Deno.readTextFile(`${sandbox.root}/.piko/logs/again/setup.log`), "row\n");
    assert.equal(await Deno.readTextFile(`${sandbox.root}/.piko/data/again/facts`), "fact\n");
  },
});

Deno.test({
  name: "piko create --keep leaves what it has made, as failed",
  ...NEEDED,
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: {
        "compose.yaml": app('    command: sh -c "echo dying; exit 3"', '    ports: ["4268"]'),
      },
      init: true,
    });
    const before = await takeStock(sandbox);
    const { stderr } = await saysNo(sandbox, ["create", "odd", "--keep"], {
      code: "failed",
      message: /"odd".*exited with code 3/,
      hint: /piko destroy \S+\/odd/,
    });
    assert.deepEqual(undoneIn(stderr), []);
    assert.match(stderr, /Kept odd as it is, for inspection: .*\/\.piko\/worktrees\/odd$/m);

    const { environment, services } = await sandbox.json("status odd");
    assert.equal(environment.status, "failed");
    assert.equal(environment.ports.length, 1);
    assert.equal(services[0]?.state, "exited");
    assert.equal(await sandbox.exists(".piko/worktrees/odd/docker-compose.piko.yml"), true);
    await saysNo(sandbox, ["create", "odd"], {
      code: "conflict",
      message: /"odd" exists already, and was not made completely/,
      hint: /^piko destroy \S+\/odd$/,
    });

    const { stderr: told } = await sandbox.piko(["up", "odd", "--no-wait"]);
    assert.match(told, /^! odd was not made completely, and stays failed$/m);

    // The branch of a kept one was there to be looked at, and stays like any other's.
    await sandbox.pass("destroy odd");
    const after = await takeStock(sandbox);
    assert.deepEqual(after.refs.filter((ref) => !ref.startsWith("refs/heads/odd ")), before.refs);
    assert.deepEqual({ ...after, refs: [] }, { ...before, refs: [] });
  },
});
