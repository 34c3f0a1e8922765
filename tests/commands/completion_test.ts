/** Completion: what `piko complete` suggests, and that bash, zsh and fish take it as a person presses Tab. */

import assert from "node:assert/strict";
import { COMMANDS } from "../../src/commands/mod.ts";
import { tryRun } from "../../src/programs/run.ts";
import { needs } from "../needs.ts";
import { PIKO, Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";

/** A branch whose name a shell would run. */
const BRANCH = 'feat/$(id>canary)`x`;&|"q';

const COMPOSE = `services:
  web: { image: busybox:1.36, ports: ["8080:8080"] }
  db: { image: busybox:1.36, command: sleep 1 }
`;

/** Makes a project with environments `feature-auth` and `feature-pay`, one named `other` with `away`, and branches. */
async function makeSandbox(): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ init: true });
  const folder = otherFolder(sandbox);
  await sandbox.run(["git", "clone", "--quiet", sandbox.root, folder]);
  await sandbox.git("branch", BRANCH);
  await sandbox.git("branch", "it's");
  await sandbox.git("branch", "a=b");
  await sandbox.git("tag", "v1.0");
  await sandbox.pass("init", { cwd: folder });
  await sandbox.run(["git", "branch", "only-there"], folder);
  await sandbox.git("remote", "add", "origin", folder);
  await sandbox.git("fetch", "--quiet", "origin");
  await sandbox.pass("create feature/Auth --no-attach");
  await sandbox.pass("create feature-pay --no-attach");
  await sandbox.pass("create away --no-attach", { cwd: folder });
  return sandbox;
}

function otherFolder(sandbox: Sandbox): string {
  return `${sandbox.folder}/${sandbox.project}-b`;
}

/** Lists what is suggested for the last of some words, without the descriptions. */
async function suggested(
  sandbox: Sandbox,
  words: readonly string[],
  cwd = sandbox.root,
): Promise<string[]> {
  const { exitCode, stdout, stderr } = await sandbox.piko(["complete", "zsh", "--", ...words], {
    cwd,
  });
  assert.equal(exitCode, 0, stderr);
  assert.equal(stderr, "");
  return stdout.split("\n").filter((line) => line !== "").map((line) => line.split("\t")[0] ?? "");
}

Deno.test({
  name: "piko complete knows what can stand in every place",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await makeSandbox();
    const { project } = sandbox;
    const cases: [string, string[], string[]][] = [
      ["commands", ["des"], ["destroy"]],
      ["commands for help", ["help", "compl"], ["completion"]],
      ["flags", ["destroy", "--f"], ["--force"]],
      ["a flag that takes something away", ["create", "x", "--no-w"], ["--no-wait"]],
      ["global flags", ["list", "--js"], ["--json"]],
      ["no flag twice", ["destroy", "--force", "--f"], []],
      ["environments", ["status", "fe"], ["feature-auth", "feature-pay"]],
      ["environments behind flags", ["destroy", "--force", "feature-a"], ["feature-auth"]],
      ["environments elsewhere", ["env", `${project}-b/`], [`${project}-b/away`]],
      ["environments by their project", ["env", `${project}/feature-a`], [
        `${project}/feature-auth`,
      ]],
      ["no second environment", ["status", "feature-auth", ""], []],
      ["branches", ["create", ""], ["a=b", BRANCH, "it's", "only-there"]],
      ["branches for --branch", ["create", "x", "--branch", "it"], ["it's"]],
      ["branches behind =", ["create", "x", "--branch=a"], ["--branch=a=b"]],
      ["starts", ["create", "x", "--from", "o"], ["origin/main", "origin/only-there"]],
      ["tags", ["create", "x", "--from", "v"], ["v1.0"]],
      ["no value for a number", ["create", "x", "--timeout", ""], []],
      ["actions", ["project", ""], ["list", "forget"]],
      ["projects", ["project", "forget", `${project}-`], [`${project}-b`]],
      ["shells", ["completion", "z"], ["zsh"]],
      ["no folders where there are none", ["-C", "../nowhere/x"], []],
      ["folders that are there", ["-C", `../${project}-`], [`../${project}-b/`]],
      ["nothing behind --", ["run", "feature-auth", "--", ""], []],
      ["nothing of an unknown command", ["frobnicate", ""], []],
    ];
    for (const [what, words, expected] of cases) {
      await t.step(what, async () => assert.deepEqual(await suggested(sandbox, words), expected));
    }
    await t.step("all commands", async () => {
      assert.deepEqual(await suggested(sandbox, [""]), [...Object.keys(COMMANDS), "help"]);
    });
    await t.step("the environments of the folder of -C", async () => {
      const words = ["-C", otherFolder(sandbox), "status", ""];
      const names = [`${project}/feature-auth`, `${project}/feature-pay`, "away"];
      assert.deepEqual(await suggested(sandbox, words), names);
      assert.deepEqual(
        await suggested(sandbox, ["status", ""], sandbox.folder),
        [...names.slice(0, 2), `${project}-b/away`],
      );
    });
    await t.step("with a few words on each", async () => {
      const { stdout } = await sandbox.piko(["complete", "fish", "--", "status", "feature-a"]);
      assert.equal(stdout, "feature-auth\tfeature/Auth\n");
    });
    await t.step("every command that takes an environment says so", () => {
      for (const [name, { usage, completes }] of Object.entries(COMMANDS)) {
        assert.equal(
          /\[NAME\]/.test(usage),
          completes?.[0] === "environment",
          `${name} ${usage}`,
        );
        assert.ok(
          !usage.includes("--") || name === "run",
          `${name}: options are told by themselves`,
        );
      }
    });
    await t.step("and is silent without a registry", async () => {
      const variables = { PIKO_HOME: `${sandbox.folder}/nothing` };
      const outcome = await sandbox.piko(["complete", "zsh", "--", "env", ""], { variables });
      assert.deepEqual([outcome.exitCode, outcome.stdout, outcome.stderr], [0, "", ""]);
      assert.equal(await sandbox.exists(variables.PIKO_HOME), false);
    });
  },
});

Deno.test({
  name: "piko complete knows the services of an environment, named or around",
  ...needs("git", "engine", "compose"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: { "compose.yml": COMPOSE }, init: true });
    await sandbox.pass("create work --no-start --no-attach");
    assert.deepEqual(await suggested(sandbox, ["up", "work", ""]), ["db", "web"]);
    assert.deepEqual(await suggested(sandbox, ["up", "work", "db", ""]), ["web"]);
    assert.deepEqual(await suggested(sandbox, ["exec", "work", "w"]), ["web"]);
    assert.deepEqual(await suggested(sandbox, ["exec", "work", "web", ""]), []);
    const cwd = sandbox.worktree("work");
    assert.deepEqual(await suggested(sandbox, ["up", ""], cwd), ["db", "web", "work"]);
    assert.deepEqual(await suggested(sandbox, ["up", "web", ""], cwd), ["db"]);
    assert.deepEqual(await suggested(sandbox, ["exec", "d"], cwd), ["db"]);
    assert.deepEqual(await suggested(sandbox, ["exec", "db", ""], cwd), []);
  },
});

Deno.test({
  name: "bash gets the answers to COMP_WORDS from the script of piko completion bash",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await makeSandbox();
    const script = `eval "$(piko completion bash)"
complete -p piko
COMP_LINE=$1 COMP_POINT=\${#1}
_piko piko "$2" "$3"
printf '<%s>\\n' "\${COMPREPLY[@]}"`;
    const complete = async (line: string, word: string, previous: string) => {
      const outcome = await tryRun(["bash", "--norc", "-c", script, "bash", line, word, previous], {
        cwd: sandbox.root,
        variables: { ...sandbox.variables, PATH: path(sandbox) },
      });
      assert.equal(outcome.stderr, "");
      const [registered, ...replies] = outcome.stdout.trimEnd().split("\n");
      assert.equal(registered, "complete -F _piko piko");
      return replies;
    };
    assert.deepEqual(await complete("piko dest", "dest", "piko"), ["<destroy>"]);
    assert.deepEqual(await complete("piko env fe", "fe", "env"), [
      "<feature-auth>",
      "<feature-pay>",
    ]);
    assert.deepEqual(await complete("piko create x --branch=a=", "", "="), ["<b>"]);
    assert.deepEqual(await complete("piko create 'feat/$", "feat/$", "create"), [`<${BRANCH}>`]);
    assert.deepEqual(await complete("piko nothing ", "", "nothing"), ["<>"]);
  },
});

/** How a person's shell is started, so that it completes for piko and prints a plain prompt. */
const SHELLS: Readonly<Record<string, { file: string; text: string; start: string }>> = {
  bash: {
    file: "home/.bashrc",
    text: `PS1='prompt> '\neval "$(piko completion bash)"\n`,
    start: "exec bash -i",
  },
  zsh: {
    file: "home/.zshrc",
    text: `PS1='prompt> '\nautoload -Uz compinit && compinit -u\neval "$(piko completion zsh)"\n`,
    start: "exec zsh -i",
  },
  fish: {
    file: "home/.config/fish/config.fish",
    text:
      `set -g fish_greeting\nfunction fish_prompt; echo "prompt> "; end\npiko completion fish | source\n`,
    start: "exec fish -i",
  },
};

for (const [shell, { file, text, start }] of Object.entries(SHELLS)) {
  Deno.test({
    name: `a person completes by Tab in ${shell}, and a hostile branch stays a name`,
    ...needs("git", "tmux", ...(shell === "zsh" || shell === "fish" ? [shell] as const : [])),
    fn: async () => {
      await using sandbox = await makeSandbox();
      await sandbox.write(`${sandbox.folder}/${file}`, text);
      // Where it is missing, fish reads all manuals of the machine first.
      await Deno.mkdir(`${sandbox.folder}/home/.local/share/fish/generated_completions`, {
        recursive: true,
      });
      await using terminal = await Terminal.open(sandbox, {
        variables: { PATH: path(sandbox), SHELL: shell },
      });
      await terminal.type(`clear; ${start}`);
      await terminal.shows(/^prompt>/m, 20_000);
      /** Waits until the line at the prompt is this. */
      const line = async (text: string) => {
        await until(`"${text}" at the prompt`, async () => {
          const last = (await terminal.screen()).split("\n").findLast((one) =>
            /^prompt>/.test(one)
          );
          return last?.trimEnd() === `prompt> ${text}`.trimEnd();
        }, 15_000);
      };
      const completes = async (typed: string, completed: string) => {
        await terminal.write(typed);
        await line(typed);
        await terminal.press("Tab");
        await line(completed);
        await terminal.press("C-u");
        await line("");
      };
      await completes("piko dest", "piko destroy");
      await completes("piko destroy --fo", "piko destroy --force");
      await completes("piko env feature-p", "piko env feature-pay");
      await completes(`piko env ${sandbox.project}-b/`, `piko env ${sandbox.project}-b/away`);
      await completes("piko create x --branch=a", "piko create x --branch=a=b");
      await completes("piko create it", "piko create it\\'s");
      await completes(`piko -C ../${sandbox.project}-`, `piko -C ../${sandbox.project}-b/`);

      // What is suggested with what else is known of it.
      await terminal.write("piko env ");
      await terminal.press("Tab");
      if (shell === "bash") await terminal.press("Tab");
      const screen = await terminal.shows(/feature-auth[^]*feature-pay/, 15_000);
      if (shell !== "bash") assert.match(screen, /feature-auth +(-- |\()feature\/Auth/);
      // Out of the list first, which fish has taken the cursor to.
      if (shell === "fish") await terminal.press("Escape");
      await terminal.press("C-u");
      await line("");

      // The shell takes as one word what it has written by itself, and runs none of it.
      for (const quote of ["", '"']) {
        await terminal.press("C-l");
        await line("");
        await terminal.write(`piko create --no-attach --json ${quote}feat`);
        await terminal.press("Tab");
        await terminal.shows(/--json .*q"?\s*$/m, 15_000);
        await terminal.press("Enter");
        await terminal.shows('"environment": {', 15_000);
        const { environments } = await sandbox.json("list");
        const made = environments.find(({ branch }: { branch: string }) => branch === BRANCH);
        assert.ok(made, JSON.stringify(environments));
        await sandbox.pass(`destroy ${made.name} --yes`);
      }
      assert.equal(await sandbox.exists("canary"), false);
    },
  });
}

Deno.test({
  name: "piko completion refuses another shell, and names those there are",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create();
    assert.match(await sandbox.fail("completion tcsh", 2), /"tcsh".*bash, zsh, fish/);
    assert.match(await sandbox.fail("completion", 2), /SHELL is missing/);
  },
});

function path(sandbox: Sandbox): string {
  return `${PIKO.slice(0, PIKO.lastIndexOf("/"))}:${sandbox.variables.PATH}`;
}
