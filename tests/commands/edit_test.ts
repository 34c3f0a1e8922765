/** `piko edit`: which editor, with which arguments, and who gets the terminal. */

import assert from "node:assert/strict";
import { commandWords } from "../../src/domain/shell_words.ts";
import { findEditor } from "../../src/programs/editor.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import { writeProgram } from "../program_file.ts";

/** Makes programs that write down how they were called, and returns the variables that let piko find them. */
async function fakes(sandbox: Sandbox, ...names: string[]): Promise<Record<string, string>> {
  const folder = `${sandbox.folder}/bin`;
  for (const name of names) {
    const script = `#!/bin/sh
tty=none; [ -t 0 ] && [ -t 1 ] && tty=yes
{ echo "$(basename "$0") tty=$tty PWD=$PWD"; for arg in "$@"; do echo "<$arg>"; done; } > '${sandbox.folder}/called.tmp'
mv '${sandbox.folder}/called.tmp' '${sandbox.folder}/called'
[ "$tty" = none ] || { echo "editing"; read -r line; exit "\${line:-0}"; }
`;
    await writeProgram(`${folder}/${name}`, script);
  }
  return { PATH: `${folder}:${sandbox.variables.PATH}` };
}

/** Reads how the editor was called, and forgets it. */
async function called(sandbox: Sandbox): Promise<string[]> {
  const path = `${sandbox.folder}/called`;
  await until("the call of the editor", () => sandbox.exists(path));
  const text = await Deno.readTextFile(path);
  await Deno.remove(path);
  return text.trimEnd().split("\n");
}

Deno.test("commandWords() splits a command as a shell does, and expands nothing", () => {
  const cases: [string, string[] | undefined][] = [
    ["code --wait", ["code", "--wait"]],
    [`  code  "a b"'c d'\\ e  `, ["code", "a bc d e"]],
    [`code "$HOME" '$(id)' ~ *`, ["code", "$HOME", "$(id)", "~", "*"]],
    [`code "" ''`, ["code", "", ""]],
    [`"a \\"b\\" \\c"`, ['a "b" \\c']],
    ["code 'open", undefined],
    ["   ", undefined],
    ["", undefined],
  ];
  for (const [command, words] of cases) assert.deepEqual(commandWords(command), words, command);
});

Deno.test("findEditor() tells whose editor is not there, and what draws on the terminal", async () => {
  const nowhere = { PATH: "/nowhere" };
  const rejects = async (command: string, code: string, message: RegExp) => {
    await assert.rejects(findEditor([{ command, source: "$EDITOR" }], nowhere), { code, message });
  };
  await rejects("vi -u x", "unavailable", /^vi, which \$EDITOR names, is not installed$/);
  await rejects("vi 'x", "usage", /^\$EDITOR is no command: "vi 'x"$/);
  await rejects("", "unavailable", /^No editor was found: none of cursor, code, vim is installed$/);
  const folder = await Deno.makeTempDir({ prefix: "pikotest-" });
  try {
    const windows = { "code --wait": false, zed: false, gvim: false, emacs: false };
    const terminal = {
      ...{ vim: true, nvim: true, nano: true, hx: true, micro: true, "emacs -nw": true },
      ...{ "emacsclient -t": true, "my-own-editor": true },
    };
    for (const [command, drawsOnTerminal] of Object.entries({ ...windows, ...terminal })) {
      const path = `${folder}/${command.split(" ")[0]}`;
      await writeProgram(path, "#!/bin/sh\n");
      const variables = { PATH: folder, DISPLAY: ":0" };
      const editor = await findEditor([{ command, source: "--editor" }], variables);
      assert.equal(editor.drawsOnTerminal, drawsOnTerminal, command);
    }
    const emacs = await findEditor([{ command: "emacs", source: "--editor" }], { PATH: folder });
    assert.equal(emacs.drawsOnTerminal, true, "emacs without a screen");
    const own = await findEditor([{ command: "~/vim -u ~/rc", source: "$VISUAL" }], {
      PATH: "",
      HOME: folder,
    });
    assert.deepEqual([own.argv, own.name], [[`${folder}/vim`, "-u", `${folder}/rc`], "vim"]);
    const usual = await findEditor([{ command: " ", source: "$EDITOR" }], { PATH: folder });
    assert.deepEqual(usual.argv, ["code"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "piko edit",
  ...needs("git", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    await sandbox.pass("create two --no-attach");
    const path = sandbox.worktree("one");
    const found = await fakes(sandbox, "code", "cursor", "vim", "nano", "zed", "mine");
    const config = `${sandbox.variables.HOME}/.config/piko/config.yml`;

    await t.step(
      "asks the flag, the configuration, VISUAL, EDITOR and then the usual ones",
      async () => {
        const variables = { ...found, VISUAL: "zed -v", EDITOR: "code -e" };
        await sandbox.write(config, "editor: code 'from config'\n");
        const edit = async (args: string[], more: Record<string, string>) => {
          const { exitCode, stderr } = await sandbox.piko(["edit", "one", ...args], {
            variables: { ...variables, ...more },
          });
          assert.equal(exitCode, 0, stderr);
          return (await called(sandbox)).map((line) => line.replace(/ tty.*/, ""));
        };
        assert.deepEqual(await edit(["--editor", `cursor "a b" '$HOME'`], {}), [
          "cursor",
          "<a b>",
          "<$HOME>",
          `<${path}>`,
        ]);
        assert.deepEqual(await edit([], {}), ["code", "<from config>", `<${path}>`]);
        await Deno.remove(config);
        assert.deepEqual(await edit([], {}), ["zed", "<-v>", `<${path}>`]);
        assert.deepEqual(await edit([], { VISUAL: "" }), ["code", "<-e>", `<${path}>`]);
        assert.deepEqual(await edit([], { VISUAL: "", EDITOR: " " }), ["cursor", `<${path}>`]);
      },
    );

    await t.step("answers what it has opened", async () => {
      const outcome = await sandbox.piko(["edit", "one", "--json", "--editor", "code -n"], {
        variables: found,
      });
      assert.deepEqual(JSON.parse(outcome.stdout), {
        opened: { editor: ["code", "-n"], paths: [path] },
      });
      assert.equal((await called(sandbox))[0], `code tty=none PWD=${path}`);
    });

    await t.step("says what to type when the editor fails, quoted for a shell", async () => {
      await writeProgram(`${sandbox.folder}/bin/code-insiders`, "#!/bin/sh\nexit 3\n");
      const said = await sandbox.fail(
        ["edit", "one", "--editor", "code-insiders 'a b' $(id)"],
        1,
        { variables: found },
      );
      assert.match(said, /code-insiders could not open it \(exit code 3\)/);
      assert.ok(said.includes(`code-insiders 'a b' '$(id)' ${path}`), said);
    });

    await t.step("opens all worktrees as one workspace, and keeps its settings", async () => {
      const file = `${sandbox.root}/.piko/${sandbox.project}.code-workspace`;
      const edit = async (...args: string[]) =>
        await sandbox.piko(["edit", ...args, "--editor", "code"], { variables: found });
      assert.equal((await edit("--all")).exitCode, 0);
      assert.equal((await called(sandbox))[1], `<${file}>`);
      const workspace = JSON.parse(await Deno.readTextFile(file));
      assert.deepEqual(workspace, {
        folders: [
          { name: "one", path: "worktrees/one" },
          { name: "two", path: "worktrees/two" },
        ],
      });
      const settings = { "editor.fontSize": 9 };
      await sandbox.write(file, JSON.stringify({ settings, folders: [] }));
      assert.equal((await edit("two", "--all")).exitCode, 0);
      await called(sandbox);
      assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), { ...workspace, settings });
      await sandbox.write(file, "{ // mine\n}");
      const { exitCode, stderr } = await edit("--all");
      assert.equal(exitCode, 4);
      assert.match(stderr, /would lose its settings/);
      assert.equal(await Deno.readTextFile(file), "{ // mine\n}");
      await sandbox.piko(["edit", "--all", "--editor", "zed"], { variables: found });
      assert.deepEqual((await called(sandbox)).slice(1), [
        `<${path}>`,
        `<${sandbox.worktree("two")}>`,
      ]);
      assert.equal(await sandbox.git("status", "--porcelain"), "");
    });

    await t.step(
      "refuses an editor that is not there, cannot be read, or needs a terminal",
      async () => {
        const missing = await sandbox.fail(["edit", "one", "--editor", "no-such-editor -x"], 5);
        assert.match(missing, /no-such-editor, which --editor names, is not installed/);
        const broken = await sandbox.fail(["edit", "one"], 2, {
          variables: { ...found, VISUAL: "code 'x" },
        });
        assert.match(broken, /\$VISUAL is no command/);
        const vim = await sandbox.fail(["edit", "one", "--editor", "vim"], 2, { variables: found });
        assert.match(vim, /vim needs a terminal/);
        assert.ok(vim.includes(path));
        assert.match(await sandbox.fail("edit on", 3), /did you mean one\?/);
        assert.match(await sandbox.fail("edit", 2), /Which environment\?/);
      },
    );

    await t.step("gives an editor the terminal, and leaves one with a window alone", async () => {
      await using terminal = await Terminal.open(sandbox, {
        cwd: path,
        variables: { ...found, EDITOR: "nano -w" },
      });
      await terminal.begin("piko edit");
      await terminal.shows("editing");
      assert.deepEqual(await called(sandbox), [`nano tty=yes PWD=${path}`, "<-w>", `<${path}>`]);
      await terminal.type("3");
      await terminal.ends(3);
      const screen = await terminal.run("piko edit two --editor code");
      assert.match(screen, /✓ Opened .*\/worktrees\/two with code/);
      assert.equal((await called(sandbox))[0], `code tty=none PWD=${sandbox.worktree("two")}`);
    });

    await t.step("opens a real vim, in which Ctrl+C ends nothing", async () => {
      await using terminal = await Terminal.open(sandbox, { cwd: path });
      await sandbox.write(`${path}/notes.txt`, "a note\n");
      await terminal.begin("piko edit one --editor 'vim -u NONE -c edit\\ notes.txt'");
      await terminal.shows("Press ENTER");
      await terminal.press("Enter");
      await terminal.shows(/a note/);
      await terminal.press("C-c");
      await terminal.shows(/Type\s+:qa/);
      await terminal.press("i");
      await terminal.press("x");
      await terminal.press("Escape");
      await terminal.type(":wqa");
      await terminal.ends(0);
      assert.equal(await Deno.readTextFile(`${path}/notes.txt`), "xa note\n");
    });
  },
});
