/**
 * Brings files that git ignores from the root into a worktree, as a link or as a copy, and takes links back. Nothing
 * that is there is overwritten, and nothing is made behind a link that leads out of the worktree.
 */

import { CommandError, PikoError } from "../domain/errors.ts";
import { quote } from "../domain/names.ts";
import { plainPath, problemOfCarriedPath } from "../domain/relative_path.ts";
import { tryRun } from "./run.ts";

/** Whether something was brought, or why not. */
export interface Carried {
  made: boolean;
  reason?: string;
}

/** A link that piko has made. */
export interface CarriedLink {
  /** From the worktree. */
  path: string;
  /** Where it points to, absolute. */
  target: string;
}

/**
 * Makes a link in the worktree to the same path of the root, `<root>/<path>`, with the folders on the way.
 *
 * @throws {PikoError} usage for a path that leaves the root or is a part of `.git` or `.piko`.
 */
export async function linkFromRoot(
  root: string,
  worktree: string,
  path: string,
): Promise<Carried> {
  const ways = await prepare(root, worktree, path);
  if ("reason" in ways) return { made: false, reason: ways.reason };
  try {
    // The system refuses it when something is there by now.
    await Deno.symlink(ways.source, ways.target);
    return { made: true };
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return { made: false, reason: "it exists" };
    throw failure("link", path, error);
  }
}

/**
 * Copies a file or folder of the root to the same path of the worktree; the file system shares the blocks where it can.
 * Links in a folder are copied as links; a path that is a link itself is copied as what it points to. A copy that
 * fails or is interrupted leaves nothing under the path.
 *
 * @throws {PikoError} usage for a path that leaves the root or is a part of `.git` or `.piko`; failed when something
 *   cannot be read or written; interrupted.
 */
export async function copyFromRoot(
  root: string,
  worktree: string,
  path: string,
  signal?: AbortSignal,
): Promise<Carried> {
  const ways = await prepare(root, worktree, path);
  if ("reason" in ways) return { made: false, reason: ways.reason };
  const slash = ways.target.lastIndexOf("/");
  const beside = `${ways.target.slice(0, slash)}/.piko-copy-${crypto.randomUUID()}`;
  try {
    await copy(ways.source, beside, signal);
    if (await lstat(ways.target) !== undefined) return { made: false, reason: "it exists" };
    await Deno.rename(beside, ways.target);
    return { made: true };
  } catch (error) {
    throw failure("copy", path, error);
  } finally {
    await removeAll(beside);
  }
}

/** Removes a link that still points to where piko let it point; tells whether it did. */
export async function removeCarried(worktree: string, link: CarriedLink): Promise<boolean> {
  if (problemOfCarriedPath(link.path) !== undefined) return false;
  const path = plainPath(link.path);
  const full = `${worktree}/${path}`;
  if (!(await lstat(full))?.isSymlink || await Deno.readLink(full) !== link.target) return false;
  if (!await leadsInside(worktree, parentOf(full))) return false;
  await Deno.remove(full);
  return true;
}

/** Checks both ends and makes the folders on the way. */
async function prepare(
  root: string,
  worktree: string,
  typed: string,
): Promise<{ source: string; target: string } | { reason: string }> {
  const problem = problemOfCarriedPath(typed);
  if (problem !== undefined) throw new PikoError(`${quote(typed)} ${problem}`, { code: "usage" });
  const path = plainPath(typed);
  const source = `${root}/${path}`;
  const target = `${worktree}/${path}`;
  if (!await isReachable(source)) return { reason: `it is not in ${root}` };
  if (await lstat(target) !== undefined) return { reason: "it exists" };
  // The folders of the path that are there may be links of the branch, to anywhere.
  let there = parentOf(target);
  while (await lstat(there) === undefined) there = parentOf(there);
  if (!await leadsInside(worktree, there)) {
    return { reason: `${there} leads out of the worktree` };
  }
  if (!await isFolder(there)) return { reason: `${there} is not a folder` };
  try {
    await Deno.mkdir(parentOf(target), { recursive: true });
  } catch (error) {
    throw failure("bring", path, error);
  }
  return { source, target };
}

async function copy(
  source: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // -H follows the named path alone. macOS clones with -c; a cp that knows no cloning gets the second try.
  const ways = Deno.build.os === "darwin"
    ? [["-c", "-R", "-p", "-H"], ["-R", "-p", "-H"]]
    : [["-a", "-H", "--reflink=auto"], ["-a", "-H"]];
  for (const [index, options] of ways.entries()) {
    const argv = ["cp", ...options, "--", source, target];
    const outcome = await tryRun(argv, { signal });
    if (outcome.exitCode === 0) return;
    const knowsNoCloning = /option|reflink|clone|not supported/i.test(outcome.stderr);
    if (index > 0 || !knowsNoCloning) throw new CommandError(argv, outcome);
    await removeAll(target);
  }
}

function failure(verb: string, path: string, error: unknown): PikoError {
  if (error instanceof PikoError) return error;
  return new PikoError(`Cannot ${verb} ${quote(path)}`, { code: "failed", cause: error });
}

/** Tells whether a path, its links resolved, lies in a folder or is it. */
async function leadsInside(folder: string, path: string): Promise<boolean> {
  try {
    const [outer, inner] = await Promise.all([Deno.realPath(folder), Deno.realPath(path)]);
    return inner === outer || inner.startsWith(`${outer}/`);
  } catch (error) {
    // A link to nothing leads nowhere.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeAll(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

async function isReachable(path: string): Promise<boolean> {
  return await orUndefined(Deno.stat(path)) !== undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return (await orUndefined(Deno.stat(path)))?.isDirectory ?? false;
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  return await orUndefined(Deno.lstat(path));
}

async function orUndefined(asked: Promise<Deno.FileInfo>): Promise<Deno.FileInfo | undefined> {
  try {
    return await asked;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.FilesystemLoop;
    if (isMissing) return undefined;
    throw error;
  }
}
