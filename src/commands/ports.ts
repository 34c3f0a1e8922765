import { buildCommand } from "@stricli/core";
import { portsOf } from "../operations/list_environments.ts";
import { table } from "../terminal/table.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./environment.ts";
import { OPTIONAL_NAME } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Show which host port leads to which service",
    fullDescription: [
      "Show the ports of an environment. They stay the same until it is destroyed.",
      "",
      "  piko ports feature-auth",
      "  piko ports feature-auth --json",
    ].join("\n"),
  },
  parameters: { positional: { kind: "tuple", parameters: [OPTIONAL_NAME] } },
  async func(this: Context, _flags: Record<never, never>, name?: string) {
    const { output } = this;
    const record = await environmentOf(this, name);
    const ports = portsOf(record);
    if (output.json) return output.answerJson({ ports });
    if (ports.length === 0) return output.note(`${record.name} has no ports`);
    output.answer(table(
      ["SERVICE", "CONTAINER", "HOST", "URL"].map((word) => output.paintAnswer("dim", word)),
      ports.map(({ service, containerPort, hostPort, protocol, url, shared }) => [
        shared ? `${service} (shared)` : service,
        `${containerPort}/${protocol}`,
        String(hostPort),
        url,
      ]),
    ));
  },
});
