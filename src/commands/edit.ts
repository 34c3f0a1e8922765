import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { prepareEdit, prepareEditAll } from "../operations/edit_worktree.ts";
import { requireEnvironment, requireProject } from "../operations/find_environment.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { OPTIONAL_NAME } from "./parameters.ts";

interface Flags {
  all: boolean;
  editor?: string;
}

export const command = buildCommand({
  docs: {
    brief: "Open an environment's worktree in the editor",
    fullDescription: [
      "Open the worktree of an environment in the editor: --editor, else editor in your own config.yml, else $VISUAL, else",
      "$EDITOR, else cursor, code or vim.",
      "",
      "  piko edit feature-auth",
      '  piko edit feature-auth --editor "code --new-window"',
      "  piko edit --all                          all worktrees of the project, as one workspace",
      "",
      "An editor in the terminal is waited for; one with a window of its own is not.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      all: {
        kind: "boolean",
        brief: "all worktrees of the project, as one .code-workspace",
        default: false,
        withNegated: false,
      },
      editor: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "COMMAND",
        brief: "the editor, with its arguments",
      },
    },
    aliases: { a: "all", e: "editor" },
    positional: { kind: "tuple", parameters: [OPTIONAL_NAME] },
  },
  async func(this: Context, flags: Flags, name?: string) {
    const { output } = this;
    const tools = this.tools();
    const edit = flags.all
      ? await prepareEditAll(tools, projectOf(this, name), flags.editor, this.watchQuietly)
      : await prepareEdit(tools, await environmentOf(this, name), flags.editor, this.watchQuietly);
    const { editor, paths, shellCommand } = edit;
    if (editor.drawsOnTerminal && !(Deno.stdin.isTerminal() && Deno.stdout.isTerminal())) {
      throw new PikoError(`${editor.name} needs a terminal`, {
        code: "usage",
        hint: "--editor names one with a window of its own",
        details: paths,
      });
    }
    this.leaveSignals();
    const exitCode = await edit.open();
    if (editor.drawsOnTerminal) {
      this.process.exitCode = exitCode;
      if (!output.json) return;
    } else if (exitCode !== 0) {
      throw new PikoError(`${editor.name} could not open it (exit code ${exitCode})`, {
        code: "failed",
        hint: `try it yourself: ${shellCommand}`,
      });
    }
    if (output.json) return output.answerJson({ opened: { editor: editor.argv, paths } });
    output.answer(
      `${output.paintAnswer("green", "✓")} Opened ${paths.join(", ")} with ${editor.name}`,
    );
  },
});

function projectOf(context: Context, name: string | undefined) {
  const tools = context.tools();
  if (name === undefined) return requireProject(tools, context.folder);
  const { projectId } = requireEnvironment(tools, context.folder, name);
  const project = tools.projects.list().find(({ id }) => id === projectId);
  if (project === undefined) throw new TypeError("an environment without a project");
  return project;
}
