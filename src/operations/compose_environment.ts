/**
 * Prepares an environment's containers: finds its compose files, brings in what git ignores, gives out the ports and
 * writes the override file. Create and up share it: ports that were given stay, and the override file is
 * written only when it says something else than before.
 */

import { CommandError, PikoError } from "../domain/errors.ts";
import { isForeign, isLabelled, labelsOf, ROOT_LABEL } from "../domain/labels.ts";
import { nameList, quote, variablePart } from "../domain/names.ts";
import { bindSources, composeOverride } from "../domain/override.ts";
import { OVERRIDE_FILE, OVERRIDE_PATTERNS, OVERRIDE_START } from "../domain/override_file.ts";
import { assignHostPorts, type GivenPort, wantedPorts } from "../domain/ports.ts";
import type { Watch } from "../domain/report.ts";
import type { ComposeConfig } from "../domain/compose_config.ts";
import type { Container } from "../domain/containers.ts";
import type { ProjectConfig } from "../domain/config.ts";
import { withoutServices } from "../domain/shared.ts";
import { environmentVariables, servicesOfOneVariable } from "../domain/variables.ts";
import {
  type ComposeTarget,
  findComposeFiles,
  listEnvFiles,
  listMissing,
  parseMissingEnvFile,
} from "../programs/compose.ts";
import { isPortTaken } from "../programs/port_probe.ts";
import type { LabelledResource } from "../programs/engine/answers.ts";
import { type EnvironmentRecord, ownPorts } from "../store/environments.ts";
import { carryLink } from "./carry_files.ts";
import { cannotWrite } from "./files.ts";
import { listKept } from "./kept_volumes.ts";
import type { Tools } from "./tools.ts";

/** The label by which compose knows what belongs to a project. */
export const PROJECT_LABEL = "com.docker.compose.project";

/** What the engine has that bears the name of a compose project. */
export interface EngineNames {
  containers: readonly Container[];
  networks: readonly LabelledResource[];
  volumes: readonly LabelledResource[];
}

/** Asks the engine for all that bears the name of any compose project. */
export async function listEngineNames(
  { engine }: Pick<Tools, "engine">,
  signal?: AbortSignal,
): Promise<EngineNames> {
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers({ signal }),
    engine.listNetworks(),
    engine.listVolumes(),
  ]);
  return { containers, networks, volumes };
}

/** Gives an environment a compose project that nothing in the engine has, but for volumes that it left there itself. */
export async function chooseComposeProject(
  tools: Tools,
  record: EnvironmentRecord,
  { containers, networks, volumes }: EngineNames,
): Promise<EnvironmentRecord> {
  const kept = await listKept(tools, record);
  const taken = new Set(containers.map(({ composeProject }) => composeProject));
  for (const { labels } of networks) taken.add(labels[PROJECT_LABEL] ?? "");
  for (const { name, labels } of volumes) {
    if (!kept.has(name)) taken.add(labels[PROJECT_LABEL] ?? "");
  }
  tools.environments.chooseComposeProject(record, (name) => taken.has(name));
  return tools.environments.require(record.id);
}

/**
 * Gives an environment another compose project where its own turns out to be that of another registry: it was made while no
 * engine could tell, or was not started, and the other one came first. Until then nothing in the engine is its own but what
 * an earlier life has kept; volumes do not say whose they are.
 */
export async function keepApart(
  tools: Tools,
  record: EnvironmentRecord,
  { report, signal }: Watch,
): Promise<EnvironmentRecord> {
  const { composeProject, hadContainers } = record;
  const [containers, networks, volumes, kept] = await Promise.all([
    tools.engine.listContainers({ composeProject, signal }),
    tools.engine.listNetworks(composeProject),
    hadContainers ? [] : tools.engine.listVolumes(composeProject),
    hadContainers ? undefined : listKept(tools, record),
  ]);
  const all = [...containers, ...networks].map(({ labels }) => labels);
  const foreign = all.find((labels) => isForeign(record, labels));
  const isOwn = all.some((labels) => isLabelled(record, labels));
  const strange = isOwn ? [] : volumes.filter(({ name }) => !kept?.has(name));
  if (foreign === undefined && strange.length === 0) return record;
  const own = await chooseComposeProject(tools, record, await listEngineNames(tools, signal));
  const whose = foreign === undefined
    ? `The volumes of ${composeProject} are not of this environment, which`
    : `${composeProject} is an environment of ${foreign[ROOT_LABEL]}; this one`;
  report({ kind: "note", message: `${whose} is ${own.composeProject} from now on` });
  return own;
}

/** Finds the compose files of a worktree, or of the root; undefined when there are none. */
export async function composeFilesOf(
  tools: Pick<Tools, "variables">,
  folder: string,
  config: ProjectConfig,
): Promise<string[] | undefined> {
  const found = await findComposeFiles(folder, {
    ...(config.compose === undefined ? {} : { compose: config.compose }),
    variables: tools.variables,
  });
  return found?.files;
}

/** Tells where the override file of these compose files lies: in the folder of the first. */
export function overrideFileOf(files: readonly string[]): string {
  const first = files[0] ?? "";
  return `${first.slice(0, first.lastIndexOf("/"))}/${OVERRIDE_FILE}`;
}

/** Reads the compose configuration, linking from the root each env_file that the worktree lacks. */
export async function readCompose(
  tools: Tools,
  record: EnvironmentRecord,
  files: readonly string[],
  watch: Watch,
): Promise<ComposeConfig> {
  const envFiles = new Set(await listEnvFiles([...files]));
  for (const path of envFiles) await linkIntoWorktree(tools, record, path, watch);
  for (;;) {
    try {
      return await tools.compose.config(targetOf(record, files), watch.signal);
    } catch (error) {
      const path = missingEnvFile(error);
      if (path === undefined || envFiles.has(path)) throw error;
      envFiles.add(path);
      if (!await linkIntoWorktree(tools, record, path, watch)) throw error;
    }
  }
}

/**
 * Gives out the ports that the configuration asks for, beside those the environment has.
 *
 * @param published host ports that containers hold: `tcp:10180`.
 * @param lost host ports that were given to this environment a moment ago and that somebody else has taken.
 */
export function givePorts(
  tools: Tools,
  record: EnvironmentRecord,
  config: ComposeConfig,
  published: ReadonlySet<string>,
  watch: Watch,
  lost: ReadonlySet<number> = new Set(),
): GivenPort[] {
  const wanted = wantedPorts(withoutServices(config, record.shared?.services ?? []));
  const probed = new Map<string, boolean>();
  const taken = (port: number, protocol: "tcp" | "udp") =>
    lost.has(port) || published.has(`${protocol}:${port}`) ||
    probed.get(`${protocol}:${port}`) === true;
  const stillKept = (ports: readonly GivenPort[]) =>
    ports.filter(({ hostPort }) => !lost.has(hostPort));
  const before = stillKept(ownPorts(record));
  let assignment = assignHostPorts(record.slot, wanted, taken, before);
  for (;;) {
    const fresh = assignment.given.filter((port) =>
      !probed.has(`${port.protocol}:${port.hostPort}`) && !isKept(before, port)
    );
    if (fresh.length === 0) break;
    for (const { hostPort, protocol } of fresh) {
      probed.set(`${protocol}:${hostPort}`, isPortTaken(hostPort, protocol));
    }
    assignment = assignHostPorts(record.slot, wanted, taken, before);
  }
  for (const { port, wantedHostPort } of assignment.moved) {
    if (isKept(before, port)) continue;
    watch.report({
      kind: "warning",
      message:
        `Host port ${wantedHostPort} is in use; ${port.service}:${port.containerPort} gets ${port.hostPort}`,
    });
  }
  const isNew = (service: string) => !before.some((port) => port.service === service);
  for (const services of servicesOfOneVariable(assignment.given.map(({ service }) => service))) {
    if (!services.some(isNew)) continue;
    const variable = `PIKO_${variablePart(services[0])}_PORT`;
    watch.report({
      kind: "warning",
      message: `${nameList(services)} have one variable: ${variable} is the host port of ${
        services[0]
      }`,
    });
  }
  return tools.environments.givePorts(
    record.id,
    (kept) => assignHostPorts(record.slot, wanted, taken, stillKept(kept)).given,
  );
}

/**
 * Writes the override file when it is missing or says something else.
 *
 * @returns whether it was written.
 * @throws {PikoError} conflict when a file of that name is there which piko did not write.
 */
export async function writeOverride(
  record: EnvironmentRecord,
  config: ComposeConfig,
  files: readonly string[],
  watch: Watch,
): Promise<boolean> {
  const path = overrideFileOf(files);
  const leftOut = record.shared?.services ?? [];
  const override = composeOverride(config, {
    composeProject: record.composeProject,
    ports: ownPorts(record),
    root: record.root,
    worktreePath: record.path,
    labels: labelsOf(record),
    missing: await listMissing(bindSources(withoutServices(config, leftOut))),
    leftOut,
    sharedComposeProject: record.shared?.composeProject,
  });
  for (const message of override.warnings) watch.report({ kind: "warning", message });
  const before = await readIfThere(path);
  if (before === override.text) return false;
  if (before !== undefined && !before.startsWith(OVERRIDE_START)) {
    throw new PikoError(`${path} is there already, and piko did not write it`, {
      code: "conflict",
      hint: `rename it on branch ${quote(record.branch)}: piko needs this name for itself`,
    });
  }
  await replaceFile(path, override.text);
  return true;
}

/** Tells whether an override file is piko's own for a compose project, one of piko's for another, or none of piko's. */
export async function isPikosOverride(
  path: string,
  composeProject: string,
): Promise<"own" | "other" | "foreign" | "missing"> {
  const text = await readIfThere(path);
  if (text === undefined) return "missing";
  if (!text.startsWith(OVERRIDE_START)) return "foreign";
  return text.startsWith(`${OVERRIDE_START}for ${composeProject};`) ? "own" : "other";
}

/**
 * Has git take an override file for nobody's work again, when its line in `info/exclude` was removed; tells whether git does
 * so now. It does not where the file is committed.
 */
export async function hideOverride(
  { git }: Pick<Tools, "git">,
  { root, path }: Pick<EnvironmentRecord, "root" | "path">,
  overrideFile: string,
  { signal }: Pick<Watch, "signal">,
): Promise<boolean> {
  const file = overrideFile.slice(path.length + 1);
  if (await git.isIgnored(path, file, { signal })) return true;
  await git.excludePaths(root, OVERRIDE_PATTERNS, { signal });
  return await git.isIgnored(path, file, { signal });
}

/** What compose needs to know of an environment. */
export function targetOf(
  record: EnvironmentRecord,
  files: readonly string[] = record.composeFiles,
  overrideFile?: string,
): ComposeTarget {
  return {
    composeProject: record.composeProject,
    files: [...files],
    ...(overrideFile === undefined ? {} : { overrideFile }),
    variables: environmentVariables(record),
    cwd: record.path,
  };
}

/** Writes a file so that it is there whole or not at all. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch((failure: unknown) => {
      if (!(failure instanceof Deno.errors.NotFound)) throw failure;
    });
    throw cannotWrite(path, error);
  }
}

async function linkIntoWorktree(
  tools: Tools,
  record: EnvironmentRecord,
  path: string,
  watch: Watch,
): Promise<boolean> {
  if (!path.startsWith(`${record.path}/`)) return false;
  return await carryLink(tools, record, path.slice(record.path.length + 1), watch);
}

function missingEnvFile(error: unknown): string | undefined {
  const cause = error instanceof PikoError ? error.cause : error;
  return cause instanceof CommandError ? parseMissingEnvFile(cause.stderr) : undefined;
}

function isKept(kept: readonly GivenPort[], port: GivenPort): boolean {
  return kept.some((known) => known.hostPort === port.hostPort && known.protocol === port.protocol);
}

/** Reads a text file; undefined when it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isGone) return undefined;
    throw error;
  }
}
