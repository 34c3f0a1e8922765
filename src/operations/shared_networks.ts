/**
 * Brings the containers of shared services onto the networks of the environments that use them, and off those of the
 * others. The registry says where they are to be; a container that was made anew has lost all of it.
 */

import type { Container } from "../domain/containers.ts";
import { PikoError } from "../domain/errors.ts";
import { isForeign } from "../domain/labels.ts";
import type { Network } from "../programs/engine/answers.ts";
import type { SharedLink } from "../store/shared_services.ts";
import type { Tools } from "./tools.ts";

/** One container that is not where it is to be on a network. */
export interface Misplaced {
  container: Container;
  network: string;
  /** The names to join with; undefined for a network to leave. */
  aliases: string[] | undefined;
  /** Whether it is there and has to leave first: the network of that name is another one now, or names do not lead to it. */
  again: boolean;
  /** The environment that expects it there. */
  environmentId?: number;
}

/** What of the networks is not as the registry wants it. */
export interface Misplacements {
  misplaced: Misplaced[];
  /** Places that are to go, and will have gone. */
  left: SharedLink[];
}

/** Finds what is not where it is to be. Networks that are not made yet are no mistake. */
export async function findMisplaced(
  tools: Pick<Tools, "engine" | "environments" | "shared">,
  projectId: number,
): Promise<Misplacements> {
  const links = tools.shared.listLinks(projectId);
  const left = links.filter(({ isWanted }) => !isWanted);
  const record = tools.shared.find(projectId);
  if (record === undefined) return { misplaced: [], left };
  const { composeProject } = record;
  const [all, networks] = await Promise.all([
    tools.engine.listContainers({ composeProject }),
    tools.engine.listAllNetworks(),
  ]);
  const ofEnvironments = new Set(
    tools.environments.list(projectId).map((environment) => environment.composeProject),
  );
  const containers = all.filter(({ labels }) => !isForeign(record, labels));
  const wantedOf = ({ service }: Container) =>
    links.filter((link) => link.isWanted && link.service === service);
  // The engine's list of containers does not tell their names on the networks.
  const joined = containers.filter((container) => wantedOf(container).length > 0);
  const details = await tools.engine.inspectContainers(joined.map(({ id }) => id));
  const aliases = new Map(details.map((each) => [each.id, each.aliases]));
  const misplaced = containers.flatMap((container) => {
    const wanted = wantedOf(container);
    return [
      ...wanted.flatMap((link) => toJoin(container, link, networks, aliases.get(container.id))),
      ...container.networks
        .filter((name) => !wanted.some(({ network }) => network === name))
        .flatMap((name) => toLeave(container, name, networks, ofEnvironments, left)),
    ];
  });
  return { misplaced, left };
}

/** Puts everything where it is to be; whoever calls it holds the lock of the shared services. */
export async function joinNetworks(
  tools: Pick<Tools, "engine" | "environments" | "shared">,
  projectId: number,
): Promise<void> {
  const { misplaced, left } = await findMisplaced(tools, projectId);
  for (const found of misplaced) await putInPlace(tools, found);
  for (const link of left) tools.shared.removeLink(link);
}

/** Puts one container where it is to be. */
export async function putInPlace(
  { engine }: Pick<Tools, "engine">,
  { container, network, aliases, again }: Misplaced,
): Promise<void> {
  if (aliases === undefined || again) await engine.disconnectNetwork(network, container.id);
  if (aliases === undefined) return;
  try {
    await engine.connectNetwork(network, container.id, aliases);
  } catch (error) {
    // Somebody has removed the network, or the container, since they were listed.
    if (!(error instanceof PikoError) || error.code !== "not-found") throw error;
  }
}

function toJoin(
  container: Container,
  { network, aliases, environmentId }: SharedLink,
  networks: readonly Network[],
  /** The names that lead to the container on each network; undefined when it is gone by now. */
  names: Readonly<Record<string, string[]>> | undefined,
): Misplaced[] {
  const there = networks.find(({ name }) => name === network);
  const joined = container.networkIds[network];
  if (there === undefined) {
    // A stopped container that remembers it could not start any more.
    return joined === undefined ? [] : [{ container, network, aliases: undefined, again: false }];
  }
  const expected = { container, network, aliases, environmentId };
  if (joined === undefined) return [{ ...expected, again: false }];
  // One that joined while it was stopped knows no id yet.
  const isThere = joined === null || joined === there.id;
  const isKnown = names === undefined || aliases.every((name) => names[network]?.includes(name));
  return isThere && isKnown ? [] : [{ ...expected, again: true }];
}

function toLeave(
  container: Container,
  name: string,
  networks: readonly Network[],
  ofEnvironments: ReadonlySet<string>,
  left: readonly SharedLink[],
): Misplaced[] {
  const there = networks.find((network) => network.name === name);
  const isOfEnvironment = there !== undefined &&
    ofEnvironments.has(there.labels["com.docker.compose.project"] ?? "");
  const isLeft = left.some(({ network, service }) =>
    network === name && service === container.service
  );
  const isGone = there === undefined && container.state !== "running";
  return isOfEnvironment || isLeft || isGone
    ? [{ container, network: name, aliases: undefined, again: false }]
    : [];
}
