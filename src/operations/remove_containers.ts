/**
 * Removes what the engine has of an environment. A compose whose piko was killed may still be at work and make one more
 * container, so piko looks again until nothing is left.
 */

import { type Container, isAnonymousVolume } from "../domain/containers.ts";
import { CommandError, PikoError } from "../domain/errors.ts";
import { pause } from "../programs/pause.ts";
import type { Tools } from "./tools.ts";

/** How often piko looks again. */
const ATTEMPTS = 5;

/** Milliseconds between two looks while somebody else removes the same container. */
const BETWEEN_ATTEMPTS = 1000;

/** Which volumes stay. */
export type KeptVolumes = "all" | "none" | ((volume: string) => boolean);

/** Names of the volumes that a removal has come to, sorted. */
export interface Removal {
  /** Those that stay. */
  kept: string[];
  removed: string[];
}

/** What is remembered of a removal, in case it is broken off. */
export interface RemovalJournal {
  /** The volumes that an earlier removal has found: one that was broken off, or that of an earlier life. */
  earlier: readonly string[];
  /** Records volumes that nothing will tell to be the environment's once its containers are gone. */
  record: (volumes: readonly string[]) => void;
}

/**
 * Removes containers, networks and images of an environment, and its volumes but for those to keep, anonymous ones
 * included.
 *
 * @param journal is needed where the removal may be said again.
 * @throws {PikoError} unavailable without an engine, conflict when a foreign container uses a network, failed when
 *   something comes back again and again, interrupted.
 */
export async function removeContainers(
  tools: Tools,
  record: ProjectOfVolumes,
  keep: KeptVolumes,
  signal?: AbortSignal,
  journal?: RemovalJournal,
): Promise<Removal> {
  const stays = typeof keep === "function" ? keep : () => keep === "all";
  const { engine, compose } = tools;
  const { composeProject } = record;
  const volumes = new Set(journal?.earlier);
  const found = new Set<string>();
  let images: Promise<string[]> | undefined;
  for (let attempt = 1;; attempt++) {
    const [containers, networks, labelled] = await Promise.all([
      engine.listContainers({ composeProject, signal }),
      engine.listNetworks(composeProject),
      engine.listVolumes(composeProject),
    ]);
    const anonymous = await ownAnonymous(tools, record, containers);
    for (const name of anonymous) found.add(name);
    for (const { name } of labelled) {
      volumes.add(name);
      found.add(name);
    }
    const byContainers = anonymous.filter((name) => !volumes.has(name));
    if (byContainers.length > 0) journal?.record(byContainers);
    for (const name of byContainers) volumes.add(name);
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
  const own = await ownVolumes(tools, composeProject, volumes);
  const going = own.filter((name) => !stays(name));
  await engine.removeVolumes(going);
  // Compose may have removed some of them already.
  const removed = [...found, ...going].filter((name) => !stays(name));
  return { kept: own.filter(stays), removed: [...new Set(removed)].sort() };
}

/** How the engine says that somebody removes, or has just removed, what compose was about to. */
const REMOVED_MEANWHILE =
  /removal of container \S+ is already in progress|No such (?:container|network)|network \S+ not found/i;

/** Tells whether an earlier piko, or somebody else, removes the same container or network. */
function isBeingRemoved(error: unknown): boolean {
  const cause = error instanceof PikoError ? error.cause : error;
  return cause instanceof CommandError && REMOVED_MEANWHILE.test(cause.stderr);
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

/** Whose volumes are looked for. */
export interface ProjectOfVolumes {
  composeProject: string;
  /** When its environment was made, in ISO 8601; undefined for what is left of one that nobody knows. */
  createdAt?: string | undefined;
}

/** Milliseconds by which a volume's time may lie before that of what it was made for: it is cut to whole seconds. */
const CUT = 1000;

/**
 * Names the anonymous volumes that the engine has made for a project's containers. An external volume, and one that another
 * container lends, may be called so too: those were there before, they or the one who lends them.
 */
export async function ownAnonymous(
  { engine }: Pick<Tools, "engine">,
  { composeProject, createdAt }: ProjectOfVolumes,
  containers: readonly Pick<Container, "volumes">[],
): Promise<string[]> {
  const named = new Set(
    containers.flatMap(({ volumes }) => volumes).filter(isAnonymousVolume),
  );
  if (named.size === 0) return [];
  const [volumes, networks, users] = await Promise.all([
    engine.listAllVolumes(),
    engine.listNetworks(composeProject),
    engine.listVolumeUsers([...named]),
  ]);
  const isOwn = (user: { composeProject: string }) => user.composeProject === composeProject;
  // Whoever was there before the project's containers has brought it; who came later was given it.
  const first = Math.min(...users.filter(isOwn).map((user) => user.createdAt));
  const brought = users.filter((user) => !isOwn(user) && user.createdAt < first);
  const others = new Set(brought.flatMap((user) => user.volumes));
  // The engine's clock may be behind that of this machine: then the networks are the older.
  const times = networks.map((network) => network.createdAt);
  if (createdAt !== undefined) times.push(Date.parse(createdAt));
  const since = times.length === 0 ? -Infinity : Math.min(...times) - CUT;
  return volumes.filter((volume) =>
    named.has(volume.name) && !others.has(volume.name) && !(volume.createdAt < since)
  ).map(({ name }) => name);
}

/** Names the volumes that a project's containers have, anonymous ones only when they are {@link ownAnonymous}. */
export async function volumesOf(
  tools: Pick<Tools, "engine">,
  record: ProjectOfVolumes,
  containers: readonly Pick<Container, "volumes">[],
): Promise<string[]> {
  const named = containers.flatMap(({ volumes }) => volumes)
    .filter((name) => !isAnonymousVolume(name));
  return [...new Set([...named, ...await ownAnonymous(tools, record, containers)])];
}

/**
 * Names those of the volumes which are there and the compose project's own: not another one's, nor external ones, which are
 * shared by design. Whether anonymous ones are, {@link ownAnonymous} has told.
 */
export async function ownVolumes(
  tools: Tools,
  composeProject: string,
  names: ReadonlySet<string>,
): Promise<string[]> {
  const volumes = await tools.engine.listAllVolumes();
  return volumes.filter(({ name, labels }) =>
    names.has(name) &&
    (labels["com.docker.compose.project"] === composeProject || isAnonymousVolume(name))
  ).map(({ name }) => name).sort();
}
