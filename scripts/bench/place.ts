/**
 * Where a part of the benchmark works: one temporary folder with HOME, PIKO_HOME, the cache and repositories, and compose
 * projects whose names begin with a prefix of its own. When it is disposed nothing of it is left.
 */

import { messageOf, PikoError } from "../../src/domain/errors.ts";
import { run, start, tryRun, type Variables } from "../../src/programs/run.ts";
import { say } from "../machine/say.ts";

/** Sleeps in three containers; without a network, because an engine has only some thirty of them to give. */
const LIGHT_COMPOSE = `services:
${
  ["one", "two", "three"].map((name) =>
    `  ${name}: { image: "busybox:1.36", command: [sleep, infinity], init: true, network_mode: none }\n`
  ).join("")
}`;

/** How many environments are made at once before a measurement. */
const AT_ONCE = 4;

/** The benchmark's folder, and what is started from it. */
export class Place implements AsyncDisposable {
  readonly folder: string;
  /** Every compose project of the benchmark has this in its name. */
  readonly prefix: string;
  readonly variables: Variables;
  readonly piko: string;
  readonly root: string;

  private constructor(root: string, folder: string) {
    this.root = root;
    this.folder = folder;
    this.prefix = `bench${folder.slice(-6).replaceAll(/[^a-z0-9]/gi, "x").toLowerCase()}`;
    this.piko = `${root}/dist/piko`;
    this.variables = variablesFor(folder);
  }

  static async create(root: string): Promise<Place> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "piko-bench-" }));
    const place = new Place(root, folder);
    await Deno.mkdir(`${folder}/home`);
    await Deno.writeTextFile(`${folder}/empty.js`, "");
    return place;
  }

  /** Runs a program to its end; any exit code but 0 is an error. */
  run(argv: readonly string[], cwd = this.folder): Promise<string> {
    return run(argv, { cwd, variables: this.variables });
  }

  /** Names so many environments: `e1`, `e2` … */
  names(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `e${index + 1}`);
  }

  /** Makes a repository of containers that sleep, and registers it. */
  makeLightRepository(name: string): Promise<string> {
    return this.#makeProject(name, { "docker-compose.yml": LIGHT_COMPOSE });
  }

  /** Makes a repository without containers, and registers it. */
  makeEmptyRepository(name: string): Promise<string> {
    return this.#makeProject(name, { "README.md": "# Nothing\n" });
  }

  async #makeProject(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const path = await this.makeRepository(name, files);
    await this.run([this.piko, "init", "--name", `${this.prefix}-${name}`], path);
    return path;
  }

  /**
   * Creates environments, four at once and without sessions: a hundred windows that connect to their containers would be
   * what is measured.
   */
  async createAll(
    repository: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const hidden = `${this.folder}/without-tmux`;
    await Deno.mkdir(hidden, { recursive: true });
    await Deno.writeTextFile(`${hidden}/tmux`, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const variables = { ...this.variables, PATH: `${hidden}:${this.variables.PATH}` };
    const waiting = names.values();
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (const name of waiting) {
        signal.throwIfAborted();
        await run([this.piko, "create", "--no-attach", name], { cwd: repository, variables });
      }
    }));
  }

  /** Starts `piko server`, and waits until it answers. */
  async startServer(repository: string): Promise<Server> {
    const child = start([this.piko, "server", "--port", "0", "--no-open"], {
      cwd: repository,
      variables: this.variables,
    }, { stdin: "null", stdout: "piped", stderr: "null" });
    const reader = child.stdout.getReader();
    const address = new TextDecoder().decode((await reader.read()).value).trim();
    reader.releaseLock();
    const token = (await Deno.readTextFile(`${this.folder}/registry/server-token`)).trim();
    return new Server(child, new URL("/", address).href, token);
  }

  /** Makes a copy of the sample repository; `rewrite` changes its compose file before it is committed. */
  async makeSampleRepository(
    name: string,
    rewrite = (compose: string) => compose,
  ): Promise<string> {
    const path = `${this.folder}/${name}`;
    await this.run(["cp", "-R", `${this.root}/scripts/sample`, path]);
    await Deno.remove(`${path}/simple.piko.yml`);
    const file = `${path}/docker-compose.yml`;
    await Deno.writeTextFile(file, rewrite(await Deno.readTextFile(file)));
    await this.#commit(path);
    return path;
  }

  /** Makes a repository of these files, without registering it. */
  async makeRepository(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const path = `${this.folder}/${name}`;
    await Deno.mkdir(path);
    for (const [file, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${path}/${file}`, text);
    }
    await this.#commit(path);
    return path;
  }

  async #commit(path: string): Promise<void> {
    await this.run(["git", "init", "--quiet", "--initial-branch=main"], path);
    await this.run(["git", "add", "."], path);
    await this.run(["git", "commit", "--quiet", "--message=Begin"], path);
  }

  /** Ends the tmux sessions of the place's environments. */
  async endSessions(): Promise<void> {
    if (await Deno.stat(`${this.folder}/tmux-${Deno.uid()}`).then(() => true, () => false)) {
      await tryRun(["tmux", "kill-server"], { variables: this.variables });
    }
  }

  /** Removes every container, volume and network of the benchmark, then its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    say("Cleaning up");
    const label = `{{.Label "com.docker.compose.project"}}`;
    for (
      const [list, remove] of [
        [["ps", "--all", "--format", `{{.ID}} ${label}`], ["rm", "--force", "--volumes"]],
        [["volume", "ls", "--format", `{{.Name}} ${label}`], ["volume", "rm", "--force"]],
        [["network", "ls", "--format", `{{.ID}} ${label}`], ["network", "rm"]],
      ] as const
    ) {
      try {
        const lines = (await this.run(["docker", ...list])).split("\n");
        const ours = lines.filter((line) => line.split(" ")[1]?.includes(this.prefix));
        const ids = ours.map((line) => line.split(" ")[0] ?? "");
        if (ids.length > 0) await this.run(["docker", ...remove, ...ids]);
      } catch (error) {
        say(`! docker ${list.join(" ")}: ${messageOf(error)}`);
      }
    }
    await this.endSessions();
    // Containers may have left files of other users; without the right to remove them, say where they are.
    const removed = await tryRun(["rm", "-rf", "--", this.folder]);
    if (removed.exitCode !== 0) say(`! ${this.folder} could not be removed whole`);
  }
}

/** A `piko server` at work; disposed, it is ended. */
export class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #url: string;
  readonly #token: string;

  constructor(child: Deno.ChildProcess, url: string, token: string) {
    this.#child = child;
    this.#url = url;
    this.#token = token;
  }

  /** Reads the page. */
  async visit(): Promise<void> {
    const answer = await fetch(this.#url, { headers: { authorization: `Bearer ${this.#token}` } });
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes("</html>")) {
      throw new PikoError(`The page was answered with ${answer.status}`, { code: "failed" });
    }
  }

  /** Begins to read its events. */
  async readEvents(): Promise<EventReader> {
    const answer = await fetch(new URL("/api/events", this.#url), {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    if (answer.status !== 200 || answer.body === null) {
      throw new PikoError(`The events were answered with ${answer.status}`, { code: "failed" });
    }
    return new EventReader(answer.body.pipeThrough(new TextDecoderStream()).getReader());
  }

  /** Tells how many MiB it holds. */
  async memory(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#child.stdout.cancel();
  }
}

/** Reads what a server tells; disposed, it reads no more. */
export class EventReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  /** Whether a container was paused for it. */
  isPaused = false;

  constructor(reader: ReadableStreamDefaultReader<string>) {
    this.#reader = reader;
  }

  /** Reads until something was told that has these words. */
  async until(words: string): Promise<void> {
    for (let told = ""; !told.includes(words);) {
      const { value, done } = await this.#reader.read();
      if (done) throw new PikoError("The events have ended", { code: "failed" });
      // What is cut in two is found too.
      told = told.slice(-words.length) + value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

/** The variables of everything that is measured: those of this process, but with a HOME of its own. */
function variablesFor(folder: string): Variables {
  const own = Deno.env.toObject();
  const kept = Object.entries(own).filter(([name]) =>
    !/^(GIT|PIKO|XDG|COMPOSE|DENO)_|^TMUX(_PANE)?$/.test(name)
  );
  return {
    ...Object.fromEntries(kept),
    HOME: `${folder}/home`,
    PIKO_HOME: `${folder}/registry`,
    XDG_CACHE_HOME: `${folder}/cache`,
    TMUX_TMPDIR: folder,
    // The engine in use and the compose plugin may be set there.
    DOCKER_CONFIG: own["DOCKER_CONFIG"] ?? `${own["HOME"]}/.docker`,
    // Without it `deno run` asks the network for a newer version, which would make piko look better.
    DENO_NO_UPDATE_CHECK: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Bench",
    GIT_AUTHOR_EMAIL: "bench@localhost",
    GIT_COMMITTER_NAME: "Bench",
    GIT_COMMITTER_EMAIL: "bench@localhost",
  };
}
