import assert from "node:assert/strict";
import fc from "fast-check";
import { Refusal, SECURITY_HEADERS } from "../../src/server/answers.ts";
import { BODIES, readBody } from "../../src/server/body.ts";
import { eventText } from "../../src/server/event_stream.ts";
import { Events } from "../../src/server/events.ts";
import { Guard } from "../../src/server/guard.ts";
import { makeHandler } from "../../src/server/handler.ts";
import { Keys } from "../../src/server/keys.ts";
import { LogStreams } from "../../src/server/logs.ts";
import { Operations } from "../../src/server/operations.ts";
import { Overview } from "../../src/server/overview.ts";
import { wire } from "../../src/wiring.ts";
import { anyText, fuzz } from "./fuzz.ts";

const PORT = 19876;
const home = await Deno.makeTempDir({ prefix: "pikotest-fuzz-" });
addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));
const keys = await Keys.load(home);
const token = await Deno.readTextFile(`${home}/server-token`).then((text) => text.trim());

/** What a request's headers can hold. */
const value = anyText.map((text) => text.replaceAll(/[^\t\x20-\x7e]/g, ""));

const host = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom("localhost", "127.0.0.1", "[::1]").map((name) => `${name}:${PORT}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "evil.example",
      `evil.example:${PORT}`,
      "localhost",
      "localhost:1",
      `LOCALHOST:${PORT}`,
      `127.0.0.1.evil.example:${PORT}`,
      `0.0.0.0:${PORT}`,
      `192.168.0.7:${PORT}`,
      "",
    ),
  },
);

const some = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });

const headers = fc.record({
  host,
  authorization: some(fc.oneof(
    fc.constantFrom(
      `Bearer ${token}`,
      `bearer ${token}`,
      `Bearer ${token}x`,
      "Bearer ",
      token,
      `Basic ${token}`,
    ),
    value,
  )),
  cookie: some(fc.oneof(
    fc.constantFrom(
      `piko-${PORT}=${keys.cookie}`,
      `a=b; piko-${PORT}=${keys.cookie}`,
      `piko-1=${keys.cookie}`,
      `piko-${PORT}=${token}`,
      `xpiko-${PORT}=${keys.cookie}`,
    ),
    value,
  )),
  origin: some(fc.oneof(
    fc.constantFrom(
      `http://localhost:${PORT}`,
      `http://127.0.0.1:${PORT}`,
      "http://localhost:10180",
      "https://evil.example",
      "null",
    ),
    value,
  )),
  "sec-fetch-site": some(fc.constantFrom("same-origin", "same-site", "cross-site", "none", "")),
  "sec-fetch-mode": some(fc.constantFrom("navigate", "cors", "no-cors", "same-origin")),
}).map((headers) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
);

const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS");

/** Makes a request whose address is that of its Host, as Deno's server makes it. */
function requestOf(headers: Record<string, string>, method: string, path = "/", body?: string) {
  const url = `http://${headers.host}${path}`;
  return URL.canParse(url)
    ? new Request(url, { headers, method, ...(body === undefined ? {} : { body }) })
    : undefined;
}

fuzz(
  "the guard lets in nobody without the cookie of this origin or the token of a program",
  fc.tuple(headers, method, fc.boolean()),
  ([headers, method, beyondLoopback]) => {
    const request = requestOf(headers, method);
    if (request === undefined) return;
    const guard = new Guard({ port: PORT, beyondLoopback, keys });
    try {
      guard.checkHost(request);
      guard.check(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      assert.ok(error.status === 401 || error.status === 403);
      return;
    }
    const { host = "", origin, authorization, cookie = "" } = headers;
    const site = headers["sec-fetch-site"];
    const isOwnName = [`localhost:${PORT}`, `127.0.0.1:${PORT}`, `[::1]:${PORT}`].includes(host);
    assert.ok(isOwnName || (beyondLoopback && /^[\d.]+:19876$/.test(host)), host);
    if (authorization !== undefined) {
      assert.match(authorization, new RegExp(`^bearer ${token}$`, "i"));
      assert.ok(origin === undefined && site === undefined, "a browser has the token");
      return;
    }
    assert.match(cookie, new RegExp(`(^|;\\s*)piko-${PORT}=${keys.cookie}(;|$)`));
    assert.ok(origin === undefined || origin === `http://${host}`);
    const isVisit = site === "none" && headers["sec-fetch-mode"] === "navigate";
    assert.ok(site === undefined || site === "same-origin" || isVisit, site);
    if (!["GET", "HEAD"].includes(method)) {
      assert.ok(
        origin !== undefined || site === "same-origin",
        "it changes something, and says not from where",
      );
    }
  },
  { count: 3000 },
);

/** JSON, most of it of the shape that a route takes, and what is no JSON. */
const body = fc.oneof(
  fc.record({
    name: some(fc.oneof(anyText, fc.jsonValue())),
    branch: some(fc.oneof(anyText, fc.jsonValue())),
    from: some(anyText),
    services: some(fc.oneof(fc.array(anyText), fc.jsonValue())),
    volumes: some(fc.oneof(fc.boolean(), fc.jsonValue())),
    force: some(fc.boolean()),
    __proto__: some(fc.jsonValue()),
  }, { requiredKeys: [] }).map((body) => JSON.stringify(body)),
  fc.json(),
  anyText,
  fc.constantFrom(
    "",
    "{",
    '{"name":"a","name":"b"}',
    '{"__proto__":{"x":1}}',
    "[".repeat(5000),
    '"\\ud800"',
  ),
);

fuzz(
  "readBody() reads a body of a known shape, or refuses it",
  fc.tuple(
    body,
    fc.constantFrom(...Object.keys(BODIES) as (keyof typeof BODIES)[]),
    fc.constantFrom("application/json", "Application/JSON; charset=utf-8", "text/plain", ""),
  ),
  async ([text, shape, type]) => {
    const request = new Request("http://localhost/", {
      method: "POST",
      body: text,
      headers: { "content-type": type },
    });
    try {
      const read: Record<string, unknown> = await readBody(request, BODIES[shape]);
      assert.match(type, /^application\/json/i);
      const known = Object.keys(BODIES[shape].entries);
      for (const key of Object.keys(read)) assert.ok(known.includes(key), key);
      if (shape === "create") assert.ok(typeof read.name === "string" && read.name.trim() !== "");
      assert.equal(({} as Record<string, unknown>).x, undefined);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      assert.ok(error.status === 400 || error.status === 413);
    }
  },
  { count: 1000 },
);

fuzz("eventText() keeps one event one event", fc.tuple(anyText, anyText), ([data, name]) => {
  const text = eventText({ type: "log", id: "1", data: JSON.stringify({ data, name }) });
  assert.equal(text.split("\n\n").length, 2);
  assert.ok(text.endsWith("\n\n"));
  assert.doesNotMatch(text.slice(0, -1), /\r/);
}, { count: 1000 });

const segment = fc.oneof(
  fc.constantFrom(
    "api",
    "projects",
    "project",
    "environments",
    "operations",
    "events",
    "tickets",
    "x",
    "up",
    "branches",
    "cancel",
    "logs",
    "..",
    ".",
    "%2e%2e",
    "%2F",
    "%",
    "%ff",
    "style.css",
    "login",
    "",
    "%00",
    "piko",
  ),
  anyText.map((text) => encodeURIComponent(text.toWellFormed())),
);
const path = fc.tuple(
  fc.array(segment, { maxLength: 6 }),
  fc.oneof(
    fc.constant(""),
    anyText.map((text) => `?${encodeURIComponent(text.toWellFormed())}`),
    fc.constantFrom('?"><x-evil>', "?tail=1&since=x", "?ticket=x", "?project=%22%3E%3Cx-evil%3E"),
  ),
).map(([segments, query]) => `/${segments.join("/")}${query}`);

const tools = wire({
  variables: { HOME: home, PIKO_HOME: home, PATH: "/nowhere" },
  command: "piko server",
  block: true,
  create: true,
});
addEventListener("unload", () => tools[Symbol.dispose]());
const failures: unknown[] = [];
const failed = (error: unknown) => void failures.push(error);

/** Makes the server's handler over an empty registry; nothing listens, and no program is there to be started. */
async function handlerOf() {
  const events: Events = new Events(() => ({
    type: "snapshot",
    environments: [],
    projects: [],
    operations: [],
    engine: overview.engine,
  }));
  const publish = () => {};
  const overview: Overview = new Overview({ tools, publish, failed });
  const operations = new Operations(tools, publish, failed);
  await overview.refresh();
  const guard = new Guard({ port: PORT, beyondLoopback: false, keys });
  const fresh = () => overview.settled();
  const parts = {
    tools,
    folder: "/",
    overview,
    fresh,
    events,
    operations,
    logs: new LogStreams(tools, failed),
    keys,
    loginUrl: () => "",
    ending: new AbortController().signal,
  };
  const handler = makeHandler({ parts, guard, web: await import("../../web/page.ts"), failed });
  return { handler, end: () => (overview.end(), events.close(), events[Symbol.dispose]()) };
}

const letIn = fc.constantFrom<Record<string, string>>(
  { authorization: `Bearer ${token}` },
  {
    cookie: `piko-${PORT}=${keys.cookie}`,
    "sec-fetch-site": "same-origin",
    origin: `http://localhost:${PORT}`,
  },
  {},
).map((headers): Record<string, string> => ({
  host: `localhost:${PORT}`,
  "content-type": "application/json",
  ...headers,
}));

const STATUSES = [200, 303, 400, 401, 403, 404, 405, 409, 413, 503];

fuzz(
  "the server answers any request with a document, a page or a refusal",
  fc.array(fc.tuple(letIn, method, path, body), { minLength: 1, maxLength: 40, size: "max" }),
  async (requests) => {
    const { handler, end } = await handlerOf();
    try {
      for (const [headers, method, path, body] of requests) {
        const takesBody = !["GET", "HEAD"].includes(method);
        const request = requestOf(headers, method, path, takesBody ? body : undefined);
        if (request === undefined) continue;
        const response = await handler(request);
        const type = response.headers.get("content-type") ?? "";
        if (type.startsWith("text/event-stream")) {
          await response.body?.cancel();
          continue;
        }
        const text = await response.text();
        assert.ok(STATUSES.includes(response.status), `${response.status} ${text}`);
        assert.deepEqual(failures, []);
        for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
          assert.equal(response.headers.get(name), value);
        }
        assert.ok(!text.includes("<x-evil>"), text);
        if (response.status >= 400 && type.startsWith("application/json")) {
          const { error } = JSON.parse(text);
          assert.equal(typeof error.code, "string");
          assert.ok(error.message !== "");
        }
        if (response.status === 303) assert.equal(response.headers.get("location"), "/");
      }
    } finally {
      end();
    }
  },
  { count: 40, batch: 20 },
);
