/** piko's own list, in a real terminal, as a person sees it. */

import assert from "node:assert/strict";
import { Selection } from "../../src/terminal/picker.ts";
import { widthOf } from "../../src/domain/width.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal, type TerminalOptions } from "../terminal.ts";

const PROGRAM = new URL("pick_program.ts", import.meta.url).pathname;

const FEW = [
  "shop/feature-auth|running|feature/auth",
  "shop/feature-pay|stopped|feature/pay",
  "blog/日本語|simple|größe/Über",
];

const MANY = Array.from(
  { length: 30 },
  (_, index) => `entry-${String(index + 1).padStart(2, "0")}`,
);

/** A terminal in which the list was opened. */
class Asked implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly terminal: Terminal;

  private constructor(sandbox: Sandbox, terminal: Terminal) {
    this.sandbox = sandbox;
    this.terminal = terminal;
  }

  static async open(entries: readonly string[], options: TerminalOptions = {}): Promise<Asked> {
    const sandbox = await Sandbox.create();
    await sandbox.write("entries", entries.join("\n"));
    const asked = new Asked(sandbox, await Terminal.open(sandbox, options));
    await asked.again();
    return asked;
  }

  /** Opens the list; what it answers is kept in a file, since it is drawn elsewhere. */
  async again(): Promise<void> {
    const program = `'${Deno.execPath()}' run -A --no-config '${PROGRAM}' entries process`;
    await this.terminal.type(
      `clear; stty -g > before; ${program} > answer; stty -g > after; cat answer`,
    );
    await this.terminal.shows("❯ ");
  }

  /** Presses keys, and waits until this entry is selected. */
  async selects(entry: string, ...keys: string[]): Promise<void> {
    await this.terminal.press(...keys);
    await this.terminal.shows(new RegExp(`^❯ ${entry}( |$)`, "m"));
  }

  /** Waits for the answer and for the shell, and proves that the terminal is as it was. */
  async answers(what: string): Promise<void> {
    await this.terminal.isReady();
    const screen = await this.terminal.screen();
    assert.match(screen, new RegExp(`^${what}$`, "m"), screen);
    assert.doesNotMatch(screen, /❯|Thing:|Esc leave/, "the list is left on the screen");
    assert.deepEqual(await this.terminal.modes(), { cursor: true, otherScreen: false });
    const read = (name: string) => Deno.readTextFile(`${this.sandbox.root}/${name}`);
    assert.equal(await read("after"), await read("before"), "the terminal's settings");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
    await this.sandbox[Symbol.asyncDispose]();
  }
}

Deno.test({
  name: "pick() shows fewer entries with every letter, and answers on stdout alone",
  ...needs("git", "tmux"),
  fn: async () => {
    await using asked = await Asked.open(FEW);
    const { terminal } = asked;
    assert.deepEqual(await terminal.modes(), { cursor: true, otherScreen: true });
    const all = await terminal.screen();
    for (const entry of FEW) assert.ok(all.includes(entry.split("|")[0] ?? ""), all);
    assert.match(all, /^Thing: +3\/3$/m);
    await terminal.press("P", "A", "Y");
    const fewer = await terminal.shows(/^Thing: PAY +1\/3$/m);
    assert.match(fewer, /^❯ shop\/feature-pay +stopped +feature\/pay *$/m);
    assert.ok(!fewer.includes("feature-auth"), fewer);
    await terminal.press("x");
    await terminal.shows("Nothing matches");
    await terminal.press("Enter", "BSpace");
    await terminal.shows(/^Thing: PAY +1\/3$/m);
    await terminal.press("Enter");
    await asked.answers("picked shop/feature-pay");
  },
});

Deno.test({
  name: "pick() moves by arrows and by Ctrl+N, P, J and K, and keeps the selected entry in sight",
  ...needs("git", "tmux"),
  fn: async () => {
    await using asked = await Asked.open(MANY, { rows: 8, columns: 60 });
    await asked.selects("entry-02", "Down");
    await asked.selects("entry-03", "C-n");
    await asked.selects("entry-04", "C-j");
    await asked.selects("entry-03", "Up");
    await asked.selects("entry-02", "C-p");
    await asked.selects("entry-01", "C-k");
    await asked.selects("entry-30", "Up");
    await asked.selects("entry-01", "Down");
    await asked.selects("entry-07", ...Array(6).fill("Down"));
    const screen = await asked.terminal.screen();
    assert.equal(screen.split("\n").length, 8);
    assert.match(screen, /^ {2}entry-02$[^]*^❯ entry-07$/m);
    assert.ok(!screen.includes("entry-01"), screen);
    await asked.selects("entry-13", "PageDown");
    await asked.selects("entry-07", "PageUp");
    await asked.selects("entry-30", "End");
    await asked.selects("entry-01", "Home");
    await asked.terminal.press("2");
    await asked.selects("entry-21", "9", "C-u", "2", "1");
    await asked.terminal.press("Enter");
    await asked.answers("picked entry-21");
  },
});

Deno.test({
  name: "pick() is left by Esc, Ctrl+C and Ctrl+D with nothing picked",
  ...needs("git", "tmux"),
  fn: async () => {
    await using asked = await Asked.open(FEW);
    for (const key of ["Escape", "C-c", "C-d"]) {
      if (key !== "Escape") await asked.again();
      await asked.terminal.press(key);
      await asked.answers("picked nothing");
    }
  },
});

Deno.test({
  name: "pick() gives the terminal back when it is ended by a signal",
  ...needs("git", "tmux"),
  fn: async () => {
    await using asked = await Asked.open(FEW);
    Deno.kill(Number(await Deno.readTextFile(`${asked.sandbox.root}/process`)), "SIGTERM");
    await asked.answers("picked nothing");
  },
});

Deno.test({
  name: "pick() takes letters of several bytes, and rubs them out whole",
  ...needs("git", "tmux"),
  fn: async () => {
    await using asked = await Asked.open(FEW);
    const { terminal } = asked;
    await terminal.press("日", "本");
    await terminal.shows(/^Thing: 日本 +1\/3$/m);
    await terminal.press("BSpace");
    await terminal.shows(/^Thing: 日 +1\/3$/m);
    await terminal.press("C-w");
    await terminal.shows(/^Thing: +3\/3$/m);
    await terminal.press("Ü", "B", "E");
    await terminal.shows(/^Thing: ÜBE +1\/3$/m);
    await terminal.press("Enter");
    await asked.answers("picked blog/日本語");
  },
});

Deno.test({
  name: "pick() fits into 40 columns and into whatever size the terminal is given",
  ...needs("git", "tmux"),
  fn: async () => {
    const long =
      "project-with-a-long-name/environment-with-a-long-name|running|branch/with/a/long/name";
    await using asked = await Asked.open([...FEW, long], { columns: 40, rows: 12 });
    const { terminal } = asked;
    const narrow = await terminal.screen();
    assert.match(narrow, /^❯ shop\/feature-auth +running +feature…$/m);
    assert.match(narrow, /^ {2}project-with-a-\S*… +running +branch\/…$/m);
    assert.match(narrow, /Esc leave$/m);
    assert.equal(narrow.split("\n").length, 6, "no line wraps");
    for (const line of narrow.split("\n")) assert.ok(widthOf(line) < 40, line);
    await terminal.resize(100, 10);
    await terminal.shows(
      /^ {2}project-with-a-long-name\/environment-with-a-long-name +running +branch/m,
    );
    await terminal.resize(30, 3);
    await until("three lines", async () => (await terminal.screen()).split("\n").length === 3);
    await asked.selects("blog/日…", "Down", "Down");
    await terminal.resize(80, 24);
    await terminal.shows(/^❯ blog\/日本語 +simple +größe\/Über$/m);
    await terminal.press("Enter");
    await asked.answers("picked blog/日本語");
  },
});

Deno.test("Selection.window() keeps the window full where there are enough entries", () => {
  const selection = new Selection(MANY.map((name) => [name]));
  selection.press("last", 5);
  assert.deepEqual(selection.window(3), [27, 28, 29]);
  assert.deepEqual(selection.window(5), [25, 26, 27, 28, 29]);
  selection.press("first", 5);
  assert.deepEqual(selection.window(2), [0, 1]);
  selection.type("nothing like it");
  assert.deepEqual(selection.window(2), []);
  assert.equal(selection.selected, undefined);
  selection.press("down", 5);
  assert.equal(selection.selected, undefined);
  selection.press("rub-out-line", 5);
  assert.equal(selection.selected, 0);
});
