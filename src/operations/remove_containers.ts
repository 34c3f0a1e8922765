/**
 * Removes what the engine has of an environment. A compose whose piko was killed may still be at work and make one more
 * container, so piko looks again until nothing is left.
 */

import { CommandError, PikoError } from "../domain/errors.ts";
import { pause } from "../programs/pause.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Tools } from "./tools.ts";

/** How often piko looks again. */
const ATTEMPTS = 5;

/** Milliseconds between two looks while somebody else removes the same container. */
const BETWEEN_ATTEMPTS = 1000;

/** Which volumes stay. */
export type KeptVolumes = "all" | "none" | ((volume: string) => boolean);

/**
 * Removes containers, networks and images of an environment, and its volumes but for those to keep, anonymous ones
 * included.
 *
 * @returns the names of the volumes that stay.
 * @throws {PikoError} unavailable without an engine, conflict when a foreign container uses a network, failed when
 *   something comes back again and again, interrupted.
 */
export async function removeContainers(
  tools: Tools,
  record: Pick<EnvironmentRecord, "composeProject">,
  keep: KeptVolumes,
  signal?: AbortSignal,
): Promise<string[]> {
  const stays = typeof keep === "function" ? keep : () => keep === "all";
  const { engine, compose } = tools;
  const { composeProject } = record;
  const volumes = new Set<string>();
  let images: Promise<string[]> | undefined;
  for (let attempt = 1;; attempt++) {
    const [containers, networks, labelled] = await Promise.all([
      engine.listContainers({ composeProject, signal }),
      engine.listNetworks(composeProject),
      engine.listVolumes(composeProject),
    ]);
    for (const { name } of labelled) volumes.add(name);
    for (const container of containers) for (const name of container.volumes) volumes.add(name);
    // Asked only when there is something: without compose an empty environment can be destroyed too.
    if (containers.length === 0 && networks.length === 0) break;
    if (attempt > 1 && containers.length === 0) await refuseUsers(tools, networks);
    if (attempt > ATTEMPTS) {
      throw new PikoError(`Something keeps making containers for ${composeProject}`, {
        code: "failed",
        hint: `docker ps --filter label=com.docker.compose.project=${composeProject}`,
      });
    }
    // Asked while the containers stop; whoever awaits it still gets the error.
    images = engine.listImages(composeProject, signal);
    images.catch(() => undefined);
    try {
      // Where all volumes go, compose removes most of them while it removes the networks.
      await compose.down(record, { volumes: keep === "none", signal });
    } catch (error) {
      if (!isBeingRemoved(error) || attempt === ATTEMPTS) throw error;
      await pause(BETWEEN_ATTEMPTS, signal);
    }
  }
  await compose.removeImages(await (images ?? engine.listImages(composeProject, signal)), signal);
  const foreign = await foreignVolumes(tools, composeProject);
  const own = [...volumes].filter((name) => !foreign.has(name)).sort();
  await engine.removeVolumes(own.filter((name) => !stays(name)));
  return own.filter(stays);
}

/** Tells whether an earlier piko, or somebody else, has begun to remove the same container. */
function isBeingRemoved(error: unknown): boolean {
  const cause = error instanceof PikoError ? error.cause : error;
  return cause instanceof CommandError &&
    /removal of container \S+ is already in progress/.test(cause.stderr);
}

/** Refuses networks that foreign containers use: compose leaves them, and calls that a success. */
async function refuseUsers(tools: Tools, networks: readonly { name: string }[]): Promise<void> {
  for (const { name } of networks) {
    const users = await tools.engine.listNetworkUsers(name);
    if (users.length === 0) continue;
    throw new PikoError(`Network ${name} is in use by ${users.join(", ")}`, {
      code: "conflict",
      hint: `docker network disconnect --force ${name} ${users[0]}`,
    });
  }
}

/** Names the volumes that belong to another compose project, or to none: external ones, which are shared by design. */
async function foreignVolumes(tools: Tools, composeProject: string): Promise<Set<string>> {
  const volumes = await tools.engine.listAllVolumes();
  return new Set(
    volumes.filter(({ name, labels }) =>
      labels["com.docker.compose.project"] !== composeProject && !isAnonymous(name)
    ).map(({ name }) => name),
  );
}

/** Tells whether the engine has named a volume itself, for one container. */
function isAnonymous(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}
