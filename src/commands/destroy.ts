import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { pikoIn } from "../domain/hints.ts";
import { nameList } from "../domain/names.ts";
import {
  type Destroyed,
  destroyEnvironment,
  type DestroyRequest,
  findWork,
  refuseWork,
} from "../operations/destroy_environment.ts";
import { isThere } from "../operations/files.ts";
import { endSession, isLookedAt } from "../operations/sessions.ts";
import { projectOf } from "../operations/use_shared.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import type { Output } from "../terminal/output.ts";
import { canAsk, confirm, waitForEnter } from "../terminal/prompt.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { noteKeptVolumes } from "./kept_volumes.ts";
import { OPTIONAL_NAME } from "./parameters.ts";

type Flags = Omit<DestroyRequest, "accepted">;

export const command = buildCommand({
  docs: {
    brief: "Throw an environment away, without losing work",
    fullDescription: [
      "Remove an environment: destroy script, session, containers and networks, worktree, data folder and entry. The branch",
      "with its commits stays, and so do the volumes. Work that is not committed stops it (exit 4), before anything is touched;",
      "files that git ignores are no work, and go with the worktree.",
      "",
      "  piko destroy feature-auth",
      "  piko destroy feature-auth --volumes --yes",
      "",
      "It can be run again when it was broken off.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      volumes: {
        kind: "boolean",
        brief: "remove the volumes too",
        default: false,
        withNegated: false,
      },
      force: {
        kind: "boolean",
        brief: "throw away work that is not committed",
        default: false,
        withNegated: false,
      },
      deleteBranch: {
        kind: "boolean",
        brief: "delete the branch too, when it is merged or with --force",
        default: false,
        withNegated: false,
      },
      keepData: {
        kind: "boolean",
        brief: "keep the data folder",
        default: false,
        withNegated: false,
      },
    },
    aliases: { f: "force" },
    positional: { kind: "tuple", parameters: [OPTIONAL_NAME] },
  },
  async func(this: Context, flags: Flags, name?: string) {
    const { output } = this;
    const tools = this.tools();
    const record = await environmentOf(this, name);
    if (!this.options.yes && canAsk()) {
      // Nobody should be asked for what is refused afterwards.
      await refuseWork(tools, record, flags, this.watch);
      const work = flags.force ? await findWork(tools, record, this.signal) : undefined;
      const branch = await tools.git.findCommit(record.root, `refs/heads/${record.branch}`, this);
      const lines = [...work?.files ?? [], ...work?.commits ?? []];
      output.note(whatGoes(record, flags, lines, branch !== undefined, await isThere(record.path)));
      if (!await confirm(`Destroy ${record.project}/${record.name}?`, this.signal)) {
        throw new PikoError("Nothing was destroyed", { code: "interrupted" });
      }
    }
    const destroyed = await destroyEnvironment(tools, record, flags, this.watch);
    answer(record, destroyed, output);
    await offerSharedGone(this, record, destroyed);
    if (destroyed.ownSession === null) return;
    // What was said would go with the session before anybody has read it.
    const isRead = !this.options.yes && !output.quiet && canAsk();
    if (isRead && await isLookedAt(tools, record)) {
      output.note("  Enter ends this session");
      await waitForEnter(this.signal);
    }
    // The last act: it ends this piko too.
    await endSession(tools, record);
  },
});

/** Tells of shared services that run for nobody now, and offers to remove them with the last environment. */
async function offerSharedGone(
  context: Context,
  record: EnvironmentRecord,
  { unusedShared, wasLast }: Destroyed,
): Promise<void> {
  if (unusedShared.length === 0 || !(wasLast || record.shared !== null)) return;
  const { output } = context;
  const names = nameList(unusedShared);
  const verb = unusedShared.length === 1 ? "runs" : "run";
  output.note(`  The shared ${names} ${verb} on, and no environment uses it`);
  const command = `${pikoIn(record.root)} isolate ${unusedShared.join(" ")}`;
  const isAsked = wasLast && !context.options.yes && canAsk();
  if (!isAsked || !await confirm(`Remove the shared ${names} too?`, context.signal)) {
    return output.note(`  ${command} removes it; its volumes stay`);
  }
  const { removeSharedServices } = await import("../operations/share_service.ts");
  const tools = context.tools();
  const kept = await removeSharedServices(tools, projectOf(record), unusedShared, context.watch);
  noteKeptVolumes(output, kept, "piko share");
}

function answer(
  record: EnvironmentRecord,
  { keptVolumes, keptBranch }: Destroyed,
  output: Output,
): void {
  if (output.json) {
    return output.answerJson({
      destroyed: { project: record.project, name: record.name, keptVolumes, keptBranch },
    });
  }
  output.answer(`${output.paintAnswer("green", "✓")} Destroyed ${record.project}/${record.name}`);
  if (keptBranch !== null) output.note(`  Branch ${keptBranch} stays`);
  noteKeptVolumes(output, keptVolumes, `${pikoIn(record.root)} create ${record.name}`);
}

function whatGoes(
  record: EnvironmentRecord,
  flags: Flags,
  work: string[],
  hasBranch: boolean,
  isThere: boolean,
): string {
  const goes = [
    isThere
      ? `worktree ${record.path}`
      : `what git keeps of worktree ${record.path}, which is gone`,
  ];
  if (record.mode === "docker") goes.push(`containers and networks of ${record.composeProject}`);
  if (record.session !== null) goes.push(`session ${record.session}, with what runs in it`);
  if (flags.volumes) goes.push(`volumes of ${record.composeProject}, with everything in them`);
  if (!flags.keepData) goes.push(`data ${record.dataDir}`);
  if (flags.deleteBranch && hasBranch) goes.push(`branch ${record.branch}`);
  goes.push(...work.map((line) => `unsaved work: ${line}`));
  const stays = [
    ...(flags.deleteBranch || !hasBranch ? [] : [`branch ${record.branch} with its commits`]),
    ...(flags.volumes || record.mode === "simple" ? [] : ["the volumes"]),
    ...(flags.keepData ? [`data ${record.dataDir}`] : []),
  ];
  return [
    ...goes.map((what) => `  goes   ${what}`),
    ...stays.map((what) => `  stays  ${what}`),
  ].join("\n");
}
