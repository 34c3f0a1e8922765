/**
 * `piko destroy` by itself finishes what a killed create has left: also when it is broken off in its turn, with work in the
 * worktree, and with git in the middle of its checkout.
 */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Holding } from "./broken_off.ts";
import { refuteAccident, stateOf } from "./refusal.ts";

Deno.test({
  name: "piko destroy finishes a create that was killed, which nothing else goes on with",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using holding = await Holding.create();
    const { sandbox } = holding;
    await holding.hold(undefined);
    const before = await stateOf(sandbox);
    for (const step of ["worktree", "containers", "setup"]) {
      await t.step(step, async () => {
        await using piko = await holding.createUntil(step);
        piko.kill("SIGKILL");
        assert.equal(await piko.ended(), 137);
        await holding.endHeld();
        assert.equal(await holding.status(), "failed");
        const refused = await sandbox.fail("create one", 4);
        assert.match(refused, /"one" exists already, and was not made completely/);
        assert.match(refused, /piko destroy \S+\/one/);
        await sandbox.fail("up one", 4);

        await holding.hold(undefined);
        const { exitCode, stderr } = await sandbox.piko(["destroy", "one", "--volumes"]);
        assert.equal(exitCode, 0, stderr);
        refuteAccident(stderr);
        assert.deepEqual(await stateOf(sandbox), before);
      });
    }
  },
});

Deno.test({
  name: "piko destroy finishes a killed create although it is broken off itself",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    await using holding = await Holding.create();
    const { sandbox } = holding;
    await holding.hold(undefined);
    const before = await stateOf(sandbox);
    await using piko = await holding.createUntil("setup", { grace: "3s" });
    piko.kill("SIGKILL");
    await piko.ended();
    await holding.endHeld();
    await holding.hold(undefined);
    const variables = { DOCKER_HOST: `unix://${sandbox.folder}/none.sock` };
    await using destroy = await holding.destroyUntil("containers");
    destroy.kill("SIGKILL");
    await destroy.ended();
    assert.equal(await holding.status(), "failed");
    await sandbox.fail("destroy one --volumes", 5, { variables });
    assert.equal(await holding.status(), "failed");
    await sandbox.pass("destroy one --volumes");
    // The branch was made by that create, and has no commit of its own.
    assert.deepEqual(await stateOf(sandbox), before);
  },
});

Deno.test({
  name: "piko destroy keeps what the user did in an environment whose create was killed",
  ...needs("git"),
  async fn(t) {
    await using holding = await Holding.create();
    const { sandbox } = holding;
    await sandbox.git("rm", "--quiet", "compose.yaml");
    await sandbox.git("commit", "--quiet", "--message", "Simple mode");
    const killed = async () => {
      await using piko = await holding.createUntil("setup");
      piko.kill("SIGKILL");
      await piko.ended();
      await holding.endHeld();
      await holding.hold(undefined);
    };
    const worktree = sandbox.worktree("one");

    await t.step("files", async () => {
      await killed();
      await Deno.writeTextFile(`${worktree}/work.txt`, "precious\n");
      const said = await sandbox.fail("destroy one", 4);
      assert.match(said, /untracked: work\.txt/);
      assert.equal(await Deno.readTextFile(`${worktree}/work.txt`), "precious\n");
      await Deno.remove(`${worktree}/work.txt`);
      await sandbox.pass("destroy one");
      assert.equal(await sandbox.git("branch", "--list", "one"), "");
    });
    await t.step("commits", async () => {
      await killed();
      await sandbox.run(["git", "commit", "--quiet", "--allow-empty", "-m", "Work"], worktree);
      const commit = await sandbox.git("rev-parse", "one");
      const { exitCode, stderr } = await sandbox.piko(["destroy", "one"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^✓ Branch +kept one, which has new commits$/m);
      assert.match(stderr, /^ {2}Branch one stays$/m);
      assert.equal(await sandbox.git("rev-parse", "one"), commit);
    });
    await t.step("a branch that is in use elsewhere by now", async () => {
      await sandbox.git("branch", "--quiet", "-D", "one");
      await killed();
      await sandbox.git("worktree", "remove", "--force", worktree);
      const elsewhere = `${sandbox.folder}/elsewhere`;
      await sandbox.git("worktree", "add", "--quiet", elsewhere, "one");
      const { exitCode, stderr } = await sandbox.piko(["destroy", "one"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^✓ Branch +kept one, which is checked out$/m);
      assert.equal(await sandbox.run(["git", "branch", "--show-current"], elsewhere), "one");
      await sandbox.git("worktree", "remove", elsewhere);
    });
    await t.step("a branch that was there before", async () => {
      const commit = await sandbox.git("rev-parse", "one");
      await killed();
      await sandbox.pass("destroy one");
      assert.equal(await sandbox.git("rev-parse", "one"), commit);
    });
  },
});

Deno.test({
  name: "piko destroy finishes a create that was killed with git in the middle of the checkout",
  ...needs("git"),
  async fn() {
    await using holding = await Holding.create({
      ".gitattributes": "slow.txt filter=slow\n",
      "a.txt": "a\n",
      "slow.txt": "slow\n",
      "z.txt": "z\n",
    });
    const { sandbox } = holding;
    await sandbox.git("rm", "--quiet", "compose.yaml");
    await sandbox.git("commit", "--quiet", "--message", "Simple mode");
    const home = `${sandbox.folder}/home`;
    await sandbox.git("config", "filter.slow.smudge", `sh '${home}/hold' checkout; cat`);
    await holding.hold(undefined);
    const before = await stateOf(sandbox);
    await using piko = await holding.createUntil("checkout");
    const git = (await sandbox.run(["pgrep", "-f", `git -C ${sandbox.root} worktree add`])).split(
      "\n",
    );
    piko.kill("SIGKILL");
    await piko.ended();
    for (const pid of git) Deno.kill(Number(pid), "SIGKILL");
    await holding.endHeld();
    await holding.hold(undefined);
    assert.equal(await holding.status(), "failed");
    await sandbox.pass("destroy one");
    assert.deepEqual(await stateOf(sandbox), before);
    await sandbox.pass("create one");
    assert.equal(await Deno.readTextFile(`${sandbox.worktree("one")}/slow.txt`), "slow\n");
    await sandbox.pass("destroy one --delete-branch");
  },
});

Deno.test({
  name: "piko destroy takes along the half of an override file that a kill has left",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one");
    const worktree = sandbox.worktree("one");
    await sandbox.write(`${worktree}/docker-compose.piko.yml.${crypto.randomUUID()}.tmp`, "# Ma");
    await sandbox.write(`${worktree}/docker-compose.piko.yml.notes`, "precious\n");
    const said = await sandbox.fail("destroy one", 4);
    assert.match(said, /untracked: docker-compose\.piko\.yml\.notes\n {2}→/);
    await Deno.remove(`${worktree}/docker-compose.piko.yml.notes`);
    await sandbox.pass("destroy one");
  },
});
