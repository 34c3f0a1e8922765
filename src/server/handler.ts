/** Answers every request: the guard first, then the files of the page, the page, and the API. */

import { answerError, answerHtml, isBug, Refusal, SECURITY_HEADERS } from "./answers.ts";
import { answerApi, type Parts, wrongMethod } from "./api.ts";
import type { Guard } from "./guard.ts";
import { answerOutside, answerPage, type Web } from "./page.ts";

/** What the handler works with. */
export interface HandlerOptions {
  parts: Parts;
  guard: Guard;
  web: Web;
  /** Is told of what nobody expects. */
  failed: (error: unknown) => void;
}

/** Makes the function that answers requests. */
export function makeHandler(
  { parts, guard, web, failed }: HandlerOptions,
): (request: Request) => Promise<Response> {
  const files = web.loadAssets();
  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      if (isBug(error)) failed(error);
      return answerError(error);
    }
  };

  async function answer(request: Request): Promise<Response> {
    guard.checkHost(request);
    const url = new URL(request.url);
    const file = (await files).get(url.pathname);
    if (file !== undefined) {
      guard.checkAsset(request);
      requireRead(request);
      return new Response(file.text, {
        headers: {
          ...SECURITY_HEADERS,
          "content-type": file.type,
          "cache-control": file.isFixed ? "private, max-age=31536000, immutable" : "no-cache",
        },
      });
    }
    if (url.pathname === "/login") return login(request, url);
    const address = web.pageAddress(url) ?? (isLedAstray(request, url) ? "/" : undefined);
    try {
      guard.check(request);
    } catch (error) {
      if (address === undefined || !(error instanceof Refusal)) throw error;
      return outside(request, error, address);
    }
    if (address === undefined) return await answerApi(parts, request, url);
    requireRead(request);
    return await answerPage(parts, url, web);
  }

  /** Exchanges a ticket for the cookie; a browser that has the cookie goes on to the page in any case. */
  function login(request: Request, url: URL): Response {
    requireRead(request);
    const isIn = parts.keys.redeemTicket(url.searchParams.get("ticket") ?? "");
    if (!isIn && !guard.hasCookie(request)) {
      return answerOutside({
        status: 401,
        message: "This address was used already, or is too old.",
        again: undefined,
      });
    }
    return answerHtml("", 303, {
      location: "/",
      ...(isIn ? { "set-cookie": guard.setCookie() } : {}),
    });
  }
}

function outside(request: Request, { status, message }: Refusal, address: string): Response {
  const site = request.headers.get("sec-fetch-site");
  const isVisit = request.headers.get("sec-fetch-mode") === "navigate";
  const cameFromElsewhere = isVisit && (site === "cross-site" || site === "same-site");
  return answerOutside({
    status: status === 403 ? 403 : 401,
    message: `${message}.`,
    again: cameFromElsewhere ? address : undefined,
  });
}

/** Tells whether somebody looks for a page at an address that is none: the page says so, not the API. */
function isLedAstray({ method, headers }: Request, { pathname }: URL): boolean {
  return (method === "GET" || method === "HEAD") && !pathname.startsWith("/api/") &&
    (headers.get("accept") ?? "").includes("text/html");
}

function requireRead({ method }: Request): void {
  if (method !== "GET" && method !== "HEAD") throw wrongMethod(["GET"]);
}
