/** `piko init`: what it says, what it makes, and that a second one points the way on. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { saysNo } from "./refusal.ts";

const COMPOSE = "services: { app: { image: busybox:1.36 } }\n";

async function init(files: Record<string, string>, ...args: string[]) {
  const sandbox = await Sandbox.create({ files });
  const { exitCode, stdout, stderr } = await sandbox.piko(["init", ...args]);
  assert.equal(exitCode, 0, stderr);
  return { sandbox, stdout, stderr, [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose]() };
}

Deno.test({
  name: "piko init says where it is and what it found, makes .piko and has git ignore it",
  ...needs("git"),
  fn: async (t) => {
    await using made = await init({ "docker-compose.yml": COMPOSE, "src/app.ts": "" });
    const { sandbox, stdout, stderr } = made;
    assert.equal(stdout, `✓ Initialized piko in ${sandbox.root}/.piko\n`);
    assert.match(stderr, new RegExp(`Project ${sandbox.project}, with docker-compose\\.yml$`, "m"));
    assert.match(stderr, /^ {2}Added \.piko\/ to \.gitignore, which is yours to commit$/m);
    assert.match(stderr, /piko create/);
    assert.ok((await Deno.stat(`${sandbox.root}/.piko`)).isDirectory);
    assert.equal(await Deno.readTextFile(`${sandbox.root}/.gitignore`), ".piko/\n");
    assert.equal(await sandbox.git("status", "--porcelain"), "?? .gitignore");
    assert.deepEqual(await sandbox.json("project list"), {
      projects: [{
        name: sandbox.project,
        root: sandbox.root,
        composeFile: `${sandbox.root}/docker-compose.yml`,
        environments: 0,
      }],
    });

    await t.step("a second time, also from a folder inside: conflict, and the way on", async () => {
      for (const cwd of [sandbox.root, `${sandbox.root}/src`]) {
        await saysNo(sandbox, ["init"], {
          code: "conflict",
          message: new RegExp(`${sandbox.root} is already initialized`),
          hint: /^piko create NAME$/,
        }, { cwd });
      }
      assert.equal(await Deno.readTextFile(`${sandbox.root}/.gitignore`), ".piko/\n");
    });

    await t.step("forgotten and again: .gitignore has one line", async () => {
      await sandbox.pass(`project forget ${sandbox.project}`);
      await sandbox.pass("init");
      assert.equal(await Deno.readTextFile(`${sandbox.root}/.gitignore`), ".piko/\n");
    });
  },
});

Deno.test({
  name: "piko init leaves .gitignore alone when git ignores .piko already",
  ...needs("git"),
  fn: async () => {
    for (const line of [".piko", "/.piko/", ".*"]) {
      await using made = await init({ ".gitignore": `${line}\n!.gitignore\n` });
      assert.equal(
        await Deno.readTextFile(`${made.sandbox.root}/.gitignore`),
        `${line}\n!.gitignore\n`,
      );
      assert.doesNotMatch(made.stderr, /Added/);
      assert.equal(await made.sandbox.git("status", "--porcelain"), "");
    }
  },
});

Deno.test({
  name:
    "piko init adds its line to a .gitignore without a line end at its end, and to one of Windows",
  ...needs("git"),
  fn: async () => {
    for (
      const [before, after] of [
        ["dist", "dist\n.piko/\n"],
        ["dist\r\n", "dist\r\n.piko/\r\n"],
      ] as const
    ) {
      await using made = await init({ ".gitignore": before });
      assert.equal(await Deno.readTextFile(`${made.sandbox.root}/.gitignore`), after);
    }
  },
});

Deno.test({
  name: "piko init finds the compose file by each of its names, and where .piko.yml says",
  ...needs("git"),
  fn: async () => {
    const cases: [files: Record<string, string>, found: string][] = [
      [{ "docker-compose.yml": COMPOSE }, "docker-compose.yml"],
      [{ "docker-compose.yaml": COMPOSE }, "docker-compose.yaml"],
      [{ "compose.yml": COMPOSE }, "compose.yml"],
      [{ "compose.yaml": COMPOSE }, "compose.yaml"],
      [
        { "deploy/stack.yml": COMPOSE, ".piko.yml": "compose: deploy/stack.yml\n" },
        "deploy/stack.yml",
      ],
      [
        {
          "compose.yml": COMPOSE,
          "deploy/stack.yml": COMPOSE,
          ".piko.yml": "compose: deploy/stack.yml\n",
        },
        "deploy/stack.yml",
      ],
    ];
    for (const [files, found] of cases) {
      await using made = await init(files, "--json");
      const { sandbox, stdout } = made;
      assert.deepEqual(JSON.parse(stdout), {
        project: {
          name: sandbox.project,
          root: sandbox.root,
          composeFile: `${sandbox.root}/${found}`,
          environments: 0,
        },
      });
    }
  },
});

Deno.test({
  name: "piko init refuses a compose file that .piko.yml names and that is not there",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: { ".piko.yml": "compose: none.yml\n" } });
    await saysNo(sandbox, ["init"], {
      code: "not-found",
      message: /no compose file .*\/none\.yml, which `compose:` of \.piko\.yml names/,
      hint: /./,
    });
    assert.equal(await sandbox.exists(".piko"), false);
    assert.equal(await sandbox.exists(".gitignore"), false);
  },
});

Deno.test({
  name: "piko init works without a compose file, and says that this is simple mode",
  ...needs("git"),
  fn: async () => {
    await using made = await init({ "README.md": "# Sample\n" });
    assert.match(made.stderr, /without a compose file: simple mode/);
    const { projects } = await made.sandbox.json("project list");
    assert.equal(projects[0]?.composeFile, null);
  },
});

Deno.test({
  name: "piko init registers the root from a folder inside, and from elsewhere with -C",
  ...needs("git"),
  fn: async () => {
    await using inside = await Sandbox.create({ files: { "src/deep/app.ts": "" } });
    assert.equal(
      await inside.pass("init", { cwd: `${inside.root}/src/deep` }),
      `✓ Initialized piko in ${inside.root}/.piko\n`,
    );
    assert.equal(await inside.exists("src/deep/.piko"), false);
    await using outside = await Sandbox.create();
    assert.equal(
      await outside.pass(`-C ${outside.root} init`, { cwd: outside.folder }),
      `✓ Initialized piko in ${outside.root}/.piko\n`,
    );
  },
});

Deno.test({
  name: "piko init --name names the project, and refuses a name that is taken or empty",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create();
    await saysNo(sandbox, ["init", "--name", "!?"], {
      code: "usage",
      message: /cannot make a project name of "!\?"/i,
      hint: /piko init --name/,
    });
    await sandbox.pass("init --name My_Shop");
    const { projects } = await sandbox.json("project list");
    assert.deepEqual(projects.map(({ name }: { name: string }) => name), ["my-shop"]);

    const other = `${sandbox.folder}/other`;
    await sandbox.run(["git", "init", "--quiet", other]);
    await saysNo(sandbox, ["init", "--name", "my-shop"], {
      code: "conflict",
      message: new RegExp(`"my-shop".*${sandbox.root}`),
      hint: /piko init --name/,
    }, { cwd: other });
    await sandbox.pass("init", { cwd: other });
  },
});

Deno.test({
  name: "piko init says what is in the way of its folder",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: { ".piko": "a file\n" } });
    await saysNo(sandbox, ["init"], {
      code: "failed",
      message: /Cannot make the folder .*\/\.piko: /,
      hint: /ls -ld /,
    });
    assert.deepEqual((await sandbox.json("project list")).projects, []);
    assert.equal(await sandbox.git("status", "--porcelain"), "");
  },
});
