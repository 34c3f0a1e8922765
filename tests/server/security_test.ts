/** The rules of who may ask the server, each tried by an attack on a real socket of the built piko. */

import assert from "node:assert/strict";
import { Background } from "../background.ts";
import { hasIpv6 } from "../ipv6.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";

/** An answer as it came over the socket. */
interface Answer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** A server at work, spoken to byte by byte: a browser's `fetch` would not let Host and Origin be forged. */
class Target implements AsyncDisposable {
  readonly port: number;
  readonly token: string;
  readonly url: URL;
  readonly #piko: Background;
  cookie = "";

  private constructor(piko: Background, url: URL, token: string) {
    this.#piko = piko;
    this.url = url;
    this.port = Number(url.port);
    this.token = token;
  }

  static async start(sandbox: Sandbox): Promise<Target> {
    const piko = Background.piko(sandbox, ["server", "--no-open", "--port", "0"]);
    await until("the address", () => piko.stdout.length > 0);
    const token = (await Deno.readTextFile(`${sandbox.variables.PIKO_HOME}/server-token`)).trim();
    const target = new Target(piko, new URL(piko.stdout[0] ?? ""), token);
    const login = await target.ask(`GET ${target.url.pathname}${target.url.search}`, [target.host]);
    assert.equal(login.status, 303);
    target.cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    assert.match(
      login.headers.get("set-cookie") ?? "",
      /^piko-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\//,
    );
    return target;
  }

  get host(): string {
    return `Host: localhost:${this.port}`;
  }

  /** The headers of this server's own page. */
  get own(): string[] {
    return [this.host, `Cookie: ${this.cookie}`, "Sec-Fetch-Site: same-origin"];
  }

  /** The headers of a program that has the token. */
  get program(): string[] {
    return [this.host, `Authorization: Bearer ${this.token}`];
  }

  /** Sends one request and reads its answer to the end, or as far as it goes. */
  async ask(line: string, headers: readonly string[], body = ""): Promise<Answer> {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    const length = body === "" ? [] : [`Content-Length: ${new TextEncoder().encode(body).length}`];
    const head = [`${line} HTTP/1.1`, ...headers, ...length, "Connection: close", "", body];
    const bytes = new TextEncoder().encode(head.join("\r\n"));
    for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
    const text = await new Response(socket.readable).text();
    const [first = "", ...lines] = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n");
    return {
      status: Number(first.split(" ")[1]),
      headers: new Map(lines.map((text) => {
        const colon = text.indexOf(":");
        return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()] as const;
      })),
      body: text.slice(text.indexOf("\r\n\r\n") + 4),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#piko.kill("SIGINT");
    assert.equal(await this.#piko.ended(), 0, this.#piko.stderr.join("\n"));
  }
}

const JSON_TYPE = "Content-Type: application/json";

/** How a WebSocket is asked for; there is none here, but nobody gets as far as to know. */
const UPGRADE = [
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

Deno.test({
  name: "piko server lets in its own page and programs with the token, and nobody else",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    await using server = await Target.start(sandbox);
    const { port, token, cookie, host } = server;
    const down = "POST /api/environments/one/down";
    const list = "GET /api/environments";

    await t.step("the page and a program", async () => {
      assert.equal((await server.ask(list, server.own)).status, 200);
      assert.equal((await server.ask(list, server.program)).status, 200);
      assert.equal((await server.ask(down, [...server.own, JSON_TYPE], "{}")).status, 202);
      await until(
        "the end of down",
        async () =>
          (await server.ask("GET /api/operations", server.program)).body.includes('"done"'),
      );
    });
    const refused: [what: string, line: string, headers: string[], statuses: number[]][] = [
      ["another name", list, [`Host: evil.example:${port}`, ...server.own.slice(1)], [403]],
      [
        "a longer name",
        list,
        [`Host: localhost.evil.example:${port}`, ...server.program.slice(1)],
        [
          403,
        ],
      ],
      ["another port", list, ["Host: localhost:1", ...server.own.slice(1)], [403]],
      ["no port", list, ["Host: localhost", ...server.own.slice(1)], [403]],
      ["a forwarded name", list, [
        "Host: evil.example",
        `X-Forwarded-Host: localhost:${port}`,
        ...server.own.slice(1),
      ], [
        403,
      ]],
      ["no Host", list, server.own.slice(1), [400, 403]],
      ["no cookie", list, [host, "Sec-Fetch-Site: same-origin"], [401]],
      ["a stream without cookie", "GET /api/events", [host, "Sec-Fetch-Site: same-origin"], [401]],
      ["a wrong cookie", list, [host, `Cookie: ${cookie}x`, "Sec-Fetch-Site: same-origin"], [401]],
      ["the token as cookie", list, [
        host,
        `Cookie: piko-${port}=${token}`,
        "Sec-Fetch-Site: same-origin",
      ], [401]],
      ["the cookie as token", list, [host, `Authorization: Bearer ${cookie.split("=")[1]}`], [401]],
      ["a wrong token", list, [host, `Authorization: Bearer ${token}x`], [401]],
      ["same-site", list, [host, `Cookie: ${cookie}`, "Sec-Fetch-Site: same-site"], [403]],
      ["cross-site", list, [host, `Cookie: ${cookie}`, "Sec-Fetch-Site: cross-site"], [403]],
      ["same-site change", down, [
        host,
        `Cookie: ${cookie}`,
        "Sec-Fetch-Site: same-site",
        JSON_TYPE,
      ], [403]],
      ["another origin", down, [
        host,
        `Cookie: ${cookie}`,
        "Origin: http://localhost:10180",
        JSON_TYPE,
      ], [403]],
      ["null origin", down, [host, `Cookie: ${cookie}`, "Origin: null", JSON_TYPE], [403]],
      ["the cookie alone", down, [host, `Cookie: ${cookie}`, JSON_TYPE], [403]],
      ["a typed address that changes", down, [
        host,
        `Cookie: ${cookie}`,
        "Sec-Fetch-Site: none",
        "Sec-Fetch-Mode: navigate",
        JSON_TYPE,
      ], [403]],
      ["a WebSocket of another page", "GET /api/events", [
        host,
        `Cookie: ${cookie}`,
        "Origin: http://localhost:10180",
        ...UPGRADE,
      ], [403]],
      ["a WebSocket that says nothing", "GET /api/events", [
        host,
        `Cookie: ${cookie}`,
        ...UPGRADE,
      ], [403]],
      ["a browser with the token", list, [...server.program, "Sec-Fetch-Site: same-origin"], [403]],
      ["an origin with the token", down, [...server.program, "Origin: null", JSON_TYPE], [403]],
    ];
    for (const [what, line, headers, statuses] of refused) {
      await t.step(`refuses ${what}`, async () => {
        const body = line.startsWith("POST") ? "{}" : "";
        const answer = await server.ask(line, headers, body);
        assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.body}`);
        assert.ok(!answer.body.includes(sandbox.root), answer.body);
        assert.ok(!answer.body.includes(token));
      });
    }
    await t.step("a ticket is good once", async () => {
      const { pathname, search } = server.url;
      assert.equal((await server.ask(`GET ${pathname}${search}`, [host])).status, 401);
      assert.equal((await server.ask("GET /login?ticket=x", [host])).status, 401);
    });
    await t.step("without the cookie the page says how to get in", async () => {
      const answer = await server.ask("GET /", [
        host,
        "Sec-Fetch-Site: none",
        "Sec-Fetch-Mode: navigate",
      ]);
      assert.equal(answer.status, 401);
      assert.match(answer.body, /piko server/);
      assert.ok(!answer.body.includes("one"));
    });
  },
});

Deno.test({
  name: "piko server takes well-formed requests, and says what is wrong with others",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    await using server = await Target.start(sandbox);
    const create = `POST /api/projects/${sandbox.project}/environments`;
    const json = [...server.program, JSON_TYPE];
    const cases: [what: string, line: string, headers: string[], body: string, status: number][] = [
      ["no type", create, server.program, '{"name":"x"}', 400],
      ["a form", create, [...server.program, "Content-Type: text/plain"], '{"name":"x"}', 400],
      ["broken JSON", create, json, "{", 400],
      ["no name", create, json, "{}", 400],
      ["an unknown field", create, json, '{"name":"x","nmae":"y"}', 400],
      ["an empty name", create, json, '{"name":"//"}', 400],
      ["a name that is taken", create, json, '{"name":"one"}', 409],
      ["a start that is not there", create, json, '{"name":"x","from":"nowhere"}', 404],
      ["a large body", create, json, JSON.stringify({ name: "x".repeat(200_000) }), 413],
      ["an unknown project", "POST /api/projects/nope/environments", json, '{"name":"x"}', 404],
      ["an unknown environment", "POST /api/environments/nope/up", json, "{}", 404],
      ["another method", "PUT /api/environments", json, "{}", 405],
      ["a method of the page", "POST /", json, "{}", 405],
      ["an unknown address", "GET /api/nothing", server.program, "", 404],
      ["a file outside", "GET /..%2fmain.ts", server.program, "", 404],
      ["a file by a path", "GET /assets/../../main.ts", server.program, "", 404],
      ["a file by a coded path", "GET /assets/%2e%2e/%2e%2e/etc/passwd", server.program, "", 404],
    ];
    for (const [what, line, headers, body, status] of cases) {
      await t.step(what, async () => {
        const answer = await server.ask(line, headers, body);
        assert.equal(answer.status, status, answer.body);
        assert.ok(!answer.body.includes("root:"), answer.body);
        if (status === 405) assert.match(answer.headers.get("allow") ?? "", /GET/);
        assert.equal(answer.headers.get("access-control-allow-origin"), undefined);
        const csp = answer.headers.get("content-security-policy") ?? "";
        assert.match(csp, /script-src 'self';.*frame-ancestors 'none'/);
        assert.ok(!csp.includes("unsafe"));
        assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      });
    }
    await t.step("unsaved work is refused with its files, and nothing is touched", async () => {
      await sandbox.write(`${sandbox.worktree("one")}/work.txt`, "precious\n");
      const answer = await server.ask("DELETE /api/environments/one", json, "{}");
      assert.equal(answer.status, 409);
      assert.deepEqual(JSON.parse(answer.body).error.details, ["untracked: work.txt"]);
      assert.equal(await sandbox.exists(`${sandbox.worktree("one")}/work.txt`), true);
    });
    /** Waits until an operation has ended. */
    const ended = async (id: string) => {
      let operation: Record<string, unknown> = {};
      await until("the end of the operation", async () => {
        const { body } = await server.ask(`GET /api/operations/${id}`, server.program);
        operation = JSON.parse(body).operation;
        return operation.state !== "running";
      });
      return operation as { state: string; error: { unsaved?: Record<string, string[]> } | null };
    };
    await t.step("force with a fingerprint loses what it stands for and no more", async () => {
      const worktree = sandbox.worktree("one");
      const destroy = async (body: Record<string, unknown>) => {
        const { status, body: said } = await server.ask(
          "DELETE /api/environments/one",
          json,
          JSON.stringify(body),
        );
        const { error, operation } = JSON.parse(said);
        const { files = [], fingerprint } = error?.unsaved ?? {};
        return { status, files, fingerprint, operation };
      };
      const listed = ["untracked: work.txt"];
      let { fingerprint } = await destroy({ force: true, fingerprint: "of something else" });
      assert.match(fingerprint, /^[0-9a-f]{64}$/);
      assert.equal((await destroy({ force: false, fingerprint })).fingerprint, fingerprint);
      const changes: [lists: string, change: () => Promise<unknown>][] = [
        ["untracked: more.txt", () => sandbox.write(`${worktree}/more.txt`, "more\n")],
        // As long as before.
        ["untracked: work.txt", () => sandbox.write(`${worktree}/work.txt`, "priceless")],
        ["untracked: inner/", () => sandbox.git("init", "--quiet", `${worktree}/inner`)],
        ["untracked: inner/", () => sandbox.write(`${worktree}/inner/deep/in.txt`, "deep\n")],
        ["untracked: inner/", () => sandbox.write(`${worktree}/inner/deep/in.txt`, "deeper\n")],
      ];
      for (const [lists, change] of changes) {
        await change();
        if (!listed.includes(lists)) listed.push(lists);
        const refused = await destroy({ force: true, fingerprint });
        assert.equal(refused.status, 409);
        assert.deepEqual(refused.files.toSorted(), listed.toSorted());
        assert.notEqual(refused.fingerprint, fingerprint);
        fingerprint = refused.fingerprint;
      }
      const { status, operation } = await destroy({ force: true, fingerprint });
      assert.equal(status, 202);
      assert.equal((await ended(operation.id)).state, "done");
      assert.equal(await sandbox.exists(worktree), false);
    });
    await t.step("nor what the destroy script has made, unless that was listed too", async () => {
      await sandbox.write(".piko.yml", "scripts: { destroy: date +%N > bye.txt }\n");
      await sandbox.pass("create one --no-attach");
      await sandbox.write(`${sandbox.worktree("one")}/work.txt`, "precious\n");
      const refused = await server.ask("DELETE /api/environments/one", json, "{}");
      let { unsaved } = JSON.parse(refused.body).error;
      const destroy = async () => {
        const body = JSON.stringify({ force: true, fingerprint: unsaved.fingerprint });
        const answer = await server.ask("DELETE /api/environments/one", json, body);
        assert.equal(answer.status, 202, answer.body);
        return await ended(JSON.parse(answer.body).operation.id);
      };
      const { state, error } = await destroy();
      assert.equal(state, "failed");
      unsaved = error?.unsaved;
      assert.deepEqual(unsaved.files, ["untracked: bye.txt", "untracked: work.txt"]);
      // The script writes it anew, and not the same.
      assert.equal((await destroy()).state, "done");
      await Deno.remove(`${sandbox.root}/.piko.yml`);
    });
    await t.step("force alone loses all that is there", async () => {
      await sandbox.pass("create one --no-attach");
      await sandbox.write(`${sandbox.worktree("one")}/work.txt`, "worthless\n");
      const answer = await server.ask("DELETE /api/environments/one", json, '{"force":true}');
      assert.equal(answer.status, 202, answer.body);
      await until("the worktree to go", async () => !await sandbox.exists(sandbox.worktree("one")));
    });
    await t.step("an environment that is being destroyed is there, or it is not", async () => {
      await sandbox.pass("create two --no-attach");
      const folder = `${sandbox.worktree("two")}/deep/er`;
      await Deno.mkdir(folder, { recursive: true });
      for (let at = 0; at < 200; at++) await sandbox.write(`${folder}/${at}.txt`, "x\n");
      const destroyed = sandbox.pass("destroy two --yes --force").then(() => "destroyed");
      const statuses = new Set<number>();
      const askUntilGone = async () => {
        for (let status = 200; status !== 404;) {
          const answer = await server.ask("GET /api/environments/two", server.program);
          status = answer.status;
          statuses.add(status);
          if (status >= 500) assert.fail(answer.body);
        }
      };
      await Promise.all(Array.from({ length: 4 }, askUntilGone));
      assert.equal(await destroyed, "destroyed");
      assert.deepEqual([...statuses].sort(), [200, 404]);
    });
    await t.step(
      "a browser that is led astray gets the page, and others what they understand",
      async () => {
        const visits = [...server.own, "Accept: text/html,application/xhtml+xml,*/*;q=0.8"];
        const paths: [path: string, status: number][] = [
          [`/projects/${sandbox.project}`, 200],
          ["/projects/nope", 404],
          [`/projects/${sandbox.project}/one/nope`, 404],
          [`/projects/${sandbox.project}/%E0%A4%A`, 404],
          ["/nope", 404],
        ];
        for (const [path, status] of paths) {
          const page = await server.ask(`GET ${path}`, visits);
          assert.equal(page.status, status, path);
          assert.match(page.headers.get("content-type") ?? "", /^text\/html/, path);
          assert.match(page.body, /<div id="app">/);
          const says = /There is (nothing at this address|no project “nope”)/.test(page.body);
          assert.equal(says, status === 404, path);
          const stranger = await server.ask(`GET ${path}`, [server.host, ...visits.slice(3)]);
          assert.equal(stranger.status, 401, path);
          assert.match(stranger.body, /piko server/);
          if (status === 200 || path === "/projects/nope") continue;
          const program = await server.ask(`GET ${path}`, server.program);
          assert.equal(program.status, 404, path);
          assert.equal(JSON.parse(program.body).error.code, "not-found");
        }
        const api = await server.ask("GET /api/nope", visits);
        assert.equal(JSON.parse(api.body).error.code, "not-found");
      },
    );
    await t.step("200 connections that say nothing keep nobody waiting", async () => {
      const silent = await Promise.all(
        Array.from(
          { length: 200 },
          () => Deno.connect({ hostname: "127.0.0.1", port: server.port }),
        ),
      );
      try {
        for (const socket of silent.slice(0, 100)) {
          await socket.write(
            new TextEncoder().encode("GET /api/environments HTTP/1.1\r\nHost: lo"),
          );
        }
        assert.equal((await server.ask("GET /api/environments", server.program)).status, 200);
      } finally {
        for (const socket of silent) socket.close();
      }
    });
  },
});

Deno.test({
  name: "piko server: the token is its owner's, lasts, and is made anew by --new-token",
  ...needs("git"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ init: true });
    const path = `${sandbox.variables.PIKO_HOME}/server-token`;
    let before = "";
    {
      await using server = await Target.start(sandbox);
      before = server.token;
      assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
      await t.step("a second piko server finds the first, and gets an address of it", async () => {
        const second = await sandbox.piko(["server", "--no-open"]);
        assert.equal(second.exitCode, 0, second.stderr);
        assert.match(second.stderr, /runs already \(process \d+\)/);
        const url = new URL(second.stdout.trim());
        assert.equal(Number(url.port), server.port);
        const login = await server.ask(`GET ${url.pathname}${url.search}`, [server.host]);
        assert.equal(login.status, 303);
      });
      await t.step("a port that somebody has: by whom, and another one", async () => {
        const PIKO_HOME = `${sandbox.folder}/other`;
        const said = await sandbox.fail(
          `server --no-open --port ${server.port}`,
          4,
          { variables: { PIKO_HOME } },
        );
        assert.match(said, new RegExp(`Port ${server.port} is taken by .+`));
        assert.match(said, /piko server --port \d+/);
      });
      await t.step("--new-token shuts out who was let in", async () => {
        await sandbox.pass("server --no-open --new-token");
        assert.equal((await server.ask("GET /api/environments", server.own)).status, 401);
        assert.equal((await server.ask("GET /api/environments", server.program)).status, 401);
      });
    }
    await t.step("a second one finds it at another address too", async () => {
      assert.match(
        await sandbox.fail("server --no-open --host 10.1.2.3", 2),
        /not 127\.0\.0\.1, ::1, or for all addresses 0\.0\.0\.0 or ::/,
      );
      for (const host of hasIpv6() ? ["::1", "0.0.0.0"] : ["0.0.0.0"]) {
        const args = ["server", "--no-open", "--port", "0", "--host", host];
        await using piko = Background.piko(sandbox, args);
        await until("the address", () => piko.stdout.length > 0);
        const means = /Whoever reaches this machine reaches the server/.test(piko.stderr.join());
        assert.equal(means, host === "0.0.0.0");
        const { origin } = new URL(piko.stdout[0] ?? "");
        assert.equal(new URL(await sandbox.pass("server --no-open")).origin, origin);
        piko.kill("SIGTERM");
        assert.equal(await piko.ended(), 0);
      }
    });
    await using again = await Target.start(sandbox);
    assert.notEqual(again.token, before);
    assert.equal((await Deno.readTextFile(path)).trim(), again.token);
  },
});
