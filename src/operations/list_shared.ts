/** Tells which services a project shares, where they run, and who uses them. */

import type { Container } from "../domain/containers.ts";
import type { SharedService } from "../domain/environment.ts";
import { PikoError } from "../domain/errors.ts";
import { isForeign } from "../domain/labels.ts";
import type { Watch } from "../domain/report.ts";
import { readOverrideServices } from "../programs/override_file.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { ProjectRecord } from "../store/projects.ts";
import { portsOf } from "./list_environments.ts";
import type { Tools } from "./tools.ts";

/** Describes the shared services of a project; an engine that does not answer is told as a warning. */
export async function describeShared(
  tools: Tools,
  project: Pick<ProjectRecord, "id">,
  watch: Watch,
): Promise<SharedService[]> {
  const record = tools.shared.find(project.id);
  if (record === undefined) return [];
  const environments = tools.environments.list(project.id);
  const containers = await containersOf(tools, record, watch);
  const ports = portsOf(record).map((port) => ({ ...port, shared: true }));
  return await Promise.all(
    tools.shared.list(project.id).filter(({ state }) => state !== "isolated")
      .map(async ({ service, state }): Promise<SharedService> => {
        const own = containers?.filter((container) => container.service === service);
        const users = tools.shared.listUsers(project.id, service);
        return {
          service,
          offered: state === "shared",
          container: own?.[0]?.name ?? null,
          state: own === undefined ? "unknown" : own[0]?.state ?? "missing",
          health: own?.[0]?.health ?? null,
          ports: ports.filter((port) => port.service === service),
          users,
          others: await listOthers(environments, service),
        };
      }),
  );
}

/** Lists the environments that have a service of their own. */
export async function listOthers(
  environments: readonly EnvironmentRecord[],
  service: string,
): Promise<string[]> {
  const others: string[] = [];
  for (const environment of environments) {
    const isUser = environment.shared?.services.includes(service) ?? false;
    if (isUser || environment.mode === "simple" || environment.overrideFile === null) continue;
    const services = await readOverrideServices(environment.overrideFile);
    if (services?.includes(service)) others.push(environment.name);
  }
  return others;
}

async function containersOf(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<Container[] | undefined> {
  const { composeProject } = record;
  try {
    const all = await tools.engine.listContainers({ composeProject, signal: watch.signal });
    return all.filter(({ labels }) => !isForeign(record, labels));
  } catch (error) {
    if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
    watch.report({
      kind: "warning",
      message: `${error.message}; what runs is unknown`,
      hint: error.hint,
    });
    return undefined;
  }
}
