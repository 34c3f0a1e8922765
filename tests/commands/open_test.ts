/** `piko open`: which port is the page, and who opens it. */

import assert from "node:assert/strict";
import { hasScreen, openPage } from "../../src/programs/opener.ts";
import { WEB_SERVICE } from "../containers.ts";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Terminal } from "../terminal.ts";
import { writeProgram } from "../program_file.ts";

const COMPOSE = `services:
  api:${WEB_SERVICE}
    ports: ["9999", "7777"]
  cache:${WEB_SERVICE}
    ports: ["6379", "7777"]
  db:${WEB_SERVICE}
    ports: ["5432"]
  mail:${WEB_SERVICE}
    ports: ["1025", "8025", "80"]
  quiet:${WEB_SERVICE}
  secure:${WEB_SERVICE}
    ports: ["8443", "53/udp"]
  shown:${WEB_SERVICE}
    labels: { dev.piko.http: "4567" }
    ports: ["8080", "4567"]
  wrong:${WEB_SERVICE}
    labels: { dev.piko.http: "4568" }
    ports: ["8080"]
`;

Deno.test({
  name: "piko open",
  ...needs("git", "engine", "compose", "images", "tmux"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    await sandbox.pass("create one --no-attach --no-wait");
    await sandbox.pass("create other --no-attach --no-start");
    const { ports } = await sandbox.json("ports one");
    const hostPort = (service: string, containerPort: number): number =>
      ports.find((port) => port.service === service && port.containerPort === containerPort)
        ?.hostPort ?? 0;
    const open = async (words: string) => (await sandbox.pass(`open ${words}`)).trimEnd();

    await t.step("takes the port of the label, else of convention, else the first", async () => {
      assert.equal(await open("one shown"), `http://localhost:${hostPort("shown", 4567)}`);
      assert.equal(await open("one mail"), `http://localhost:${hostPort("mail", 80)}`);
      assert.equal(await open("one api"), `http://localhost:${hostPort("api", 7777)}`);
      assert.equal(await open("one cache"), `http://localhost:${hostPort("cache", 7777)}`);
      assert.equal(await open("one db --print"), `postgres://localhost:${hostPort("db", 5432)}`);
      assert.equal(await open("one secure"), `https://localhost:${hostPort("secure", 8443)}`);
    });

    await t.step("says what is wrong with a label", async () => {
      const stderr = await sandbox.fail("open one wrong", 3);
      assert.match(stderr, /dev\.piko\.http of wrong names "4568"[^]*→ published: 8080/);
      await sandbox.pass("down one wrong");
    });

    await t.step("takes the first page of all that run when no service is named", async () => {
      assert.equal(await open("one"), `http://localhost:${hostPort("shown", 4567)}`);
      await sandbox.pass("down one shown");
      const inside = { cwd: sandbox.worktree("one") };
      assert.equal(
        await sandbox.pass("open", inside),
        `http://localhost:${hostPort("mail", 80)}\n`,
      );
      assert.equal(
        await sandbox.pass("open db", inside),
        `postgres://localhost:${hostPort("db", 5432)}\n`,
      );
    });

    await t.step("answers as JSON", async () => {
      assert.deepEqual(await sandbox.json("open one mail"), {
        url: `http://localhost:${hostPort("mail", 80)}`,
        port: {
          service: "mail",
          containerPort: 80,
          hostPort: hostPort("mail", 80),
          protocol: "tcp",
          url: `http://localhost:${hostPort("mail", 80)}`,
          shared: false,
        },
      });
    });

    await t.step("says what helps when there is nothing to open", async () => {
      assert.match(await sandbox.fail("open one quiet", 3), /publishes no port[^]*→ these do: api/);
      assert.match(
        await sandbox.fail("open one shown", 4),
        /does not run[^]*→ piko up \S+\/one shown/,
      );
      assert.match(await sandbox.fail("open one mial", 3), /did you mean mail\?/);
      assert.match(await sandbox.fail("open other", 4), /stopped[^]*→ piko up \S+\/other/);
      assert.match(await sandbox.fail("open one db mail", 2), /one page at a time/);
      const { stdout } = await sandbox.piko(["open", "other", "--json"]);
      assert.equal(JSON.parse(stdout).error.code, "conflict");
    });

    await t.step(
      "opens the browser on a terminal, and prints where there is no screen",
      async () => {
        const browser = `${sandbox.folder}/my browser`;
        const called = `${sandbox.folder}/called`;
        await writeProgram(browser, `#!/bin/sh\nprintf '<%s>' "$@" > '${called}'\n`);
        await using terminal = await Terminal.open(sandbox, {
          variables: { BROWSER: `no-such-browser:'${browser}' --new %s --end` },
        });
        const url = `http://localhost:${hostPort("mail", 80)}`;
        const screen = await terminal.run("piko open one mail");
        assert.match(screen, new RegExp(`✓ Opened ${url} with my browser`));
        await until("the browser", () => sandbox.exists(called));
        assert.equal(await Deno.readTextFile(called), `<--new><${url}><--end>`);
        await Deno.remove(called);
        const printed = await terminal.run("piko open one mail --print");
        assert.match(printed, new RegExp(`^${url}$`, "m"));
        const none = await terminal.run("unset BROWSER DISPLAY; piko open one mail");
        assert.match(none, new RegExp(`^${url}$`, "m"));
        assert.match(none, /no screen to open it on/);
        const database = await terminal.run("piko open one db");
        assert.match(database, new RegExp(`^postgres://localhost:${hostPort("db", 5432)}$`, "m"));
        assert.match(database, /no page for a browser/);
        assert.equal(await sandbox.exists(called), false);
        const failing = await terminal.run("BROWSER=false piko open one mail", 1);
        assert.match(failing, /false could not open the page \(exit code 1\)/);
        assert.ok(failing.includes(url));
        const missing = await terminal.run("BROWSER=no-such-browser piko open one mail", 5);
        assert.match(missing, /no-such-browser, which is not installed/);
        assert.equal(await sandbox.exists(called), false);
      },
    );

    await t.step("takes no database for a page when the pages do not run", async () => {
      await sandbox.pass("down one mail secure");
      assert.match(await sandbox.fail("open one", 4), /"mail" of one does not run/);
      assert.equal(await open("one api"), `http://localhost:${hostPort("api", 7777)}`);
    });
  },
});

Deno.test("openPage() opens pages alone, and says what to install", async () => {
  const variables = { PATH: "/nowhere", DISPLAY: ":0" };
  assert.equal(hasScreen(variables), true);
  await assert.rejects(openPage("http://localhost:1/", variables), {
    code: "unavailable",
    message: "No browser was found",
    hint: "install xdg-utils, or set BROWSER to a browser's command",
  });
  for (const url of ["file:///etc/passwd", "javascript:alert(1)", "ftp://localhost/"]) {
    await assert.rejects(openPage(url, variables), TypeError);
  }
});

Deno.test({
  name: "piko open in simple mode, and where nothing is published",
  ...needs("git"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await sandbox.pass("create one --no-attach");
    assert.match(await sandbox.fail("open one", 2), /simple mode[^]*piko run \S+\/one shows it/);
    assert.match(await sandbox.fail("open", 2), /Which environment\?/);
  },
});
