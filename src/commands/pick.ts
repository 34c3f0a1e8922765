import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import type { Context } from "./context.ts";
import { enterSession, hasTerminal } from "./enter_session.ts";
import { canPick, pickEnvironment } from "./pick_environment.ts";

export const command = buildCommand({
  docs: {
    brief: "Choose an environment from a list, and go to its session",
    fullDescription: [
      "Show the environments of all projects with their status and branch; a few letters find the one you mean. Enter goes",
      "to its tmux session: attaches to it, or inside tmux switches to it. The list is fzf's where fzf is installed.",
      "",
      "  piko pick",
    ].join("\n"),
  },
  parameters: {},
  async func(this: Context) {
    const tools = this.tools();
    const records = tools.environments.list();
    if (records.length === 0) {
      throw new PikoError("There are no environments yet", {
        code: "not-found",
        hint: "piko create NAME",
      });
    }
    if (!canPick(this) || !hasTerminal()) {
      throw new PikoError("Cannot ask which environment without a terminal", {
        code: "usage",
        hint: "name one of these: piko attach NAME",
        details: records.map(({ project, name }) => `${project}/${name}`),
      });
    }
    await enterSession(this, await pickEnvironment(this, records));
  },
});
