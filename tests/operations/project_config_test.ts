/** Which configuration counts for an environment, and what is told of the one that does not. */

import assert from "node:assert/strict";
import type { Report } from "../../src/domain/report.ts";
import { configOf, tellOwnConfig } from "../../src/operations/project_config.ts";
import { ownConfig } from "../../src/operations/user_config.ts";
import { openDatabase } from "../../src/store/database.ts";
import { Environments } from "../../src/store/environments.ts";
import { Projects } from "../../src/store/projects.ts";

/** A registry with one environment, whose root and worktree are plain folders. */
async function place() {
  const folder = await Deno.makeTempDir({ prefix: "pikotest-project-config-" });
  const database = openDatabase(`${folder}/state.db`, { create: true });
  const environments = new Environments(database);
  const project = new Projects(database).add("shop", `${folder}/shop`);
  const reserve = (name: string) =>
    environments.reserve(project, {
      name,
      branch: name,
      mode: "simple",
      path: `${folder}/shop/.piko/worktrees/${name}`,
      dataDir: `${folder}/shop/.piko/data/${name}`,
    });
  const record = reserve("auth");
  const other = reserve("pay");
  for (const { path } of [record, other]) await Deno.mkdir(path, { recursive: true });
  const reports: Report[] = [];
  const watch = { report: (report: Report) => void reports.push(report) };
  const write = async (in_: "root" | "worktree" | "other", text: string | Uint8Array) => {
    const at = { root: record.root, worktree: record.path, other: other.path }[in_];
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    await Deno.writeFile(`${at}/.piko.yml`, bytes);
  };
  return {
    folder,
    tools: { environments, variables: { HOME: folder } },
    record,
    other,
    watch,
    write,
    /** What was told since the last time, with the folder left out. */
    told: () =>
      reports.splice(0).map((report) =>
        report.kind === "warning"
          ? [report.message, report.hint ?? ""].map((text) => text.replaceAll(`${folder}/`, ""))
          : []
      ),
    [Symbol.asyncDispose]: async () => {
      database[Symbol.dispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("configOf() takes the root's file, and tells once that the worktree's own differs", async () => {
  await using here = await place();
  const { tools, record, other, watch, write, told } = here;
  const runOf = async (of = record) => (await configOf(tools, of, watch)).scripts.run;

  await write("worktree", "scripts: { run: branch }\n");
  assert.equal(await runOf(), undefined);
  assert.deepEqual(told(), [[
    "shop/.piko/worktrees/auth/.piko.yml is not used: the configuration that counts is shop/.piko.yml",
    "cp '" + "shop/.piko/worktrees/auth/.piko.yml' 'shop/.piko.yml'",
  ]]);
  // It is the same content that is told of once, whatever the root's says meanwhile.
  await write("root", "scripts: { run: root }\n");
  assert.equal(await runOf(), "root");
  assert.deepEqual(told(), []);

  await write("worktree", "scripts: { run: another }\n");
  assert.equal(await runOf(), "root");
  assert.deepEqual(told(), [[
    "shop/.piko/worktrees/auth/.piko.yml differs from shop/.piko.yml, which counts",
    "diff 'shop/.piko.yml' 'shop/.piko/worktrees/auth/.piko.yml'",
  ]]);
  await runOf();
  await tellOwnConfig(tools, record, watch);
  assert.deepEqual(told(), []);

  // Each environment is told of for itself.
  await write("other", "scripts: { run: another }\n");
  assert.equal(await runOf(other), "root");
  assert.equal(told().length, 1);
  await runOf(other);
  await runOf();
  assert.deepEqual(told(), []);
});

Deno.test("configOf() says nothing of a worktree whose file is the same, or that has none", async () => {
  await using here = await place();
  const { tools, record, watch, write, told } = here;
  await write("root", "scripts: { run: root }\n");
  await configOf(tools, record, watch);
  await write("worktree", "scripts: { run: root }\n");
  await configOf(tools, record, watch);
  await Deno.remove(record.path, { recursive: true });
  await configOf(tools, record, watch);
  assert.deepEqual(told(), []);
});

Deno.test("configOf() is kept from nothing by a worktree's file that cannot be read", async () => {
  await using here = await place();
  const { tools, record, watch, write, told } = here;
  await write("root", "scripts: { run: root }\nsetpu: x\n");
  await write("worktree", new Uint8Array([0xff, 0xfe]));
  assert.equal((await configOf(tools, record, watch)).scripts.run, "root");
  assert.deepEqual(told().map(([message]) => message), [
    'shop/.piko.yml:2:1: "setpu" is unknown and ignored',
    "shop/.piko/worktrees/auth/.piko.yml differs from shop/.piko.yml, which counts",
  ]);
  await Deno.remove(`${record.path}/.piko.yml`);
  await Deno.mkdir(`${record.path}/.piko.yml`);
  await write("root", "");
  await configOf(tools, record, watch);
  assert.equal(told().length, 1);
});

Deno.test("a change of a file counts at the next call with the same tools, as of a server that runs on", async () => {
  await using here = await place();
  const { tools, record, watch, write, folder, told } = here;
  await Deno.mkdir(`${folder}/.config/piko`, { recursive: true });
  for (const editor of ["vim", "nano", "hx"]) {
    await Deno.writeTextFile(`${folder}/.config/piko/config.yml`, `editor: ${editor}\n`);
    await write("root", `scripts: { run: ${editor} }\n`);
    assert.equal((await ownConfig(tools, watch)).editor, editor);
    assert.equal((await configOf(tools, record, watch)).scripts.run, editor);
  }
  await write("root", "scripts: [\n");
  await assert.rejects(configOf(tools, record, watch), /Broken YAML/);
  assert.deepEqual(told(), []);
});
