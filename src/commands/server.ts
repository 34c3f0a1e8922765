import { buildCommand } from "@stricli/core";
import type { Operation } from "../domain/api.ts";
import { PikoError } from "../domain/errors.ts";
import { describeFailure } from "../domain/failure.ts";
import { hasScreen, openPage } from "../programs/opener.ts";
import { findPortHolder } from "../programs/port_holder.ts";
import { isPortTaken } from "../programs/port_probe.ts";
import { Keys } from "../server/keys.ts";
import { announceServer, askServer, claimServer, withdrawServer } from "../server/only_server.ts";
import { isLoopback, LOOPBACK, type RunningServer, serve, USUAL_PORT } from "../server/serve.ts";
import type { Output } from "../terminal/output.ts";
import { canAsk, confirm } from "../terminal/prompt.ts";
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
      "Start the page and the API, print the address that lets a browser in, and open it. Where a server runs already, another",
      "address of it is printed and opened. Ctrl+C ends it: a create that is under way is taken back, all else stops where it",
      "is, and the command that goes on is said.",
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
        parse: parseHost,
        default: LOOPBACK,
        placeholder: "ADDRESS",
        brief: "the address to listen on; 0.0.0.0 for other machines too",
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
    using place = await claimServer(tools);
    if (place === undefined) {
      const { pid, url } = await askServer(tools, flags.newToken, this.signal);
      output.note(`  A piko server runs already (process ${pid}); this address is good once:`);
      output.answer(url);
      return await show(this, flags, url);
    }
    const keys = await Keys.load(tools.home, { renew: flags.newToken });
    const server = await listen(this, flags, keys);
    await announceServer(tools, flags.host, server.port);
    const stopGoingOn = goOn(output);
    const url = server.loginUrl();
    if (!isLoopback(flags.host)) {
      output.warn(
        "Whoever reaches this machine reaches the server, and with the token can run commands on it",
      );
    }
    output.note(
      `  piko server listens at http://localhost:${server.port}; Ctrl+C ends it. This address is good once:`,
    );
    output.answer(url);
    await show(this, flags, url);
    const { signal } = this;
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const ended = await server.stop();
    stopGoingOn();
    await withdrawServer(tools);
    place.release();
    for (const sentence of ended.flatMap(sentencesOf)) output.note(sentence);
  },
});

/** Keeps what nobody has caught from ending the server, and says it; returns what undoes that. */
function goOn(output: Output): () => void {
  const rejected = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    warn(output, event.reason);
  };
  const thrown = (event: ErrorEvent) => {
    event.preventDefault();
    warn(output, event.error);
  };
  addEventListener("unhandledrejection", rejected);
  addEventListener("error", thrown);
  return () => {
    removeEventListener("unhandledrejection", rejected);
    removeEventListener("error", thrown);
  };
}

function warn(output: Output, error: unknown): void {
  const { code, message, stderr } = describeFailure(error);
  output.warn([`${message}; piko server goes on`, ...code === "bug" ? stderr : []].join("\n"));
}

/** Opens the page, where there is a person with a screen. */
async function show({ watchQuietly, tools }: Context, flags: Flags, url: string): Promise<void> {
  const { variables } = tools();
  if (!flags.open || !canAsk() || !hasScreen(variables)) return;
  try {
    await openPage(url, variables);
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    // The address stands there for the person to open.
    watchQuietly.report({ kind: "warning", message: error.message, hint: error.hint });
  }
}

/** Starts the server; on a port that somebody has, a person is offered another one. */
async function listen(context: Context, flags: Flags, keys: Keys): Promise<RunningServer> {
  const { output, folder, signal } = context;
  const tools = context.tools();
  const at = (port: number) =>
    serve({
      tools,
      keys,
      folder,
      host: flags.host,
      port,
      failed: (error) => warn(output, error),
    });
  try {
    return await at(flags.port);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    const holder = await findPortHolder(flags.port, tools.variables);
    const whose = holder === undefined
      ? "another program"
      : `${holder.command} (process ${holder.pid})`;
    const taken = `Port ${flags.port} is taken by ${whose}`;
    const free = freePort(flags.port);
    if (canAsk() && await confirm(`${taken}. Listen on ${free} instead?`, signal, "yes")) {
      return await at(free);
    }
    throw new PikoError(taken, {
      code: "conflict",
      hint: `piko server --port ${free}`,
      cause: error,
    });
  }
}

function freePort(taken: number): number {
  for (let port = taken + 1; port <= 65_535; port++) if (!isPortTaken(port, "tcp")) return port;
  return 0;
}

/** Says what became of work that the end of the server has broken off, and the command that goes on. */
function sentencesOf({ kind, project, environment, state, error }: Operation): string[] {
  const what = `The ${kind} of ${project}/${environment}`;
  if (error === null) return [`  ${what} is done`];
  const hint = error.hint === null ? [] : [`    ${error.hint}`];
  if (state !== "cancelled") return [`  ${what} failed: ${error.message}`, ...hint];
  return [
    `  ${what} was ${error.message.slice(0, 1).toLowerCase()}${error.message.slice(1)}`,
    ...hint,
  ];
}

/** Reads an address that piko is permitted to listen on (scripts/build/permissions.ts). */
function parseHost(input: string): string {
  const host = input.replace(/^\[(.*)\]$/, "$1");
  if ([LOOPBACK, "localhost", "::1", "0.0.0.0", "::"].includes(host)) return host;
  throw new SyntaxError("not 127.0.0.1, ::1, or for all addresses 0.0.0.0 or ::");
}

function parsePort(input: string): number {
  const port = Number(input);
  if (!/^\d{1,5}$/.test(input) || port > 65_535) throw new SyntaxError("not a port");
  return port;
}
