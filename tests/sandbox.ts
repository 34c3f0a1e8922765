/**
 * A machine of a test's own: HOME, registry, git's configuration, tmux server, a repository and the built `dist/piko`.
 * Disposed, it proves that nothing is left of it: no container, network, volume, worktree or session; then it takes its
 * folder away.
 */

import assert from "node:assert/strict";
import type {
  Environment,
  Port,
  Project,
  Service,
  SharedService,
} from "../src/domain/environment.ts";
import { Engine } from "../src/programs/engine.ts";
import { type Outcome, tryRun } from "../src/programs/run.ts";
import { type ClaimedSlots, claimSlots } from "./slots.ts";

const checkout = decodeURIComponent(new URL("..", import.meta.url).pathname);

/** The piko that the commands' tests run. */
export const PIKO = `${checkout}dist/piko`;

/** How a sandbox is made. */
export interface SandboxOptions {
  /** Files of the repository's first commit, by their path. */
  files?: Readonly<Record<string, string>>;
  /** The name of the project; part of every compose project, so that tests do not meet. */
  project?: string;
  /** Whether `piko init` has run. */
  init?: boolean;
  /**
   * The slots that its environments get: ten of its own by default, so many times ten by a number, or those that piko gives
   * out without `PIKO_SLOTS`, of which the test uses the lowest ten or the highest ten.
   */
  slots?: number | "lowest" | "highest";
  /** More variables for all that it runs. */
  variables?: Readonly<Record<string, string>>;
}

/** Variables besides those of the sandbox, and where to stand. */
export interface CallOptions {
  variables?: Readonly<Record<string, string>>;
  cwd?: string;
  input?: string;
  signal?: AbortSignal;
  /** Milliseconds; a test that hangs should say where. */
  timeout?: number;
}

/** The documents that `--json` answers with, by the words in them; a test reads those of its command. */
export interface Answer {
  environment: Environment;
  environments: Environment[];
  services: Service[];
  checkedOut: string | null;
  shared: SharedService[];
  ports: Port[];
  project: Project;
  projects: Project[];
  forgotten: { name: string; root: string };
  lines: { service: string; container: string; time: string; stream: string; text: string }[];
  destroyed: { project: string; name: string; keptVolumes: string[]; keptBranch: string | null };
  [variable: `PIKO_${string}`]: string;
}

/** A test's own machine. */
export class Sandbox implements AsyncDisposable {
  readonly folder: string;
  readonly root: string;
  readonly project: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The folder of the tmux server's socket, which must be short. */
  readonly #tmuxFolder: string;
  readonly #composeProjects = new Set<string>();
  readonly #slots: ClaimedSlots;

  private constructor(
    folder: string,
    tmuxFolder: string,
    project: string,
    slots: ClaimedSlots,
    more: Readonly<Record<string, string>>,
  ) {
    this.#slots = slots;
    this.folder = folder;
    this.#tmuxFolder = tmuxFolder;
    this.project = project;
    this.root = `${folder}/${project}`;
    this.variables = {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: `${folder}/home`,
      PIKO_HOME: `${folder}/piko`,
      // The self-extracting file is unpacked once for all sandboxes.
      XDG_CACHE_HOME: Deno.env.get("PIKO_TEST_CACHE") ?? `${checkout}dist/.test-cache`,
      TMPDIR: folder,
      TMUX_TMPDIR: tmuxFolder,
      TERM: "dumb",
      LC_ALL: "C.UTF-8",
      ...more,
    };
  }

  /** The lowest slot that its environments get. */
  get firstSlot(): number {
    return this.#slots.first;
  }

  /** Makes a sandbox with a repository of one commit. */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    const project = options.project ?? `t${crypto.randomUUID().slice(0, 8)}`;
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "piko-sandbox-" }));
    const tmuxFolder = await Deno.makeTempDir({ dir: "/tmp", prefix: "pt" });
    const { slots = 1 } = options;
    const claimed = await claimSlots(slots);
    const sandbox = new Sandbox(folder, tmuxFolder, project, claimed, {
      ...(typeof slots === "number" ? { PIKO_SLOTS: `${claimed.first}-${claimed.last}` } : {}),
      ...options.variables,
    });
    await Deno.mkdir(`${folder}/home`);
    await Deno.writeTextFile(
      `${folder}/home/.gitconfig`,
      "[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n",
    );
    await Deno.mkdir(sandbox.root);
    await sandbox.git("init", "--quiet");
    for (const [path, text] of Object.entries(options.files ?? { "README.md": "# Sample\n" })) {
      await sandbox.write(path, text);
    }
    await sandbox.git("add", "--all");
    await sandbox.git("commit", "--quiet", "--message", "Begin");
    if (options.init) {
      await sandbox.pass("init");
      await sandbox.git("add", "--all");
      await sandbox.git("commit", "--quiet", "--message", "Ignore piko's folder");
    }
    return sandbox;
  }

  /** The worktree of an environment. */
  worktree(name: string): string {
    return `${this.root}/.piko/worktrees/${name}`;
  }

  /** Runs the built piko in the repository and tells how it ended. */
  async piko(args: readonly string[], options: CallOptions = {}): Promise<Outcome> {
    return await tryRun([PIKO, ...args], {
      cwd: options.cwd ?? this.root,
      variables: { ...this.variables, ...options.variables },
      timeout: options.timeout ?? 120_000,
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  /** Runs piko with words that hold no spaces, and fails unless it succeeds. */
  async pass(command: string, options: CallOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.piko(command.split(" "), options);
    assert.equal(exitCode, 0, `piko ${command} ended with ${exitCode}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Runs piko, fails unless it ends with this exit code, and returns what it said on stderr. */
  async fail(
    command: string | readonly string[],
    exitCode: number,
    options: CallOptions = {},
  ): Promise<string> {
    const args = typeof command === "string" ? command.split(" ") : command;
    const outcome = await this.piko(args, options);
    assert.equal(
      outcome.exitCode,
      exitCode,
      `piko ${args.join(" ")} ended with ${outcome.exitCode}\n${outcome.stdout}\n${outcome.stderr}`,
    );
    return outcome.stderr;
  }

  /** Runs piko with `--json` and returns the document. */
  async json(command: string, options: CallOptions = {}): Promise<Answer> {
    return JSON.parse(await this.pass(`${command} --json`, options));
  }

  /** Runs git in the repository, or in a worktree with `cwd`, and returns what it prints. */
  async git(...args: string[]): Promise<string> {
    return await this.run(["git", ...args]);
  }

  /** Runs any program in the repository, fails unless it succeeds, and returns what it prints. */
  async run(argv: readonly string[], cwd = this.root): Promise<string> {
    const outcome = await tryRun(argv, { cwd, variables: this.variables, timeout: 120_000 });
    assert.equal(
      outcome.exitCode,
      0,
      `${argv.join(" ")} failed\n${outcome.stdout}\n${outcome.stderr}`,
    );
    return outcome.stdout.trimEnd();
  }

  /** Runs tmux with the sandbox's own server and tells how it ended. */
  async tmux(...args: string[]): Promise<Outcome> {
    return await tryRun(["tmux", ...args], {
      cwd: "/",
      variables: this.variables,
      timeout: 20_000,
    });
  }

  /** Names the sessions of the sandbox's tmux server; none without a server. */
  async sessions(): Promise<string[]> {
    const { stdout } = await this.tmux("list-sessions", "-F", "#{session_name}");
    return stdout.split("\n").filter((name) => name !== "");
  }

  /** Writes a file of the repository; its folders are made. */
  async write(path: string, text: string): Promise<void> {
    const file = path.startsWith("/") ? path : `${this.root}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, text);
  }

  /** Writes files and commits them. */
  async commit(files: Readonly<Record<string, string>>, message = "Change"): Promise<void> {
    for (const [path, text] of Object.entries(files)) await this.write(path, text);
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--message", message);
  }

  /** Tells whether a file or folder is there. */
  async exists(path: string): Promise<boolean> {
    return await Deno.lstat(path.startsWith("/") ? path : `${this.root}/${path}`).then(
      () => true,
      () => false,
    );
  }

  /** The engine that the tests use. */
  engine(): Engine {
    return new Engine({ variables: this.variables });
  }

  /** Names everything in the engine that belongs to this sandbox, in order. */
  async leftInEngine(): Promise<string[]> {
    const engine = this.engine();
    const mine = (labels: Record<string, string>) =>
      (labels["com.docker.compose.project"] ?? "").startsWith(`piko-${this.project}`);
    const [containers, networks, volumes] = await Promise.all([
      engine.listContainers(),
      engine.listNetworks(),
      engine.listVolumes(),
    ]);
    return [
      ...containers.filter(({ composeProject }) =>
        composeProject.startsWith(`piko-${this.project}`)
      )
        .map((
          { name, composeProject },
        ) => (this.#composeProjects.add(composeProject), `container ${name}`)),
      ...networks.filter(({ labels }) => mine(labels)).map(({ name }) => `network ${name}`),
      ...volumes.filter(({ labels }) => mine(labels)).map(({ name }) => `volume ${name}`),
    ].sort();
  }

  /** Destroys every environment, proves that nothing is left, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#destroyAll();
      assert.deepEqual(await this.#sessionsOfPiko(), [], "left in tmux");
    } finally {
      this.#slots[Symbol.dispose]();
      await this.#endTmux();
      await Deno.remove(this.folder, { recursive: true });
    }
  }

  async #sessionsOfPiko(): Promise<string[]> {
    if ([...Deno.readDirSync(this.#tmuxFolder)].length === 0) return [];
    const { stdout } = await this.tmux(
      "list-sessions",
      "-F",
      "#{?@piko_environment,#{session_name},}",
    );
    return stdout.split("\n").filter((name) => name !== "");
  }

  async #endTmux(): Promise<void> {
    if ([...Deno.readDirSync(this.#tmuxFolder)].length > 0) await this.tmux("kill-server");
    await Deno.remove(this.#tmuxFolder, { recursive: true });
  }

  async #destroyAll(): Promise<void> {
    const listed = await this.piko(["list", "--all", "--json"], { cwd: this.folder });
    if (listed.exitCode === 0) {
      const { environments } = JSON.parse(listed.stdout) as {
        environments: { project: string; name: string }[];
      };
      for (const { project, name } of environments) {
        await this.pass(`destroy ${project}/${name} --force --volumes --yes`, { cwd: this.folder });
      }
    }
    if (await hasEngine(this)) {
      const left = await this.leftInEngine();
      for (const composeProject of this.#composeProjects) {
        await tryRun([
          "docker",
          "compose",
          "-p",
          composeProject,
          "down",
          "--volumes",
          "--remove-orphans",
        ], {
          cwd: "/",
          variables: this.variables,
        });
      }
      assert.deepEqual(left, [], "left in the engine");
    }
    if (await this.exists(`${this.root}/.git/worktrees`)) {
      assert.deepEqual(
        [...Deno.readDirSync(`${this.root}/.git/worktrees`)].map(({ name }) => name),
        [],
      );
    }
  }
}

async function hasEngine(sandbox: Sandbox): Promise<boolean> {
  return await sandbox.engine().ping().then(() => true, () => false);
}

/** Waits until a condition holds, and says what it waited for when it does not within the limit. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  limit = 30_000,
): Promise<void> {
  const deadline = performance.now() + limit;
  while (!await condition()) {
    if (performance.now() > deadline) {
      assert.fail(`${what} did not happen within ${limit / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
