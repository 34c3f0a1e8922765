import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { parseSince } from "../domain/since.ts";
import { type LogRequest, type Logs, openLogs, type ServiceLine } from "../operations/read_logs.ts";
import { lineForTerminal } from "../terminal/log_text.ts";
import type { Output, Style } from "../terminal/output.ts";
import type { Context } from "./context.ts";
import { environmentAndServicesOf } from "./environment.ts";
import { NAME_AND_SERVICES } from "./parameters.ts";

interface Flags {
  follow: boolean;
  tail?: number | "all";
  since?: string;
  timestamps: boolean;
  prefix: boolean;
}

/** The colours of the services, in their order. */
const STYLES: readonly Style[] = ["cyan", "yellow", "green", "blue"];

export const command = buildCommand({
  docs: {
    brief: "Show what an environment's containers print",
    fullDescription: [
      "Show the logs of an environment's containers, all or those of some services, in the order of their times.",
      "",
      "  piko logs feature-auth",
      "  piko logs feature-auth web --follow --tail 20",
      "  piko logs feature-auth --since 10m --timestamps",
      "  piko logs web -f                         inside the worktree",
      "",
      "With --follow it goes on until Ctrl+C, also over a restart, and ends when the containers have stopped.",
    ].join("\n"),
  },
  parameters: {
    flags: {
      follow: {
        kind: "boolean",
        brief: "go on with what is printed from now on",
        default: false,
        withNegated: false,
      },
      tail: {
        kind: "parsed",
        parse: parseTail,
        optional: true,
        placeholder: "N",
        brief: "only the last N lines of each container, or all",
      },
      since: {
        kind: "parsed",
        parse: (text: string) => {
          const since = parseSince(text, Date.now());
          if (since === undefined) throw new SyntaxError("not like 10m, 1h30m or 2026-01-31T12:00");
          return since;
        },
        optional: true,
        placeholder: "T",
        brief: "only what is younger: 90s, 10m, 1h30m, 2d, or a date and time",
      },
      timestamps: {
        kind: "boolean",
        brief: "the time in front of each line",
        default: false,
        withNegated: false,
      },
      prefix: { kind: "boolean", brief: "put the service in front of each line", default: true },
    },
    aliases: { f: "follow", n: "tail", t: "timestamps" },
    positional: NAME_AND_SERVICES,
  },
  async func(this: Context, flags: Flags, ...words: string[]) {
    const { output } = this;
    if (output.json && flags.follow) {
      throw new PikoError("--json answers with one document, which --follow would never end", {
        code: "usage",
        hint: "leave out one of them",
      });
    }
    const { found: record, services } = await environmentAndServicesOf(this, words);
    const request: LogRequest = {
      services,
      follow: flags.follow,
      tail: flags.tail ?? "all",
      since: flags.since,
    };
    const logs = await openLogs(this.tools(), record, request, this.watchQuietly);
    if (output.json) {
      const lines = [];
      for await (const batch of logs.lines) {
        for (const { service, container, time, from, text } of batch) {
          lines.push({ service, container, time, stream: from, text });
        }
      }
      return output.answerJson({ lines });
    }
    const show = lineWriter(output, logs, flags);
    for await (const lines of logs.lines) output.answer(lines.map(show).join("\n"));
  },
});

function lineWriter(
  output: Output,
  logs: Logs,
  flags: Flags,
): (line: ServiceLine) => string {
  const isTerminal = Deno.stdout.isTerminal();
  const hasColours = output.paintAnswer("bold", "") !== "";
  const width = Math.max(...logs.labels.map((label) => label.length));
  const services = [...logs.services];
  return ({ service, label, time, text }) => {
    if (!services.includes(service)) services.push(service);
    const style = STYLES[services.indexOf(service) % STYLES.length] ?? "dim";
    const prefix = flags.prefix ? output.paintAnswer(style, `${label.padEnd(width)}  | `) : "";
    const stamp = flags.timestamps ? `${output.paintAnswer("dim", time)} ` : "";
    return prefix + stamp + (isTerminal ? lineForTerminal(text, hasColours) : text);
  };
}

function parseTail(text: string): number | "all" {
  if (text === "all") return text;
  if (!/^\d{1,9}$/.test(text)) throw new SyntaxError("not a number of lines, or all");
  return Number(text);
}
