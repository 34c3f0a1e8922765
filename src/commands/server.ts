import { buildCommand } from "@stricli/core";
import { Keys } from "../server/keys.ts";
import { LOOPBACK, serve, USUAL_PORT } from "../server/serve.ts";
import type { Context } from "./context.ts";

interface Flags {
  port: number;
  host: string;
  open: boolean;
  newToken: boolean;
}

export const command = buildCommand({
  docs: {
    brief: "Show and steer the environments in the browser",
    fullDescription: [
      "Start the page and the API, print the address that lets a browser in, and open it.",
      "",
      "  piko server",
      "  piko server --port 8000 --no-open",
    ].join("\n"),
  },
  parameters: {
    flags: {
      port: {
        kind: "parsed",
        parse: parsePort,
        default: String(USUAL_PORT),
        placeholder: "PORT",
        brief: "the port to listen on; 0 takes a free one",
      },
      host: {
        kind: "parsed",
        parse: String,
        default: LOOPBACK,
        placeholder: "ADDRESS",
        brief: "the address to listen on",
      },
      open: { kind: "boolean", brief: "open the page in the browser", default: true },
      newToken: {
        kind: "boolean",
        brief: "make another token: whoever was let in is out",
        default: false,
        withNegated: false,
      },
    },
  },
  async func(this: Context, flags: Flags) {
    const { output } = this;
    const tools = this.tools({ create: true });
    const keys = await Keys.load(tools.home, { renew: flags.newToken });
    const server = await serve({
      tools,
      keys,
      folder: this.folder,
      host: flags.host,
      port: flags.port,
      failed: (error) => output.warn(`piko server goes on: ${error}`),
    });
    output.answer(server.loginUrl());
    const { signal } = this;
    await new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    await server.stop();
  },
});

function parsePort(input: string): number {
  const port = Number(input);
  if (!/^\d{1,5}$/.test(input) || port > 65_535) throw new SyntaxError("not a port");
  return port;
}
