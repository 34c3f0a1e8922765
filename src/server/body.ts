/** Reads the bodies of requests: JSON alone, of a bounded size, within a bounded time, and of a known shape. */

import * as v from "valibot";
import { Refusal } from "./answers.ts";

/** The most bytes of a body. */
export const MOST_BYTES = 64 * 1024;

/** Milliseconds within which a body must be there. */
const BODY_TIME = 10_000;

const text = v.string("must be text");
const flag = v.boolean("must be true or false");

/** The bodies that the routes take; other fields than these are refused. */
export const BODIES = {
  none: v.strictObject({}),
  create: v.strictObject({
    name: v.pipe(text, v.trim(), v.nonEmpty("must not be empty")),
    branch: v.optional(v.pipe(text, v.trim(), v.nonEmpty("must not be empty"))),
    from: v.optional(v.pipe(text, v.trim(), v.nonEmpty("must not be empty"))),
  }),
  services: v.strictObject({ services: v.optional(v.array(text, "must be a list"), []) }),
  destroy: v.strictObject({
    volumes: v.optional(flag, false),
    force: v.optional(flag, false),
    fingerprint: v.optional(text),
  }),
};

/**
 * Reads the body of a request.
 *
 * @throws {Refusal} 400 for what is not JSON or has another shape, 413 for too much of it.
 */
export async function readBody<Schema extends v.GenericSchema>(
  request: Request,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const type = request.headers.get("content-type") ?? "";
  if (type.split(";", 1)[0]?.trim().toLowerCase() !== "application/json") {
    throw new Refusal(400, "The body must be JSON", { hint: "Content-Type: application/json" });
  }
  const whole = await readText(request);
  const { success, output, issues } = v.safeParse(schema, whole === "" ? {} : parse(whole));
  if (success) return output;
  const [issue] = issues;
  const field = issue.path?.map(({ key }) => String(key)).join(".");
  if (field === undefined) throw new Refusal(400, "The body must be an object");
  const what = issue.expected === "never"
    ? "is not known"
    : issue.input === undefined
    ? "is missing"
    : issue.message;
  throw new Refusal(400, `The field "${field}" ${what}`, { field });
}

function parse(whole: string): unknown {
  try {
    return JSON.parse(whole);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refusal(400, `The body is not JSON: ${error.message}`);
  }
}

async function readText({ headers, body }: Request): Promise<string> {
  if (Number(headers.get("content-length") ?? 0) > MOST_BYTES) throw tooLarge();
  if (body === null) return "";
  const reader = body.getReader();
  const timer = setTimeout(() => void reader.cancel(new Refusal(400, "")), BODY_TIME);
  const decoder = new TextDecoder();
  let whole = "";
  let size = 0;
  const begun = performance.now();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done && performance.now() - begun >= BODY_TIME) {
        throw new Refusal(400, "The body did not come");
      }
      if (done) return whole + decoder.decode();
      size += value.length;
      if (size > MOST_BYTES) throw tooLarge();
      whole += decoder.decode(value, { stream: true });
    }
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, `The body is larger than ${MOST_BYTES / 1024} KiB`);
}
