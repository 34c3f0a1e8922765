import { buildCommand } from "@stricli/core";
import type { SharedService } from "../domain/environment.ts";
import { nameList } from "../domain/names.ts";
import { requireProject } from "../operations/find_environment.ts";
import { describeShared } from "../operations/list_shared.ts";
import { shareServices } from "../operations/share_service.ts";
import type { Output } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import type { Context } from "./context.ts";
import { NAMES_OF_SERVICES, NOW_FLAG, WAIT_FLAGS } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Let all environments share services, or show which they share",
    fullDescription: [
      "Start one instance of a service for the whole project, from the main worktree. Environments that are created or",
      "started from now on have none of their own, and reach it by the name they know; nobody sees anything else of another",
      "environment. Those that exist keep their own until piko up, or --now for all; their volumes stay, and",
      "piko isolate finds those again that have a name.",
      "",
      "  piko share                      what is shared, its ports, and who uses it",
      "  piko share redis",
      "  piko share redis jaeger --now",
      "",
      "What a shared service depends on has to be shared too. shared: [redis] in .piko.yml does the same for everybody.",
    ].join("\n"),
  },
  parameters: { flags: { ...NOW_FLAG, ...WAIT_FLAGS }, positional: NAMES_OF_SERVICES },
  async func(
    this: Context,
    flags: { now: boolean; wait: boolean; timeout: number },
    ...services: string[]
  ) {
    const { output } = this;
    const tools = this.tools();
    const project = requireProject(tools, this.folder);
    if (services.length > 0) {
      const request = { ...flags, services: [...new Set(services)] };
      await shareServices(tools, project, request, this.watch);
    }
    const shared = await describeShared(tools, project, this.watchQuietly);
    if (output.json) return output.answerJson({ shared });
    if (services.length > 0) {
      return output.answer(
        `${output.paintAnswer("green", "✓")} Sharing ${nameList(services)} in ${project.name}`,
      );
    }
    if (shared.length === 0) {
      output.note(`Project ${project.name} shares no service`);
      return output.note("  piko share SERVICE");
    }
    output.answer(sharedTable(shared, output));
  },
});

/** Shows shared services as a table. */
export function sharedTable(shared: readonly SharedService[], output: Output): string {
  return table(
    ["SHARED", "STATE", "HEALTH", "PORTS", "USED BY"].map((word) =>
      output.paintAnswer("dim", word)
    ),
    shared.map(({ service, offered, state, health, ports, users }) => [
      offered ? service : `${service} (until its users leave)`,
      state,
      health ?? "-",
      ports.map(({ containerPort, url, protocol }) =>
        `${containerPort}${protocol === "udp" ? "/udp" : ""} → ${url}`
      ).join(", ") || "-",
      users.join(", ") || "-",
    ]),
  );
}
