import assert from "node:assert/strict";
import { CommandError, PikoError } from "../../src/domain/errors.ts";
import { isAbsence, type NewWindow, Tmux, tmuxName } from "../../src/programs/tmux.ts";
import { run } from "../../src/programs/run.ts";
import { needs } from "../needs.ts";
import { until } from "../sandbox.ts";
import { writeProgram } from "../program_file.ts";

/** The option that says how much of `status-left` is shown. */
const LEFT = "status-left-length";

/** A tmux server of a test's own, without anybody's configuration. */
class Server implements AsyncDisposable {
  readonly folder: string;
  readonly variables: Record<string, string>;
  readonly tmux: Tmux;

  constructor() {
    // The path of a socket must be short.
    this.folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "pt" });
    this.variables = {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: this.folder,
      TMUX_TMPDIR: this.folder,
      SHELL: "/bin/sh",
      TERM: "xterm",
      LC_ALL: "C.UTF-8",
    };
    this.tmux = new Tmux({ variables: this.variables });
  }

  /** Makes a session of one window that waits. */
  async session(name: string, owner = "/work/auth", ...others: NewWindow[]): Promise<void> {
    await this.tmux.newSession({
      name,
      owner,
      folder: this.folder,
      variables: {},
      windows: [{ name: "shell", argv: ["sleep", "600"] }, ...others],
    });
  }

  /** Names the windows of a session in their order. */
  async windows(name: string): Promise<string[]> {
    return (await this.run("list-windows", "-t", `=${name}`, "-F", "#{window_name}")).split("\n");
  }

  /** Runs tmux as a person would. */
  async run(...args: string[]): Promise<string> {
    return (await run(["tmux", ...args], { variables: this.variables })).trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("kill-server").catch((error) => {
      if (!isAbsence(error.stderr)) throw error;
    });
    await Deno.remove(this.folder, { recursive: true });
  }
}

function testTmux(name: string, fn: (server: Server) => Promise<void>): void {
  Deno.test({
    name,
    ...needs("tmux"),
    async fn() {
      await using server = new Server();
      await fn(server);
    },
  });
}

testTmux("Tmux takes the lack of a server for the lack of sessions", async ({ tmux }) => {
  assert.equal(await tmux.hasSession("piko/shop/auth"), false);
  assert.equal(await tmux.findOwner("piko/shop/auth"), undefined);
  await tmux.killSession("piko/shop/auth");
  assert.equal(await tmux.findOwnSession(), undefined);
});

testTmux("Tmux.hasSession() ignores a longer name", async (server) => {
  await server.session("piko/shop/auth-two");
  assert.equal(await server.tmux.hasSession("piko/shop/auth"), false);
  assert.equal(await server.tmux.findOwner("piko/shop/auth"), undefined);
  assert.equal(await server.tmux.hasSession("piko/shop/auth-two"), true);
});

testTmux("Tmux.killSession() leaves a longer name alone", async (server) => {
  await server.session("piko/shop/auth-two");
  await server.tmux.killSession("piko/shop/auth");
  await server.tmux.killSession("piko/shop/a*");
  assert.equal(await server.tmux.hasSession("piko/shop/auth-two"), true);
  await server.tmux.killSession("piko/shop/auth-two");
  assert.equal(await server.tmux.hasSession("piko/shop/auth-two"), false);
});

testTmux("Tmux finds a session whose name tmux has rewritten", async (server) => {
  await server.session("dev:shop.x:auth");
  assert.equal(await server.run("list-sessions", "-F", "#{session_name}"), "dev_shop_x_auth");
  assert.equal(await server.tmux.findOwner("dev:shop.x:auth"), "/work/auth");
});

testTmux(
  "Tmux.newSession() has the status line show the whole name, and changes nothing that the person has set",
  async (server) => {
    const leftOf = (name: string) => server.run("show-options", "-Av", "-t", `=${name}:`, LEFT);
    await server.run("new-session", "-d", "-s", "mine");
    await server.session("piko/shop/feature-auth");
    const shown = await server.run(
      ...["display-message", "-p", "-t", "=piko/shop/feature-auth:"],
      `#{=/#{${LEFT}}/:#{T:status-left}}`,
    );
    assert.match(shown, /^\[piko\/shop\/feature-auth\]/);
    assert.equal(await leftOf("mine"), "10");
    assert.equal(await server.run("show-options", "-gv", LEFT), "10");

    await server.run("set-option", "-g", LEFT, "12");
    await server.session("piko/shop/other", "/work/other");
    assert.equal(await leftOf("piko/shop/other"), "12");
  },
);

Deno.test("tmuxName() leaves nothing that tmux gives a meaning", () => {
  assert.equal(tmuxName("piko/shop/feature-auth"), "piko/shop/feature-auth");
  assert.equal(tmuxName("$(id);`x`/#{pid}#(id)/=a b\né"), "__id___x_/__pid___id_/_a_b__");
});

testTmux("Tmux.findOwner() tells piko's sessions from others'", async (server) => {
  await server.run("new-session", "-d", "-s", "mine");
  assert.equal(await server.tmux.findOwner("mine"), "");
  const owner = `${server.folder}/#(touch ${server.folder}/run) two\nlines;`;
  await server.session("ours", owner);
  assert.equal(await server.tmux.findOwner("ours"), owner);
  assert.ok(!(await server.run("list-sessions")).includes("two"));
  await assert.rejects(Deno.stat(`${server.folder}/run`), Deno.errors.NotFound);
});

testTmux(
  "Tmux.listSessions() tells whose each is, and findVariable() what it was given",
  async (server) => {
    assert.deepEqual(await server.tmux.listSessions(), []);
    await server.session("ours", "/work/my shop");
    await server.run("new-session", "-d", "-s", "mine", "-e", "PIKO_HOME=/a b=c");
    assert.deepEqual(await server.tmux.listSessions(), [
      { name: "mine", owner: "", isUnfinished: false, isAttached: false },
      { name: "ours", owner: "/work/my shop", isUnfinished: false, isAttached: false },
    ]);
    assert.equal(await server.tmux.findVariable("mine", "PIKO_HOME"), "/a b=c");
    assert.equal(await server.tmux.findVariable("ours", "PIKO_HOME"), undefined);
    assert.equal(await server.tmux.findVariable("none", "PIKO_HOME"), undefined);
  },
);

testTmux("Tmux.newSession() refuses a name that is taken", async (server) => {
  await server.session("piko/shop/auth");
  await assert.rejects(
    server.session("piko/shop/auth", "/other"),
    (error) => error instanceof PikoError && error.code === "conflict",
  );
  assert.equal(await server.tmux.findOwner("piko/shop/auth"), "/work/auth");
});

testTmux("Tmux hands over hostile words as they are", async (server) => {
  const hostile = "$(touch run)`touch run`#(touch run)\"'; touch run;";
  const folder = `${server.folder}/#(touch run) #{session_name};`;
  await Deno.mkdir(folder);
  const save = ["sh", "-c", 'printf "%s|%s|%s" "$1" "$PIKO_BRANCH" "$PWD" >"$2"; sleep 600', "sh"];
  await server.tmux.newSession({
    name: "piko/shop/auth",
    owner: folder,
    folder,
    variables: { PIKO_BRANCH: hostile },
    windows: [
      { name: hostile, argv: [...save, hostile, `${server.folder}/first`] },
      { name: "-x", argv: [...save, "-d;", `${server.folder}/second`] },
    ],
  });
  const read = (name: string) => Deno.readTextFile(`${server.folder}/${name}`).catch(() => "");
  await until(
    "both windows",
    async () => await read("first") !== "" && await read("second") !== "",
  );
  assert.equal(await read("first"), `${hostile}|${hostile}|${folder}`);
  assert.equal(await read("second"), `-d;|${hostile}|${folder}`);
  assert.equal(
    await server.run("list-windows", "-t", "=piko/shop/auth", "-F", "#{window_name}"),
    `${hostile}\n-x`,
  );
  const found = [server.folder, folder].flatMap((place) => [...Deno.readDirSync(place)]);
  assert.ok(!found.some(({ name }) => name === "run"), "a name was run as a command");
});

testTmux("Tmux.newSession() runs a single word without a shell", async (server) => {
  const program = `${server.folder}/a program;`;
  await writeProgram(program, "#!/bin/sh\nsleep 600\n");
  await server.session("piko/shop/auth", "/work/auth", { name: "two", argv: [program] });
  assert.deepEqual(await server.windows("piko/shop/auth"), ["shell", "two"]);
});

testTmux("Tmux.setVariables() changes what new windows get", async (server) => {
  await server.session("piko/shop/auth");
  const { tmux } = server;
  await tmux.setVariables("piko/shop/auth", { PIKO_A: "1;", PIKO_B: "two words" });
  assert.deepEqual((await tmux.listVariables("piko/shop/auth")).sort(), ["PIKO_A", "PIKO_B"]);
  await tmux.setVariables("piko/shop/auth", { PIKO_A: "2" }, ["PIKO_B"]);
  assert.deepEqual(await tmux.listVariables("piko/shop/auth"), ["PIKO_A"]);
  const see = `echo $PIKO_A $PIKO_B >${server.folder}/seen; sleep 600`;
  await server.run("new-window", "-d", "-t", "=piko/shop/auth:", see);
  const seen = () => Deno.readTextFile(`${server.folder}/seen`).catch(() => "");
  await until("the window's variables", async () => await seen() !== "");
  assert.equal(await seen(), "2\n");
});

testTmux("Tmux takes more variables than fit into one call", async (server) => {
  await server.session("piko/shop/auth");
  const numbers = Array.from({ length: 400 }, (_, index) => String(index));
  const variables = numbers.map((number) => [`PIKO_${"X".repeat(40)}_${number}`, number]);
  await server.tmux.setVariables("piko/shop/auth", Object.fromEntries(variables));
  assert.equal((await server.tmux.listVariables("piko/shop/auth")).length, 400);
});

/** Windows that take as many calls of tmux as there are two of them. */
const MANY: readonly NewWindow[] = ["db", "db", "3", "4", "5", "6", "7", "8"].map((name) => ({
  name,
  argv: ["sh", "-c", "sleep 600", "#".repeat(5000)],
}));
const NAMES = ["shell", ...MANY.map(({ name }) => name)];

testTmux(
  "Tmux.newSession() makes windows in one call, or in as many as it takes",
  async (server) => {
    const bin = `${server.folder}/bin`;
    await Deno.mkdir(bin);
    const real = (await run(["which", "tmux"], { variables: server.variables })).trim();
    await writeProgram(
      `${bin}/tmux`,
      `#!/bin/sh\necho "$1" >>"${bin}/calls"\nexec ${real} "$@"\n`,
    );
    const tmux = new Tmux({ variables: { ...server.variables, PATH: `${bin}:/usr/bin:/bin` } });
    const make = (name: string, windows: readonly NewWindow[]) =>
      tmux.newSession({
        name,
        owner: "/work/auth",
        folder: server.folder,
        variables: {},
        windows: [{ name: "shell", argv: ["sleep", "600"] }, ...windows],
      });
    await make("few", MANY.slice(0, 2));
    assert.deepEqual(await server.windows("few"), NAMES.slice(0, 3));
    assert.equal(await Deno.readTextFile(`${bin}/calls`), "new-session\n");
    await make("many", MANY);
    assert.deepEqual(await server.windows("many"), NAMES);
    for (const session of await server.tmux.listSessions()) {
      assert.equal(
        session.isUnfinished,
        false,
      );
    }
  },
);

testTmux("Tmux.finishSession() makes what a killed newSession() has left out", async (server) => {
  const bin = `${server.folder}/bin`;
  await Deno.mkdir(bin);
  const real = (await run(["which", "tmux"], { variables: server.variables })).trim();
  // It is killed in the second call for windows, by what it starts.
  await writeProgram(
    `${bin}/tmux`,
    `#!/bin/sh
if [ "$1" = new-window ]; then
  [ ! -e "${bin}/once" ] || kill -9 $$
  : >"${bin}/once"
fi
exec ${real} "$@"
`,
  );
  const tmux = new Tmux({ variables: { ...server.variables, PATH: `${bin}:/usr/bin:/bin` } });
  const owner = "/work/auth";
  const windows: [NewWindow, ...NewWindow[]] = [{ name: "shell" }, ...MANY];
  await assert.rejects(
    tmux.newSession({ name: "piko/shop/auth", owner, folder: "/", variables: {}, windows }),
    CommandError,
  );
  assert.deepEqual(await server.windows("piko/shop/auth"), NAMES.slice(0, 3));
  assert.deepEqual(await server.tmux.findState("piko/shop/auth"), { owner, isUnfinished: true });
  assert.deepEqual(await server.tmux.listSessions(), [
    { name: "piko/shop/auth", owner, isUnfinished: true, isAttached: false },
  ]);
  await server.tmux.finishSession("piko/shop/auth", "/", windows);
  assert.deepEqual(await server.windows("piko/shop/auth"), NAMES);
  assert.deepEqual(await server.tmux.findState("piko/shop/auth"), { owner, isUnfinished: false });
});

testTmux("Tmux.findOwnSession() tells in which session piko runs", async (server) => {
  await server.session("piko/shop/auth");
  await server.session("piko/shop/pay", "/work/pay");
  const pane = await server.run("list-panes", "-t", "=piko/shop/auth", "-F", "#{pane_id}");
  const socket = await server.run("display-message", "-p", "#{socket_path},#{pid},0");
  const inside = new Tmux({ variables: { ...server.variables, TMUX: socket, TMUX_PANE: pane } });
  assert.equal(inside.isInside, true);
  assert.equal(await inside.findOwnSession(), "piko/shop/auth");
});

Deno.test("Tmux says that tmux is not installed", async () => {
  const tmux = new Tmux({ variables: { PATH: "/nowhere" } });
  await assert.rejects(
    tmux.findOwner("piko/shop/auth"),
    (error) =>
      error instanceof PikoError && error.code === "unavailable" && /tmux/.test(error.message),
  );
});

Deno.test("isAbsence() knows the words of a missing server and session", () => {
  for (
    const words of [
      "no server running on /tmp/tmux-0/default",
      "error connecting to /tmp/tmux-0/default (No such file or directory)",
      "error connecting to /tmp/tmux-0/default (Connection refused)",
      "can't find session: x",
      "no such session: =x:",
      "no sessions",
      "server exited unexpectedly",
    ]
  ) assert.ok(isAbsence(words), words);
  for (
    const words of [
      "error connecting to /tmp/tmux-0/default (Permission denied)",
      "command too long",
      "",
    ]
  ) assert.ok(!isAbsence(words), words);
});
