import assert from "node:assert/strict";
import { cutHint } from "../../web/hint.ts";

const cut = (hint: string) => Object.values(cutHint(hint));

Deno.test("cutHint() finds a command alone, behind words and before words", () => {
  assert.deepEqual(cut("piko up auth"), ["", "piko up auth", ""]);
  assert.deepEqual(cut("make room on the disk, and try again: df -h"), [
    "Make room on the disk, and try again:",
    "df -h",
    "",
  ]);
  assert.deepEqual(cut("piko create auth --keep leaves it for inspection"), [
    "",
    "piko create auth --keep",
    "leaves it for inspection",
  ]);
  assert.deepEqual(cut("look into it, and move it away: mv '/a' '/a.old'"), [
    "Look into it, and move it away:",
    "mv '/a' '/a.old'",
    "",
  ]);
});

Deno.test("cutHint() leaves commands as they are to be typed, with all that is quoted in them", () => {
  for (
    const command of [
      "diff '/code/shop/.piko.yml' '/code/shop/.piko/worktrees/auth/.piko.yml'",
      "diff '/code/a, b; c/.piko.yml' '/code/it'\\''s, or so/.piko.yml'",
      'sudo chown -R "$(id -u)" /code',
      "tmux rename-session -t '=piko/shop/auth' OTHER-NAME",
      "rm '/code/shop/.git/index.lock'",
    ]
  ) assert.deepEqual(cut(command), ["", command, ""]);
  assert.deepEqual(cut("rm /code/.git/index.lock, when no git is at work there"), [
    "",
    "rm /code/.git/index.lock",
    ", when no git is at work there",
  ]);
});

Deno.test("cutHint() knows every program that hints give a path or a name to", async () => {
  const found = new Set<string>();
  for (const file of await sources("src")) {
    const text = await Deno.readTextFile(file);
    // What stands at the beginning of a hint, or behind a colon, before a word that is quoted for a shell.
    const calls = text.matchAll(
      /hint(?:: |:\s+| = )`(?:[^`$]*: )?([a-z]+)(?: [-+\w]+)* \$\{[^}]*shell(?:Word|Quote)/g,
    );
    for (const [, program = ""] of calls) found.add(program);
  }
  assert.ok(found.has("diff") && found.has("git") && found.size > 8, [...found].join(" "));
  for (const program of found) {
    assert.deepEqual(cut(`${program} '/code'`), ["", `${program} '/code'`, ""]);
  }
});

async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await sources(`${folder}/${name}`));
    else if (name.endsWith(".ts")) found.push(`${folder}/${name}`);
  }
  return found;
}

Deno.test("cutHint() leaves a sentence without a command alone", () => {
  assert.deepEqual(cut("wait until it is done"), ["Wait until it is done", "", ""]);
  assert.deepEqual(cut("use letters, digits and -"), ["Use letters, digits and -", "", ""]);
});
