import { buildCommand } from "@stricli/core";
import { prepareExec } from "../operations/exec_in_service.ts";
import type { Context } from "./context.ts";
import { SERVICE_WORDS, TERMINAL_PARAMETERS, type TerminalFlags } from "./parameters.ts";
import { readServiceWords } from "./service_words.ts";

export const command = buildCommand({
  docs: {
    brief: "Run a command in the container of a service",
    fullDescription: [
      "Run a command in the container of a service, with the environment's variables, and end with its exit code. What",
      "stands behind SERVICE is the command, its options included: those of piko stand before. Without a command it is",
      "the service's shell, as piko shell opens it.",
      "",
      "  piko exec feature-auth web ls -la /app",
      "  piko exec feature-auth db psql -U postgres < dump.sql",
      "  piko exec web npm test                   inside the worktree",
      "",
      "The command gets a terminal when piko's input and output are one; docker's -it is taken, and not needed.",
    ].join("\n"),
  },
  parameters: { ...TERMINAL_PARAMETERS, positional: SERVICE_WORDS },
  async func(this: Context, _flags: TerminalFlags, ...words: string[]) {
    const { record, service, command } = await readServiceWords(this, "exec", words);
    const exec = await prepareExec(this.tools(), record, service, command, this.watch);
    this.leaveSignals();
    const terminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
    this.process.exitCode = await exec.run({ terminal });
  },
});
