import { buildCommand } from "@stricli/core";
import type { Service } from "../domain/environment.ts";
import { qualified } from "../domain/hints.ts";
import {
  findEnvironmentAt,
  requireEnvironment,
  requireProjectToShow,
} from "../operations/find_environment.ts";
import { describeEnvironments, type EnvironmentInFull } from "../operations/list_environments.ts";
import { describeShared } from "../operations/list_shared.ts";
import { describeProject } from "../operations/projects.ts";
import { listUnstartedServices } from "../operations/unstarted_services.ts";
import { findOtherCheckout } from "../programs/linked_worktree.ts";
import type { Output } from "../terminal/output.ts";
import { ago, table } from "../terminal/table.ts";
import type { Context } from "./context.ts";
import { containersText, statusText } from "./list.ts";
import { OPTIONAL_NAME } from "./parameters.ts";
import { sharedTable } from "./share.ts";

export const command = buildCommand({
  docs: {
    brief: "Show one environment in full, with its containers and ports",
    fullDescription: [
      "Show an environment in full. Without a name and outside a worktree: the project.",
      "",
      "  piko status feature-auth",
      "  piko status shop/feature-auth --json",
    ].join("\n"),
  },
  parameters: { positional: { kind: "tuple", parameters: [OPTIONAL_NAME] } },
  async func(this: Context, _flags: Record<never, never>, name?: string) {
    const { output } = this;
    const tools = this.tools();
    if (name === undefined && findEnvironmentAt(tools, this.folder) === undefined) {
      const found = requireProjectToShow(tools, this.folder);
      const project = await describeProject(tools, found);
      const shared = await describeShared(tools, found, this.watchQuietly);
      if (output.json) return output.answerJson({ project, shared });
      const parts = [facts(output, [
        ["Project", project.name],
        ["Root", project.root],
        ["Compose file", project.composeFile ?? "none: simple mode"],
        ["Environments", String(project.environments)],
      ])];
      if (shared.length > 0) parts.push(sharedTable(shared, output));
      return output.answer(parts.join("\n\n"));
    }
    const record = requireEnvironment(tools, this.folder, name);
    const [described] = await describeEnvironments(
      tools,
      [record],
      this.watchQuietly,
      listUnstartedServices,
    );
    if (described === undefined) throw new TypeError("One record, one description");
    const checkedOut = findOtherCheckout(record.path, record.branch);
    if (output.json) return output.answerJson({ ...described, checkedOut });
    output.answer(inFull(described, checkedOut, output));
    if (described.environment.status === "missing") {
      output.note(
        `\n  Its worktree is gone: piko doctor tells more, piko destroy ${
          qualified(record)
        } removes what is left of it`,
      );
    }
  },
});

function inFull(
  { environment, services }: EnvironmentInFull,
  checkedOut: string | null,
  output: Output,
): string {
  const counts = environment.mode === "docker" ? `, containers ${containersText(environment)}` : "";
  const parts = [facts(output, [
    ["Environment", `${environment.project}/${environment.name}`],
    ["Status", `${statusText(environment, output)}${counts}`],
    [
      "Branch",
      `${environment.branch}${checkedOut === null ? "" : ` (checked out: ${checkedOut})`}`,
    ],
    ["Path", environment.path],
    ["Data", environment.dataDir],
    ["Slot", String(environment.slot)],
    ...(environment.mode === "docker"
      ? [["Compose project", environment.composeProject] as const]
      : []),
    ...(environment.session === null ? [] : [["Session", environment.session] as const]),
    ["Created", `${environment.createdAt} (${ago(environment.createdAt, Date.now())})`],
  ])];
  if (services.length > 0) {
    parts.push(table(
      ["SERVICE", "STATE", "HEALTH", "PORTS"].map((word) => output.paintAnswer("dim", word)),
      services.map((described) => {
        const { service, health, ports, shared } = described;
        return [
          shared ? `${service} (shared)` : service,
          stateText(described, output),
          health ?? "-",
          ports.map(({ containerPort, url, protocol }) =>
            `${containerPort}${protocol === "udp" ? "/udp" : ""} → ${url}`
          ).join(", ") || "-",
        ];
      }),
    ));
  }
  return parts.join("\n\n");
}

/** A program that has done its work ends with 0, and one that a signal stops with 128 and SIGINT, SIGKILL or SIGTERM. */
const NO_FAILURES: ReadonlySet<number> = new Set([0, 130, 137, 143]);

/** Shows what a service's container is doing as `docker ps` does, `exited (3)`, and that it has failed. */
function stateText({ state, exitCode }: Service, output: Output): string {
  if (exitCode === null) return state;
  const text = `${state} (${exitCode})`;
  return NO_FAILURES.has(exitCode) ? text : `${text} ${output.paintAnswer("red", "✗ failed")}`;
}

function facts(output: Output, lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([label]) => label.length)) + 2;
  return lines.map(([label, value]) => output.paintAnswer("dim", label.padEnd(width)) + value).join(
    "\n",
  );
}
