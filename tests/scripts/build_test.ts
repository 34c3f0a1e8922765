import assert from "node:assert/strict";
import { userVariables } from "../../src/build_info.ts";
import { run, tryRun, type Variables } from "../../src/programs/run.ts";
import { type Bundle, bundle, checkBundle, withBuildInfo } from "../../scripts/build/bundle.ts";
import { compile, reasonIn } from "../../scripts/build/compile.ts";
import { writeSelfExtracting } from "../../scripts/build/self_extracting.ts";
import { requireDenoProgram, requireTarget, thisMachine } from "../../scripts/build/targets.ts";
import { copyProgram, writeProgram } from "../program_file.ts";

const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");
const NOBODY = 65_534;
const isRoot = Deno.uid() === 0;
const PATH = Deno.env.get("PATH") ?? "/usr/bin:/bin";

/** A small program in the self-extracting file: what it does is its first argument. */
const PROBE = `
const [what, ...rest] = Deno.args;
if (what === "args") say(rest);
if (what === "variables") say(Deno.env.toObject());
if (what === "stdin") console.log(await new Response(Deno.stdin.readable).text());
if (what === "exit") Deno.exit(Number(rest[0]));
if (what === "sqlite") {
  const { DatabaseSync } = await import("node:sqlite");
  say(new DatabaseSync(":memory:").prepare("select 1 as one").get());
}
if (what === "permissions") {
  const state = (descriptor) => Deno.permissions.querySync(descriptor).state;
  say({
    ffi: state({ name: "ffi" }),
    read: state({ name: "read" }),
    loopback: state({ name: "net", host: "127.0.0.1:1" }),
    elsewhere: state({ name: "net", host: "192.0.2.1:80" }),
    everywhere: state({ name: "net" }),
  });
}
if (what === "signal") {
  Deno.addSignalListener(rest[0], () => Deno.exit(42));
  setInterval(() => {}, 1000);
  console.log("ready");
}
if (what === "sleep") {
  setInterval(() => {}, 1000);
  console.log("ready");
}
`;

/** A bundle of a program that loads a second file, as piko does. */
function bundleOf(code: string): Bundle {
  return {
    "piko.js": `const { say } = await import(new URL("./part.js", import.meta.url).href);\n${code}`,
    "part.js": PART,
  };
}

/** What the program has in the second file. */
const PART = `export const say = (value) => console.log(JSON.stringify(value));`;

let made: Promise<string> | undefined;

/** Makes the self-extracting probe once for all tests. */
function probe(): Promise<string> {
  made ??= (async () => {
    const folder = await Deno.makeTempDir({ prefix: "pikotest-build-" });
    addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    const program = await requireDenoProgram(thisMachine, folder);
    await writeStarted(PROBE, await Deno.readFile(program), `${folder}/piko`);
    return `${folder}/piko`;
  })();
  return made;
}

/** Writes a self-extracting file that is started afterwards. */
async function writeStarted(code: string, program: Uint8Array<ArrayBuffer>, path: string) {
  await writeSelfExtracting(bundleOf(code), program, `${path}.written`);
  await copyProgram(`${path}.written`, path);
  await Deno.remove(`${path}.written`);
}

/** A folder with the self-extracting probe, its name full of what a shell would stumble over. */
class Folder implements AsyncDisposable {
  readonly path: string;
  readonly piko: string;
  readonly home: string;
  private constructor(path: string) {
    this.path = path;
    this.home = `${path}/home`;
    this.piko = `${path}/it's $HOME/piko`;
  }

  static async create(): Promise<Folder> {
    const folder = new Folder(await Deno.makeTempDir({ prefix: "pikotest-build-" }));
    await Deno.chmod(folder.path, 0o755);
    await Deno.mkdir(`${folder.path}/it's $HOME`);
    await Deno.mkdir(folder.home);
    await Deno.link(await probe(), folder.piko);
    return folder;
  }

  /** Starts the probe with these variables and HOME, PATH and TMPDIR, unless they say otherwise. */
  start(args: string[], variables: Record<string, string | undefined> = {}) {
    return tryRun([this.piko, ...args], { variables: this.#with(variables), timeout: 60_000 });
  }

  /** Starts the probe and waits until it says that it is ready. */
  async startAndWait(args: string[]): Promise<Deno.ChildProcess> {
    const child = new Deno.Command(this.piko, {
      args,
      env: { ...this.#with({}) },
      clearEnv: true,
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    assert.equal(new TextDecoder().decode(value), "ready\n");
    reader.releaseLock();
    return child;
  }

  /** The files that were unpacked under a place, with what tells one unpacking from another. */
  async unpacked(place = `${this.home}/.cache/piko`): Promise<Map<string, string>> {
    const files = new Map<string, string>();
    for await (const folder of Deno.readDir(place)) {
      for await (const file of Deno.readDir(`${place}/${folder.name}`)) {
        const { ino, mtime, size } = await Deno.stat(`${place}/${folder.name}/${file.name}`);
        if (file.isFile) files.set(`${folder.name}/${file.name}`, `${ino} ${mtime} ${size}`);
      }
    }
    return files;
  }

  async pathOf(name: "deno" | "piko.js" | "part.js"): Promise<string> {
    const files = [...(await this.unpacked()).keys()];
    const file = files.find((path) => path.endsWith(`/${name}`));
    assert.ok(file !== undefined, `${name} is not unpacked`);
    return `${this.home}/.cache/piko/${file}`;
  }

  #with(variables: Record<string, string | undefined>): Variables {
    const all = { HOME: this.home, PATH, TMPDIR: `${this.path}/it's $HOME`, ...variables };
    return Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

const names = (files: Map<string, string>) => [...files.keys()].map((path) => path.split("/")[1]);

Deno.test("the bundle of main.ts is four files without createRequire, of which one carries the build info", async () => {
  const files = await bundle(ROOT, `${ROOT}/main.ts`);
  assert.deepEqual(Object.keys(files), ["piko.js", "short.js", "whole.js", "page.js"]);
  for (const code of Object.values(files)) assert.ok(!code.includes("createRequire"));
  const info = { version: "9.8.7", commit: "abc1234", kind: "compiled" } as const;
  const [first, ...rest] = withBuildInfo(files, info)["piko.js"]!.split("\n");
  assert.equal(first, `globalThis.PIKO_BUILD_INFO=${JSON.stringify(info)};`);
  assert.equal(rest.join("\n"), files["piko.js"]);
  // The minifier takes `using` away from what is used once: a file or a lock would never be let go.
  const written = await run(["grep", "-rhE", "^ *(await )?using \\w+ = ", `${ROOT}/src`]);
  const kept = files["whole.js"]?.match(/\busing [\w$]+=/g) ?? [];
  assert.equal(kept.length, written.trimEnd().split("\n").length);
});

Deno.test("bundle() keeps import() of a package inside the one file", async () => {
  await using folder = await temporary({
    "main.ts": `const { parse } = await import("yaml"); console.log(parse("a: 1").a);`,
  });
  const files = await bundle(ROOT, `${folder.path}/main.ts`);
  assert.deepEqual(Object.keys(files), ["piko.js"]);
  await Deno.writeTextFile(`${folder.path}/out.js`, files["piko.js"]!);
  const { stdout } = await tryRun([Deno.execPath(), "run", "--no-config", `${folder.path}/out.js`]);
  assert.equal(stdout, "1\n");
});

Deno.test("bundle() refuses CommonJS, which is slow or fails when it runs", async () => {
  await using folder = await temporary({
    "main.ts": `import old from "./old.cjs"; console.log(old);`,
    "old.cjs": `module.exports = require("node:path").sep;`,
  });
  const entry = `${folder.path}/main.ts`;
  await assert.rejects(bundle(ROOT, entry), /holds "Dynamic require of"/);
  const slow = `${folder.path}/slow.js`;
  await tryRun([Deno.execPath(), "bundle", "--quiet", "-o", slow, entry]);
  await assert.rejects(checkBundle(slow, await Deno.readTextFile(slow)), /holds "createRequire"/);
});

Deno.test("bundle() refuses a node: module other than node:sqlite", async () => {
  await using folder = await temporary({
    "main.ts": `import { DatabaseSync } from "node:sqlite";
      const { sep } = await import("node:path");
      console.log(DatabaseSync, sep);`,
  });
  await assert.rejects(bundle(ROOT, `${folder.path}/main.ts`), {
    message: "The bundle imports node:path",
  });
});

Deno.test("the first start unpacks, the second starts no other program and unpacks nothing", async () => {
  await using folder = await Folder.create();
  const first = await folder.start(["sqlite"]);
  assert.equal(first.stdout, `{"one":1}\n`, first.stderr);
  const unpacked = await folder.unpacked();
  assert.deepEqual(names(unpacked).sort(), ["deno", "part.js", "piko.js"]);

  const second = await folder.start(["sqlite"], { PATH: "/nowhere" });
  assert.equal(second.stdout, `{"one":1}\n`, second.stderr);
  assert.deepEqual(await folder.unpacked(), unpacked);
  assert.equal((await Deno.stat(`${folder.home}/.cache/piko`)).mode! & 0o777, 0o700);
});

Deno.test("a new version unpacks itself beside the old one and uses the same Deno", async () => {
  await using folder = await Folder.create();
  await folder.start(["sqlite"]);
  const before = await folder.unpacked();
  const program = await Deno.readFile(Deno.execPath());
  await Deno.remove(folder.piko);
  await writeStarted(`say("new");`, program, folder.piko);
  assert.equal((await folder.start([])).stdout, `"new"\n`);
  const after = await folder.unpacked();
  assert.deepEqual(names(after).sort(), ["deno", "part.js", "part.js", "piko.js", "piko.js"]);
  for (const [path, identity] of before) assert.equal(after.get(path), identity);
});

Deno.test("twelve first starts at once all work and leave nothing half-done", async () => {
  await using folder = await Folder.create();
  const starts = await Promise.all(
    Array.from({ length: 12 }, (_, index) => folder.start(["args", String(index)])),
  );
  starts.forEach(({ stdout, stderr }, index) => assert.equal(stdout, `["${index}"]\n`, stderr));
  assert.deepEqual(names(await folder.unpacked()).sort(), ["deno", "part.js", "piko.js"]);
});

Deno.test("arguments, standard input and the exit code pass through", async () => {
  await using folder = await Folder.create();
  const odd = [
    "",
    "a b",
    "it's",
    '"q"',
    "x\ny\n",
    "$(id)",
    "`id`",
    "--",
    "--help",
    "-A",
    "ü*",
    "\\",
  ];
  assert.deepEqual(JSON.parse((await folder.start(["args", ...odd])).stdout), odd);
  assert.equal((await folder.start(["exit", "37"])).exitCode, 37);
  const { stdout } = await tryRun([folder.piko, "stdin"], {
    variables: { HOME: folder.home, PATH },
    input: "one\ntwo",
  });
  assert.equal(stdout, "one\ntwo\n");
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`${signal} reaches the program, and how it ended comes back`, async () => {
    await using folder = await Folder.create();
    const listening = await folder.startAndWait(["signal", signal]);
    listening.kill(signal);
    assert.equal((await listening.status).code, 42);
    await listening.stdout.cancel();

    const sleeping = await folder.startAndWait(["sleep"]);
    sleeping.kill(signal);
    assert.equal((await sleeping.status).signal, signal);
    await sleeping.stdout.cancel();
  });
}

Deno.test("variables for Deno and Node neither steer piko nor get lost", async () => {
  await using folder = await Folder.create();
  const theirs = {
    NODE_OPTIONS: "--require ./nowhere.cjs",
    DENO_V8_FLAGS: "--no-such-flag",
    DENO_DIR: "/it's\n$(id) `id` \"\\\n",
    DENO_LOG: "debug",
    DENO_PERMISSION_BROKER_PATH: "/nowhere",
    NODE_CHANNEL_FD: "9",
    DENO_CERT: "",
    piko_place: "theirs",
  };
  const { stdout, stderr } = await folder.start(["variables"], theirs);
  assert.equal(stderr, "");
  const inside: Record<string, string> = JSON.parse(stdout);
  assert.equal(inside["NODE_OPTIONS"], undefined);
  assert.equal(inside["PIKO_EXECUTABLE"], folder.piko);
  const restored = userVariables(inside, "self-extracting");
  for (const [name, value] of Object.entries(theirs)) {
    if (name !== "piko_place") assert.equal(restored[name], value, name);
  }
  const added = Object.keys(restored).filter((name) => !(name in theirs));
  const ofAnyShell = ["OLDPWD", "PWD", "SHLVL", "_"];
  assert.deepEqual(added.filter((name) => !ofAnyShell.includes(name)).sort(), [
    "HOME",
    "PATH",
    "TMPDIR",
  ]);
});

Deno.test("piko names its own file absolutely, however it was started", async () => {
  await using folder = await Folder.create();
  const bin = folder.piko.replace(/\/piko$/, "");
  await Deno.symlink(folder.piko, `${folder.path}/linked`);
  const starts: [string[], string, string][] = [
    [["./piko"], bin, folder.piko],
    [["sh", "-c", 'piko "$@"', "sh"], bin, folder.piko],
    [["sh", "piko"], bin, folder.piko],
    [["./linked"], folder.path, `${folder.path}/linked`],
  ];
  for (const [argv, cwd, expected] of starts) {
    const { stdout, stderr } = await tryRun([...argv, "variables"], {
      cwd,
      variables: { HOME: folder.home, PATH: `${bin}:${PATH}` },
    });
    assert.equal(JSON.parse(stdout)["PIKO_EXECUTABLE"], expected, stderr);
  }
});

Deno.test("piko may reach this machine alone, and no foreign functions", async () => {
  await using folder = await Folder.create();
  const { stdout } = await folder.start(["permissions"]);
  const states = JSON.parse(stdout);
  assert.equal(states.read, "granted");
  assert.equal(states.loopback, "granted");
  assert.notEqual(states.ffi, "granted");
  assert.notEqual(states.elsewhere, "granted");
  assert.notEqual(states.everywhere, "granted");
});

Deno.test("without a HOME to write to, piko unpacks into a private temporary folder", async () => {
  await using folder = await Folder.create();
  const place = `${folder.path}/it's $HOME/piko-${Deno.uid()}`;
  // Not even root can make a folder in /proc.
  for (const HOME of [undefined, "", "/proc"]) {
    const { stdout, stderr } = await folder.start(["args", "x"], { HOME });
    assert.equal(stdout, `["x"]\n`, `HOME=${HOME}: ${stderr}`);
    assert.equal(stderr, "");
  }
  assert.deepEqual(names(await folder.unpacked(place)).sort(), ["deno", "part.js", "piko.js"]);
  assert.equal((await Deno.stat(place)).mode! & 0o777, 0o700);
});

Deno.test("XDG_CACHE_HOME is where piko unpacks, unless it is relative", async () => {
  await using folder = await Folder.create();
  const XDG_CACHE_HOME = `${folder.path}/x d g`;
  assert.equal((await folder.start(["args"], { XDG_CACHE_HOME })).stdout, "[]\n");
  assert.deepEqual(names(await folder.unpacked(`${XDG_CACHE_HOME}/piko`)).sort(), [
    "deno",
    "part.js",
    "piko.js",
  ]);
  assert.equal((await folder.start(["args"], { XDG_CACHE_HOME: "relative" })).stdout, "[]\n");
  assert.equal((await folder.unpacked()).size, 3);
});

Deno.test({
  name: "piko runs nothing from a folder of another user",
  ignore: !isRoot,
  fn: async () => {
    await using folder = await Folder.create();
    await folder.start(["args"]);
    const place = `${folder.home}/.cache/piko`;
    const other = `${folder.path}/it's $HOME/piko-0`;
    // Another user has prepared both places, with a program of theirs.
    const deno = await folder.pathOf("deno");
    await Deno.remove(deno);
    await writeProgram(deno, "#!/bin/sh\necho theirs\n");
    await tryRun(["cp", "-a", place, other]);
    await tryRun(["chown", "-R", String(NOBODY), folder.home, other]);
    const { exitCode, stdout, stderr } = await folder.start(["args"]);
    assert.equal(stdout, "");
    assert.equal(exitCode, 1);
    assert.match(stderr, /^✗ Cannot unpack piko into /);
    assert.match(stderr, /home belongs to another user/);
    assert.match(stderr, /piko-0 is not a folder of this user alone/);
    assert.match(stderr, /Set XDG_CACHE_HOME to a folder/);
  },
});

Deno.test("a temporary folder that others may write to is not used", async () => {
  await using folder = await Folder.create();
  const place = `${folder.path}/it's $HOME/piko-${Deno.uid()}`;
  await Deno.mkdir(place);
  await Deno.chmod(place, 0o777);
  const { exitCode, stderr } = await folder.start(["args"], { HOME: "/proc" });
  assert.equal(exitCode, 1);
  assert.match(stderr, /is not a folder of this user alone/);
});

Deno.test("what a killed first start left behind does no harm, and goes after an hour", async () => {
  await using folder = await Folder.create();
  const place = `${folder.home}/.cache/piko`;
  for (const [name, hours] of [["unpack.fresh1", 0], ["unpack.stale1", 2]] as const) {
    await Deno.mkdir(`${place}/${name}`, { recursive: true });
    await Deno.writeTextFile(`${place}/${name}/deno`, "half");
    const time = new Date(Date.now() - hours * 3_600_000);
    await Deno.utime(`${place}/${name}`, time, time);
  }
  assert.equal((await folder.start(["args"])).stdout, "[]\n");
  const left = names(await folder.unpacked()).length;
  assert.equal(left, 4, "deno, both files and the fresh half");
  assert.ok([...(await folder.unpacked()).keys()].includes("unpack.fresh1/deno"));
});

const damages: Record<string, (file: string) => Promise<void>> = {
  "missing": (file) => Deno.remove(file),
  "empty": (file) => Deno.truncate(file),
  "not executable": (file) => Deno.chmod(file, 0o400),
};
for (const [damage, inflict] of Object.entries(damages)) {
  Deno.test(`a part that is ${damage} is unpacked again`, async () => {
    await using folder = await Folder.create();
    for (const part of ["deno", "piko.js", "part.js"] as const) {
      await folder.start(["args"]);
      await Deno.chmod(await folder.pathOf(part), 0o700);
      await inflict(await folder.pathOf(part));
      const { stdout, stderr } = await folder.start(["args"]);
      assert.equal(stdout, "[]\n", `${part}: ${stderr}`);
    }
  });
}

Deno.test("a download that was cut short is noticed", async () => {
  await using folder = await Folder.create();
  // The probe is a link to the one of all tests.
  await copyProgram(folder.piko, `${folder.piko}.copy`);
  await Deno.rename(`${folder.piko}.copy`, folder.piko);
  await run(["truncate", "--size=-1", folder.piko]);
  const { exitCode, stdout, stderr } = await folder.start(["args"]);
  assert.equal(exitCode, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /piko is not whole/);
  assert.deepEqual(await folder.unpacked(), new Map());
});

Deno.test("deno compile puts the bundle and its permissions into one executable", async () => {
  await using folder = await temporary({});
  const output = `${folder.path}/piko`;
  const variables = { ...Deno.env.toObject(), DENORT_BIN: Deno.execPath() };
  const bundle = {
    "piko.js": `import(new URL("./part.js", import.meta.url).href);
      console.log("a bundle that can be found again");`,
    "part.js": `console.log("its part");`,
  };
  const compiled = await compile(bundle, folder.path, output, thisMachine, variables);
  assert.deepEqual(compiled, { made: true });
  const { size, mode } = await Deno.stat(output);
  assert.ok(size > (await Deno.stat(Deno.execPath())).size);
  assert.equal(mode! & 0o111, 0o111);
  for (const wanted of ["found again", "its part", "--no-lazy", "unix:/var/run/docker.sock"]) {
    const { exitCode } = await tryRun(["grep", "-qaF", "--", wanted, output]);
    assert.equal(exitCode, 0, wanted);
  }
});

Deno.test("compile() says why there is no base binary", async () => {
  await using folder = await temporary({});
  const variables = { ...Deno.env.toObject(), DENORT_BIN: "/nowhere/denort" };
  const compiled = await compile(
    { "piko.js": "" },
    folder.path,
    `${folder.path}/piko`,
    thisMachine,
    variables,
  );
  assert.ok(!compiled.made);
  assert.match(compiled.why, /\/nowhere\/denort|No such file/);
});

Deno.test("reasonIn() picks the failed request out of Deno's chain of causes", () => {
  const stderr = `Compile piko.js to piko
error: Writing deno compile executable to temporary file 'piko.tmp-1'

Caused by:
    0: Setting up base binary.
    1: error sending request for url (https://example.com/denort.zip): dns error
    2: dns error

Stack backtrace:
   0: <unknown>
`;
  assert.equal(
    reasonIn(stderr),
    "error sending request for url (https://example.com/denort.zip): dns error",
  );
  assert.equal(reasonIn("error: No space left on device"), "No space left on device");
  assert.equal(reasonIn(""), "deno compile failed");
});

Deno.test("requireTarget() refuses a machine that piko is not built for", () => {
  assert.equal(requireTarget("aarch64-apple-darwin"), "aarch64-apple-darwin");
  assert.throws(() => requireTarget("toString"), { code: "usage" });
});

Deno.test("userVariables() leaves the variables of other kinds of build alone", () => {
  const variables = { DENO_DIR: "/mine", PIKO_KEPT_DENO_DIR: "/other", A: "b" };
  assert.deepEqual(userVariables(variables, "sources"), variables);
  assert.deepEqual(userVariables(variables, "compiled"), variables);
  assert.deepEqual(userVariables(variables, "self-extracting"), { DENO_DIR: "/other", A: "b" });
});

Deno.test("dist/piko --version names version, commit and kind of build", async () => {
  const { stdout, stderr, exitCode } = await tryRun([`${ROOT}/dist/piko`, "--version"]);
  assert.equal(exitCode, 0, stderr);
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert.match(
    stdout,
    /^piko (\S+) \(([0-9a-f]{7,}(-dirty)?, )?(compiled|self-extracting)\)\n$/,
  );
  assert.equal(stdout.split(" ")[1], version);
});

/** Makes a folder with these files. */
async function temporary(files: Record<string, string>) {
  const path = await Deno.makeTempDir({ prefix: "pikotest-build-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
