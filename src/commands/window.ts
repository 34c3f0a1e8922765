import { buildCommand } from "@stricli/core";
import { requireEnvironment } from "../operations/find_environment.ts";
import { type ShownWindow, showWindow } from "../operations/show_window.ts";
import { waitForEnter } from "../terminal/prompt.ts";
import type { Context } from "./context.ts";

/** Leaves the other screen, and mouse, paste and cursor as they were before a program took them, on a new line. */
const RESET =
  "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[0m\r\n";

/** Takes away what was typed while nobody listened, like the ^C of somebody who waits. */
const CLEAR_LINE = "\r\x1b[K";

const KINDS = ["service", "custom", "logs"] as const;

export const command = buildCommand({
  docs: { brief: "What runs in the windows of a session; tmux starts it" },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "PROJECT/NAME", parse: String, placeholder: "ENVIRONMENT" },
        { brief: KINDS.join(", "), parse: parseKind, placeholder: "KIND" },
        { brief: "the window's name", parse: String, placeholder: "WINDOW" },
      ],
    },
  },
  async func(
    this: Context,
    _flags: Record<never, never>,
    environment: string,
    kind: ShownWindow["kind"],
    name: string,
  ) {
    const { output } = this;
    const tools = this.tools();
    const record = requireEnvironment(tools, "/", environment);
    // Ctrl+C is for the program in the window, and never closes the window itself.
    Deno.addSignalListener("SIGINT", () => {});
    // When the terminal is gone there is nobody to wait for.
    Deno.addSignalListener("SIGHUP", () => Deno.exit(129));
    await showWindow(tools, record, { kind, name }, {
      report: (report) => {
        if (report.kind === "warning") output.warn(report.message);
        if (report.kind === "note") output.note(CLEAR_LINE + output.paint("dim", report.message));
      },
      askAgain: waitForEnter,
      resetTerminal: () => void Deno.stderr.writeSync(new TextEncoder().encode(RESET)),
    });
  },
});

function parseKind(text: string): ShownWindow["kind"] {
  const kind = KINDS.find((known) => known === text);
  if (kind === undefined) throw new SyntaxError(`must be one of ${KINDS.join(", ")}`);
  return kind;
}
