import { buildCommand } from "@stricli/core";
import { initProject } from "../operations/init_project.ts";
import type { Context } from "./context.ts";

export const command = buildCommand({
  docs: {
    brief: "Register this repository with piko",
    fullDescription: [
      "Register the git repository of the current folder: makes .piko, has git ignore it, and records the project.",
      "",
      "  piko init",
      "  piko init --name shop",
      "  piko init --config                       with a .piko.yml to begin with, also later",
      "",
      "A compose file is optional: without one the project is in simple mode, with worktrees, data, scripts and",
      "variables, and no containers.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      name: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "NAME",
        brief: "the project's name; the folder's by default",
      },
      config: {
        kind: "boolean",
        brief: "write a .piko.yml to begin with, in which everything is a comment",
        default: false,
        withNegated: false,
      },
    },
  },
  async func(this: Context, flags: { name?: string; config: boolean }) {
    const { output } = this;
    const tools = this.tools({ create: true });
    const initialized = await initProject(tools, this.folder, flags, this.watch);
    const { isNew, composeFiles, configFile, changedGitignore } = initialized;
    const { id, name, root } = initialized.project;
    if (output.json) {
      const environments = tools.environments.list(id).length;
      return output.answerJson({
        project: { name, root, composeFile: composeFiles[0] ?? null, environments },
        ...configFile === null ? {} : { configFile },
      });
    }
    const done = output.paintAnswer("green", "✓");
    if (configFile !== null) output.answer(`${done} Wrote ${configFile}`);
    if (!isNew) return;
    output.answer(`${done} Initialized piko in ${root}/.piko`);
    output.note(
      composeFiles.length === 0
        ? `  Project ${name}, without a compose file: simple mode`
        : `  Project ${name}, with ${composeFiles.map((file) => relative(file, root)).join(", ")}`,
    );
    if (changedGitignore) output.note("  Added .piko/ to .gitignore, which is yours to commit");
    output.note("  Next: piko create NAME");
  },
});

function relative(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
