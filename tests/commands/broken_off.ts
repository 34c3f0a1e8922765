/**
 * A sandbox whose `create` and `destroy` can be held at any step, so that a test can break them off there. What is held
 * runs three processes deep, each of which a test finds again by the sandbox's own name.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { tryRun } from "../../src/programs/run.ts";
import { Background } from "../background.ts";
import { Sandbox, until } from "../sandbox.ts";
import { writeProgram } from "../program_file.ts";

/** The steps of `create` in docker mode, in their order. */
export const CREATE_STEPS = [
  "worktree",
  "files",
  "data",
  "ports",
  "override",
  "prepare",
  "containers",
  "ready",
  "setup",
] as const;

/** The steps of `destroy --delete-branch` in docker mode, in their order. */
export const DESTROY_STEPS = ["destroy", "containers", "worktree", "data", "branch"] as const;

/** Files of a project whose every step takes its time when it is told to. */
const FILES: Readonly<Record<string, string>> = {
  ".gitignore": ".env\n",
  "compose.yaml": [
    "services:",
    "  app:",
    "    image: busybox:1.36",
    "    command: sleep 1000",
    "    # As process 1 it ignores SIGTERM, so this is how long it takes to stop.",
    "    stop_grace_period: ${GRACE:-0s}",
    "    volumes: [data:/data]",
    "    healthcheck:",
    '      test: ["CMD", "${HEALTH:-true}"]',
    "      interval: 300ms",
    "      retries: 1000",
    "volumes: { data: }",
    "",
  ].join("\n"),
  ".piko.yml": [
    "scripts:",
    '  prepare: sh "$PIKO_ROOT/../home/hold" prepare',
    '  setup: sh "$PIKO_ROOT/../home/hold" setup',
    '  destroy: sh "$PIKO_ROOT/../home/hold" destroy',
    "",
  ].join("\n"),
};

/** A sandbox whose steps can be held. */
export class Holding implements AsyncDisposable {
  readonly sandbox: Sandbox;

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async create(files: Readonly<Record<string, string>> = {}): Promise<Holding> {
    const sandbox = await Sandbox.create({ files: { ...FILES, ...files }, init: true });
    const holding = new Holding(sandbox);
    const home = `${sandbox.folder}/home`;
    await sandbox.write(
      `${home}/hold`,
      `[ "$(cat '${home}/step' 2>/dev/null)" = "$1" ] || exit 0\nsh '${home}/deep' 3\n`,
    );
    await sandbox.write(
      `${home}/deep`,
      [
        `[ "$1" = 0 ] && exec tail -f '${home}/step'`,
        `sh '${home}/deep' $(($1 - 1)) &`,
        "wait",
        "",
      ].join("\n"),
    );
    await writeProgram(
      `${sandbox.root}/.git/hooks/post-checkout`,
      `#!/bin/sh\nexec sh '${home}/hold' worktree\n`,
    );
    return holding;
  }

  /** Says which step holds from now on; "ready" does by a container that does not get healthy. */
  async hold(step: string | undefined, settings: { grace?: string } = {}): Promise<void> {
    await this.sandbox.write(`${this.sandbox.folder}/home/step`, step ?? "");
    await this.sandbox.write(
      ".env",
      `HEALTH=${step === "ready" ? "false" : "true"}\nGRACE=${settings.grace ?? "0s"}\n`,
    );
  }

  /** Starts `piko create one` that does not get past `step`, and waits until it is there. */
  async createUntil(step: string, settings: { grace?: string } = {}): Promise<Background> {
    const isHeld = ["worktree", "checkout", "prepare", "ready", "setup"].includes(step);
    // A step that cannot be held is over soon; the last one never is.
    await this.hold(isHeld ? step : "setup", settings);
    const piko = Background.piko(this.sandbox, ["create", "one"]);
    await this.#reached(piko, "create", step === "checkout" ? "worktree" : step);
    return piko;
  }

  /** Starts `piko destroy one`, and waits until it is at `step`. */
  async destroyUntil(step: string, ...flags: string[]): Promise<Background> {
    await this.hold(step === "destroy" ? step : undefined);
    const piko = Background.piko(this.sandbox, ["destroy", "one", ...flags]);
    await this.#reached(piko, "destroy", step);
    return piko;
  }

  /** Names the processes that held a step, as `pgrep` shows them. */
  async held(): Promise<string[]> {
    const { stdout } = await tryRun(["pgrep", "-a", "-f", `${this.sandbox.folder}/home/`], {
      variables: this.sandbox.variables,
    });
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** Waits until no process is left of what held a step. */
  async goneWithin(limit: number): Promise<void> {
    let left: string[] = [];
    await until(
      "the end of every process",
      async () => (left = await this.held()).length === 0,
      limit,
    )
      .catch((error) => {
        throw new Error(`${error.message}: ${left.join("\n")}`);
      });
  }

  /** Ends what a killed piko has left at work, as the end of a terminal or of the machine would. */
  async endHeld(): Promise<void> {
    for (const line of await this.held()) {
      try {
        Deno.kill(Number(line.split(" ")[0]), "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  /** Lists the steps that the registry has of the environment, such as "create worktree". */
  steps(): string[] {
    using database = new DatabaseSync(`${this.sandbox.variables.PIKO_HOME}/state.db`, {
      readOnly: true,
      timeout: 5000,
    });
    return database.prepare("SELECT operation || ' ' || step AS name FROM steps ORDER BY id").all()
      .map(({ name }) => String(name));
  }

  /** Tells the status that `piko list` shows. */
  async status(): Promise<string | undefined> {
    return (await this.sandbox.json("list")).environments[0]?.status;
  }

  async #reached(piko: Background, operation: string, step: string): Promise<void> {
    let working = true;
    const ended = piko.ended().then(() => working = false);
    // Faster than until(), since some steps take milliseconds.
    const deadline = performance.now() + 60_000;
    while (!this.steps().includes(`${operation} ${step}`)) {
      if (!working) break;
      assert.ok(performance.now() < deadline, `${operation} did not get to ${step}`);
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1))]);
    }
    const held = await Deno.readTextFile(`${this.sandbox.folder}/home/step`);
    if (held !== step && held !== "checkout") return;
    if (step === "ready") return;
    await until(`${step} held`, async () => {
      assert.ok(working, `it ended at ${step}:\n${piko.stderr.join("\n")}`);
      return (await this.held()).some((line) => line.includes("tail -f"));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hold(undefined);
    await this.endHeld();
    await this.sandbox[Symbol.asyncDispose]();
  }
}
