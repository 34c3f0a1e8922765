/**
 * Makes the fingerprint of the work that an environment's worktree alone has: whoever has agreed to lose what was shown has
 * not agreed to what came since. Files count with what the disk says of them, not with all their bytes, of which there may be
 * more than can be read while somebody waits.
 */

import { CommandError, PikoError, throwIfInterrupted, type UnsavedWork } from "../domain/errors.ts";
import type { Tools } from "./tools.ts";

/** Makes the fingerprint of work in a folder: 64 hexadecimal digits, others as soon as anything of it is other. */
export async function fingerprintWork(
  tools: Pick<Tools, "git">,
  path: string,
  work: UnsavedWork,
  signal: AbortSignal | undefined,
): Promise<string> {
  const traces: string[] = [];
  await traceWork(tools, path, work, signal, traces);
  const bytes = new TextEncoder().encode(JSON.stringify(traces.sort()));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function traceWork(
  tools: Pick<Tools, "git">,
  folder: string,
  { files, commits }: UnsavedWork,
  signal: AbortSignal | undefined,
  traces: string[],
): Promise<void> {
  traces.push(...commits);
  for (const line of files) {
    const [state = "", relative = ""] = splitLine(line);
    const path = `${folder}/${relative}`;
    const info = await findInfo(path);
    traces.push(`${state} ${trace(path, info)}`);
    if (!info?.isDirectory) continue;
    // git lists a repository by its folder alone: a submodule can tell what is in it, of another one all is.
    const isToldOf = state !== "untracked" && await traceRepository(tools, path, signal, traces);
    if (!isToldOf) await traceFolder(path, signal, traces);
  }
}

/** Traces a submodule, and tells whether git could look into it. */
async function traceRepository(
  tools: Pick<Tools, "git">,
  path: string,
  signal: AbortSignal | undefined,
  traces: string[],
): Promise<boolean> {
  try {
    const { files, commits } = await tools.git.listWork(path, { signal });
    traces.push(`${await tools.git.findCommit(path, "HEAD", { signal })} ${path}`);
    const lines = files.map(({ state, path }) => `${state}: ${path}`);
    await traceWork(tools, path, { files: lines, commits }, signal, traces);
    return true;
  } catch (error) {
    throwIfInterrupted(signal);
    if (error instanceof PikoError || error instanceof CommandError) return false;
    throw error;
  }
}

async function traceFolder(
  folder: string,
  signal: AbortSignal | undefined,
  traces: string[],
): Promise<void> {
  throwIfInterrupted(signal);
  const entries = await unlessUnreadable(() => Array.fromAsync(Deno.readDir(folder))) ?? [];
  for (const { name, isDirectory } of entries) {
    const path = `${folder.replace(/\/$/, "")}/${name}`;
    traces.push(trace(path, await findInfo(path)));
    if (isDirectory) await traceFolder(path, signal, traces);
  }
}

/** Writes what the disk says of a path; the time of change tells of a file that was put in place of another as old and long. */
function trace(path: string, info: Deno.FileInfo | undefined): string {
  return JSON.stringify([path, info?.size, info?.mtime?.getTime(), info?.ctime?.getTime()]);
}

function splitLine(line: string): string[] {
  const colon = line.indexOf(": ");
  return [line.slice(0, colon), line.slice(colon + 2)];
}

function findInfo(path: string): Promise<Deno.FileInfo | undefined> {
  return unlessUnreadable(() => Deno.lstat(path));
}

/** Reads what may have gone meanwhile, or may not be read: then nobody can tell what becomes of it. */
async function unlessUnreadable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const { NotFound, NotADirectory, PermissionDenied } = Deno.errors;
    const isExpected = [NotFound, NotADirectory, PermissionDenied].some((kind) =>
      error instanceof kind
    );
    if (isExpected) return undefined;
    throw error;
  }
}
