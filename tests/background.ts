/** A program that a test starts and watches while it works: what it has said so far, and how it ends. */

import assert from "node:assert/strict";
import { eachLine, signalGroup } from "../src/programs/run.ts";
import { PIKO, type Sandbox, until } from "./sandbox.ts";

/** Where to stand, and variables besides those of the sandbox. */
export interface BackgroundOptions {
  variables?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Another file than the built piko: a copy of it somewhere else. */
  program?: string;
}

/** A piko at work. Disposed, it is killed with all of its children, if it still works. */
export class Background implements AsyncDisposable {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<number>;
  #working = true;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#ended = Promise.all([
      child.status,
      eachLine(child.stdout, (line) => this.stdout.push(line)),
      eachLine(child.stderr, (line) => this.stderr.push(line)),
    ]).then(([{ code }]) => (this.#working = false, code));
  }

  /** Starts the built piko in a sandbox. */
  static piko(
    sandbox: Sandbox,
    args: readonly string[],
    options: BackgroundOptions = {},
  ): Background {
    return new Background(
      new Deno.Command(options.program ?? PIKO, {
        args: [...args],
        cwd: options.cwd ?? sandbox.root,
        env: { ...sandbox.variables, ...options.variables },
        clearEnv: true,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        detached: true,
      }).spawn(),
    );
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until it has said something on stderr. */
  async said(text: string): Promise<void> {
    await until(`"${text}" on stderr`, () => {
      if (this.stderr.some((line) => line.includes(text))) return true;
      assert.ok(this.#working, `it ended without "${text}":\n${this.stderr.join("\n")}`);
      return false;
    });
  }

  /** Sends a signal to piko alone. */
  kill(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /** Waits for its end and returns the exit code. */
  ended(): Promise<number> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#working) signalGroup(this.pid, "SIGKILL");
    await this.#ended;
  }
}
