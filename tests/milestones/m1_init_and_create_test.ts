/** Milestone 1: from a clone to a first isolated environment, as a user walks it. */

import assert from "node:assert/strict";
import { docker } from "../containers.ts";
import { saysNo } from "../commands/refusal.ts";
import { needs } from "../needs.ts";
import { PIKO, Sandbox } from "../sandbox.ts";
import { containersOf, hostPort, page, projectFiles } from "./sample.ts";

const CONFIG = `scripts:
  setup: |
    docker ps --format '{{.Names}}' --filter "label=com.docker.compose.project=$PIKO_PROJECT" | sort
    echo "set up $PIKO_ENV_NAME on $PIKO_APP_PORT"
`;

Deno.test({
  name: "M1: init and create",
  ...needs("git", "engine", "compose", "images"),
  async fn(t) {
    await using sandbox = await Sandbox.create({ files: projectFiles(CONFIG), slots: "lowest" });
    const { root, project } = sandbox;

    await t.step("outside of a repository, init says what to do", async () => {
      await Deno.mkdir(`${sandbox.folder}/plain`);
      await saysNo(sandbox, ["init"], {
        code: "not-found",
        message: /is in no git repository|not a git repository/,
        hint: /git init/,
      }, { cwd: `${sandbox.folder}/plain` });
    });

    await t.step("before init, create says what to do", async () => {
      await saysNo(sandbox, ["create", "feature-auth"], {
        code: "not-found",
        message: /in no piko project/,
        hint: /^piko init$/,
      });
    });

    await t.step("init says what it found, makes and ignores .piko, registers", async () => {
      const { exitCode, stdout, stderr } = await sandbox.piko(["init"]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(stdout, `✓ Initialized piko in ${root}/.piko\n`);
      assert.match(stderr, /with docker-compose\.yml/);
      assert.ok((await Deno.stat(`${root}/.piko`)).isDirectory);
      assert.equal(await sandbox.git("check-ignore", ".piko/worktrees"), ".piko/worktrees");
      const { projects } = await sandbox.json("project list");
      assert.deepEqual(projects.map(({ name, root }) => [name, root]), [[project, root]]);
    });

    await t.step("a second init is refused, with the way on", async () => {
      await saysNo(sandbox, ["init"], {
        code: "conflict",
        message: /is already initialized/,
        hint: /^piko create NAME$/,
      });
    });

    await t.step("create makes a worktree, a branch and the override file", async () => {
      const created = await sandbox.piko(["create", "feature-auth", "--json"]);
      assert.equal(created.exitCode, 0, created.stderr);
      const { environment } = JSON.parse(created.stdout);
      assert.equal(environment.path, `${root}/.piko/worktrees/feature-auth`);
      assert.equal(environment.slot, 1);
      assert.equal(environment.status, "running");
      assert.deepEqual(environment.containers, { running: 2, healthy: 2, total: 2 });
      assert.equal(
        await sandbox.git("-C", environment.path, "branch", "--show-current"),
        "feature-auth",
      );
      assert.ok(await sandbox.exists(`${environment.path}/docker-compose.piko.yml`));
      assert.equal(await sandbox.git("-C", environment.path, "status", "--short"), "");
      // Recorded, as another command sees it.
      assert.deepEqual((await sandbox.json("status feature-auth")).environment, environment);
      const ports = [["db", 5432, 10132], ["app", 8080, 10180], ["app", 8081, 10181]] as const;
      for (const [service, containerPort, wanted] of ports) {
        const given = hostPort(environment, service, containerPort);
        if (given !== wanted) {
          // A program of this machine has it, which create says.
          assert.match(
            created.stderr,
            new RegExp(`Host port ${wanted} is in use; .* gets ${given}`),
          );
        }
      }
    });

    await t.step("its containers run, with network, volume and ports of their own", async () => {
      const { environment } = await sandbox.json("status feature-auth");
      const prefix = `piko-${project}-feature-auth`;
      const { app, db } = await containersOf(sandbox, "feature-auth");
      assert.deepEqual([app?.state, db?.state], ["running", "running"]);
      assert.ok(app?.name.startsWith(prefix) && db?.name.startsWith(prefix));
      const networks = await docker(
        "inspect",
        "--format",
        "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}",
        app?.id ?? "",
      );
      assert.ok(networks.startsWith(prefix), networks);
      assert.match(
        await docker("volume", "ls", "--quiet", "--filter", `name=${prefix}_rows`),
        new RegExp(`^${prefix}_rows$`),
      );
      await sandbox.write(`${environment.path}/page/index.html`, "the page of feature-auth\n");
      assert.equal(await page(hostPort(environment, "app", 8080)), "the page of feature-auth\n");
      assert.equal(await page(hostPort(environment, "app", 8081)), "the page of feature-auth\n");
      await sandbox.git("-C", environment.path, "checkout", "--", "page");
    });

    await t.step("the setup script ran once the containers did", async () => {
      const { environment } = await sandbox.json("status feature-auth");
      const { app, db } = await containersOf(sandbox, "feature-auth");
      const log = await Deno.readTextFile(`${root}/.piko/logs/feature-auth/setup.log`);
      assert.deepEqual(log.trimEnd().split("\n"), [
        app?.name,
        db?.name,
        `set up feature-auth on ${hostPort(environment, "app", 8080)}`,
      ]);
    });

    await t.step("env prints the variables, for a shell and as JSON", async () => {
      const { environment } = await sandbox.json("status feature-auth");
      const variables = await sandbox.json("env feature-auth");
      assert.equal(variables.PIKO_ENV_NAME, "feature-auth");
      assert.equal(variables.PIKO_ENV_ID, "1");
      assert.equal(variables.PIKO_ROOT, root);
      assert.equal(variables.PIKO_ENV_PATH, environment.path);
      assert.equal(variables.PIKO_PROJECT, `piko-${project}-feature-auth`);
      assert.equal(variables.PIKO_DB_PORT, String(hostPort(environment, "db", 5432)));
      assert.equal(variables.PIKO_APP_PORT_8081, String(hostPort(environment, "app", 8081)));
      const lines = (await sandbox.pass("env feature-auth")).trimEnd().split("\n");
      assert.deepEqual(lines, Object.entries(variables).map(([name, value]) => `${name}=${value}`));
      const script = `eval "$('${PIKO}' env feature-auth --export)"; printf %s "$PIKO_BRANCH"`;
      assert.equal(await sandbox.run(["sh", "-c", script]), "feature-auth");
    });

    await t.step("a name that exists is refused, with the command to run", async () => {
      await saysNo(sandbox, ["create", "feature-auth"], {
        code: "conflict",
        message: /"feature-auth" exists already|exists/,
        hint: /^piko /,
      });
    });

    await t.step("a branch that exists is used", async () => {
      await sandbox.git("branch", "old-work");
      await sandbox.pass("create old-work --no-start");
      assert.equal(
        await sandbox.git("-C", sandbox.worktree("old-work"), "branch", "--show-current"),
        "old-work",
      );
    });

    await t.step("when setup fails, create fails and leaves nothing", async () => {
      await sandbox.write(".piko.yml", "scripts: { setup: 'echo no luck; exit 7' }\n");
      const before = await sandbox.leftInEngine();
      const stderr = await sandbox.fail("create broken", 1);
      assert.match(stderr, /scripts\.setup failed with exit code 7/);
      assert.match(stderr, /no luck/);
      assert.deepEqual(await sandbox.leftInEngine(), before);
      assert.equal(await sandbox.exists(sandbox.worktree("broken")), false);
      assert.equal(await sandbox.git("branch", "--list", "broken"), "");
      const { environments } = await sandbox.json("list");
      assert.deepEqual(environments.map(({ name }) => name), ["feature-auth", "old-work"]);
    });

    await t.step("without .piko.yml it works as well", async () => {
      await Deno.remove(`${root}/.piko.yml`);
      await sandbox.pass("create plain");
      const { environment } = await sandbox.json("status plain");
      assert.equal(environment.status, "running");
      assert.equal(await page(hostPort(environment, "app", 8080)), "the page of main\n");
    });
  },
});
