/** The README is true: its table of commands, and its script for CI as it stands there. */

import assert from "node:assert/strict";
import { withCommands } from "../scripts/readme.ts";
import { COMMANDS } from "../src/commands/mod.ts";
import { tryRun } from "../src/programs/run.ts";
import { listRoutes } from "../src/server/api.ts";
import { docker } from "./containers.ts";
import { needs } from "./needs.ts";
import { PIKO, Sandbox, until } from "./sandbox.ts";
import { Server } from "./server.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const sample = new URL("../scripts/sample/", import.meta.url);

Deno.test("the README's table of commands is that of the commands themselves", async () => {
  assert.equal(readme, await withCommands(readme), "deno task readme writes it");
  for (const name of Object.keys(COMMANDS)) {
    assert.match(readme, new RegExp(`^\\| .piko ${name}\\b`, "m"));
  }
});

Deno.test("withCommands() replaces what stands in the table's place, and nothing else", async () => {
  const [before, behind] = readme.split(/^\| `piko create .*$\n/m);
  assert.ok(before && behind);
  assert.equal(await withCommands(`${before}${behind}`), readme);
  await assert.rejects(withCommands("# piko\n"), /no place/);
});

Deno.test("the README's table of the API is that of the routes", () => {
  const [, section = ""] = readme.split(/^## (?:In the browser|Configuration)$/m);
  const requests = section.split("\n").filter((line) => line.startsWith("| `"))
    .flatMap((row) => row.split("|")[1]?.match(/[A-Z]+ [^\s`]+/g) ?? []);
  const project = "/api/projects/:project/environments";
  // These are for the project that the server was started in, as those with its name are.
  const routes = listRoutes().filter((request) =>
    request !== "POST /api/environments" && !request.includes("/api/environments/:name")
  );
  assert.deepEqual(requests.map((request) => request.replace("…", project)).sort(), routes.sort());
});

Deno.test("the README's files of one command exist", async () => {
  const links = [...readme.matchAll(/\]\(([\w/.]+)\)/g)].map(([, path]) => path ?? "");
  assert.ok(links.length >= 6);
  for (const link of links) await Deno.stat(new URL(`../${link}`, import.meta.url));
});

Deno.test({
  name: "the README's script for CI checks a branch and leaves nothing behind",
  ...needs("git", "engine", "compose", "images", "curl"),
  async fn() {
    await using sandbox = await Sandbox.create({ files: await sampleFiles() });
    await Deno.chmod(`${sandbox.root}/web/cgi-bin/index.cgi`, 0o755);
    await sandbox.commit({}, "Let the page run");
    const outcome = await runScript(sandbox, "feature/Check");
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    assert.match(outcome.stdout, /^feature\/Check is fine on port \d{5}$/m);
    assert.deepEqual((await sandbox.json("list")).environments, []);
    assert.deepEqual(await sandbox.leftInEngine(), []);
    assert.equal(await sandbox.git("status", "--porcelain"), "?? .gitignore");
    assert.equal(
      await sandbox.git("rev-parse", "feature/Check"),
      await sandbox.git("rev-parse", "main"),
    );
    // A second run finds the project initialized, and a branch that is checked out is a conflict.
    const second = await runScript(sandbox, "main");
    assert.equal(second.exitCode, 1);
    assert.match(second.stdout, /checked out or has an environment already/);
  },
});

Deno.test({
  name: "the README's script asks the server for what there is, and for a new environment",
  ...needs("git", "curl"),
  async fn() {
    await using sandbox = await Sandbox.create({ init: true });
    await using server = await Server.start(sandbox);
    const script =
      /runs this script with a project and a port of its own\. -->\n\n```sh\n([\s\S]*?)```/.exec(
        readme,
      )?.[1];
    assert.ok(script, "the README has the script");
    const own = script.replaceAll("localhost:19876", new URL(server.origin).host)
      .replaceAll("/shop/", `/${sandbox.project}/`);
    const { exitCode, stdout, stderr } = await tryRun(["sh", "-c", own], {
      cwd: sandbox.root,
      variables: sandbox.variables,
    });
    assert.equal(exitCode, 0, stdout + stderr);
    const [listed, begun, known] = stdout.split(/(?<=\})(?=\{)/).map((one) => JSON.parse(one));
    assert.deepEqual(listed, { environments: [] });
    assert.equal(begun.operation.kind, "create");
    assert.equal(begun.operation.environment, "feature-auth");
    assert.deepEqual(
      known.operations.map(({ id }: { id: string }) => id),
      [begun.operation.id],
    );
    await until(
      "the environment",
      async () => (await sandbox.json("list")).environments[0]?.status === "simple",
    );
  },
});

Deno.test({
  name: "the README's first commands, and those of shared services, do what stands beside them",
  ...needs("git", "tmux", "engine", "compose", "images"),
  async fn() {
    await using sandbox = await Sandbox.create({ files: await sampleFiles() });
    await Deno.chmod(`${sandbox.root}/web/cgi-bin/index.cgi`, 0o755);
    await sandbox.commit({}, "Let the page run");
    const [first = [], shared = []] = [
      /^```\n(piko init [\s\S]*?)```/m,
      /^```\n(piko share [\s\S]*?)```/m,
    ]
      .map((block) =>
        (block.exec(readme)?.[1] ?? "").trim().split("\n").map((line) =>
          /^piko ([^#]*?) +# /.exec(line)?.[1] ?? assert.fail(line)
        )
      );
    const [destroy = ""] = first.splice(-1);
    assert.deepEqual([first.length, shared.length, destroy], [4, 4, "destroy feature-auth"]);
    const said: Record<string, string> = {};
    for (const command of [...first, ...shared, destroy]) {
      said[command] = await sandbox.pass(command);
    }
    assert.match(said.list ?? "", /^feature-auth +running[\s\S]*^feature-payments +running/m);
    assert.match(said.share ?? "", /^redis +running/m);
    assert.deepEqual(
      (await sandbox.json("list")).environments.map(({ name, status }) => [name, status]),
      [["feature-payments", "running"]],
    );
    assert.deepEqual((await sandbox.json("share")).shared, []);
    await sandbox.pass("destroy feature-payments --volumes");
    const volumes = await sandbox.leftInEngine();
    assert.ok(volumes.every((line) => line.startsWith("volume ")), volumes.join());
    await docker("volume", "rm", ...volumes.map((line) => line.replace("volume ", "")));
  },
});

Deno.test({
  name: "the README's two files of configuration are right, to the last field",
  ...needs("git", "engine", "compose"),
  async fn() {
    const [project = "", user = ""] = [...readme.matchAll(/^```yaml\n([\s\S]*?)```/gm)].map((
      [, text],
    ) => text ?? "");
    const services = ["web", "db", "redis", "jaeger", "migrate"].map((name) =>
      `  ${name}: { image: "busybox:1.36" }\n`
    );
    await using sandbox = await Sandbox.create({
      files: { "deploy/compose.yml": `services:\n${services.join("")}`, ".piko.yml": project },
      init: true,
    });
    await sandbox.write(`${sandbox.variables.HOME}/.config/piko/config.yml`, user);
    const { stdout, exitCode } = await sandbox.piko(["config", "check", "--json"]);
    const { files, findings } = JSON.parse(stdout);
    assert.deepEqual([exitCode, findings], [0, []]);
    assert.deepEqual(files.map(({ exists }: { exists: boolean }) => exists), [true, true]);
    const { settings } = JSON.parse((await sandbox.piko(["config", "--json"])).stdout);
    const sources = new Set(
      settings.map(({ source }: { source: { kind: string } }) => source.kind),
    );
    assert.ok(sources.has("project") && sources.has("user"), [...sources].join());
  },
});

async function runScript(sandbox: Sandbox, branch: string) {
  const script =
    /tests\/readme_test\.ts runs this script as it stands\. -->\n\n```sh\n([\s\S]*?)```/.exec(
      readme,
    )?.[1];
  assert.ok(script, "the README has the script");
  const folder = PIKO.slice(0, PIKO.lastIndexOf("/"));
  return await tryRun(["sh", "-c", script, "check.sh", branch], {
    cwd: sandbox.root,
    variables: { ...sandbox.variables, PATH: `${folder}:${sandbox.variables.PATH}` },
    timeout: 180_000,
  });
}

async function sampleFiles(folder = sample, prefix = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const entry of Deno.readDir(folder)) {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory) {
      Object.assign(files, await sampleFiles(new URL(`${entry.name}/`, folder), `${path}/`));
    } else files[path] = await Deno.readTextFile(new URL(entry.name, folder));
  }
  return files;
}
