import assert from "node:assert/strict";
import { PikoError } from "../../src/domain/errors.ts";
import { findDockerHost } from "../../src/programs/docker_context.ts";
import { run } from "../../src/programs/run.ts";
import { needs } from "../needs.ts";

/** A home folder with docker's configuration, made by docker itself. */
class Home implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "pikotest-" });
  readonly variables = { HOME: this.path, PATH: Deno.env.get("PATH") ?? "" };

  async docker(...args: string[]): Promise<string> {
    return (await run(["docker", ...args], { variables: this.variables })).trim();
  }

  async write(text: string): Promise<void> {
    await Deno.mkdir(`${this.path}/.docker`, { recursive: true });
    await Deno.writeTextFile(`${this.path}/.docker/config.json`, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

Deno.test("findDockerHost() is the usual socket where nothing is configured", async () => {
  await using home = new Home();
  assert.equal(await findDockerHost(home.variables), "unix:///var/run/docker.sock");
  await home.write("{}");
  assert.equal(await findDockerHost(home.variables), "unix:///var/run/docker.sock");
  await home.write('{"currentContext":"default"}');
  assert.equal(await findDockerHost(home.variables), "unix:///var/run/docker.sock");
});

Deno.test("findDockerHost() takes DOCKER_HOST without reading a file", async () => {
  await using home = new Home();
  await home.write("not JSON");
  const variables = { ...home.variables, DOCKER_HOST: "tcp://build:2375", DOCKER_CONTEXT: "gone" };
  assert.equal(await findDockerHost(variables), "tcp://build:2375");
  await assert.rejects(findDockerHost({ ...variables, DOCKER_HOST: "", DOCKER_CONTEXT: "" }));
});

Deno.test(
  "findDockerHost() agrees with docker about the contexts that docker made",
  needs("engine"),
  async () => {
    await using home = new Home();
    for (const name of ["rootless", "with.dots_and-dashes"]) {
      const host = `unix://${home.path}/${name}.sock`;
      await home.docker("context", "create", name, "--docker", `host=${host}`);
      await home.docker("context", "use", name);
      const format = "{{.Endpoints.docker.Host}}";
      assert.equal(await home.docker("context", "inspect", "--format", format), host);
      assert.equal(await findDockerHost(home.variables), host);
    }
  },
);

Deno.test(
  "findDockerHost() prefers DOCKER_CONTEXT to the current context",
  needs("engine"),
  async () => {
    await using home = new Home();
    await home.docker("context", "create", "one", "--docker", "host=tcp://one:1");
    await home.docker("context", "create", "two", "--docker", "host=tcp://two:2");
    await home.docker("context", "use", "one");
    const host = (name: string) => findDockerHost({ ...home.variables, DOCKER_CONTEXT: name });
    assert.equal(await host("two"), "tcp://two:2");
    assert.equal(await host("default"), "unix:///var/run/docker.sock");
  },
);

Deno.test("findDockerHost() looks in DOCKER_CONFIG", needs("engine"), async () => {
  await using home = new Home();
  await home.docker("context", "create", "one", "--docker", "host=tcp://one:1");
  const variables = {
    HOME: "/nowhere",
    DOCKER_CONFIG: `${home.path}/.docker`,
    DOCKER_CONTEXT: "one",
  };
  assert.equal(await findDockerHost(variables), "tcp://one:1");
});

Deno.test("findDockerHost() names a context that does not exist", async () => {
  await using home = new Home();
  await assert.rejects(
    findDockerHost({ ...home.variables, DOCKER_CONTEXT: "../$(gone)" }),
    (error) =>
      error instanceof PikoError && error.code === "unavailable" &&
      error.message === 'There is no Docker context "../$(gone)"',
  );
});

Deno.test("findDockerHost() names a configuration that cannot be read", async () => {
  await using home = new Home();
  await home.write('{"currentContext":');
  await assert.rejects(
    findDockerHost(home.variables),
    (error) =>
      error instanceof PikoError && error.code === "unavailable" &&
      error.message.startsWith(`Cannot read ${home.path}/.docker/config.json: `),
  );
});
