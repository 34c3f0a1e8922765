/** Commands in hints work wherever they are pasted: what names an environment names its project too. */

import assert from "node:assert/strict";
import { refuteBareName } from "./commands/refusal.ts";
import { needs } from "./needs.ts";
import { Sandbox } from "./sandbox.ts";

const VERBS = "status|env|ports|up|down|restart|attach|switch|run|exec|logs|open|edit|destroy";

/** A command with an environment behind it, in a template; the expression is taken without its arguments. */
const COMMAND = new RegExp(
  `piko (?:${VERBS}|\\$\\{(?:verb|kind|operation)\\})(?: --[\\w-]+)* \\$\\{([\\w.?[\\]]+)`,
  "g",
);

/** Others that would be missed: a sum, and a list of words. */
const PIECES = new RegExp(
  `"piko (?:${VERBS}) "\\s*\\+\\s*([\\w.]+)|\\["piko(?: \\w+)?",(?:\\s*operation,)?\\s*([\\w.]+)`,
  "g",
);

/** What piko is told to do by the page is shown to others as it would have been typed, and is no hint. */
const NO_HINTS = new Set(["src/server/operations.ts"]);

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

/** Tells whether an expression is an environment's name with that of its project, as it stands at a place of a text. */
function isQualified(expression: string, before: string): boolean {
  if (expression === "qualified") return true;
  const bound = [...before.matchAll(new RegExp(`(?:const|let) ${expression} = ([^;]*);`, "g"))];
  const destructured = before.lastIndexOf(`${expression} }`);
  const last = bound.at(-1);
  return last?.[1]?.startsWith("qualified(") === true && last.index > destructured;
}

Deno.test("every command in a hint names an environment by qualified()", () => {
  let count = 0;
  for (const file of [...sources("src"), ...sources("web")]) {
    const text = Deno.readTextFileSync(file).replaceAll(/\$\{\s+/g, "${");
    for (const pattern of [COMMAND, PIECES]) {
      for (const match of text.matchAll(pattern)) {
        if (NO_HINTS.has(file)) continue;
        const [command, one, other] = match;
        const expression = one ?? other ?? "";
        const isPair = text.slice(match.index + command.length).startsWith("}/${name}");
        count++;
        assert.ok(
          isPair || isQualified(expression, text.slice(0, match.index)),
          `${file}: "${command}" names an environment without qualified()`,
        );
      }
    }
  }
  assert.ok(count > 40, `only ${count} were found`);
});

Deno.test({
  name: "what piko says about another project's environment is safe to paste where one stands",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    const { project, folder } = sandbox;
    const blog = { cwd: `${folder}/blog` };
    await sandbox.run(["git", "clone", "--quiet", sandbox.root, blog.cwd], folder);
    await sandbox.pass("init", blog);
    for (const at of [{}, blog]) await sandbox.pass("create auth", at);
    const notes = [sandbox.worktree("auth"), `${blog.cwd}/.piko/worktrees/auth`]
      .map((path) => `${path}/notes.txt`);
    for (const path of notes) await sandbox.write(path, "precious\n");
    const name = `${project}/auth`;

    for (
      const words of [
        ...["destroy", "logs", "open", "attach", "switch", "exec", "shell"],
        ...[
          "create auth",
          "up NAME web",
          "down NAME web",
          "restart NAME web",
          "run NAME one two",
          "edit --editor /none",
        ],
      ]
    ) {
      const isCreate = words.startsWith("create");
      const args = isCreate
        ? ["-C", sandbox.root, ...words.split(" ")]
        : (words.includes("NAME") ? words : `${words} NAME`).replace("NAME", name).split(" ");
      const { exitCode, stdout, stderr } = await sandbox.piko(args, blog);
      assert.notEqual(exitCode, 0, `${words}: ${stdout}`);
      refuteBareName(stderr.replaceAll(/^.*✗.*$/gm, ""));
    }

    const said = await sandbox.fail(["destroy", name], 4, blog);
    const command = /: (piko destroy .* --force)$/m.exec(said)?.[1] ?? "";
    await sandbox.pass(command.replace("piko ", ""), blog);
    assert.equal(await sandbox.exists(notes[0] ?? ""), false);
    assert.equal(await Deno.readTextFile(notes[1] ?? ""), "precious\n");
    const { environments } = await sandbox.json("list --all", blog);
    assert.deepEqual(environments.map(({ project, name }) => `${project}/${name}`), ["blog/auth"]);
  },
});
