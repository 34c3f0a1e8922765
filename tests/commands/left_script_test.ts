/**
 * A script that a killed piko has left at work: whoever comes next to its environment waits for it, or says how it is ended,
 * before the worktree goes beneath it.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { assertSound, doctor } from "./doctor.ts";

type Script = "prepare" | "setup" | "destroy";

/** A sandbox whose scripts hold as long as a file is there, and leave a daemon that does so as well. */
class LeftScript implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly #folder: string;

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.#folder = `${sandbox.folder}/home`;
  }

  static async create(): Promise<LeftScript> {
    return new LeftScript(await Sandbox.create({ init: true }));
  }

  /** Kills the piko of a command alone while it runs a script, and tells the script's process. */
  async killIn(script: Script): Promise<number> {
    const path = (name: string) => `'${this.#folder}/${name}'`;
    const lines = [
      `while [ -e ${path("daemon")} ]; do sleep 0.05; done >/dev/null 2>&1 &`,
      `echo $$ > ${path("pid")}`,
      `while [ -e ${path("held")} ]; do sleep 0.05; done`,
      `git -C "$PIKO_ENV_PATH" status --porcelain > ${path("seen")}`,
    ];
    for (const name of ["held", "daemon"]) await this.sandbox.write(`${this.#folder}/${name}`, "");
    await this.sandbox.write(
      ".piko.yml",
      `scripts:\n  ${script}: |\n${lines.map((line) => `    ${line}\n`).join("")}`,
    );
    const args = script === "destroy" ? ["destroy", "auth"] : ["create", "auth", "--no-attach"];
    await using piko = Background.piko(this.sandbox, args);
    let pid = 0;
    await until("the script", async () => (pid = Number(await this.#read("pid"))) > 0);
    await until("its record", () => this.#recorded() === pid);
    piko.kill("SIGKILL");
    assert.equal(await piko.ended(), 137);
    await this.sandbox.write(".piko.yml", "");
    return pid;
  }

  /** Lets the script come to its end; its daemon goes on. */
  async release(): Promise<void> {
    await this.#remove("held");
  }

  /** Whether the script had its worktree until its end. */
  async hadWorktree(): Promise<boolean> {
    return await this.#read("seen") === "";
  }

  /** Whether anything of the script is at work, daemons included. */
  async isAtWork(pid: number): Promise<boolean> {
    const all = await this.sandbox.run(["ps", "-A", "-o", "pgid=", "-o", "stat="]);
    return all.split("\n").some((line) => new RegExp(`^ *${pid} +[^Z ]`).test(line));
  }

  /** Writes another start of the script into the registry, as if the number of its process were another one's by now. */
  changeStart(startedAt: Date): void {
    using database = new DatabaseSync(this.#state, { timeout: 5000 });
    database.prepare(
      `UPDATE steps SET detail = json_set(detail, '$.process.startedAt', ?)
       WHERE id = (SELECT max(id) FROM steps)`,
    ).run(startedAt.toISOString());
  }

  #recorded(): number {
    using database = new DatabaseSync(this.#state, { readOnly: true, timeout: 5000 });
    const last = database.prepare(
      "SELECT json_extract(detail, '$.process.pid') AS pid FROM steps ORDER BY id DESC LIMIT 1",
    ).get();
    return Number(last?.pid);
  }

  get #state(): string {
    return `${this.sandbox.variables.PIKO_HOME}/state.db`;
  }

  async #read(name: string): Promise<string | undefined> {
    return await Deno.readTextFile(`${this.#folder}/${name}`).catch(() => undefined);
  }

  async #remove(name: string): Promise<void> {
    await Deno.remove(`${this.#folder}/${name}`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  /** Ends what is left of the last script. */
  async end(): Promise<void> {
    for (const name of ["held", "daemon"]) await this.#remove(name);
    const pid = Number(await this.#read("pid"));
    if (pid > 0) await until("the end of the script", async () => !await this.isAtWork(pid));
    for (const name of ["pid", "seen"]) await this.#remove(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.sandbox[Symbol.asyncDispose]();
  }
}

/** Proves that a command which may not wait is refused, and returns the command of the hint that ends the script. */
async function isRefused(sandbox: Sandbox, command: string, script: Script, pid: number) {
  const { exitCode, stdout } = await sandbox.piko([...command.split(" "), "--no-block", "--json"]);
  assert.equal(exitCode, 4, stdout);
  const { error } = JSON.parse(stdout);
  assert.equal(
    error.message,
    `scripts.${script} (process ${pid}), which a killed piko has left, is at work on it`,
  );
  const hint: string = error.hint;
  assert.match(hint, new RegExp(`^wait until it is done, or end it: kill -- -${pid}$`));
  return hint.replace(/^.*: /, "");
}

Deno.test({
  name: "a script that a killed create has left is waited for before its worktree goes",
  ...needs("git"),
  async fn(t) {
    await using left = await LeftScript.create();
    const { sandbox } = left;
    for (const script of ["prepare", "setup"] as const) {
      await t.step(script, async () => {
        const pid = await left.killIn(script);
        await isRefused(sandbox, "destroy auth", script, pid);
        await isRefused(sandbox, "create auth", script, pid);
        assert.deepEqual((await doctor(sandbox)).wrong, [
          `environment: PROJECT/auth was never made completely: piko create was broken off at step "${script}", and has left process ${pid} at work`,
        ]);
        await using piko = Background.piko(sandbox, ["destroy", "auth", "--delete-branch"]);
        await piko.said(
          `Waiting for scripts.${script} (process ${pid}), which a killed piko has left at work`,
        );
        await left.release();
        assert.equal(await piko.ended(), 0, piko.stderr.join("\n"));
        assert.ok(await left.hadWorktree());
        assert.ok(await left.isAtWork(pid), "its daemon is no reason to wait");
        assert.equal(await sandbox.exists(sandbox.worktree("auth")), false);
        await left.end();
      });
    }
  },
});

Deno.test({
  name: "piko doctor --fix waits for the script that a killed create has left",
  ...needs("git"),
  async fn() {
    await using left = await LeftScript.create();
    const { sandbox } = left;
    const pid = await left.killIn("setup");
    await using piko = Background.piko(sandbox, ["doctor", "--fix"]);
    await piko.said(`Waiting for scripts.setup (process ${pid})`);
    await left.release();
    await piko.ended();
    assert.ok(await left.hadWorktree());
    await left.end();
    assert.deepEqual((await sandbox.json("list")).environments, []);
    await assertSound(sandbox);
  },
});

Deno.test({
  name: "a script that a killed destroy has left is named, and ended by the command of the hint",
  ...needs("git"),
  async fn() {
    await using left = await LeftScript.create();
    const { sandbox } = left;
    await sandbox.pass("create auth --no-attach");
    const pid = await left.killIn("destroy");
    const { wrong, noted } = await doctor(sandbox);
    assert.deepEqual([wrong, noted], [[], [
      `environment: Nothing of PROJECT/auth was removed: piko destroy was broken off at step "destroy", and has left process ${pid} at work`,
    ]]);
    await isRefused(sandbox, "up auth", "destroy", pid);
    const end = await isRefused(sandbox, "destroy auth", "destroy", pid);
    await sandbox.run(["sh", "-c", end]);
    await until("the end of the script and its daemon", async () => !await left.isAtWork(pid));
    const { exitCode, stderr } = await sandbox.piko(["destroy", "auth", "--no-block"]);
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /Waiting|at work/);
  },
});

Deno.test({
  name: "a process that has the number of a script and was started at another time is none",
  ...needs("git"),
  async fn() {
    await using left = await LeftScript.create();
    const { sandbox } = left;
    for (const seconds of [-60, 60]) {
      const pid = await left.killIn("setup");
      const end = await isRefused(sandbox, "destroy auth", "setup", pid);
      left.changeStart(new Date(Date.now() + seconds * 1000));
      const { wrong } = await doctor(sandbox);
      assert.deepEqual(wrong, [
        'environment: PROJECT/auth was never made completely: piko create was broken off at step "setup"',
      ]);
      await sandbox.pass("destroy auth --no-block --delete-branch");
      await sandbox.run(["sh", "-c", end]);
      await left.end();
    }
  },
});

Deno.test({
  name: "piko says that it waits for what a script has started and what holds its output",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    const go = `${sandbox.folder}/home/go`;
    await sandbox.write(
      ".piko.yml",
      `scripts:\n  setup: |\n    until [ -e '${go}' ]; do sleep 0.05; done &\n    echo started\n`,
    );
    await using piko = Background.piko(sandbox, ["create", "auth", "--no-attach"]);
    await until("the word", () =>
      piko.stderr.includes(
        "  scripts.setup has ended: waiting for what it has started and what writes to its output; " +
          "to let that run on, start it as: COMMAND >FILE 2>&1 &",
      ));
    assert.equal((await sandbox.json("list")).environments[0]?.status, "creating");
    await sandbox.write(go, "");
    assert.equal(await piko.ended(), 0);
  },
});
