import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { isInSession } from "../operations/sessions.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { enterSession, requireTerminal } from "./enter_session.ts";
import { OPTIONAL_NAME } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Go to another environment's session, from inside tmux",
    fullDescription: [
      "Show the tmux session of another environment in this terminal; it is made when it is missing. The session that is",
      "left goes on. Outside tmux, piko attach does the same.",
      "",
      "  piko switch feature-auth",
      "  piko switch shop/feature-auth",
    ].join("\n"),
  },
  parameters: { positional: { kind: "tuple", parameters: [OPTIONAL_NAME] } },
  async func(this: Context, _flags: Record<never, never>, name?: string) {
    const tools = this.tools();
    const record = await environmentOf(this, name);
    if (!tools.tmux.isInside) {
      throw new PikoError("Cannot switch outside tmux: there is no session to leave", {
        code: "usage",
        hint: `piko attach ${qualified(record)}`,
      });
    }
    requireTerminal("switch");
    if (await isInSession(tools, record)) {
      return this.output.note(
        `This is the session of ${qualified(record)} already; piko pick goes to another`,
      );
    }
    await enterSession(this, record);
  },
});
