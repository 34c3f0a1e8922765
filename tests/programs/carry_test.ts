import assert from "node:assert/strict";
import { CommandError, PikoError } from "../../src/domain/errors.ts";
import { copyFromRoot, linkFromRoot, removeCarried } from "../../src/programs/carry.ts";
import { run } from "../../src/programs/run.ts";

/** A folder with a root and a worktree in it, and a place outside of both. */
class Folders implements AsyncDisposable {
  readonly base: string;
  readonly root: string;
  readonly worktree: string;
  readonly outside: string;

  private constructor(base: string) {
    this.base = base;
    this.root = `${base}/root`;
    this.worktree = `${base}/root/.piko/worktrees/x`;
    this.outside = `${base}/outside`;
  }

  static async create(): Promise<Folders> {
    const base = await Deno.realPath(await Deno.makeTempDir({ prefix: "pikotest-carry-" }));
    const folders = new Folders(base);
    await Deno.mkdir(folders.worktree, { recursive: true });
    await Deno.mkdir(folders.outside);
    return folders;
  }

  async write(path: string, text: string): Promise<void> {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }

  async names(folder: string): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.base, { recursive: true });
  }
}

const BOTH = [["linkFromRoot", linkFromRoot], ["copyFromRoot", copyFromRoot]] as const;

Deno.test("linkFromRoot() links files and folders, and makes the folders on the way", async () => {
  await using folders = await Folders.create();
  const { root, worktree } = folders;
  await folders.write(`${root}/.env`, "KEY=1");
  await folders.write(`${root}/a/b/data/file`, "x");
  assert.deepEqual(await linkFromRoot(root, worktree, ".env"), { made: true });
  assert.deepEqual(await linkFromRoot(root, worktree, "./a/b//data/"), { made: true });
  assert.equal(await Deno.readLink(`${worktree}/.env`), `${root}/.env`);
  assert.equal(await Deno.readLink(`${worktree}/a/b/data`), `${root}/a/b/data`);
  assert.equal(await Deno.readTextFile(`${worktree}/a/b/data/file`), "x");
});

Deno.test("copyFromRoot() copies files and folders as they are", async () => {
  await using folders = await Folders.create();
  const { root, worktree } = folders;
  await folders.write(`${root}/a/.env`, "KEY=1");
  await Deno.chmod(`${root}/a/.env`, 0o600);
  await folders.write(`${root}/modules/.bin/tool`, "#!/bin/sh");
  await Deno.chmod(`${root}/modules/.bin/tool`, 0o755);
  await Deno.symlink("../.bin/tool", `${root}/modules/.bin/link`);
  await Deno.symlink(folders.outside, `${root}/modules/far`);
  await Deno.symlink("/nowhere", `${root}/modules/broken`);
  assert.deepEqual(await copyFromRoot(root, worktree, "a/.env"), { made: true });
  assert.deepEqual(await copyFromRoot(root, worktree, "modules/"), { made: true });
  assert.equal((await Deno.stat(`${worktree}/a/.env`)).mode! & 0o777, 0o600);
  assert.equal((await Deno.stat(`${worktree}/modules/.bin/tool`)).mode! & 0o777, 0o755);
  assert.equal(await Deno.readLink(`${worktree}/modules/.bin/link`), "../.bin/tool");
  assert.equal(await Deno.readLink(`${worktree}/modules/far`), folders.outside);
  assert.equal(await Deno.readLink(`${worktree}/modules/broken`), "/nowhere");
  await Deno.writeTextFile(`${worktree}/a/.env`, "KEY=2");
  assert.equal(await Deno.readTextFile(`${root}/a/.env`), "KEY=1");
  assert.deepEqual(await folders.names(worktree), ["a", "modules"]);
});

Deno.test("copyFromRoot() copies what a link of that name points to", async () => {
  await using folders = await Folders.create();
  const { root, worktree } = folders;
  await folders.write(`${root}/../shared/env`, "KEY=1");
  await Deno.symlink("../shared/env", `${root}/.env`);
  assert.deepEqual(await copyFromRoot(root, worktree, ".env"), { made: true });
  assert.equal((await Deno.lstat(`${worktree}/.env`)).isFile, true);
  assert.equal(await Deno.readTextFile(`${worktree}/.env`), "KEY=1");
});

for (const [name, carry] of BOTH) {
  Deno.test(`${name}() takes odd names as they are`, async () => {
    await using folders = await Folders.create();
    const { root, worktree } = folders;
    for (
      const path of ["-rf", "$(id)", "a b\nc", "`x`;&|\"'", "*", "ünï/--help", "a".repeat(255)]
    ) {
      await folders.write(`${root}/${path}`, path);
      assert.deepEqual(await carry(root, worktree, path), { made: true }, path);
      assert.equal(await Deno.readTextFile(`${worktree}/${path}`), path);
    }
  });

  Deno.test(`${name}() overwrites nothing`, async () => {
    await using folders = await Folders.create();
    const { root, worktree, outside } = folders;
    for (const path of ["file", "folder", "link", "broken"]) {
      await folders.write(`${root}/${path}`, "root");
    }
    await folders.write(`${worktree}/file`, "mine");
    await Deno.mkdir(`${worktree}/folder`);
    await Deno.symlink(outside, `${worktree}/link`);
    await Deno.symlink(`${outside}/nothing`, `${worktree}/broken`);
    for (const path of ["file", "folder", "link", "broken"]) {
      assert.deepEqual(await carry(root, worktree, path), { made: false, reason: "it exists" });
    }
    assert.equal(await Deno.readTextFile(`${worktree}/file`), "mine");
    assert.deepEqual(await folders.names(`${worktree}/folder`), []);
    assert.deepEqual(await folders.names(outside), []);
  });

  Deno.test(`${name}() makes nothing behind a link that leads out`, async () => {
    await using folders = await Folders.create();
    const { root, worktree, outside } = folders;
    await folders.write(`${root}/conf/a/.env`, "x");
    await Deno.symlink(outside, `${worktree}/conf`);
    const { made, reason } = await carry(root, worktree, "conf/a/.env");
    assert.equal(made, false);
    assert.match(reason ?? "", /leads out of the worktree/);
    assert.deepEqual(await folders.names(outside), []);
    await Deno.remove(`${worktree}/conf`);
    await Deno.symlink("../nowhere", `${worktree}/conf`);
    assert.equal((await carry(root, worktree, "conf/a/.env")).made, false);
    // One that stays inside is the branch's own business.
    await Deno.remove(`${worktree}/conf`);
    await Deno.mkdir(`${worktree}/real`);
    await Deno.symlink("real", `${worktree}/conf`);
    assert.deepEqual(await carry(root, worktree, "conf/a/.env"), { made: true });
    assert.equal(await Deno.readTextFile(`${worktree}/real/a/.env`), "x");
  });

  Deno.test(`${name}() tells what is not there, and what is in the way`, async () => {
    await using folders = await Folders.create();
    const { root, worktree } = folders;
    await Deno.symlink("/nowhere", `${root}/broken`);
    await Deno.symlink("loop", `${root}/loop`);
    await folders.write(`${root}/file`, "x");
    for (const path of ["missing", "a/b", "broken", "loop", "file/inside"]) {
      assert.deepEqual(await carry(root, worktree, path), {
        made: false,
        reason: `it is not in ${root}`,
      });
    }
    await folders.write(`${root}/dir/file`, "x");
    await folders.write(`${worktree}/dir`, "a file");
    assert.match((await carry(root, worktree, "dir/file")).reason ?? "", /dir is not a folder$/);
    assert.deepEqual(await folders.names(worktree), ["dir"]);
  });

  Deno.test(`${name}() refuses paths that leave the root`, async () => {
    await using folders = await Folders.create();
    const { root, worktree } = folders;
    for (
      const path of ["../outside", "/etc/hostname", "a/../../outside", "", ".", ".git", ".piko"]
    ) {
      await assert.rejects(
        carry(root, worktree, path),
        (error) => error instanceof PikoError && error.code === "usage",
        path,
      );
    }
    assert.deepEqual(await folders.names(worktree), []);
  });
}

Deno.test("copyFromRoot() that is interrupted half-way leaves nothing", async () => {
  await using folders = await Folders.create();
  const { root, worktree } = folders;
  const names = Array.from({ length: 15_000 }, (_, n) => `${n}`).join("\n");
  await Deno.mkdir(`${root}/many`);
  await run(["xargs", "touch"], { cwd: `${root}/many`, input: names });
  const abort = new AbortController();
  const refused = assert.rejects(
    copyFromRoot(root, worktree, "many", abort.signal),
    (error) => error instanceof PikoError && error.code === "interrupted",
  );
  const limit = Date.now() + 10_000;
  let beside: string | undefined;
  while (beside === undefined) {
    assert.ok(Date.now() < limit, "the copy has not started");
    await new Promise((resolve) => setTimeout(resolve, 1));
    [beside] = await folders.names(worktree);
  }
  assert.match(beside, /^\.piko-copy-/);
  abort.abort();
  await refused;
  assert.deepEqual(await folders.names(worktree), []);
});

Deno.test("copyFromRoot() that fails half-way leaves nothing", async () => {
  await using folders = await Folders.create();
  const { root, worktree } = folders;
  await folders.write(`${root}/data/first`, "x");
  // As long as a path may be, and so too long below the worktree.
  const longest = Deno.build.os === "darwin" ? 1000 : 4070;
  let deep = `${root}/data`;
  while (deep.length < longest) deep += `/${"d".repeat(Math.min(200, longest - deep.length))}`;
  await Deno.mkdir(deep, { recursive: true });
  await assert.rejects(copyFromRoot(root, worktree, "data"), (error) => {
    assert.ok(error instanceof PikoError && error.cause instanceof CommandError);
    assert.equal(error.message, 'Cannot copy "data"');
    assert.match(error.cause.stderr, /too long/);
    return true;
  });
  assert.deepEqual(await folders.names(worktree), []);
});

Deno.test("removeCarried() removes only the link that was made", async () => {
  await using folders = await Folders.create();
  const { root, worktree, outside } = folders;
  await folders.write(`${root}/data/file`, "x");
  const link = { path: "data", target: `${root}/data` };
  await linkFromRoot(root, worktree, "data");
  assert.equal(await removeCarried(worktree, { ...link, target: outside }), false);
  assert.equal(await removeCarried(worktree, link), true);
  assert.equal(await removeCarried(worktree, link), false);
  assert.equal(await Deno.readTextFile(`${root}/data/file`), "x");

  await folders.write(`${worktree}/data`, "mine");
  assert.equal(await removeCarried(worktree, link), false);
  assert.equal(await Deno.readTextFile(`${worktree}/data`), "mine");

  // The same link, but behind one that leads out of the worktree.
  await Deno.symlink(`${root}/data`, `${outside}/data`);
  await Deno.symlink(outside, `${worktree}/away`);
  assert.equal(await removeCarried(worktree, { ...link, path: "away/data" }), false);
  assert.equal(await removeCarried(worktree, { ...link, path: "../../../../outside/data" }), false);
  assert.equal((await Deno.lstat(`${outside}/data`)).isSymlink, true);
  assert.equal(await removeCarried(`${worktree}/gone`, link), false);
});
