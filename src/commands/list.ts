import { buildCommand } from "@stricli/core";
import type { Environment } from "../domain/environment.ts";
import { requireProjectToShow } from "../operations/find_environment.ts";
import { describeEnvironments } from "../operations/list_environments.ts";
import type { Output, Style } from "../terminal/output.ts";
import { ago, table } from "../terminal/table.ts";
import type { Context } from "./context.ts";

export const command = buildCommand({
  docs: {
    brief: "Show what exists and what runs",
    fullDescription: [
      "Show the environments of this project, or of every project of this machine.",
      "",
      "  piko list",
      "  piko list --all --json",
      "",
      "Statuses: running, partial, stopped, unhealthy, creating, failed, destroying, simple (no containers),",
      "missing (the worktree is gone), unknown (no engine answers).",
    ].join("\n"),
  },
  parameters: {
    flags: {
      all: {
        kind: "boolean",
        brief: "the environments of every project",
        default: false,
        withNegated: false,
      },
    },
    aliases: { a: "all" },
  },
  async func(this: Context, { all }: { all: boolean }) {
    const { output } = this;
    const tools = this.tools();
    const project = all ? undefined : requireProjectToShow(tools, this.folder);
    const records = tools.environments.list(project?.id);
    const described = await describeEnvironments(tools, records, this.watchQuietly);
    const environments = described.map(({ environment }) => environment);
    if (output.json) return output.answerJson({ environments });
    if (environments.length === 0) {
      output.note(`No environments${all ? "" : ` in project ${project?.name}`} yet`);
      output.note("  piko create NAME");
      return;
    }
    const now = Date.now();
    const heading = ["NAME", "STATUS", "BRANCH", "CONTAINERS", "CREATED"];
    output.answer(table(
      heading.map((word) => output.paintAnswer("dim", word)),
      environments.map((environment) => [
        all ? `${environment.project}/${environment.name}` : environment.name,
        statusText(environment, output),
        environment.branch,
        containersText(environment),
        ago(environment.createdAt, now),
      ]),
    ));
  },
});

/** The colours of the statuses. */
export const STATUS_STYLES: Readonly<Record<Environment["status"], Style>> = {
  running: "green",
  partial: "yellow",
  stopped: "dim",
  unhealthy: "red",
  creating: "cyan",
  failed: "red",
  destroying: "cyan",
  simple: "dim",
  missing: "red",
  unknown: "yellow",
};

/** Shows a status in its colour. */
export function statusText({ status }: Environment, output: Output): string {
  return output.paintAnswer(STATUS_STYLES[status], status);
}

/** Shows how many containers run: `3/3`, with the healthy ones when they are fewer. */
export function containersText({ mode, status, containers }: Environment): string {
  if (mode === "simple" || status === "unknown") return "-";
  const { running, healthy, total } = containers;
  return `${running}/${total}${healthy < running ? `, ${healthy} healthy` : ""}`;
}
