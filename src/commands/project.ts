import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { nearestName, quote } from "../domain/names.ts";
import { describeProject, forgetProject } from "../operations/projects.ts";
import { table } from "../terminal/table.ts";
import type { Context } from "./context.ts";

export const command = buildCommand({
  docs: {
    brief: "Show or forget the projects of this machine",
    fullDescription: [
      "Show the projects of this machine, or forget one that has no environments. Its files stay as they are.",
      "",
      "  piko project list",
      "  piko project forget shop",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "list or forget", parse: String, placeholder: "ACTION" },
        { brief: "the project to forget", parse: String, placeholder: "NAME", optional: true },
      ],
    },
  },
  async func(this: Context, _flags: Record<never, never>, action: string, name?: string) {
    if (action === "list" && name === undefined) return await list(this);
    if (action === "forget" && name !== undefined) return forget(this, name);
    if (action === "forget") {
      throw new PikoError("Which project is to be forgotten?", {
        code: "usage",
        hint: "piko project list",
      });
    }
    const near = nearestName(action, ["list", "forget"]) ?? "list";
    throw new PikoError(`There is no action ${quote(action)}`, {
      code: "usage",
      hint: `piko project ${near}`,
    });
  },
});

async function list(context: Context): Promise<void> {
  const { output } = context;
  const tools = context.tools();
  const projects = await Promise.all(
    tools.projects.list().map((record) => describeProject(tools, record)),
  );
  if (output.json) return output.answerJson({ projects });
  if (projects.length === 0) return output.note("No projects yet\n  piko init");
  output.answer(table(
    ["NAME", "ENVIRONMENTS", "ROOT"].map((word) => output.paintAnswer("dim", word)),
    projects.map(({ name, environments, root }) => [name, String(environments), root]),
  ));
}

function forget(context: Context, name: string): void {
  const { output } = context;
  const project = forgetProject(context.tools(), name);
  if (output.json) {
    return output.answerJson({ forgotten: { name: project.name, root: project.root } });
  }
  output.answer(
    `${output.paintAnswer("green", "✓")} Forgot ${project.name}; ${project.root} is as it was`,
  );
}
