import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { shellWord } from "../domain/variables.ts";
import { NoneNamed } from "../operations/find_environment.ts";
import { prepareScript } from "../operations/run_project_script.ts";
import { canAsk, confirm } from "../terminal/prompt.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { WAIT_FLAGS } from "./parameters.ts";

interface Flags {
  start: boolean;
  wait: boolean;
  timeout: number;
}

export const command = buildCommand({
  docs: {
    brief: "Run the project's run script in an environment",
    fullDescription: [
      "Run scripts.run of .piko.yml in the worktree, with the environment's variables, and end with its exit code.",
      "",
      "  piko run feature-auth",
      "  piko run feature-auth -- --watch tests/",
      "  piko run -- --watch                      inside the worktree",
      "",
      'What stands behind -- reaches the script as "$@"; a script of one line that does not use it gets the arguments',
      "behind its last word. Containers that have stopped are started first: on a terminal piko asks, unless --yes.",
      "Ctrl+C and signals reach everything that the script has started.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      start: { kind: "boolean", brief: "start containers that have stopped first", default: true },
      ...WAIT_FLAGS,
    },
    positional: {
      kind: "array",
      parameter: {
        brief: "environment: NAME, PROJECT/NAME, or none inside its worktree",
        parse: String,
        placeholder: "NAME",
      },
    },
  },
  async func(this: Context, flags: Flags, ...words: string[]) {
    const { output, options } = this;
    const [name, ...others] = words;
    const tools = this.tools();
    const record = await environmentOf(this, name).catch((error) => {
      throw nameBehind(error, this.handedOn) ?? error;
    });
    if (others.length > 0) {
      throw new PikoError("Arguments for the script stand behind --", {
        code: "usage",
        hint: `piko run ${qualified(record)} -- ${others.map(shellWord).join(" ")}`,
      });
    }
    const startFirst = async (stopped: readonly string[]) => {
      if (!flags.start) return false;
      if (options.yes || !canAsk()) return true;
      const question = stopped.length === 0
        ? `${record.name} has no containers yet. Make and start them first?`
        : stopped.length === 1
        ? `${stopped[0]} of ${record.name} is stopped. Start it first?`
        : `${stopped.join(", ")} of ${record.name} are stopped. Start them first?`;
      return await confirm(question, this.signal, "yes");
    };
    const script = await prepareScript(
      tools,
      record,
      { ...flags, args: this.handedOn, startFirst },
      this.watch,
    );
    output.clearMoving();
    this.leaveSignals();
    this.process.exitCode = await script.run();
  },
});

/** Makes the error for an environment that was named behind `--`, among the arguments of the script. */
function nameBehind(
  error: unknown,
  [name = "", ...args]: readonly string[],
): PikoError | undefined {
  if (!(error instanceof NoneNamed)) return undefined;
  const meant = error.candidates.find((each) => each.name === name || qualified(each) === name);
  if (meant === undefined) return undefined;
  const rest = args.length === 0 ? "" : ` -- ${args.map(shellWord).join(" ")}`;
  return new PikoError(
    "Which environment? It stands before --, and the arguments of the script behind it",
    { code: "usage", hint: `piko run ${qualified(meant)}${rest}` },
  );
}
