/** `piko up`, `down` and `restart` on the real engine: environments side by side, and one that changes over its life. */

import assert from "node:assert/strict";
import { docker, eventually } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";

const WEB = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: httpd -f -p 8057 -h /site
    ports: ["8057:8057"]
    volumes: ["./site:/site:ro"]
`;

const ADMIN = `  admin:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    container_name: fixed
    command: httpd -f -p 8157 -h /
    ports: ["8157:8157", "9064"]
`;

const CACHE = `  cache:
    image: redis:7-alpine
    command: redis-server --port 6354 --appendonly yes --appendfsync always
    ports: ["6354:6354"]
    volumes: ["rows:/data"]
volumes: { rows: {} }
`;

/** The host port of a service's container port. */
async function hostPort(sandbox: Sandbox, name: string, service: string): Promise<number> {
  const { ports } = await sandbox.json(`ports ${name}`);
  const port = ports.find((known: { service: string }) => known.service === service);
  assert.ok(port, `no port of ${service} in ${JSON.stringify(ports)}`);
  return port.hostPort;
}

async function page(port: number): Promise<string> {
  return await (await fetch(`http://localhost:${port}/index.html`)).text();
}

/** Sends one command to a real Redis and returns its answer. */
async function redis(port: number, command: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`${command}\r\n`));
  const buffer = new Uint8Array(1024);
  const count = await connection.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count)).trim();
}

async function status(sandbox: Sandbox, name: string): Promise<string> {
  return (await sandbox.json(`status ${name}`)).environment.status;
}

/** The containers of an environment by service, with what the engine says of them. */
async function services(
  sandbox: Sandbox,
  name: string,
): Promise<Record<string, string>> {
  const answer = await sandbox.json(`status ${name}`);
  return Object.fromEntries(
    answer.services.map(({ service, state }: { service: string; state: string }) => [
      service,
      state,
    ]),
  );
}

Deno.test({
  name: "piko keeps two environments apart, each with its own page and its own rows",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "docker-compose.yml": WEB + CACHE, "site/index.html": "main\n" },
      init: true,
    });
    for (const name of ["auth", "payments"]) {
      await sandbox.git("switch", "--quiet", "--create", name);
      await sandbox.commit({ "site/index.html": `page of ${name}\n` });
      await sandbox.git("switch", "--quiet", "main");
      await sandbox.pass(`create ${name}`);
    }
    const web = {
      auth: await hostPort(sandbox, "auth", "web"),
      payments: await hostPort(sandbox, "payments", "web"),
    };
    const cache = {
      auth: await hostPort(sandbox, "auth", "cache"),
      payments: await hostPort(sandbox, "payments", "cache"),
    };

    await t.step("at once", async () => {
      assert.equal(new Set([...Object.values(web), ...Object.values(cache)]).size, 4);
      assert.equal(await page(web.auth), "page of auth\n");
      assert.equal(await page(web.payments), "page of payments\n");
      assert.equal(await redis(cache.auth, "SET row auth"), "+OK");
      assert.equal(await redis(cache.payments, "SET row payments"), "+OK");
      assert.match(await redis(cache.auth, "GET row"), /^\$4\r\nauth$/);
      assert.match(await redis(cache.payments, "GET row"), /^\$8\r\npayments$/);
    });
    await t.step("piko down stops one, twice is fine, and the other goes on", async () => {
      await sandbox.pass("down auth");
      assert.equal(await status(sandbox, "auth"), "stopped");
      await assert.rejects(page(web.auth));
      assert.match(await sandbox.pass("down auth"), /Stopped/);
      assert.equal(await page(web.payments), "page of payments\n");
      assert.equal(await sandbox.exists(sandbox.worktree("auth")), true);
      assert.ok(
        (await sandbox.leftInEngine()).includes(`volume piko-${sandbox.project}-auth_rows`),
      );
    });
    await t.step("piko up brings it back with its ports and rows, and twice is fine", async () => {
      await sandbox.pass("up auth");
      const ids = await docker(
        "ps",
        "--quiet",
        "--no-trunc",
        "--filter",
        `label=com.docker.compose.project=piko-${sandbox.project}-auth`,
      );
      assert.deepEqual([
        await hostPort(sandbox, "auth", "web"),
        await hostPort(sandbox, "auth", "cache"),
      ], [web.auth, cache.auth]);
      assert.equal(await page(web.auth), "page of auth\n");
      assert.match(await redis(cache.auth, "GET row"), /auth$/);
      assert.match(await sandbox.pass("up auth"), /Started/);
      assert.equal(
        await docker(
          "ps",
          "--quiet",
          "--no-trunc",
          "--filter",
          `label=com.docker.compose.project=piko-${sandbox.project}-auth`,
        ),
        ids,
        "the second up makes nothing anew",
      );
    });
    await t.step("piko restart keeps both too", async () => {
      const started = async () =>
        await docker(
          "inspect",
          "--format={{.State.StartedAt}}",
          `piko-${sandbox.project}-auth-web-1`,
        );
      const before = await started();
      await sandbox.pass("restart auth");
      assert.notEqual(await started(), before);
      assert.equal(await page(web.auth), "page of auth\n");
      assert.match(await redis(cache.auth, "GET row"), /auth$/);
    });
    await t.step("one service alone is stopped, restarted and started", async () => {
      const inside = { cwd: `${sandbox.worktree("auth")}/site` };
      await sandbox.pass("down auth web");
      assert.deepEqual(await services(sandbox, "auth"), { cache: "running", web: "exited" });
      assert.equal(await status(sandbox, "auth"), "partial");
      await sandbox.pass("restart web", inside);
      assert.deepEqual(await services(sandbox, "auth"), { cache: "running", web: "running" });
      await sandbox.pass("down web", inside);
      await sandbox.pass("up auth web");
      assert.equal(await status(sandbox, "auth"), "running");
      for (const command of ["up", "down", "restart"]) {
        const said = await sandbox.fail(`${command} auth wbe`, 3);
        assert.match(said, /There is no service "wbe"/);
        assert.match(said, /did you mean web\?/);
      }
    });
    await t.step("piko destroy takes one away and leaves the other running", async () => {
      const { destroyed } = await sandbox.json("destroy auth");
      assert.deepEqual(destroyed.keptVolumes, [`piko-${sandbox.project}-auth_rows`]);
      assert.equal(await page(web.payments), "page of payments\n");
      assert.match(await redis(cache.payments, "GET row"), /payments$/);
      const { environments } = await sandbox.json("list");
      assert.deepEqual(
        environments.map(({ name, status }: { name: string; status: string }) => [name, status]),
        [["payments", "running"]],
      );
    });
    await t.step("and its rows are there when it is created again", async () => {
      await sandbox.pass("create auth");
      assert.match(await redis(await hostPort(sandbox, "auth", "cache"), "GET row"), /auth$/);
    });
  },
});

Deno.test({
  name: "piko up follows what has changed, and the ports stay",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "docker-compose.yml": WEB, "site/index.html": "page\n" },
      init: true,
    });
    await sandbox.pass("create work");
    const worktree = sandbox.worktree("work");
    const port = await hostPort(sandbox, "work", "web");
    const composeFile = `${worktree}/docker-compose.yml`;
    const override = () => Deno.readTextFile(`${worktree}/docker-compose.piko.yml`);
    const container = `piko-${sandbox.project}-work-web-1`;

    await t.step("a service that was added", async () => {
      const before = await override();
      await sandbox.write(
        composeFile,
        WEB.replace("services:\n", `services:\n${ADMIN}`),
      );
      await sandbox.pass("up work");
      assert.notEqual(await override(), before);
      assert.deepEqual(await services(sandbox, "work"), { admin: "running", web: "running" });
      // Both want the host port that ends in 57: the one that was there first keeps it.
      assert.equal(await hostPort(sandbox, "work", "web"), port);
      assert.notEqual(await hostPort(sandbox, "work", "admin"), port);
      assert.equal(await page(port), "page\n");
    });
    await t.step("a service that was removed", async () => {
      await sandbox.write(composeFile, WEB);
      await sandbox.pass("up work");
      assert.deepEqual(await services(sandbox, "work"), { web: "running" });
      assert.equal(await hostPort(sandbox, "work", "web"), port);
      assert.equal(await status(sandbox, "work"), "running");
    });
    await t.step("a setting that was changed", async () => {
      await sandbox.write(
        composeFile,
        WEB.replace("init: true", "init: true\n    environment: { COLOR: red }"),
      );
      await sandbox.pass("up work");
      assert.match(await docker("exec", container, "env"), /^COLOR=red$/m);
      assert.equal(await hostPort(sandbox, "work", "web"), port);
    });
    await t.step("an override file that was deleted or changed by hand", async () => {
      const text = await override();
      await Deno.remove(`${worktree}/docker-compose.piko.yml`);
      await sandbox.pass("up work");
      assert.equal(await override(), text);
      await sandbox.write(
        `${worktree}/docker-compose.piko.yml`,
        text.replace(String(port), "12345"),
      );
      await sandbox.pass("up work");
      assert.equal(await override(), text);
      assert.equal(await page(port), "page\n");
    });
    await t.step("a network that was removed", async () => {
      await sandbox.pass("down work");
      await docker("network", "rm", `piko-${sandbox.project}-work`);
      await sandbox.pass("up work");
      assert.equal(await page(port), "page\n");
    });
    await t.step("containers that were removed", async () => {
      await docker("rm", "--force", container);
      assert.equal(await status(sandbox, "work"), "stopped");
      assert.equal(await sandbox.pass("down work"), "");
      await sandbox.pass("up work");
      assert.equal(await page(port), "page\n");
      await docker("rm", "--force", container);
      await sandbox.pass("restart work");
      assert.equal(await page(port), "page\n");
    });
    await t.step("a port that another program has taken is named, and not given up", async () => {
      await sandbox.pass("down work");
      {
        using _taken = Deno.listen({ hostname: "0.0.0.0", port });
        const { exitCode, stdout, stderr } = await sandbox.piko(["up", "work", "--json"]);
        assert.equal(exitCode, 4, stderr);
        const { error } = JSON.parse(stdout);
        assert.equal(error.code, "conflict");
        assert.ok(stdout.includes(String(port)), stdout);
        assert.ok(error.hint, "a hint");
        assert.equal(await hostPort(sandbox, "work", "web"), port);
      }
      await sandbox.pass("up work");
      assert.equal(await page(port), "page\n");
    });
    await t.step("a compose file that is broken stops piko up alone", async () => {
      await sandbox.write(composeFile, "services: [\n");
      const said = await sandbox.fail("up work", 1);
      assert.match(said, /docker-compose\.yml/);
      assert.equal(await page(port), "page\n");
      await sandbox.pass("restart work");
      await sandbox.pass("down work");
      assert.equal(await status(sandbox, "work"), "stopped");
      await sandbox.write(composeFile, WEB);
      await sandbox.pass("up work");
      assert.equal(await status(sandbox, "work"), "running");
    });
    await t.step("a compose file that is gone", async () => {
      await Deno.remove(composeFile);
      const said = await sandbox.fail("up work", 4);
      assert.match(said, /compose file of "work" is gone/);
      await sandbox.write(composeFile, WEB);
    });
    await t.step("an engine that is not there", async () => {
      const variables = { DOCKER_HOST: "unix:///nonexistent.sock" };
      for (const command of ["up work", "down work", "restart work"]) {
        const said = await sandbox.fail(command, 5, { variables });
        assert.match(said, /Cannot reach the Docker engine at unix:\/\/\/nonexistent\.sock/);
      }
    });
  },
});

Deno.test({
  name:
    "piko up fails with the last log lines when a container does not get ready, unless told not to wait",
  ...needs("git", "engine", "compose", "images"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "docker-compose.yml": WEB, "site/index.html": "page\n" },
      init: true,
    });
    await sandbox.pass("create work --no-start");
    assert.equal(await status(sandbox, "work"), "stopped");
    const composeFile = `${sandbox.worktree("work")}/docker-compose.yml`;
    await t.step("one that crashes", async () => {
      await sandbox.write(
        composeFile,
        WEB.replace("httpd -f -p 8057 -h /site", "sh -c 'echo out of luck; exit 7'"),
      );
      const said = await sandbox.fail("up work", 1);
      assert.match(said, /Service "web" exited with code 7/);
      assert.match(said, /out of luck/);
      await sandbox.pass("up work --no-wait");
      await eventually(async () =>
        /^web +exited \(7\) ✗ failed +-/m.test(await sandbox.pass("status work"))
      );
    });
    await t.step("one that is not healthy in time", async () => {
      await sandbox.write(
        composeFile,
        WEB.replace(
          "init: true",
          "init: true\n    healthcheck: { test: [CMD, test, -e, /ready], interval: 1s, retries: 100 }",
        ),
      );
      const said = await sandbox.fail("up work --timeout 1", 1);
      assert.match(said, /Service "web" is not ready after 1 s/);
      assert.match(said, /--timeout/);
      await docker("exec", `piko-${sandbox.project}-work-web-1`, "touch", "/ready");
      await sandbox.pass("up work");
      assert.equal(await status(sandbox, "work"), "running");
    });
    await t.step("a time that is none", async () => {
      for (const time of ["0", "-1", "soon", "1e9"]) {
        await sandbox.fail(["up", "work", `--timeout=${time}`], 2);
      }
    });
    await t.step("a one-shot that ended well is ready", async () => {
      await sandbox.write(
        composeFile,
        WEB.replace(
          "services:\n",
          'services:\n  once:\n    image: busybox:1.36\n    command: "true"\n',
        ),
      );
      await sandbox.pass("up work");
      assert.deepEqual(await services(sandbox, "work"), { once: "exited", web: "running" });
      assert.match(await sandbox.pass("status work"), /^once +exited \(0\) +-/m);
      assert.equal(await status(sandbox, "work"), "running");
      assert.equal(await page(await hostPort(sandbox, "work", "web")), "page\n");
    });
  },
});

Deno.test({
  name: "piko up, down and restart say what they cannot do in simple mode and without a worktree",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create work");
    for (const command of ["up", "down", "restart"]) {
      const { exitCode, stdout, stderr } = await sandbox.piko([command, "work"]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /work has no containers/);
      assert.equal(stdout, "");
      assert.equal((await sandbox.json(`${command} work`)).environment.status, "simple");
      const shared = await sandbox.piko([command, "--shared"]);
      assert.deepEqual([shared.exitCode, shared.stdout], [0, ""], shared.stderr);
      assert.match(
        shared.stderr,
        new RegExp(`^ *Project ${sandbox.project} shares no service$`, "m"),
      );
      assert.deepEqual(await sandbox.json(`${command} --shared`), { shared: [] });
    }
    assert.match(await sandbox.fail("restart work web", 2), /simple mode and has no containers/);
    assert.match(await sandbox.fail("up work web", 2), /simple mode and has no containers/);
    await Deno.remove(sandbox.worktree("work"), { recursive: true });
    const said = await sandbox.fail("up work", 4);
    assert.match(said, /The worktree of "work" is gone/);
    assert.match(said, /piko destroy \S+\/work/);
    const again = await sandbox.fail("create work", 4);
    assert.match(again, /worktree of "work" is gone: .*\n {2}→ piko destroy \S+\/work removes/);
    const { stderr } = await sandbox.piko(["status", "work"]);
    assert.match(stderr, /Its worktree is gone: .*piko destroy \S+\/work removes/);
    for (const command of ["up", "down", "restart", "env", "ports", "destroy"]) {
      assert.match(await sandbox.fail([command, "wrok"], 3), /did you mean work\?/);
      assert.match(await sandbox.fail([command], 2), /Which environment\?[^]*\n {4}work\n/);
    }
  },
});

Deno.test({
  name: "piko up starts the containers of a branch that had no compose file",
  ...needs("git", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: { "site/index.html": "page\n" },
      init: true,
    });
    await sandbox.pass("create work");
    assert.equal(await status(sandbox, "work"), "simple");
    await sandbox.write(`${sandbox.worktree("work")}/docker-compose.yml`, WEB);
    await sandbox.pass("up work");
    assert.equal(await status(sandbox, "work"), "running");
    assert.equal(await page(await hostPort(sandbox, "work", "web")), "page\n");
  },
});

Deno.test({
  name: "piko up names the volumes of a service that is no more, and piko destroy knows them",
  ...needs("git", "engine", "compose", "images"),
  async fn() {
    const service = "image: busybox:1.36, command: sleep 1000, init: true, stop_grace_period: 0s";
    const web = `services:\n  web: { ${service} }\n`;
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": `${web}  db: { ${service}, volumes: [/rows] }\n` },
      init: true,
    });
    await sandbox.pass("create one --no-wait");
    const containers = await sandbox.engine().listContainers();
    const db = containers.find(({ name }) => name === `piko-${sandbox.project}-one-db-1`);
    const [volume = ""] = db?.volumes ?? [];
    assert.match(volume, /^[0-9a-f]{64}$/);
    await sandbox.write(`${sandbox.worktree("one")}/compose.yaml`, web);

    const { exitCode, stderr } = await sandbox.piko(["up", "one", "--no-wait"]);
    assert.equal(exitCode, 0, stderr);
    assert.ok(stderr.includes(`has no db any more: its containers go; ${volume} stays`), stderr);
    assert.doesNotMatch((await sandbox.piko(["up", "one", "--no-wait"])).stderr, /any more/);
    const { destroyed } = await sandbox.json("destroy one --force");
    assert.deepEqual(destroyed.keptVolumes, [volume]);
    await sandbox.pass("create one --no-start");
    await sandbox.pass("destroy one --volumes");
    const volumes = await sandbox.engine().listAllVolumes();
    assert.equal(volumes.some(({ name }) => name === volume), false);
  },
});
