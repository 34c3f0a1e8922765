/** What piko says of itself, and which word was meant where one was mistyped. */

import assert from "node:assert/strict";
import { loadCommand } from "../../src/commands/load.ts";
import { COMMANDS } from "../../src/commands/mod.ts";
import { optionsOf } from "../../src/commands/options.ts";
import { Sandbox } from "../sandbox.ts";

const WIDTH = 100;

function assertFits(text: string): void {
  for (const line of text.split("\n")) assert.ok([...line].length <= WIDTH, `too wide: ${line}`);
}

Deno.test("piko help shows every command in a line, the options of all, and how to begin", async () => {
  await using sandbox = await Sandbox.create();
  const text = await sandbox.pass("help");
  assertFits(text);
  for (const [name, { usage, brief }] of Object.entries(COMMANDS)) {
    const line = text.split("\n").find((line) =>
      line.startsWith(`  ${`${name} ${usage}`.trim()}  `)
    );
    assert.ok(line?.endsWith(`  ${brief}`), `${name}: ${line}`);
  }
  assert.match(text, /^ {2}-y, --yes +answer yes to every question$/m);
  assert.match(text, /^ {2}piko create feature-auth /m);
  assert.match(text, /130 interrupted/);
  const { stdout } = await sandbox.piko([]);
  for (const same of [stdout, await sandbox.pass("--help"), await sandbox.pass("help help")]) {
    assert.equal(same, text);
  }
});

Deno.test("piko COMMAND --help explains every command for a person", async (t) => {
  await using sandbox = await Sandbox.create();
  for (const [name, entry] of Object.entries(COMMANDS)) {
    await t.step(name, async () => {
      const command = await loadCommand(name);
      const text = await sandbox.pass(`${name} --help`);
      assertFits(text);
      assert.equal(command.brief, entry.brief);
      assert.ok(text.startsWith(`${entry.brief}\n\nUsage: piko ${name} [OPTIONS]`), text);
      assert.match(text, new RegExp(`^Examples:\\n(  .*\\n)*.*\\bpiko ${name}\\b`, "m"), text);
      for (const { name: option, short, value, about, usual } of optionsOf(command)) {
        const line = `${short === undefined ? "" : `${short}, `}${option}${
          value ? ` ${value}` : ""
        }  `;
        assert.ok(text.includes(line), `${line}\n${text}`);
        // It may go on in the next line.
        const flowing = text.replace(/\s+/g, " ");
        assert.ok(
          flowing.includes(usual === undefined ? about : `${about} (default ${usual})`),
          text,
        );
      }
      assert.match(text, /^Options of every command: -C DIR --json /m);
      assert.doesNotMatch(text, /undefined|\[default|FLAGS|--\[no-\]|\barg1\b/);
    });
  }
});

Deno.test("help is asked for in every way in which people ask, and never instead of a command's own -h", async () => {
  await using sandbox = await Sandbox.create({ init: true });
  const text = await sandbox.pass("help destroy");
  for (
    const way of ["destroy --help", "destroy -h", "--help destroy", "destroy x --force --help"]
  ) {
    assert.equal(await sandbox.pass(way), text, way);
  }
  // Behind the service everything is the command's.
  assert.doesNotMatch(await sandbox.fail("exec nowhere web ls --help", 3), /Usage:/);
  assert.doesNotMatch(await sandbox.fail("run nowhere -- --help", 3), /Usage:/);
});

Deno.test("a mistyped word gets the nearest one as a hint", async (t) => {
  await using sandbox = await Sandbox.create({ init: true });
  await sandbox.pass("create feature-auth --no-attach");
  const cases: [string, number, RegExp, RegExp][] = [
    ["creat x", 2, /no command "creat"/, /piko create$/m],
    ["stat", 2, /no command "stat"/, /piko status$/m],
    ["hlep", 2, /no command "hlep"/, /piko help$/m],
    ["ls", 2, /no command "ls"/, /piko list$/m],
    ["version", 2, /no command "version"/, /piko --version$/m],
    ["rm feature-auth", 2, /no command "rm"/, /piko destroy$/m],
    ["ui", 2, /no command "ui"/, /piko server$/m],
    ["web", 2, /no command "web"/, /piko server$/m],
    ["ssh feature-auth", 2, /no command "ssh"/, /piko shell$/m],
    ["cd feature-auth", 2, /no command "cd"/, /piko attach$/m],
    ["path feature-auth", 2, /no command "path"/, /piko status$/m],
    ["inspect feature-auth", 2, /no command "inspect"/, /piko status$/m],
    ["checkout x", 2, /no command "checkout"/, /piko create$/m],
    ["unshare redis", 2, /no command "unshare"/, /piko isolate$/m],
    ["help ui", 2, /no command "ui"/, /piko server$/m],
    ["constructor", 2, /no command "constructor"/, /piko help$/m],
    ["help craete", 2, /no command "craete"/, /piko create$/m],
    ["destroy --fore", 2, /piko destroy has no option "--fore"/, /did you mean --force\?/],
    ["destroy --forec", 2, /has no option "--forec"/, /did you mean --force\?/],
    ["create x --no-atach", 2, /has no option "--no-atach"/, /did you mean --no-attach\?/],
    ["list --jsno", 2, /has no option "--jsno"/, /did you mean --json\?/],
    ["list --frobnicate", 2, /has no option "--frobnicate"/, /→ piko list --help$/m],
    ["status --x", 2, /has no option "--x"/, /piko status --help/],
    ["destroy -z", 2, /has no option "-z"/, /piko destroy --help/],
    ["status featur-auth", 3, /no environment "featur-auth"/, /did you mean feature-auth\?/],
    ["up feature-aut", 3, /no environment "feature-aut"/, /did you mean feature-auth\?/],
    ["project lst", 2, /no action "lst"/, /piko project list$/m],
  ];
  for (const [command, exitCode, message, hint] of cases) {
    await t.step(`piko ${command}`, async () => {
      const said = await sandbox.fail(command, exitCode);
      assert.match(said, message);
      assert.match(said, hint);
    });
  }
});

Deno.test("options of every command may stand behind one dash with a command's own", async (t) => {
  await using sandbox = await Sandbox.create({ init: true });
  for (const letters of ["-qf", "-fq", "-yfqv"]) {
    await t.step(`piko destroy ${letters}`, async () => {
      await sandbox.pass("create b");
      await sandbox.write(`${sandbox.worktree("b")}/work.txt`, "to be thrown away\n");
      await sandbox.pass(`destroy b ${letters}`);
    });
  }
  assert.match(await sandbox.fail("destroy b -qz", 2), /^✗ piko destroy has no option "-z"$/m);
  assert.equal(await sandbox.pass("-qy list"), await sandbox.pass("list"));
});

Deno.test("wrong arguments are told in piko's words", async (t) => {
  await using sandbox = await Sandbox.create({ init: true });
  const cases: [string, RegExp][] = [
    ["create", /^✗ NAME is missing$/m],
    ["create a b", /^✗ piko create takes one argument, and "b" is one too many$/m],
    ["list a", /^✗ piko list takes no arguments, and "a" is one too many$/m],
    ["create a --branch", /^✗ --branch needs a value$/m],
    ["create a --branch --keep", /^✗ --branch needs a value$/m],
    ["create a --timeout soon", /^✗ --timeout "soon" is wrong: not a number of seconds$/m],
    [
      "create a --timeout 0",
      /^✗ --timeout "0" is wrong: it must be more than 0 and at most 86400, a day$/m,
    ],
    ["create a --from x --from y", /^✗ --from was given twice$/m],
    ["create a --no-wait=x", /^✗ --no-wait takes no value$/m],
    ["list --json=true", /^✗ --json takes no value\n {2}→ piko list --help$/m],
  ];
  for (const [command, message] of cases) {
    await t.step(`piko ${command}`, async () => {
      const said = await sandbox.fail(command, 2);
      assert.match(said, message);
      assert.match(said, /piko \w+ --help/);
    });
  }
});
