import assert from "node:assert/strict";
import { run, tryRun } from "../../src/programs/run.ts";
import { needs } from "../needs.ts";

/** Starts a container that goes with its volumes when the test ends. */
async function start(...args: string[]): Promise<{ id: string } & AsyncDisposable> {
  const label = "--label=pikotest=images";
  const id = (await run(["docker", "run", "--detach", label, ...args])).trim();
  return {
    id,
    async [Symbol.asyncDispose]() {
      await run(["docker", "rm", "--force", "--volumes", id]);
    },
  };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!await condition()) {
    assert.ok(Date.now() < deadline, "the condition did not come true within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test({
  name: "postgres:15-alpine honours user, password and database, and keeps rows over a restart",
  ...needs("engine", "images"),
  async fn() {
    await using container = await start(
      ...["--env=POSTGRES_USER=app", "--env=POSTGRES_PASSWORD=it's", "--env=POSTGRES_DB=my-shop"],
      "postgres:15-alpine",
    );
    const exec = (...argv: string[]) => tryRun(["docker", "exec", container.id, ...argv]);
    const isReady = async () => (await exec("pg_isready", "-h", "127.0.0.1")).exitCode === 0;
    const psql = (password: string, statement: string) =>
      exec(
        ...[
          "env",
          `PGPASSWORD=${password}`,
          "psql",
          "-h",
          "127.0.0.1",
          "-U",
          "app",
          "-d",
          "my-shop",
        ],
        ...["-tAc", statement],
      );
    await until(isReady);
    const made = await psql("it's", "CREATE TABLE t AS SELECT 7 AS n");
    assert.equal(made.exitCode, 0, made.stderr);
    await run(["docker", "restart", container.id]);
    await until(isReady);
    assert.equal((await psql("it's", "SELECT n FROM t")).stdout, "7\n");
    const id =
      (await run(["docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", container.id]))
        .trim();
    const refused = await exec("env", "PGPASSWORD=wrong", "psql", "-h", id, "-U", "app", "my-shop");
    assert.match(refused.stderr, /password authentication failed/);
  },
});

Deno.test({
  name: "postgres:15-alpine refuses to start an empty database without a password",
  ...needs("engine", "images"),
  async fn() {
    const { exitCode, stderr } = await tryRun(["docker", "run", "--rm", "postgres:15-alpine"]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /superuser password is not specified/);
  },
});

Deno.test({
  name: "redis:7-alpine passes flags on and answers other containers",
  ...needs("engine", "images"),
  async fn() {
    await using container = await start("redis:7-alpine", "--appendonly", "yes");
    const address = async () => {
      const format = "{{.NetworkSettings.IPAddress}}";
      return (await run(["docker", "inspect", "-f", format, container.id])).trim();
    };
    const ask = async (...command: string[]) =>
      (await tryRun([
        "docker",
        "exec",
        container.id,
        "redis-cli",
        "-h",
        await address(),
        ...command,
      ]))
        .stdout.trim();
    await until(async () => await ask("ping") === "PONG");
    assert.equal(await ask("config", "get", "appendonly"), "appendonly\nyes");
  },
});
