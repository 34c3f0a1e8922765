/**
 * One server for one registry. The one that runs holds a lock and has written where it listens; another `piko server`
 * asks it, with the token that only this person can read, for an address that lets a browser in.
 */

import { messageOf, PikoError, throwIfInterrupted } from "../domain/errors.ts";
import { locksFolder } from "../operations/lock_names.ts";
import type { Tools } from "../operations/tools.ts";
import { pause } from "../programs/pause.ts";
import { acquireLock, inspectLock, type Lock } from "../store/locks.ts";
import { readToken } from "./keys.ts";

/** No environment's lock is called so: those begin with the number of a project. */
const LOCK = "server";

/** Milliseconds that a server gets between taking the lock and listening. */
const STARTING = 20_000;

/** Milliseconds that a server gets to answer; one that was stopped accepts a connection, and never would. */
const ANSWERING = 5000;

/** Takes the place of the one server; undefined when another one has it. */
export async function claimServer(tools: Tools): Promise<Lock | undefined> {
  try {
    return await acquireLock(locksFolder(tools), LOCK, { command: tools.command, block: false });
  } catch (error) {
    if (error instanceof PikoError && error.code === "conflict") return undefined;
    throw error;
  }
}

/** Where the server is reached. */
interface Place {
  pid: number;
  /** With its brackets, if it is one of IPv6. */
  address: string;
  port: number;
}

/** Says where the server listens. */
export async function announceServer({ home }: Tools, host: string, port: number): Promise<void> {
  const path = placePath(home);
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const place: Place = { pid: Deno.pid, address: host.includes(":") ? "[::1]" : "127.0.0.1", port };
  await Deno.writeTextFile(temporary, `${JSON.stringify(place)}\n`, {
    createNew: true,
    mode: 0o600,
  });
  await Deno.rename(temporary, path);
}

/** Says that the server no longer listens. */
export async function withdrawServer({ home }: Tools): Promise<void> {
  try {
    await Deno.remove(placePath(home));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Asks the server that runs for an address that lets a browser in once.
 *
 * @param renew also has it make another token.
 * @throws {PikoError} unavailable when it does not answer, interrupted.
 */
export async function askServer(
  tools: Tools,
  renew: boolean,
  signal: AbortSignal,
): Promise<{ pid: number; url: string }> {
  const deadline = performance.now() + STARTING;
  for (;;) {
    const place = await findPlace(tools.home);
    const token = await readToken(tools.home);
    let why = place === undefined
      ? "it does not listen yet"
      : `${tools.home}/server-token is not there, or others can read it`;
    if (place !== undefined && token !== undefined) {
      try {
        return { pid: place.pid, url: await askAt(place, token, renew, signal) };
      } catch (error) {
        // It may be about to end.
        if (!(error instanceof TypeError)) throw error;
        why = messageOf(error);
      }
    }
    if (performance.now() >= deadline) {
      throw silent(why);
    }
    await pause(100, signal);
    throwIfInterrupted(signal);
  }
}

async function askAt(
  { pid, address, port }: Place,
  token: string,
  renew: boolean,
  signal: AbortSignal,
): Promise<string> {
  const late = AbortSignal.timeout(ANSWERING);
  try {
    const response = await fetch(
      `http://${address}:${port}/api/${renew ? "token" : "tickets"}`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: "{}",
        signal: AbortSignal.any([signal, late]),
      },
    );
    if (!response.ok) throw new TypeError(`it answered ${response.status}`);
    return (await response.json() as { url: string }).url;
  } catch (error) {
    throwIfInterrupted(signal);
    if (error instanceof SyntaxError) throw silent(messageOf(error), error);
    if (!late.aborted) throw error;
    throw new PikoError(
      `A piko server (process ${pid}) runs for this registry and does not answer within ${
        ANSWERING / 1000
      } s`,
      {
        code: "unavailable",
        hint: `let it go on, if it was stopped: kill -CONT ${pid}, or end it: kill -9 ${pid}`,
        cause: error,
      },
    );
  }
}

function silent(why: string, cause?: unknown): PikoError {
  return new PikoError(`A piko server runs for this registry and does not answer: ${why}`, {
    code: "unavailable",
    hint: "piko doctor",
    cause,
  });
}

/**
 * Finds where the server that holds the lock listens; undefined before it has said so. What one before it has left would
 * lead to whoever listens there now, and give them the token.
 */
async function findPlace(home: string): Promise<Place | undefined> {
  let place: Place;
  try {
    place = JSON.parse(await Deno.readTextFile(placePath(home))) as Place;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const { holder } = await inspectLock(locksFolder({ home }), LOCK);
  return holder?.pid === place.pid ? place : undefined;
}

function placePath(home: string): string {
  return `${home}/server.json`;
}
