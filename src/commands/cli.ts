/**
 * Runs one command: takes the global options out of the arguments, loads the command's file alone, and makes an exit
 * code of how it went. Stricli reads a command's own flags and arguments.
 */

import { buildApplication, run as runApplication, text_en } from "@stricli/core";
import { buildInfo, isFolderGone, versionLine } from "../build_info.ts";
import { PikoError } from "../domain/errors.ts";
import { describeFailure } from "../domain/failure.ts";
import { quote } from "../domain/names.ts";
import type { Tools } from "../operations/tools.ts";
import { exitCodeOf, showFailure } from "../terminal/failure.ts";
import { isInputAwaited } from "../terminal/keyboard.ts";
import { Output, ReaderGone } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import type { Context } from "./context.ts";
import { type GlobalOptions, splitGlobalOptions } from "./global_options.ts";
import { findCommand } from "./mod.ts";
import { NeedsWhole, type Parts } from "./parts.ts";

/**
 * Runs piko with its arguments and returns the exit code.
 *
 * @throws {NeedsWhole} when the parts that it is given do not suffice; it has said and changed nothing then.
 */
export async function runCli(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  parts: Parts,
): Promise<number> {
  let output = new Output(plainOptions(args, variables));
  try {
    const { options, rest, handedOn } = splitGlobalOptions(
      args,
      (name) => findCommand(name)?.wordsBefore,
    );
    output = new Output({
      ...options,
      noColor: options.noColor || Boolean(variables.NO_COLOR),
      term: variables.TERM,
    });
    return await runCommand(rest, { options, output, variables, handedOn, parts });
  } catch (error) {
    if (error instanceof NeedsWhole) throw error;
    const exitCode = fail(error, output);
    // A question that was broken off would keep piko alive until somebody presses a key.
    if (isInputAwaited()) Deno.exit(exitCode);
    return exitCode;
  }
}

function fail(error: unknown, output: Output): number {
  if (error instanceof ReaderGone) return 141;
  try {
    showFailure(error, output);
  } catch (unwritten) {
    // It was told on stderr, and stdout takes no document: its reader is gone, or the disk is full.
    if (unwritten instanceof ReaderGone) return exitCodeOf(error);
    const { code, message } = describeFailure(unwritten);
    if (code === "bug") throw unwritten;
    output.warn(`There is no document on stdout: ${message}`);
  }
  return exitCodeOf(error);
}

interface Call {
  options: GlobalOptions;
  output: Output;
  variables: Readonly<Record<string, string>>;
  /** What the command hands on as it is. */
  handedOn: readonly string[];
  parts: Parts;
}

async function runCommand(rest: readonly string[], call: Call): Promise<number> {
  const { options, output, variables, handedOn, parts } = call;
  const [name, ...inputs] = rest;
  if (name === undefined || name === "help") return await help(inputs[0], call);
  if (name === "--version" || name === "-V") return version(output);
  if (findCommand(name) === undefined) {
    throw (await parts.usageError()).unknownCommand(name);
  }
  const own = ownWords(inputs);
  if (options.help || own.includes("--help") || own.includes("-h")) return await help(name, call);
  const [command, wire] = await Promise.all([parts.command(name), parts.wiring()]);
  const folder = resolveFolder(options.folder);
  const problems: unknown[] = [];
  const controller = new AbortController();
  let tools: (Tools & Disposable) | undefined;
  let failure: unknown;
  let stopListening: (() => void) | undefined;
  using progress = new Progress(output);
  const context: Context = {
    process: {
      stdout: { write: (text: string) => output.answer(text.trimEnd()) },
      // What Stricli would say there is in the problems, or is thrown.
      stderr: { write: () => {} },
    },
    output,
    options,
    folder,
    handedOn,
    parts,
    get signal() {
      stopListening ??= listenForSignals(controller, output);
      return controller.signal;
    },
    leaveSignals() {
      stopListening?.();
      stopListening = undefined;
    },
    watchQuietly: { report: progress.report },
    get watch() {
      return { report: progress.report, signal: this.signal };
    },
    tools({ create } = { create: false }) {
      return tools ??= wire({
        variables,
        command: `piko ${rest.join(" ")}`,
        block: options.block,
        create,
      });
    },
  };
  try {
    // Stricli takes an option of one letter behind two dashes for an argument.
    const short = own.find((word) => /^--[^-]$/.test(word));
    if (short !== undefined) throw (await parts.usageError()).unknownOption(name, command, short);
    const application = buildApplication(command, {
      name: `piko ${name}`,
      scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
      documentation: { disableAnsiColor: true, caseStyle: "convert-camel-to-kebab" },
      localization: {
        text: {
          ...text_en,
          exceptionWhileParsingArguments: (problem) => {
            problems.push(problem);
            return "";
          },
          exceptionWhileRunningCommand: () => "",
          exceptionWhileLoadingCommandFunction: () => "",
        },
      },
      determineExitCode: (error) => {
        failure = error;
        return 1;
      },
    }, {});
    const process = context.process as { exitCode?: number | string | null };
    await runApplication(application, inputs, context);
    if (failure !== undefined) throw failure;
    if (problems.length > 0) throw (await parts.usageError()).usageError(name, command, problems);
    return Number(process.exitCode ?? 0);
  } finally {
    // A program that was asked something nobody waits for any more would keep piko alive until it ends.
    controller.abort();
    tools?.[Symbol.dispose]();
  }
}

async function help(name: string | undefined, { output, parts }: Call): Promise<number> {
  const { commandHelp, overview } = await parts.help();
  if (name === undefined || name.startsWith("-") || name === "help") {
    output.answer(overview(output));
    return 0;
  }
  const entry = findCommand(name);
  if (entry === undefined) throw (await parts.usageError()).unknownCommand(name);
  output.answer(commandHelp(name, entry, await parts.command(name), output));
  return 0;
}

function version(output: Output): number {
  if (output.json) output.answerJson({ ...buildInfo });
  else output.answer(versionLine());
  return 0;
}

/** The words in front of `--`; those behind it are arguments, whatever they look like. */
function ownWords(inputs: readonly string[]): readonly string[] {
  const end = inputs.indexOf("--");
  return end < 0 ? inputs : inputs.slice(0, end);
}

function resolveFolder(folder: string | undefined): string {
  if (isFolderGone() && !folder?.startsWith("/")) throw noFolder("The current folder was removed");
  try {
    if (folder === undefined) return Deno.cwd();
    const real = Deno.realPathSync(folder);
    if (Deno.statSync(real).isDirectory) return real;
    throw noFolder(`${quote(folder)} is not a folder`);
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw noFolder(`${quote(folder ?? ".")} is not a folder`, error);
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw noFolder(
      folder === undefined
        ? "The current folder was removed"
        : `There is no folder ${quote(folder)}`,
      error,
    );
  }
}

function noFolder(message: string, cause?: unknown): PikoError {
  return new PikoError(message, { code: "not-found", hint: "cd to a folder that exists", cause });
}

/** Ctrl+C asks to stop and take back; said three times, it stops at once, and destroy can finish later. */
function listenForSignals(controller: AbortController, output: Output): () => void {
  let times = 0;
  const onSignal = (exitCode: number) => () => {
    times++;
    if (times === 1) {
      controller.abort();
      output.note("  Stopping …");
    } else if (times === 2) {
      output.warn("Still putting things back in order; once more to leave them as they are");
    } else {
      Deno.exit(exitCode);
    }
  };
  const listeners = ([["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const)
    .map(([signal, number]) => [signal, onSignal(128 + number)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}

/** What can be known of the options before they are read, for the message that they cannot be. */
function plainOptions(args: readonly string[], variables: Readonly<Record<string, string>>) {
  return {
    json: args.includes("--json"),
    quiet: false,
    verbose: false,
    noColor: args.includes("--no-color") || Boolean(variables.NO_COLOR),
    term: variables.TERM,
  };
}
