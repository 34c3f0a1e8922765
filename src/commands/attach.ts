import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { enterSession, requireTerminal } from "./enter_session.ts";
import { OPTIONAL_NAME } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Go to an environment's tmux session, from outside tmux",
    fullDescription: [
      "Give this terminal to the tmux session of an environment, which is made when it is missing. Ctrl+B D leaves it",
      "again, and everything in it goes on. Inside tmux, piko switch does the same.",
      "",
      "  piko attach feature-auth",
      "  piko attach shop/feature-auth",
    ].join("\n"),
  },
  parameters: { positional: { kind: "tuple", parameters: [OPTIONAL_NAME] } },
  async func(this: Context, _flags: Record<never, never>, name?: string) {
    const tools = this.tools();
    const record = await environmentOf(this, name);
    if (tools.tmux.isInside) {
      throw new PikoError("Cannot attach inside tmux, which is a session already", {
        code: "usage",
        hint: `piko switch ${qualified(record)}`,
      });
    }
    requireTerminal("attach");
    await enterSession(this, record);
  },
});
