/** What the server answers with: documents, refusals, and the headers that every answer has. */

import type { ErrorBody } from "../domain/api.ts";
import { type ErrorCode, PikoError } from "../domain/errors.ts";
import { describeFailure } from "../domain/failure.ts";

/** A refusal that has a status of its own among those of HTTP. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 503;
  readonly hint: string | null;
  readonly field: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: Refusal["status"],
    message: string,
    options: { hint?: string; field?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.hint = options.hint ?? null;
    this.field = options.field;
    this.headers = options.headers ?? {};
  }
}

/** An expected failure that is about one field of the request's body. */
export class FieldError extends Error {
  override readonly name = "FieldError";
  readonly field: string;
  override readonly cause: PikoError;

  constructor(field: string, cause: PikoError) {
    super(cause.message);
    this.field = field;
    this.cause = cause;
  }
}

const STATUSES: Readonly<Record<ErrorCode, number>> = {
  usage: 400,
  "not-found": 404,
  conflict: 409,
  unavailable: 503,
  failed: 500,
  interrupted: 503,
};

const REFUSAL_CODES: Readonly<Record<Refusal["status"], string>> = {
  400: "usage",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  405: "method-not-allowed",
  413: "too-large",
  503: "unavailable",
};

/** The headers of every answer; a policy without inline script, and nothing for other pages to read or frame. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** Answers with a document. */
export function answerJson(value: unknown, status = 200): Response {
  return answerText(JSON.stringify(value), status);
}

/** Answers with a document that is JSON already. */
export function answerText(text: string, status = 200): Response {
  return new Response(text, {
    status,
    headers: {
      ...SECURITY_HEADERS,
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
    },
  });
}

/** Answers with a page. */
export function answerHtml(
  html: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(html, {
    status,
    headers: {
      ...SECURITY_HEADERS,
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      ...headers,
    },
  });
}

/** Answers with what went wrong, in the words of the CLI. */
export function answerError(error: unknown): Response {
  const response = answerJson({ error: errorBody(error) } satisfies ErrorBody, statusOf(error));
  if (error instanceof Refusal) {
    for (const [name, value] of Object.entries(error.headers)) response.headers.set(name, value);
  }
  return response;
}

/** Tells whether an error is a bug, which should be said on the server's terminal too. */
export function isBug(error: unknown): boolean {
  return !(error instanceof Refusal) && !(error instanceof FieldError) &&
    describeFailure(error).code === "bug";
}

/** Makes the words of an error. */
export function errorBody(error: unknown): ErrorBody["error"] {
  if (error instanceof Refusal) {
    const { status, message, hint, field } = error;
    return {
      code: REFUSAL_CODES[status],
      message,
      hint,
      ...(field === undefined ? {} : { field }),
    };
  }
  if (error instanceof FieldError) return { ...errorBody(error.cause), field: error.field };
  const { code, message, hint, details, unsaved, stderr } = describeFailure(error);
  // The stack of a bug is for the server's terminal.
  const told = code === "bug" ? [] : [...details, ...stderr];
  return {
    code: code === "bug" ? "failed" : code,
    message: code === "bug"
      ? "This is a bug in piko; the terminal of piko server says more"
      : message,
    hint: hint ?? null,
    ...(told.length === 0 ? {} : { details: told }),
    ...(unsaved === undefined ? {} : { unsaved }),
  };
}

function statusOf(error: unknown): number {
  if (error instanceof Refusal) return error.status;
  if (error instanceof FieldError) return statusOf(error.cause);
  return error instanceof PikoError ? STATUSES[error.code] : 500;
}
