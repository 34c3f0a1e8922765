/**
 * Throws an environment away without losing work: `piko destroy`. It looks for work before it touches anything, again
 * after the destroy script, and once more before the worktree goes, since somebody may have worked while the containers
 * stopped: then it stays, and the data with it. It removes only what the registry, compose's labels and git's own list of
 * worktrees say is piko's; what cannot be removed now keeps the entry in the registry, so that it can be run again.
 *
 * The way that takes longest is the look for work, then `compose down`, four fifths of all for three services, then git's
 * removal of the worktree; each waits for the one before. Beside the look the configuration is read; volumes go with the
 * networks; the session ends first, as its windows would else keep the machine busy while the containers stop.
 */

import type { ProjectConfig } from "../domain/config.ts";
import { messageOf, PikoError, type UnsavedWork } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { quote } from "../domain/names.ts";
import { shellWord } from "../domain/variables.ts";
import type { Step, Watch } from "../domain/report.ts";
import { removeCarried } from "../programs/carry.ts";
import { type Configured, readProjectConfig } from "../programs/config_file.ts";
import type { Worktree } from "../programs/git/formats.ts";
import { listWorktreesInside } from "../programs/linked_worktree.ts";
import { refuseMounts } from "../programs/mounts.ts";
import { removeFolder } from "../programs/remove_folder.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { isInside } from "../store/projects.ts";
import { hideOverride, isPikosOverride, keepApart } from "./compose_environment.ts";
import { isEmptyFolder, isThere } from "./files.ts";
import { fingerprintWork } from "./fingerprint_work.ts";
import { findMovedByGit, type Gone, inspectGone, isOnDiskOf, moveBack } from "./gone_worktree.ts";
import { journalOf, keepVolumes, listKept, rememberVolumes, withVolumes } from "./kept_volumes.ts";
import { lockEnvironment } from "./lock_environment.ts";
import { removeNewBranch } from "./new_branch.ts";
import { tellConfig } from "./project_config.ts";
import { beginRemoval, hasBegun, isHalfRemoved } from "./removal.ts";
import { removeContainers } from "./remove_containers.ts";
import { runScript } from "./run_script.ts";
import { endSession, isInSession } from "./sessions.ts";
import type { Tools } from "./tools.ts";
import { leaveShared, listUnused } from "./use_shared.ts";

/** What to destroy, and how much of it. */
export interface DestroyRequest {
  volumes: boolean;
  /** Removes uncommitted work too, and a branch that is not merged. */
  force: boolean;
  /** The fingerprint of the work that somebody was shown: `force` then removes this work and no other. */
  accepted?: string | undefined;
  deleteBranch: boolean;
  keepData: boolean;
}

/** What destroy has left, and what it could not remove. */
export interface Destroyed {
  /** Names of the volumes that stay. */
  keptVolumes: string[];
  /** The branch, unless it was deleted, now or before. */
  keptBranch: string | null;
  /**
   * The session that piko itself runs in, which stays until its caller has told the rest and ends it: that is the end of
   * piko too.
   */
  ownSession: string | null;
  /** The shared services of the project that no environment uses now; they go on running. */
  unusedShared: string[];
  /** Whether the project has no environment any more. */
  wasLast: boolean;
}

/** Work that is in a worktree alone and would be lost with it. */
export interface Work extends UnsavedWork {
  /** The command that rescues it, where the worktree is gone and git alone still has it. */
  rescue?: string;
}

/**
 * Destroys an environment, or finishes a destroy or create that was broken off.
 *
 * @throws {PikoError} conflict with the list of unsaved work, before anything was touched; failed or unavailable when
 *   something is left, which a second call removes.
 */
export async function destroyEnvironment(
  tools: Tools,
  found: EnvironmentRecord,
  request: DestroyRequest,
  watch: Watch,
): Promise<Destroyed> {
  using _lock = await lockEnvironment(tools, { id: found.projectId }, found.name, watch);
  const record = tools.environments.require(found.id);
  // While git looks for work, the configuration is read; nothing is touched before all of it is known.
  const [work, locked, config] = await Promise.allSettled([
    refuseWork(tools, record, request, watch),
    refuseLocked(tools, record, watch),
    readProjectConfig(record.root),
  ]);
  if (work.status === "rejected") throw work.reason;
  if (locked.status === "rejected") throw locked.reason;
  await refuseUndeletableBranch(tools, record, request, watch);
  const createdCommit = commitOfNewBranch(tools, record);

  const journal = journalOf(tools, record.id, "destroy");
  journal.restart();
  // The script may have made work of its own, and have removed the folder afterwards.
  if (await runDestroyScript(tools, record, config, watch)) {
    await refuseMore(tools, record, request, work.value, watch);
  }

  tools.environments.setState(record.id, "destroying");
  const call = { tools, record, watch, problems: [] as Problem[] };
  const keptVolumes: string[] = [];
  const isWithin = await isInSession(tools, record);
  // Asked while the session ends.
  const apart = record.mode === "docker" ? keepApart(tools, record, watch) : undefined;
  apart?.catch(() => undefined);
  if (record.session !== null && !isWithin) {
    // Before the containers: its windows would look for them all the while that they stop.
    await attempt(call, "session", "Session", async () => {
      await endSession(tools, record);
    });
  }
  if (apart !== undefined) {
    await attempt(call, "containers", "Containers and networks", async () => {
      await leaveShared(tools, record, watch);
      const own = await apart;
      const keep = request.volumes ? "none" : "all";
      const earlier = [...journal.earlier, ...await listKept(tools, record)];
      const { kept, removed } = await removeContainers(tools, own, keep, watch.signal, {
        ...journal,
        earlier,
      });
      keptVolumes.push(...kept);
      return `removed${withVolumes(removed)}`;
    });
  }
  await attempt(call, "worktree", "Worktree", async () => {
    await refuseMore(tools, record, request, work.value, watch);
    const wasThere = await isThere(record.path);
    const isForgotten = await removeWorktree(tools, record, request.force) && !wasThere;
    if (isForgotten) return `gone already: git has forgotten ${record.path}`;
    return wasThere ? undefined : "gone already";
  });
  const refused = call.problems.find(({ what }) => what === "Worktree");
  if (refused !== undefined) {
    const gone = [
      ...(record.mode === "docker" ? ["containers"] : []),
      ...(record.session !== null && !isWithin ? ["session"] : []),
    ];
    throw await keepWhole(call, request, refused, { gone, volumes: keptVolumes });
  }
  if (!request.keepData || await isEmptyFolder(record.dataDir)) {
    await attempt(call, "data", "Data", async () => {
      return await removeFolder(record.dataDir) ? undefined : "gone already";
    });
  }
  let keptBranch = await findBranch(tools, record, locked.value);
  if (request.deleteBranch || createdCommit !== undefined) {
    await attempt(call, "branch", "Branch", async () => {
      const { isKept, told } = await removeBranch(tools, record, request, createdCommit);
      keptBranch = isKept ? record.branch : null;
      return told;
    });
  }
  if (call.problems.length > 0) throw leftOver(record, call.problems);
  await removeFolder(`${record.root}/.piko/logs/${record.name}`);
  if (record.mode === "docker") await keepVolumes(tools, record, keptVolumes);
  tools.environments.remove(record.id);
  watch.report({ kind: "done", step: "record", message: `slot ${record.slot} is free again` });
  return {
    keptVolumes,
    keptBranch,
    ownSession: isWithin ? record.session : null,
    unusedShared: listUnused(tools, record.projectId),
    wasLast: tools.environments.list(record.projectId).length === 0,
  };
}

/**
 * Finds the work in an environment's worktree that destroy would lose; the links that piko made itself are none, nor is
 * its override file. Of a worktree whose folder is gone, that is what git alone still has of it.
 */
export async function findWork(
  tools: Tools,
  record: EnvironmentRecord,
  signal?: AbortSignal,
  carried = tools.environments.listCarried(record.id),
): Promise<Work> {
  if (!await isThere(record.path)) {
    const gone = await findGone(tools, record, signal);
    return (gone?.kind === "lost" ? gone.work : undefined) ?? { files: [], commits: [] };
  }
  // All of it was looked at before its removal began.
  if (await isHalfRemoved(tools, record)) return { files: [], commits: [] };
  const except: string[] = [];
  for (const { path, target } of carried) {
    if (await readLink(`${record.path}/${path}`) === target) except.push(path);
  }
  const work = await tools.git.listWork(record.path, { except, signal });
  const override = work.files.findIndex(({ state, path }) =>
    state === "untracked" && `${record.path}/${path}` === record.overrideFile
  );
  if (override >= 0 && record.overrideFile !== null) {
    // Somebody has removed its line in info/exclude: git, too, would keep the worktree for it.
    const whose = await isPikosOverride(record.overrideFile, record.composeProject);
    if (whose === "own") {
      await hideOverride(tools, record, record.overrideFile, { signal });
      work.files.splice(override, 1);
    }
  }
  const isDeleting = work.files.some(({ state }) => state === "deleted") &&
    await hasBegun(tools, record);
  const files = isDeleting ? work.files.filter(({ state }) => state !== "deleted") : work.files;
  return { files: files.map(({ state, path }) => `${state}: ${path}`), commits: work.commits };
}

/** Tells what has become of a worktree whose folder is gone; nothing when git does not know it either. */
async function findGone(
  tools: Tools,
  record: EnvironmentRecord,
  signal: AbortSignal | undefined,
): Promise<Gone | undefined> {
  const { root, path } = record;
  if (!await isThere(`${root}/.git`)) return undefined;
  const known = await tools.git.findWorktree(root, path, { signal });
  if (known !== undefined) return await inspectGone(tools, record, known, { signal });
  const moved = await findMovedByGit(record, await tools.git.listWorktrees(root, { signal }));
  if (moved !== undefined) return { kind: "moved", to: moved.path, byGit: true };
  // Where the way to it is a link that leads nowhere, git knows it by another path.
  return await isOnDiskOf(root, path) || await leadsSomewhere(path)
    ? undefined
    : { kind: "absent" };
}

/** Tells whether the folder around a path is there once links are followed. */
async function leadsSomewhere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path.slice(0, path.lastIndexOf("/")))).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

interface Problem {
  what: string;
  error: unknown;
}

interface Call {
  tools: Tools;
  record: EnvironmentRecord;
  watch: Watch;
  problems: Problem[];
}

/**
 * Records a step, does it, and remembers what went wrong without keeping the other steps from being done.
 *
 * @param work may return what to say instead of that it was removed.
 */
async function attempt(
  call: Call,
  step: Step,
  what: string,
  work: () => Promise<string | void>,
): Promise<void> {
  const { tools, record, watch } = call;
  if (watch.signal?.aborted) throw brokenOff(record);
  tools.environments.beginStep(record.id, "destroy", step);
  watch.report({ kind: "started", step, message: "" });
  try {
    const told = await work();
    watch.report({ kind: "done", step, message: told ?? "removed" });
  } catch (error) {
    watch.report({ kind: "failed", step, message: messageOf(error) });
    if (error instanceof PikoError && error.code === "interrupted") throw brokenOff(record);
    call.problems.push({ what, error });
  }
}

/**
 * Keeps the data of an environment whose worktree stays, and all of it as it was before where nothing but its session and its
 * containers has gone; returns the error that says why.
 */
async function keepWhole(
  { tools, record, watch, problems }: Call,
  { force }: DestroyRequest,
  { error }: Problem,
  { gone, volumes }: { gone: readonly string[]; volumes: readonly string[] },
): Promise<unknown> {
  // With `force` it may be no work that was found, but a folder which is no worktree any more.
  const isRefusal = error instanceof PikoError && error.code === "conflict" &&
    (!force || error.unsaved !== undefined);
  if (!isRefusal || problems.length > 1 || record.state === "destroying") {
    return leftOver(record, problems);
  }
  if (record.mode === "docker") await rememberVolumes(tools, record, volumes);
  tools.environments.setState(record.id, record.state);
  tools.environments.endOperation(record.id, "destroy");
  if (record.state === "ready" && gone.length > 0) {
    watch.report({
      kind: "warning",
      message: `The worktree and the data of ${quote(record.name)} stay; what is gone: ${
        gone.join(", ")
      }`,
      hint: `piko up ${qualified(record)}`,
    });
  }
  return error;
}

/**
 * Refuses an environment whose work would be lost.
 *
 * @returns the work that may be lost, as far as it was looked at.
 * @throws {PikoError} conflict with the list of it, where other worktrees or projects lie in its folders, or where nobody
 *   can tell because the worktree is elsewhere; unless `force` is set, with no work accepted or with this. Conflict also with
 *   `force` where something is mounted in a folder that is to go.
 */
export async function refuseWork(
  tools: Tools,
  record: EnvironmentRecord,
  request: Pick<DestroyRequest, "force" | "accepted" | "keepData">,
  watch: Watch,
): Promise<readonly string[]> {
  await refuseMounts(record.path, ...(request.keepData ? [] : [record.dataDir]));
  if (request.force && request.accepted === undefined) return [];
  return await refuseLoss(tools, record, request, watch);
}

/** Refuses an environment whose work would be lost, mounts aside; returns what may be. */
async function refuseLoss(
  tools: Tools,
  record: EnvironmentRecord,
  { force, accepted, keepData }: Pick<DestroyRequest, "force" | "accepted" | "keepData">,
  watch: Watch,
): Promise<readonly string[]> {
  await refuseElsewhere(tools, record, watch);
  const work = await findWork(tools, record, watch.signal);
  const lines = [...work.files, ...work.commits];
  if (lines.length > 0) {
    const fingerprint = await fingerprintWork(tools, record.path, work, watch.signal);
    if (!force || fingerprint !== accepted) throw hasWork(record, work, fingerprint);
  }
  refuseInside(tools, record, [record.path, ...(keepData ? [] : [record.dataDir])]);
  return lines;
}

/**
 * Looks again for work while an environment is destroyed. What piko itself has ended may have written to the files that may
 * be lost, so of these the names count.
 *
 * @throws {PikoError} conflict with the list of all work, when there is more than what may be lost.
 */
async function refuseMore(
  tools: Tools,
  record: EnvironmentRecord,
  request: DestroyRequest,
  known: readonly string[],
  watch: Watch,
): Promise<void> {
  if (!request.force) return void await refuseLoss(tools, record, request, watch);
  if (request.accepted === undefined) return;
  const work = await findWork(tools, record, watch.signal);
  if ([...work.files, ...work.commits].every((line) => known.includes(line))) return;
  throw hasWork(record, work, await fingerprintWork(tools, record.path, work, watch.signal));
}

function hasWork(record: EnvironmentRecord, work: Work, fingerprint: string): PikoError {
  const what = work.files.length === 0
    ? "commits that are on no branch"
    : work.commits.length === 0
    ? "work that is not committed"
    : "work that is not committed, and commits that are on no branch";
  return new PikoError(`Environment ${quote(record.name)} has ${what}`, {
    code: "conflict",
    hint: `${howToKeep(record, work)}: piko destroy ${qualified(record)} --force`,
    details: [...work.files, ...work.commits],
    unsaved: { files: work.files, commits: work.commits, fingerprint },
  });
}

/** Refuses an environment with other worktrees or projects in a folder of its own: git tells nothing of what is in them. */
function refuseInside(tools: Tools, record: EnvironmentRecord, folders: readonly string[]): void {
  const { root, path, name } = record;
  for (const folder of folders) {
    const worktrees = listWorktreesInside(root, path, folder);
    const projects = tools.projects.list().filter((project) =>
      isInside(project.root, folder) && !worktrees.includes(project.root)
    );
    const [worktree, project] = [worktrees[0], projects[0]];
    const keep = worktree !== undefined
      ? `commit what is in it, then: git -C ${shellWord(root)} worktree remove ${
        shellWord(worktree)
      }`
      : project !== undefined
      ? `push what is in it, then: piko project forget ${project.name}`
      : undefined;
    if (keep === undefined) continue;
    const where = folder === path ? "worktree" : "data folder";
    throw new PikoError(
      `In the ${where} of ${quote(name)} are other worktrees or projects, which would go with it`,
      {
        code: "conflict",
        hint: `${keep}, or throw them away: piko destroy ${qualified(record)} --force`,
        details: [
          ...worktrees.map((worktree) => `worktree: ${worktree}`),
          ...projects.map((project) => `project ${project.name}: ${project.root}`),
        ],
      },
    );
  }
}

/**
 * Removes the data folder of an environment that is taken back; tells whether there was one.
 *
 * @throws {PikoError} conflict when another worktree or project lies in it, or something is mounted in it.
 */
export async function removeNewData(tools: Tools, record: EnvironmentRecord): Promise<boolean> {
  refuseInside(tools, record, [record.dataDir]);
  return await removeFolder(record.dataDir);
}

/** Refuses an environment whose worktree is not lost and only not where it was, so that git still is to know of it. */
async function refuseElsewhere(
  tools: Tools,
  record: EnvironmentRecord,
  { signal }: Watch,
): Promise<void> {
  const { path } = record;
  if (await isThere(path)) return;
  const gone = await findGone(tools, record, signal);
  const anyway = `or have git forget it: piko destroy ${qualified(record)} --force`;
  if (gone?.kind === "absent") {
    throw new PikoError(
      `The worktree of ${
        quote(record.name)
      } is not there, and may be on a disk that is not: ${path}`,
      { code: "conflict", hint: `bring the disk back, ${anyway}` },
    );
  }
  if (gone?.kind === "moved" && gone.byGit) {
    throw new PikoError(
      `The worktree of ${quote(record.name)} is at ${gone.to} and not at ${path} any more`,
      {
        code: "conflict",
        hint: `move it back: ${moveBack(record, gone.to)}, or leave it there: piko destroy ${
          qualified(record)
        } --force`,
      },
    );
  }
  if (gone?.kind === "moved") {
    throw new PikoError(
      `The worktree of ${quote(record.name)} was moved without git, from ${path} to ${gone.to}`,
      {
        code: "conflict",
        hint: `move it back: mv ${shellWord(gone.to)} ${shellWord(path)}, ${anyway}`,
      },
    );
  }
}

function howToKeep({ path }: EnvironmentRecord, { files, commits, rescue }: Work): string {
  if (rescue !== undefined) return `rescue it: ${rescue}, or throw it away`;
  if (files.some((file) => file.startsWith("under way: "))) {
    return `finish it, or abort it: git -C ${shellWord(path)} status, or throw it away`;
  }
  if (files.length > 0) return `commit it in ${path}, or throw it away`;
  // Those of a submodule stand behind its name.
  const [, newest] = /^([0-9a-f]{7,}) /.exec(commits[0] ?? "") ?? [];
  return newest === undefined
    ? `push them from ${path}, or throw them away`
    : `keep them: git -C ${shellWord(path)} branch rescued ${newest}, or throw them away`;
}

/** Refuses a locked worktree before its containers and data go; `--force` is for work, not for locks. */
async function refuseLocked(
  tools: Tools,
  record: EnvironmentRecord,
  watch: Watch,
): Promise<Worktree | undefined> {
  if (!await isThere(`${record.root}/.git`)) return undefined;
  return await tools.git.refuseLocked(record.root, record.path, { signal: watch.signal });
}

/** Finds the branch of an environment, which somebody may have deleted; what git knew of the worktree tells it mostly. */
async function findBranch(
  tools: Tools,
  { root, branch }: EnvironmentRecord,
  known: Worktree | undefined,
): Promise<string | null> {
  // git deletes no branch that is checked out, and shows zeros for one that was deleted beside it.
  if (known?.branch === branch && /[^0]/.test(known.head ?? "0")) return branch;
  return await tools.git.findCommit(root, `refs/heads/${branch}`) === undefined ? null : branch;
}

async function refuseUndeletableBranch(
  tools: Tools,
  record: EnvironmentRecord,
  request: DestroyRequest,
  watch: Watch,
): Promise<void> {
  if (!request.deleteBranch) return;
  const { root, branch, path } = record;
  if (await tools.git.findCommit(root, `refs/heads/${branch}`) === undefined) return;
  const elsewhere = (await tools.git.listWorktrees(root, { signal: watch.signal }))
    .find((worktree) => worktree.branch === branch && worktree.path !== path);
  if (elsewhere !== undefined) {
    throw new PikoError(`Branch ${quote(branch)} is checked out at ${elsewhere.path}`, {
      code: "conflict",
      hint: `leave it: piko destroy ${qualified(record)}`,
    });
  }
  if (request.force) return;
  if (await tools.git.isMerged(root, branch, undefined, { signal: watch.signal })) return;
  throw new PikoError(`Branch ${quote(branch)} is not merged`, {
    code: "conflict",
    hint: `merge it, leave it (without --delete-branch), or: piko destroy ${
      qualified(record)
    } --delete-branch --force`,
  });
}

/** Runs the script, and tells whether there was one to run. */
async function runDestroyScript(
  tools: Tools,
  record: EnvironmentRecord,
  config: PromiseSettledResult<Configured<ProjectConfig>>,
  watch: Watch,
): Promise<boolean> {
  let script: string | undefined;
  try {
    if (config.status === "rejected") throw config.reason;
    script = (await tellConfig(tools, record, config.value, watch)).scripts.destroy;
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    watch.report({
      kind: "warning",
      message: `No destroy script was run: ${error.message}`,
      hint: error.hint,
    });
  }
  if (script === undefined) return false;
  const isPartOf = await isHalfRemoved(tools, record);
  if (isPartOf || !await isThere(record.path)) {
    const gone = isPartOf ? "is gone in part" : "is gone";
    watch.report({ kind: "warning", message: `No destroy script was run: the worktree ${gone}` });
    return false;
  }
  tools.environments.beginStep(record.id, "destroy", "destroy");
  watch.report({ kind: "started", step: "destroy", message: "" });
  try {
    await runScript(tools, record, "destroy", script, watch);
    watch.report({ kind: "done", step: "destroy", message: "" });
  } catch (error) {
    if (!(error instanceof PikoError) || error.code === "interrupted") throw error;
    watch.report({ kind: "failed", step: "destroy", message: error.message });
    watch.report({ kind: "warning", message: `${error.message}; going on` });
  }
  return true;
}

/**
 * Removes the worktree of an environment, or what an earlier call has left of it, and tells whether there was one; without
 * `force` git refuses one with work.
 */
export async function removeWorktree(
  tools: Tools,
  record: EnvironmentRecord,
  force: boolean,
): Promise<boolean> {
  const { root, path } = record;
  // A repository that is gone as a whole has taken its worktrees along.
  if (!await isThere(`${root}/.git`) && !await isThere(path)) return false;
  if (await isHalfRemoved(tools, record)) {
    await tools.git.finishRemoval(root, path);
    return true;
  }
  await removeLinks(tools, record);
  return await tools.git.removeWorktree(root, path, {
    // git would take what is deleted already for work.
    force: force || await hasBegun(tools, record),
    begin: () => beginRemoval(tools, record),
  });
}

/** Removes the links that piko has made in a worktree, so that git does not take them for work. */
export async function removeLinks(tools: Tools, { id, path }: EnvironmentRecord): Promise<void> {
  for (const carried of tools.environments.listCarried(id)) await removeCarried(path, carried);
}

/** Removes the branch, and tells whether it stays, and why, or whether it was gone. */
async function removeBranch(
  tools: Tools,
  { root, branch }: EnvironmentRecord,
  { deleteBranch, force }: DestroyRequest,
  createdCommit: string | undefined,
): Promise<{ isKept: boolean; told: string | undefined }> {
  if (deleteBranch || createdCommit === undefined) {
    const wasThere = await tools.git.deleteBranch(root, branch, { force });
    return { isKept: false, told: wasThere ? undefined : "gone already" };
  }
  const reason = await removeNewBranch(tools, root, branch, createdCommit);
  return { isKept: Boolean(reason), told: reason ? `kept ${branch}, which ${reason}` : undefined };
}

/** Tells at which commit a create that never came to its end has made the branch, when it made one. */
function commitOfNewBranch(tools: Tools, record: EnvironmentRecord): string | undefined {
  const steps = tools.environments.listSteps(record.id)
    .filter(({ operation }) => operation === "create");
  // The last step of create; the state alone would no longer tell once a destroy has been broken off too.
  if (steps.some(({ step }) => step === "record")) return undefined;
  const step = steps.find(({ step }) => step === "worktree");
  const commit = step?.detail.createdBranch === record.branch ? step.detail.at : undefined;
  return typeof commit === "string" ? commit : undefined;
}

function brokenOff(record: EnvironmentRecord): PikoError {
  return new PikoError(`Interrupted: environment ${quote(record.name)} is half destroyed`, {
    code: "interrupted",
    hint: `piko destroy ${qualified(record)} goes on where it stopped`,
  });
}

function leftOver(record: EnvironmentRecord, problems: readonly Problem[]): PikoError {
  const first = problems[0]?.error;
  const code = first instanceof PikoError ? first.code : "failed";
  return new PikoError(
    `Environment ${quote(record.name)} is not completely destroyed: ${
      problems.map(({ what }) => what.toLowerCase()).join(", ")
    } could not be removed`,
    {
      code: code === "usage" || code === "not-found" ? "failed" : code,
      hint: `mend the cause and run piko destroy ${
        qualified(record)
      } again; it goes on where it stopped`,
      details: problems.flatMap(({ what, error }) => [
        `${what}: ${messageOf(error)}`,
        ...(error instanceof PikoError && error.hint !== undefined ? [`  ${error.hint}`] : []),
      ]),
      cause: first,
    },
  );
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await Deno.readLink(path);
  } catch {
    // Not there, or not a link: then it is nothing that piko made.
    return undefined;
  }
}
