/** `piko logs`: which lines come, in which order and form, and how following them goes on and ends. */

import assert from "node:assert/strict";
import { justAfter, parseSince } from "../../src/domain/since.ts";
import { MergedLines } from "../../src/operations/merge_lines.ts";
import { lineForTerminal } from "../../src/terminal/log_text.ts";
import { Background } from "../background.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";

/** No test trusts the order of a container's two outputs: the engine reads each by itself. */
const COMPOSE = `services:
  db:
    image: busybox:1.36
    command: sh -c 'echo "db one"; sleep 0.4; head -c 40000 /dev/zero | tr "\\\\0" x; echo; echo "db last"; exec sleep 1000'
    init: true
    stop_grace_period: 0s
    ports: ["5432"]
  web:
    image: busybox:1.36
    command: sh -c 'sleep 0.2; echo "web one"; printf "\\\\033[32mgreen\\\\033[0m\\\\033[2J\\\\033]0;title\\\\007 äöü\\\\n"; n=0; while :; do sleep 0.3; n=$$((n + 1)); echo "tick $$n"; [ "$$n" != 1 ] || echo "web two" >&2; done'
    init: true
    stop_grace_period: 0s
  chat:
    image: busybox:1.36
    tty: true
    command: sh -c 'sleep 0.3; echo "from a terminal"; exec sleep 1000'
    init: true
    stop_grace_period: 0s
`;

Deno.test("parseSince() reads how long ago, when, and seconds", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  const ago = (text: string) => now / 1000 - Number(parseSince(text, now));
  assert.equal(ago("90s"), 90);
  assert.equal(ago("1h30m"), 5400);
  assert.equal(ago("1.5h"), 5400);
  assert.equal(ago("2d"), 172_800);
  assert.equal(parseSince("1700000000.5", now), "1700000000.5");
  assert.equal(ago("2026-03-01T11:00:00Z"), 3600);
  assert.equal(ago("2026-03-01T12:00:00+02:00"), 7200);
  assert.equal(
    parseSince("2026-03-01", now),
    String(Date.parse("2026-03-01T00:00") / 1000) + ".000",
  );
  for (const text of ["", "m", "10", "-5m", "yesterday", "10 m", "2026-99-99", "5m&tail=1"]) {
    if (text !== "10") assert.equal(parseSince(text, now), undefined, text);
  }
  assert.equal(justAfter("2026-03-01T12:00:00.000000009Z"), `${now / 1000}.000000010`);
  assert.equal(justAfter("2026-03-01T12:00:00.999999999Z"), `${now / 1000 + 1}`);
});

Deno.test("MergedLines brings lines into the order of their times, and waits for nobody who is silent", async () => {
  async function* lines(batches: string[], thenSilent = false) {
    for (const times of batches) yield [...times].map((time) => ({ time }));
    if (thenSilent) await new Promise((resolve) => setTimeout(resolve, 900));
  }
  const merged = new MergedLines<{ time: string }>({ endless: true });
  merged.add(lines(["14", "5", "8"]));
  merged.add(lines(["2", "39"], true));
  merged.add(lines([], true));
  const taken: string[] = [];
  for (let next = await merged.next(); next !== undefined; next = await merged.next()) {
    assert.notEqual(next.length, 0);
    taken.push(...next.map(({ time }) => time));
  }
  assert.equal(taken.join(""), "1234589");
  assert.equal(merged.size, 0);
  const before = performance.now();
  assert.equal(await merged.next(before + 80), undefined);
  assert.ok(performance.now() - before >= 75);
  async function* broken() {
    yield [{ time: "1" }];
    await Promise.resolve();
    throw new Error("the line is cut");
  }
  merged.add(broken());
  await assert.rejects(async () => {
    while (await merged.next() !== undefined);
  }, /the line is cut/);
});

Deno.test("lineForTerminal() leaves colours, and nothing that moves or asks", () => {
  const escape = String.fromCharCode(27);
  const bell = String.fromCharCode(7);
  assert.equal(lineForTerminal("plain\täöü", true), "plain\täöü");
  assert.equal(
    lineForTerminal(`${escape}[1;31mred${escape}[2J${escape}[6n${escape}]0;x${bell}!`, true),
    `${escape}[1;31mred!${escape}[0m`,
  );
  assert.equal(lineForTerminal(`${escape}[31mred${escape}(B${bell}${escape}c`, false), "red");
  assert.equal(lineForTerminal("10 %\r50 %\r100 %", true), "100 %");
  assert.equal(lineForTerminal(`${escape}]52;c;AAAA${escape}\\x${escape}`, true), "x");
});

Deno.test("lineForTerminal() names what would turn the text around", () => {
  assert.equal(lineForTerminal("is \u202enimda\u202c!", true), "is <U+202E>nimda<U+202C>!");
  for (const character of "\u061c\u200e\u200f\u202a\u202b\u202d\u2066\u2067\u2068\u2069") {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    assert.equal(lineForTerminal(`a${character}b`, false), `a<U+${code}>b`);
  }
  assert.equal(lineForTerminal("שלום عليكم 👩‍💻", true), "שלום عليكم 👩‍💻");
});

Deno.test({
  name: "piko logs",
  ...needs("git", "engine", "compose", "images", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    await sandbox.pass("create one --no-attach");
    await sandbox.pass("create other --no-attach --no-start");
    await until("a tick", async () => (await sandbox.pass("logs one web")).includes("tick 2"));

    await t.step("brings the lines of all services into the order of their times", async () => {
      const lines = (await sandbox.pass("logs one --timestamps")).trimEnd().split("\n");
      const times = lines.map((line) => /^\w+ +\| (\S+) /.exec(line)?.[1] ?? line);
      assert.deepEqual(times.toSorted(), times);
      assert.deepEqual(new Set(lines.map((line) => line.split(" ", 1)[0])).size, 3);
      const stdout = await sandbox.pass("logs one");
      for (
        const line of [
          "db    | db one",
          "web   | web one",
          "web   | web two",
          "chat  | from a terminal",
        ]
      ) {
        assert.ok(`\n${stdout}`.includes(`\n${line}\n`), line);
      }
      const long = `\ndb  | ${"x".repeat(40_000)}\ndb  | db last\n`;
      assert.ok((await sandbox.pass("logs one db")).includes(long), "the long line");
    });

    await t.step(
      "shows some services, some lines, some time, with times or without names",
      async () => {
        const two = await sandbox.pass("logs one db chat --tail 1");
        assert.deepEqual(two.trim().split("\n").sort(), [
          "chat  | from a terminal",
          "db    | db last",
        ]);
        assert.equal(await sandbox.pass("logs one db -n 1 --no-prefix"), "db last\n");
        assert.match(
          await sandbox.pass("logs one db -n 1 --timestamps"),
          /^db {2}\| \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z db last\n$/,
        );
        assert.equal(await sandbox.pass("logs one db --since 2030-01-01"), "");
        assert.match(await sandbox.pass("logs one web --since 10m --tail all"), /web one/);
        const inside = { cwd: sandbox.worktree("one") };
        assert.match(await sandbox.pass("logs db", inside), /^db {2}\| db one\n/);
        assert.match(await sandbox.pass("logs", inside), /web {3}\| web one/);
      },
    );

    await t.step("hands bytes on as they are where there is no terminal", async () => {
      const stdout = await sandbox.pass("logs one web --no-prefix");
      assert.ok(stdout.includes("\x1b[32mgreen\x1b[0m\x1b[2J\x1b]0;title\x07 äöü\n"), stdout);
    });

    await t.step("answers with one document", async () => {
      const { lines } = await sandbox.json("logs one db chat --tail 1");
      const known = lines.toSorted((a, b) => a.service < b.service ? -1 : 1);
      for (const { time } of known) assert.match(time, /^\d{4}-.*Z$/);
      assert.deepEqual(known.map(({ time: _time, ...rest }) => rest), [{
        service: "chat",
        container: `piko-${sandbox.project}-one-chat-1`,
        stream: "stdout",
        text: "from a terminal",
      }, {
        service: "db",
        container: `piko-${sandbox.project}-one-db-1`,
        stream: "stdout",
        text: "db last",
      }]);
      assert.match(await sandbox.fail("logs one -f --json", 2), /--follow would never end/);
    });

    await t.step("refuses what it cannot read", async () => {
      assert.match(await sandbox.fail("logs one wep", 3), /no service "wep"[^]*did you mean web\?/);
      assert.match(await sandbox.fail("logs other", 4), /never started[^]*→ piko up \S+\/other/);
      assert.match(await sandbox.fail("logs nobody", 3), /no environment "nobody"/);
      assert.match(await sandbox.fail("logs", 2), /Which environment\?/);
      assert.match(await sandbox.fail("logs one --tail many", 2), /not a number of lines/);
      assert.match(await sandbox.fail("logs one --since soon", 2), /not like 10m/);
    });

    await t.step(
      "paints the services on a terminal, and obeys nothing that they print",
      async () => {
        await using terminal = await Terminal.open(sandbox);
        assert.match(await terminal.run("piko logs one web | head -1"), /^web {2}\| web one$/m);
        assert.ok(!(await terminal.colours()).includes("\x1b[36mweb"), "colours in a pipe");
        await terminal.begin("piko logs one web chat --follow --since 10m");
        // The ticks that the web service has made by now may be more than the screen has lines.
        let shown = "";
        await until("both services", async () => {
          shown = await terminal.everything();
          return /äöü/.test(shown) && /from a terminal/.test(shown);
        });
        assert.ok(shown.includes("\x1b[36mchat  | "), shown);
        assert.ok(shown.includes("\x1b[33mweb   | "), shown);
        assert.ok(shown.includes("\x1b[32mgreen"), shown);
        await terminal.press("C-c");
        await terminal.isReady();
        assert.doesNotMatch(await terminal.screen(), /Stopping|✗/);
      },
    );

    await t.step("follows over a restart, and ends when the containers have stopped", async () => {
      await using piko = Background.piko(sandbox, ["logs", "one", "web", "-f", "--tail", "1"]);
      const count = () => piko.stdout.filter((line) => line === "web  | web one").length;
      await until("a tick", () => piko.stdout.length > 1);
      const before = piko.stdout.length;
      await sandbox.pass("restart one web --no-wait");
      await until("the new beginning", () => count() === 1).catch((error: Error) => {
        error.message += `\n${piko.stdout.join("\n")}\n${piko.stderr.join("\n")}`;
        throw error;
      });
      assert.ok(piko.stdout.length > before);
      await until("a tick after it", () => piko.stdout.at(-1) === "web  | tick 2");
      await sandbox.pass("down one web");
      assert.equal(await piko.ended(), 0);
      assert.match(piko.stderr.join("\n"), /web of one is stopped: piko up \S+\/one web/);
      assert.equal(new Set(piko.stdout).size >= 3, true);
      assert.equal(count(), 1, "a line came twice");
    });

    await t.step("shows the logs of what has stopped, and says so", async () => {
      await sandbox.pass("down one");
      for (const flags of [[], ["--follow"]]) {
        const { exitCode, stdout, stderr } = await sandbox.piko([
          "logs",
          "one",
          "-n",
          "1",
          ...flags,
        ]);
        assert.equal(exitCode, 0);
        assert.match(stdout, /^db {4}\| db last$/m);
        assert.match(stderr, /one is stopped: piko up \S+\/one$/m);
      }
    });
  },
});

Deno.test({
  name: "piko logs in simple mode says where output is",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    const stderr = await sandbox.fail("logs one -f", 2);
    assert.match(stderr, /simple mode and has no containers/);
    assert.match(stderr, /→ piko run \S+\/one shows what scripts\.run prints/);
    assert.ok(stderr.includes(`${sandbox.root}/.piko/logs/one`));
  },
});
