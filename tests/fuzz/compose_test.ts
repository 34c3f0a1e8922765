import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import type { ComposeConfig } from "../../src/domain/compose_config.ts";
import { PikoError } from "../../src/domain/errors.ts";
import { bindSources, composeOverride } from "../../src/domain/override.ts";
import { assignHostPorts, portBlock, wantedPorts } from "../../src/domain/ports.ts";
import { parseOverrideServices } from "../../src/programs/override_file.ts";
import { tryRun } from "../../src/programs/run.ts";
import { whyMissing } from "../../scripts/machine/probe.ts";
import { anyText, fuzz } from "./fuzz.ts";

/** What compose allows as a service's name. */
const serviceName = fc.stringMatching(/^[a-zA-Z0-9._-]{1,12}$/).filter((name) =>
  name !== "__proto__"
);
const word = fc.oneof(fc.stringMatching(/^[a-z0-9]{1,6}$/), anyText.filter((text) => text !== ""));
const some = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const text = fc.constantFrom("a", "b", "shop", "$x", "${Y}", "ä ö", "it's", 'say "x"', "a: b", "#");

const port = fc.record({
  target: fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constantFrom(80, 180, 5432, 443)),
  published: some(fc.oneof(
    fc.integer({ min: 1, max: 65535 }).map(String),
    fc.constantFrom("8080-8082", "80"),
  )),
  protocol: some(fc.constantFrom("tcp", "udp", "sctp")),
  host_ip: some(fc.constantFrom("127.0.0.1", "::1", "0.0.0.0", "")),
  mode: some(fc.constantFrom("ingress", "host")),
}, { requiredKeys: ["target"] });

const mount = fc.record({
  type: fc.constantFrom("bind", "volume", "tmpfs"),
  source: some(fc.constantFrom("data", "/src/shop/app", "/src/shop", "/etc/x", "/", "cache")),
  target: fc.constantFrom("/a", "/b"),
  bind: some(fc.record({ create_host_path: fc.boolean() })),
}, { requiredKeys: ["type", "target"] });

const service = fc.record({
  image: some(text),
  build: some(fc.record({ context: text, tags: some(fc.array(text, { maxLength: 2 })) }, {
    requiredKeys: ["context"],
  })),
  container_name: some(fc.constantFrom("one", "two", "web")),
  ports: some(fc.array(port, { maxLength: 4 })),
  networks: some(fc.dictionary(
    fc.constantFrom("default", "front", "back"),
    fc.option(fc.record({
      aliases: some(fc.array(text, { maxLength: 2 })),
      ipv4_address: some(fc.constant("172.30.0.5")),
      priority: some(fc.nat({ max: 9 })),
    }, { requiredKeys: [] })),
  )),
  network_mode: some(fc.constantFrom("host", "none", "service:web", "container:one", "bridge")),
  pid: some(fc.constantFrom("host", "container:two", "service:db")),
  ipc: some(fc.constantFrom("host", "container:one")),
  volumes: some(fc.array(mount, { maxLength: 3 })),
  scale: some(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant("2"))),
  deploy: some(fc.record({ replicas: fc.integer({ min: 0, max: 3 }) })),
  environment: some(fc.constant({ SECRET: "geheim-42" })),
}, { requiredKeys: [] });

const config: fc.Arbitrary<ComposeConfig> = fc.record({
  name: fc.constant("piko-shop-x"),
  services: fc.dictionary(serviceName, service, { maxKeys: 5 }),
  networks: fc.dictionary(
    fc.constantFrom("default", "front", "back"),
    fc.option(fc.record({
      name: some(text),
      external: some(fc.boolean()),
      enable_ipv6: some(fc.boolean()),
      // Compose 2.26 takes `config: []` in one file, and refuses it beside a second one, whatever that says.
      ipam: some(fc.record({
        driver: some(fc.constant("default")),
        config: some(fc.constant([{ subnet: "172.30.0.0/16" }])),
      })),
      driver_opts: some(fc.constant({ "com.docker.network.bridge.name": "br" })),
    }, { requiredKeys: [] })),
  ),
  volumes: fc.dictionary(
    fc.constantFrom("data", "cache"),
    fc.option(fc.record({
      name: some(text),
      external: some(fc.boolean()),
      driver_opts: some(fc.constant({ type: "none", o: "bind", device: "/srv" })),
    }, { requiredKeys: [] })),
  ),
}).map((config) => JSON.parse(JSON.stringify(config)));

/** Reads an override file as compose does, but for the meaning of its tags. */
function read(text: string) {
  return parse(text, {
    customTags: [
      { tag: "!reset", resolve: () => "reset" },
      { tag: "!override", collection: "seq" },
      { tag: "!override", collection: "map" },
    ],
  }) as
    | { services?: Record<string, { ports?: { published: string; protocol?: string }[] }> }
    | null;
}

function override(config: ComposeConfig) {
  const { given } = assignHostPorts(7, wantedPorts(config), () => false);
  return composeOverride(config, {
    composeProject: "piko-shop-x",
    ports: given,
    root: "/src/shop",
    worktreePath: "/src/shop/.piko/worktrees/x",
    labels: { "dev.piko.environment": "x" },
    missing: new Set(bindSources(config)),
  });
}

/** Turns every map of a value around. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, reversed(v)]));
}

fuzz("composeOverride() writes YAML that publishes the given ports alone", config, (config) => {
  const { text, warnings } = override(config);
  const services = read(text)?.services ?? {};
  assert.deepEqual(Object.keys(services).sort(), Object.keys(config.services ?? {}).sort());
  assert.deepEqual((parseOverrideServices(text) ?? []).sort(), Object.keys(services).sort());
  assert.ok(!text.includes("geheim-42"), "a value of the environment is in the file");
  const published: string[] = [];
  for (const [name, { ports }] of Object.entries(services)) {
    const { ports: wanted = [], network_mode } = config.services?.[name] ?? {};
    // On the machine's own network there are no ports to publish.
    if (network_mode === "host") continue;
    assert.ok(wanted?.length === 0 || ports !== undefined, `${name} keeps its host ports`);
    for (const { published: host, protocol = "tcp" } of ports ?? []) {
      if (protocol === "sctp" || host === undefined) continue;
      const [first = 0, last = first] = String(host).split("-").map(Number);
      for (let port = first; port <= last; port++) published.push(`${port}/${protocol}`);
    }
  }
  assert.equal(new Set(published).size, published.length, "a host port is published twice");
  const { first, last } = portBlock(7);
  for (const port of published) {
    assert.ok(parseInt(port) >= first && parseInt(port) <= last, `${port} is of another slot`);
  }
  for (const warning of warnings) assert.match(warning, /^[^.].*[^.]$/s);
  const other = override(reversed(config) as ComposeConfig);
  assert.equal(other.text, text, "the order in the file makes a difference");
}, { count: 300 });

fuzz(
  "assignHostPorts() gives each its own, and what it gave it gives again",
  fc.tuple(
    fc.integer({ min: 1, max: 220 }),
    fc.array(
      fc.record({
        service: word,
        containerPort: fc.oneof(fc.constantFrom(80, 180, 5432), fc.integer({ min: 1, max: 65535 })),
        protocol: fc.constantFrom("tcp" as const, "udp" as const),
        hostIp: fc.constantFrom(null, "127.0.0.1"),
      }),
      { maxLength: 40 },
    ),
    fc.uniqueArray(fc.nat({ max: 99 }), { maxLength: 80 }),
    fc.nat({ max: 40 }),
  ),
  ([slot, wanted, taken, half]) => {
    const { first, last } = portBlock(slot);
    const busy = new Set(taken.map((offset) => first + offset));
    try {
      const before = assignHostPorts(slot, wanted.slice(0, half), (port) => busy.has(port)).given;
      const { given } = assignHostPorts(slot, wanted, (port) => busy.has(port), before);
      assert.equal(given.length, wanted.length);
      const all = given.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`);
      assert.equal(new Set(all).size, all.length, "given twice");
      for (const { hostPort } of given) assert.ok(hostPort >= first && hostPort <= last);
      const again = assignHostPorts(slot, wanted.toReversed(), () => true, given).given;
      assert.deepEqual(again, given);
    } catch (error) {
      if (!(error instanceof PikoError)) throw error;
      assert.equal(error.code, "conflict");
      // A range needs neighbours, so it may miss them in a block that has room.
      assert.ok(wanted.length + busy.size > 15, error.message);
    }
  },
  { count: 1000 },
);

const composeMissing = whyMissing("compose");

if (composeMissing === undefined) {
  fuzz("compose itself takes the override file", config, async (config) => {
    const folder = await Deno.makeTempDir({ prefix: "pikotest-fuzz-" });
    try {
      const { name: _, ...rest } = config;
      await Deno.writeTextFile(`${folder}/compose.json`, JSON.stringify(rest));
      const compose = async (...args: string[]) =>
        await tryRun(["docker", "compose", "-p", config.name, ...args], {
          cwd: folder,
          variables: { PATH: Deno.env.get("PATH") ?? "", HOME: folder, Y: "y", x: "x" },
          timeout: 60_000,
        });
      const read = await compose("-f", "compose.json", "config", "--format", "json");
      // Most of what can be written down is no compose project.
      if (read.exitCode !== 0) return;
      const { text } = override(JSON.parse(read.stdout));
      await Deno.writeTextFile(`${folder}/override.yml`, text);
      const { exitCode, stderr } = await compose(
        ...["-f", "compose.json", "-f", "override.yml", "config", "--quiet"],
      );
      // Containers that need each other by name, which nobody could start, do so as services too.
      const isCircle = stderr.includes("dependency cycle detected") &&
        /"container:/.test(read.stdout);
      assert.ok(exitCode === 0 || isCircle, `${stderr}\n${text}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }, { count: 12, slower: 100 });
}
