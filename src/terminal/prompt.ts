/** Asks the person at the terminal. */

import { interrupted } from "../domain/errors.ts";

/** Tells whether there is a person to ask: both ends of the conversation are a terminal. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** Asks a question that only `y` or `yes` answers with yes; the end of the input is a no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  Deno.stderr.writeSync(new TextEncoder().encode(`${question} [y/N] `));
  const answer = await readLine(signal);
  return /^y(es)?$/i.test(answer.trim());
}

async function readLine(signal: AbortSignal): Promise<string> {
  const ended = new Promise<null>((_, reject) => {
    signal.addEventListener("abort", () => reject(interrupted()), { once: true });
  });
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1024);
  let text = "";
  while (!text.includes("\n")) {
    const count = await Promise.race([Deno.stdin.read(buffer), ended]);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text.split("\n", 1)[0] ?? "";
}
