/** Looks whether the shared services of each project are where the registry says. */

import { PikoError } from "../../domain/errors.ts";
import { pikoIn } from "../../domain/hints.ts";
import { nameList, SHARED_NAME } from "../../domain/names.ts";
import { shellWord } from "../../domain/variables.ts";
import { inspectLock } from "../../store/locks.ts";
import type { ProjectRecord } from "../../store/projects.ts";
import { tellKept } from "../kept_volumes.ts";
import { lockKey, locksFolder } from "../lock_names.ts";
import { findSharedProblems, reconcileShared } from "../reconcile_shared.ts";
import { REMOVAL } from "../shared_services.ts";
import type { Finding } from "./finding.ts";
import { settle } from "./mend.ts";
import type { World } from "./world.ts";

/** What mends them: no command on them does so, since none of them has been told to. */
const FIX = "piko doctor --fix";

/** Checks the shared services of all projects; without an engine nobody can tell where they are. */
export async function checkShared(world: World): Promise<Finding[]> {
  if (world.engine === undefined) return [];
  const found: Finding[] = [];
  for (const { project, worktrees } of world.projects) {
    if (worktrees === undefined) continue;
    found.push(...await checkProject(world, project));
  }
  return found;
}

async function checkProject(world: World, project: ProjectRecord): Promise<Finding[]> {
  const { tools } = world;
  const { held, holder } = await inspectLock(
    locksFolder(tools),
    lockKey(project.id, SHARED_NAME),
  );
  if (held) {
    const who = holder === undefined
      ? "another piko"
      : `"${holder.command}" (process ${holder.pid})`;
    const message = `What ${project.name} shares was left alone: ${who} is at work on it`;
    return [{ name: "shared", level: "note", message, hint: "look again when it is done" }];
  }
  let mending: Promise<Reconciled> | undefined;
  const found = (await findSharedProblems(tools, project)).map(({ message }): Finding => ({
    name: "shared",
    level: "wrong",
    message: `${message} (${project.name})`,
    hint: FIX,
    mend: async () => {
      // All of a project's are mended at once.
      const { mended, failures } = await (mending ??= reconcile(world, project));
      const kept = mended.get(message);
      const isLeft = kept === undefined &&
        (await findSharedProblems(tools, project)).some((left) => left.message === message);
      if (!isLeft) return `Put in order: ${message}${tellKept(kept ?? [])}`;
      const why = failures.find((failure) => failure.message.startsWith(message));
      const tried = why?.message.slice(message.length).replace(/^, and could not be mended: /, "");
      throw new PikoError(tried ?? "what was tried did not help", {
        code: "failed",
        hint: why?.hint ?? `${pikoIn(project.root)} up --shared`,
      });
    },
  }));
  return [...found, ...checkBrokenOff(world, project), ...checkStopped(world, project)];
}

/** Names shared services that are stopped while environments that use them run; `piko down --shared` leaves them so, too. */
function checkStopped(
  { tools, environments, engine }: World,
  { id, root }: ProjectRecord,
): Finding[] {
  const composeProject = tools.shared.find(id)?.composeProject;
  if (composeProject === undefined || engine === undefined) return [];
  const { containers } = engine;
  const runs = (composeProject: string) =>
    containers.some((known) =>
      known.composeProject === composeProject && known.state === "running"
    );
  return tools.shared.list(id).flatMap(({ service }): Finding[] => {
    const of = containers.filter((known) =>
      known.composeProject === composeProject && known.service === service
    );
    const isStopped = of.length > 0 &&
      of.every(({ state }) => state === "exited" || state === "created" || state === "dead");
    if (!isStopped) return [];
    const users = tools.shared.listUsers(id, service).filter((name) =>
      environments.some(({ record }) =>
        record.projectId === id && record.name === name && runs(record.composeProject)
      )
    );
    if (users.length === 0) return [];
    const use = users.length === 1 ? "runs and uses it" : "run and use it";
    return [{
      name: "shared",
      level: "note",
      message: `The shared ${service} is stopped, and ${nameList(users)} ${use}`,
      hint: `${pikoIn(root)} up --shared ${shellWord(service)}`,
    }];
  });
}

/** Finds what share, isolate, up, down and restart of shared services have left when they were killed. */
function checkBrokenOff(world: World, project: ProjectRecord): Finding[] {
  const { tools } = world;
  const record = tools.shared.find(project.id);
  if (record === undefined) return [];
  const last = tools.environments.listSteps(record.id)
    .findLast(({ operation }) => operation !== REMOVAL);
  if (last === undefined) return [];
  return [{
    name: "shared",
    level: "wrong",
    message:
      `What ${project.name} shares is half way: piko ${last.operation} was broken off at step "${last.step}"`,
    hint: FIX,
    mend: async () => {
      const { mended } = await reconcile(world, project);
      // With its last service the record is gone, too.
      const left = tools.shared.find(project.id);
      for (const { operation } of left === undefined ? [] : tools.environments.listSteps(left.id)) {
        tools.environments.endOperation(record.id, operation);
      }
      return `Put in order what ${project.name} shares${tellKept([...mended.values()].flat())}`;
    },
  }];
}

/** What was mended, with the volumes that stay, and what was said of what could not be. */
interface Reconciled {
  mended: Map<string, string[]>;
  failures: { message: string; hint?: string | undefined }[];
}

async function reconcile(world: World, project: ProjectRecord): Promise<Reconciled> {
  const { watch } = world;
  await settle(world, { projectId: project.id, name: SHARED_NAME });
  const failures: Reconciled["failures"] = [];
  const mended = await reconcileShared(world.tools, project, {
    ...watch,
    report: (event) => {
      if (event.kind === "warning") failures.push(event);
      watch.report(event);
    },
  });
  return { mended, failures };
}
