/**
 * fzf, the picker that many have at their fingertips. Entries go in on its standard input, each behind its number, and
 * the number alone is read again from what comes out; fzf talks to the person by /dev/tty.
 */

import { CommandError } from "../domain/errors.ts";
import { start, type Variables, writeInput } from "./run.ts";

/** Exit codes besides 0 that say that nothing was picked: nothing matched, and left by Esc or Ctrl+C (fzf(1)). */
const NOTHING_PICKED = [1, 130];

/** Options that the answer depends on stand here, since they win over those of FZF_DEFAULT_OPTS. */
const OPTIONS = [
  ...["--no-multi", "--no-print-query", "--no-expect", "--no-print0", "--no-read0"],
  ...["--no-select-1", "--no-exit-0", "--delimiter=\t", "--with-nth=2.."],
  ...["--layout=reverse", "--height=50%", "--tabstop=1"],
];

/**
 * Lets a person pick one of the entries, which are lines.
 *
 * @returns its index, or undefined when they leave or the signal comes.
 * @throws {PikoError} unavailable when there is no fzf.
 * @throws {CommandError} when fzf fails, as an old one does that does not know an option.
 */
export async function pickWithFzf(
  entries: readonly string[],
  { title, variables, signal }: { title: string; variables: Variables; signal: AbortSignal },
): Promise<number | undefined> {
  const argv = ["fzf", ...OPTIONS, `--prompt=${title}: `];
  // No process group of its own: one in the background may not ask the terminal.
  const child = start(argv, { variables }, { stdin: "piped", stdout: "piped", stderr: "inherit" });
  const end = () => child.kill("SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  try {
    const [chosen, { code, signal: killedBy }] = await Promise.all([
      new Response(child.stdout).text(),
      child.status,
      writeInput(child, entries.map((entry, index) => `${index}\t${entry}\n`).join("")),
    ]);
    if (signal.aborted || NOTHING_PICKED.includes(code)) return undefined;
    const number = /^(\d+)\t/m.exec(chosen)?.[1];
    if (code === 0 && number !== undefined) return Number(number);
    throw new CommandError(argv, { exitCode: code, signal: killedBy, stderr: "" });
  } finally {
    signal.removeEventListener("abort", end);
  }
}
