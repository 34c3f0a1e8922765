/**
 * How the scripts speak: narration on stderr, one sentence for an error with its hint below, and the exit
 * code of a script that failed.
 */

import { CommandError, messageOf, PikoError } from "../../src/domain/errors.ts";

const colours = Deno.stdout.isTerminal() && Deno.stderr.isTerminal() && !Deno.env.get("NO_COLOR");

/** Wraps a text in an ANSI style when a terminal shows it. */
export function styled(text: string, style: "bold" | "dim" | "red" | "green" | "cyan"): string {
  if (!colours) return text;
  const code = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 }[style];
  return `\x1b[${code}m${text}\x1b[0m`;
}

/** Writes a line of narration to stderr. */
export function say(text = ""): void {
  console.error(text);
}

/** Runs a script's main function; a failure is told in one sentence and ends the script with exit code 1. */
export async function runScript(main: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await main());
  } catch (error) {
    tellError(error);
    Deno.exit(1);
  }
}

/** Tells an error: its sentence, its details and its hint; the stack only where a bug must be behind it. */
export function tellError(error: unknown): void {
  say(`${styled("✗", "red")} ${messageOf(error)}`);
  if (error instanceof PikoError) {
    for (const line of error.details) say(`    ${line}`);
    if (error.hint !== undefined) say(`  ${error.hint}`);
  } else if (error instanceof CommandError) {
    for (const line of error.stderr.trimEnd().split("\n")) say(`    ${line}`);
  } else if (error instanceof Error && error.stack !== undefined) {
    say(styled(error.stack, "dim"));
  }
}

/** Asks a yes-or-no question; only for a person at a terminal. */
export function asks(question: string): boolean {
  return confirm(question);
}

/** Tells whether a person sits at a terminal and can answer. */
export function personIsThere(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal() && Deno.stdout.isTerminal();
}
