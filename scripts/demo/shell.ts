/**
 * Runs the demo's commands as a person would type them, shows each before its output, and gives them piko on
 * the PATH and a registry of the demo's own. The commands are fixed texts of the demo; no name from outside
 * becomes part of one.
 */

import { PikoError } from "../../src/domain/errors.ts";
import { styled } from "../machine/say.ts";
import type { DemoPlace } from "./place.ts";

/** A shell in one folder with the demo's variables. */
export class DemoShell {
  readonly #variables: Record<string, string>;
  readonly #cwd: string;

  constructor(place: DemoPlace, distFolder: string, cwd = place.shop) {
    // Variables that would lead git, compose or piko elsewhere do not belong to the demo.
    const inherited = Object.entries(Deno.env.toObject())
      .filter(([name]) => !/^(GIT|COMPOSE|PIKO)_/.test(name));
    this.#variables = {
      ...Object.fromEntries(inherited),
      PATH: `${distFolder}:${Deno.env.get("PATH") ?? ""}`,
      PIKO_HOME: place.pikoHome,
    };
    this.#cwd = cwd;
  }

  /** Shows a command and its output, and returns its stdout; any exit code but 0 ends the demo. */
  async show(command: string): Promise<string> {
    console.log(`\n${styled(`$ ${command.replaceAll("\n", "\n  ")}`, "bold")}`);
    return await this.#run(command, true);
  }

  /** Runs a command unseen and returns its stdout. */
  async ask(command: string): Promise<string> {
    return await this.#run(command, false);
  }

  async #run(command: string, visible: boolean): Promise<string> {
    const child = new Deno.Command("sh", {
      args: ["-ec", command],
      cwd: this.#cwd,
      env: this.#variables,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: visible ? "inherit" : "piped",
    }).spawn();
    const errors = visible ? Promise.resolve("") : new Response(child.stderr).text();
    let output = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (visible) await Deno.stdout.write(new TextEncoder().encode(text));
    }
    const { code } = await child.status;
    if (code === 0) return output;
    throw new PikoError(`The command ended with exit code ${code}: ${command.split("\n")[0]}`, {
      code: "failed",
      details: (await errors).split("\n").filter((line) => line !== ""),
    });
  }
}

/** Quotes a text for a shell, if it needs it. */
export function quoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Writes an explanation between the commands. */
export function explain(text: string): void {
  console.log(`\n${styled(text, "cyan")}`);
}
