/**
 * Two environments of one fixture, both up at once on the real engine, as piko would bring them up: found
 * compose files, given ports, an override file each. Whatever they made is gone at the end.
 */

import assert from "node:assert/strict";
import type { ComposeConfig } from "../../src/domain/compose_config.ts";
import { bindSources, composeOverride } from "../../src/domain/override.ts";
import { assignHostPorts, type GivenPort, wantedPorts } from "../../src/domain/ports.ts";
import {
  Compose,
  type ComposeTarget,
  findComposeFiles,
  listMissing,
} from "../../src/programs/compose.ts";
import { Engine } from "../../src/programs/engine.ts";
import { run } from "../../src/programs/run.ts";
import { needs } from "../needs.ts";
import { staysTaken } from "../ports.ts";
import { type ClaimedSlots, claimSlots } from "../slots.ts";

const FIXTURES = new URL("../fixtures/compose/", import.meta.url).pathname;

/** The variables that compose and docker are started with. */
export const VARIABLES = {
  PATH: Deno.env.get("PATH") ?? "",
  HOME: Deno.env.get("HOME") ?? "/",
  ...(Deno.env.has("DOCKER_HOST") ? { DOCKER_HOST: Deno.env.get("DOCKER_HOST") ?? "" } : {}),
};

export const compose: Compose = new Compose({ variables: VARIABLES });
export const engine: Engine = new Engine({ variables: VARIABLES });

/** What the tests read of `docker inspect`. */
export interface Inspected {
  Name: string;
  Config: {
    Image: string;
    Env: string[];
    Labels: Record<string, string>;
  };
  State: { Status: string; ExitCode: number };
  HostConfig: {
    NetworkMode: string;
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]> | null;
  };
  NetworkSettings: {
    Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
    Networks: Record<string, { IPAddress: string; Aliases: string[] | null; NetworkID: string }>;
  };
  Mounts: { Type: string; Name?: string; Source: string; Destination: string }[];
}

/** Defines a test that needs compose and a running engine. */
export function engineTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...needs("compose", "engine"), fn });
}

/** Runs docker and returns its stdout without the line end. */
export async function docker(...args: string[]): Promise<string> {
  return (await run(["docker", ...args], { variables: VARIABLES })).trimEnd();
}

/** A random name that no other test has. */
export function uniqueName(): string {
  return `pikotest-${crypto.randomUUID().slice(0, 8)}`;
}

/** One of the two environments. */
export class Twin {
  readonly composeProject: string;
  readonly target: ComposeTarget;
  readonly config: ComposeConfig;
  readonly ports: GivenPort[];
  readonly text: string;
  readonly warnings: string[];

  constructor(made: Pick<Twin, "target" | "config" | "ports" | "text" | "warnings">) {
    this.composeProject = made.target.composeProject;
    this.target = made.target;
    this.config = made.config;
    this.ports = made.ports;
    this.text = made.text;
    this.warnings = made.warnings;
  }

  /** Inspects the containers of a service, or of all, sorted by name. */
  async inspect(service?: string): Promise<Inspected[]> {
    const filters = [`label=com.docker.compose.project=${this.composeProject}`];
    if (service !== undefined) filters.push(`label=com.docker.compose.service=${service}`);
    const ids = await docker("ps", "-aq", ...filters.flatMap((filter) => ["--filter", filter]));
    assert.notEqual(ids, "", `${this.composeProject} has no container of ${service ?? "any"}`);
    const inspected = JSON.parse(await docker("inspect", ...ids.split("\n"))) as Inspected[];
    return inspected.sort((a, b) => (a.Name < b.Name ? -1 : 1));
  }

  /** Inspects the one container of a service. */
  async only(service: string): Promise<Inspected> {
    const [container, ...others] = await this.inspect(service);
    assert.ok(container !== undefined && others.length === 0);
    return container;
  }

  /** Runs a command in the container of a service and returns its stdout. */
  async exec(service: string, ...command: string[]): Promise<string> {
    return await docker("exec", (await this.only(service)).Name.slice(1), ...command);
  }

  /** The host ports given to a service, as `80/tcp` → host port. */
  hostPorts(service: string): Record<string, number[]> {
    const found: Record<string, number[]> = {};
    for (const port of this.ports.filter((port) => port.service === service)) {
      (found[`${port.containerPort}/${port.protocol}`] ??= []).push(port.hostPort);
    }
    return found;
  }
}

/** How a pair is made. */
export interface PairOptions {
  variables?: Record<string, string>;
  /** What `.piko.yml` says about the compose file. */
  compose?: string;
  /** Changes a worktree before anything reads it. */
  prepare?: (worktreePath: string, name: string) => Promise<void>;
  /** Whether the containers are started; they are by default. */
  start?: boolean;
}

/** Two environments of one fixture, named `a` and `b`. */
export class Pair implements AsyncDisposable {
  readonly root: string;
  readonly #prefix: string;
  readonly #slots: ClaimedSlots;
  #twins: [Twin, Twin] | undefined;

  private constructor(root: string, prefix: string, slots: ClaimedSlots) {
    this.root = root;
    this.#prefix = prefix;
    this.#slots = slots;
  }

  static async up(fixture: string, options: PairOptions = {}): Promise<Pair> {
    const prefix = uniqueName();
    const root = await Deno.makeTempDir({ prefix: `${prefix}-` });
    const slots = await claimSlots(1);
    const pair = new Pair(root, prefix, slots);
    try {
      const a = await pair.#make("a", slots.first, fixture, options);
      const b = await pair.#make("b", slots.first + 1, fixture, options);
      pair.#twins = [a, b];
      if (options.start !== false) {
        // Both come to their end before a failure of one takes everything down.
        const ups = await Promise.allSettled(pair.#twins.map((twin) => compose.up(twin.target)));
        for (const up of ups) if (up.status === "rejected") throw up.reason;
      }
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  get a(): Twin {
    assert.ok(this.#twins !== undefined);
    return this.#twins[0];
  }

  get b(): Twin {
    assert.ok(this.#twins !== undefined);
    return this.#twins[1];
  }

  get both(): [Twin, Twin] {
    return [this.a, this.b];
  }

  async #make(name: string, slot: number, fixture: string, options: PairOptions): Promise<Twin> {
    const path = `${this.root}/.piko/worktrees/${name}`;
    await copyFolder(`${FIXTURES}${fixture}`, path);
    await options.prepare?.(path, name);
    const found = await findComposeFiles(path, {
      ...(options.compose === undefined ? {} : { compose: options.compose }),
      variables: {},
    });
    assert.ok(found !== undefined, `no compose file in ${fixture}`);
    const first = found.files[0] ?? "";
    const target = {
      composeProject: `${this.#prefix}-${name}`,
      files: found.files,
      overrideFile: `${first.slice(0, first.lastIndexOf("/"))}/docker-compose.piko.yml`,
      variables: { PIKO_DATA_DIR: `${this.root}/.piko/data/${name}`, ...options.variables },
      cwd: path,
    };
    await Deno.mkdir(target.variables.PIKO_DATA_DIR, { recursive: true });
    const { overrideFile: _, ...base } = target;
    const config = await compose.config(base);
    const ports = assignHostPorts(slot, wantedPorts(config), staysTaken).given;
    const { text, warnings } = composeOverride(config, {
      composeProject: target.composeProject,
      ports,
      root: this.root,
      worktreePath: path,
      labels: { "dev.piko.test": "a $price" },
      missing: await listMissing(bindSources(config)),
    });
    await Deno.writeTextFile(target.overrideFile, text);
    return new Twin({ target, config, ports, text, warnings });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _slots = this.#slots;
    const projects = ["a", "b"].map((name) => `${this.#prefix}-${name}`);
    await Promise.all(projects.map(async (composeProject) => {
      await compose.down({ composeProject }, { volumes: true });
      await compose.removeImages(await engine.listImages(composeProject));
    }));
    await Deno.remove(this.root, { recursive: true });
    const left = await docker("ps", "-aq", "--filter", `name=${this.#prefix}`) +
      await docker("network", "ls", "-q", "--filter", `name=${this.#prefix}`) +
      await docker("volume", "ls", "-q", "--filter", `name=${this.#prefix}`) +
      await docker("image", "ls", "-q", `${this.#prefix}-*`);
    assert.equal(left, "", `${this.#prefix} left something behind`);
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    // A `.env` in the fixtures would be one for whoever works on piko.
    const copy = `${to}/${name === "dotenv" ? ".env" : name}`;
    if (isDirectory) await copyFolder(`${from}/${name}`, copy);
    else await Deno.copyFile(`${from}/${name}`, copy);
  }
}
