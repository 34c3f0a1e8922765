/** `piko run`: the script, its arguments, its terminal, its signals and its end. */

import assert from "node:assert/strict";
import { tryRun } from "../../src/programs/run.ts";
import { Background } from "../background.ts";
import { variables } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";

/** A tree of three levels with a process in the background, whose pids are in `pids`. */
const TREE = {
  "tree.sh": `echo $$ > pids
sh middle.sh
echo "the top has ended"
`,
  "middle.sh": `echo $$ >> pids
sleep 1000 &
echo $! >> pids
sh leaf.sh
true
`,
  "leaf.sh": `echo $$ >> pids
sleep 1000 &
echo $! >> pids
echo "the tree stands"
wait
true
`,
};

function config(script: string): Record<string, string> {
  return { ".piko.yml": `scripts:\n  run: |\n${script.replace(/^/gm, "    ")}\n` };
}

/** Reads the pids of the tree once all five are there. */
async function tree(sandbox: Sandbox): Promise<number[]> {
  let pids: number[] = [];
  await until("the tree", async () => {
    const text = await Deno.readTextFile(`${sandbox.worktree("one")}/pids`).catch(() => "");
    pids = text.trim().split("\n").map(Number);
    return pids.length === 5;
  });
  return pids;
}

/** Finds those that have not ended; one that its parent has not yet asked about has. */
async function livesOf(pids: readonly number[]): Promise<number[]> {
  const { stdout } = await tryRun(["ps", "-A", "-o", "pid=", "-o", "stat="], { variables });
  const living = stdout.split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, state]) => state !== undefined && !state.startsWith("Z"))
    .map(([pid]) => Number(pid));
  return pids.filter((pid) => living.includes(pid));
}

async function refuteLeft(pids: readonly number[]): Promise<void> {
  const left = await livesOf(pids);
  for (const pid of left) Deno.kill(pid, "SIGKILL");
  assert.deepEqual(left, [], "processes of the script are left");
}

Deno.test({
  name: "piko run in simple mode",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: {
        ...config(
          `printf '%s|' "$PWD" "$PIKO_ENV_NAME" "$PIKO_BRANCH" "$@"\necho\nexit "\${1:-7}"`,
        ),
        "keep/README.md": "",
      },
      init: true,
    });
    await sandbox.pass("create feature/One --no-attach");
    const path = sandbox.worktree("feature-one");

    await t.step(
      "runs the script in the worktree with the variables and its exit code",
      async () => {
        const { exitCode, stdout, stderr } = await sandbox.piko(["run", "feature-one"]);
        assert.equal(stdout, `${path}|feature-one|feature/One|\n`);
        assert.equal(stderr, "");
        assert.equal(exitCode, 7);
      },
    );

    await t.step("hands on what stands behind --, whatever it looks like", async () => {
      const args = ["0", "--json", "a b", "$(id)`id`;'\"", "--", "-C", "/nowhere", ""];
      const { exitCode, stdout } = await sandbox.piko(["run", "feature-one", "--", ...args]);
      assert.equal(exitCode, 0);
      assert.equal(stdout, `${path}|feature-one|feature/One|${args.join("|")}|\n`);
    });

    await t.step("needs no name inside the worktree", async () => {
      const { exitCode, stdout } = await sandbox.piko(["run", "--", "3", "--yes"], {
        cwd: `${path}/keep`,
      });
      assert.equal(exitCode, 3);
      assert.equal(stdout, `${path}|feature-one|feature/One|3|--yes|\n`);
    });

    await t.step("lets the script read piko's standard input", async () => {
      await sandbox.write(".piko.yml", "scripts: { run: cat }\n");
      const { exitCode, stdout } = await sandbox.piko(["run", "feature-one"], {
        input: "spoken\n",
      });
      assert.equal(exitCode, 0);
      assert.equal(stdout, "spoken\n");
    });

    await t.step("puts the arguments behind a script of one line, as npm does", async () => {
      await sandbox.write(".piko.yml", "scripts: { run: printf '<%s>' before }\n");
      const { stdout } = await sandbox.piko(["run", "feature-one", "--", "a b", "$HOME"]);
      assert.equal(stdout, "<before><a b><$HOME>");
    });

    await t.step("refuses arguments that would be lost in a longer script", async () => {
      await sandbox.write(".piko.yml", "scripts:\n  run: |\n    echo one\n    echo two\n");
      const stderr = await sandbox.fail("run feature-one -- --watch", 2);
      assert.match(stderr, /do not reach scripts\.run/);
      assert.match(stderr, /→ put "\$@" into scripts\.run/);
      assert.equal(await sandbox.pass("run feature-one"), "one\ntwo\n");
    });

    await t.step("says where arguments belong that stand before --", async () => {
      const stderr = await sandbox.fail("run feature-one test fast", 2);
      assert.match(stderr, /stand behind --/);
      assert.match(stderr, /→ piko run \S+\/feature-one -- test fast/);
      const odd = await sandbox.fail(["run", "feature-one", "a b", "$(id)"], 2);
      assert.match(odd, /→ piko run \S+\/feature-one -- 'a b' '\$\(id\)'$/m);
    });

    await t.step("passes on the code of a script that a signal has ended", async () => {
      await sandbox.write(".piko.yml", "scripts: { run: 'kill -TERM $$; sleep 9' }\n");
      assert.equal((await sandbox.piko(["run", "feature-one"])).exitCode, 128 + 15);
    });

    await t.step("says what to do when there is no script", async () => {
      await sandbox.write(".piko.yml", "scripts: { setup: 'true' }\n");
      await Deno.remove(`${path}/.piko.yml`);
      const { exitCode, stdout, stderr } = await sandbox.piko(["run", "feature-one", "--json"]);
      assert.equal(exitCode, 3);
      const { error } = JSON.parse(stdout);
      assert.equal(error.code, "not-found");
      assert.match(error.message, /no scripts\.run in .*\/\.piko\.yml$/);
      assert.match(error.hint, /scripts: \{ run: npm run dev \}/);
      assert.match(stderr, /→ /);
    });

    await t.step(
      "runs the script of the project's root, and says so once when the branch has another",
      async () => {
        await sandbox.write(".piko.yml", "scripts: { run: echo root }\n");
        await sandbox.write(`${path}/.piko.yml`, "scripts: { run: echo branch }\n");
        const { stdout, stderr } = await sandbox.piko(["run", "feature-one"]);
        assert.equal(stdout, "root\n");
        assert.match(
          stderr,
          new RegExp(
            `! ${path}/\\.piko\\.yml differs from ${sandbox.root}/\\.piko\\.yml, which counts`,
          ),
        );
        assert.equal((await sandbox.piko(["run", "feature-one"])).stderr, "");
        await Deno.remove(`${sandbox.root}/.piko.yml`);
        assert.match(await sandbox.fail("run feature-one", 3), /only the branch's own .* has one/);
        // One that cannot be read has none, and is not what is wrong.
        await sandbox.write(`${path}/.piko.yml`, "scripts: [\n");
        const missing = await sandbox.fail("run feature-one", 3);
        assert.match(missing, /There is no scripts\.run in [^]*→ say there what to run/);
        assert.doesNotMatch(missing, /branch's own|cannot be read/);
      },
    );

    await t.step(
      "refuses an environment that does not exist, and one without a worktree",
      async () => {
        assert.match(await sandbox.fail("run feature-on", 3), /did you mean feature-one\?/);
        assert.match(await sandbox.fail("run", 2), /Which environment\?/);
        assert.match(
          await sandbox.fail(["run", "--", "feature-one", "--watch", "a b"], 2),
          /^✗ Which environment\? It stands before --[^]*→ piko run \S+\/feature-one -- --watch 'a b'$/m,
        );
        assert.match(await sandbox.fail("run -- feature-one", 2), /→ piko run \S+\/feature-one$/m);
        assert.match(await sandbox.fail("run -- other", 2), /None was named/);
        await sandbox.write(".piko.yml", "scripts: { run: echo root }\n");
        await Deno.rename(path, `${path}.away`);
        assert.match(await sandbox.fail("run feature-one", 4), /worktree of "feature-one" is gone/);
        await Deno.rename(`${path}.away`, path);
      },
    );
  },
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  const number = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal];
  Deno.test({
    name:
      `piko run without a terminal hands ${signal} to a tree of three levels, and none of it is left`,
    ...needs("git"),
    async fn() {
      await using sandbox = await Sandbox.create({
        files: { ...TREE, ...config("sh tree.sh\ntrue") },
        init: true,
      });
      await sandbox.pass("create one --no-attach");
      await using piko = Background.piko(sandbox, ["run", "one"]);
      const pids = await tree(sandbox);
      assert.equal((await livesOf(pids)).length, 5);
      piko.kill(signal);
      assert.equal(await piko.ended(), 128 + number);
      await refuteLeft(pids);
      assert.ok(!piko.stdout.includes("the top has ended"), piko.stdout.join("\n"));
    },
  });
}

Deno.test({
  name: "piko run ends what ignores the signal it was sent",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: config(
        `(trap '' INT TERM; echo $$ > pids; while :; do sleep 0.1; done) &\nsh -c 'echo $$ $PPID "$0" > mine; sleep 1000' $!\ntrue`,
      ),
      init: true,
    });
    await sandbox.pass("create one --no-attach");
    await using piko = Background.piko(sandbox, ["run", "one"]);
    let pids: number[] = [];
    await until("the script", async () => {
      const text = await Deno.readTextFile(`${sandbox.worktree("one")}/mine`).catch(() => "");
      pids = text.trim().split(" ").map(Number);
      return pids.length === 3 && await sandbox.exists(`${sandbox.worktree("one")}/pids`);
    });
    piko.kill("SIGINT");
    assert.equal(await piko.ended(), 130);
    await refuteLeft(pids);
  },
});

Deno.test({
  name: "piko run lets other commands work on the environment meanwhile",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({
      files: config("echo begun\nsleep 1000"),
      init: true,
    });
    await sandbox.pass("create one --no-attach");
    await using piko = Background.piko(sandbox, ["run", "one"]);
    await until("the script", () => piko.stdout.includes("begun"));
    const { exitCode, stderr } = await sandbox.piko(["--no-block", "down", "one"]);
    assert.equal(exitCode, 0, stderr);
    piko.kill("SIGTERM");
    assert.equal(await piko.ended(), 143);
  },
});

Deno.test({
  name: "piko run at a terminal",
  ...needs("git", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { ...TREE, ...config("sh tree.sh\ntrue") },
      init: true,
    });
    await sandbox.pass("create one --no-attach");
    await using terminal = await Terminal.open(sandbox);
    const pidsFile = `${sandbox.worktree("one")}/pids`;

    await t.step("Ctrl+C reaches a tree of three levels, and none of it is left", async () => {
      await terminal.begin("piko run one");
      await terminal.shows("the tree stands");
      const pids = await tree(sandbox);
      await terminal.press("C-c");
      const screen = await terminal.ends(130);
      assert.doesNotMatch(screen, /the top has ended|Stopping/);
      await refuteLeft(pids);
    });

    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
      await t.step(`${signal} to piko alone reaches all of it as well`, async () => {
        await Deno.remove(pidsFile);
        await terminal.isReady();
        await terminal.begin("sh -c 'piko run one & echo $! > piko.pid; wait $!'");
        const pids = await tree(sandbox);
        const piko = Number(await Deno.readTextFile(`${sandbox.root}/piko.pid`));
        Deno.kill(piko, signal);
        await terminal.ends(code);
        await refuteLeft(pids);
      });
    }

    await t.step("a script gets Ctrl+C once", async () => {
      await sandbox.write(
        ".piko.yml",
        `scripts:\n  run: |\n    n=0; trap 'n=$((n + 1)); echo "times: $n"' INT\n    echo begun\n    while [ ! -e stop ]; do sleep 0.1; done\n    echo "at last: $n"\n`,
      );
      await terminal.begin("piko run one");
      await terminal.shows("begun");
      await terminal.press("C-c");
      await terminal.shows("times: 1");
      await new Promise((resolve) => setTimeout(resolve, 600));
      await terminal.press("C-c");
      await terminal.shows("times: 2");
      await new Promise((resolve) => setTimeout(resolve, 600));
      await sandbox.write(`${sandbox.worktree("one")}/stop`, "");
      assert.match(await terminal.ends(0), /^at last: 2$/m);
    });

    await t.step("a script can read the terminal, and be stopped and continued", async () => {
      await terminal.isReady();
      await sandbox.write(
        ".piko.yml",
        'scripts:\n  run: |\n    printf \'name? \'; read -r name < /dev/tty\n    echo "hello $name"; read -r other; echo "and $other"\n',
      );
      await terminal.begin("piko run one");
      await terminal.shows("name?");
      await terminal.press("C-z");
      await terminal.shows(/Stopped/);
      await terminal.isReady();
      await terminal.type("fg");
      await terminal.type("Ada");
      await terminal.shows("hello Ada");
      await terminal.type("Bob");
      await terminal.shows("and Bob");
      await terminal.isReady();
    });

    await t.step("closing the terminal ends the script", async () => {
      await sandbox.write(".piko.yml", "scripts: { run: sh tree.sh }\n");
      await Deno.remove(pidsFile);
      const window = await Terminal.open(sandbox);
      let pids: number[] = [];
      try {
        await window.type("piko run one");
        pids = await tree(sandbox);
      } finally {
        await window[Symbol.asyncDispose]();
      }
      await until("the end of the tree", async () => (await livesOf(pids)).length === 0).finally(
        () => refuteLeft(pids),
      );
    });
  },
});
