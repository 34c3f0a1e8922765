import assert from "node:assert/strict";
import { parse } from "yaml";
import type { ComposeConfig, ComposeService } from "../../src/domain/compose_config.ts";
import { bindSources, composeOverride, type OverrideOptions } from "../../src/domain/override.ts";
import { assignHostPorts, wantedPorts } from "../../src/domain/ports.ts";

/** Makes the override file of environment `x` of project `shop` in slot 1. */
function override(config: Omit<ComposeConfig, "name">, options: Partial<OverrideOptions> = {}) {
  const whole = { name: "piko-shop-x", ...config };
  return composeOverride(whole, {
    composeProject: "piko-shop-x",
    ports: assignHostPorts(1, wantedPorts(whole), () => false).given,
    root: "/src/shop",
    worktreePath: "/src/shop/.piko/worktrees/x",
    ...options,
  });
}

/** Reads an override file; `!override` leaves its value, `!reset` leaves the word. */
function read(text: string): Record<string, Record<string, Record<string, unknown>>> {
  return parse(text, {
    customTags: [
      { tag: "!reset", resolve: () => "reset" },
      { tag: "!override", collection: "seq" },
      { tag: "!override", collection: "map" },
    ],
  });
}

/** Makes the override of one service called `app`, and the warnings. */
function overrideApp(app: ComposeService, rest: Omit<ComposeConfig, "name" | "services"> = {}) {
  const { text, warnings } = override({ services: { app }, ...rest });
  return { app: read(text).services?.app ?? {}, text, warnings };
}

Deno.test("composeOverride() says only what changes, and who made it", () => {
  const { text, warnings } = override({
    services: {
      app: { image: "shop", networks: { default: null } },
      db: { image: "postgres", ports: [{ target: 5432, published: "5432", protocol: "tcp" }] },
    },
    networks: { default: { name: "shop_default", ipam: {} } },
  });
  assert.deepEqual(warnings, []);
  assert.equal(
    text,
    `# Made by piko for piko-shop-x; piko writes it anew, so edits are lost.
{
  "networks": {
    "default": {
      "name": "piko-shop-x"
    }
  },
  "services": {
    "db": {
      "ports": !override [{"protocol": "tcp", "published": "10132", "target": 5432}]
    }
  }
}
`,
  );
});

Deno.test("composeOverride() writes the same text whatever the order in the file", () => {
  const services: [string, ComposeService][] = [
    ["b", { ports: [{ target: 80 }], container_name: "b1" }],
    ["a", { ports: [{ target: 80 }], networks: { y: null, x: null }, container_name: "a1" }],
  ];
  const networks = { x: {}, y: {} };
  const forth = override({ services: Object.fromEntries(services), networks });
  const back = override({ services: Object.fromEntries(services.reverse()), networks });
  assert.equal(forth.text, back.text);
});

Deno.test("composeOverride() carries no value of the user's variables", () => {
  const app = {
    ports: [{ target: 80 }],
    environment: { PASSWORD: "hunter2" },
    command: ["hunter2"],
  } as ComposeService;
  assert.doesNotMatch(overrideApp(app).text, /hunter2|PASSWORD/);
});

Deno.test("composeOverride() keeps everything of a port but its host port", () => {
  const ports = [
    {
      target: 80,
      published: "80",
      protocol: "tcp",
      mode: "host",
      name: "web",
      app_protocol: "http",
    },
    { target: 53, published: "53", protocol: "udp", host_ip: "::1", mode: "ingress" },
    { target: 9000 },
  ];
  assert.deepEqual(overrideApp({ ports }).app.ports, [
    {
      target: 80,
      published: "10180",
      protocol: "tcp",
      mode: "host",
      name: "web",
      app_protocol: "http",
    },
    { target: 53, published: "10153", protocol: "udp", host_ip: "::1" },
    { target: 9000, published: "10100", protocol: "tcp" },
  ]);
});

Deno.test("composeOverride() gives one container port that is published twice two host ports", () => {
  const ports = [{ target: 80, published: "80" }, { target: 80, published: "8080" }];
  const published = (app: ComposeService) =>
    (overrideApp(app).app.ports as { published: string }[]).map((port) => port.published);
  assert.deepEqual(published({ ports }), ["10180", "10181"]);
  assert.deepEqual(published({ ports, deploy: { replicas: 2 } }), ["10180-10181", "10182-10183"]);
});

Deno.test("composeOverride() refuses to leave a port without a host port", () => {
  const services = { app: { ports: [{ target: 80 }] } };
  assert.throws(() => override({ services }, { ports: [] }), /no host port was given to app:80/);
});

Deno.test("composeOverride() leaves other protocols to Docker, with a warning", () => {
  const { app, warnings } = overrideApp({
    ports: [{ target: 132, published: "132", protocol: "sctp" }],
  });
  assert.deepEqual(app.ports, [{ target: 132, protocol: "sctp" }]);
  assert.match(warnings.join(), /^Service "app" publishes 132\/sctp: .* Docker chooses this one$/);
});

Deno.test("composeOverride() makes a fixed container name an alias on each network", () => {
  const { app } = overrideApp({
    container_name: "shop-app",
    networks: { front: null, back: { aliases: ["data"] } },
  });
  assert.equal(app.container_name, "reset");
  assert.deepEqual(app.networks, {
    back: { aliases: ["shop-app"] },
    front: { aliases: ["shop-app"] },
  });
  // Compose already answers to the service's own name.
  assert.equal(
    overrideApp({ container_name: "app", networks: { x: null } }).app.networks,
    undefined,
  );
  const beside = overrideApp({ container_name: "a1", network_mode: "service:db" }).app;
  assert.deepEqual(beside, { container_name: "reset" });
});

Deno.test("composeOverride() follows fixed container names to their services", () => {
  const { text } = override({
    services: {
      db: { container_name: "shop-db" },
      near: { network_mode: "container:shop-db", pid: "container:shop-db", ipc: "container:else" },
    },
  });
  const near = read(text).services?.near;
  assert.deepEqual(near, { network_mode: "service:db", pid: "service:db" });
});

Deno.test("composeOverride() takes addresses out and leaves the rest of a membership", () => {
  const networks = {
    back: {
      ipv4_address: "10.0.0.5",
      ipv6_address: "fd00::5",
      aliases: ["data"],
      priority: 7,
      mac_address: "02:42:ac:11:00:02",
    },
    outside: { ipv4_address: "10.9.0.5" },
  };
  const { app } = overrideApp({ container_name: "shop-app", networks }, {
    networks: { back: {}, outside: { external: true, name: "lan" } },
  });
  assert.deepEqual(app.networks, {
    back: { aliases: ["data", "shop-app"], priority: 7, mac_address: "02:42:ac:11:00:02" },
    outside: { aliases: ["shop-app"] },
  });
});

Deno.test("composeOverride() takes fixed subnets out, and makes IPv6 ones of the project's name", () => {
  const ipam = { config: [{ subnet: "10.1.0.0/24" }, { subnet: "fd00:1::/64" }] };
  const networks = {
    plain: { ipam: { config: [{ subnet: "10.1.0.0/24" }] } },
    six: { enable_ipv6: true, ipam },
    off: { ipam },
  };
  const made = read(override({ networks }).text).networks ?? {};
  assert.equal(made.plain?.ipam, "reset");
  assert.equal(made.off?.ipam, "reset");
  const { config: [range] } = made.six?.ipam as { config: [{ subnet: string }] };
  assert.match(range.subnet, /^fd[0-9a-f]{2}(:[0-9a-f]{4}){3}::\/64$/);
  const other = override({ networks }, { composeProject: "piko-shop-y" }).text;
  assert.ok(!other.includes(range.subnet));
  assert.equal(override({ networks }).text, override({ networks }).text);
});

Deno.test("composeOverride() lets each environment build its image, and share it within", () => {
  const { text } = override({
    services: {
      app: { image: "shop/app:latest", build: { context: ".", tags: ["shop:2"] } },
      worker: { image: "shop/app" },
      other: { image: "shop/app:2" },
      unnamed: { build: { context: "." } },
      pinned: { image: "localhost:5000/app" },
    },
  });
  assert.deepEqual(read(text).services, {
    app: { image: "reset", build: { tags: "reset" } },
    worker: { image: "piko-shop-x-app", pull_policy: "never" },
  });
});

Deno.test("composeOverride() names networks and volumes after the compose project", () => {
  const { text, warnings } = override({
    networks: { default: { name: "shop" }, back: null, lan: { external: true, name: "office" } },
    volumes: { data: { name: "shop-data" }, old: { external: true, name: "legacy" } },
  });
  const { networks, volumes } = read(text);
  assert.deepEqual(networks, {
    default: { name: "piko-shop-x" },
    back: { name: "piko-shop-x_back" },
  });
  assert.deepEqual(volumes, { data: { name: "piko-shop-x_data" } });
  assert.deepEqual(warnings.map((warning) => warning.split(" is ")[0]), [
    'Network "office"',
    'Volume "legacy"',
  ]);
});

Deno.test("composeOverride() warns of the network of the machine in either form", () => {
  const isWarned = /^Service "app" uses the network of this machine/;
  assert.match(overrideApp({ network_mode: "host" }).warnings.join(), isWarned);
  const networks = { machine: { external: true, name: "host" } };
  const { warnings } = overrideApp({ networks: { machine: null } }, { networks });
  assert.match(warnings[0] ?? "", isWarned);
});

Deno.test("composeOverride() warns of mounts that other environments share", () => {
  const mounts = (...sources: string[]) => ({
    volumes: sources.map((source) => ({ type: "bind", source, target: "/x" })),
  });
  const own = ["/src/shop/.piko/worktrees/x", "/src/shop/.piko/worktrees/x/code"];
  const fine = [...own, "/src/shop/.piko/data/x/pg", "/var/run/docker.sock", "/etc/localtime"];
  assert.deepEqual(overrideApp(mounts(...fine)).warnings, []);
  const shared = [
    "/src/shop",
    "/src/shop/.piko/worktrees/x2",
    "/src/shop/.piko/data/y",
    "/home/me",
  ];
  assert.deepEqual(
    overrideApp(mounts(...shared)).warnings,
    shared.map((source) =>
      `Service "app" mounts ${source}, which is outside the worktree and shared by every environment`
    ),
  );
  const device = { driver_opts: { type: "none", o: "bind", device: "/srv/pg" } };
  assert.deepEqual(override({ volumes: { pg: device } }).warnings, [
    'Volume "pg" lies at /srv/pg, so every environment shares its data',
  ]);
});

Deno.test("composeOverride() warns of what Docker would create as root", () => {
  const source = "/src/shop/.piko/worktrees/x/absent";
  const services = {
    app: { volumes: [{ type: "bind", source, bind: { create_host_path: true } }] },
    // The long form fails by itself and creates nothing.
    db: { volumes: [{ type: "bind", source, bind: { create_host_path: false } }] },
  };
  const config = { name: "shop", services };
  assert.deepEqual(bindSources(config), [source]);
  assert.deepEqual(override(config, { missing: new Set([source]) }).warnings, [
    `Service "app" mounts ${source}, which does not exist: ` +
    "Docker would make an empty folder there, owned by root",
  ]);
  assert.deepEqual(override(config).warnings, []);
});

Deno.test("composeOverride() labels containers and networks and no volumes, and compose reads the labels as they are", () => {
  const { text } = override({
    services: { app: {} },
    networks: { default: {} },
    volumes: { data: {} },
  }, { labels: { "dev.piko.root": '/a $HOME "b"\n: {' } });
  const { services, networks, volumes } = read(text);
  const labels = { "dev.piko.root": '/a $$HOME "b"\n: {' };
  assert.deepEqual(services, { app: { labels } });
  assert.deepEqual(Object.keys(networks?.default ?? {}), ["labels", "name"]);
  assert.deepEqual(networks?.default?.labels, labels);
  assert.deepEqual(Object.keys(volumes?.data ?? {}), ["name"]);
});
