/**
 * The repository that a walk goes through, and what must be true of it: no work is lost, nothing foreign is touched, a
 * command that says it was done has done it, one that says no has changed nothing, and in the end nothing is left.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { tryRun } from "../../src/programs/run.ts";
import { docker } from "../containers.ts";
import { PIKO, Sandbox, until } from "../sandbox.ts";
import { type Act, describe, type Kill, type Name, NAMES, type Step } from "./steps.ts";
import { writeProgram } from "../program_file.ts";

/** Milliseconds within which every command must end. */
const PATIENCE = 120_000;

/** The exit codes that the README knows; 128 + n of a signal that came before piko listens. */
const EXIT_CODES = [0, 1, 2, 3, 4, 5, 130];
const KILLED_EXIT_CODES = [...EXIT_CODES, 137, 143];

/** What no command may ever say. */
const ACCIDENT = /This is a bug in piko|^\s+at .*\.[jt]s:\d+|panicked|Uncaught/m;

/** A piece of the person's work. */
interface Item {
  id: string;
  /** The environment in whose worktree it was made; null outside of all. */
  in: string | null;
  place: { kind: "file"; path: string } | { kind: "commit" | "stash"; hash: string };
}

/** What is known of an environment, from the registry itself. */
interface Row {
  name: string;
  branch: string;
  state: string;
  slot: number;
  path: string;
  data_dir: string;
  session: string | null;
}

/** Everything that a command may or may not change. */
interface State {
  rows: Map<string, Row>;
  projects: string[];
  refs: string;
  worktrees: string;
  folders: string[];
  sessions: string[];
}

interface Outcome {
  args: readonly string[];
  exitCode: number;
  stderr: string;
  killed: boolean;
}

/** How a world is made. */
export interface WorldOptions {
  engine: boolean;
  /** Whether environments have sessions; without them a walk takes half the time. */
  tmux: boolean;
}

const COMPOSE = `services:
  web: { image: busybox:1.36, command: sleep 1000, init: true, ports: ["80"] }
  db: { image: busybox:1.36, command: sleep 1000, init: true, volumes: [data:/data] }
volumes: { data: }
`;

const CONFIGS: Partial<Record<Act, string>> = {
  "good config": "scripts: { setup: 'true', run: 'echo run', destroy: 'true' }\n",
  "failing setup": "scripts: { setup: 'exit 3' }\n",
  "failing prepare": "scripts: { prepare: 'exit 3', destroy: 'exit 3' }\n",
  "slow scripts": "scripts: { prepare: sleep 0.1, setup: sleep 0.1, destroy: sleep 0.1 }\n",
  "broken config": "scripts: [\n",
};

/** What doctor may find at the end: a folder that was there before, and programs that the walk goes without. */
const EXPECTED = /not-ours|tmux 2\.9|docker|compose/i;

/** How often each command ended with each exit code, over all walks. */
export const tally = new Map<string, number>();

/** A repository with a person's work in it. */
export class World implements AsyncDisposable {
  readonly transcript: string[] = [];
  readonly #sandbox: Sandbox;
  readonly #options: WorldOptions;
  readonly #variables: Record<string, string>;
  readonly #items = new Map<string, Item>();
  #count = 0;
  /** The volumes of all environments so far, as "volume NAME". */
  #volumes: ReadonlySet<string> = new Set();
  /** Whether nothing that a killed piko has started can still be at work. */
  #settled = true;

  private constructor(sandbox: Sandbox, options: WorldOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#variables = { ...sandbox.variables };
    this.#variables.PATH = `${sandbox.folder}/bin:${sandbox.variables.PATH}`;
    if (!options.engine) this.#variables.DOCKER_HOST = `unix://${sandbox.folder}/none.sock`;
  }

  static async create(options: WorldOptions): Promise<World> {
    const sandbox = await Sandbox.create({
      files: {
        "README.md": "# Sample\n",
        ".gitignore": ".env\n.piko.yml\n.piko/\n",
        ...(options.engine ? { "compose.yaml": COMPOSE } : {}),
      },
      init: false,
    });
    const world = new World(sandbox, options);
    try {
      await world.#furnish();
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  /** Lays out what is not piko's, and must stay. */
  async #furnish(): Promise<void> {
    const { root, folder } = this.#sandbox;
    if (!this.#options.engine) await this.#program("docker", "exit 1");
    if (!this.#options.tmux) {
      await this.#program(
        "tmux",
        '[ "$1" = -V ] && exec echo tmux 2.9; echo no server running on /tmp/tmux >&2; exit 1',
      );
    } else {
      await this.#sandbox.run(["tmux", "new-session", "-d", "-s", "mine", "-c", folder]);
    }
    await this.#git(root, "branch", "keep");
    await this.#git(root, "worktree", "add", "--quiet", "-b", "foreign", `${folder}/foreign`);
    await this.#commit(`${folder}/foreign`, null);
    for (
      const path of [
        `${folder}/foreign/untracked.txt`,
        `${folder}/home/notes.txt`,
        `${root}/untracked.txt`,
        `${root}/.env`,
        `${root}/.piko/worktrees/not-ours/file.txt`,
      ]
    ) await this.#write(path, null);
    await this.#sandbox.pass("init", { variables: this.#variables });
  }

  /** Puts a program in the place of one that this walk goes without. */
  async #program(name: string, script: string): Promise<void> {
    const path = `${this.#sandbox.folder}/bin/${name}`;
    await writeProgram(path, `#!/bin/sh\n${script}\n`);
  }

  /** Lets one thing happen, and checks what must be true after it. */
  async take(step: Step): Promise<void> {
    this.transcript.push(describe(step));
    if (step.do === "act") {
      await this.#act(step.act, step.name);
      // What a person throws away is theirs to throw away.
      const alive = await this.#alive();
      for (const id of this.#items.keys()) if (!alive.has(id)) this.#items.delete(id);
      return;
    }
    const before = await this.#look();
    if (step.do === "both") {
      const outcomes = await Promise.all(
        [step.args, step.other].map((args) => this.#piko(args)),
      );
      await this.#checkWork(outcomes);
      await this.#checkVolumes();
      return;
    }
    const wasSettled = this.#settled;
    const outcome = await this.#piko(step.args, step);
    await this.#checkWork([outcome]);
    if (this.#settled) await this.#checkVolumes();
    if (wasSettled && !outcome.killed) await this.#checkWord(outcome, before, await this.#look());
  }

  /** Destroys what is there, and checks that nothing of piko's is left and nothing else is gone. */
  async finish(): Promise<void> {
    const { root, folder, project } = this.#sandbox;
    this.transcript.push("the end");
    await this.#settle();
    await this.#checkVolumes();
    await Deno.remove(`${root}/.piko.yml`).catch(ignoreMissing);
    for (const path of (await this.#worktrees()).slice(1)) {
      await tryRun(["git", "-C", root, "worktree", "unlock", path], this.#calls);
    }
    const init = await this.#piko(["init"]);
    assert.ok([0, 4].includes(init.exitCode), init.stderr);
    for (const { name, path } of (await this.#look()).rows.values()) {
      const args = ["destroy", `${project}/${name}`, "--force", "--volumes"];
      let outcome = await this.#piko(args);
      if (outcome.exitCode === 4 && /remove it by hand|repair may mend it/.test(outcome.stderr)) {
        // It was made into something that piko does not know, so whoever did it removes it.
        await Deno.remove(path, { recursive: true });
        outcome = await this.#piko(args);
      }
      assert.equal(outcome.exitCode, 0, outcome.stderr);
    }
    const state = await this.#look();
    assert.deepEqual([...state.rows.keys()], [], "left in the registry");
    // Whatever has happened: a branch can be given an environment, which comes up.
    for (
      const args of [["create", "at-last", "--no-attach"], ["destroy", "at-last", "--volumes"]]
    ) {
      const { exitCode, stderr } = await this.#piko(args);
      assert.equal(exitCode, 0, stderr);
    }
    await this.#checkOrder();
    const folders = state.folders.filter((name) => name.startsWith("worktrees/"));
    assert.deepEqual(folders, ["worktrees/not-ours"], "left in .piko");
    assert.deepEqual((await this.#worktrees()).slice(1), [`${folder}/foreign`], "left in git");
    assert.deepEqual(state.sessions, this.#options.tmux ? ["mine"] : [], "left in tmux");
    await this.#removeVolumes();
    const alive = await this.#alive();
    const lost = [...this.#items.values()].filter((item) =>
      item.in === null && !alive.has(item.id)
    );
    assert.deepEqual(lost, [], "touched what is not piko's");
    assert.match(state.refs, /refs\/heads\/foreign\n/);
  }

  /** Fails when a volume has gone: no command of a walk says `--volumes`. */
  async #checkVolumes(): Promise<void> {
    if (!this.#options.engine) return;
    const found = new Set((await this.#sandbox.leftInEngine()).filter(isVolume));
    const gone = [...this.#volumes].filter((volume) => !found.has(volume));
    assert.deepEqual(gone, [], "the data of a database is gone");
    this.#volumes = found;
  }

  /** Removes the volumes of environments that were destroyed without `--volumes`, which is all that may be left. */
  async #removeVolumes(): Promise<void> {
    if (!this.#options.engine) return;
    const left = await this.#sandbox.leftInEngine();
    assert.deepEqual(left.filter((what) => !this.#volumes.has(what)), [], "left in the engine");
    const names = left.map((what) => what.replace(/^volume /, ""));
    if (names.length > 0) await docker("volume", "rm", ...names);
  }

  /** Fails when `piko doctor` finds anything wrong but with what was there before. */
  async #checkOrder(): Promise<void> {
    const { stdout } = await tryRun([PIKO, "doctor", "--json"], {
      ...this.#calls,
      cwd: this.#sandbox.root,
    });
    const { checks } = JSON.parse(stdout) as { checks?: { ok: boolean; message: string }[] };
    const wrong = checks?.filter(({ ok, message }) => !ok && !EXPECTED.test(message));
    assert.deepEqual(wrong, [], stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#settle();
    const { root, folder } = this.#sandbox;
    await tryRun(["git", "-C", root, "worktree", "remove", "-f", `${folder}/foreign`], this.#calls);
    await this.#sandbox[Symbol.asyncDispose]();
  }

  get #calls() {
    return { cwd: "/", variables: this.#variables, timeout: PATIENCE };
  }

  /** Runs piko, breaks it off if asked, and checks what it says. */
  async #piko(
    words: readonly string[],
    { kill, engine }: { kill?: Kill | undefined; engine?: "gone" | undefined } = {},
  ): Promise<Outcome> {
    const args = words.map((word) => word === "PROJECT" ? this.#sandbox.project : word);
    const child = new Deno.Command(PIKO, {
      args,
      cwd: this.#sandbox.root,
      env: engine === "gone"
        ? { ...this.#variables, DOCKER_HOST: `unix://${this.#sandbox.folder}/none.sock` }
        : this.#variables,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let hung = false;
    let ended = false;
    const send = (signal: Deno.Signal) => {
      // It may be over while its exit code is still on the way.
      if (!ended) signalProcess(child, signal);
    };
    const limit = setTimeout(() => (hung = true, send("SIGKILL")), PATIENCE);
    let killed = false;
    const killer = kill && setTimeout(() => (killed = true, send(kill.signal)), kill.after);
    const [output, { code }] = await Promise.all([
      Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]),
      child.status.finally(() => ended = true),
    ]);
    clearTimeout(limit);
    clearTimeout(killer);
    const [stdout, stderr] = output;
    const title = `piko ${args.join(" ")}`;
    this.transcript.push(...`→ ${code}\n${stdout}${stderr}`.trimEnd().split("\n").slice(0, 30));
    const key = `${args[0]}${kill ? ` ${kill.signal}` : ""} → ${code}`;
    tally.set(key, (tally.get(key) ?? 0) + 1);
    assert.ok(!hung, `${title} does not end`);
    assert.doesNotMatch(stderr, ACCIDENT);
    assert.ok((killed ? KILLED_EXIT_CODES : EXIT_CODES).includes(code), `${title}: ${code}`);
    if (killed && kill?.signal === "SIGKILL") {
      this.#settled = false;
      if (kill.settle) await this.#settle();
    }
    return { args, exitCode: code, stderr, killed };
  }

  /** Waits until nothing is at work that a killed piko has started. */
  async #settle(): Promise<void> {
    if (this.#settled) return;
    await until("the end of what a killed piko has started", async () => {
      const { stdout } = await tryRun(["pgrep", "-a", "-f", this.#sandbox.folder], this.#calls);
      return stdout.split("\n").every((line) => line === "" || /tmux|piko window/.test(line));
    }, PATIENCE);
    this.#settled = true;
  }

  /** Fails when a command has lost work, but what its `--force` was about. */
  async #checkWork(outcomes: readonly Outcome[]): Promise<void> {
    const alive = await this.#alive();
    const forced = outcomes.filter(({ args }) => args[0] === "destroy" && args.includes("--force"))
      .map(({ args }) => NAMES[args[1] as Name]);
    for (const item of [...this.#items.values()]) {
      if (alive.has(item.id)) continue;
      const mayGo = item.in !== null && forced.some((name) => name === item.in);
      assert.ok(mayGo, `lost work: ${JSON.stringify(item)}`);
      this.#items.delete(item.id);
    }
  }

  /** Fails when a command has not done what its exit code says. */
  async #checkWord({ args, exitCode }: Outcome, before: State, after: State): Promise<void> {
    const [command = "", typed = ""] = args;
    const name = NAMES[typed as Name] as string | undefined;
    const was = name === undefined ? undefined : before.rows.get(name);
    const is = name === undefined ? undefined : after.rows.get(name);
    const { root } = this.#sandbox;
    const asks = ["list", "status", "env", "ports", "logs", "complete", "config", "run"];
    if (asks.includes(command) || (command === "doctor" && !args.includes("--fix"))) {
      assert.deepEqual(after, before, "a question has changed something");
    } else if (command === "create" && exitCode === 0) {
      assert.ok(is !== undefined && was === undefined, "created, and not there");
      assert.equal(is.state, "ready");
      const head = await this.#git(is.path, "symbolic-ref", "--short", "HEAD");
      assert.equal(head, is.branch);
      assert.ok(after.folders.includes(`data/${name}`), "it has no data folder");
      const wanted = this.#options.tmux && is.session !== null;
      if (wanted) assert.ok(after.sessions.includes(is.session ?? ""), "it has no session");
    } else if (command === "create" && !args.includes("--keep")) {
      assert.deepEqual(after, before, "a failed create has left something");
    } else if (command === "destroy" && exitCode === 0) {
      assert.equal(is, undefined, "destroyed, and still there");
      assert.ok(!after.folders.includes(`worktrees/${name}`), "its worktree is there");
      assert.ok(args.includes("--keep-data") || !after.folders.includes(`data/${name}`));
      assert.ok(!after.sessions.includes(was?.session ?? ""), "its session is there");
    } else if (command === "destroy" && [2, 3].includes(exitCode)) {
      assert.deepEqual(after, before, "a refused destroy has changed something");
    } else if (
      // One that was broken off before goes on, and is refused nothing.
      command === "destroy" && exitCode === 4 && is?.state === was?.state &&
      was?.state !== "destroying"
    ) {
      assert.deepEqual(after, before, "a refused destroy has changed something");
    } else if (command === "project" && args[1] === "forget") {
      assert.equal(exitCode === 0, after.projects.length < before.projects.length);
      assert.ok(exitCode !== 0 || before.rows.size === 0, "forgotten with its environments");
    } else if (command === "init") {
      const isKnown = before.projects.length > 0;
      const config = await Deno.readTextFile(`${root}/.piko.yml`).catch(ignoreMissing);
      const isBroken = config === CONFIGS["broken config"];
      assert.equal(exitCode, isKnown ? 4 : isBroken ? 2 : 0);
      assert.deepEqual(after.projects, isBroken && !isKnown ? [] : [root]);
    } else if (["up", "down", "restart"].includes(command)) {
      assert.equal(is?.state, was?.state);
      assert.equal(after.refs, before.refs);
    }
    const slots = [...after.rows.values()].map(({ slot }) => slot);
    assert.equal(new Set(slots).size, slots.length, "two have the same slot");
  }

  async #look(): Promise<State> {
    const { root, folder } = this.#sandbox;
    const [refs, worktrees, sessions] = await Promise.all([
      this.#git(root, "for-each-ref", "--format=%(objectname) %(refname)"),
      this.#git(root, "worktree", "list", "--porcelain"),
      this.#options.tmux ? this.#sandbox.sessions() : [],
    ]);
    using database = new DatabaseSync(`${folder}/piko/state.db`, { readOnly: true });
    const rows = database.prepare("SELECT * FROM environments ORDER BY name")
      .all() as unknown as Row[];
    const projects = database.prepare("SELECT root FROM projects").all() as { root: string }[];
    const folders = ["worktrees", "data"].flatMap((folder) =>
      entriesOf(`${root}/.piko/${folder}`).map((name) => `${folder}/${name}`)
    );
    return {
      rows: new Map(rows.map((row) => [row.name, { ...row }])),
      projects: projects.map(({ root }) => root),
      refs: `${refs}\n`,
      worktrees,
      folders,
      sessions: sessions.sort(),
    };
  }

  async #worktrees(): Promise<string[]> {
    const listed = await this.#git(this.#sandbox.root, "worktree", "list", "--porcelain");
    return [...listed.matchAll(/^worktree (.*)$/gm)].map(([, path]) => path ?? "");
  }

  /** Tells which pieces of work are still somewhere: in their file, or in what git keeps for somebody. */
  async #alive(): Promise<Set<string>> {
    const { root } = this.#sandbox;
    const listed = await this.#git(root, "worktree", "list", "--porcelain");
    const heads = [...listed.matchAll(/^HEAD (\w+)$/gm)].map(([, hash]) => hash ?? "")
      .filter((hash) => !/^0+$/.test(hash));
    const commits = new Set((await this.#git(root, "rev-list", "--all", ...heads)).split("\n"));
    const stashes = new Set<string>();
    if ([...this.#items.values()].some(({ place }) => place.kind === "stash")) {
      const { stdout } = await tryRun(
        ["git", "-C", root, "stash", "list", "--format=%H"],
        this.#calls,
      );
      for (const hash of stdout.split("\n")) stashes.add(hash);
    }
    const alive = new Set<string>();
    for (const { id, place } of this.#items.values()) {
      const isAlive = place.kind === "file"
        ? textOf(place.path) === id
        : place.kind === "commit"
        ? commits.has(place.hash)
        : stashes.has(place.hash);
      if (isAlive) alive.add(id);
    }
    return alive;
  }

  async #git(folder: string, ...args: string[]): Promise<string> {
    const outcome = await tryRun(["git", "-C", folder, ...args], this.#calls);
    assert.equal(outcome.exitCode, 0, `git ${args.join(" ")}\n${outcome.stderr}`);
    return outcome.stdout.trimEnd();
  }

  async #write(path: string, environment: string | null): Promise<void> {
    // As a line of `.env` may be, which compose reads.
    const id = `WORK=${++this.#count}\n`;
    await this.#sandbox.write(path, id);
    this.#items.set(id, { id, in: environment, place: { kind: "file", path } });
  }

  /** Commits everything in a worktree; files that were a piece of work are one in the commit from now on. */
  async #commit(path: string, environment: string | null): Promise<void> {
    await this.#write(`${path}/committed-${this.#count + 1}.txt`, environment);
    const added = await tryRun(["git", "-C", path, "add", "--all"], this.#calls);
    const message = `Work ${this.#count}`;
    const done = await tryRun(
      ["git", "-C", path, "commit", "--quiet", "--no-verify", "-m", message],
      this.#calls,
    );
    if (added.exitCode !== 0 || done.exitCode !== 0) return;
    await this.#moveItems(path, "commit", await this.#git(path, "rev-parse", "HEAD"));
  }

  /** Files of a worktree that git no longer calls changed are where they went. */
  async #moveItems(path: string, kind: "commit" | "stash", hash: string): Promise<void> {
    const status = await this.#git(path, "status", "--porcelain", "--untracked-files=all", "-z");
    for (const [id, item] of this.#items) {
      if (item.place.kind !== "file" || !item.place.path.startsWith(`${path}/`)) continue;
      const file = item.place.path.slice(path.length + 1);
      if (file.startsWith("nested/") || file === ".env" || status.includes(` ${file}\0`)) continue;
      this.#items.set(id, { ...item, place: { kind, hash } });
    }
  }

  async #act(act: Act, typed: Name): Promise<void> {
    const name = NAMES[typed];
    const { root, folder, project } = this.#sandbox;
    const path = `${root}/.piko/worktrees/${name}`;
    const dataDir = `${root}/.piko/data/${name}`;
    const attempt = (...args: string[]) => tryRun(args, this.#calls);
    const git = (where: string, ...args: string[]) => attempt("git", "-C", where, ...args);
    const config = CONFIGS[act];
    if (config !== undefined) return await this.#sandbox.write(`${root}/.piko.yml`, config);
    // Git in a folder that is no worktree would work on the root.
    const isWorktree = (await git(path, "rev-parse", "--show-toplevel")).stdout.trimEnd() === path;
    switch (act) {
      case "write":
        if (isFolder(path)) await this.#write(`${path}/new-${this.#count}.txt`, name);
        return;
      case "edit":
        if (isFolder(path)) await this.#write(`${path}/README.md`, name);
        return;
      case "stage":
        if (!isWorktree) return;
        await this.#write(`${path}/staged-${this.#count}.txt`, name);
        return void await git(path, "add", "--all");
      case "commit":
        if (isWorktree) await this.#commit(path, name);
        return;
      case "commit detached":
        if (!isWorktree) return;
        await git(path, "checkout", "--quiet", "--detach");
        return await this.#commit(path, name);
      case "switch branch":
        if (isWorktree) await git(path, "checkout", "--quiet", "-B", "other");
        return;
      case "stash": {
        if (!isWorktree) return;
        const { exitCode } = await git(path, "stash", "push", "--quiet", "--include-untracked");
        const top = await git(path, "rev-parse", "--quiet", "--verify", "refs/stash");
        if (exitCode === 0 && top.exitCode === 0) {
          await this.#moveItems(path, "stash", top.stdout.trim());
        }
        return;
      }
      case "rebase":
        // It stops over the first commit that both have made, with an unsaved file put aside.
        if (isWorktree) await git(path, "rebase", "--quiet", "--autostash", "foreign");
        return;
      case "nested repository":
        if (!isFolder(path)) return;
        await this.#write(`${path}/nested/file.txt`, name);
        await attempt("git", "init", "--quiet", `${path}/nested`);
        await git(`${path}/nested`, "add", "--all");
        return void await git(`${path}/nested`, "commit", "--quiet", "-m", "Nested");
      case "write data":
        if (isFolder(dataDir)) await this.#sandbox.write(`${dataDir}/some.txt`, "data");
        return;
      case "merge":
        return void await git(root, "merge", "--quiet", "--no-edit", "--", typed);
      case "delete branch":
        return void await git(root, "branch", "-D", "--", typed);
      case "remove worktree":
        return void await git(root, "worktree", "remove", path);
      case "force-remove worktree":
        return void await git(root, "worktree", "remove", "--force", "--force", path);
      case "prune worktrees":
        return void await git(root, "worktree", "prune", "--expire=now");
      case "lock worktree":
        return void await git(root, "worktree", "lock", path);
      case "unlock worktree":
        return void await git(root, "worktree", "unlock", path);
      case "move worktree away":
        if (isFolder(path)) await Deno.rename(path, `${folder}/moved-${this.#count++}`);
        return;
      case "rm -rf worktree":
        return void await attempt("rm", "-rf", path);
      case "rm .git":
        return void await attempt("rm", "-rf", `${path}/.git`);
      case "rm -rf data":
        return void await attempt("rm", "-rf", dataDir);
      case "kill session":
        if (this.#options.tmux) {
          await attempt("tmux", "kill-session", "-t", `=piko/${project}/${name}`);
        }
        return;
      case "kill tmux":
        if (!this.#options.tmux) return;
        await attempt("tmux", "kill-server");
        // A server that is about to end still takes the next call.
        return await until("the session of somebody else", async () => {
          await attempt("tmux", "new-session", "-d", "-s", "mine", "-c", folder);
          return (await this.#sandbox.sessions()).includes("mine");
        });
      case "no config":
        return await Deno.remove(`${root}/.piko.yml`).catch(ignoreMissing);
      case "rm container":
      case "stop container": {
        const { stdout } = await attempt(
          ...["docker", "ps", "--quiet", "--filter", `label=com.docker.compose.project`],
          ...["--filter", `name=piko-${project}-${name}-`],
        );
        const [id] = stdout.split("\n");
        if (!id) return;
        await attempt("docker", ...(act === "rm container" ? ["rm", "-f"] : ["kill"]), id);
        return;
      }
      case "rm network":
        return void await attempt("docker", "network", "rm", `piko-${project}-${name}`);
    }
  }
}

function signalProcess(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    const isOver = error instanceof Deno.errors.NotFound ||
      (error instanceof TypeError && error.message.includes("terminated"));
    if (!isOver) throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function entriesOf(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  } catch (error) {
    ignoreMissing(error);
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function isVolume(what: string): boolean {
  return what.startsWith("volume ");
}
