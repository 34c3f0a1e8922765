/**
 * Finds what the engine has of environments that are not there any more. What is piko's says so by its labels, and by
 * them whose piko's: of which repository, and when that was registered, which tells two registries apart. Only
 * what is this registry's is removed, and only when its worktree is gone too; the rest is named.
 */

import type { Container } from "../../domain/containers.ts";
import { PikoError } from "../../domain/errors.ts";
import { pikoIn, qualified } from "../../domain/hints.ts";
import { isForeign, isLabelled, ROOT_LABEL } from "../../domain/labels.ts";
import { nameList, SHARED, SHARED_NAME } from "../../domain/names.ts";
import { shellWord } from "../../domain/variables.ts";
import { type EnvironmentRecord, ownPorts } from "../../store/environments.ts";
import { readCompose } from "../compose_environment.ts";
import { isThere } from "../files.ts";
import { keepVolumes, tellKept } from "../kept_volumes.ts";
import { removeContainers } from "../remove_containers.ts";
import { count, type Finding } from "./finding.ts";
import { mendLocked, mendNameless } from "./mend.ts";
import type { EngineState, ProjectState, World } from "./world.ts";

/** The labels by which compose knows its own. */
const PROJECT_LABEL = "com.docker.compose.project";
const ONE_OFF_LABEL = "com.docker.compose.oneoff";

/** How many networks may be left to make before it is worth a note. */
const FEW_NETWORKS = 4;

/** Checks what the engine has; nothing without an engine. */
export async function checkEngine(world: World): Promise<Finding[]> {
  const { engine } = world;
  if (engine === undefined) return [];
  return [
    ...await checkOrphans(world, engine),
    ...checkOneOffs(world, engine),
    ...checkLostNetworks(world, engine),
    ...checkDisconnected(world, engine),
    ...await checkLostContainers(world, engine),
    ...checkRoom(engine),
    ...checkVolumes(world, engine),
  ];
}

/** What the engine has of one compose project that no environment has. */
interface Orphan {
  composeProject: string;
  containers: Container[];
  networks: string[];
  /** The labels of each of them. */
  labels: Record<string, string>[];
}

async function checkOrphans(world: World, engine: EngineState): Promise<Finding[]> {
  const found: Finding[] = [];
  const others = new Set<string>();
  for (const orphan of listOrphans(world, engine)) {
    const { composeProject } = orphan;
    const root = orphan.labels.map((labels) => labels[ROOT_LABEL]).find(Boolean);
    const owner = world.projects.find(({ project }) => project.root === root);
    if (root !== undefined && owner === undefined && await isThere(root)) {
      others.add(root);
      continue;
    }
    const what = describe(orphan);
    const finding: Finding = {
      name: orphan.containers.length > 0 ? "container" : "network",
      level: "note",
      message: `${what} of compose project ${composeProject} belong to no environment`,
      hint: orphan.containers.length > 0
        ? `docker compose -p ${composeProject} down`
        : `docker network rm ${orphan.networks.map(shellWord).join(" ")}`,
    };
    if (root === undefined) {
      // Without a label only the name says that it may have been piko's.
      if (world.projects.some((state) => isNamedAfter(composeProject, state))) found.push(finding);
    } else if (owner === undefined) {
      found.push({ ...finding, message: `${finding.message}; its repository is gone: ${root}` });
    } else if (!orphan.labels.every((labels) => isOf(labels, owner))) {
      const whose = "they were made with another registry, or one that is gone";
      found.push({ ...finding, message: `${finding.message} of this registry: ${whose}` });
    } else {
      found.push({ ...finding, level: "wrong", ...await howToMend(world, owner, orphan) });
    }
  }
  if (others.size > 0) {
    found.push({
      name: "container",
      level: "fine",
      message: `Other registries have containers for ${
        count(others.size, "repository", "repositories")
      }`,
    });
  }
  return found;
}

function listOrphans({ environments, shared }: World, engine: EngineState): Orphan[] {
  const known = new Set([
    ...environments.map(({ record }) => record.composeProject),
    ...shared.map(({ composeProject }) => composeProject),
  ]);
  const orphans = new Map<string, Orphan>();
  const orphanOf = (composeProject: string) => {
    const orphan = orphans.get(composeProject) ??
      { composeProject, containers: [], networks: [], labels: [] };
    orphans.set(composeProject, orphan);
    return orphan;
  };
  for (const container of engine.containers) {
    if (known.has(container.composeProject)) continue;
    if (container.labels[ROOT_LABEL] === undefined && !isPikos(container.composeProject)) continue;
    const orphan = orphanOf(container.composeProject);
    orphan.containers.push(container);
    orphan.labels.push(container.labels);
  }
  for (const { name, labels } of engine.networks) {
    const composeProject = labels[PROJECT_LABEL];
    if (composeProject === undefined || known.has(composeProject)) continue;
    if (labels[ROOT_LABEL] === undefined && !isPikos(composeProject)) continue;
    const orphan = orphanOf(composeProject);
    orphan.networks.push(name);
    orphan.labels.push(labels);
  }
  return [...orphans.values()];
}

function isPikos(composeProject: string): boolean {
  return composeProject.startsWith("piko-");
}

function isNamedAfter(composeProject: string, { project }: ProjectState): boolean {
  return composeProject.startsWith(`piko-${project.name}-`);
}

function isOf(labels: Record<string, string>, { project }: ProjectState): boolean {
  return isLabelled({ root: project.root, registeredAt: project.createdAt }, labels);
}

function describe({ containers, networks }: Orphan): string {
  return [
    ...(containers.length === 0
      ? []
      : [`Containers ${containers.map(({ name }) => name).join(", ")}`]),
    ...(networks.length === 0
      ? []
      : [`${containers.length === 0 ? "Networks" : "networks"} ${networks.join(", ")}`]),
  ].join(" and ");
}

/** Removes an orphan of this registry, unless there still is a worktree that it may belong to. */
async function howToMend(
  world: World,
  { project }: ProjectState,
  orphan: Orphan,
): Promise<Partial<Finding>> {
  const { composeProject } = orphan;
  const folder = `${project.root}/.piko/worktrees/`;
  const name = ownerOf(project, folder, orphan);
  if (await isThere(folder + name)) {
    return {
      message: `${
        describe(orphan)
      } belong to no environment, but their worktree is there: ${folder}${name}`,
    };
  }
  return {
    mend: () =>
      mendNameless(world, { projectId: project.id, name }, async () => {
        const { tools, watch } = world;
        if (await isThere(folder + name)) {
          throw new PikoError(`${folder}${name} is there by now`, { code: "conflict" });
        }
        const { kept } = await removeContainers(tools, { composeProject }, "all", watch.signal);
        await keepVolumes(tools, { root: project.root, name, composeProject }, kept);
        return `Removed ${lowerFirst(describe(orphan))}${tellKept(kept)}`;
      }),
  };
}

/** Tells whose an orphan was: an environment's, by its worktree's folder or else its name, or what the project shared. */
function ownerOf(
  { name, root }: Pick<ProjectState["project"], "name" | "root">,
  worktrees: string,
  { composeProject, containers }: Orphan,
): string {
  const files = containers.flatMap(({ configFiles }) => configFiles);
  const file = files.find((file) => file.startsWith(worktrees));
  if (file !== undefined) return file.slice(worktrees.length).split("/")[0] ?? "";
  const rest = composeProject.replace(`piko-${name}-`, "");
  // No environment has that name alone: the compose project of one called so ends with a number.
  const wasShared = rest === SHARED ||
    files.some((file) => file.startsWith(`${root}/.piko/shared/`));
  return wasShared ? SHARED_NAME : rest;
}

/** Lists the containers of an environment; one that was never started may have its name in common with another registry's. */
function containersOf(record: EnvironmentRecord, { containers }: EngineState): Container[] {
  return containers.filter((container) => isOfRecord(record, container));
}

function isOfRecord(record: EnvironmentRecord, { composeProject, labels }: Container): boolean {
  return composeProject === record.composeProject && !isForeign(record, labels);
}

/** Names what `docker compose run` has left in an environment: it may be somebody's work. */
function checkOneOffs({ environments }: World, engine: EngineState): Finding[] {
  return environments.flatMap(({ record }) => {
    const left = containersOf(record, engine).filter(({ labels, state }) =>
      labels[ONE_OFF_LABEL] === "True" &&
      (state === "exited" || state === "created" || state === "dead")
    ).map(({ name }) => name);
    if (left.length === 0) return [];
    return [{
      name: "container",
      level: "note",
      message: `docker compose run has left ${left.join(", ")} in ${qualified(record)}`,
      hint: `docker rm ${left.map(shellWord).join(" ")}`,
    }];
  });
}

/** Finds networks that were removed beneath the containers of an environment, which can then not be started. */
function checkLostNetworks({ environments }: World, engine: EngineState): Finding[] {
  const names = new Set(engine.networks.map(({ name }) => name));
  return environments.flatMap(({ record, lock }): Finding[] => {
    if (lock.held || record.state !== "ready") return [];
    const lost = new Set(
      containersOf(record, engine).flatMap(({ networks }) => networks).filter((name) =>
        !names.has(name)
      ),
    );
    return [...lost].map((network) => ({
      name: "network",
      level: "wrong",
      message: `Network ${network} of ${
        qualified(record)
      } was removed: its containers cannot start`,
      hint: `piko up ${qualified(record)}`,
    }));
  });
}

/** Finds running containers that were taken off their network, where nobody finds them under their names any more. */
function checkDisconnected(world: World, engine: EngineState): Finding[] {
  const { tools } = world;
  const records = [
    ...world.environments.filter(({ record, lock }) => !lock.held && record.state === "ready")
      .map(({ record }) => ({ record, name: qualified(record) })),
    ...world.shared.map((record) => ({ record, name: `what ${record.project} shares` })),
  ];
  return engine.containers.flatMap((container): Finding[] => {
    const { id, name, service, state, networks, networkMode } = container;
    const of = records.find(({ record }) => isOfRecord(record, container));
    if (of === undefined || state !== "running" || container.labels[ONE_OFF_LABEL] === "True") {
      return [];
    }
    if (networks.includes(networkMode) || isNoNetwork(networkMode)) return [];
    const isThere = engine.networks.some((network) => network.name === networkMode);
    const up = of.record.path === of.record.root
      ? `${pikoIn(of.record.root)} up --shared`
      : `piko up ${qualified(of.record)}`;
    const finding: Finding = {
      name: "network",
      level: "wrong",
      message: `Container ${name} of ${of.name} is not on its network ${networkMode} any more`,
      hint: isThere
        ? `docker network connect --alias ${shellWord(service)} ${shellWord(networkMode)} ${
          shellWord(name)
        }`
        : `${up}, then: piko doctor --fix`,
    };
    if (!isThere) return [finding];
    const connect = async () => {
      await tools.engine.connectNetwork(networkMode, id, [service]);
      return `Connected ${name} to ${networkMode}`;
    };
    return [{ ...finding, mend: () => mendLocked(world, of.record, connect) }];
  });
}

/** Tells whether a container has no network of its project: it has the host's, another container's or none. */
function isNoNetwork(networkMode: string): boolean {
  return ["", "default", "bridge", "host", "none"].includes(networkMode) ||
    networkMode.startsWith("container:");
}

/** Names services whose containers were removed while others are there, and environments that have none of theirs any more. */
async function checkLostContainers(world: World, engine: EngineState): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { record, lock } of world.environments) {
    if (lock.held || record.state !== "ready" || record.mode !== "docker") continue;
    const name = qualified(record);
    const containers = containersOf(record, engine);
    const lost = containers.length > 0
      ? await listLost(world, record, containers)
      : wereStarted(world, record)
      ? "all"
      : [];
    if (lost.length === 0) continue;
    found.push({
      name: "container",
      level: "note",
      message: lost === "all"
        ? `The containers of ${name} were removed`
        : `${name} has no container of ${nameList(lost)}`,
      hint: `piko up ${name}`,
    });
  }
  return found;
}

/** Tells whether the containers of an environment, of which there are none, were once there. */
function wereStarted({ tools }: World, { id, shared }: EnvironmentRecord): boolean {
  // Of one whose services are all shared there are none.
  return shared === null &&
    tools.environments.listSteps(id).some(({ step }) => step === "containers");
}

/** Names the services without a container that `up` would start; only those with ports are known without compose. */
async function listLost(
  { tools, watch }: World,
  record: EnvironmentRecord,
  containers: readonly Container[],
): Promise<string[]> {
  const missing = [...new Set(ownPorts(record).map(({ service }) => service))].filter((service) =>
    !containers.some((container) => container.service === service)
  );
  if (missing.length === 0 || !await isThere(record.path)) return [];
  try {
    const { services } = await readCompose(tools, record, record.composeFiles, watch);
    return missing.filter((service) =>
      services?.[service] !== undefined && !services[service].profiles?.length
    ).sort();
  } catch (error) {
    // What keeps compose from reading the project is told by whatever needs it.
    if (error instanceof PikoError && error.code !== "interrupted") return [];
    throw error;
  }
}

function checkRoom({ networks, info: { networkRoom } }: EngineState): Finding[] {
  const used = networks.filter(({ driver }) => driver === "bridge").length;
  const message =
    `${used} of about ${networkRoom} networks that fit into the engine's addresses are in use`;
  const left = networkRoom - used;
  const hint =
    "docker network prune removes those that no container uses; or give the engine more: " +
    "https://docs.docker.com/reference/cli/dockerd/#default-address-pools";
  const level = left <= 0 ? "wrong" : left <= FEW_NETWORKS ? "note" : "fine";
  return [{ name: "network-room", level, message, hint: level === "fine" ? undefined : hint }];
}

/** Compares the volumes that destroy has kept with those there are; what is kept on another engine is as it was. */
function checkVolumes(world: World, engine: EngineState): Finding[] {
  const { tools, projects, environments, shared } = world;
  const names = new Set(engine.volumes.map(({ name }) => name));
  const found: Finding[] = [];
  const kept = new Set<string>();
  const left = new Map<string, { isGone: boolean; volumes: string[] }>();
  const elsewhere: string[] = [];
  const living = new Set(
    [...environments.map(({ record }) => record), ...shared].map(({ root, name }) =>
      `${root}/${name}`
    ),
  );
  for (const { project } of projects) {
    for (const volume of tools.environments.listKeptVolumes(project.root)) {
      if (volume.engine !== null && volume.engine !== engine.info.identity) {
        elsewhere.push(volume.name);
        continue;
      }
      kept.add(volume.name);
      const goesOn = living.has(`${volume.root}/${volume.environment}`);
      if (names.has(volume.name)) {
        const whose = volume.environment === SHARED_NAME
          ? `what ${project.name} shared`
          : qualified({ project: project.name, name: volume.environment });
        const volumes = [...left.get(whose)?.volumes ?? [], volume.name];
        left.set(whose, { isGone: !goesOn, volumes });
        continue;
      }
      const told = `Volume ${volume.name}, kept of ${project.name}/${volume.environment},`;
      if (volume.engine === null) {
        // It may be on another engine: an earlier piko has not written down on which.
        const hint =
          "docker context ls names the other engines; piko forgets it when the environment is made anew";
        found.push({
          name: "volume",
          level: "note",
          message: `${told} is not on this engine`,
          hint,
        });
        continue;
      }
      // Of what is gone, somebody has removed it as destroy says; what goes on has lost its data.
      found.push({
        name: "volume",
        level: goesOn ? "wrong" : "note",
        message: `${told} ${goesOn ? "is gone" : "was removed"}`,
        hint: "piko doctor --fix forgets it",
        mend: () => {
          tools.environments.forgetKeptVolume(volume);
          return Promise.resolve(`Forgot volume ${volume.name}`);
        },
      });
    }
  }
  const known = new Set([
    ...environments.map(({ record }) => record.composeProject),
    ...shared.map(({ composeProject }) => composeProject),
  ]);
  for (const { name, labels } of engine.volumes) {
    const composeProject = labels[PROJECT_LABEL];
    if (composeProject === undefined || known.has(composeProject) || kept.has(name)) continue;
    if (!projects.some((state) => isNamedAfter(composeProject, state))) continue;
    found.push({
      name: "volume",
      level: "note",
      message: `Volume ${name} belongs to no environment`,
      hint: `docker volume rm ${shellWord(name)}`,
    });
  }
  for (const [whose, { isGone, volumes }] of left) {
    const what = isGone ? `${whose}, which is gone` : `${whose} as it was before`;
    const it = volumes.length === 1 ? "it" : "them";
    const remove = `docker volume rm ${volumes.map(shellWord).join(" ")}`;
    found.push({
      name: "volume",
      level: "fine",
      message: `${count(volumes.length, "volume")} kept of ${what}: ${volumes.join(", ")}`,
      // What one that is there has found again of an earlier one is in use.
      hint: isGone ? `to remove ${it}, with what is in ${it}: ${remove}` : undefined,
    });
  }
  if (elsewhere.length > 0) {
    found.push({
      name: "volume",
      level: "fine",
      message: `${count(elsewhere.length, "volume")} kept on other engines: ${
        elsewhere.join(", ")
      }`,
    });
  }
  return found;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
