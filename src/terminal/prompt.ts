/** Asks the person at the terminal. */

import { interrupted } from "../domain/errors.ts";
import { readInput } from "./keyboard.ts";

/** Tells whether there is a person to ask: both ends of the conversation are a terminal. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/**
 * Asks a question that only `y` or `yes` answers with yes, and Enter where that is the usual answer; the end of the input
 * is a no.
 */
export async function confirm(
  question: string,
  signal: AbortSignal,
  usual: "yes" | "no" = "no",
): Promise<boolean> {
  const choice = usual === "yes" ? "[Y/n]" : "[y/N]";
  Deno.stderr.writeSync(new TextEncoder().encode(`${question} ${choice} `));
  const answer = await readLine(signal);
  return /^y(es)?\s*$/i.test(answer) || (usual === "yes" && /^\s*\n/.test(answer));
}

/** Waits for Enter; false when the input ends instead, as by Ctrl+D, or the signal says so. */
export async function waitForEnter(signal?: AbortSignal): Promise<boolean> {
  const buffer = new Uint8Array(1024);
  const ended = new Promise<null>((resolve) => {
    if (signal?.aborted) resolve(null);
    signal?.addEventListener("abort", () => resolve(null), { once: true });
  });
  for (;;) {
    const count = await Promise.race([readInput(buffer), ended]);
    if (count === null) return false;
    if (buffer.subarray(0, count).includes(10)) return true;
  }
}

async function readLine(signal: AbortSignal): Promise<string> {
  const ended = new Promise<null>((_, reject) => {
    signal.addEventListener("abort", () => reject(interrupted()), { once: true });
  });
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1024);
  let text = "";
  while (!text.includes("\n")) {
    const count = await Promise.race([readInput(buffer), ended]);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return /^.*\n?/.exec(text)?.[0] ?? "";
}
