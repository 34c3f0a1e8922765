/**
 * Which containers stand for the services of an environment: its own, and for a shared service those of the project's
 * shared ones. A container of its own that it had before the service was shared may still be there, stopped; it stands
 * for nothing then, and nor does one of another registry that bears the same name.
 */

import type { Container } from "../domain/containers.ts";
import { isForeign } from "../domain/labels.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Tools } from "./tools.ts";

/** Lists the containers of an environment's services, those of shared services behind its own. */
export async function listServiceContainers(
  tools: Pick<Tools, "engine">,
  record: EnvironmentRecord,
  signal?: AbortSignal,
): Promise<Container[]> {
  const { composeProject, shared } = record;
  const only = shared === null ? composeProject : undefined;
  const all = await tools.engine.listContainers({ composeProject: only, signal });
  return [
    ...all.filter((container) => isOwnContainer(record, container)),
    ...all.filter((container) => isSharedContainer(record, container)),
  ];
}

/** Tells whether a container stands for a service that an environment has of its own. */
export function isOwnContainer(record: EnvironmentRecord, container: Container): boolean {
  return container.composeProject === record.composeProject &&
    !isShared(record, container.service) && !isForeign(record, container.labels);
}

/** Tells whether a container is one of a shared service that an environment uses. */
export function isSharedContainer(record: EnvironmentRecord, container: Container): boolean {
  return container.composeProject === record.shared?.composeProject &&
    isShared(record, container.service) && !isForeign(record, container.labels);
}

/** Tells whether an environment takes a service from the shared ones of its project. */
export function isShared({ shared }: EnvironmentRecord, service: string): boolean {
  return shared !== null && shared.services.includes(service);
}

/** Lists the services that ran when all were last started, and have no container now: somebody has removed it. */
export function missingServices(
  record: EnvironmentRecord,
  containers: readonly Container[],
): string[] {
  const known = new Set(containers.map(({ service }) => service));
  return record.runningServices.filter((service) =>
    !known.has(service) && !isShared(record, service)
  );
}

/** Names the services that an environment is known to have by its containers, its ports and its last start. */
export function serviceNamesOf(
  record: EnvironmentRecord,
  containers: readonly Container[],
): string[] {
  const named = [...containers, ...record.ports].map(({ service }) => service);
  return [...new Set([...named, ...missingServices(record, containers)])];
}
