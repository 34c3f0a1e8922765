/** What `piko create` brings from the root into a worktree: it is there, it is no work, and the root keeps its own. */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { refuses, saysNo } from "./refusal.ts";

const NEEDED = needs("git", "engine", "compose", "images");

/** Tells what git shows as changed in an environment's worktree and in the root. */
async function statusOf(sandbox: Sandbox, name: string): Promise<string> {
  const argv = ["git", "status", "--porcelain"];
  return await sandbox.run(argv, sandbox.worktree(name)) + await sandbox.run(argv);
}

async function assertLink(sandbox: Sandbox, name: string, path: string): Promise<void> {
  const link = await Deno.readLink(`${sandbox.worktree(name)}/${path}`);
  assert.equal(link, `${sandbox.root}/${path}`);
}

Deno.test({
  name: "piko create links .env, which containers and interpolation then see",
  ...NEEDED,
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: {
        ".gitignore": ".env*\nsecrets/\n",
        "compose.yaml": `services:
  app:
    image: busybox:1.36
    command: sleep 600
    stop_signal: SIGKILL
    environment: { FROM_ENV: "\${SECRET}" }
    env_file: [.env.app, { path: secrets/db.env, required: true }]
`,
      },
      init: true,
    });
    await sandbox.write(".env", "SECRET=s3cret-one\n");
    await sandbox.write(".env.app", "APP=s3cret-two\n");
    await sandbox.write("secrets/db.env", "DB=s3cret-three\n");
    const { exitCode, stderr } = await sandbox.piko(["create", "feature", "--no-wait"]);
    assert.equal(exitCode, 0, stderr);
    for (const path of [".env", ".env.app", "secrets/db.env"]) {
      await assertLink(sandbox, "feature", path);
      assert.match(stderr, new RegExp(`^ {2}Linked ${path}$`, "m"));
    }
    assert.equal(
      await sandbox.run([
        ...["docker", "exec", `piko-${sandbox.project}-feature-app-1`],
        ...["sh", "-c", "echo $FROM_ENV $APP $DB"],
      ]),
      "s3cret-one s3cret-two s3cret-three",
    );
    const override = await Deno.readTextFile(
      `${sandbox.worktree("feature")}/docker-compose.piko.yml`,
    );
    assert.doesNotMatch(override + stderr, /s3cret/);

    assert.equal(await statusOf(sandbox, "feature"), "");
    await sandbox.pass("destroy feature");
    assert.equal(await Deno.readTextFile(`${sandbox.root}/.env`), "SECRET=s3cret-one\n");
    assert.equal(await Deno.readTextFile(`${sandbox.root}/secrets/db.env`), "DB=s3cret-three\n");
  },
});

Deno.test({
  name:
    "piko create links env_files that are optional, or of an included file, or named by a variable",
  ...NEEDED,
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        ".gitignore": "*.env\n",
        "compose.yaml": `include:
  - { path: parts/more.yaml, env_file: parts/include.env }
services:
  app:
    image: busybox:1.36
    env_file:
      - { path: optional.env, required: false }
      - { path: absent.env, required: false }
      - \${WHICH:-chosen}.env
`,
        "parts/more.yaml": "services: { more: { image: 'busybox:1.36', env_file: [more.env] } }\n",
      },
      init: true,
    });
    const linked = ["optional.env", "chosen.env", "parts/include.env", "parts/more.env"];

    await t.step("a required one that the root has not either: says which", async () => {
      await sandbox.write("chosen.env", "A=1\n");
      await sandbox.write("parts/include.env", "A=1\n");
      await refuses(sandbox, ["create", "feature", "--no-start"], {
        code: "not-found",
        message: /there is no env_file .*\/parts\/more\.env/i,
        hint: /root of the project/,
      });
    });

    await t.step("all that the root has", async () => {
      for (const path of linked) await sandbox.write(path, "A=1\n");
      await sandbox.pass("create feature --no-start");
      for (const path of linked) await assertLink(sandbox, "feature", path);
      assert.equal(await sandbox.exists(`${sandbox.worktree("feature")}/absent.env`), false);
      assert.equal(await statusOf(sandbox, "feature"), "");
    });

    await t.step("destroy takes the links, and not what they lead to", async () => {
      await sandbox.pass("destroy feature");
      for (const path of linked) {
        assert.equal(await Deno.readTextFile(`${sandbox.root}/${path}`), "A=1\n");
      }
    });
  },
});

Deno.test({
  name: "piko create links the .env beside a compose file in a folder",
  ...NEEDED,
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: {
        ".gitignore": ".env\n",
        ".piko.yml": "compose: deploy/compose.yml\n",
        "deploy/compose.yml": "services: { app: { image: 'busybox:${TAG:?}' } }\n",
      },
      init: true,
    });
    await sandbox.write("deploy/.env", "TAG=1.36\n");
    await sandbox.pass("create feature --no-start");
    await assertLink(sandbox, "feature", "deploy/.env");
    assert.equal(await sandbox.exists(`${sandbox.worktree("feature")}/.env`), false);
    assert.equal(await statusOf(sandbox, "feature"), "");
  },
});

Deno.test({
  name: "piko create carries what copy: and link: name, which is no work to destroy",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: {
        // With a final slash a pattern means folders alone, and a link to one is none.
        ".gitignore": "node_modules/\n.cache/\n*.local\n.env\n",
        ".piko.yml": [
          "copy: [.env, .cache, conf/settings.local, conf]",
          "link: [node_modules/, deep/er/file.local, gone.local]",
          "scripts: { prepare: cat .env node_modules/left-pad/index.js conf/settings.local }",
          "",
        ].join("\n"),
        "conf/committed.txt": "committed\n",
      },
      init: true,
    });
    await sandbox.write(".env", "A=1\n");
    await sandbox.write(".cache/deep/blob", "blob\n");
    await Deno.symlink("deep/blob", `${sandbox.root}/.cache/link`);
    await sandbox.write("conf/settings.local", "settings\n");
    await sandbox.write("node_modules/left-pad/index.js", "pad\n");
    await sandbox.write("deep/er/file.local", "deep\n");
    const { exitCode, stderr } = await sandbox.piko(["create", "feature"]);
    assert.equal(exitCode, 0, stderr);
    const worktree = sandbox.worktree("feature");

    await t.step("copies are the worktree's own, links lead to the root", async () => {
      for (const path of [".env", ".cache/deep/blob", "conf/settings.local"]) {
        const info = await Deno.lstat(`${worktree}/${path}`);
        assert.ok(info.isFile, path);
        assert.equal(
          await Deno.readTextFile(`${worktree}/${path}`),
          await Deno.readTextFile(`${sandbox.root}/${path}`),
        );
      }
      assert.equal(await Deno.readLink(`${worktree}/.cache/link`), "deep/blob");
      await assertLink(sandbox, "feature", "node_modules");
      await assertLink(sandbox, "feature", "deep/er/file.local");
    });

    await t.step("says what it carried, and what it could not", () => {
      for (const path of [".env", ".cache", "conf/settings.local"]) {
        assert.match(stderr, new RegExp(`^ {2}Copied ${path}$`, "m"));
      }
      for (const path of ["node_modules", "deep/er/file.local"]) {
        assert.match(stderr, new RegExp(`^ {2}Linked ${path}$`, "m"));
      }
      assert.match(stderr, /^! conf was not carried over: it exists$/m);
      assert.match(stderr, /^! link: gone\.local is not in /m);
    });

    await t.step("before the prepare script runs", async () => {
      assert.equal(
        await Deno.readTextFile(`${sandbox.root}/.piko/logs/feature/prepare.log`),
        "A=1\npad\nsettings\n",
      );
    });

    await t.step("shows nothing of it in git status", async () => {
      assert.equal(await statusOf(sandbox, "feature"), "");
    });

    await t.step("destroy needs no force, and leaves the root's files", async () => {
      await sandbox.write(`${worktree}/.env`, "A=2\n");
      await sandbox.pass("destroy feature");
      assert.equal(await sandbox.exists(worktree), false);
      const left: Record<string, string> = {
        ".env": "A=1\n",
        ".cache/deep/blob": "blob\n",
        "conf/settings.local": "settings\n",
        "node_modules/left-pad/index.js": "pad\n",
        "deep/er/file.local": "deep\n",
      };
      for (const [path, text] of Object.entries(left)) {
        assert.equal(await Deno.readTextFile(`${sandbox.root}/${path}`), text);
      }
    });
  },
});

Deno.test({
  name: "piko create overwrites nothing that the branch has, and links files git does not ignore",
  ...needs("git"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({
      files: { "README.md": "# Sample\n", ".piko.yml": "link: [notes.txt]\n" },
      init: true,
    });

    await t.step("a .env that is committed stays the branch's", async () => {
      await sandbox.git("switch", "--quiet", "--create", "with-env");
      await sandbox.commit({ ".env": "OF=branch\n" });
      await sandbox.git("switch", "--quiet", "main");
      await sandbox.write(".env", "OF=root\n");
      await sandbox.pass("create with-env");
      assert.equal(
        await Deno.readTextFile(`${sandbox.worktree("with-env")}/.env`),
        "OF=branch\n",
      );
      assert.ok((await Deno.lstat(`${sandbox.worktree("with-env")}/.env`)).isFile);
    });

    await t.step(
      "links to files that git does not ignore are no work, what replaces one is",
      async () => {
        await sandbox.write("notes.txt", "mine\n");
        await sandbox.pass("create feature");
        await assertLink(sandbox, "feature", "notes.txt");
        await assertLink(sandbox, "feature", ".env");
        const link = `${sandbox.worktree("feature")}/notes.txt`;
        await Deno.remove(link);
        await Deno.writeTextFile(link, "the worktree's own\n");
        const { details } = await refuses(sandbox, ["destroy", "feature"], {
          code: "conflict",
          message: /"feature" has work that is not committed/,
          hint: /piko destroy \S+\/feature --force/,
        });
        assert.deepEqual(details, ["untracked: notes.txt"]);
        await Deno.remove(link);
        await sandbox.pass("destroy feature");
        assert.equal(await Deno.readTextFile(`${sandbox.root}/notes.txt`), "mine\n");
        assert.equal(await Deno.readTextFile(`${sandbox.root}/.env`), "OF=root\n");
      },
    );
  },
});

Deno.test({
  name: "piko create refuses to carry what leads out of the project, or belongs to git or piko",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    for (const path of ["../elsewhere", "/etc/passwd", ".git/config", ".piko/data", "a/../../b"]) {
      for (const list of ["copy", "link"]) {
        await sandbox.write(".piko.yml", `${list}: [${path}]\n`);
        await saysNo(sandbox, ["create", "feature"], {
          code: "usage",
          message: /\.piko\.yml:1:8: /,
          hint: /./,
        });
        assert.equal(await sandbox.exists(".piko/worktrees"), false);
      }
    }
  },
});

Deno.test({
  name: "piko create takes links and copies back with the worktree when it fails",
  ...needs("git"),
  fn: async () => {
    await using sandbox = await Sandbox.create({
      files: {
        ".gitignore": "node_modules/\n.env\ncache/\n",
        ".piko.yml": "link: [node_modules]\ncopy: [cache]\nscripts: { setup: exit 1 }\n",
      },
      init: true,
    });
    await sandbox.write(".env", "A=1\n");
    await sandbox.write("cache/blob", "blob\n");
    await sandbox.write("node_modules/left-pad/index.js", "pad\n");
    await refuses(sandbox, ["create", "feature"], {
      code: "failed",
      message: /scripts\.setup failed/,
      hint: /setup\.log/,
    });
    assert.equal(
      await Deno.readTextFile(`${sandbox.root}/node_modules/left-pad/index.js`),
      "pad\n",
    );
  },
});
