import { buildCommand } from "@stricli/core";
import { restartEnvironment } from "../operations/start_environment.ts";
import { answerEnvironment } from "./answer_environment.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf } from "./environment.ts";
import { startSharedServices } from "./on_shared.ts";
import { NAME_AND_SERVICES, SHARED_FLAG, WAIT_FLAGS } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Restart an environment's containers",
    fullDescription: [
      "Restart the containers of an environment, all or those of some services; what does not exist yet is started.",
      "",
      "  piko restart feature-auth",
      "  piko restart feature-auth web",
      "  piko restart --shared redis",
    ].join("\n"),
  },
  parameters: { flags: { ...WAIT_FLAGS, ...SHARED_FLAG }, positional: NAME_AND_SERVICES },
  async func(
    this: Context,
    flags: { wait: boolean; timeout: number; shared: boolean },
    ...words: string[]
  ) {
    const tools = this.tools();
    if (flags.shared) return await startSharedServices(this, words, { ...flags, stopFirst: true });
    const { found, services } = await environmentAndServicesOf(this, words);
    const record = await restartEnvironment(tools, found, { ...flags, services }, this.watch);
    await answerEnvironment(this, record, "Restarted");
  },
});
