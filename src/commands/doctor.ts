import { buildCommand } from "@stricli/core";
import { userVariables } from "../build_info.ts";
import type { Check, CheckName } from "../domain/check.ts";
import { PikoError } from "../domain/errors.ts";
import { visible } from "../domain/failure.ts";
import { type Diagnosis, examine, examineWithoutRegistry } from "../operations/doctor.ts";
import type { Tools } from "../operations/tools.ts";
import type { Output } from "../terminal/output.ts";
import { homeFolder, withoutEnvironment } from "../registry.ts";
import { wirePrograms } from "../wiring.ts";
import type { Context } from "./context.ts";

export const command = buildCommand({
  docs: {
    brief: "Find what is wrong, and mend it",
    fullDescription: [
      "Look at the programs, the registry, and everything that disagrees among registry, git, Docker and tmux: what a",
      "killed piko has left, and what was done beside it. With --fix what can be mended is mended: half-made environments",
      "are taken back, half-destroyed ones finished, what was broken off is done again. It never deletes work, volumes or",
      "data, and touches nothing that is not piko's; the rest is named, with the command that helps.",
      "",
      "  piko doctor",
      "  piko doctor --fix",
      "",
      "Exit code 0 when all is in order or was mended, 1 when something is wrong.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      fix: {
        kind: "boolean",
        brief: "mend what can be mended without losing work",
        default: false,
        withNegated: false,
      },
    },
  },
  async func(this: Context, flags: { fix: boolean }) {
    const { output } = this;
    const diagnoses = await diagnose(this, flags);
    if (output.json) {
      const checks = diagnoses.map(({ name, ok, message, hint, fixed }): Check => (
        { name, ok, message, hint, fixed }
      ));
      output.answerJson({ checks });
    } else {
      output.answer(show(diagnoses, output));
      output.note(summary(diagnoses, flags.fix));
    }
    if (diagnoses.some(({ ok }) => !ok)) this.process.exitCode = 1;
  },
});

async function diagnose(context: Context, flags: { fix: boolean }): Promise<Diagnosis[]> {
  let tools: Tools;
  try {
    tools = context.tools();
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    const variables = withoutEnvironment(userVariables(Deno.env.toObject()));
    return await examineWithoutRegistry(wirePrograms(variables), homeFolder(variables), error);
  }
  return await examine(tools, flags, context.watch);
}

/** The checks that are shown together. */
const GROUPS: readonly (readonly [title: string, names: readonly CheckName[]])[] = [
  ["Programs", ["git", "tmux", "docker", "compose", "engine", "fzf", "editor"]],
  ["Registry", ["home", "registry", "disk"]],
  ["Projects", ["project", "config", "git-entry", "folder"]],
  ["Environments", ["environment", "worktree", "override", "session", "port"]],
  ["Docker", ["shared", "container", "network", "network-room", "volume"]],
];

function show(diagnoses: readonly Diagnosis[], output: Output): string {
  const groups = GROUPS.flatMap(([title, names]) => {
    const lines = diagnoses.filter(({ name }) => names.includes(name))
      .flatMap((diagnosis) => showOne(diagnosis, output));
    return lines.length === 0 ? [] : [[output.paintAnswer("bold", title), ...lines].join("\n")];
  });
  return groups.join("\n\n");
}

function showOne({ level, message, hint, fixed }: Diagnosis, output: Output): string[] {
  const sign = {
    fine: output.paintAnswer("green", "✓"),
    note: output.paintAnswer("yellow", "!"),
    wrong: output.paintAnswer("red", "✗"),
  }[level];
  const mended = fixed ? ` ${output.paintAnswer("cyan", "(mended)")}` : "";
  const lines = [`  ${sign} ${visible(message)}${mended}`];
  if (hint !== null) lines.push(`      ${output.paintAnswer("cyan", "→")} ${visible(hint)}`);
  return lines;
}

function summary(diagnoses: readonly Diagnosis[], fix: boolean): string {
  const wrong = diagnoses.filter(({ ok }) => !ok);
  const mended = diagnoses.filter(({ fixed }) => fixed).length;
  const parts = [
    ...(mended > 0 ? [`${mended} mended`] : []),
    wrong.length === 0 ? "all is in order" : `${wrong.length} wrong`,
  ];
  const canMend = !fix && wrong.some(({ canMend }) => canMend);
  return `\n${parts.join(", ")}${canMend ? "; piko doctor --fix mends what it can" : ""}`;
}
