/** What a command's function works with, as its `this`. */

import type { Command, CommandContext } from "@stricli/core";
import type { Watch } from "../domain/report.ts";
import type { Tools } from "../operations/tools.ts";
import type { Output } from "../terminal/output.ts";
import type { GlobalOptions } from "./global_options.ts";
import type { Parts } from "./parts.ts";

/** The call of one command. */
export interface Context extends CommandContext {
  /** With `exitCode`, which a command sets that ends as another program has ended. */
  readonly process: CommandContext["process"] & { exitCode?: number | string | null };
  readonly output: Output;
  readonly options: GlobalOptions;
  /** The folder that the command is about: the current one, or the one of `-C`. */
  readonly folder: string;
  /** What stands behind `--`, or behind the words, of a command that hands it on. */
  readonly handedOn: readonly string[];
  /** The files of piko that not every call loads. */
  readonly parts: Parts;
  /** Ends with Ctrl+C, SIGTERM and SIGHUP, from the first time it is asked for. */
  readonly signal: AbortSignal;
  /** Leaves the signals to a program that gets the terminal. */
  leaveSignals(): void;
  /** Shows what an operation reports, and ends it with the signal. */
  readonly watch: Watch;
  /** Shows what a question reports; Ctrl+C ends piko at once, since there is nothing to put back. */
  readonly watchQuietly: Watch;
  /** The registry and the programs; a registry that does not exist yet is made only with `create`. */
  tools(options?: { create: boolean }): Tools;
}

/** What a command's file exports as `command`. */
export type PikoCommand = Command<Context>;
