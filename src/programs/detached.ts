/** Programs with a window of their own: they are started and left to themselves. */

import { start, type Variables } from "./run.ts";

/** Milliseconds in which a program that hands its work on, or cannot do it, ends. */
const SETTLING_TIME = 1500;

/**
 * Starts a program that outlives piko, in a session of its own and without piko's streams.
 *
 * @returns its exit code when it ends at once, as a starter does, and 0 when it goes on.
 */
export async function startDetached(
  argv: readonly string[],
  options: { cwd?: string | undefined; variables: Variables },
): Promise<number> {
  const child = start(argv, { ...options, detached: true }, {
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  child.unref();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settled = new Promise<number>((resolve) => {
    timer = setTimeout(() => resolve(0), SETTLING_TIME);
  });
  const exitCode = await Promise.race([child.status.then(({ code }) => code), settled]);
  clearTimeout(timer);
  return exitCode;
}

/** Finds a program as a shell would: by its path, or on the PATH. */
export async function findProgram(
  program: string,
  variables: Variables,
): Promise<string | undefined> {
  if (program === "") return undefined;
  const paths = program.includes("/")
    ? [program]
    : (variables.PATH ?? "").split(":").map((folder) => `${folder || "."}/${program}`);
  for (const path of paths) if (await isExecutable(path)) return path;
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    return isFile && (mode === null || (mode & 0o111) !== 0);
  } catch {
    // Whatever keeps it from being looked at keeps it from being started.
    return false;
  }
}
