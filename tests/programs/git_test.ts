import assert from "node:assert/strict";
import { CommandError, PikoError } from "../../src/domain/errors.ts";
import { Git } from "../../src/programs/git.ts";
import { parseStatus, parseWorktrees } from "../../src/programs/git/formats.ts";
import { patternFor } from "../../src/programs/git/ignore_file.ts";
import { run } from "../../src/programs/run.ts";
import { copyProgram, writeProgram } from "../program_file.ts";

const BASE = Deno.env.toObject();

/** A folder with git's own configuration, repositories, and a Git that knows nothing else. */
class Sandbox implements AsyncDisposable {
  readonly folder: string;
  readonly variables: Record<string, string>;
  readonly git: Git;

  private constructor(folder: string) {
    this.folder = folder;
    this.variables = {
      PATH: BASE.PATH ?? "/usr/bin:/bin",
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: `${folder}/gitconfig`,
    };
    this.git = new Git({ variables: this.variables });
  }

  static async create(): Promise<Sandbox> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pikotest-git-" }));
    await Deno.writeTextFile(
      `${folder}/gitconfig`,
      "[user]\n\tname = T\n\temail = t@example.org\n[init]\n\tdefaultBranch = main\n" +
        '[protocol "file"]\n\tallow = always\n[advice]\n\tdetachedHead = false\n',
    );
    return new Sandbox(folder);
  }

  run(folder: string, ...args: string[]): Promise<string> {
    return run(["git", "-C", folder, ...args], { variables: this.variables });
  }

  /** Makes a repository with one commit. */
  async repository(name = "app"): Promise<string> {
    const root = `${this.folder}/${name}`;
    await run(["git", "init", "-q", root], { variables: this.variables });
    await this.commit(root, "README", "hello\n");
    return root;
  }

  async commit(folder: string, file: string, text: string): Promise<string> {
    await Deno.writeTextFile(`${folder}/${file}`, text);
    await this.run(folder, "add", "--", file);
    await this.run(folder, "commit", "-q", "-m", `Write ${file}`);
    return (await this.run(folder, "rev-parse", "HEAD")).trim();
  }

  async hook(root: string, name: string, script: string): Promise<void> {
    await Deno.mkdir(`${root}/.git/hooks`, { recursive: true });
    await writeProgram(`${root}/.git/hooks/${name}`, `#!/bin/sh\n${script}\n`);
  }

  async branches(root: string): Promise<string[]> {
    const text = await this.run(root, "for-each-ref", "--format=%(refname)", "refs/heads");
    return text.split("\n").filter(Boolean).map((ref) => ref.slice("refs/heads/".length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function piko(code: string, words?: RegExp) {
  return (error: unknown): true => {
    assert.ok(error instanceof PikoError, String(error));
    assert.equal(error.code, code, error.message);
    if (words !== undefined) assert.match([error.message, ...error.details].join("\n"), words);
    return true;
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

Deno.test("Git.inspectRepository() finds the root from a subfolder", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  await Deno.mkdir(`${root}/a/b`, { recursive: true });
  assert.deepEqual(await sandbox.git.inspectRepository(`${root}/a/b`), {
    root,
    here: root,
    isBare: false,
    isLinkedWorktree: false,
    superproject: undefined,
    commonDir: `${root}/.git`,
  });
  assert.equal((await sandbox.git.inspectRepository(`${root}/.git/refs`)).root, root);
  await Deno.symlink(root, `${sandbox.folder}/link`);
  assert.equal((await sandbox.git.inspectRepository(`${sandbox.folder}/link`)).root, root);
});

Deno.test("Git.inspectRepository() tells a linked worktree's main one", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  await sandbox.run(root, "worktree", "add", "-q", "-b", "x", `${sandbox.folder}/x`);
  const found = await sandbox.git.inspectRepository(`${sandbox.folder}/x`);
  assert.equal(found.root, root);
  assert.equal(found.here, `${sandbox.folder}/x`);
  assert.equal(found.isLinkedWorktree, true);
  assert.equal(found.isBare, false);
});

Deno.test("Git.inspectRepository() knows a bare repository, from its worktree too", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  const bare = `${sandbox.folder}/bare.git`;
  await sandbox.run(root, "clone", "-q", "--bare", root, bare);
  await sandbox.run(bare, "worktree", "add", "-q", `${sandbox.folder}/wt`, "main");
  const found = await sandbox.git.inspectRepository(bare);
  assert.deepEqual([found.isBare, found.root], [true, bare]);
  const linked = await sandbox.git.inspectRepository(`${sandbox.folder}/wt`);
  assert.deepEqual([linked.isBare, linked.root, linked.isLinkedWorktree], [true, bare, true]);
});

Deno.test("Git.inspectRepository() tells a submodule and its superproject", async () => {
  await using sandbox = await Sandbox.create();
  const sub = await sandbox.repository("sub");
  const root = await sandbox.repository();
  await sandbox.run(root, "submodule", "--quiet", "add", sub, "lib");
  const found = await sandbox.git.inspectRepository(`${root}/lib`);
  assert.deepEqual([found.superproject, found.root], [root, `${root}/lib`]);
  await sandbox.run(`${root}/lib`, "worktree", "add", "-q", "-b", "x", `${sandbox.folder}/x`);
  const linked = await sandbox.git.inspectRepository(`${sandbox.folder}/x`);
  assert.deepEqual([linked.root, linked.isLinkedWorktree], [`${root}/lib`, true]);
});

Deno.test("Git.inspectRepository() says what is wrong with a folder", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  await assert.rejects(git.inspectRepository(folder), piko("not-found", /not a git repository/));
  await assert.rejects(git.inspectRepository(`${folder}/no`), piko("not-found", /no folder/));
  const without = new Git({ variables: { PATH: `${folder}/empty` } });
  await assert.rejects(without.inspectRepository(folder), piko("unavailable", /git/));
});

Deno.test("Git.inspectRepository() refuses a linked worktree whose main one cannot be found", async () => {
  await using sandbox = await Sandbox.create();
  const { folder } = sandbox;
  await sandbox.run(folder, "init", "-q", `--separate-git-dir=${folder}/sep`, `${folder}/app`);
  await sandbox.commit(`${folder}/app`, "a", "a");
  await sandbox.run(`${folder}/app`, "worktree", "add", "-q", `${folder}/x`);
  await assert.rejects(
    sandbox.git.inspectRepository(`${folder}/x`),
    piko("failed", /main worktree/),
  );
  assert.equal((await sandbox.git.inspectRepository(`${folder}/app`)).root, `${folder}/app`);
});

Deno.test("Git ignores a stray GIT_DIR and GIT_INDEX_FILE", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  const git = new Git({
    variables: {
      ...sandbox.variables,
      GIT_DIR: "/nowhere",
      GIT_WORK_TREE: "/nowhere",
      GIT_INDEX_FILE: "/nowhere",
      LANGUAGE: "de",
    },
  });
  assert.equal((await git.inspectRepository(root)).root, root);
  assert.deepEqual((await git.listWork(root)).files, []);
});

Deno.test("Git.head() and currentBranch() know an empty repository and a detached HEAD", async () => {
  await using sandbox = await Sandbox.create();
  const empty = `${sandbox.folder}/empty`;
  await sandbox.run(sandbox.folder, "init", "-q", empty);
  assert.equal(await sandbox.git.hasCommit(empty), false);
  assert.equal(await sandbox.git.currentBranch(empty), "main");
  const root = await sandbox.repository();
  assert.equal(await sandbox.git.hasCommit(root), true);
  await sandbox.run(root, "tag", "main");
  assert.equal(await sandbox.git.currentBranch(root), "main");
  await sandbox.run(root, "checkout", "-q", "--detach");
  assert.equal(await sandbox.git.currentBranch(root), undefined);
  assert.match(await sandbox.git.head(root) ?? "", /^[0-9a-f]{40}$/);
});

const HOSTILE = [
  "feat/$(id)`x`;&|\"'",
  "ünïcode/分支",
  "$HOME",
  "a'b\"c",
  "x;rm -rf $HOME".replaceAll(" ", "\u00a0"),
  "feature/Auth",
  "refs/heads/main",
  "main--",
  "x{y}",
  "#1",
  "a".repeat(240),
];

Deno.test("Git.addWorktree() takes hostile but valid branch names as they are", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  const { git } = sandbox;
  for (const [index, branch] of HOSTILE.entries()) {
    assert.deepEqual(await git.resolveBranch(root, branch), {
      isLocal: false,
      isTag: false,
      checkedOutAt: undefined,
      remotes: [],
    });
    const path = `${sandbox.folder}/w${index}`;
    const added = await git.addWorktree(root, path, { kind: "new", branch, from: "HEAD" });
    assert.equal(added.madeBranch, true);
    assert.equal(await git.currentBranch(path), branch);
    assert.equal((await git.resolveBranch(root, branch)).checkedOutAt, path);
    assert.equal(await git.removeWorktree(root, path), true);
    assert.equal(await git.isMerged(root, branch), true);
    assert.equal(await git.deleteBranch(root, branch), true);
  }
  assert.deepEqual(await sandbox.branches(root), ["main"]);
});

Deno.test("Git.resolveBranch() refuses what is no branch name", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  await sandbox.run(root, "checkout", "-q", "-b", "second");
  await sandbox.run(root, "checkout", "-q", "main");
  const bad = [
    "",
    "-x",
    "--help",
    "-",
    "a..b",
    "a:b",
    "a\nb",
    "a b",
    "@",
    "HEAD",
    "@{-1}",
    "x.lock",
  ];
  for (
    const name of [...bad, "/a", "a/", "a//b", ".a", "a~1", "a^", "a*", "a?", "a[", "a\\b", "a\0b"]
  ) {
    await assert.rejects(
      sandbox.git.resolveBranch(root, name),
      piko("usage", /not a valid branch name/),
      JSON.stringify(name),
    );
  }
  await assert.rejects(sandbox.git.resolveBranch(root, "a".repeat(300)), piko("usage", /too long/));
  await assert.rejects(
    sandbox.git.addWorktree(root, `${sandbox.folder}/w`, {
      kind: "new",
      branch: "-x",
      from: "HEAD",
    }),
    piko("usage"),
  );
});

Deno.test("Git.resolveBranch() tells the places of a branch", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const upstream = await sandbox.repository("upstream");
  await sandbox.run(upstream, "branch", "feat/x");
  const root = await sandbox.repository();
  await sandbox.run(root, "remote", "add", "a-fork", upstream);
  await sandbox.run(root, "remote", "add", "origin", upstream);
  await sandbox.run(root, "fetch", "-q", "--all");
  assert.deepEqual(await git.resolveBranch(root, "feat/x"), {
    isLocal: false,
    isTag: false,
    checkedOutAt: undefined,
    remotes: ["origin", "a-fork"],
  });
  // A remote's name is no part of a branch's: `x` is nowhere, though `origin/feat/x` is there.
  assert.deepEqual((await git.resolveBranch(root, "x")).remotes, []);
  assert.equal((await git.resolveBranch(root, "main")).checkedOutAt, root);
  await sandbox.run(root, "branch", "idle");
  for (const tag of ["idle", "x/y"]) await sandbox.run(root, "tag", tag);
  assert.equal((await git.resolveBranch(root, "x")).isTag, false);
  assert.deepEqual(await git.resolveBranch(root, "idle"), {
    isLocal: true,
    isTag: true,
    checkedOutAt: undefined,
    remotes: [],
  });
});

Deno.test("Git.resolveBranch() names the branch that is in the way", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  await sandbox.run(root, "branch", "feat");
  await sandbox.run(root, "branch", "fix/a/b");
  await assert.rejects(
    sandbox.git.resolveBranch(root, "feat/x"),
    piko("conflict", /"feat\/x".*"feat"/),
  );
  await assert.rejects(
    sandbox.git.resolveBranch(root, "fix"),
    piko("conflict", /"fix".*"fix\/a\/b"/),
  );
  await assert.rejects(sandbox.git.resolveBranch(root, "fix/a"), piko("conflict", /"fix\/a\/b"/));
  assert.equal((await sandbox.git.resolveBranch(root, "fix/b")).isLocal, false);
  assert.equal((await sandbox.git.resolveBranch(root, "feature")).isLocal, false);
});

Deno.test("Git.addWorktree() tracks a remote branch, but not the start of a new one", async () => {
  await using sandbox = await Sandbox.create();
  const upstream = await sandbox.repository("upstream");
  await sandbox.run(upstream, "branch", "theirs");
  const root = `${sandbox.folder}/app`;
  await sandbox.run(sandbox.folder, "clone", "-q", upstream, root);
  const { git } = sandbox;
  await git.addWorktree(root, `${sandbox.folder}/t`, {
    kind: "track",
    branch: "theirs",
    remote: "origin",
  });
  const upstreamOf = (branch: string) =>
    sandbox.run(root, "for-each-ref", "--format=%(upstream)", `refs/heads/${branch}`);
  assert.equal((await upstreamOf("theirs")).trim(), "refs/remotes/origin/theirs");
  await git.addWorktree(root, `${sandbox.folder}/n`, {
    kind: "new",
    branch: "mine",
    from: "origin/main",
  });
  assert.equal((await upstreamOf("mine")).trim(), "");
  await sandbox.run(root, "branch", "old");
  await sandbox.run(root, "tag", "old", "HEAD");
  const old = await git.addWorktree(root, `${sandbox.folder}/o`, {
    kind: "existing",
    branch: "old",
  });
  assert.deepEqual(old, { head: await git.head(root), madeBranch: false });
  assert.equal(await git.currentBranch(`${sandbox.folder}/o`), "old");
});

Deno.test("Git.addWorktree() says what it misses, and makes nothing", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const root = await sandbox.repository();
  const path = `${folder}/w`;
  for (const from of ["nope", "-x", "--all", "", "a\nb", "HEAD:README", "main..main"]) {
    await assert.rejects(
      git.addWorktree(root, path, { kind: "new", branch: "b", from }),
      piko("not-found"),
      from,
    );
  }
  await assert.rejects(
    git.addWorktree(root, path, { kind: "track", branch: "b", remote: "origin" }),
    piko("not-found", /origin\/b/),
  );
  await assert.rejects(
    git.addWorktree(root, path, { kind: "existing", branch: "b" }),
    piko("not-found"),
  );
  await assert.rejects(
    git.addWorktree(root, path, { kind: "existing", branch: "main" }),
    piko("conflict", new RegExp(root)),
  );
  await assert.rejects(
    git.addWorktree(root, path, { kind: "new", branch: "main", from: "HEAD" }),
    piko("conflict", /exists already/),
  );
  await Deno.mkdir(`${folder}/there`);
  await assert.rejects(
    git.addWorktree(root, `${folder}/there`, { kind: "new", branch: "b", from: "HEAD" }),
    piko("conflict", /there exists/),
  );
  const empty = `${folder}/empty`;
  await sandbox.run(folder, "init", "-q", empty);
  await assert.rejects(
    git.addWorktree(empty, path, { kind: "new", branch: "b", from: "HEAD" }),
    piko("not-found", /no commit yet/),
  );
  assert.equal(await exists(path), false);
  assert.deepEqual(await sandbox.branches(root), ["main"]);
});

Deno.test("Git.addWorktree() reports a failing hook and takes back what it made", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const root = await sandbox.repository();
  await sandbox.hook(root, "post-checkout", "echo no space for node_modules >&2; exit 3");
  await assert.rejects(
    git.addWorktree(root, `${folder}/w`, { kind: "new", branch: "b", from: "HEAD" }),
    (error: unknown) => {
      piko("failed", /post-checkout hook failed/)(error);
      assert.ok(error instanceof PikoError && error.cause instanceof CommandError);
      assert.match(error.cause.stderr, /no space for node_modules/);
      return true;
    },
  );
  assert.equal(await exists(`${folder}/w`), false);
  assert.deepEqual(await sandbox.branches(root), ["main"]);
  assert.equal((await git.listWorktrees(root)).length, 1);
});

Deno.test("Git.addWorktree() keeps a branch that the hook has committed to when it fails", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const root = await sandbox.repository();
  await sandbox.hook(root, "post-checkout", "git commit -q --allow-empty -m work; exit 1");
  await assert.rejects(
    git.addWorktree(root, `${folder}/w`, { kind: "new", branch: "b", from: "HEAD" }),
    piko("failed"),
  );
  assert.deepEqual(await sandbox.branches(root), ["b", "main"]);
});

Deno.test("Git.addWorktree() that is interrupted leaves nothing", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const root = await sandbox.repository();
  await sandbox.hook(root, "post-checkout", `touch ${folder}/started; exec sleep 60`);
  const abort = new AbortController();
  const added = git.addWorktree(root, `${folder}/w`, { kind: "new", branch: "b", from: "HEAD" }, {
    signal: abort.signal,
  });
  const ended = assert.rejects(added, piko("interrupted"));
  const limit = Date.now() + 10_000;
  while (!await exists(`${folder}/started`)) {
    assert.ok(Date.now() < limit, "the hook has not started");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  abort.abort();
  await ended;
  assert.equal(await exists(`${folder}/w`), false);
  assert.deepEqual(await sandbox.branches(root), ["main"]);
  assert.equal((await git.listWorktrees(root)).length, 1);
});

Deno.test("Git.addWorktree() works sixteen times at once", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const upstream = await sandbox.repository("upstream");
  for (let n = 0; n < 8; n++) await sandbox.run(upstream, "branch", `theirs-${n}`);
  const roots = [`${folder}/one`, `${folder}/two`];
  for (const root of roots) await sandbox.run(folder, "clone", "-q", upstream, root);
  await Promise.all(roots.flatMap((root) =>
    Array.from({ length: 8 }, (_, n) =>
      git.addWorktree(
        root,
        `${root}-worktrees/same-${n % 2}/${n}`,
        // Tracking writes to the one configuration file, under its lock.
        n % 2
          ? { kind: "new", branch: `mine/${n}`, from: "origin/main" }
          : { kind: "track", branch: `theirs-${n}`, remote: "origin" },
      ))
  ));
  for (const root of roots) {
    const worktrees = await git.listWorktrees(root);
    assert.equal(worktrees.length, 9);
    assert.equal(new Set(worktrees.map((worktree) => worktree.branch)).size, 9);
    const tracked = await sandbox.run(root, "config", "--get-regexp", "branch.theirs-.*.merge");
    assert.equal(tracked.trim().split("\n").length, 4);
  }
});

Deno.test("Git.addWorktree() waits for another git's lock, and not for ever", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const upstream = await sandbox.repository("upstream");
  await sandbox.run(upstream, "branch", "theirs");
  const root = `${folder}/app`;
  await sandbox.run(folder, "clone", "-q", upstream, root);
  const lock = `${root}/.git/config.lock`;
  await Deno.writeTextFile(lock, "");
  const plan = { kind: "track", branch: "theirs", remote: "origin" } as const;
  await assert.rejects(
    git.addWorktree(root, `${folder}/w`, plan),
    piko("conflict", /has left its lock: \/.*\/app\/\.git\/config\.lock/),
  );
  assert.deepEqual(await sandbox.branches(root), ["main"]);
  const adding = git.addWorktree(root, `${folder}/w`, plan);
  const limit = Date.now() + 10_000;
  while (!(await sandbox.branches(root)).includes("theirs")) assert.ok(Date.now() < limit);
  await Deno.remove(lock);
  assert.equal((await adding).madeBranch, true);
});

Deno.test("Git.addWorktree() names the lock that a git which was killed has left", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const root = await sandbox.repository();
  const lock = `${root}/.git/refs/heads/left.lock`;
  await Deno.writeTextFile(lock, "");
  const plan = { kind: "new", branch: "left", from: "HEAD" } as const;
  await assert.rejects(git.addWorktree(root, `${folder}/w`, plan), (error) => {
    assert.ok(error instanceof PikoError);
    assert.equal(error.code, "conflict");
    assert.ok(error.message.endsWith(`has left its lock: ${lock}`), error.message);
    assert.equal(error.hint, `rm ${lock}, when no git is at work there`);
    return true;
  });
  await Deno.remove(lock);
  assert.equal((await git.addWorktree(root, `${folder}/w`, plan)).madeBranch, true);
});

async function withWorktree(sandbox: Sandbox): Promise<{ root: string; path: string }> {
  const root = await sandbox.repository();
  const path = `${sandbox.folder}/w`;
  await sandbox.git.addWorktree(root, path, { kind: "new", branch: "b", from: "HEAD" });
  return { root, path };
}

Deno.test("Git.removeWorktree() keeps work unless forced", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await Deno.writeTextFile(`${path}/new`, "x");
  await assert.rejects(git.removeWorktree(root, path), piko("conflict", /untracked: new/));
  assert.equal(await exists(`${path}/new`), true);
  assert.equal(await git.removeWorktree(root, path, { force: true }), true);
  assert.equal(await exists(path), false);
  assert.equal(await git.removeWorktree(root, path), false);
});

Deno.test("Git.removeWorktree() forgets only its own entry when the folder is gone", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  const other = `${folder}/unmounted`;
  await git.addWorktree(root, other, { kind: "new", branch: "other", from: "HEAD" });
  await Deno.remove(path, { recursive: true });
  await Deno.rename(other, `${folder}/aside`);
  assert.equal(await git.removeWorktree(root, path), true);
  assert.deepEqual((await git.listWorktrees(root)).map((worktree) => worktree.path), [root, other]);
  await Deno.rename(`${folder}/aside`, other);
  assert.equal(await git.currentBranch(other), "other");
});

Deno.test("Git.removeWorktree() never removes the main worktree or a folder of someone else", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await assert.rejects(
    git.removeWorktree(root, root, { force: true }),
    piko("usage", /main worktree/),
  );
  await assert.rejects(git.removeWorktree(path, `${root}/`, { force: true }), piko("usage"));
  await Deno.mkdir(`${folder}/mine`);
  await assert.rejects(
    git.removeWorktree(root, `${folder}/mine`, { force: true }),
    piko("conflict"),
  );
  await Deno.symlink(path, `${folder}/link`);
  await assert.rejects(
    git.removeWorktree(root, `${folder}/link`, { force: true }),
    piko("conflict"),
  );
  const stranger = await sandbox.repository("stranger");
  await assert.rejects(git.removeWorktree(root, stranger, { force: true }), piko("conflict"));
  for (const left of [root, path, `${folder}/mine`, stranger]) assert.ok(await exists(left));
});

Deno.test("Git.removeWorktree() does not follow links out of the worktree", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await Deno.mkdir(`${folder}/data`);
  await Deno.writeTextFile(`${folder}/data/precious`, "x");
  await Deno.symlink(`${folder}/data`, `${path}/data`);
  await git.removeWorktree(root, path, { force: true });
  assert.equal(await exists(`${folder}/data/precious`), true);
  // The worktree's own folder made a link: what it points to stays.
  const { path: second } = await (async () => {
    const path = `${folder}/second`;
    await git.addWorktree(root, path, { kind: "new", branch: "c", from: "HEAD" });
    return { path };
  })();
  await Deno.rename(second, `${folder}/moved`);
  await Deno.symlink(`${folder}/moved`, second);
  await assert.rejects(
    git.removeWorktree(root, second, { force: true }),
    piko("conflict", /a link/),
  );
  assert.equal(await exists(`${folder}/moved/README`), true);
});

Deno.test("Git.removeWorktree() respects a lock, but not that of an add that was killed", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await sandbox.run(root, "worktree", "lock", "--reason", "on a USB disk", path);
  await assert.rejects(
    git.removeWorktree(root, path, { force: true }),
    piko("conflict", /locked \(on a USB disk\)/),
  );
  await Deno.rename(path, `${path}-aside`);
  await assert.rejects(git.removeWorktree(root, path), piko("conflict", /locked/));
  await Deno.writeTextFile(`${root}/.git/worktrees/w/locked`, "initializing");
  assert.equal(await git.removeWorktree(root, path), true);
  assert.equal((await git.listWorktrees(root)).length, 1);
});

Deno.test("Git.removeWorktree() refuses a folder that has lost its .git, unless it is empty", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await Deno.remove(`${path}/.git`);
  await assert.rejects(git.removeWorktree(root, path, { force: true }), piko("conflict", /README/));
  await assert.rejects(git.listWork(path), piko("conflict"));
  await Deno.remove(`${path}/README`);
  assert.equal(await git.removeWorktree(root, path), true);
  assert.equal(await exists(path), false);
});

Deno.test("Git.removeWorktree() deletes nothing when a part may not be deleted", async () => {
  await using sandbox = await Sandbox.create();
  const { root, path } = await withWorktree(sandbox);
  await Deno.mkdir(`${path}/data/db`, { recursive: true });
  await Deno.writeTextFile(`${path}/data/db/rows`, "x");
  await Deno.writeTextFile(`${root}/.git/info/exclude`, "/data/\n/empty/\n");
  await Deno.mkdir(`${path}/empty`);
  const isRoot = Deno.uid() === 0;
  const user = isRoot ? 65534 : Deno.uid();
  if (isRoot) {
    await run(["chown", "-R", String(user), sandbox.folder]);
    await run(["chown", "-R", "0:0", `${path}/data/db`, `${path}/empty`]);
  } else {
    await Deno.chmod(`${path}/data/db`, 0o555);
  }
  // A user who is not root removes it: with root's rights nothing could stand in the way.
  const script = `${sandbox.folder}/remove.ts`;
  const source = new URL("../../src", import.meta.url).pathname;
  await run(["cp", "-R", source, `${sandbox.folder}/src`]);
  await copyProgram(Deno.execPath(), `${sandbox.folder}/deno`);
  await Deno.writeTextFile(
    script,
    `import { Git } from "./src/programs/git.ts";
     const git = new Git({ variables: Deno.env.toObject() });
     try { console.log(await git.removeWorktree(...Deno.args)); }
     catch (error) { console.log(error.message, error.details.join()); }`,
  );
  await run(["chmod", "-R", "a+rX", `${sandbox.folder}/src`, script, `${sandbox.folder}/deno`]);
  const remove = async () => {
    const { stdout, stderr } = await new Deno.Command(`${sandbox.folder}/deno`, {
      args: ["run", "-A", "--no-config", "--no-lock", "--quiet", script, root, path],
      cwd: sandbox.folder,
      clearEnv: true,
      env: { ...sandbox.variables, DENO_DIR: `${sandbox.folder}/cache`, DENO_NO_UPDATE_CHECK: "1" },
      ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  assert.equal(
    await remove(),
    `${path} has folders whose files you may not delete ${path}/data/db\n`,
  );
  assert.equal(await exists(`${path}/README`), true);
  if (isRoot) await run(["chown", "-R", String(user), path]);
  else await Deno.chmod(`${path}/data/db`, 0o755);
  assert.equal(await remove(), "true\n");
  assert.equal(await exists(path), false);
});

Deno.test("Git.deleteBranch() deletes merged branches, others only by force", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await assert.rejects(git.deleteBranch(root, "b"), piko("conflict", /checked out at/));
  const before = await git.head(path);
  await sandbox.commit(path, "work", "x");
  await git.removeWorktree(root, path);
  assert.equal(await git.isMerged(root, "b"), false);
  assert.equal(await git.isMerged(root, "b", "b"), true);
  await assert.rejects(git.deleteBranch(root, "b"), piko("conflict", /not merged/));
  assert.equal(await git.deleteBranch(root, "b", { force: true, onlyAt: before }), false);
  assert.deepEqual(await sandbox.branches(root), ["b", "main"]);
  assert.equal(await git.deleteBranch(root, "b", { force: true }), true);
  assert.equal(await git.deleteBranch(root, "b", { force: true }), false);
  assert.equal(await git.deleteBranch(root, "--all", { force: true }), false);
});

Deno.test("Git.isMerged() counts what was pushed to the upstream as merged", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const upstream = await sandbox.repository("upstream");
  const root = `${sandbox.folder}/app`;
  await sandbox.run(sandbox.folder, "clone", "-q", upstream, root);
  await sandbox.run(root, "checkout", "-q", "-b", "b");
  await sandbox.commit(root, "work", "x");
  await sandbox.run(root, "checkout", "-q", "main");
  assert.equal(await git.isMerged(root, "b"), false);
  await sandbox.run(root, "push", "-q", "-u", "origin", "b");
  assert.equal(await git.isMerged(root, "b"), true);
  assert.equal(await git.deleteBranch(root, "b"), true);
});

Deno.test("Git.listWork() lists every kind of change, ignored files aside", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const root = await sandbox.repository();
  await sandbox.commit(root, "old name", "a\nb\nc\nd\n");
  await sandbox.commit(root, "gone", "x");
  await sandbox.commit(root, ".gitignore", "ignored\n");
  const path = `${sandbox.folder}/w`;
  await git.addWorktree(root, path, { kind: "new", branch: "b", from: "HEAD" });
  assert.deepEqual(await git.listWork(path), { files: [], commits: [] });
  await sandbox.run(path, "mv", "old name", "new\n-> name");
  await Deno.remove(`${path}/gone`);
  await Deno.writeTextFile(`${path}/README`, "changed\n");
  await Deno.writeTextFile(`${path}/ignored`, "x");
  await Deno.mkdir(`${path}/deep/er`, { recursive: true });
  await Deno.writeTextFile(`${path}/deep/er/ünï`, "x");
  await Deno.writeTextFile(`${path}/added`, "x");
  await sandbox.run(path, "add", "added");
  await sandbox.run(path, "config", "status.showUntrackedFiles", "no");
  const { files } = await git.listWork(path);
  assert.deepEqual(files.sort((one, other) => one.path < other.path ? -1 : 1), [
    { state: "modified", path: "README" },
    { state: "added", path: "added" },
    { state: "untracked", path: "deep/er/ünï" },
    { state: "deleted", path: "gone" },
    { state: "renamed", path: "new\n-> name" },
  ]);
});

Deno.test("Git.listWork() leaves piko's own links out, while they are links", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { path } = await withWorktree(sandbox);
  await Deno.symlink("/etc/hostname", `${path}/.env`);
  assert.equal((await git.listWork(path)).files.length, 1);
  assert.deepEqual((await git.listWork(path, { except: [".env"] })).files, []);
  await Deno.remove(`${path}/.env`);
  await Deno.writeTextFile(`${path}/.env`, "KEY=mine");
  assert.equal((await git.listWork(path, { except: [".env"] })).files.length, 1);
  await Deno.remove(`${path}/.env`);
  await Deno.remove(`${path}/README`);
  await Deno.symlink("/etc/hostname", `${path}/README`);
  assert.equal((await git.listWork(path, { except: ["README"] })).files.length, 1);
});

Deno.test("Git.pushStash() takes all that is no commit, and names it so that no other one is meant", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  assert.equal(await git.pushStash(path, "nothing"), undefined);
  assert.equal(await sandbox.run(root, "stash", "list"), "");
  // Short ones are mostly of digits, which `git stash apply` takes for a place in the list.
  await sandbox.run(root, "config", "core.abbrev", "4");
  for (let count = 0;; count++) {
    assert.ok(count < 200, "no short name was a number");
    await Deno.writeTextFile(`${path}/README`, `${count}\n`);
    await Deno.writeTextFile(`${path}/new`, `new ${count}\n`);
    const id = await git.pushStash(path, "saved") ?? "";
    assert.deepEqual(await git.listWork(path), { files: [], commits: [] });
    const [whole, short] = (await sandbox.run(root, "log", "-1", "--format=%H %h", "refs/stash"))
      .trim().split(" ");
    if (!/^\d+$/.test(short ?? "")) {
      assert.equal(id, short);
      continue;
    }
    assert.equal(id, whole);
    await sandbox.run(path, "stash", "apply", "--quiet", id);
    assert.equal(await Deno.readTextFile(`${path}/new`), `new ${count}\n`);
    break;
  }
});

Deno.test("Git.pushStash() refuses submodules with work, and touches nothing", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withSubmodule(sandbox);
  await Deno.writeTextFile(`${path}/vendor/lib/README`, "changed\n");
  await Deno.writeTextFile(`${path}/new`, "x");
  await assert.rejects(git.pushStash(path, "saved"), piko("conflict", /modified: vendor\/lib$/));
  assert.equal(await exists(`${path}/new`), true);
  assert.equal(await sandbox.run(root, "stash", "list"), "");
});

Deno.test("Git.isHalfMade() tells a worktree that git was killed over", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  assert.equal(await git.isHalfMade(root, path), false);
  await Deno.remove(`${root}/.git/worktrees/w/index`);
  assert.equal(await git.isHalfMade(root, path), true);
  assert.equal(await git.isHalfMade(root, `${sandbox.folder}/other`), false);
});

Deno.test("Git.addWorktree() leaves a worktree whose hook fails and has made work", async () => {
  await using sandbox = await Sandbox.create();
  const { git, folder } = sandbox;
  const root = await sandbox.repository();
  await sandbox.hook(root, "post-checkout", "echo work > work; exit 3");
  await assert.rejects(
    git.addWorktree(root, `${folder}/w`, { kind: "new", branch: "b", from: "HEAD" }),
    piko("failed", /post-checkout hook failed/),
  );
  assert.equal(await Deno.readTextFile(`${folder}/w/work`), "work\n");
  assert.deepEqual(await sandbox.branches(root), ["b", "main"]);
});

Deno.test("Git.listWork() finds commits of a detached HEAD that nothing else has", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await sandbox.run(path, "checkout", "-q", "--detach");
  assert.deepEqual((await git.listWork(path)).commits, []);
  await sandbox.commit(path, "one", "1");
  const last = await sandbox.commit(path, "two", "2");
  const { commits } = await git.listWork(path);
  assert.equal(commits.length, 2);
  assert.match(commits[0] ?? "", /^[0-9a-f]+ Write two$/);
  await sandbox.run(root, "tag", "keep", last);
  assert.deepEqual((await git.listWork(path)).commits, []);
});

Deno.test("Git.listWork() finds what a rebase has under way", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  await sandbox.commit(path, "mine", "1");
  await sandbox.commit(path, "README", "mine\n");
  await sandbox.commit(root, "README", "theirs\n");
  await Deno.writeTextFile(`${path}/mine`, "not committed");
  await assert.rejects(sandbox.run(path, "rebase", "-q", "--autostash", "main"), CommandError);
  const { files, commits } = await git.listWork(path);
  assert.deepEqual(files, [
    { state: "under way", path: "a rebase" },
    { state: "conflicted", path: "README" },
  ]);
  assert.equal(commits.length, 2);
  assert.match(commits.join("\n"), /Write mine\n.*(?:autostash|WIP|On)/);
});

async function withSubmodule(sandbox: Sandbox): Promise<{ root: string; path: string }> {
  const nested = await sandbox.repository("nested");
  const sub = await sandbox.repository("sub");
  await sandbox.run(sub, "submodule", "--quiet", "add", nested, "in");
  await sandbox.run(sub, "commit", "-q", "-m", "Add in");
  const root = await sandbox.repository();
  await sandbox.run(root, "submodule", "--quiet", "add", sub, "vendor/lib");
  await sandbox.run(root, "commit", "-q", "-m", "Add lib");
  const path = `${sandbox.folder}/w`;
  await sandbox.git.addWorktree(root, path, { kind: "new", branch: "b", from: "HEAD" });
  await sandbox.run(path, "submodule", "--quiet", "update", "--init", "--recursive");
  return { root, path };
}

Deno.test("Git.listWork() finds commits of submodules that are on no remote", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withSubmodule(sandbox);
  const lib = `${path}/vendor/lib`;
  assert.deepEqual(await git.listWork(path), { files: [], commits: [] });
  await sandbox.commit(lib, "work", "x");
  await sandbox.run(path, "commit", "-q", "-a", "-m", "Bump lib");
  const { files, commits } = await git.listWork(path);
  assert.deepEqual(files, []);
  assert.match(commits.join("\n"), /^vendor\/lib: [0-9a-f]+ Write work$/);
  await assert.rejects(git.removeWorktree(root, path), piko("conflict", /Write work/));
  // Not lost when the submodule's folder is: its repository lies with the worktree's.
  await Deno.remove(lib, { recursive: true });
  assert.equal((await git.listWork(path)).commits.length, 1);
  await sandbox.run(path, "checkout", "--", ".");
  await sandbox.run(path, "submodule", "--quiet", "update", "--init", "--recursive");
  await sandbox.run(lib, "push", "-q", "origin", "HEAD:refs/heads/pushed");
  assert.deepEqual((await git.listWork(path)).commits, []);
  assert.equal(await git.removeWorktree(root, path), true);
  assert.equal(await exists(path), false);
});

Deno.test("Git.listWork() finds commits of submodules under a tag, unless the clone has brought it", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { path } = await withSubmodule(sandbox);
  const lib = `${path}/vendor/lib`;
  await sandbox.run(`${sandbox.folder}/sub`, "checkout", "-q", "--detach");
  await sandbox.commit(`${sandbox.folder}/sub`, "work", "theirs");
  await sandbox.run(`${sandbox.folder}/sub`, "tag", "theirs");
  const start = (await sandbox.run(lib, "rev-parse", "HEAD")).trim();
  await sandbox.run(path, "submodule", "--quiet", "deinit", "--force", "--all");
  await Deno.remove(`${sandbox.folder}/app/.git/worktrees/w/modules`, { recursive: true });
  await sandbox.run(path, "submodule", "--quiet", "update", "--init");
  await sandbox.run(lib, "rev-parse", "--verify", "theirs");
  assert.deepEqual(await git.listWork(path), { files: [], commits: [] });

  await sandbox.commit(lib, "work", "mine");
  await sandbox.run(lib, "tag", "mine");
  await sandbox.run(lib, "checkout", "-q", start);
  const { commits } = await git.listWork(path);
  assert.match(commits.join("\n"), /^vendor\/lib: [0-9a-f]+ Write work$/);
  await sandbox.run(lib, "pack-refs", "--all");
  const packed = `${sandbox.folder}/app/.git/worktrees/w/modules/vendor/lib/packed-refs`;
  const later = Date.now() / 1000 + 2;
  await Deno.utime(packed, later, later);
  assert.equal((await git.listWork(path)).commits.length, 2);
});

Deno.test("Git.listWork() looks into nested submodules, their files and stashes", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { path } = await withSubmodule(sandbox);
  const inner = `${path}/vendor/lib/in`;
  await Deno.writeTextFile(`${inner}/README`, "stashed\n");
  await sandbox.run(inner, "stash", "-q");
  const stashed = await git.listWork(path);
  assert.deepEqual(stashed.files, []);
  assert.match(stashed.commits[0] ?? "", /^vendor\/lib\/in: .*WIP on/);
  await sandbox.run(inner, "config", "status.showUntrackedFiles", "no");
  await Deno.writeTextFile(`${inner}/new`, "x");
  assert.deepEqual((await git.listWork(path)).files, [{ state: "modified", path: "vendor/lib" }]);
  // What hides the nested one from the outer hides it from all of git's own looks at the worktree.
  await sandbox.run(`${path}/vendor/lib`, "config", "submodule.in.ignore", "all");
  assert.deepEqual((await git.listWork(path)).files, [
    { state: "modified", path: "vendor/lib/in" },
  ]);
  await Deno.writeTextFile(`${path}/loose`, "x");
  await assert.rejects(
    git.pushStash(path, "saved"),
    piko("conflict", /does not hold modified: vendor\/lib\/in$/),
  );
  await Deno.remove(`${path}/loose`);
  await Deno.remove(`${inner}/new`);

  await sandbox.run(inner, "update-index", "--skip-worktree", "README");
  await Deno.writeTextFile(`${inner}/README`, "mine\n");
  await sandbox.run(`${path}/vendor/lib`, "bisect", "start");
  assert.deepEqual((await git.listWork(path)).files, [
    { state: "under way", path: "a bisect in vendor/lib" },
    { state: "modified (skip-worktree)", path: "vendor/lib/in/README" },
  ]);
});

Deno.test("Git.listWork() finds changed links that git was told not to look for", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { path } = await withWorktree(sandbox);
  for (const link of ["moved", "kept", "file"]) await Deno.symlink("somewhere", `${path}/${link}`);
  await sandbox.run(path, "add", ".");
  await sandbox.run(path, "commit", "-q", "-m", "Add links");
  await sandbox.run(path, "update-index", "--skip-worktree", "moved", "kept", "file", "README");
  assert.deepEqual((await git.listWork(path)).files, []);
  for (const file of ["moved", "README", "file"]) await Deno.remove(`${path}/${file}`);
  await Deno.symlink("elsewhere", `${path}/moved`);
  await Deno.symlink("elsewhere", `${path}/README`);
  await Deno.writeTextFile(`${path}/file`, "mine\n");
  const { files } = await git.listWork(path);
  assert.deepEqual(
    files.map((file) => `${file.state}: ${file.path}`).sort(),
    ["README", "file", "moved"].map((file) => `modified (skip-worktree): ${file}`),
  );
});

Deno.test("Git.listWork() finds commits of a repository that was added as it is", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { path } = await withWorktree(sandbox);
  await sandbox.run(path, "init", "-q", `${path}/inner`);
  await sandbox.commit(`${path}/inner`, "work", "x");
  await sandbox.run(path, "-c", "advice.addEmbeddedRepo=false", "add", "inner");
  await sandbox.run(path, "commit", "-q", "-m", "Add inner");
  assert.deepEqual((await git.listWork(path)).commits.map((line) => line.replace(/ \w+ /, " ")), [
    "inner: Write work",
  ]);
});

Deno.test("Git.listWork() finds repositories with work in ignored folders", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  const library = await sandbox.repository("library");
  await sandbox.run(library, "checkout", "-q", "--detach");
  await sandbox.commit(library, "off", "a branch");
  await sandbox.run(library, "tag", "v1");
  await sandbox.run(library, "checkout", "-q", "main");
  await sandbox.commit(path, ".gitignore", "deps/\n*.d\n");
  const lib = `${path}/deps/a/b/lib`;
  const clone = (to: string, ...more: string[]) =>
    sandbox.run(sandbox.folder, "clone", "-q", ...more, `file://${library}`, to);
  const described = async () => {
    const { files, commits } = await git.listWork(path);
    return [...files.map((file) => `${file.state}: ${file.path}`), ...commits].sort()
      .map((line) => line.replace(/ [0-9a-f]{7,} /, " "));
  };
  // All pushed and clean, by a branch or by a tag; in a link to elsewhere; no repository; and the own worktrees.
  await clone(lib);
  await clone(`${path}/deps/tagged.d`, "--depth", "1", "--branch", "v1");
  await sandbox.repository("elsewhere");
  await Deno.symlink(`${sandbox.folder}/elsewhere`, `${path}/deps/link`);
  await Deno.mkdir(`${path}/deps/.git/objects`, { recursive: true });
  await Deno.writeTextFile(`${path}/deps/.git/HEAD`, "ref: refs/heads/main\n");
  await sandbox.run(path, "worktree", "add", "-q", `${path}/deps/own`, "-b", "own");
  await Deno.writeTextFile(`${path}/deps/own/loose`, "x");
  await sandbox.run(sandbox.folder, "init", "-q", `${path}/deps/empty`);
  assert.deepEqual(await described(), []);

  await Deno.writeTextFile(`${lib}/loose`, "x");
  assert.deepEqual(await described(), ["untracked: deps/a/b/lib/"]);
  await sandbox.run(lib, "stash", "-q", "--include-untracked");
  assert.match((await described()).join("\n"), /^deps\/a\/b\/lib: .*(WIP|On|on) /m);
  await sandbox.run(lib, "stash", "drop", "-q");
  await sandbox.run(lib, "merge", "-q", "-s", "ours", "--no-commit", "v1");
  assert.deepEqual(await described(), ["under way: a merge in deps/a/b/lib"]);
  await sandbox.run(lib, "merge", "--abort");

  // Deeper ones, one of another repository's worktrees, one in a submodule's ignored folder.
  const deep = `${lib}/deps.d/deep`;
  await sandbox.run(sandbox.folder, "init", "-q", deep);
  await Deno.writeTextFile(`${lib}/.git/info/exclude`, "*.d\n");
  await sandbox.commit(deep, "work", "x");
  await sandbox.run(library, "worktree", "add", "-q", "--detach", `${path}/deps/other`);
  assert.deepEqual(await described(), ["deps/a/b/lib/deps.d/deep: Write work"]);
  await sandbox.commit(`${path}/deps/other`, "apart", "x");
  await Deno.writeTextFile(`${path}/deps/other/loose`, "x");
  const all = ["deps/a/b/lib/deps.d/deep: Write work", "deps/other: Write apart"];
  assert.deepEqual(await described(), [...all, "untracked: deps/other/"]);

  await Deno.writeTextFile(`${path}/loose`, "x");
  await assert.rejects(
    git.pushStash(path, "saved"),
    piko("conflict", /does not hold untracked: deps\/other\/$/),
  );
  assert.equal(await sandbox.run(root, "stash", "list"), "");
  await Deno.remove(`${path}/loose`);
  await Deno.remove(`${path}/deps/other`, { recursive: true });
  await Deno.writeTextFile(`${deep}/.git/refs/heads/main`, "0\n");
  assert.deepEqual(await described(), [
    "deps/a/b/lib/deps.d/deep: git cannot read it",
    "untracked: deps/a/b/lib/deps.d/deep/",
  ]);
});

Deno.test("Git.listIgnored() and isIgnored() ask by the paths as they are", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const root = await sandbox.repository();
  await Deno.symlink("/tmp", `${root}/link`);
  await sandbox.commit(root, ".gitignore", ".env*\n.piko/\n");
  const asked = [".env", ".env with\nnewline", "-x", "README", "link/x", ".piko/"];
  assert.deepEqual(
    await git.listIgnored(root, asked),
    new Set([".env", ".env with\nnewline", ".piko/"]),
  );
  assert.equal(await git.isIgnored(root, ".piko/"), true);
  assert.equal(await git.isIgnored(root, "README"), false);
  assert.deepEqual(await git.listIgnored(root, []), new Set());
});

Deno.test("Git.isTrackedIn() looks into a commit, not into the folder", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const root = await sandbox.repository();
  await Deno.mkdir(`${root}/deploy`);
  await sandbox.commit(root, "deploy/compose.yml", "x");
  await sandbox.commit(root, "*", "x");
  await Deno.writeTextFile(`${root}/later`, "x");
  const asked = ["deploy/compose.yml", "./deploy//compose.yml", "deploy", "*", "later", "dep", ""];
  const found = [];
  for (const path of asked) if (await git.isTrackedIn(root, "main", path)) found.push(path);
  assert.deepEqual(found, ["deploy/compose.yml", "./deploy//compose.yml", "deploy", "*"]);
  assert.equal(await git.isTrackedIn(root, "HEAD~2", "deploy/compose.yml"), false);
  assert.equal(await git.isTrackedIn(root, "-x", "README"), false);
});

Deno.test("Git.excludePaths() adds a line once, eight at a time", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const { root, path } = await withWorktree(sandbox);
  const file = `${root}/.git/info/exclude`;
  await Deno.writeTextFile(file, "# mine\nkept");
  await Promise.all(
    Array.from({ length: 8 }, (_, n) => git.excludePaths(path, [`/override-${n % 2}`])),
  );
  const text = await Deno.readTextFile(file);
  assert.deepEqual(text.split("\n").sort(), ["", "# mine", "/override-0", "/override-1", "kept"]);
  await Deno.remove(`${root}/.git/info`, { recursive: true });
  const odd = "a [b]*? \\c ";
  await git.excludePaths(root, [patternFor(odd)]);
  await Deno.writeTextFile(`${path}/${odd}`, "x");
  assert.deepEqual((await git.listWork(path)).files, []);
});

Deno.test("Git.addToGitignore() keeps the file's line ends", async () => {
  await using sandbox = await Sandbox.create();
  const { git } = sandbox;
  const root = await sandbox.repository();
  const file = `${root}/.gitignore`;
  for (
    const [before, after] of [
      [undefined, ".piko/\n"],
      ["a", "a\n.piko/\n"],
      ["a\r\nb", "a\r\nb\r\n.piko/\r\n"],
      [".piko/", ".piko/"],
      ["a\r\n.piko/\r\n", "a\r\n.piko/\r\n"],
    ] as const
  ) {
    if (before !== undefined) await Deno.writeTextFile(file, before);
    assert.equal(await git.addToGitignore(root, ".piko/"), before !== after);
    assert.equal(await Deno.readTextFile(file), after);
    assert.equal(await git.isIgnored(root, ".piko/"), true);
  }
});

Deno.test("Git.addToGitignore() does not write through a link", async () => {
  await using sandbox = await Sandbox.create();
  const root = await sandbox.repository();
  await Deno.writeTextFile(`${sandbox.folder}/elsewhere`, "a\n");
  await Deno.symlink(`${sandbox.folder}/elsewhere`, `${root}/.gitignore`);
  await assert.rejects(sandbox.git.addToGitignore(root, ".piko/"), piko("failed", /a link/));
  assert.equal(await Deno.readTextFile(`${sandbox.folder}/elsewhere`), "a\n");
});

Deno.test("parseStatus() takes the new name of a rename and skips the old one", () => {
  assert.deepEqual(parseStatus("R  new\0old\0 M M  x\0C  b\0a\0AM n\0UU c\0AA d\0DD e\0?? u\0"), [
    { state: "renamed", path: "new" },
    { state: "modified", path: "M  x" },
    { state: "renamed", path: "b" },
    { state: "added", path: "n" },
    { state: "conflicted", path: "c" },
    { state: "conflicted", path: "d" },
    { state: "conflicted", path: "e" },
    { state: "untracked", path: "u" },
  ]);
  assert.deepEqual(parseStatus(""), []);
});

Deno.test("parseWorktrees() reads bare, detached and locked ones", () => {
  const text = "worktree /b\nbare\n\nworktree /c d\nHEAD 1\ndetached\nlocked\n\n" +
    "worktree /e\nHEAD 1\nbranch refs/heads/x/y\nlocked why not\nprunable gone\n\n";
  assert.deepEqual(parseWorktrees(text), [
    { path: "/b", branch: undefined, head: undefined, locked: undefined },
    { path: "/c d", branch: undefined, head: "1", locked: "" },
    { path: "/e", branch: "x/y", head: "1", locked: "why not" },
  ]);
});
