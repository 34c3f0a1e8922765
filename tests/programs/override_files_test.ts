import assert from "node:assert/strict";
import { findComposeFiles } from "../../src/programs/compose.ts";
import { compose, docker, engine, engineTest, Pair } from "./compose_pair.ts";

engineTest(
  "override: each environment builds an image of its own, and its other services start it",
  async () => {
    await using pair = await Pair.up("build", {
      prepare: (path, name) => Deno.writeTextFile(`${path}/branch`, `branch ${name}`),
    });
    for (const twin of pair.both) {
      const { composeProject } = twin;
      const images = new Map<string, string>();
      for (const { Config } of await twin.inspect()) {
        images.set(Config.Labels["com.docker.compose.service"] ?? "", Config.Image);
      }
      assert.deepEqual([...images], [
        ["app", `${composeProject}-app`],
        ["unnamed", `${composeProject}-unnamed`],
        ["worker", `${composeProject}-app`],
      ]);
      const branch = `branch ${composeProject.at(-1)}`;
      for (const service of images.keys()) {
        assert.equal(await twin.exec(service, "cat", "/branch"), branch);
      }
    }
    assert.equal(await docker("image", "ls", "-q", "pikotest-shop"), "");
    await compose.down(pair.a.target);
    const images = await engine.listImages(pair.a.composeProject);
    assert.deepEqual(images.toSorted(), [
      `${pair.a.composeProject}-app:latest`,
      `${pair.a.composeProject}-unnamed:latest`,
    ]);
    await compose.removeImages(images);
    assert.notEqual(await docker("image", "ls", "-q", `${pair.b.composeProject}-app`), "");
  },
);

engineTest(
  "override: mounts from outside the worktree and missing ones are warned of before up",
  async () => {
    await using pair = await Pair.up("mounts", {
      start: false,
      prepare: (path) => Deno.mkdir(`${path}/../sibling`, { recursive: true }),
      variables: { HOME: "/nowhere" },
    });
    const twin = pair.a;
    const worktree = twin.target.cwd;
    const missing =
      ", which does not exist: Docker would make an empty folder there, owned by root";
    const outside = ", which is outside the worktree and shared by every environment";
    assert.deepEqual(twin.warnings, [
      `Service "app" mounts ${worktree}/code${missing}`,
      `Service "app" mounts ${pair.root}/.piko/worktrees/sibling${outside}`,
      `Service "app" mounts /nowhere/pikotest-absent${missing}`,
      'Service "app" mounts /bin' + outside,
    ]);
    await assert.rejects(Deno.stat(`${worktree}/code`), Deno.errors.NotFound);
  },
);

engineTest("override: mounts of the worktree are each environment's own", async () => {
  await using pair = await Pair.up("subfolder", { compose: "deploy/compose.yml" });
  for (const twin of pair.both) {
    assert.deepEqual(twin.warnings, []);
    const [mount] = (await twin.only("app")).Mounts;
    assert.equal(mount?.Source, `${twin.target.cwd}/deploy/files`);
  }
});

engineTest(
  "override: a compose file in a folder has that folder as project directory, and -p beats its name",
  async () => {
    await using pair = await Pair.up("subfolder", {
      compose: "deploy/compose.yml",
      prepare: (path) => Deno.writeTextFile(`${path}/deploy/.env`, "WHERE=folder\n"),
    });
    for (const twin of pair.both) {
      assert.equal(twin.config.name, twin.composeProject);
      const app = await twin.only("app");
      assert.ok(app.Config.Env.includes("WHERE=folder"));
      assert.equal(app.Name, `/${twin.composeProject}-app-1`);
      assert.equal(app.Config.Labels["dev.piko.test"], "a $price");
      assert.equal(await twin.exec("app", "cat", "/files/beside"), "beside");
    }
  },
);

engineTest("override: COMPOSE_FILE of .env names the files", async () => {
  await using pair = await Pair.up("compose_file");
  for (const twin of pair.both) {
    assert.deepEqual(
      twin.target.files.map((file) => file.slice(twin.target.cwd.length)),
      ["/base.yaml", "/more.yaml"],
    );
    const app = await twin.only("app");
    assert.ok(app.Config.Env.includes("FROM_ENV_FILE=42"));
    assert.deepEqual(Object.keys(app.HostConfig.PortBindings ?? {}).sort(), ["80/tcp", "81/tcp"]);
  }
});

engineTest(
  "override: include, extends, anchors, configs, secrets and develop survive",
  async () => {
    await using pair = await Pair.up("survivors");
    for (const twin of pair.both) {
      assert.equal(
        await twin.exec("app", "cat", "/settings", "/run/secrets/password"),
        "on\nhush-hush",
      );
      assert.ok((await twin.only("app")).Config.Env.includes("PRICE=5$"));
      for (const service of ["app", "child", "included"]) {
        const container = await twin.only(service);
        assert.equal(container.Name, `/${twin.composeProject}-${service}-1`);
        const hostPorts = Object.values(container.HostConfig.PortBindings ?? {})
          .flatMap((bindings) => bindings.map(({ HostPort }) => Number(HostPort)));
        assert.deepEqual(hostPorts, Object.values(twin.hostPorts(service)).flat());
      }
      const [held] = (await twin.only("included")).Mounts;
      assert.equal(held?.Name, `${twin.composeProject}_held`);
      assert.doesNotMatch(twin.text, /hush|PRICE/);
    }
  },
);

engineTest("findComposeFiles() leaves the override file of an environment out", async () => {
  await using pair = await Pair.up("layered", { start: false });
  const { cwd, files } = pair.a.target;
  const found = await findComposeFiles(cwd, { variables: {} });
  assert.deepEqual(found, { files, by: "name" });
});
