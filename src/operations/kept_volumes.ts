/**
 * Keeps account of volumes over the lives of an environment: which of them a removal has found, in case it is broken off, and
 * which stay where an environment goes, so that its next life has its data again, on that engine alone.
 */

import { isAnonymousVolume } from "../domain/containers.ts";
import { shellWord } from "../domain/variables.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isRemoval } from "./removal.ts";
import type { RemovalJournal } from "./remove_containers.ts";
import type { Tools } from "./tools.ts";

/** An environment, or what a project shares, whose volumes stay. */
type Leaving = Pick<EnvironmentRecord, "root" | "name" | "composeProject">;

/**
 * Makes the journal of a removal, whose volumes become a step of the operation.
 *
 * @param services are those to be removed, where others stay: what was found of those is not theirs.
 * @returns with `restart`, which forgets the other steps of an earlier removal, and keeps what that has found and which
 *   worktree it has begun to remove.
 */
export function journalOf(
  { environments }: Tools,
  id: number,
  operation: string,
  services: readonly string[] = [],
): RemovalJournal & { restart: () => void } {
  const known = environments.listSteps(id).filter((each) => each.operation === operation);
  const earlier = known.filter(({ step }) => step === "volumes")
    .filter(({ detail }) => stringsOf(detail.services).every((name) => services.includes(name)))
    .flatMap(({ detail }) => stringsOf(detail.volumes));
  return {
    earlier,
    record: (volumes) => {
      environments.beginStep(id, operation, "volumes", { services, volumes });
    },
    restart: () => {
      const detail = { services, volumes: earlier };
      const steps = earlier.length === 0 ? [] : [{ step: "volumes" as const, detail }];
      environments.restartOperation(id, operation, [...steps, ...known.filter(isRemoval)]);
    },
  };
}

function stringsOf(detail: unknown): string[] {
  return Array.isArray(detail) ? detail.map(String) : [];
}

/**
 * Records the volumes that stay of an environment that is going, in place of what an earlier life of it has left.
 *
 * @throws {PikoError} unavailable without an engine, when there is something to record.
 */
export async function keepVolumes(
  { environments, engine }: Tools,
  leaving: Leaving,
  names: readonly string[],
): Promise<void> {
  // The engine takes its time for it, and mostly there is nothing to record.
  if (names.length === 0 && !environments.hasKeptVolumes(leaving.composeProject)) return;
  const { identity } = await engine.info();
  environments.keepVolumes(leaving, names, identity);
}

/**
 * Records volumes of an environment that goes on and whose containers, which alone lead to them, are about to go.
 *
 * @throws {PikoError} unavailable without an engine, when there is something to record.
 */
export async function rememberVolumes(
  tools: Tools,
  environment: Leaving,
  names: readonly string[],
): Promise<void> {
  const anonymous = names.filter(isAnonymousVolume);
  if (anonymous.length === 0) return;
  const known = await listKept(tools, environment);
  await keepVolumes(tools, environment, [...known.union(new Set(anonymous))]);
}

/**
 * Names the volumes on this engine that an earlier life of an environment has left.
 *
 * @throws {PikoError} unavailable without an engine, when there is something to compare.
 */
export async function listKept(
  { environments, engine }: Tools,
  { root, name }: Pick<EnvironmentRecord, "root" | "name">,
): Promise<Set<string>> {
  const kept = environments.listKeptVolumes(root).filter(({ environment }) => environment === name);
  if (kept.length === 0) return new Set();
  const { identity } = await engine.info();
  return new Set(
    kept.filter((volume) => volume.engine === null || volume.engine === identity)
      .map((volume) => volume.name),
  );
}

/** Says which volumes were removed, behind what they were removed with; nothing when none were. */
export function withVolumes(removed: readonly string[]): string {
  if (removed.length === 0) return "";
  return `, with the volume${removed.length === 1 ? "" : "s"} ${removed.join(", ")}`;
}

/** Says which of the volumes nothing finds again, and how to get at what is in them; nothing when all have names. */
export function tellNameless(volumes: readonly string[]): string {
  const nameless = volumes.filter(isAnonymousVolume);
  const [first] = nameless;
  if (first === undefined) return "";
  const many = nameless.length > 1;
  return `${nameless.join(", ")} ${
    many ? "have no names and are" : "has no name and is"
  } not found again: ` +
    `docker run --rm -it -v ${first}:/volume busybox shows what is in ${many ? "the first" : "it"}`;
}

/** Says which volumes stay and how they are removed, as the end of a sentence; nothing when none do. */
export function tellKept(volumes: readonly string[]): string {
  if (volumes.length === 0) return "";
  const stay = volumes.length === 1 ? "stays" : "stay";
  const remove = `docker volume rm ${volumes.map(shellWord).join(" ")}`;
  const nameless = tellNameless(volumes);
  return `; ${volumes.join(", ")} ${stay} (${remove} removes ${
    volumes.length === 1 ? "it" : "them"
  })${nameless === "" ? "" : `; ${nameless}`}`;
}
