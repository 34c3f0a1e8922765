import assert from "node:assert/strict";
import { PikoError } from "../../src/domain/errors.ts";
import { waitUntilReady } from "../../src/operations/wait_until_ready.ts";
import { Engine } from "../../src/programs/engine.ts";
import { Containers, docker, eventually, variables } from "../containers.ts";
import { needs } from "../needs.ts";

const engine = new Engine({ variables });
const timeout = 30_000;
const needed = needs("engine", "images");

/** The flags of a health check that is asked often. */
function check(command: string): string[] {
  return [`--health-cmd=${command}`, "--health-interval=200ms", "--health-retries=2"];
}

/** Waits and returns the failure, which has to come. */
async function failureOf(
  containers: Containers,
  options: { timeout?: number; services?: string[]; signal?: AbortSignal } = {},
): Promise<PikoError> {
  try {
    await waitUntilReady(engine, containers.composeProject, { timeout, ...options });
  } catch (error) {
    assert.ok(error instanceof PikoError, String(error));
    return error;
  }
  assert.fail("it was called ready");
}

async function state(id: string): Promise<string> {
  return await docker("inspect", "--format={{.State.Status}}", id);
}

Deno.test("waitUntilReady() has nothing to wait for without containers", needed, async () => {
  await waitUntilReady(engine, "pikotest-nothing", { timeout: 0 });
});

Deno.test(
  "waitUntilReady() waits until a container is healthy, and tells how far it is",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start(
      "db",
      ["sh", "-c", "sleep 2; touch /ready; sleep 1000"],
      "--health-cmd=test -e /ready",
      "--health-interval=200ms",
      "--health-retries=100",
    );
    const job = await containers.start("job", ["true"]);
    await eventually(async () => await state(job) === "exited");
    const progress: [number, number, readonly string[]][] = [];
    await waitUntilReady(engine, containers.composeProject, {
      timeout,
      onProgress: (...told) => progress.push(told),
    });
    assert.deepEqual(progress, [[1, 2, ["db"]], [2, 2, []]]);
    const [db] = await engine.listContainers({ composeProject: containers.composeProject });
    assert.equal(db?.health, "healthy");
  },
);

Deno.test("waitUntilReady() fails for an unhealthy container and shows why", needed, async () => {
  await using containers = new Containers();
  await containers.start(
    "db",
    ["sh", "-c", "echo cannot read its disk; sleep 1000"],
    ...check("echo no answer on 5432; false"),
  );
  const error = await failureOf(containers);
  assert.equal(error.message, 'Service "db" is unhealthy');
  assert.equal(error.code, "failed");
  assert.deepEqual(error.details, [
    "The health check said: no answer on 5432",
    "cannot read its disk",
  ]);
});

Deno.test("waitUntilReady() lets a container without health check settle", needed, async () => {
  await using containers = new Containers();
  const id = await containers.start("web", ["sleep", "1000"]);
  await waitUntilReady(engine, containers.composeProject, { timeout });
  const [details] = await engine.inspectContainers([id]);
  const ran = Date.now() - Date.parse(details?.startedAt ?? "");
  assert.ok(ran >= 1000, `${ran} ms`);
});

Deno.test(
  "waitUntilReady() finds a container that has settled ready at the first look",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["sleep", "1000"]);
    await waitUntilReady(engine, containers.composeProject, { timeout });
    await waitUntilReady(engine, containers.composeProject, { timeout: 0 });
  },
);

Deno.test("waitUntilReady() takes a one-shot that ended with 0 for ready", needed, async () => {
  await using containers = new Containers();
  const id = await containers.start("migrate", ["sh", "-c", "sleep 0.5"]);
  await waitUntilReady(engine, containers.composeProject, { timeout });
  await eventually(async () => await state(id) === "exited");
  await waitUntilReady(engine, containers.composeProject, { timeout: 0 });
});

Deno.test(
  "waitUntilReady() fails for a one-shot that ended with 3 and shows its last lines",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["sleep", "1000"]);
    await containers.start("migrate", ["sh", "-c", "seq 1 30; exit 3"]);
    const error = await failureOf(containers);
    assert.equal(error.message, 'Service "migrate" exited with code 3');
    assert.deepEqual(error.details, Array.from({ length: 20 }, (_, index) => `${index + 11}`));
  },
);

Deno.test("waitUntilReady() does not mind other services when some are named", needed, async () => {
  await using containers = new Containers();
  await containers.start("web", ["sleep", "1000"]);
  await containers.start("migrate", ["sh", "-c", "exit 3"]);
  const { composeProject } = containers;
  await waitUntilReady(engine, composeProject, { services: ["web"], timeout });
  assert.match((await failureOf(containers, { services: ["migrate"] })).message, /migrate/);
});

Deno.test(
  "waitUntilReady() fails for a container that crashes at once, again and again",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["sh", "-c", "echo no config; exit 1"], "--restart=always");
    const error = await failureOf(containers);
    assert.equal(error.message, 'Service "web" keeps restarting');
    assert.deepEqual([...new Set(error.details)], ["no config"]);
  },
);

Deno.test(
  "waitUntilReady() fails for a one-shot that is started again each time it ends",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["true"], "--restart=always");
    assert.equal((await failureOf(containers)).message, 'Service "web" keeps restarting');
  },
);

Deno.test(
  "waitUntilReady() fails for a container that is given up after its restarts",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["sh", "-c", "exit 4"], "--restart=on-failure:2");
    assert.equal((await failureOf(containers)).message, 'Service "web" exited with code 4');
  },
);

Deno.test(
  "waitUntilReady() gives a container that crashes twice the chance to get stable",
  needed,
  async () => {
    await using containers = new Containers();
    const script = "echo . >> /starts; test $(wc -l < /starts) -gt 2 && sleep 1000; exit 1";
    const id = await containers.start("web", ["sh", "-c", script], "--restart=always");
    await waitUntilReady(engine, containers.composeProject, { timeout });
    const [details] = await engine.inspectContainers([id]);
    assert.equal(details?.running, true);
    assert.equal(details.restartCount, 2);
  },
);

Deno.test(
  "waitUntilReady() does not call a container ready that crashes after two seconds each time",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["sh", "-c", "sleep 2; exit 1"], "--restart=always");
    const id = await docker(
      "ps",
      "--quiet",
      `--filter=name=^/?${containers.composeProject}-web-1$`,
    );
    await eventually(async () => (await engine.inspectContainers([id]))[0]?.restartCount === 1);
    const error = await failureOf(containers, { timeout: 5000 });
    assert.match(error.message, /^Service "web" (is not ready after 5 s|keeps restarting)$/);
  },
);

Deno.test(
  "waitUntilReady() names what it still waited for when the time is up",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("db", ["sh", "-c", "echo starting; sleep 1000"], ...check("sleep 500"));
    await containers.start("job", ["true"]);
    const error = await failureOf(containers, { timeout: 1500 });
    assert.equal(error.message, 'Service "db" is not ready after 1.5 s');
    assert.equal(error.code, "failed");
    assert.match(error.hint ?? "", /--timeout/);
    const [status, ...lines] = error.details;
    assert.match(status ?? "", /^db: Up .* \(health: starting\)$/);
    assert.deepEqual(lines, ["  starting"]);
  },
);

Deno.test(
  "waitUntilReady() fails for a paused container and says how to go on",
  needed,
  async () => {
    await using containers = new Containers();
    const id = await containers.start("web", ["sleep", "1000"]);
    await docker("pause", id);
    const error = await failureOf(containers);
    assert.equal(error.message, 'Service "web" is paused');
    assert.equal(error.hint, `docker unpause ${containers.composeProject}-web-1`);
  },
);

Deno.test(
  "waitUntilReady() fails without the log of a container that keeps none",
  needed,
  async () => {
    await using containers = new Containers();
    await containers.start("web", ["sh", "-c", "exit 3"], "--log-driver=none");
    const error = await failureOf(containers);
    assert.equal(error.message, 'Service "web" exited with code 3');
    assert.match(error.details.join(), /does not support reading/);
  },
);

Deno.test("waitUntilReady() says when a container ran out of memory", needed, async () => {
  await using containers = new Containers();
  await containers.start(
    "web",
    ["sh", "-c", "tail /dev/zero"],
    "--memory=24m",
    "--memory-swap=24m",
  );
  const error = await failureOf(containers);
  assert.match(error.message, /^Service "web" exited with code \d+ \(it ran out of memory\)$/);
});

Deno.test("waitUntilReady() stops when the signal is given", needed, async () => {
  await using containers = new Containers();
  await containers.start("db", ["sleep", "1000"], ...check("sleep 500"));
  const abort = new AbortController();
  const waiting = waitUntilReady(engine, containers.composeProject, {
    timeout,
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  const before = performance.now();
  await assert.rejects(
    waiting,
    (error) => error instanceof PikoError && error.code === "interrupted",
  );
  assert.ok(performance.now() - before < timeout / 2);
});
