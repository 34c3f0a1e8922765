/**
 * Brings a machine to where the tests and the demo can run: system packages, a Docker engine, compose v2 and
 * the images. Only root on Debian, Ubuntu and their like gets anything installed; anywhere else what is there
 * is used, and what is missing is told with the way to get it. Each step is safe to repeat.
 */

import { PikoError } from "../../src/domain/errors.ts";
import { ensureImages } from "../images.ts";
import { engineIsElsewhere, hasDockerd, startEngine } from "./engine.ts";
import {
  candidateVersions,
  fetchFromRelease,
  installPackages,
  readSystem,
  type System,
  updatePackageLists,
} from "./packages.ts";
import { findExecutable, isOlder, OLDEST_COMPOSE, type Program, whyMissing } from "./probe.ts";
import { asks, personIsThere, say, tellError } from "./say.ts";

/** The release of Debian from which compose v2 comes when the machine's own is too old. */
const RELEASE_WITH_COMPOSE = "trixie";

/** What {@link setUpMachine} is to do. */
export interface SetUpOptions {
  /** Whether a person at a terminal is asked before system packages are installed. */
  ask: boolean;
  /** What the machine shall have. */
  want: readonly Program[];
}

/** A program that is still not usable. */
export interface Missing {
  program: Program;
  /** Why, in one sentence. */
  why: string;
  /** How to get it. */
  hint: string;
}

/** What the machine lacks still, and what was installed. */
export interface SetUp {
  missing: Missing[];
  /** The system packages that were installed. */
  installed: string[];
}

/** Installs and starts what is wanted and missing, as far as this user may. */
export async function setUpMachine({ ask, want }: SetUpOptions): Promise<SetUp> {
  const done: SetUp = { missing: [], installed: [] };
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      // A step that fails leaves its program missing; the other programs are none the worse.
      if (!(error instanceof PikoError)) throw error;
      tellError(error);
    }
  };

  const absent = want.filter((program) => program !== "images" && whyMissing(program));
  const system = await readSystem();
  await attempt(async () => {
    done.installed = await installMissing(absent, system, ask);
  });
  if (absent.includes("engine") && canStartEngine(system)) {
    await attempt(async () => {
      if (whyMissing("engine") === undefined) return;
      say("Starting the Docker engine");
      await startEngine();
    });
  }
  if (want.includes("images") && whyMissing("engine") === undefined) {
    await attempt(ensureImages);
  }
  for (const program of want) {
    const why = whyMissing(program);
    if (why !== undefined) done.missing.push({ program, why, hint: hintFor(program, why, system) });
  }
  return done;
}

/** Starts the engine of this machine if it does not run and this user may start it. */
export async function reviveEngine(): Promise<void> {
  if (whyMissing("engine") !== undefined && canStartEngine(await readSystem())) await startEngine();
}

/** Writes one sentence and a hint for each program that is missing. */
export function tellMissing(missing: readonly Missing[]): void {
  for (const { program, why, hint } of missing) say(`! ${program}: ${why}\n    ${hint}`);
}

async function installMissing(
  absent: readonly Program[],
  system: System,
  ask: boolean,
): Promise<string[]> {
  const packages = absent.flatMap((program) => packagesFor(program));
  const wantsCompose = absent.includes("compose");
  if ((packages.length === 0 && !wantsCompose) || !system.hasApt || !system.isRoot) return [];

  const names = wantsCompose ? [...packages, "docker-compose (v2)"] : packages;
  if (ask && personIsThere()) {
    say("These system packages are missing:");
    say(`  ${names.join(" ")}`);
    if (!asks("Install them now?")) return [];
  } else {
    say(`Installing ${names.join(" ")}`);
  }
  await updatePackageLists();
  // Newer releases have the docker program in a package of its own, which docker.io only recommends.
  if (packages.includes("docker.io") && (await candidateVersions(["docker-cli"])).size > 0) {
    packages.push("docker-cli");
  }
  if (packages.length > 0) await installPackages(packages);
  if (wantsCompose) packages.push(await installCompose(system));
  return packages;
}

/** Returns the Debian packages in which a program comes; compose has its own way. */
function packagesFor(program: Program): string[] {
  switch (program) {
    case "psql":
      return ["postgresql-client"];
    case "redis":
      return ["redis-tools"];
    case "engine":
      if (findExecutable("docker") !== undefined && (hasDockerd() || engineIsElsewhere())) {
        return [];
      }
      return ["docker.io", "iptables"];
    case "compose":
    case "images":
      return [];
    default:
      return [program];
  }
}

async function installCompose(system: System): Promise<string> {
  const names = ["docker-compose-plugin", "docker-compose-v2", "docker-compose"];
  const candidates = await candidateVersions(names);
  const recent = names.find((name) => !isOlder(candidates.get(name) ?? "0", OLDEST_COMPOSE));
  if (recent !== undefined) {
    await installPackages([recent]);
    return recent;
  }
  const folder = await Deno.makeTempDir({ prefix: "piko-compose-" });
  try {
    const release = RELEASE_WITH_COMPOSE;
    const path = await fetchFromRelease("docker-compose", release, system.codename, folder);
    await installPackages([path]);
    return "docker-compose";
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function canStartEngine(system: System): boolean {
  return system.isRoot && Deno.build.os === "linux" && hasDockerd() && !engineIsElsewhere();
}

function hintFor(program: Program, why: string, system: System): string {
  if (program === "images") {
    return "docker pull fetches them; on Debian they are made from its packages when that fails";
  }
  if (program === "engine" && findExecutable("docker") !== undefined) {
    if (why.includes("may not talk")) return 'sudo usermod -aG docker "$USER", then log in again';
    return system.hasApt ? "sudo systemctl start docker" : "start Docker";
  }
  const asRoot = system.hasApt && !system.isRoot ? "run this as root, or see " : "";
  if (program === "engine") return `${asRoot}https://docs.docker.com/engine/install/`;
  if (program === "compose") return `${asRoot}https://docs.docker.com/compose/install/`;
  const packages = packagesFor(program).join(" ");
  if (system.hasApt) return `sudo apt-get install ${packages}`;
  if (Deno.build.os === "darwin") return `brew install ${brewName(program)}`;
  return `install ${program} and put it on the PATH`;
}

function brewName(program: Program): string {
  return program === "psql" ? "libpq" : program;
}
