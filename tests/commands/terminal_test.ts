/** What a person sees at a real terminal: progress, colours, and the question before destroy. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Terminal, type TerminalOptions } from "../terminal.ts";

const FRAMES = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;

const CONFIG = `scripts:
  setup: |
    echo first line of the setup script, which is longer than a narrow terminal is wide
    while [ ! -e "$PIKO_ROOT/.piko/go" ]; do sleep 0.05; done
    echo last line
`;

/** Runs a command on a terminal; what it ends with is read by `ended()`. */
async function open(
  sandbox: Sandbox,
  line: string,
  options: TerminalOptions = {},
): Promise<Terminal> {
  const terminal = await Terminal.open(sandbox, options);
  await terminal.type(`${line}; echo "exit code $?"`);
  return terminal;
}

async function ended(terminal: Terminal): Promise<{ exitCode: number; screen: string }> {
  const screen = await terminal.shows(/^exit code \d+$/m);
  return { exitCode: Number(/^exit code (\d+)$/m.exec(screen)?.[1]), screen };
}

async function isThere(sandbox: Sandbox): Promise<boolean> {
  const { environments } = await sandbox.json("list");
  return environments.length === 1 && await sandbox.exists(sandbox.worktree("work"));
}

Deno.test({
  name: "piko create shows on a terminal what it is doing, and leaves no moving line behind",
  ...needs("git", "tmux"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "README.md": "# Sample\n", ".piko.yml": CONFIG },
      init: true,
    });
    for (const columns of [120, 40]) {
      await t.step(`${columns} columns wide`, async () => {
        await using terminal = await open(sandbox, "piko create work --no-attach", { columns });
        const during = await terminal.shows(/⠋ Setup script/);
        assert.match(during, /✓ Worktree +\S/);
        assert.equal(during.match(new RegExp(FRAMES, "g"))?.length, 1);
        await sandbox.write(".piko/go", "");
        const { exitCode, screen } = await ended(terminal);
        assert.equal(exitCode, 0);
        assert.doesNotMatch(screen, FRAMES);
        assert.match(
          screen,
          /^ {2}│ first line of the setup script, which is longer than a narrow/m,
        );
        assert.match(screen, /^ {2}│ last line$/m);
        assert.match(screen, /^✓ Setup script/m);
        assert.match(screen, new RegExp(`^✓ Created ${sandbox.project}/work$`, "m"));
        assert.equal(screen.match(/Worktree/g)?.length, 1);
        await Deno.remove(`${sandbox.root}/.piko/go`);
        await sandbox.pass("destroy work");
      });
    }
    await t.step("Ctrl+C takes back what was made, and says so", async () => {
      await using terminal = await open(sandbox, "piko create work --no-attach");
      await terminal.shows(/first line/);
      await terminal.press("C-c");
      const { exitCode, screen } = await ended(terminal);
      assert.equal(exitCode, 130);
      assert.doesNotMatch(screen, FRAMES);
      assert.match(screen, /↩ Removed the worktree/);
      assert.match(screen, /✗ Interrupted: environment "work" was not created/);
      assert.deepEqual((await sandbox.json("list")).environments, []);
    });
  },
});

Deno.test({
  name: "piko destroy shows what goes and asks at a terminal",
  ...needs("git", "tmux"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create work");
    const question = new RegExp(`Destroy ${sandbox.project}/work\\? \\[y/N\\]`);
    await t.step("what goes and what stays", async () => {
      await using terminal = await open(sandbox, "piko destroy work");
      const screen = await terminal.shows(question);
      assert.ok(screen.includes(`goes   worktree ${sandbox.worktree("work")}`), screen);
      assert.ok(screen.includes(`goes   data ${sandbox.root}/.piko/data/work`), screen);
      assert.ok(screen.includes("stays  branch work"), screen);
    });
    for (const keys of [["n", "Enter"], ["Enter"], ["x", "y", "Enter"], ["C-d"], ["C-c"]]) {
      await t.step(`${keys.join(" ")} keeps everything`, async () => {
        await using terminal = await open(sandbox, "piko destroy work");
        await terminal.shows(question);
        await terminal.press(...keys);
        const { exitCode, screen } = await ended(terminal);
        assert.equal(exitCode, 130, screen);
        assert.equal(await isThere(sandbox), true);
      });
    }
    await t.step("work that is not committed is refused before the question", async () => {
      await sandbox.write(`${sandbox.worktree("work")}/notes.txt`, "mine\n");
      {
        await using terminal = await open(sandbox, "piko destroy work");
        const { exitCode, screen } = await ended(terminal);
        assert.equal(exitCode, 4);
        assert.doesNotMatch(screen, question);
        assert.match(screen, /untracked: notes\.txt/);
      }
      await using terminal = await open(sandbox, "piko destroy work --force");
      const screen = await terminal.shows(question);
      assert.match(screen, /unsaved work: untracked: notes\.txt/);
      await terminal.press("n", "Enter");
      await ended(terminal);
      assert.equal(await isThere(sandbox), true);
      await Deno.remove(`${sandbox.worktree("work")}/notes.txt`);
    });
    await t.step("y destroys", async () => {
      await using terminal = await open(sandbox, "piko destroy work");
      await terminal.shows(question);
      await terminal.press("y", "Enter");
      const { exitCode, screen } = await ended(terminal);
      assert.equal(exitCode, 0, screen);
      assert.match(screen, /✓ Destroyed/);
      assert.doesNotMatch(screen, FRAMES);
      assert.equal(await isThere(sandbox), false);
    });
    await t.step("--yes, and an input that is no terminal, are not asked", async () => {
      for (const line of ["piko destroy work --yes", "piko destroy work </dev/null"]) {
        await sandbox.pass("create work");
        await using terminal = await open(sandbox, line);
        const { exitCode, screen } = await ended(terminal);
        assert.equal(exitCode, 0, screen);
        assert.doesNotMatch(screen, question);
        assert.equal(await isThere(sandbox), false);
      }
    });
  },
});

Deno.test({
  name:
    "piko has colours on a terminal, and none with NO_COLOR, --no-color, in a file or a dumb terminal",
  ...needs("git", "tmux"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create work");
    const colours = async (line: string) => {
      await using terminal = await open(sandbox, line);
      await ended(terminal);
      return await terminal.colours();
    };
    const escape = String.fromCharCode(27);
    for (const line of ["piko list", "piko status nope"]) {
      assert.ok((await colours(line)).includes(`${escape}[`));
      assert.ok(!(await colours(`${line} --no-color`)).includes(escape));
      assert.ok(!(await colours(`NO_COLOR=1 ${line}`)).includes(escape));
      assert.ok(!(await colours(`TERM=dumb ${line}`)).includes(escape));
    }
    // An empty one does not count: https://no-color.org
    assert.ok((await colours("NO_COLOR= piko list")).includes(`${escape}[`));
    const file = `${sandbox.folder}/list.txt`;
    await colours(`piko list >${file}`);
    const text = await Deno.readTextFile(file);
    assert.match(text, /^work +simple/m);
    assert.ok(!text.includes(escape));
  },
});

Deno.test({
  name: "piko help keeps within the terminal",
  ...needs("tmux"),
  async fn() {
    await using sandbox = await Sandbox.create();
    await using terminal = await Terminal.open(sandbox, { columns: 80, rows: 100 });
    for (const command of ["piko help", "piko create --help"]) {
      const lines = (await terminal.run(command)).split("\n");
      assert.deepEqual(lines.filter((line) => line.length > 80), [], command);
      assert.ok(lines.some((line) => line.length > 70), command);
    }
  },
});
