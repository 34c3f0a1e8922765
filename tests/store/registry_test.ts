import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { PikoError } from "../../src/domain/errors.ts";
import {
  type Database,
  MIGRATIONS,
  openDatabase,
  SCHEMA_VERSION,
} from "../../src/store/database.ts";
import { Environments } from "../../src/store/environments.ts";
import { Projects } from "../../src/store/projects.ts";

Deno.test("openDatabase() makes a database with WAL, foreign keys and the schema's version", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  assert.equal(database.first("PRAGMA user_version")?.user_version, SCHEMA_VERSION);
  assert.equal(database.first("PRAGMA journal_mode")?.journal_mode, "wal");
  assert.equal(database.first("PRAGMA foreign_keys")?.foreign_keys, 1);
  assert.ok(Number(database.first("PRAGMA busy_timeout")?.timeout) >= 5000);
});

Deno.test("openDatabase() reads a registry that does not exist as an empty one and writes nothing", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: false });
  assert.deepEqual(new Projects(database).list(), []);
  assert.deepEqual([...Deno.readDirSync(place.folder)], []);
});

Deno.test("openDatabase() refuses a newer schema and changes nothing", async () => {
  await using place = await Place.make();
  openDatabase(place.path, { create: true })[Symbol.dispose]();
  using raw = new DatabaseSync(place.path);
  raw.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  assert.throws(
    () => openDatabase(place.path, { create: true }),
    (error) =>
      error instanceof PikoError && error.message.includes("newer piko") &&
      error.message.includes(place.path),
  );
  assert.equal(raw.prepare("PRAGMA user_version").get()?.user_version, SCHEMA_VERSION + 1);
});

for (
  const [what, bytes] of [
    [
      "text",
      new TextEncoder().encode("this is no database, and long enough to have a header".repeat(50)),
    ],
    [
      "a torn header",
      new Uint8Array([
        ...new TextEncoder().encode("SQLite format 3\0"),
        ...new Uint8Array(4000).fill(7),
      ]),
    ],
  ] as const
) {
  Deno.test(`openDatabase() reports a damaged file (${what}) and leaves it as it is`, async () => {
    await using place = await Place.make();
    await Deno.writeFile(place.path, bytes);
    assert.throws(
      () => openDatabase(place.path, { create: true }),
      (error) =>
        error instanceof PikoError && error.message.includes("damaged") &&
        error.message.includes(place.path) &&
        (error.hint ?? "").includes("mv "),
    );
    assert.deepEqual(await Deno.readFile(place.path), bytes);
  });
}

Deno.test("openDatabase() migrates step by step and keeps every row", async () => {
  await using place = await Place.make();
  const first = MIGRATIONS[0] ?? "";
  using raw = new DatabaseSync(place.path);
  raw.exec(first);
  raw.exec("PRAGMA user_version = 1");
  raw.exec(
    "INSERT INTO projects (name, root, created_at) VALUES ('shop', '/shop', '2026-01-01T00:00:00.000Z')",
  );
  raw.close();
  using database = openDatabase(place.path, { create: true });
  assert.equal(database.first("PRAGMA user_version")?.user_version, SCHEMA_VERSION);
  assert.equal(new Projects(database).findByName("shop")?.root, "/shop");
});

Deno.test("openDatabase() rolls a migration back that fails", async () => {
  await using place = await Place.make();
  using raw = new DatabaseSync(place.path);
  // A table of the schema's name that somebody else has made.
  raw.exec("CREATE TABLE environments (x)");
  assert.throws(() => openDatabase(place.path, { create: true }));
  assert.deepEqual(
    raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all().map((row) => row.name),
    ["environments"],
  );
});

Deno.test("Projects.add() refuses a name and a root that are taken", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const projects = new Projects(database);
  projects.add("shop", "/a/shop");
  assert.throws(() => projects.add("shop", "/b/shop"), /taken by the project in \/a\/shop/);
  assert.throws(() => projects.add("other", "/a/shop"), /already initialized/);
});

Deno.test("Projects.findAt() finds the innermost project and no neighbour of the same beginning", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const projects = new Projects(database);
  projects.add("shop", "/a/shop");
  projects.add("inner", "/a/shop/vendor/inner");
  assert.equal(projects.findAt("/a/shop/src")?.name, "shop");
  assert.equal(projects.findAt("/a/shop/vendor/inner/x")?.name, "inner");
  assert.equal(projects.findAt("/a/shop-2"), undefined);
});

Deno.test("Environments.reserve() gives out the lowest free slot over all projects", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve, environments } = registry(database, ["one", "two"]);
  assert.deepEqual([reserve("one", "a").slot, reserve("two", "a").slot, reserve("one", "b").slot], [
    1,
    2,
    3,
  ]);
  environments.remove(2);
  assert.equal(reserve("two", "c").slot, 2);
});

Deno.test("Environments.reserve() refuses a name that is taken and gives nothing out", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve, environments } = registry(database, ["one"]);
  reserve("one", "a");
  assert.throws(() => reserve("one", "a"), /exists already/);
  assert.equal(environments.list().length, 1);
});

Deno.test("Environments.reserve() says so when every slot is in use", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve } = registry(database, ["one"]);
  for (let number = 1; number <= 220; number++) reserve("one", `e${number}`);
  assert.throws(() => reserve("one", "late"), /All 220 slots/);
});

Deno.test("Environments.reserve() tells apart compose projects that join to one name", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve } = registry(database, ["my", "my-app"]);
  assert.equal(reserve("my", "app-x").composeProject, "piko-my-app-x");
  assert.equal(reserve("my-app", "x").composeProject, "piko-my-app-x-2");
});

Deno.test("Environments.reserve() finds the compose project whose volumes were kept", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve, environments } = registry(database, ["my", "my-app"]);
  reserve("my", "app-x");
  const second = reserve("my-app", "x");
  environments.keepVolumes(second, [`${second.composeProject}_data`], "one");
  environments.remove(second.id);
  assert.equal(reserve("my-app", "x").composeProject, "piko-my-app-x-2");
});

Deno.test("Environments.keepVolumes() leaves alone what another engine keeps under the same name", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve, environments } = registry(database, ["my"]);
  const record = reserve("my", "x");
  const [rows, logs] = [`${record.composeProject}_rows`, `${record.composeProject}_logs`];
  const kept = () =>
    environments.listKeptVolumes(record.root).map(({ engine, name }) => `${engine}: ${name}`);
  environments.keepVolumes(record, [rows, logs], "one");
  environments.keepVolumes(record, [rows], "other");
  assert.deepEqual(kept().sort(), [`one: ${logs}`, `one: ${rows}`, `other: ${rows}`]);
  environments.keepVolumes(record, [], "other");
  environments.forgetKeptVolume({ name: logs, engine: "other" });
  assert.deepEqual(kept().sort(), [`one: ${logs}`, `one: ${rows}`]);
  environments.forgetKeptVolume({ name: logs, engine: "one" });
  assert.deepEqual(kept(), [`one: ${rows}`]);
});

Deno.test("Environments.givePorts() refuses a port that another environment has, and keeps what was there", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve, environments } = registry(database, ["one"]);
  const [a, b] = [reserve("one", "a"), reserve("one", "b")];
  const port = {
    service: "db",
    containerPort: 5432,
    protocol: "tcp",
    hostIp: null,
    hostPort: 10132,
  } as const;
  environments.givePorts(a.id, () => [port]);
  environments.givePorts(b.id, () => [{ ...port, hostPort: 10232 }]);
  assert.throws(() => environments.givePorts(b.id, () => [port]));
  assert.deepEqual(environments.require(b.id).ports, [{ ...port, hostPort: 10232 }]);
});

Deno.test("Environments.remove() takes ports, steps and links along", async () => {
  await using place = await Place.make();
  using database = openDatabase(place.path, { create: true });
  const { reserve, environments } = registry(database, ["one"]);
  const { id } = reserve("one", "a");
  environments.givePorts(id, () => [
    { service: "db", containerPort: 5432, protocol: "tcp", hostIp: null, hostPort: 10132 },
  ]);
  environments.beginStep(id, "create", "worktree", { at: "abc" });
  environments.addCarried(id, { path: ".env", target: "/r/.env" });
  assert.deepEqual(environments.listSteps(id).map(({ step, detail }) => [step, detail.at]), [[
    "worktree",
    "abc",
  ]]);
  environments.remove(id);
  for (const table of ["environments", "ports", "steps", "carried"]) {
    assert.equal(database.first(`SELECT count(*) AS rows FROM ${table}`)?.rows, 0, table);
  }
});

/** A folder for a registry. */
class Place implements AsyncDisposable {
  readonly path: string;

  private constructor(readonly_folder: string) {
    this.folder = readonly_folder;
    this.path = `${readonly_folder}/state.db`;
  }

  readonly folder: string;

  static async make(): Promise<Place> {
    return new Place(await Deno.makeTempDir({ prefix: "piko-registry-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function registry(database: Database, names: readonly string[]) {
  const projects = new Projects(database);
  const environments = new Environments(database);
  for (const name of names) projects.add(name, `/${name}`);
  const reserve = (projectName: string, name: string) => {
    const project = projects.findByName(projectName);
    assert.ok(project);
    return environments.reserve(project, {
      name,
      branch: name,
      mode: "docker",
      path: `/${projectName}/.piko/worktrees/${name}`,
      dataDir: `/${projectName}/.piko/data/${name}`,
    });
  };
  return { reserve, environments };
}
