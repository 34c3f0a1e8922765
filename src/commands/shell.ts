import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { prepareExec } from "../operations/exec_in_service.ts";
import type { Context } from "./context.ts";
import { SERVICE_WORDS, TERMINAL_PARAMETERS, type TerminalFlags } from "./parameters.ts";
import { readServiceWords, typed } from "./service_words.ts";

export const command = buildCommand({
  docs: {
    brief: "Open the shell of a service in its container",
    fullDescription: [
      "Open the shell of a service in its container: shells in .piko.yml or in your own config.yml, else your default_shell",
      "where the container has it, else sh.",
      "",
      "  piko shell feature-auth db               psql, with shells: { db: psql -U postgres }",
      "  piko shell web                           inside the worktree",
      "",
      "piko exec runs any other command there.",
    ].join("\n"),
  },
  parameters: { ...TERMINAL_PARAMETERS, positional: SERVICE_WORDS },
  async func(this: Context, _flags: TerminalFlags, ...words: string[]) {
    const { record, service, command } = await readServiceWords(this, "shell", words);
    if (command.length > 0) {
      throw new PikoError("piko shell opens the service's own shell, and takes no command", {
        code: "usage",
        hint: `piko exec ${qualified(record)} ${typed([service, ...command])}`,
      });
    }
    const exec = await prepareExec(this.tools(), record, service, [], this.watch);
    this.leaveSignals();
    const terminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
    this.process.exitCode = await exec.run({ terminal });
  },
});
