import { buildCommand } from "@stricli/core";
import { restartEnvironment } from "../operations/start_environment.ts";
import { answerEnvironment } from "./answer_environment.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf } from "./environment.ts";
import { NAME_AND_SERVICES, WAIT_FLAGS } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Restart an environment's containers",
    fullDescription: [
      "Restart the containers of an environment, all or those of some services; what does not exist yet is started.",
      "",
      "  piko restart feature-auth",
      "  piko restart feature-auth web",
    ].join("\n"),
  },
  parameters: { flags: { ...WAIT_FLAGS }, positional: NAME_AND_SERVICES },
  async func(this: Context, flags: { wait: boolean; timeout: number }, ...words: string[]) {
    const tools = this.tools();
    const { found, services } = await environmentAndServicesOf(this, words);
    const record = await restartEnvironment(tools, found, { ...flags, services }, this.watch);
    await answerEnvironment(this, record, "Restarted");
  },
});
