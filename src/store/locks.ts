/**
 * One command at a time per environment. The lock is the kernel's (flock): it ends with the process that holds
 * it, also by kill -9. The lock file says who holds it, and is never removed: a waiter that has it open would
 * otherwise lock a file that nobody else can find any more.
 */

import { interrupted, messageOf, PikoError, throwIfInterrupted } from "../domain/errors.ts";

/** Who holds a lock. */
export interface LockHolder {
  /** What the person typed, like "piko up auth". */
  command: string;
  pid: number;
  /** When it got the lock, in ISO 8601. */
  since: string;
}

/** How a lock is taken. */
export interface LockOptions {
  /** What to tell others who want the lock. */
  command: string;
  /** Whether to wait for another holder; otherwise that is a conflict. */
  block: boolean;
  /** Called when waiting starts, and again when another holder comes in between. */
  onWait?: ((holder: LockHolder | undefined) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A lock that is held until it is released. */
export class Lock implements Disposable {
  /** Whether the one who held it before was killed, and may have left programs at work. */
  readonly wasBrokenOff: boolean;
  readonly #file: Deno.FsFile;
  #held = true;

  constructor(file: Deno.FsFile, wasBrokenOff: boolean) {
    this.#file = file;
    this.wasBrokenOff = wasBrokenOff;
  }

  /** Lets the next one in; may be called again. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#file.truncateSync(0);
    this.#letGo();
  }

  /** Lets the next one in, who finds it as one who was killed would have left it. */
  abandon(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#letGo();
  }

  /** Unlocks as well as closes: a program that another thread starts has a copy of the file for a moment. */
  #letGo(): void {
    this.#file.unlockSync();
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Milliseconds between two attempts to get a lock. */
const INTERVAL = 50;

/** Attempts that are made quickly at first: somebody may only look at the lock, or not have said yet who holds it. */
const QUICK_ATTEMPTS = 4;

/** Milliseconds between those. */
const QUICK_INTERVAL = 5;

/**
 * Takes the lock named `key` in a folder of locks, which is made if it is missing. Whoever holds it excludes
 * every other caller, of this process too.
 *
 * @throws {PikoError} conflict when another one holds it and `block` is false; interrupted.
 */
export async function acquireLock(
  folder: string,
  key: string,
  options: LockOptions,
): Promise<Lock> {
  throwIfInterrupted(options.signal);
  const path = lockPath(folder, key);
  const file = await openLockFile(folder, path);
  try {
    let shown: string | undefined;
    for (let attempt = 1; !await file.tryLock(true); attempt++) {
      if (attempt <= QUICK_ATTEMPTS) {
        await pause(QUICK_INTERVAL, options.signal);
        throwIfInterrupted(options.signal);
        continue;
      }
      const holder = await readHolder(path);
      if (!options.block) throw heldBy(holder, "wait until it is done, or leave out --no-block");
      const text = JSON.stringify(holder) ?? "";
      if (shown === undefined || (holder !== undefined && text !== shown)) {
        shown = text;
        options.onWait?.(holder);
      }
      await pause(INTERVAL, options.signal);
      if (options.signal?.aborted) throw interrupted();
    }
    // Whoever comes to an end takes back what it has said.
    const wasBrokenOff = file.statSync().size > 0;
    writeHolder(file, {
      command: options.command,
      pid: Deno.pid,
      since: new Date().toISOString(),
    });
    return new Lock(file, wasBrokenOff);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openLockFile(folder: string, path: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    return await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (error) {
    throw new PikoError(`Cannot open the lock file ${path}: ${messageOf(error)}`, {
      code: "failed",
      cause: error,
    });
  }
}

/** Reads who holds a lock; undefined in the moment between taking it and saying so. */
async function readHolder(path: string): Promise<LockHolder | undefined> {
  const text = await Deno.readTextFile(path);
  // The holder ends its line last: without the end it is still writing.
  if (!text.endsWith("\n")) return undefined;
  try {
    return JSON.parse(text) as LockHolder;
  } catch (error) {
    // Somebody else has written there; the lock is the kernel's all the same.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function writeHolder(file: Deno.FsFile, holder: LockHolder): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(holder)}\n`);
  try {
    file.truncateSync(0);
    for (let sent = 0; sent < bytes.length;) sent += file.writeSync(bytes.subarray(sent));
  } catch {
    // The lock is held all the same. A full disk must not keep `piko destroy` from making room.
  }
}

function heldBy(holder: LockHolder | undefined, hint: string): PikoError {
  const message = holder === undefined
    ? "Another piko is at work on it"
    : `"${holder.command}" (process ${holder.pid}) is at work on it`;
  return new PikoError(message, { code: "conflict", hint });
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}

/** Tells whether somebody holds the lock named `key` now. */
export async function isLocked(folder: string, key: string): Promise<boolean> {
  return (await inspectLock(folder, key)).held;
}

/** What a lock says without being taken. */
export interface LockState {
  /** Whether somebody holds it now. */
  held: boolean;
  /** Who does; of a free lock the one who was killed while they held it. */
  holder: LockHolder | undefined;
}

/** Looks at the lock named `key` without taking it. */
export async function inspectLock(folder: string, key: string): Promise<LockState> {
  const path = lockPath(folder, key);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { held: false, holder: undefined };
    throw error;
  }
  // Not `using`, which the minifier takes away from what is used once: the file would stay open, and locked.
  try {
    const held = !await file.tryLock(false);
    return { held, holder: await readHolder(path) };
  } finally {
    file.close();
  }
}

/**
 * Refuses a lock that somebody holds now, and takes it for nobody.
 *
 * @throws {PikoError} conflict that says who holds it.
 */
export async function refuseHeld(folder: string, key: string): Promise<void> {
  const { held, holder } = await inspectLock(folder, key);
  if (held) throw heldBy(holder, "wait until it is done");
}

function lockPath(folder: string, key: string): string {
  return `${folder}/${encodeURIComponent(key)}.lock`;
}
