/** The list of environments: of `piko pick`, and of every command whose environment was left out. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { PIKO, Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";

/** What the person of the sandbox has told tmux: a plain shell, and room for long names. */
const TMUX_CONF = `set -g default-command "PS1='inner> ' exec sh"
set -g status-left-length 60
set -g status-right ""
`;

/** Makes two projects without containers: the sandbox's with two environments, and one named `other` with one. */
async function twoProjects(): Promise<{ sandbox: Sandbox; other: string }> {
  const sandbox = await Sandbox.create({ init: true });
  const other = `${sandbox.project}-b`;
  const folder = `${sandbox.folder}/${other}`;
  await sandbox.write(`${sandbox.folder}/home/.tmux.conf`, TMUX_CONF);
  await sandbox.run(["git", "clone", "--quiet", sandbox.root, folder]);
  await sandbox.pass("init", { cwd: folder });
  await sandbox.pass("create feature/Auth --no-attach");
  await sandbox.pass("create hotfix --no-attach");
  await sandbox.pass("create elsewhere --no-attach", { cwd: folder });
  return { sandbox, other };
}

/** A PATH on which everything is but fzf. */
async function pathWithoutFzf(sandbox: Sandbox): Promise<string> {
  const folder = `${sandbox.folder}/programs`;
  await Deno.mkdir(folder);
  for (const path of (sandbox.variables.PATH ?? "").split(":").reverse()) {
    const entries = await Array.fromAsync(Deno.readDir(path)).catch(() => []);
    for (const { name } of entries) {
      if (name === "fzf") continue;
      await Deno.remove(`${folder}/${name}`).catch(() => {});
      await Deno.symlink(`${path}/${name}`, `${folder}/${name}`);
    }
  }
  return `${PIKO.slice(0, PIKO.lastIndexOf("/"))}:${folder}`;
}

/** Names the session that a client looks at. */
async function lookedAt(sandbox: Sandbox): Promise<string> {
  return (await sandbox.tmux("list-clients", "-F", "#{session_name}")).stdout.trim();
}

for (const picker of ["piko's own list", "fzf"]) {
  const isFzf = picker === "fzf";
  const programs = isFzf ? ["git", "tmux", "fzf"] as const : ["git", "tmux"] as const;
  /** How each shows which entry is selected, and that the list was drawn. */
  // A tmux within one may draw a line that is as wide as the screen so that it counts as one with the next.
  const selected = (entry: string) => new RegExp(`(?:^|\\s)${isFzf ? ">" : "❯"} ${entry}\\b`, "m");

  Deno.test({
    name: `piko pick goes to the environment that is picked from ${picker}, in and out of tmux`,
    ...needs(...programs),
    fn: async () => {
      const { sandbox, other } = await twoProjects();
      await using _ = sandbox;
      const variables: Record<string, string> = isFzf
        ? {}
        : { PATH: await pathWithoutFzf(sandbox) };
      await using terminal = await Terminal.open(sandbox, { cwd: sandbox.folder, variables });
      await terminal.type("piko pick");
      const list = await terminal.shows(/hotfix +simple +hotfix/);
      assert.ok(list.includes(`${sandbox.project}/feature-auth`), list);
      assert.match(list, / simple +feature\/Auth\b/);
      assert.match(list, new RegExp(`${other}/elsewhere +simple +elsewhere`));
      await terminal.press("h", "o", "t");
      await terminal.shows(selected(`${sandbox.project}/hotfix`));
      await terminal.press("Enter");
      await terminal.shows("inner>");
      assert.equal(await lookedAt(sandbox), `piko/${sandbox.project}/hotfix`);

      // The session has the variables of whoever made it.
      await terminal.type(`${isFzf ? "" : `PATH='${variables.PATH}' `}${PIKO} pick`);
      await terminal.shows(/elsewhere +simple/);
      await terminal.press("e", "l", "s", "e");
      await terminal.shows(selected(`${other}/elsewhere`));
      await terminal.press("Enter");
      await until(
        "the other session",
        async () => await lookedAt(sandbox) === `piko/${other}/elsewhere`,
      );
      await terminal.press("C-b", "d");
      await terminal.shows("[detached");
      await terminal.isReady();
    },
  });

  Deno.test({
    name: `piko asks by ${picker} which environment is meant where none was named`,
    ...needs(...programs),
    fn: async (t) => {
      const { sandbox } = await twoProjects();
      await using _ = sandbox;
      const variables: Record<string, string> = isFzf
        ? {}
        : { PATH: await pathWithoutFzf(sandbox) };
      await using terminal = await Terminal.open(sandbox, { variables });

      await t.step("and takes what is picked, with stdout for the answer alone", async () => {
        await terminal.type("piko env > answer; echo ended with $?");
        const list = await terminal.shows(/hotfix +simple +hotfix/);
        assert.ok(!list.includes("elsewhere"), "only those of the project");
        await terminal.press("h");
        await terminal.shows(selected("hotfix"));
        await terminal.press("Enter");
        await terminal.shows("ended with 0");
        const answer = await Deno.readTextFile(`${sandbox.root}/answer`);
        assert.equal(answer, await sandbox.pass("env hotfix"));
      });

      await t.step("and does nothing when the person leaves", async () => {
        for (const key of ["Escape", "C-c"]) {
          await terminal.type("clear; piko destroy --yes; echo ended with $?");
          await terminal.shows(/hotfix +simple +hotfix/);
          await terminal.press(key);
          const screen = await terminal.shows("ended with 130");
          assert.match(screen, /No environment was picked/);
        }
        assert.equal((await sandbox.json("list")).environments.length, 2);
      });

      await t.step("for every command that is about one", async () => {
        const commands = ["env", "ports", "up", "down", "restart", "attach", "run", "destroy"];
        for (const command of commands) {
          await terminal.type(`clear; piko ${command}; echo ended with $?`);
          await terminal.shows(/hotfix +simple +hotfix/);
          await terminal.press("Escape");
          await terminal.shows("ended with 130");
        }
      });
    },
  });
}

Deno.test({
  name: "piko asks by its own list when fzf fails, and reads fzf's answer whatever its options are",
  ...needs("git", "tmux", "fzf"),
  fn: async () => {
    const { sandbox } = await twoProjects();
    await using _ = sandbox;
    await using terminal = await Terminal.open(sandbox);
    await terminal.type("FZF_DEFAULT_OPTS=--no-such-option piko env");
    await terminal.shows(/^❯ feature-auth +simple/m);
    await terminal.press("Enter");
    await terminal.shows("PIKO_ENV_NAME=feature-auth");
    const options = "--multi --print-query --expect=ctrl-x --print0 --exit-0 --select-1 --tac";
    await terminal.type(`clear; FZF_DEFAULT_OPTS='${options}' piko env`);
    await terminal.shows(/hotfix +simple/);
    await terminal.press("h");
    await terminal.shows(/^> hotfix/m);
    await terminal.press("Enter");
    await terminal.shows("PIKO_ENV_NAME=hotfix");
    await terminal.isReady();
  },
});

Deno.test({
  name: "piko pick and a command without its environment name them all where nobody can be asked",
  ...needs("git", "tmux"),
  fn: async (t) => {
    const { sandbox, other } = await twoProjects();
    await using _ = sandbox;
    const all = [
      `${sandbox.project}/feature-auth`,
      `${sandbox.project}/hotfix`,
      `${other}/elsewhere`,
    ];

    await t.step("without a terminal", async () => {
      const said = await sandbox.fail("pick", 2);
      for (const name of all) assert.ok(said.includes(`    ${name}\n`), said);
      const { stdout } = await sandbox.piko(["pick", "--json"]);
      const { error } = JSON.parse(stdout);
      assert.equal(error.code, "usage");
      assert.deepEqual([...error.details].sort(), [...all].sort());
      assert.match(
        await sandbox.fail("env", 2),
        /Which environment\?[^]* {4}feature-auth\n {4}hotfix\n/,
      );
      const outside = await sandbox.fail("env", 2, { cwd: sandbox.folder });
      for (const name of all) assert.ok(outside.includes(`    ${name}\n`), outside);
    });

    await t.step("on a terminal that cannot be drawn on", async () => {
      await using terminal = await Terminal.open(sandbox);
      const screen = await terminal.run("TERM=dumb piko pick", 2);
      assert.match(screen, /Cannot ask which environment without a terminal/);
      assert.match(await terminal.run("TERM=dumb piko env", 2), /Which environment\?/);
    });
  },
});

Deno.test({
  name: "piko pick says how to begin where there is no environment",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    assert.match(await sandbox.fail("pick", 3), /no environments yet\n.*piko create NAME/);
    assert.match(await sandbox.fail("env", 2), /piko create NAME/);
  },
});
