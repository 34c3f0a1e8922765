/** Sessions, attach and switch, with a tmux server of each test's own; the walk is that of a person in a real terminal. */

import assert from "node:assert/strict";
import { DEFAULT_SOCKET } from "../../src/programs/docker_context.ts";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { PIKO, Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import { doctor, hintOf } from "./doctor.ts";

/** What the person of the sandbox has told tmux: a plain shell, and room for long names. */
const TMUX_CONF = `set -g default-command "PS1='inner> ' exec sh"
set -g status-left-length 60
set -g status-right ""
`;

async function withTmuxConf(sandbox: Sandbox): Promise<Sandbox> {
  await sandbox.write(`${sandbox.folder}/home/.tmux.conf`, TMUX_CONF);
  return sandbox;
}

/** Makes a project without containers. */
async function simple(config?: string): Promise<Sandbox> {
  const files: Record<string, string> = { "README.md": "# Sample\n" };
  if (config !== undefined) files[".piko.yml"] = config;
  return await withTmuxConf(await Sandbox.create({ files, init: true }));
}

/** Makes a project with one service, `web`, that runs a command. */
async function withWeb(command: string): Promise<Sandbox> {
  const compose = `services:
  web:
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: ${command}
`;
  return await withTmuxConf(
    await Sandbox.create({ files: { "compose.yml": compose }, init: true }),
  );
}

/** Reads what a window of a session shows. */
async function pane(sandbox: Sandbox, session: string, window: string): Promise<string> {
  const target = `=${session}:=${window}`;
  const { stdout, stderr, exitCode } = await sandbox.tmux("capture-pane", "-p", "-J", "-t", target);
  assert.equal(exitCode, 0, `window ${window}: ${stderr}`);
  return stdout.trimEnd();
}

/** Waits until a window shows something. */
async function shows(sandbox: Sandbox, session: string, window: string, what: string | RegExp) {
  let screen = "";
  await until(`${what} in window ${window}`, async () => {
    screen = await pane(sandbox, session, window);
    return typeof what === "string" ? screen.includes(what) : what.test(screen);
  }).catch((error: Error) => {
    error.message += `\n${screen}`;
    throw error;
  });
}

async function windowsOf(sandbox: Sandbox, session: string): Promise<string[]> {
  const { stdout } = await sandbox.tmux(
    "list-windows",
    "-t",
    `=${session}`,
    "-F",
    "#{window_name}",
  );
  return stdout.trimEnd().split("\n");
}

/** Names the sessions that are looked at, by the clients that look. */
async function lookedAt(sandbox: Sandbox): Promise<string> {
  return (await sandbox.tmux("list-clients", "-F", "#{session_name}")).stdout.trim();
}

Deno.test({
  name:
    "a person creates, looks around, switches, detaches, stops, starts and destroys from inside",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await withTmuxConf(
      await Sandbox.create({
        init: true,
        files: {
          "compose.yml": `services:
  web: &service
    image: busybox:1.36
    init: true
    stop_grace_period: 0s
    command: sh -c 'echo hello from web; exec sleep 3600'
    ports: ["8080:8080"]
  db:
    <<: *service
    command: sh -c 'echo hello from db; exec sleep 3600'
    ports: []
  queue:
    <<: *service
    command: sleep 3600
    ports: []
`,
          ".piko.yml": `shells: { db: "echo the shell of db; exec sh" }
ignore: [queue]
windows:
  - { name: watch, service: queue, command: "echo watching $PIKO_BRANCH from $(hostname); cat" }
`,
        },
      }),
    );
    const session = `piko/${sandbox.project}/feature-auth`;
    const containers = async () =>
      Object.fromEntries(
        (await sandbox.engine().listContainers()).filter(({ composeProject }) =>
          composeProject === `piko-${sandbox.project}-feature-auth`
        ).map(({ service, id }) => [service, id.slice(0, 12)]),
      );
    await using terminal = await Terminal.open(sandbox);

    // Create attaches, to the shell in the worktree.
    await terminal.type("piko create feature-auth");
    await terminal.shows(/0:shell\* +1:db +2:web +3:watch +4:logs/, 60_000);
    await terminal.shows("inner>");
    assert.equal(await lookedAt(sandbox), session);
    await terminal.type('echo "$PIKO_ENV_NAME:$PIKO_WEB_PORT:$(pwd)"');
    const hostPort = (await sandbox.json("ports feature-auth")).ports[0]?.hostPort;
    await terminal.shows(`feature-auth:${hostPort}:${sandbox.worktree("feature-auth")}`);

    // Each window is in the right container, with the variables.
    const { db, web, queue } = await containers();
    await terminal.press("C-b", "1");
    await terminal.shows("the shell of db");
    await terminal.type('echo "in $(hostname) for $PIKO_ENV_NAME"');
    await terminal.shows(`in ${db} for feature-auth`);
    await terminal.press("C-b", "2");
    await terminal.type('echo "in $(hostname) on $PIKO_WEB_PORT"');
    await terminal.shows(`in ${web} on ${hostPort}`);
    await shows(sandbox, session, "watch", `watching feature-auth from ${queue}`);
    await terminal.press("C-b", "4");
    await terminal.shows(/web-1 +\| hello from web/);
    await terminal.shows(/db-1 +\| hello from db/);

    // To another environment and back; then away, and everything goes on.
    await sandbox.pass("create other --no-start");
    await terminal.press("C-b", "0");
    await terminal.type(`${PIKO} switch other`);
    await until("the other session", async () => (await lookedAt(sandbox)).endsWith("/other"));
    await terminal.shows("inner>");
    await terminal.type(`${PIKO} switch ${sandbox.project}/feature-auth`);
    await until("the first session", async () => await lookedAt(sandbox) === session);
    await terminal.type(`clear; ${PIKO} switch`);
    await terminal.shows(`This is the session of ${sandbox.project}/feature-auth already`);
    await terminal.press("C-b", "d");
    await terminal.shows("[detached");
    await terminal.isReady();

    // Down keeps the session, whose windows wait; up finds them again.
    await terminal.run("piko down feature-auth");
    await shows(
      sandbox,
      session,
      "db",
      /db has stopped\n+Waiting: db has ended .*piko up \S+\/feature-auth/,
    );
    await shows(sandbox, session, "logs", "Waiting: no container runs");
    assert.deepEqual(await windowsOf(sandbox, session), ["shell", "db", "web", "watch", "logs"]);
    await terminal.run("piko up feature-auth");
    await shows(sandbox, session, "db", /Waiting: [\s\S]*the shell of db/);
    await shows(sandbox, session, "logs", /Waiting: [\s\S]*hello from web/);

    // Leaving a shell does not close its window.
    await terminal.type("piko attach feature-auth");
    await terminal.shows(/0:shell/);
    await terminal.press("C-b", "1");
    await terminal.type("exit 3");
    await terminal.shows("You have left db (exit code 3). Enter connects again");
    await terminal.press("C-c");
    await terminal.press("Enter");
    await terminal.shows(/Enter connects again[\s\S]*the shell of db/);
    await terminal.press("C-b", "4", "C-c");
    await terminal.shows("The logs have ended. Enter follows them again");

    // Destroyed from inside, to the end.
    await terminal.press("C-b", "0");
    await terminal.shows("inner>");
    await terminal.type(`${PIKO} destroy feature-auth --yes`);
    await terminal.shows("was destroyed", 60_000);
    await terminal.isReady();
    assert.deepEqual(await sandbox.sessions(), [`piko/${sandbox.project}/other`]);
    assert.deepEqual(await containers(), {});
    assert.equal(await sandbox.exists(sandbox.worktree("feature-auth")), false);
    const { environments } = await sandbox.json("list");
    assert.deepEqual(environments.map(({ name }: { name: string }) => name), ["other"]);
  },
});

Deno.test({
  name: "a window waits for a container that was never started, and for one that is restarted",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await withWeb("sleep 3600");
    await sandbox.write(
      `${sandbox.folder}/home/.config/piko/config.yml`,
      "default_shell: zsh-of-ours\n",
    );
    // Windows of an environment whose worktree somebody removed close by themselves.
    await sandbox.pass("create lost --no-start");
    await Deno.remove(sandbox.worktree("lost"), { recursive: true });
    const lost = `piko/${sandbox.project}/lost`;
    await until("the windows' end", async () => (await windowsOf(sandbox, lost)).length === 1);
    await sandbox.pass("destroy lost");

    await sandbox.pass("create auth --no-start");
    const session = `piko/${sandbox.project}/auth`;
    await shows(
      sandbox,
      session,
      "web",
      `Waiting: web has no container (piko up ${sandbox.project}/auth starts it)`,
    );
    await sandbox.pass("up auth");
    await shows(sandbox, session, "web", /Connected to piko-\S+-web-1: zsh-of-ours\n[\s\S]*#/);
    await sandbox.pass("restart auth");
    await shows(sandbox, session, "web", /web has stopped\n+(Waiting.*\n+)?Connected to/);
    // A session that was ended is made again.
    await sandbox.tmux("kill-session", "-t", `=${session}`);
    await sandbox.pass("up auth");
    assert.deepEqual(await windowsOf(sandbox, session), ["shell", "web", "logs"]);
  },
});

Deno.test({
  name: "piko create without a terminal makes the session and stays outside",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple(`windows:
  - { name: front, command: 'echo "$PIKO_BRANCH is $PIKO_ENV_NAME in $(pwd)"; exec cat', local: true }
  - { name: front page, local: true }
  - { name: db }
`);
    await sandbox.write(
      `${sandbox.folder}/home/.config/piko/config.yml`,
      'default_windows: [{ name: notes, command: "echo my notes", local: true }]\n',
    );
    const branch = `feat/$(touch\${IFS}run)\`id\`;&|"';`;
    const created = await sandbox.piko(["create", "auth", "--branch", branch, "--json"]);
    assert.equal(created.exitCode, 0, created.stderr);
    const session = `piko/${sandbox.project}/auth`;
    assert.equal(JSON.parse(created.stdout).environment.session, session);
    assert.deepEqual(await sandbox.sessions(), [session]);
    assert.deepEqual(await windowsOf(sandbox, session), ["shell", "notes", "front", "front page"]);
    await shows(sandbox, session, "front", `${branch} is auth in ${sandbox.worktree("auth")}`);
    // Ctrl+C is for the program, not for its window.
    await sandbox.tmux("send-keys", "-t", `=${session}:=front`, "C-c");
    await shows(sandbox, session, "front", "Enter starts it again, Ctrl+D closes the window");
    await sandbox.tmux("send-keys", "-t", `=${session}:=front`, "C-c", "Enter");
    await shows(sandbox, session, "front", /Enter starts it again[\s\S]* is auth in /);
    await shows(sandbox, session, "notes", "Enter starts it again, Ctrl+D closes the window");
    await sandbox.tmux("send-keys", "-t", `=${session}:=notes`, "C-d");
    await until(
      "the window's end",
      async () => !(await windowsOf(sandbox, session)).includes("notes"),
    );
    assert.deepEqual(await sandbox.git("-C", sandbox.worktree("auth"), "status", "--short"), "");
    await sandbox.pass("destroy auth");
    assert.deepEqual(await sandbox.sessions(), []);
  },
});

Deno.test({
  name: "a session keeps its name, and is made again by attach, switch and up",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    const config = `${sandbox.folder}/home/.config/piko/config.yml`;
    await sandbox.write(config, 'session_prefix: "dev:"\n');
    await sandbox.pass("create auth");
    const session = `dev_${sandbox.project}_auth`;
    assert.deepEqual(await sandbox.sessions(), [session]);
    assert.equal((await sandbox.json("status auth")).environment.session, session);
    await sandbox.write(config, "session_prefix: other/\n");

    await sandbox.tmux("kill-session", "-t", `=${session}`);
    assert.match((await sandbox.piko(["up", "auth"])).stderr, /session .* anew/);
    assert.deepEqual(await sandbox.sessions(), [session]);
    // Twice is fine.
    assert.doesNotMatch((await sandbox.piko(["up", "auth"])).stderr, /anew/);
    await sandbox.pass("down auth");
    assert.deepEqual(await sandbox.sessions(), [session]);

    await sandbox.tmux("kill-session", "-t", `=${session}`);
    await using terminal = await Terminal.open(sandbox);
    await terminal.type("piko attach auth");
    await terminal.shows("inner>");
    assert.deepEqual(await sandbox.sessions(), [session]);
    await terminal.press("C-b", "d");
    await terminal.isReady();

    await sandbox.pass("create pay");
    await terminal.type("piko attach auth");
    await terminal.shows("inner>");
    await sandbox.tmux("kill-session", "-t", `=other/${sandbox.project}/pay`);
    await terminal.type(`${PIKO} switch ${sandbox.project}/pay`);
    await until("the other session", async () => (await lookedAt(sandbox)).endsWith("/pay"));
  },
});

Deno.test({
  name: "piko doctor --fix takes no name for a session that piko would not find again",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    await sandbox.pass("create auth");
    const session = `piko/${sandbox.project}/auth`;
    await sandbox.tmux("rename-session", "-t", `=${session}`, "my own");
    const found = await doctor(sandbox, ["--fix"]);
    assert.deepEqual(found.fixed, []);
    const hint = hintOf(found, `is called "my own" by now, and not "${session}"`);
    await sandbox.run(["sh", "-c", hint ?? "exit 1"]);
    assert.deepEqual(await sandbox.sessions(), [session]);
    assert.deepEqual((await doctor(sandbox)).wrong, []);
  },
});

Deno.test({
  name: "piko destroy inside its session shows what stays until Enter ends the session",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    const sessionOf = (name: string) => `piko/${sandbox.project}/${name}`;
    await using terminal = await Terminal.open(sandbox);
    for (const key of ["Enter", "C-c"]) {
      await terminal.type("piko create auth");
      await terminal.shows("inner>");
      await terminal.type(`${PIKO} destroy`);
      await terminal.shows("[y/N]");
      await terminal.type("y");
      await terminal.shows(
        /✓ Destroyed \S+\/auth\n +Branch auth stays\n +Enter ends this session$/m,
      );
      assert.deepEqual(await sandbox.sessions(), [sessionOf("auth")]);
      await terminal.press(key);
      await terminal.shows(/was destroyed\n/);
      await terminal.isReady();
      assert.deepEqual(await sandbox.sessions(), []);
      await terminal.type("clear");
    }

    // Where nobody looks, nobody would press it.
    await sandbox.pass("create auth");
    const target = ["-t", `=${sessionOf("auth")}:=shell`];
    await shows(sandbox, sessionOf("auth"), "shell", "inner>");
    await sandbox.tmux("send-keys", ...target, `${PIKO} destroy`, "Enter");
    await shows(sandbox, sessionOf("auth"), "shell", "[y/N]");
    await sandbox.tmux("send-keys", ...target, "y", "Enter");
    await until("the session's end", async () => (await sandbox.sessions()).length === 0);
  },
});

Deno.test({
  name: "piko destroy ends a session that was renamed, and no other one",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    for (const name of ["auth", "pay"]) await sandbox.pass(`create ${name}`);
    await sandbox.tmux("rename-session", "-t", `=piko/${sandbox.project}/auth`, "my own");
    await sandbox.tmux("new-session", "-d", "-s", "my own too");
    await sandbox.pass("destroy auth");
    assert.deepEqual(
      (await sandbox.sessions()).sort(),
      ["my own too", `piko/${sandbox.project}/pay`],
    );
  },
});

Deno.test({
  name: "attach and switch point to each other, and want a terminal",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    await sandbox.pass("create auth");
    assert.match(await sandbox.fail("attach auth", 2), /without a terminal/);
    assert.match(await sandbox.fail("switch auth", 2), /outside tmux[\s\S]*piko attach \S+\/auth/);
    const inside = { variables: { TMUX: "/tmp/none,1,0" }, cwd: sandbox.worktree("auth") };
    assert.match(
      await sandbox.fail("attach auth", 2, inside),
      /inside tmux[\s\S]*piko switch \S+\/auth/,
    );
    assert.match(
      await sandbox.fail("attach", 2, inside),
      new RegExp(`piko switch ${sandbox.project}/auth`),
    );
    assert.match(await sandbox.fail("switch auth", 2, inside), /without a terminal/);
    assert.match(await sandbox.fail("attach aut", 3), /did you mean auth/);
    const { exitCode, stdout } = await sandbox.piko(["attach", "auth", "--json"]);
    assert.equal(exitCode, 2);
    assert.equal(JSON.parse(stdout).error.code, "usage");
  },
});

Deno.test({
  name: "a session of somebody else's is left alone",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    const session = `piko/${sandbox.project}/auth`;
    await sandbox.tmux("new-session", "-d", "-s", session, "-n", "mine");
    await sandbox.tmux("new-session", "-d", "-s", `${session}-too`, "-n", "mine");
    const created = await sandbox.piko(["create", "auth", "--json"]);
    assert.equal(created.exitCode, 0, created.stderr);
    assert.equal(JSON.parse(created.stdout).environment.session, null);
    assert.match(created.stderr, /No session: .*is there already, and piko did not make it/);
    await using terminal = await Terminal.open(sandbox);
    const refused = await terminal.run("piko attach auth", 4);
    assert.match(refused, /is there already, and piko did not make it/);
    await sandbox.pass("destroy auth");
    assert.deepEqual((await sandbox.sessions()).sort(), [session, `${session}-too`]);
    assert.deepEqual(await windowsOf(sandbox, session), ["mine"]);

    // A session with a longer name is no session of this one, and is not ended with it.
    await sandbox.tmux("kill-session", "-t", `=${session}`);
    await sandbox.pass("create auth");
    assert.deepEqual(await windowsOf(sandbox, session), ["shell"]);
    await sandbox.pass("destroy auth");
    assert.deepEqual(await sandbox.sessions(), [`${session}-too`]);
  },
});

Deno.test({
  name: "piko create takes the session back when it is interrupted",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    const mark = `${sandbox.folder}/reading`;
    await sandbox.write(
      `${sandbox.folder}/home/.tmux.conf`,
      `run-shell "touch ${mark}; sleep 2"\n`,
    );
    await using piko = Background.piko(sandbox, ["create", "auth"]);
    await until("tmux's start", () => sandbox.exists(mark));
    piko.kill("SIGINT");
    assert.equal(await piko.ended(), 130, piko.stderr.join("\n"));
    assert.deepEqual(await sandbox.sessions(), []);
    assert.deepEqual((await sandbox.json("list")).environments, []);
    assert.equal(await sandbox.exists(sandbox.worktree("auth")), false);
  },
});

Deno.test({
  name: "without tmux piko create works and says so, and attach explains",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    const PATH = await pathWithoutTmux(sandbox);
    const created = await sandbox.piko(["create", "auth"], { variables: { PATH } });
    assert.equal(created.exitCode, 0, created.stderr);
    assert.equal(created.stderr.match(/tmux is not installed/g)?.length, 1, created.stderr);
    assert.doesNotMatch(created.stderr, /piko attach/);
    assert.equal((await sandbox.json("status auth")).environment.session, null);
    const started = await sandbox.piko(["up", "auth"], { variables: { PATH } });
    assert.equal(started.exitCode, 0, started.stderr);
    assert.doesNotMatch(started.stderr, /tmux/);
    await using terminal = await Terminal.open(sandbox);
    const screen = await terminal.run(`PATH=${PATH} ${PIKO} attach auth`, 5);
    assert.match(screen, /tmux is not installed[\s\S]*install tmux/);
    await sandbox.pass("destroy auth", { variables: { PATH } });
    // Once it is there, attach makes the session.
    await sandbox.pass("create pay", { variables: { PATH } });
    await terminal.type("piko attach pay");
    await terminal.shows("inner>");
    assert.deepEqual(await sandbox.sessions(), [`piko/${sandbox.project}/pay`]);
  },
});

Deno.test({
  name: "piko create --no-attach stays outside on a terminal, and create inside tmux switches",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    await using terminal = await Terminal.open(sandbox);
    const screen = await terminal.run("piko create auth --no-attach");
    assert.match(screen, /piko attach \S+\/auth/);
    assert.equal(await lookedAt(sandbox), "");
    await terminal.type("piko attach auth");
    await terminal.shows("inner>");
    await terminal.type(`cd ${sandbox.root} && ${PIKO} create pay`);
    await until("the new session", async () => (await lookedAt(sandbox)).endsWith("/pay"));
  },
});

Deno.test({
  name: "piko create leaves the environment and its session when tmux cannot show it",
  ...needs("git", "tmux"),
  async fn() {
    await using sandbox = await simple();
    await using terminal = await Terminal.open(sandbox);
    const session = `piko/${sandbox.project}/auth`;
    // A kind of terminal that nobody has described: tmux makes sessions there, and attaches to none.
    const screen = await terminal.run("TERM=no-such-terminal piko create auth");
    assert.match(screen, /unsuitable terminal: no-such-terminal/);
    assert.match(screen, new RegExp(`^✓ Created ${sandbox.project}/auth$`, "m"));
    assert.match(
      screen,
      new RegExp(
        `^! tmux could not show the session ${session}\n  cd ${sandbox.worktree("auth")}\n` +
          `  piko attach ${sandbox.project}/auth$`,
        "m",
      ),
    );
    assert.deepEqual(await sandbox.sessions(), [session]);
    assert.equal((await sandbox.json("status auth")).environment.status, "simple");
    await terminal.type("piko attach auth");
    await terminal.shows("inner>");
  },
});

Deno.test({
  name: "a window waits for an engine that does not answer, and connects once it does",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await withWeb("sh -c 'echo hello from web; exec sleep 3600'");
    // A way to the engine that can be closed while the engine goes on for all others.
    const socket = `${sandbox.folder}/docker.sock`;
    const variables = { DOCKER_HOST: `unix://${socket}` };
    await Deno.symlink(DEFAULT_SOCKET, socket);
    await sandbox.pass("create auth --no-start", { variables });
    const session = `piko/${sandbox.project}/auth`;
    await shows(sandbox, session, "web", "Waiting: web has no container");
    await shows(sandbox, session, "logs", "Waiting: no container runs");
    await Deno.remove(socket);
    for (const window of ["web", "logs"]) {
      await shows(
        sandbox,
        session,
        window,
        `Waiting: Cannot reach the Docker engine at unix://${socket}`,
      );
    }
    await sandbox.pass("up auth");
    await Deno.symlink(DEFAULT_SOCKET, socket);
    await shows(sandbox, session, "web", /Waiting: Cannot reach [^]*Connected to piko-\S+-web-1/);
    await shows(sandbox, session, "logs", /Waiting: Cannot reach [^]*hello from web/);
  },
});

/** Makes a folder with every program of the PATH but tmux. */
async function pathWithoutTmux(sandbox: Sandbox): Promise<string> {
  const folder = `${sandbox.folder}/bin`;
  await Deno.mkdir(folder);
  for (const path of (sandbox.variables.PATH ?? "").split(":")) {
    if (!await sandbox.exists(path)) continue;
    for await (const { name } of Deno.readDir(path)) {
      if (name === "tmux" || await sandbox.exists(`${folder}/${name}`)) continue;
      await Deno.symlink(`${path}/${name}`, `${folder}/${name}`);
    }
  }
  return folder;
}
