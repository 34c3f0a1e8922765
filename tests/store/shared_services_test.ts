import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  type Database,
  MIGRATIONS,
  openDatabase,
  SCHEMA_VERSION,
} from "../../src/store/database.ts";
import { Environments, ownPorts } from "../../src/store/environments.ts";
import { Projects } from "../../src/store/projects.ts";
import { SharedServices } from "../../src/store/shared_services.ts";

const REDIS = {
  service: "redis",
  containerPort: 6379,
  protocol: "tcp",
  hostIp: null,
  hostPort: 10279,
} as const;

Deno.test("openDatabase() brings a registry without shared services forward and keeps every row", async () => {
  const folder = await Deno.makeTempDir({ prefix: "piko-shared-" });
  try {
    const path = `${folder}/state.db`;
    const old = new DatabaseSync(path);
    old.exec(MIGRATIONS[0] ?? "");
    old.exec(`
      PRAGMA user_version = 1;
      INSERT INTO projects VALUES (7, 'shop', '/shop', '2026-01-01T00:00:00.000Z');
      INSERT INTO environments VALUES (9, 7, 'auth', 'feature/Auth', 3, 'docker', 'ready', '/shop/w', '/shop/d',
        'piko-shop-auth', '["/shop/w/compose.yaml"]', '/shop/w/o.yml', 'piko/shop/auth', '2026-01-02T00:00:00.000Z');
      INSERT INTO ports VALUES (9, 'db', 5432, 'tcp', NULL, 10332);
      INSERT INTO steps VALUES (1, 9, 'create', 'worktree', '{"at":"abc"}', '2026-01-02T00:00:00.000Z');
      INSERT INTO carried VALUES (9, '.env', '/shop/.env');
      INSERT INTO kept_volumes VALUES ('piko-shop-old_db', '/shop', 'old', 'piko-shop-old', '2026-01-02T00:00:00.000Z');
    `);
    const tables = ["projects", "environments", "ports", "steps", "carried", "kept_volumes"];
    const before = tables.map((table) => old.prepare(`SELECT * FROM ${table}`).all());
    old.close();
    using database = openDatabase(path, { create: true });
    assert.equal(database.first("PRAGMA user_version")?.user_version, SCHEMA_VERSION);
    for (const [index, table] of tables.entries()) {
      const [row] = database.all(`SELECT * FROM ${table}`);
      assert.deepEqual({ ...row, ...before[index]?.[0] }, { ...row }, table);
    }
    const [record] = new Environments(database).list();
    assert.equal(record?.slot, 3);
    assert.equal(record?.shared, null);
    assert.deepEqual(database.all("PRAGMA foreign_key_check"), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("SharedServices.reserve() gives a slot and a compose project that no environment has", () => {
  using database = openDatabase(":memory:", { create: false });
  const { projects, environments, shared, add } = registry(database);
  const shop = projects.add("shop", "/shop");
  const other = projects.add("shop-x", "/shop-x");
  assert.equal(add(shop, "shared").composeProject, "piko-shop-shared-2");
  const first = shared.reserve(shop, "main");
  assert.deepEqual([first.slot, first.composeProject], [2, "piko-shop-shared"]);
  assert.equal(shared.reserve(shop, "main").id, first.id);
  assert.equal(add(other, "a").slot, 3);
  assert.equal(shared.reserve(other, "main").slot, 4);
  // No list shows them, and no project that has them is forgotten.
  assert.deepEqual(environments.list().map(({ name }) => name), ["shared", "a"]);
  assert.equal(environments.listShared().length, 2);
  assert.throws(() => projects.remove(shop.id));
  environments.remove(first.id);
  assert.equal(add(shop, "next").slot, 2);
});

Deno.test("SharedServices gives two projects whose names join to one different compose projects", () => {
  using database = openDatabase(":memory:", { create: false });
  const { projects, shared, add } = registry(database);
  assert.equal(
    add(projects.add("my", "/my"), "app-shared").composeProject,
    "piko-my-app-shared",
  );
  assert.equal(
    shared.reserve(projects.add("my-app", "/my-app"), "main").composeProject,
    "piko-my-app-shared-2",
  );
});

Deno.test("An environment has the ports of the shared services that it uses, and owns none of them", () => {
  using database = openDatabase(":memory:", { create: false });
  const { projects, environments, shared, add } = registry(database);
  const shop = projects.add("shop", "/shop");
  const auth = add(shop, "auth");
  const { id } = shared.reserve(shop, "main");
  environments.givePorts(id, () => [REDIS]);
  const own = { ...REDIS, service: "db", containerPort: 5432, hostPort: 10132 };
  environments.givePorts(auth.id, () => [own]);
  shared.setState(shop.id, ["jaeger", "redis"], "shared");
  const links = [{ service: "redis", network: "n_back", aliases: ["redis", "shop-redis"] }];
  shared.setUse(auth.id, ["jaeger", "redis"], links);
  const record = environments.require(auth.id);
  assert.deepEqual(record.ports, [own, { ...REDIS, shared: true }]);
  assert.deepEqual(ownPorts(record), [own]);
  assert.deepEqual(record.shared, {
    composeProject: "piko-shop-shared",
    services: ["jaeger", "redis"],
  });
  assert.deepEqual(environments.list(), [record]);
  // What it is given anew does not take the shared ones for its own.
  assert.deepEqual(environments.givePorts(auth.id, (kept) => kept), [own]);
  assert.throws(() => environments.givePorts(auth.id, () => [REDIS]));
  assert.deepEqual(shared.listUsers(shop.id, "redis"), ["auth"]);
});

Deno.test("SharedServices remembers the places on networks that are about to go", () => {
  using database = openDatabase(":memory:", { create: false });
  const { projects, environments, shared, add } = registry(database);
  const shop = projects.add("shop", "/shop");
  const [auth, pay] = [add(shop, "auth"), add(shop, "pay")];
  shared.reserve(shop, "main");
  const link = (network: string) => ({ service: "redis", network, aliases: ["redis"] });
  shared.setUse(auth.id, ["redis"], [link("a_one"), link("a_two")]);
  shared.setUse(pay.id, ["redis"], [link("p_one")]);
  shared.setUse(auth.id, ["redis"], [link("a_two")]);
  environments.setState(pay.id, "destroying");
  const places = () =>
    shared.listLinks(shop.id).map(({ network, isWanted }) => `${network} ${isWanted}`);
  assert.deepEqual(places(), ["a_one false", "a_two true", "p_one false"]);
  for (const found of shared.listLinks(shop.id)) if (!found.isWanted) shared.removeLink(found);
  shared.setUse(auth.id, [], []);
  assert.deepEqual(places(), ["a_two false"]);
  assert.deepEqual(shared.listUsers(shop.id), ["pay"]);
  environments.remove(auth.id);
  assert.deepEqual(places(), []);
});

function registry(database: Database) {
  const projects = new Projects(database);
  const environments = new Environments(database);
  const shared = new SharedServices(database, environments);
  const add = (project: ReturnType<Projects["add"]>, name: string) =>
    environments.reserve(project, {
      name,
      branch: name,
      mode: "docker",
      path: `${project.root}/.piko/worktrees/${name}`,
      dataDir: `${project.root}/.piko/data/${name}`,
    });
  return { projects, environments, shared, add };
}
