/** Compares each environment's record with its worktree, its override file, its session and its ports. */

import { PikoError } from "../../domain/errors.ts";
import { qualified } from "../../domain/hints.ts";
import { quote } from "../../domain/names.ts";
import { shellWord } from "../../domain/variables.ts";
import { readProjectConfig } from "../../programs/config_file.ts";
import type { Worktree } from "../../programs/git/formats.ts";
import { placeOf } from "../../programs/git/paths.ts";
import { tmuxName } from "../../programs/tmux.ts";
import type { EnvironmentRecord, StepRecord } from "../../store/environments.ts";
import {
  composeFilesOf,
  givePorts,
  hideOverride,
  isPikosOverride,
  overrideFileOf,
  readCompose,
  writeOverride,
} from "../compose_environment.ts";
import { isThere, makeFolder } from "../files.ts";
import { type LifecycleOperation, listUnsettled } from "../journal.ts";
import { findMovedByGit, inspectGone, isOnDiskOf, moveBack } from "../gone_worktree.ts";
import { hasBegun } from "../removal.ts";
import { ensureSession } from "../sessions.ts";
import { restartEnvironment, startEnvironment, stopEnvironment } from "../start_environment.ts";
import type { Finding } from "./finding.ts";
import { guarded } from "./guarded.ts";
import { hasNoFiles, MENDED_MEANWHILE, mendLocked, settle, throwAway } from "./mend.ts";
import type { EnvironmentState, World } from "./world.ts";

/** Checks every environment whose project is where it was. */
export async function checkEnvironments(world: World): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const environment of world.environments) {
    if (environment.state.worktrees === undefined) continue;
    found.push(
      ...await guarded(
        ["environment", "worktree", "override", "session", "folder"],
        () => checkEnvironment(world, environment),
        qualified(environment.record),
      ),
    );
  }
  return found;
}

async function checkEnvironment(world: World, environment: EnvironmentState): Promise<Finding[]> {
  const { record, lock } = environment;
  const name = qualified(record);
  if (lock.held) {
    const who = lock.holder === undefined
      ? "another piko"
      : `"${lock.holder.command}" (process ${lock.holder.pid})`;
    const message = `${name} was left alone: ${who} is at work on it`;
    return [{ name: "environment", level: "note", message, hint: "look again when it is done" }];
  }
  switch (record.state) {
    case "creating":
      return [unfinished(world, environment, "was never made completely", "create")];
    case "destroying":
      return [unfinished(world, environment, "is half destroyed", "destroy")];
    case "failed":
      return [
        {
          name: "environment",
          level: "note",
          message: `${name} could not be made, and was kept for inspection`,
          hint: `piko destroy ${name}`,
        },
        ...checkDestroyScript(world, environment),
        ...await checkLeftFiles(world, record),
      ];
    case "ready":
      return [
        ...checkBrokenOff(world, environment),
        ...checkDestroyScript(world, environment),
        ...await checkWorktree(world, environment),
        ...await checkLeftFiles(world, record),
      ];
  }
}

function unfinished(
  world: World,
  environment: EnvironmentState,
  what: string,
  operation: string,
): Finding {
  const { tools } = world;
  const { record } = environment;
  const last = tools.environments.listSteps(record.id)
    .findLast((step) => step.operation === operation);
  return {
    name: "environment",
    level: "wrong",
    message: `${qualified(record)} ${what}: ${brokenOff(environment, operation, last)}`,
    hint: `piko destroy ${qualified(record)}`,
    mend: () => throwAway(world, environment),
  };
}

/** Says what was broken off, and who is still at work on its behalf. */
function brokenOff(
  { leftProgram }: EnvironmentState,
  operation: string,
  last: StepRecord | undefined,
): string {
  const step = last === undefined ? "before its first step" : `at step ${quote(last.step)}`;
  const left = leftProgram === undefined ? "" : `, and has left process ${leftProgram.pid} at work`;
  return `piko ${operation} was broken off ${step}${left}`;
}

/** Finds what up, down and restart have left when they were killed: steps that none of them leaves otherwise. */
function checkBrokenOff(world: World, environment: EnvironmentState): Finding[] {
  const { tools, watch } = world;
  const { record } = environment;
  const name = qualified(record);
  return listUnsettled(tools, record.id).map((run): Finding => {
    const { operation, last, since, steps } = run;
    const what = `${name} is half way: ${brokenOff(environment, operation, last)}`;
    if (since !== undefined) {
      return {
        name: "environment",
        level: "wrong",
        message: `${what}, and after it came ${since}`,
        hint: `say which it is to be: piko up ${name}, or piko down ${name}`,
      };
    }
    const command = ["piko", operation, name, ...run.services].join(" ");
    return {
      name: "environment",
      level: "wrong",
      message: what,
      hint: command,
      mend: async () => {
        await settle(world, record);
        const isLeft = listUnsettled(tools, record.id).some((left) =>
          left.since === undefined && left.steps.includes(last.id)
        );
        if (!isLeft) return MENDED_MEANWHILE;
        await AGAIN[operation](world, record, last.detail);
        tools.environments.forgetSteps(steps);
        watch.report({ kind: "note", message: `Did again: ${command}` });
        return `Did again: ${command}`;
      },
    };
  });
}

/** Finds a destroy script that is still at work though its piko was killed, which had removed nothing yet. */
function checkDestroyScript({ tools }: World, environment: EnvironmentState): Finding[] {
  const { record, leftProgram } = environment;
  const last = tools.environments.listSteps(record.id).at(-1);
  if (leftProgram === undefined || last?.operation !== "destroy") return [];
  const told = brokenOff(environment, "destroy", last);
  return [{
    name: "environment",
    level: "note",
    message: `Nothing of ${qualified(record)} was removed: ${told}`,
    hint: `look again when it is done, or end it: ${leftProgram.end}`,
  }];
}

/** How an operation on a whole environment is done again. Whether containers get ready is up to them. */
const AGAIN: Readonly<
  Record<
    LifecycleOperation,
    (world: World, record: EnvironmentRecord, detail: StepRecord["detail"]) => Promise<unknown>
  >
> = {
  up: ({ tools, watch }, record, { services, start, move, only }) =>
    startEnvironment(tools, record, {
      services: listOf(services),
      start: start !== false,
      move: move === true,
      ...(only === undefined ? {} : { only: listOf(only) }),
      ...WITHOUT_WAITING,
    }, watch),
  restart: ({ tools, watch }, record, { services }) => {
    const request = { services: listOf(services), ...WITHOUT_WAITING };
    return restartEnvironment(tools, record, request, watch);
  },
  down: ({ tools, watch }, record, { services }) =>
    stopEnvironment(tools, record, listOf(services), watch),
};

const WITHOUT_WAITING = { wait: false, timeout: 0, setUp: false };

async function checkWorktree(world: World, environment: EnvironmentState): Promise<Finding[]> {
  const { record, state } = environment;
  const name = qualified(record);
  // git has links on the way to it resolved.
  const place = await placeOf(record.path);
  const known = state.worktrees?.find(({ path }) => path === place);
  if (!await isThere(record.path) || (known === undefined && await hasNoFiles(record.path))) {
    return [await missingWorktree(world, environment, known)];
  }
  if (known === undefined) {
    const aside = shellWord(`${record.path}.old`);
    return [{
      name: "worktree",
      level: "wrong",
      message: `git does not know ${record.path}, the worktree of ${name}, any more`,
      hint: `set its files aside: mv ${
        shellWord(record.path)
      } ${aside}, then: piko destroy ${name}`,
    }];
  }
  if (!await isThere(`${record.path}/.git`)) return [unlinked(world, record)];
  return [
    ...await checkBranch(world, record, known),
    ...await checkOverride(world, environment),
    ...await checkData(world, record),
    ...checkSession(world, record),
  ];
}

/** A worktree that git knows and that does not know of git: its `.git` file was removed. */
function unlinked(world: World, record: EnvironmentRecord): Finding {
  const { root, path } = record;
  return {
    name: "worktree",
    level: "wrong",
    message: `The worktree of ${qualified(record)} is none any more: ${path}/.git is gone`,
    hint: `git -C ${shellWord(root)} worktree repair ${shellWord(path)}`,
    mend: () =>
      mendLocked(world, record, async () => {
        await world.tools.git.repairWorktree(root, path, world.watch);
        return `Had git write ${path}/.git anew`;
      }),
  };
}

/** What is to be done about a folder that may be on a disk which is not there: to destroy would forget what is on it. */
const BRING_DISK_BACK = "bring the disk back, and look again: piko doctor";

async function missingWorktree(
  world: World,
  environment: EnvironmentState,
  known: Worktree | undefined,
): Promise<Finding> {
  const { record, state } = environment;
  const { root, path } = record;
  const name = qualified(record);
  const finding: Finding = {
    name: "worktree",
    level: "wrong",
    message: `The worktree of ${name} is gone: ${path}`,
    hint: `piko destroy ${name}`,
  };
  const elsewhere = await findMovedByGit(record, state.worktrees ?? []) ??
    state.worktrees?.find(({ branch, path }) => branch === record.branch && path !== record.path);
  if (elsewhere !== undefined && known === undefined && await isThere(elsewhere.path)) {
    return {
      ...finding,
      message: `The worktree of ${name} is at ${elsewhere.path} and not at ${path} any more`,
      hint: moveBack(record, elsewhere.path),
    };
  }
  if (known?.locked !== undefined) {
    const reason = known.locked === "" ? "" : ` (${known.locked})`;
    return {
      ...finding,
      message: `The worktree of ${name} is gone, and locked${reason}: ${path}`,
      hint: `bring it back, or: git -C ${shellWord(root)} worktree unlock ${shellWord(path)}`,
    };
  }
  const gone = known === undefined
    ? await isOnDiskOf(root, path) ? undefined : { kind: "absent" as const }
    : await inspectGone(world.tools, record, known, world.watch);
  if (gone?.kind === "absent") {
    return {
      ...finding,
      message: `The worktree of ${name} is not there, and may be on a disk that is not: ${path}`,
      hint: BRING_DISK_BACK,
    };
  }
  if (gone?.kind === "moved") {
    return {
      ...finding,
      message: `The worktree of ${name} was moved without git, from ${path} to ${gone.to}`,
      hint: `mv ${shellWord(gone.to)} ${shellWord(path)}`,
    };
  }
  if (gone?.work !== undefined) {
    const { files, commits, rescue, bringsBack } = gone.work;
    return {
      ...finding,
      message: `The worktree of ${name} is gone, and git alone still has ${
        [...commits, ...files].join(", ")
      }`,
      hint: bringsBack ? rescue : `${rescue}, then: piko destroy ${name}`,
    };
  }
  if (known !== undefined && !await hasBegun(world.tools, record)) {
    const repair = `git -C ${shellWord(root)} worktree repair`;
    return {
      ...finding,
      hint: `${repair} PLACE, if it was moved, or: piko destroy ${name}`,
    };
  }
  return { ...finding, mend: () => throwAway(world, environment) };
}

async function checkBranch(
  world: World,
  record: EnvironmentRecord,
  { branch, head = "" }: Worktree,
): Promise<Finding[]> {
  const { tools, watch } = world;
  const { root, path } = record;
  const name = qualified(record);
  if (branch === record.branch) {
    return NO_COMMIT.test(head) ? [await deletedBranch(world, record)] : [];
  }
  const now = branch === undefined ? "has no branch checked out" : `is on branch ${quote(branch)}`;
  if (await tools.git.findCommit(root, `refs/heads/${record.branch}`, watch) !== undefined) {
    return [{
      name: "worktree",
      level: "note",
      message: `The worktree of ${name} ${now}; it was made for ${quote(record.branch)}`,
      hint: `git -C ${shellWord(path)} switch ${shellWord(record.branch)}`,
    }];
  }
  const finding: Finding = {
    name: "worktree",
    level: "wrong",
    message: `Branch ${quote(record.branch)} of ${name} is gone; its worktree ${now}`,
    hint: `git -C ${shellWord(path)} switch --create ${shellWord(record.branch)}`,
  };
  if (branch === undefined) return [finding];
  return [{
    ...finding,
    hint: `piko doctor --fix takes ${quote(branch)} for its branch`,
    mend: () =>
      mendLocked(world, record, (found) => {
        tools.environments.setBranch(found.id, branch);
        return Promise.resolve(`Took ${quote(branch)} for the branch of ${name}`);
      }),
  }];
}

/** A branch that was deleted while it is checked out: only the worktree's own log of HEAD still has its last commit. */
async function deletedBranch({ tools, watch }: World, record: EnvironmentRecord): Promise<Finding> {
  const { branch, path } = record;
  const last = await tools.git.findLastHead(path, watch);
  return {
    name: "worktree",
    level: "wrong",
    message: `Branch ${quote(branch)} of ${qualified(record)} was deleted${
      last === undefined ? "" : `; its last commit was ${last.slice(0, 7)}`
    }`,
    hint: last === undefined
      ? `git -C ${shellWord(path)} commit`
      : `git -C ${shellWord(path)} update-ref ${shellWord(`refs/heads/${branch}`)} ${last}`,
  };
}

/** What git writes in the place of a commit where there is none. */
const NO_COMMIT = /^0+$/;

async function checkOverride(
  world: World,
  { record }: EnvironmentState,
): Promise<Finding[]> {
  const { overrideFile } = record;
  if (record.mode === "simple" || overrideFile === null) return [];
  const name = qualified(record);
  const whose = await isPikosOverride(overrideFile, record.composeProject);
  if (whose === "own") return await checkHidden(world, record, overrideFile);
  if (whose === "foreign") {
    return [{
      name: "override",
      level: "wrong",
      message: `piko did not write the override file of ${name}: ${overrideFile}`,
      hint: `rename it, then: piko up ${name}`,
    }];
  }
  const what = whose === "missing" ? "is gone" : "is that of another environment";
  return [{
    name: "override",
    level: "wrong",
    message: `The override file of ${name} ${what}: ${overrideFile}`,
    hint: `piko up ${name}`,
    mend: () =>
      mendLocked(world, record, async (found) => {
        await writeOverrideAnew(world, found);
        return `Wrote ${overrideFile}`;
      }),
  }];
}

/** Finds an override file that git takes for work: its line in `info/exclude` was removed. */
async function checkHidden(
  world: World,
  record: EnvironmentRecord,
  overrideFile: string,
): Promise<Finding[]> {
  const { tools, watch } = world;
  const file = overrideFile.slice(record.path.length + 1);
  if (await tools.git.isIgnored(record.path, file, watch)) return [];
  return [{
    name: "override",
    level: "wrong",
    message: `git does not ignore the override file of ${qualified(record)}: ${overrideFile}`,
    hint: `piko up ${qualified(record)}`,
    mend: () =>
      mendLocked(world, record, async () => {
        if (await hideOverride(tools, record, overrideFile, watch)) {
          return `Had git ignore ${overrideFile}`;
        }
        throw new PikoError("git has it in its index, or a .gitignore wants it", {
          code: "conflict",
          hint: `git -C ${shellWord(record.path)} rm --cached ${shellWord(file)}`,
        });
      }),
  }];
}

async function writeOverrideAnew({ tools, watch }: World, found: EnvironmentRecord): Promise<void> {
  const { config } = await readProjectConfig(found.root);
  const files = await composeFilesOf(tools, found.path, config);
  if (files === undefined) {
    throw new PikoError(`There is no compose file in ${found.path} any more`, {
      code: "conflict",
      hint: `git -C ${shellWord(found.path)} status`,
    });
  }
  const compose = await readCompose(tools, found, files, watch);
  givePorts(tools, found, compose, await tools.engine.publishedPorts(), watch);
  tools.environments.setComposeFiles(found.id, files, overrideFileOf(files));
  await writeOverride(tools.environments.require(found.id), compose, files, watch);
}

/** Finds a data folder that was removed: what was in it is gone, but scripts and windows count on it. */
async function checkData(world: World, record: EnvironmentRecord): Promise<Finding[]> {
  const { root, dataDir } = record;
  if (await isThere(dataDir)) return [];
  const name = qualified(record);
  const finding: Finding = {
    name: "folder",
    level: "wrong",
    message: `The data folder of ${name} is gone: ${dataDir}`,
    hint: `bring it back, or: mkdir -p ${shellWord(dataDir)}`,
  };
  if (!await isOnDiskOf(root, dataDir)) {
    const message = `The data folder of ${name} is not there, and may be on a disk that is not`;
    return [{ ...finding, message: `${message}: ${dataDir}`, hint: BRING_DISK_BACK }];
  }
  return [{
    ...finding,
    mend: () =>
      mendLocked(world, record, async () => {
        await makeFolder(dataDir);
        return `Made ${dataDir}, which is empty`;
      }),
  }];
}

function checkSession(world: World, record: EnvironmentRecord): Finding[] {
  const { sessions, tools, watch } = world;
  if (sessions === undefined || record.session === null) return [];
  const wanted = tmuxName(record.session);
  const named = sessions.find(({ name }) => name === wanted);
  const own = sessions.find(({ owner }) => owner === record.path);
  const name = qualified(record);
  if (own !== undefined && own === named) {
    if (!own.isUnfinished) return [];
    return [{
      name: "session",
      level: "wrong",
      message:
        `Windows are missing in the session of ${name}: piko was broken off while it made them`,
      hint: `piko attach ${name}`,
      mend: () =>
        mendLocked(
          world,
          record,
          async (found) => `Made the windows of ${quote(await ensureSession(tools, found, watch))}`,
        ),
    }];
  }
  if (own !== undefined) {
    const finding: Finding = {
      name: "session",
      level: "wrong",
      message: `The session of ${name} is called ${quote(own.name)} by now, and not ${
        quote(wanted)
      }`,
      hint: `tmux rename-session -t ${shellWord(`=${own.name}`)} ${shellWord(wanted)}`,
    };
    // One with characters that tmux could take for something else would not be found again.
    if (tmuxName(own.name) !== own.name) return [finding];
    return [{
      ...finding,
      mend: () =>
        mendLocked(world, record, (found) => {
          tools.environments.setSession(found.id, own.name);
          return Promise.resolve(`Took ${quote(own.name)} for the session of ${name}`);
        }),
    }];
  }
  if (named !== undefined) {
    return [{
      name: "session",
      level: "note",
      message: `A session ${quote(wanted)} is there that is not the one of ${name}`,
      hint: `tmux rename-session -t ${shellWord(`=${wanted}`)} OTHER-NAME`,
    }];
  }
  return [{
    name: "session",
    level: "wrong",
    message: `The session of ${name} is gone: ${wanted}`,
    hint: `piko attach ${name}`,
    mend: () =>
      mendLocked(
        world,
        record,
        async (found) => `Made the session ${quote(await ensureSession(tools, found, watch))}`,
      ),
  }];
}

/** Finds halves of override files that a killed piko has left. */
async function checkLeftFiles(world: World, record: EnvironmentRecord): Promise<Finding[]> {
  if (record.overrideFile === null) return [];
  const slash = record.overrideFile.lastIndexOf("/");
  const [folder, file] = [
    record.overrideFile.slice(0, slash),
    record.overrideFile.slice(slash + 1),
  ];
  if (!await isThere(folder)) return [];
  const left: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const isHalf = isFile && name.startsWith(`${file}.`) && name.endsWith(".tmp");
    if (isHalf) left.push(`${folder}/${name}`);
  }
  return left.map((path) => ({
    name: "override",
    level: "wrong",
    message: `A killed piko has left a half of an override file: ${path}`,
    hint: `rm ${shellWord(path)}`,
    mend: () =>
      mendLocked(world, record, async () => {
        await Deno.remove(path);
        return `Removed ${path}`;
      }),
  }));
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
