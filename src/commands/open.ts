import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { findPage } from "../operations/open_service.ts";
import { hasScreen, openPage } from "../programs/opener.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf } from "./environment.ts";
import { NAME_AND_SERVICES } from "./parameters.ts";

export const command = buildCommand({
  docs: {
    brief: "Open an environment's page in the browser",
    fullDescription: [
      "Open the page of an environment, or of one of its services, in the browser ($BROWSER, else the system's own).",
      "Without a terminal, or a screen to show it on, its address is printed.",
      "",
      "  piko open feature-auth",
      "  piko open feature-auth mail",
      "  curl $(piko open feature-auth --print)",
      "",
      'The page is the container port that the label dev.piko.http names (labels: { dev.piko.http: "3000" }), else one',
      "that speaks HTTP by convention, else the first. Of a database it is the address that a client is given.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      print: {
        kind: "boolean",
        brief: "print the address and open nothing",
        default: false,
        withNegated: false,
      },
    },
    aliases: { p: "print" },
    positional: NAME_AND_SERVICES,
  },
  async func(this: Context, flags: { print: boolean }, ...words: string[]) {
    const { output } = this;
    const tools = this.tools();
    const { found: record, services } = await environmentAndServicesOf(this, words);
    const [service, ...others] = services;
    if (others.length > 0) {
      throw new PikoError("piko open opens one page at a time", {
        code: "usage",
        hint: `piko open ${qualified(record)} ${service}`,
      });
    }
    const { isPage, ...page } = await findPage(tools, record, service, this.watchQuietly);
    if (output.json) return output.answerJson({ url: page.url, port: page });
    if (flags.print || !Deno.stdout.isTerminal()) return output.answer(page.url);
    if (!isPage) {
      output.answer(page.url);
      return output.note(
        `  ${page.service} has no page for a browser there; this is what a client is given`,
      );
    }
    if (!hasScreen(tools.variables)) {
      output.answer(page.url);
      return output.note(
        "  There is no screen to open it on; BROWSER names a browser for the terminal",
      );
    }
    const program = await openPage(page.url, tools.variables);
    output.answer(`${output.paintAnswer("green", "✓")} Opened ${page.url} with ${program}`);
  },
});
