/** `piko exec` and `piko shell`: what reaches the container, with and without a terminal, and what is said instead. */

import assert from "node:assert/strict";
import { splitGlobalOptions } from "../../src/commands/global_options.ts";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";

const COMPOSE = `services:
  web:
    image: busybox:1.36
    command: httpd -f -p 8080 -h /tmp
    init: true
    stop_grace_period: 0s
    ports: ["8080"]
  db:
    image: busybox:1.36
    command: sleep 1000
    init: true
    stop_grace_period: 0s
`;

const CONFIG = `shells:
  db: echo "shell of $PIKO_ENV_NAME"; exit 9
`;

Deno.test("splitGlobalOptions() hands on what stands behind the words of a command", () => {
  const before = (command: string) => ({ exec: 2, run: Infinity })[command];
  const split = (line: string) => {
    const { options, rest, handedOn } = splitGlobalOptions(line.split(" "), before);
    return { folder: options.folder, json: options.json, help: options.help, rest, handedOn };
  };
  const none = { folder: undefined, json: false, help: false };
  assert.deepEqual(split("exec web db ls --json -C /x"), {
    ...none,
    rest: ["exec", "web", "db"],
    handedOn: ["ls", "--json", "-C", "/x"],
  });
  assert.deepEqual(split("-C /x exec --json web db -- ls -- -q"), {
    ...none,
    folder: "/x",
    json: true,
    rest: ["exec", "web", "db"],
    handedOn: ["ls", "--", "-q"],
  });
  assert.deepEqual(split("exec db -- --help"), {
    ...none,
    rest: ["exec", "db"],
    handedOn: ["--help"],
  });
  assert.deepEqual(split("exec --help"), { ...none, rest: ["exec", "--help"], handedOn: [] });
  assert.deepEqual(split("--help exec"), { ...none, help: true, rest: ["exec"], handedOn: [] });
  assert.deepEqual(split("run web --no-wait extra --json -- --json"), {
    ...none,
    json: true,
    rest: ["run", "web", "--no-wait", "extra"],
    handedOn: ["--json"],
  });
  assert.deepEqual(split("up web db --json -- --json"), {
    ...none,
    json: true,
    rest: ["up", "web", "db", "--", "--json"],
    handedOn: [],
  });
});

Deno.test({
  name: "piko exec and shell",
  ...needs("git", "engine", "compose", "images", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({
      files: { "compose.yaml": COMPOSE, ".piko.yml": CONFIG, "keep/README.md": "" },
      init: true,
    });
    await sandbox.pass("create web --no-attach");
    await sandbox.pass("create other --no-attach --no-start");
    const inside = { cwd: `${sandbox.worktree("web")}/keep` };
    const print = ["sh", "-c", 'printf "%s|" "$@"', "sh"];

    await t.step("hands every word behind the service on, options of piko's included", async () => {
      const args = ["--json", "-C", "/x", "--", "--help", "-q", "a b", "$(id)'\"", "", "-v"];
      for (const between of [[], ["--"]]) {
        const { exitCode, stdout, stderr } = await sandbox.piko(
          ["exec", "web", "db", ...between, ...print, ...args],
        );
        assert.equal(exitCode, 0, stderr);
        assert.equal(stdout, `${args.join("|")}|`);
      }
    });

    await t.step("says that a word is an environment and a service of this one too", async () => {
      await sandbox.pass("create db --no-attach --no-start");
      const note =
        "  db is the environment here; for the service of web, put that in front: web db";
      for (const words of ["exec db web ls", "down db"]) {
        const { stderr } = await sandbox.piko(words.split(" "), inside);
        assert.equal(stderr.split("\n")[0], note);
        const elsewhere = await sandbox.piko(words.split(" "));
        assert.ok(!elsewhere.stderr.includes(note), elsewhere.stderr);
      }
      assert.equal(await sandbox.pass("exec web db echo of web", inside), "of web\n");
      await sandbox.pass("destroy db --delete-branch");
    });

    await t.step(
      "takes the environment and the service behind -- where none stand before it",
      async () => {
        for (const between of [[], ["--"]]) {
          const { exitCode, stdout, stderr } = await sandbox.piko(
            ["exec", "--", "web", "db", ...between, ...print, "--json", "--"],
          );
          assert.equal(exitCode, 0, stderr);
          assert.equal(stdout, "--json|--|");
        }
        assert.equal((await sandbox.piko(["shell", "--", "web", "db"])).stdout, "shell of web\n");
        assert.match(
          await sandbox.fail("exec -- web", 2),
          /Which service of web\?\n[^]*exec \S+\/web db$/m,
        );
        assert.match(await sandbox.fail("exec -- wep db ls", 3), /did you mean web\?/);
        assert.match(await sandbox.fail("exec --", 2), /Which environment\?/);
      },
    );

    await t.step("needs no name inside the worktree", async () => {
      const words = ["db", ...print];
      const split = ["db", "--", ...print];
      for (const typed of [words, split, ["web", ...words], ["--", ...words], ["--", ...split]]) {
        const { exitCode, stdout } = await sandbox.piko(["exec", ...typed, "--json"], inside);
        assert.equal(exitCode, 0);
        assert.equal(stdout, "--json|");
      }
    });

    await t.step("takes options of piko's before the environment", async () => {
      const { stdout } = await sandbox.piko(
        ["-C", sandbox.root, "exec", "--quiet", "web", "db", "echo", "-n", "x"],
        { cwd: "/" },
      );
      assert.equal(stdout, "x");
    });

    await t.step("passes on exit code, input and both outputs, without a terminal", async () => {
      const script = 'read -r line; echo "got $line"; echo oops >&2; tty; exit 42';
      const outcome = await sandbox.piko(["exec", "web", "db", "sh", "-c", script], {
        input: "spoken\n",
      });
      assert.equal(outcome.exitCode, 42);
      assert.equal(outcome.stdout, "got spoken\nnot a tty\n");
      assert.equal(outcome.stderr, "oops\n");
      assert.equal((await sandbox.piko(["exec", "web", "db", "no-such-program"])).exitCode, 126);
    });

    await t.step("takes docker's -it, which asks for what it does anyway", async () => {
      for (const docker of [["-it"], ["-i", "-t"], ["--interactive", "--tty"]]) {
        const { exitCode, stdout, stderr } = await sandbox.piko(
          ["exec", ...docker, "web", "db", "sh", "-c", "cat; tty; exit 3"],
          { input: "spoken\n" },
        );
        assert.deepEqual([exitCode, stdout], [3, "spoken\nnot a tty\n"], stderr);
      }
      assert.equal((await sandbox.piko(["shell", "-it", "web", "db"])).stdout, "shell of web\n");
    });

    await t.step("gives the command the environment's variables", async () => {
      const { stdout } = await sandbox.piko(
        ["exec", "web", "db", "sh", "-c", 'echo "$PIKO_ENV_NAME $PIKO_WEB_PORT"'],
      );
      const { ports } = await sandbox.json("ports web");
      assert.equal(stdout, `web ${ports[0]?.hostPort}\n`);
    });

    await t.step("runs the service's shell by default", async () => {
      for (const verb of ["exec", "shell"]) {
        const { exitCode, stdout } = await sandbox.piko([verb, "web", "db"]);
        assert.equal(stdout, "shell of web\n");
        assert.equal(exitCode, 9);
      }
      const { exitCode, stdout } = await sandbox.piko(["shell", "web"], {
        ...inside,
        input: 'echo "plain $0"; exit 3\n',
      });
      assert.equal(stdout, "plain sh\n");
      assert.equal(exitCode, 3);
    });

    await t.step("shell takes no command", async () => {
      const stderr = await sandbox.fail(["shell", "web", "db", "ls", "-l", "a b"], 2);
      assert.match(stderr, /→ piko exec \S+\/web db ls -l 'a b'$/m);
    });

    await t.step("says which services there are", async () => {
      const unknown = await sandbox.piko(["--json", "exec", "web", "dv", "ls"]);
      assert.equal(unknown.exitCode, 3);
      assert.deepEqual(JSON.parse(unknown.stdout), {
        error: {
          code: "not-found",
          message: 'web has no service "dv"',
          hint: "did you mean db?",
        },
      });
      assert.match(await sandbox.fail("exec web elsewhere ls", 3), /→ services: db, web/);
      assert.match(
        await sandbox.fail("exec web", 2),
        /Which service of web\?\n {4}db\n {4}web\n.*piko exec \S+\/web db$/m,
      );
      for (const [command, meant] of [["db ls -l", "db ls -l"], ["ls -l", "db ls -l"]]) {
        assert.match(
          await sandbox.fail(`exec web -- ${command}`, 2),
          new RegExp(`It stands before --, and the command behind it$[^]*/web ${meant}$`, "m"),
        );
      }
      assert.match(await sandbox.fail("shell", 2), /Which environment\?/);
      assert.match(await sandbox.fail("exec wep db ls", 3), /did you mean web\?/);
    });

    await t.step("says how to start a service that does not run", async () => {
      await sandbox.pass("down web db");
      assert.match(
        await sandbox.fail("exec web db ls", 4),
        /"db" of web does not run: it has ended[^]*→ piko up \S+\/web db/,
      );
      assert.match(
        await sandbox.fail("shell other web", 4),
        /no container yet[^]*→ piko up \S+\/other/,
      );
      await sandbox.pass("up web db --no-wait");
    });

    await t.step("gives a terminal to who has one", async () => {
      await using terminal = await Terminal.open(sandbox);
      // Docker tells the size when the program runs already.
      const script = "tty; until stty size 2>/dev/null | grep .; do sleep 0.1; done; exit 5";
      const screen = await terminal.run(`piko exec web db sh -c '${script}'`, 5);
      assert.match(screen, /^\/dev\/pts\/\d+$/m);
      assert.match(screen, /^40 120$/m);
      assert.match(await terminal.run("piko exec -it web db tty"), /^\/dev\/pts\/\d+$/m);
      assert.match(await terminal.run("piko exec web db tty | cat"), /^not a tty$/m);
      await terminal.begin("piko shell web web");
      await terminal.shows(/^\/ #/m);
      // While a shell reads a line, Ctrl+C is a character to it; what it runs has to be there first.
      await terminal.type('(echo "sleeps $((40 + 2))"; sleep 1000)');
      await terminal.shows("sleeps 42");
      await terminal.press("C-c");
      await terminal.type('echo "in $(hostname) $((6 * 7))"; exit 4');
      assert.match(await terminal.ends(4), /^in \w+ 42$/m);
    });
  },
});

Deno.test({
  name: "piko exec and shell in simple mode say where to work",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    for (const words of ["shell one web", "shell one", "exec one"]) {
      const said = await sandbox.fail(words, 2);
      assert.match(said, /simple mode and has no containers/);
      assert.ok(said.includes(`cd ${sandbox.worktree("one")}`), said);
    }
    const exec = await sandbox.fail(["exec", "one", "web", "ls", "-l", "a b"], 2);
    assert.ok(exec.includes(`cd ${sandbox.worktree("one")} && ls -l 'a b'`), exec);
  },
});
