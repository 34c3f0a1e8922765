import { buildCommand } from "@stricli/core";
import { startEnvironment } from "../operations/start_environment.ts";
import { answerEnvironment } from "./answer_environment.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf } from "./environment.ts";
import { NAME_AND_SERVICES, WAIT_FLAGS } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Start an environment's containers",
    fullDescription: [
      "Start the containers of an environment, all or those of some services; twice is fine. A compose file that has",
      "changed takes effect; ports that were given stay.",
      "",
      "  piko up feature-auth",
      "  piko up feature-auth db",
    ].join("\n"),
  },
  parameters: { flags: { ...WAIT_FLAGS }, positional: NAME_AND_SERVICES },
  async func(this: Context, flags: { wait: boolean; timeout: number }, ...words: string[]) {
    const tools = this.tools();
    const { found, services } = await environmentAndServicesOf(this, words);
    const record = await startEnvironment(tools, found, { ...flags, services }, this.watch);
    await answerEnvironment(this, record, "Started");
  },
});
