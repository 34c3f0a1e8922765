import { buildCommand } from "@stricli/core";
import { environmentVariables, shellQuote } from "../domain/variables.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { OPTIONAL_NAME } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Print an environment's variables",
    fullDescription: [
      "Print the PIKO_* variables of an environment, which scripts and compose files have too.",
      "",
      "  piko env feature-auth",
      "  piko env feature-auth --json",
      '  eval "$(piko env feature-auth --export)"',
    ].join("\n"),
  },
  parameters: {
    flags: {
      export: {
        kind: "boolean",
        brief: "as lines that a POSIX shell can eval, safe for any value",
        default: false,
        withNegated: false,
      },
    },
    positional: { kind: "tuple", parameters: [OPTIONAL_NAME] },
  },
  async func(this: Context, flags: { export: boolean }, name?: string) {
    const { output } = this;
    const variables = environmentVariables(await environmentOf(this, name));
    if (output.json) return output.answerJson(variables);
    output.answer(
      Object.entries(variables).map(([key, value]) =>
        flags.export ? `export ${key}=${shellQuote(value)}` : `${key}=${value}`
      ).join("\n"),
    );
  },
});
