/**
 * Programs that a test writes and then starts. The tests run side by side as threads of one process: while one writes a
 * file, another can start a program, which holds that file open for writing until it has become another program; to start the file
 * fails meanwhile (ETXTBSY, "Text file busy"). So a program of its own, which starts nothing, writes it.
 */

import { run } from "../src/programs/run.ts";

/** Writes an executable file, and the folders above it. */
export async function writeProgram(path: string, text: string): Promise<void> {
  await run(["install", "-D", "-m", "755", "/dev/stdin", path], { input: text });
}

/** Copies an executable file. */
export async function copyProgram(from: string, to: string): Promise<void> {
  await run(["install", "-m", "755", from, to]);
}
