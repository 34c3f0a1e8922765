import { buildCommand } from "@stricli/core";
import { startEnvironment } from "../operations/start_environment.ts";
import { answerEnvironment } from "./answer_environment.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf } from "./environment.ts";
import { startSharedServices } from "./on_shared.ts";
import { NAME_AND_SERVICES, SHARED_FLAG, WAIT_FLAGS } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Start an environment's containers",
    fullDescription: [
      "Start the containers of an environment, all or those of some services; twice is fine. A compose file that has",
      "changed takes effect; ports that were given stay. The first start of all of them runs the setup script of an",
      "environment that was made with --no-start.",
      "",
      "  piko up feature-auth",
      "  piko up feature-auth db",
      "  piko up --shared redis                   a shared service, after piko down --shared",
    ].join("\n"),
  },
  parameters: { flags: { ...WAIT_FLAGS, ...SHARED_FLAG }, positional: NAME_AND_SERVICES },
  async func(
    this: Context,
    flags: { wait: boolean; timeout: number; shared: boolean },
    ...words: string[]
  ) {
    const tools = this.tools();
    if (flags.shared) return await startSharedServices(this, words, { ...flags, stopFirst: false });
    const { found, services } = await environmentAndServicesOf(this, words);
    const record = await startEnvironment(tools, found, { ...flags, services }, this.watch);
    await answerEnvironment(this, record, "Started");
  },
});
