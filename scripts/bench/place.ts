/**
 * Where the benchmark works: one temporary folder with HOME, PIKO_HOME, the cache and three repositories,
 * and compose projects whose names begin with a prefix of its own. When it is disposed nothing of it is left.
 */

import { run, tryRun, type Variables } from "../../src/programs/run.ts";
import { messageOf } from "../../src/domain/errors.ts";
import { say } from "../machine/say.ts";

/** Sleeps in three containers; without a network, because an engine has only some thirty of them to give. */
const LIGHT_COMPOSE = `services:
${
  ["one", "two", "three"].map((name) =>
    `  ${name}: { image: "busybox:1.36", command: [sleep, infinity], init: true, network_mode: none }\n`
  ).join("")
}`;

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

  /** Makes a repository with twenty environments' worth of nothing in its compose file, and registers it. */
  async makeLightRepository(): Promise<string> {
    const path = `${this.folder}/light`;
    await Deno.mkdir(path);
    await Deno.writeTextFile(`${path}/docker-compose.yml`, LIGHT_COMPOSE);
    await this.#commit(path);
    await this.run([this.piko, "init", "--name", `${this.prefix}-light`], path);
    return path;
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
