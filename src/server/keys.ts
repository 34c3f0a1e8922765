/**
 * The token that opens the server, and what is made of it. The token lies in a file that only its owner reads, and lasts
 * over restarts. A browser never gets it: the address that `piko server` prints holds a ticket, which is good once and
 * for a short time, and is exchanged for a cookie whose value is derived from the token. Browsers send cookies of
 * localhost to every port of it, to the environments' apps too, so what those could log is not what the CLI uses.
 */

import { messageOf, PikoError } from "../domain/errors.ts";

/** Milliseconds for which a ticket is good. */
const TICKET_TIME = 10 * 60_000;

/** The most tickets that are good at once; the oldest make room. */
const MOST_TICKETS = 100;

/** The token, its cookie and the tickets. */
export class Keys {
  readonly #path: string;
  #token: string;
  #cookie: string;
  readonly #tickets = new Map<string, number>();

  private constructor(path: string, token: string, cookie: string) {
    this.#path = path;
    this.#token = token;
    this.#cookie = cookie;
  }

  /** Reads the token of a registry's folder, or makes it when there is none, or `renew` asks for another one. */
  static async load(home: string, { renew = false } = {}): Promise<Keys> {
    const path = tokenPath(home);
    const known = renew ? undefined : await readToken(home);
    const token = known ?? await makeToken(path);
    return new Keys(path, token, await cookieOf(token));
  }

  /** Replaces the token; cookies and tickets of the old one are worth nothing any more. */
  async renew(): Promise<string> {
    this.#token = await makeToken(this.#path);
    this.#cookie = await cookieOf(this.#token);
    this.#tickets.clear();
    return this.#token;
  }

  /** The value of the cookie. */
  get cookie(): string {
    return this.#cookie;
  }

  isToken(text: string): boolean {
    return isSame(text, this.#token);
  }

  isCookie(text: string): boolean {
    return isSame(text, this.#cookie);
  }

  /** Makes a ticket. */
  issueTicket(): string {
    const now = Date.now();
    for (const [ticket, until] of this.#tickets) {
      if (until < now || this.#tickets.size >= MOST_TICKETS) this.#tickets.delete(ticket);
    }
    const ticket = randomText();
    this.#tickets.set(ticket, now + TICKET_TIME);
    return ticket;
  }

  /** Takes a ticket; false when it was taken before, is too old, or was never made. */
  redeemTicket(ticket: string): boolean {
    const until = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return until !== undefined && until >= Date.now();
  }
}

/** Tells where the token of a registry's folder is. */
export function tokenPath(home: string): string {
  return `${home}/server-token`;
}

/** Reads the token; undefined when there is none that only its owner could have read. */
export async function readToken(home: string): Promise<string | undefined> {
  const path = tokenPath(home);
  try {
    const { mode, isFile } = await Deno.lstat(path);
    if (!isFile || (mode !== null && (mode & 0o077) !== 0)) return undefined;
    const text = (await Deno.readTextFile(path)).trim();
    return /^[A-Za-z0-9_-]{43}$/.test(text) ? text : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new PikoError(`Cannot read the server's token ${path}: ${messageOf(error)}`, {
      code: "failed",
      hint: "remove the file; the next piko server makes another one",
      cause: error,
    });
  }
}

async function makeToken(path: string): Promise<string> {
  const token = randomText();
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeTextFile(temporary, `${token}\n`, { createNew: true, mode: 0o600 });
    await Deno.rename(temporary, path);
    return token;
  } catch (error) {
    throw new PikoError(`Cannot write the server's token ${path}: ${messageOf(error)}`, {
      code: "failed",
      hint: "check the rights of its folder, or set PIKO_HOME to another one",
      cause: error,
    });
  }
}

/** 32 random bytes in the alphabet of addresses. */
function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function cookieOf(token: string): Promise<string> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(token), algorithm, false, ["sign"]);
  const mark = await crypto.subtle.sign("HMAC", key, bytes.encode("the cookie of piko server"));
  return base64url(new Uint8Array(mark));
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Compares in a time that does not tell how much of it is right. */
function isSame(text: string, secret: string): boolean {
  let difference = text.length ^ secret.length;
  for (let index = 0; index < secret.length; index++) {
    difference |= text.charCodeAt(index) ^ secret.charCodeAt(index);
  }
  return difference === 0;
}
