import assert from "node:assert/strict";
import type { Window } from "../../src/domain/config.ts";
import { sessionName } from "../../src/domain/names.ts";
import {
  commandArgv,
  customWindows,
  planWindows,
  shellArgv,
  type WindowSource,
} from "../../src/domain/windows.ts";

const notes: Window = { name: "notes", command: "vim notes.md", local: true };
const frontend: Window = { name: "frontend", command: "npm run dev", local: true };

function plan(source: Partial<WindowSource>) {
  const { windows, warnings } = planWindows({
    mode: "docker",
    services: ["web", "db"],
    project: { ignore: [], windows: [] },
    user: { defaultWindows: [] },
    ...source,
  });
  return { names: windows.map(({ kind, name }) => `${kind} ${name}`), warnings };
}

Deno.test("planWindows() has the shell, the services, the person's windows, the project's, the logs", () => {
  assert.deepEqual(
    plan({
      project: { ignore: [], windows: [frontend, { name: "sql", service: "db", local: false }] },
      user: { defaultWindows: [notes] },
    }),
    {
      names: [
        "shell shell",
        "service db",
        "service web",
        "custom notes",
        "custom frontend",
        "custom sql",
        "logs logs",
      ],
      warnings: [],
    },
  );
});

Deno.test("planWindows() leaves out the services to ignore, and keeps their custom windows", () => {
  const window: Window = { name: "db", command: "psql", local: false };
  assert.deepEqual(plan({ project: { ignore: ["db", "gone"], windows: [window] } }).names, [
    "shell shell",
    "service web",
    "custom db",
    "logs logs",
  ]);
});

Deno.test("planWindows() has the shell and local windows alone in simple mode", () => {
  assert.deepEqual(
    plan({
      mode: "simple",
      services: [],
      project: { ignore: [], windows: [frontend, { name: "web", local: false }] },
      user: { defaultWindows: [notes] },
    }),
    { names: ["shell shell", "custom notes", "custom frontend"], warnings: [] },
  );
});

Deno.test("planWindows() warns of a window of the project for an unknown service", () => {
  const lost: Window = { name: "queue", local: false, command: "top" };
  const { names, warnings } = plan({
    project: { ignore: [], windows: [lost] },
    user: { defaultWindows: [{ name: "redis", local: false }] },
  });
  assert.ok(!names.some((name) => name.startsWith("custom")));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /"queue".*no service "queue".*local: true/);
});

Deno.test("planWindows() has no logs where there is no service", () => {
  assert.deepEqual(plan({ services: [] }).names, ["shell shell"]);
});

Deno.test("customWindows() puts a project's window in the place of the person's of that name", () => {
  const own = { ...notes, command: "less notes.md" };
  assert.deepEqual(
    customWindows({ windows: [frontend, own] }, { defaultWindows: [notes] }),
    [own, frontend],
  );
});

Deno.test("shellArgv() takes the project's shell, then the person's, then sh", () => {
  const shells = { db: "psql -U postgres", constructor: "bash" };
  const user = { shells: { db: "bash", web: "bash -l" } };
  assert.deepEqual(shellArgv("db", { shells }, user), ["psql", "-U", "postgres"]);
  assert.deepEqual(shellArgv("web", { shells }, user), ["bash", "-l"]);
  assert.deepEqual(shellArgv("redis", { shells }, user), ["sh"]);
  assert.deepEqual(shellArgv("toString", { shells }, user), ["sh"]);
});

Deno.test("shellArgv() falls back to sh where a container lacks the person's default shell", () => {
  const argv = shellArgv("web", { shells: {} }, { shells: {}, defaultShell: "fish --login" });
  assert.deepEqual([argv[0], argv[1], ...argv.slice(3)], ["sh", "-c", "fish", "--login"]);
  const { stdout } = new Deno.Command("sh", {
    args: [...argv.slice(1, 3), "no-such-shell-here", "-c", "echo wrong"],
    stdin: "null",
  }).outputSync();
  assert.equal(new TextDecoder().decode(stdout), "");
  const found = new Deno.Command("sh", { args: [...argv.slice(1, 3), "sh", "-c", "echo right"] });
  assert.equal(new TextDecoder().decode(found.outputSync().stdout), "right\n");
});

Deno.test("commandArgv() leaves plain words alone and gives all else to sh", () => {
  assert.deepEqual(commandArgv(" redis-cli  -n 1 "), ["redis-cli", "-n", "1"]);
  for (
    const command of [
      "psql -U $POSTGRES_USER",
      "cd /app && bash",
      "PGUSER=x psql",
      'psql -c "select 1"',
      "a; b",
      "ls *",
    ]
  ) assert.deepEqual(commandArgv(command), ["sh", "-c", command]);
});

Deno.test("sessionName() is piko/<project>/<environment>, or begins as the person wants", () => {
  assert.equal(sessionName("shop", "auth"), "piko/shop/auth");
  assert.equal(sessionName("shop", "auth", "dev:"), "dev:shop:auth");
  assert.equal(sessionName("shop", "auth", "dev"), "dev/shop/auth");
  assert.equal(sessionName("shop", "auth", "dev-"), "dev-/shop/auth");
  assert.equal(sessionName("shop", "auth", ""), "shop/auth");
});
