/**
 * A Docker engine of a test's own, which it may stop, start and kill while the others go on: dockerd in namespaces of its
 * own, since two of them would take each other's firewall rules away. Everything in there ends with the first process, and
 * that with its input, also when the test is killed.
 */

import assert from "node:assert/strict";
import { findExecutable, IMAGES } from "../scripts/machine/probe.ts";
import { run, tryRun } from "../src/programs/run.ts";
import { needs } from "./needs.ts";
import { until } from "./sandbox.ts";

/** Milliseconds that the engine gets to start, or to stop with all of its containers. */
const PATIENCE = 120_000;

/**
 * Reads what to do. `bash` would be no better: it is the first process of its namespace, and waits for what it starts.
 * $1 is the folder of the engine.
 */
const KEEPER = `
while read -r what; do
  case $what in
    start)
      dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" \\
        --host "unix://$1/sock" >>"$1/log" 2>&1 </dev/null &
      dockerd=$! ;;
    TERM|KILL)
      kill -s "$what" "$dockerd"
      wait "$dockerd"
      echo >>"$1/ended" ;;
  esac
done`;

/** Returns the options of a test that starts an engine; where none can be started it fails if PIKO_TEST_REQUIRE demands it. */
export function needsOwnEngine(): { ignore: boolean } {
  const why = whyNoOwnEngine();
  if (why === undefined) return needs("git", "engine", "compose", "images");
  console.warn(`skipping a test with an engine of its own: ${why}`);
  return { ignore: !/\b(all|engine)\b/.test(Deno.env.get("PIKO_TEST_REQUIRE") ?? "") };
}

function whyNoOwnEngine(): string | undefined {
  if (Deno.build.os !== "linux") return "only Linux has namespaces";
  if (Deno.uid() !== 0) return "only root may start an engine";
  const missing = ["dockerd", "unshare"].find((program) => findExecutable(program) === undefined);
  return missing === undefined ? undefined : `${missing} is not on the PATH`;
}

/** An engine beside the machine's. */
export class OwnEngine implements AsyncDisposable {
  readonly #folder: string;
  readonly #keeper: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#keeper = new Deno.Command("unshare", {
      args: [
        ...["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
        ...["sh", "-c", KEEPER, "sh", folder],
      ],
      cwd: "/",
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#input = this.#keeper.stdin.getWriter();
  }

  /** Starts an engine that has the images of the tests. */
  static async start(): Promise<OwnEngine> {
    // The paths of its sockets must be short.
    const engine = new OwnEngine(await Deno.makeTempDir({ dir: "/tmp", prefix: "pe" }));
    try {
      await engine.start();
      const images = `${engine.#folder}/images.tar`;
      await run(["docker", "save", "--output", images, ...IMAGES], { variables: allVariables() });
      await engine.docker("load", "--input", images);
      // A new network namespace begins with a loopback that is down.
      const loopback = ["busybox:1.36", "ip", "link", "set", "lo", "up"];
      await engine.docker("run", "--rm", "--network=host", "--cap-add=NET_ADMIN", ...loopback);
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What programs are told so that they ask this engine. */
  get variables(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: `unix://${this.#folder}/sock` };
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    await this.#tell("start");
    const argv = ["docker", "version", "--format", "{{.Server.Version}}"];
    const answers = async () => (await tryRun(argv, this.#options())).exitCode === 0;
    await until("the start of an engine", answers, PATIENCE);
  }

  /** Stops it with all of its containers, as the machine does when it is shut down. */
  async stop(): Promise<void> {
    await this.#end("TERM");
  }

  /** Kills it; its containers run on until it is started again. */
  async kill(): Promise<void> {
    await this.#end("KILL");
    // The next one would take any process of that number for itself.
    await Deno.remove(`${this.#folder}/pid`);
  }

  /** Runs docker with it, and returns what it printed. */
  async docker(...args: string[]): Promise<string> {
    return (await run(["docker", ...args], this.#options())).trim();
  }

  #options() {
    return { variables: { ...allVariables(), ...this.variables }, timeout: PATIENCE };
  }

  async #end(signal: "TERM" | "KILL"): Promise<void> {
    const ended = `${this.#folder}/ended`;
    await this.#tell(signal);
    const isThere = () => Deno.stat(ended).then(() => true, () => false);
    await until("the end of an engine", isThere, PATIENCE);
    await Deno.remove(ended);
  }

  async #tell(what: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${what}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    const { signal } = await this.#keeper.status;
    assert.equal(signal, null);
    // Its mounts went with their namespace; the kernel takes a moment to let go of them.
    await until(
      "the end of an engine's mounts",
      () =>
        Deno.remove(this.#folder, { recursive: true }).then(() => true, (error) => {
          if (
            error instanceof Deno.errors.Busy || /os error (16|39)/.test(error.message)
          ) return false;
          throw error;
        }),
    );
  }
}

function allVariables(): Record<string, string> {
  return Deno.env.toObject();
}
