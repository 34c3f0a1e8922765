/**
 * Takes the demo away: its environments with their volumes, its folder, the images that were made or pulled
 * for it, and the Docker engine if these scripts started it. Safe to repeat, and to run after a demo that
 * was killed.
 */

import { PikoError } from "../../src/domain/errors.ts";
import { run, tryRun } from "../../src/programs/run.ts";
import { removeImages } from "../images.ts";
import { stopEngine } from "../machine/engine.ts";
import { whyMissing } from "../machine/probe.ts";
import { say, tellError } from "../machine/say.ts";
import { reviveEngine } from "../machine/set_up.ts";
import type { DemoPlace, DemoRecord } from "./place.ts";
import { DemoShell, quoted } from "./shell.ts";

/** Removes the environments and the files of an earlier demo; only its record stays. */
export async function removeDemo(
  place: DemoPlace,
  record: DemoRecord,
  distFolder: string,
  { force }: { force: boolean },
): Promise<void> {
  if (record.mode === undefined) return;
  if (record.mode === "docker") await reviveEngine();
  await destroyEnvironments(new DemoShell(place, distFolder, place.folder), place, force);
  if (record.mode === "docker") await removeLeftovers(record);
  for (const path of [place.shop, place.pikoHome]) await removeIfThere(path);
}

/** Leaves the machine as if the demo had never run, but for system packages, and says what it did. */
export async function clean(
  place: DemoPlace,
  record: DemoRecord,
  distFolder: string,
): Promise<void> {
  await removeDemo(place, record, distFolder, { force: true });
  if (whyMissing("engine") === undefined) {
    const kept = await removeImages(record.images);
    if (kept.length > 0) say(`Containers still use these images, so they stay: ${kept.join(", ")}`);
  }
  const engine = record.engine ? await stopEngine() : "not ours";
  if (engine === "stopped") say("Stopped the Docker engine");
  if (engine === "in use") say("The Docker engine goes on, because containers run on it");
  const { packages } = record;
  if (packages.length > 0) {
    say("System packages stay. To remove those that were installed for the demo:");
    say(`  apt-get autoremove ${packages.join(" ")}`);
  }
  await Deno.remove(place.folder, { recursive: true });
  say(`✓ Removed ${place.folder}`);
}

/** Asks piko itself to destroy what the demo's registry knows. */
async function destroyEnvironments(
  shell: DemoShell,
  place: DemoPlace,
  force: boolean,
): Promise<void> {
  let listed: { environments: { project: string; name: string }[] };
  try {
    listed = JSON.parse(await shell.ask("piko list --all --json"));
  } catch (error) {
    // A registry that cannot be read must not keep the demo; its containers are found by their labels.
    if (!force) throw error;
    tellError(error);
    return;
  }
  for (const { project, name } of listed.environments) {
    const which = quoted(`${project}/${name}`);
    say(`Destroying ${project}/${name}`);
    try {
      await shell.ask(`piko destroy ${which} --yes --volumes${force ? " --force" : ""}`);
    } catch (error) {
      if (force) {
        tellError(error);
        continue;
      }
      throw new PikoError(`Environment ${name} of the last demo in ${place.folder} stays`, {
        code: "conflict",
        hint: "save what you need there, then: npx -y deno@2.9.5 task demo -- --clean",
        details: error instanceof PikoError ? [...error.details] : [],
        cause: error,
      });
    }
  }
}

/** Removes by label what piko could not: after a killed demo, or one whose volumes were kept. */
async function removeLeftovers({ composeProjects }: DemoRecord): Promise<void> {
  if (composeProjects.length === 0) return;
  const why = whyMissing("engine");
  if (why !== undefined) {
    throw new PikoError(`The demo's containers and volumes cannot be removed: ${why}`, {
      code: "unavailable",
      hint: "start Docker, then try again",
    });
  }
  for (const project of composeProjects) {
    const filter = `label=com.docker.compose.project=${project}`;
    const list = async (...argv: string[]) =>
      (await run(["docker", ...argv, "--quiet", "--filter", filter])).split("\n").filter(Boolean);
    const remove = async (argv: string[], ids: string[]) => {
      if (ids.length > 0) await tryRun(["docker", ...argv, "--", ...ids]);
    };
    await remove(["rm", "--force", "--volumes"], await list("ps", "--all"));
    await remove(["network", "rm"], await list("network", "ls"));
    await remove(["volume", "rm"], await list("volume", "ls"));
    const left = [...await list("ps", "--all"), ...await list("volume", "ls")];
    if (left.length > 0) {
      throw new PikoError(`Containers or volumes of ${project} could not be removed`, {
        code: "failed",
        details: left,
      });
    }
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
