import assert from "node:assert/strict";
import { PikoError } from "../../src/domain/errors.ts";
import { eachLine } from "../../src/programs/run.ts";
import { acquireLock, inspectLock, type LockHolder } from "../../src/store/locks.ts";

/** A folder for locks, and processes that take them. */
class Locks implements AsyncDisposable {
  readonly home = Deno.makeTempDirSync({ prefix: "pikotest-" });
  readonly path = `${this.home}/state/locks`;
  readonly #holders: Holder[] = [];

  /** Starts a process that takes a lock; see hold_lock.ts. */
  hold(key: string, command: string, journal?: string): Holder {
    const holder = new Holder([
      this.path,
      key,
      command,
      ...(journal === undefined ? [] : [journal]),
    ]);
    this.#holders.push(holder);
    return holder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const holder of this.#holders) {
      await holder.kill();
      holder.killChild();
    }
    await Deno.remove(this.home, { recursive: true });
  }
}

class Holder {
  readonly lines: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #ended: Promise<number>;
  #running = true;

  constructor(args: string[]) {
    const script = new URL("hold_lock.ts", import.meta.url).pathname;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", "--quiet", script, ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#ended = Promise.all([
      this.#process.status,
      eachLine(this.#process.stdout, (line) => this.lines.push(line)),
    ]).then(([{ code }]) => {
      this.#running = false;
      return code;
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The process that it started, which lives on when it is killed. */
  get child(): number | undefined {
    const line = this.lines.find((said) => said.startsWith("holds with "));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  }

  async says(start: string): Promise<void> {
    await until(() => this.lines.some((line) => line.startsWith(start)));
  }

  /** Lets it release the lock and waits for its end. */
  async finish(): Promise<number> {
    await this.#process.stdin.close();
    return await this.#ended;
  }

  async ended(): Promise<number> {
    return await this.#ended;
  }

  /** Ends it by kill -9, and leaves its child alone. */
  async kill(): Promise<void> {
    if (!this.#running) return;
    this.#process.kill("SIGKILL");
    await this.#ended;
    await this.#process.stdin.abort();
  }

  killChild(): void {
    try {
      if (this.child !== undefined) Deno.kill(this.child, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error("It did not happen within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function has(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PikoError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

Deno.test("acquireLock() names the other command instead of waiting, when told so", async () => {
  await using locks = new Locks();
  const holder = locks.hold("app/auth", "piko up auth");
  await holder.says("holds");
  const options = { command: "piko down auth", block: false };
  await assert.rejects(
    acquireLock(locks.path, "app/auth", options),
    has("conflict", new RegExp(`^"piko up auth" \\(process ${holder.pid}\\) is at work on it$`)),
  );
  (await acquireLock(locks.path, "app/pay", options)).release();
  assert.equal(await holder.finish(), 0);
  (await acquireLock(locks.path, "app/auth", options)).release();
});

Deno.test("acquireLock() waits for the other command and says for whom", async () => {
  await using locks = new Locks();
  const holder = locks.hold("auth", "piko up auth");
  await holder.says("holds");
  const waitedFor: (LockHolder | undefined)[] = [];
  const acquired = acquireLock(locks.path, "auth", {
    command: "piko down auth",
    block: true,
    onWait: (told) => waitedFor.push(told),
  });
  await until(() => waitedFor.length > 0);
  assert.equal(await holder.finish(), 0);
  using _lock = await acquired;
  assert.equal(waitedFor.length, 1);
  const { since, ...told } = waitedFor[0]!;
  assert.deepEqual(told, { command: "piko up auth", pid: holder.pid });
  assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000, since);
});

Deno.test("acquireLock() says it again when it then waits for another one", async () => {
  await using locks = new Locks();
  const first = locks.hold("auth", "piko up auth");
  await first.says("holds");
  const others = ["piko down auth", "piko destroy auth"].map((name) => locks.hold("auth", name));
  for (const other of others) await other.says("waits for piko up auth");
  await first.kill();
  await until(() => others.some(({ child }) => child !== undefined));
  const [next, last] = others[0]?.child === undefined ? others.toReversed() : others;
  assert.ok(next !== undefined && last !== undefined);
  await last.says(`waits for ${next === others[0] ? "piko down auth" : "piko destroy auth"}`);
  assert.equal(last.lines.length, 2);
  await next.finish();
  await last.says("holds");
  await last.finish();
});

Deno.test("acquireLock() gets the lock of a holder that was killed, though its child lives on", async () => {
  await using locks = new Locks();
  const holder = locks.hold("auth", "piko up auth");
  await holder.says("holds");
  await holder.kill();
  const left = await inspectLock(locks.path, "auth");
  assert.deepEqual([left.held, left.holder?.command], [false, "piko up auth"]);
  const options = { command: "piko destroy auth", block: false };
  using lock = await acquireLock(locks.path, "auth", options);
  assert.equal(lock.wasBrokenOff, true);
  await assert.rejects(
    acquireLock(locks.path, "auth", options),
    has("conflict", new RegExp(`^"piko destroy auth" \\(process ${Deno.pid}\\) is at work`)),
  );
  // Throws when the child is gone: then this would have proved nothing.
  Deno.kill(holder.child ?? 0, "SIGCONT");
  lock.abandon();
  using again = await acquireLock(locks.path, "auth", options);
  assert.equal(again.wasBrokenOff, true);
  again.release();
  using last = await acquireLock(locks.path, "auth", options);
  assert.equal(last.wasBrokenOff, false);
});

Deno.test("acquireLock() lets 10 contenders in one after the other", async () => {
  await using locks = new Locks();
  const journal = `${locks.home}/journal`;
  await Deno.writeTextFile(journal, "0");
  const gate = await acquireLock(locks.path, "auth", { command: "the gate", block: true });
  const contenders = Array.from(
    { length: 10 },
    (_, index) => locks.hold("auth", `contender ${index}`, journal),
  );
  for (const contender of contenders) await contender.says("waits for the gate");
  gate.release();
  for (const contender of contenders) assert.equal(await contender.ended(), 0);
  assert.equal(await Deno.readTextFile(journal), "10");
});

Deno.test("acquireLock() excludes a second caller of the same process", async () => {
  await using locks = new Locks();
  const options = { command: "piko server", block: false };
  const lock = await acquireLock(locks.path, "auth", options);
  await assert.rejects(acquireLock(locks.path, "auth", options), has("conflict", /piko server/));
  lock.release();
  lock.release();
  using _again = await acquireLock(locks.path, "auth", options);
});

Deno.test("acquireLock() stops waiting at once when the signal is given", async () => {
  await using locks = new Locks();
  using _lock = await acquireLock(locks.path, "auth", { command: "piko up auth", block: true });
  const abort = new AbortController();
  await assert.rejects(
    acquireLock(locks.path, "auth", {
      command: "piko down auth",
      block: true,
      signal: abort.signal,
      onWait: () => abort.abort(),
    }),
    has("interrupted", /^Interrupted$/),
  );
});

Deno.test("acquireLock() keeps a key of any kind inside its folder", async () => {
  await using locks = new Locks();
  for (const key of ["../../out", "..", ".", "", "a/b", "$(id)`id`;", "ä\n", "-rf"]) {
    using _lock = await acquireLock(locks.path, key, { command: "piko up", block: false });
  }
  assert.deepEqual(Array.from(Deno.readDirSync(locks.home), ({ name }) => name), ["state"]);
  assert.equal(Array.from(Deno.readDirSync(locks.path)).length, 8);
});

Deno.test("acquireLock() names the file that it cannot open", async () => {
  await using locks = new Locks();
  await Deno.writeTextFile(`${locks.home}/state`, "");
  await assert.rejects(
    acquireLock(locks.path, "auth", { command: "piko up auth", block: true }),
    has("failed", /^Cannot open the lock file .*\/auth\.lock: /),
  );
});

Deno.test("acquireLock() takes nobody who only looks at a lock for its holder", async () => {
  await using locks = new Locks();
  const options = { command: "piko destroy auth", block: false };
  (await acquireLock(locks.path, "auth", options)).release();
  for (let times = 0; times < 10; times++) {
    using looking = await Deno.open(`${locks.path}/auth.lock`, { read: true });
    // A program that another test starts at this moment holds the lock until it has become that program.
    await until(() => looking.tryLock(false));
    const acquired = acquireLock(locks.path, "auth", options);
    await new Promise((resolve) => setTimeout(resolve, 1));
    looking.unlockSync();
    (await acquired).release();
  }
});

Deno.test("acquireLock() does without the words of a lock file that somebody has written to", async () => {
  await using locks = new Locks();
  using _lock = await acquireLock(locks.path, "auth", { command: "piko up", block: true });
  await Deno.writeTextFile(`${locks.path}/auth.lock`, "no JSON\n");
  await assert.rejects(
    acquireLock(locks.path, "auth", { command: "piko down", block: false }),
    has("conflict", /^Another piko is at work on it$/),
  );
});
