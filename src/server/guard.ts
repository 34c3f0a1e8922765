/**
 * Who may ask. The name in Host keeps other names than this machine's own out (DNS rebinding); what browsers say about
 * where a request comes from keeps other pages out, those of environments' apps on localhost among them, which are
 * same-site to this one; and cookie or token keep everybody else out. The token is for programs alone: with it a request
 * must show no sign of a browser. Forwarded headers are not looked at.
 */

import { Refusal } from "./answers.ts";
import type { Keys } from "./keys.ts";

/** What the guard must know of the server. */
export interface GuardOptions {
  /** The port that the server listens on. */
  port: number;
  /** Whether it listens beyond loopback, and so is reached by other addresses too. */
  beyondLoopback: boolean;
  keys: Keys;
}

/** The names of this machine that nobody else can have. */
const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];

/** An IPv4 or IPv6 address, as it stands in Host: no DNS can make it another one. */
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/** Seconds for which a browser keeps the cookie: as long as browsers do (400 days). */
const COOKIE_AGE = 400 * 24 * 3600;

/** Lets requests in, or says why not. */
export class Guard {
  readonly #port: number;
  readonly #beyondLoopback: boolean;
  readonly #keys: Keys;

  constructor({ port, beyondLoopback, keys }: GuardOptions) {
    this.#port = port;
    this.#beyondLoopback = beyondLoopback;
    this.#keys = keys;
  }

  /**
   * Makes sure that the server is asked by one of its own names.
   *
   * @throws {Refusal} 403.
   */
  checkHost(request: Request): void {
    const host = request.headers.get("host");
    const isOwn = host !== null && this.#nameIn(host) !== undefined &&
      // A request line with a whole address could name another one than Host does.
      request.url.startsWith(`http://${host}/`);
    if (isOwn) return;
    throw new Refusal(403, "This is not a name of this server", {
      hint: `open http://localhost:${this.#port}`,
    });
  }

  /**
   * Keeps other pages from loading what every browser may load.
   *
   * @throws {Refusal} 403.
   */
  checkAsset(request: Request): void {
    const site = request.headers.get("sec-fetch-site");
    if (site === null || site === "same-origin" || site === "none") return;
    throw otherPage();
  }

  /**
   * Makes sure that whoever asks may: a browser of this page's own origin with the cookie, or a program with the token.
   *
   * @throws {Refusal} 401 without cookie and token, 403 when the request comes from another page.
   */
  check(request: Request): void {
    const { headers, method } = request;
    const site = headers.get("sec-fetch-site");
    const origin = headers.get("origin");
    const authorization = headers.get("authorization");
    if (authorization !== null) {
      if (site !== null || origin !== null) {
        throw new Refusal(403, "The token is for programs, and this request comes from a browser", {
          hint: "piko server prints an address that lets a browser in",
        });
      }
      const token = /^Bearer ([A-Za-z0-9_-]+)$/i.exec(authorization)?.[1];
      if (token === undefined || !this.#keys.isToken(token)) throw noEntry();
      return;
    }
    const isRead = method === "GET" || method === "HEAD";
    const host = headers.get("host") ?? "";
    if (origin !== null && origin !== `http://${host}`) throw otherPage();
    if (site === "same-origin") return this.#checkCookie(request);
    if (site !== null) {
      const isNavigation = isRead && site === "none" &&
        headers.get("sec-fetch-mode") === "navigate";
      if (!isNavigation) throw otherPage();
      return this.#checkCookie(request);
    }
    this.#checkCookie(request);
    if (origin !== null) return;
    // Browsers say where a request comes from only to this machine itself and over HTTPS. Elsewhere the cookie, which
    // they send to no other site's page, must do for what changes nothing.
    const isElsewhere = this.#beyondLoopback &&
      !LOOPBACK_NAMES.includes(this.#nameIn(host) ?? "localhost");
    if (isRead && isElsewhere) return;
    throw new Refusal(403, "The request does not say where it comes from", {
      hint: "a program needs the token: Authorization: Bearer TOKEN",
    });
  }

  /** The header that gives a browser the cookie. */
  setCookie(): string {
    return `${this.#cookieName}=${this.#keys.cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${COOKIE_AGE}`;
  }

  /** Tells whether a request has the cookie. */
  hasCookie(request: Request): boolean {
    const cookies = (request.headers.get("cookie") ?? "").split(";").map((text) => text.trim());
    const start = `${this.#cookieName}=`;
    return cookies.some((cookie) =>
      cookie.startsWith(start) && this.#keys.isCookie(cookie.slice(start.length))
    );
  }

  /** With the port, since cookies do not heed it: two servers would take each other's place. */
  get #cookieName(): string {
    return `piko-${this.#port}`;
  }

  #checkCookie(request: Request): void {
    if (!this.hasCookie(request)) throw noEntry();
  }

  /** The name in a Host header, when it is one of the server's with its port. */
  #nameIn(host: string): string | undefined {
    const end = `:${this.#port}`;
    const name = host.endsWith(end) ? host.slice(0, -end.length) : this.#port === 80 ? host : "";
    const isOwn = LOOPBACK_NAMES.includes(name) || (this.#beyondLoopback && ADDRESS.test(name));
    return isOwn ? name : undefined;
  }
}

function otherPage(): Refusal {
  return new Refusal(403, "The request comes from another page");
}

function noEntry(): Refusal {
  return new Refusal(401, "You are not let in", {
    hint: "run piko server, which prints an address that lets this browser in",
  });
}
