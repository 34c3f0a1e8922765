/**
 * A crowd on one registry: three servers, two people who type, programs that ask two of the servers, and somebody who presses
 * the buttons of the third one's page, all at random and at once. No command may end in a way that it must not, and when the
 * crowd has gone, all servers say the same, no port was given twice, and doctor finds nothing.
 *
 *     PIKO_CROWD=300 deno test -A --no-prompt tests/walks/crowd_test.ts             for so many seconds
 *     PIKO_CROWD_SEED=-12345 deno test -A --no-prompt tests/walks/crowd_test.ts     the crowd of another seed
 */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { errors, type Page } from "playwright-core";
import type { Operation } from "../../src/domain/api.ts";
import type { Environment } from "../../src/domain/environment.ts";
import { signalGroup } from "../../src/programs/run.ts";
import { Background } from "../background.ts";
import { assertSound } from "../commands/doctor.ts";
import { refuteAccident } from "../commands/refusal.ts";
import { docker } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium, ready } from "../web/browser.ts";

const SECONDS = Number(Deno.env.get("PIKO_CROWD") ?? 12);
const SEED = Number(Deno.env.get("PIKO_CROWD_SEED") ?? 20260101);

/** Milliseconds within which a command, or what a server was asked for, must end on a machine that is full. */
const PATIENCE = 180_000;

/** Milliseconds that a button is looked for, which somebody else may just have taken away. */
const GLANCE = 1000;

/** The most things that one of the crowd does in a second. */
const PACE = 50;

const COMPOSE = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 8080
    ports: ["8080"]
    volumes: [data:/data]
  cache:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sleep 100000
    ports: ["6379"]
volumes: { data: }
`;

/** The environments, by the project that they are of. */
const NAMES = { docker: ["d1", "d2"], simple: ["s1", "s2", "s3"] } as const;

interface Target {
  project: keyof typeof NAMES;
  name: string;
}

const ofProject = (project: Target["project"]): fc.Arbitrary<Target> =>
  fc.constantFrom(...NAMES[project]).map((name) => ({ project, name }));

const target = fc.oneof(ofProject("docker"), ofProject("simple"));

/** What is started and stopped; in simple mode there is only a session to start. */
const lifecycle = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constantFrom("up", "down", "restart"), ofProject("docker")),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("up" as const), ofProject("simple")) },
);

/** Something that is typed, and the exit codes that it may end with. */
interface Command {
  project: keyof typeof NAMES;
  args: string[];
  mayEndWith: number[];
  /** Milliseconds after which Ctrl+C is pressed. */
  interrupt?: number;
}

const some = (...flags: string[]) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant<string[]>([]) }, {
    weight: 1,
    arbitrary: fc.subarray(flags),
  });

const create = fc.tuple(target, some("--no-start", "--no-wait")).map(
  ([{ project, name }, flags]): Command => ({
    project,
    args: ["create", name, "--no-attach", ...flags],
    mayEndWith: [0, 4],
  }),
);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: create },
  {
    weight: 2,
    arbitrary: fc.tuple(create, fc.integer({ min: 20, max: 3000 })).map(
      ([command, interrupt]): Command => ({ ...command, interrupt, mayEndWith: [0, 4, 130] }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(target, some("--volumes", "--force", "--delete-branch")).map(
      ([{ project, name }, flags]): Command => ({
        project,
        args: ["destroy", name, ...flags],
        mayEndWith: [0, 3, 4],
      }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(lifecycle, some("--no-block")).map(
      ([[verb, { project, name }], flags]): Command => ({
        project,
        args: [verb, name, ...flags],
        mayEndWith: [0, 3, 4],
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<string[]>(["share", "cache"], ["isolate", "cache"], [
      "isolate",
      "cache",
      "--now",
    ])
      .map((args): Command => ({ project: "docker", args, mayEndWith: [0, 3, 4] })),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constantFrom("status", "env", "ports", "logs"),
      fc.constantFrom(...NAMES.docker),
    ).map(([verb, name]): Command => ({
      project: "docker",
      args: [verb, name],
      // 4: of an environment that was never started there are no logs.
      mayEndWith: verb === "logs" ? [0, 3, 4] : [0, 3],
    })),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom<string[]>(
      ["list", "--all", "--json"],
      ["status"],
      ["share"],
      ["project", "list"],
      ["doctor"],
      ["doctor", "--fix"],
      ["complete", "zsh", "--", "destroy", ""],
      ["server", "--no-open", "--port", "0"],
    ).map((args): Command => ({ project: "docker", args, mayEndWith: [0] })),
  },
);

/** What a server is asked for. */
interface Call {
  target: Target;
  kind: "create" | "up" | "down" | "restart" | "destroy" | "look";
  body: Record<string, unknown>;
  /** Milliseconds after which it is cancelled. */
  cancel?: number;
}

const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(target, fc.option(fc.integer({ min: 0, max: 3000 }))).map(
      ([target, cancel]): Call => ({
        target,
        kind: "create",
        body: { name: target.name },
        ...cancel === null ? {} : { cancel },
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(lifecycle, fc.constantFrom({}, { services: ["web"] })).map(
      ([[kind, target], body]): Call => ({
        kind,
        target,
        body: target.project === "simple" ? {} : body,
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      target,
      kind: fc.constant("destroy"),
      body: fc.constantFrom({}, { force: true }, { volumes: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ target, kind: fc.constant("look"), body: fc.constant({}) }) },
);

/** What is done on the page. */
const press = fc.tuple(
  fc.constantFrom(
    ...["create", "create", "destroy", "Start", "Stop", "Restart", "cancel", "tab"] as const,
    ...["palette", "filter", "reload", "back"] as const,
  ),
  target,
  fc.nat(),
);

type Press = typeof press extends fc.Arbitrary<infer T> ? T : never;

Deno.test({
  name: `three servers, two CLIs and a page on one registry for ${SECONDS} s (seed ${SEED})`,
  ...needs("git", "tmux", "engine", "compose", "images", "chromium"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE, ".piko.yml": "scripts: { run: echo run }\n" },
      init: true,
    });
    await using crowd = await Crowd.create(sandbox);
    if (!await t.step("each does what comes to mind", () => crowd.go())) return;
    await t.step("all servers and the terminal say the same", () => crowd.agree());
    await t.step("doctor finds nothing", async () => {
      await assertSound(sandbox);
    });
    await t.step("everything ends", () => crowd.end());
  },
});

class Crowd implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #roots: Record<keyof typeof NAMES, string>;
  readonly #servers: Server[];
  readonly #chromium: Chromium;
  readonly #page: Page;
  readonly #transcript: string[] = [];
  readonly #start = performance.now();
  readonly #tally = new Map<string, number>();
  /** Whether one of the crowd has met what must not be. */
  #failed = false;

  private constructor(
    sandbox: Sandbox,
    roots: Record<keyof typeof NAMES, string>,
    servers: Server[],
    chromium: Chromium,
    page: Page,
  ) {
    this.#sandbox = sandbox;
    this.#roots = roots;
    this.#servers = servers;
    this.#chromium = chromium;
    this.#page = page;
  }

  static async create(sandbox: Sandbox): Promise<Crowd> {
    const simple = `${sandbox.root}-simple`;
    await sandbox.run(["git", "clone", "--quiet", sandbox.root, simple]);
    await sandbox.run(["git", "rm", "--quiet", "compose.yaml", ".piko.yml"], simple);
    await sandbox.run(["git", "commit", "--quiet", "--message", "Simple mode"], simple);
    await sandbox.pass("init", { cwd: simple });
    await using made = new AsyncDisposableStack();
    const servers: Server[] = [];
    for (let count = 0; count < 3; count++) {
      // A second piko server only opens the first one; without the file that says so, each takes the place anew.
      if (count > 0) await Deno.remove(`${sandbox.variables.PIKO_HOME}/locks/server.lock`);
      servers.push(made.use(await Server.start(sandbox)));
    }
    const [first] = servers;
    assert.ok(first !== undefined);
    assert.equal(new Set(servers.map(({ origin }) => origin)).size, 3);
    const chromium = made.use(await Chromium.start());
    const page = await chromium.open(first);
    // What the page still waits for must not end the test in the middle of something.
    page.setDefaultTimeout(GLANCE);
    made.move();
    return new Crowd(sandbox, { docker: sandbox.root, simple }, servers, chromium, page);
  }

  /** Lets everybody loose for the time of the test. */
  async go(): Promise<void> {
    const [, second, third] = this.#servers;
    assert.ok(second !== undefined && third !== undefined);
    const outcomes = await Promise.allSettled([
      this.#each("terminal 1", command, 1, (it) => this.#type(it)),
      this.#each("terminal 2", command, 2, (it) => this.#type(it)),
      this.#each("server 2", call, 3, (it) => this.#ask(second, it)),
      this.#each("server 3", call, 4, (it) => this.#ask(third, it)),
      this.#each("page", press, 5, (it) => this.#press(it)),
    ]);
    const problems = outcomes.flatMap((it) => it.status === "rejected" ? [it.reason] : []);
    if (Deno.env.has("PIKO_CROWD")) {
      for (const [what, count] of [...this.#tally].sort()) console.log(`${count}\t${what}`);
    }
    if (problems.length === 0) return;
    throw new Error(`${problems.join("\n\n")}\n\n${this.#transcript.slice(-200).join("\n")}\n`, {
      cause: problems[0],
    });
  }

  /** Does one random thing after the other until the time is over. */
  async #each<T>(
    who: string,
    things: fc.Arbitrary<T>,
    number: number,
    act: (thing: T) => Promise<string>,
  ): Promise<void> {
    const all = fc.sample(things, { seed: SEED + number, numRuns: Math.ceil(SECONDS * PACE) });
    for (const thing of all) {
      if (this.#failed || performance.now() - this.#start > SECONDS * 1000) return;
      try {
        const done = await act(thing);
        this.#note(`${who}: ${done}`);
        const kind = done.replace(/\b[ds]\d\b/, "NAME");
        this.#tally.set(kind, (this.#tally.get(kind) ?? 0) + 1);
      } catch (error) {
        this.#failed = true;
        this.#note(`${who}: ${JSON.stringify(thing)} ✗`);
        throw new Error(`${who}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
  }

  #note(what: string): void {
    const seconds = (performance.now() - this.#start) / 1000;
    this.#transcript.push(`${seconds.toFixed(2)} s  ${what}`);
  }

  async #type({ project, args, mayEndWith, interrupt }: Command): Promise<string> {
    await using piko = Background.piko(this.#sandbox, args, { cwd: this.#roots[project] });
    const timer = interrupt === undefined
      ? undefined
      : setTimeout(() => signalGroup(piko.pid, "SIGINT"), interrupt);
    const exitCode = await within(`piko ${args.join(" ")}`, piko.ended());
    clearTimeout(timer);
    const done = `piko ${args.join(" ")} → ${exitCode}`;
    const stdout = piko.stdout.join("\n");
    const stderr = piko.stderr.join("\n");
    refuteAccident(stderr, `${done}\n${stdout}\n${stderr}`);
    assert.ok(mayEndWith.includes(exitCode), `${done}\n${stdout}\n${stderr}`);
    if (args[0] === "list") requireDistinct(JSON.parse(stdout).environments);
    if (args[0] === "server") assert.match(stdout, /^http:\/\/localhost:\d+\/login\?ticket=/);
    return done;
  }

  async #ask(server: Server, { target, kind, body, cancel }: Call): Promise<string> {
    const { name } = target;
    const project = basename(this.#roots[target.project]);
    const all = `/api/projects/${project}/environments`;
    const [method, path] = kind === "create"
      ? ["POST", all]
      : kind === "destroy"
      ? ["DELETE", `${all}/${name}`]
      : kind === "look"
      ? ["GET", `${all}/${name}`]
      : ["POST", `${all}/${name}/${kind}`];
    const { status, answer } = await ask(server, method, path, method === "GET" ? null : body);
    const asked = `${kind} ${name} → ${status}`;
    const said = `${asked}\n${JSON.stringify(answer)}`;
    assert.ok([kind === "look" ? 200 : 202, 404, 409].includes(status), said);
    if (status !== 202) return asked;
    const { id } = answer.operation as Operation;
    if (cancel !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, cancel));
      const { status } = await ask(server, "POST", `/api/operations/${id}/cancel`, {});
      assert.ok([202, 409].includes(status), said);
    }
    const { state, error } = await this.#ended(server, id);
    const isRefused = error !== null && ["conflict", "not-found"].includes(error.code);
    assert.ok(
      state === "done" || (state === "cancelled" && cancel !== undefined) || isRefused,
      `${asked}, ${state}\n${JSON.stringify(error)}`,
    );
    return `${asked}, ${isRefused ? error.code : state}`;
  }

  async #ended(server: Server, id: string): Promise<Operation> {
    let operation: Operation | undefined;
    await until(`the end of operation ${id}`, async () => {
      const { answer } = await ask(server, "GET", `/api/operations/${id}`);
      operation = answer.operation as Operation;
      return operation.state !== "running";
    }, PATIENCE);
    assert.ok(operation !== undefined);
    return operation;
  }

  async #press([what, { project, name }, number]: Press): Promise<string> {
    const page = this.#page;
    const path = `/projects/${basename(this.#roots[project])}/${name}`;
    const dialog = page.getByRole("dialog");
    const said = `${what} ${name}`;
    try {
      switch (what) {
        case "create":
          await page.keyboard.press("n");
          await page.getByLabel("Project").selectOption(basename(this.#roots[project]));
          await page.getByLabel("Name").fill(name);
          await page.keyboard.press("Enter");
          await dialog.waitFor({ state: "detached" });
          break;
        case "destroy":
          await page.locator(`a.row[href^="${path}"]`).click();
          await page.locator(".actions").getByRole("button", { name: "Destroy" }).click();
          await dialog.getByRole("button", { name: "Destroy" }).click();
          await dialog.waitFor({ state: "detached" });
          break;
        case "Start":
        case "Stop":
        case "Restart":
          await page.locator(`a.row[href^="${path}"]`).click();
          await page.getByRole("button", { name: what, exact: true }).click();
          break;
        case "cancel":
          await page.locator(".work-strip, .operation").getByRole("button", {
            name: "Cancel",
          })
            .first().click();
          break;
        case "tab":
          await page.locator(`a.row[href^="${path}"]`).click();
          await page.keyboard.press(String(number % 4 + 1));
          break;
        case "palette":
          await page.keyboard.press("Control+k");
          await page.keyboard.type(`logs ${name}`);
          await page.keyboard.press("Enter");
          break;
        case "filter":
          await page.keyboard.press("/");
          await page.keyboard.type(name.slice(0, number % 3));
          break;
        case "reload":
          await page.reload({ timeout: PATIENCE });
          await ready(page);
          break;
        case "back":
          await page.goBack({ timeout: PATIENCE, waitUntil: "domcontentloaded" });
          // Before the page there are its login and an empty tab.
          while (!/^http:\/\/[^/]+\/(?!login)/.test(page.url())) {
            await page.goForward({ timeout: PATIENCE, waitUntil: "domcontentloaded" });
          }
          break;
      }
      return said;
    } catch (error) {
      // Somebody else was faster, or the button is not to be pressed now.
      if (error instanceof errors.TimeoutError) return `${said}, which could not be done`;
      throw error;
    } finally {
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
    }
  }

  /** Proves that nothing is at work any more, and that everybody sees the same. */
  async agree(): Promise<void> {
    const [first] = this.#servers;
    assert.ok(first !== undefined);
    await until("the end of what the page has begun", async () => {
      const { answer } = await ask(first, "GET", "/api/operations");
      return (answer.operations as Operation[]).every(({ state }) => state !== "running");
    }, PATIENCE);
    for (const server of this.#servers) {
      const { answer } = await ask(server, "GET", "/api/operations");
      const { length } = answer.operations as Operation[];
      // What is pressed on the page of the first one may all have been done by others before.
      assert.ok(server === first || length > 0, "it was not asked for anything");
      for (const { error, kind, environment } of answer.operations as Operation[]) {
        assert.notEqual(error?.code, "bug", `${kind} ${environment}: ${JSON.stringify(error)}`);
      }
      assert.doesNotMatch(server.said, /goes on|bug in piko/);
    }
    let [expected, seen]: [Environment[], Environment[][]] = [[], []];
    const isAgreed = async () => {
      expected = (await this.#sandbox.json("list --all")).environments;
      seen = await Promise.all(
        this.#servers.map(async (server) =>
          (await ask(server, "GET", "/api/environments")).answer.environments as Environment[]
        ),
      );
      return seen.every((environments) =>
        isDeepStrictEqual(byName(environments), byName(expected))
      );
    };
    // What docker says of a container's health reaches everybody a moment later.
    await until("agreement", isAgreed).catch(() => {});
    for (const environments of seen) assert.deepEqual(byName(environments), byName(expected));
    requireDistinct(expected);
    const page = this.#page;
    await page.locator(".connection", { hasText: "Live" }).waitFor({ timeout: 60_000 });
    const rows = () => page.locator("a.row .row-name").allInnerTexts();
    await page.locator("#filter").fill("", { timeout: PATIENCE });
    await until("all rows", async () => (await rows()).length === expected.length);
    assert.deepEqual((await rows()).sort(), expected.map(({ name }) => name).sort());
    this.#chromium.requireNoProblems(
      // Somebody else was faster.
      /^(404|409) (GET|POST|DELETE) \/api\/(projects|operations)\//,
    );
  }

  /** Takes everything away, and proves that every server ends well. */
  async end(): Promise<void> {
    await this.#page.close();
    for (const server of this.#servers) {
      assert.equal(await within("a server", server.stop()), 0);
      refuteAccident(server.said);
    }
    const shared = (await this.#sandbox.json("share")).shared;
    if (shared.length > 0) await this.#sandbox.pass("isolate cache --now --volumes");
    const { environments } = await this.#sandbox.json("list --all");
    for (const { project, name } of environments) {
      await this.#sandbox.pass(`destroy ${project}/${name} --volumes --force`);
    }
    await this.#removeKept();
  }

  /** Removes the volumes that the crowd has kept, each of which doctor must know. */
  async #removeKept(): Promise<void> {
    const left = await this.#sandbox.leftInEngine();
    const { checks } = await assertSound(this.#sandbox);
    const told = checks.flatMap(({ message }) =>
      /kept of .*, which is gone: (.*)$/.exec(message)?.[1]?.split(", ") ?? []
    );
    assert.deepEqual(left.sort(), told.map((name) => `volume ${name}`).sort());
    if (told.length > 0) await docker("volume", "rm", ...told);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium[Symbol.asyncDispose]();
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function byName(environments: readonly Environment[]): Environment[] {
  return environments.toSorted((one, other) => one.path < other.path ? -1 : 1);
}

/** Fails when two environments have the same slot or host port. */
function requireDistinct(environments: readonly Environment[]): void {
  const slots = environments.map(({ slot }) => slot);
  assert.equal(new Set(slots).size, slots.length, `slots: ${slots}`);
  const own = environments.flatMap(({ ports }) => ports.filter(({ shared }) => !shared));
  const ports = own.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`);
  assert.equal(new Set(ports).size, ports.length, `ports: ${ports}`);
}

async function ask(
  server: Server,
  method: string,
  path: string,
  body: unknown = null,
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(`${server.origin}${path}`, {
    method,
    headers: { ...await server.key(), "content-type": "application/json" },
    ...body === null ? {} : { body: JSON.stringify(body) },
    signal: AbortSignal.timeout(PATIENCE),
  });
  return { status: response.status, answer: await response.json() };
}

/** Waits for something, but not for ever. */
async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what} did not end within ${PATIENCE / 1000} s`)),
    PATIENCE,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
