import { buildCommand } from "@stricli/core";
import { stopEnvironment } from "../operations/start_environment.ts";
import { answerEnvironment } from "./answer_environment.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf } from "./environment.ts";
import { stopSharedServices } from "./on_shared.ts";
import { NAME_AND_SERVICES, SHARED_FLAG } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Stop an environment's containers and keep everything",
    fullDescription: [
      "Stop the containers of an environment, all or those of some services; twice is fine. The containers, their",
      "volumes, the worktree and the ports stay, so that piko up finds everything as it was.",
      "",
      "  piko down feature-auth",
      "  piko down feature-auth web",
      "  piko down --shared                       the shared services, which piko down leaves running",
    ].join("\n"),
  },
  parameters: { flags: SHARED_FLAG, positional: NAME_AND_SERVICES },
  async func(this: Context, { shared }: { shared: boolean }, ...words: string[]) {
    const tools = this.tools();
    if (shared) return await stopSharedServices(this, words);
    const { found, services } = await environmentAndServicesOf(this, words);
    const { record, hadContainers } = await stopEnvironment(tools, found, services, this.watch);
    if (hadContainers || this.output.json) await answerEnvironment(this, record, "Stopped");
  },
});
