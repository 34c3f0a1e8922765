import assert from "node:assert/strict";
import { parse } from "yaml";
import type { ComposeConfig } from "../../src/domain/compose_config.ts";
import { composeOverride } from "../../src/domain/override.ts";
import { assignHostPorts, wantedPorts } from "../../src/domain/ports.ts";
import {
  dependOnOthers,
  missingNeeds,
  portsByHand,
  sharedPlaces,
  withoutServices,
} from "../../src/domain/shared.ts";

/** A project in which others need redis in every way there is. */
const SHOP: ComposeConfig = {
  name: "piko-shop-x",
  services: {
    app: {
      image: "worker",
      ports: [{ target: 80, published: "8080" }],
      depends_on: { redis: { condition: "service_healthy", required: true }, db: null },
      links: ["redis:cache", "db"],
      networks: { front: null, back: null },
    },
    db: {
      networks: { back: null },
      volumes: [{ type: "volume", source: "data", target: "/data" }],
    },
    redis: {
      container_name: "shop-redis",
      build: { context: "." },
      image: "worker",
      ports: [{ target: 6379, published: "6379" }, { target: 53, protocol: "udp" }],
      depends_on: { db: { required: false } },
      networks: { back: { aliases: ["kv"] }, internal: null, proxy: null },
      volumes: [
        { type: "volume", source: "keys", target: "/data" },
        { type: "bind", source: "/elsewhere", target: "/conf" },
      ],
    },
    side: {
      network_mode: "service:redis",
      pid: "container:shop-redis",
      volumes_from: ["redis:ro", "db"],
    },
    watch: { volumes_from: ["redis"], links: ["redis"], depends_on: { redis: null } },
  },
  networks: {
    front: { name: "shop_front" },
    back: { name: "shop_back" },
    internal: { name: "shop_internal" },
    proxy: { name: "proxy", external: true },
  },
  volumes: { data: null, keys: null },
};

Deno.test("dependOnOthers() leaves out what is not in the project, and what has to be done once", () => {
  assert.equal(dependOnOthers(SHOP, ["app", "redis"]), true);
  assert.equal(dependOnOthers(SHOP, ["app", "redis", "db"]), false);
  assert.equal(dependOnOthers(withoutServices(SHOP, ["redis"]), ["app", "db"]), false);
  assert.equal(dependOnOthers(withoutServices(SHOP, ["redis"]), ["app"]), true);
  const once = { app: { depends_on: { seed: { condition: "service_completed_successfully" } } } };
  assert.equal(dependOnOthers({ name: "x", services: { ...once, seed: {} } }, ["app"]), false);
});

/** Reads an override file; `!override` leaves its value, `!reset` leaves the word. */
function read(text: string): Record<string, Record<string, unknown>> {
  return parse(text, {
    customTags: [
      { tag: "!reset", resolve: () => "reset" },
      { tag: "!override", collection: "seq" },
      { tag: "!override", collection: "map" },
    ],
  });
}

Deno.test("composeOverride() leaves a shared service out, and all that others need of it", () => {
  const left = withoutServices(SHOP, ["redis"]);
  const { text, warnings } = composeOverride(SHOP, {
    composeProject: "piko-shop-x",
    ports: assignHostPorts(1, wantedPorts(left), () => false).given,
    root: "/src/shop",
    worktreePath: "/src/shop/.piko/worktrees/x",
    leftOut: ["redis"],
    sharedComposeProject: "piko-shop-shared",
  });
  assert.deepEqual(read(text), {
    services: {
      app: {
        image: "piko-shop-shared-redis",
        pull_policy: "never",
        ports: [{ target: 80, published: "10180", protocol: "tcp" }],
        depends_on: { redis: "reset" },
        links: ["db"],
      },
      redis: "reset",
      side: { network_mode: "reset", pid: "reset", volumes_from: ["db"] },
      watch: { depends_on: { redis: "reset" }, links: "reset", volumes_from: "reset" },
    },
    networks: {
      back: { name: "piko-shop-x_back" },
      default: { name: "piko-shop-x" },
      front: { name: "piko-shop-x_front" },
    },
    volumes: { data: { name: "piko-shop-x_data" } },
  });
  assert.deepEqual(warnings, [
    'Service "side" takes volumes from a service that is shared: it gets none',
    'Service "side" has network_mode: service:redis, which is shared: it gets its own instead, and reaches redis by that name',
    'Service "side" has pid: container:shop-redis, which is shared: it gets its own instead',
    'Service "watch" takes volumes from a service that is shared: it gets none',
  ]);
});

Deno.test("composeOverride() makes of the shared services alone a project of their own", () => {
  const leftOut = ["app", "db", "side", "watch"];
  const { text, warnings } = composeOverride(SHOP, {
    composeProject: "piko-shop-shared",
    ports: assignHostPorts(2, wantedPorts(withoutServices(SHOP, leftOut)), () => false).given,
    root: "/src/shop",
    worktreePath: "/src/shop",
    leftOut,
  });
  // What all of them share by design is nothing to warn of.
  assert.deepEqual(warnings, []);
  assert.deepEqual(read(text), {
    services: {
      app: "reset",
      db: "reset",
      redis: {
        container_name: "reset",
        image: "reset",
        depends_on: { db: "reset" },
        networks: {
          back: { aliases: ["shop-redis"] },
          internal: { aliases: ["shop-redis"] },
          proxy: { aliases: ["shop-redis"] },
        },
        ports: [
          { target: 6379, published: "10279", protocol: "tcp" },
          { target: 53, published: "10253", protocol: "udp" },
        ],
      },
      side: "reset",
      watch: "reset",
    },
    networks: {
      back: { name: "piko-shop-shared_back" },
      internal: { name: "piko-shop-shared_internal" },
    },
    volumes: { keys: { name: "piko-shop-shared_keys" } },
  });
});

Deno.test("sharedPlaces() names the networks that are left, and every name by which others knew it", () => {
  // Nobody else is on "internal", and on the external network it is by itself.
  assert.deepEqual(sharedPlaces(SHOP, ["redis"], "piko-shop-x"), [{
    service: "redis",
    network: "piko-shop-x_back",
    aliases: ["redis", "shop-redis", "kv", "cache"],
  }]);
  const plain: ComposeConfig = {
    name: "p",
    services: { app: {}, host: { network_mode: "host" }, one: {}, two: { networks: { x: null } } },
    networks: { x: null },
  };
  assert.deepEqual(sharedPlaces(plain, ["host", "one", "two"], "p"), [
    { service: "one", network: "p", aliases: ["one"] },
  ]);
});

Deno.test("missingNeeds() finds what a service cannot be shared without", () => {
  const needs = (...services: string[]) =>
    missingNeeds(SHOP, services).map(({ service, needs }) => `${service} ${needs}`);
  assert.deepEqual(needs("redis", "db"), []);
  assert.deepEqual(needs("redis"), [], "what is not required can be left out");
  assert.deepEqual(needs("app"), ["app redis", "app db"]);
  assert.deepEqual(needs("side"), ["side redis", "side db"]);
  assert.deepEqual(needs("app", "redis", "db"), []);
});

Deno.test("portsByHand() gives the ports that docker compose would bind without piko", () => {
  assert.deepEqual(portsByHand(SHOP, ["app", "db"]), {
    PIKO_APP_PORT: "8080",
    PIKO_APP_PORT_80: "8080",
  });
  const range = { name: "p", services: { web: { ports: [{ target: 80, published: "80-82" }] } } };
  assert.equal(portsByHand(range, ["web"]).PIKO_WEB_PORT, "80");
});
