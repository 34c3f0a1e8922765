import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { shellWord } from "../domain/variables.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { createEnvironment } from "../operations/create_environment.ts";
import { requireProject } from "../operations/find_environment.ts";
import { describeEnvironments } from "../operations/list_environments.ts";
import type { Context } from "./context.ts";
import { enterSession, hasTerminal } from "./enter_session.ts";
import { SERVICES_FLAG, WAIT_FLAGS } from "./parameters.ts";

interface Flags {
  branch?: string;
  from?: string;
  attach: boolean;
  start: boolean;
  wait: boolean;
  timeout: number;
  keep: boolean;
  shared?: readonly string[];
}

export const command = buildCommand({
  docs: {
    brief: "Give a branch its own worktree, containers, ports and data",
    fullDescription: [
      "Make an environment: worktree, data folder, ports, override file, prepare script, containers, setup script, tmux",
      "session. On a terminal it goes to the session at the end; --no-attach does not.",
      "",
      "  piko create feature-auth",
      "  piko create feature/Auth                     environment feature-auth on branch feature/Auth",
      "  piko create hotfix --from v1.4 --no-start",
      "  piko create review --branch their-branch",
      "  piko create reports --shared redis,jaeger    one redis and one jaeger for all environments",
      "",
      "A branch that exists is used, one that only a remote has is tracked, else a new one starts at --from. With",
      "--no-start, the setup script of an environment that has containers waits for the first piko up.",
      "When a step fails, what this call made is removed again; --keep leaves it for inspection. Files in the worktree that",
      "are in no commit go into a git stash first, and the command that brings them back is printed.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      branch: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "BRANCH",
        brief: "the branch, when it is called differently from NAME",
      },
      from: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "REF",
        brief: "where a new branch starts; HEAD of the main worktree by default",
      },
      attach: {
        kind: "boolean",
        brief: "go to the session, when there is a terminal",
        default: true,
      },
      start: { kind: "boolean", brief: "start the containers", default: true },
      ...WAIT_FLAGS,
      shared: {
        ...SERVICES_FLAG,
        brief: "services that all environments share from now on, with commas between them",
      },
      keep: {
        kind: "boolean",
        brief: "leave a failed environment for inspection",
        default: false,
        withNegated: false,
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "a branch, or a name for one", parse: String, placeholder: "NAME" }],
    },
  },
  async func(this: Context, flags: Flags, name: string) {
    const { output, watch } = this;
    const tools = this.tools();
    const project = requireProject(tools, this.folder);
    const record = await createEnvironment(tools, project, { ...flags, name }, watch);
    if (output.json) {
      const [described] = await describeEnvironments(tools, [record], watch);
      output.answerJson({ environment: described?.environment });
      return;
    }
    output.answer(`${output.paintAnswer("green", "✓")} Created ${record.project}/${record.name}`);
    if (!flags.attach || record.session === null || !hasTerminal()) {
      return output.note(nextSteps(record));
    }
    try {
      await enterSession(this, record);
    } catch (error) {
      if (!(error instanceof PikoError)) throw error;
      // The environment is there all the same.
      output.warn(error.message);
      output.note(nextSteps(record));
    }
  },
});

function nextSteps(record: EnvironmentRecord): string {
  const lines = [`  cd ${shellWord(record.path)}`];
  if (record.session !== null) lines.push(`  piko attach ${qualified(record)}`);
  if (record.ports.length > 0) lines.push(`  piko ports ${qualified(record)}`);
  lines.push(`  eval "$(piko env ${qualified(record)} --export)"`);
  return lines.join("\n");
}
