/**
 * The server: listens on loopback, in IPv4 and IPv6, and puts its parts together. Connections that are opened and say
 * nothing cost one file each and keep nobody waiting; Deno has no time limit for them.
 */

import type { Operation, ServerEvent } from "../domain/api.ts";
import { toolVariables } from "../domain/variables.ts";
import type { Tools } from "../operations/tools.ts";
import { Engine } from "../programs/engine.ts";
import { pause } from "../programs/pause.ts";
import { answerError } from "./answers.ts";
import type { Parts } from "./api.ts";
import { Events } from "./events.ts";
import { Guard } from "./guard.ts";
import { makeHandler } from "./handler.ts";
import type { Keys } from "./keys.ts";
import { LogStreams } from "./logs.ts";
import { Operations, serverEnding } from "./operations.ts";
import { Overview } from "./overview.ts";
import { watchEngine } from "./watch_engine.ts";
import { RegistryWatch } from "./watch_registry.ts";

/** The address that the server listens on where nobody says another one: both of loopback. */
export const LOOPBACK = "127.0.0.1";

/** The port that the server listens on where nobody says another one. */
export const USUAL_PORT = 19876;

/** Milliseconds after which an engine that does not answer is told to be out of reach. */
const PATIENCE = 5000;

/** Milliseconds that the first answer of the engine is waited for, before the server listens. */
const FIRST_TRY = 1000;

/** Milliseconds that answers which are under way may take once everything has ended: not every reader reads on. */
const LAST_WORDS = 1000;

/** How the server is started. */
export interface ServeOptions {
  tools: Tools;
  keys: Keys;
  /** The folder that it is started in. */
  folder: string;
  /** `127.0.0.1`, `localhost` or `::1`, or for all addresses `0.0.0.0` or `::`. */
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Is told of what nobody expects. */
  failed: (error: unknown) => void;
}

/** A server that listens. */
export interface RunningServer {
  port: number;
  /** Makes an address that lets a browser in once. */
  loginUrl: () => string;
  /**
   * Cancels what is running, ends every stream, cuts off who does not read, and resolves with what was running and how it
   * ended.
   */
  stop: () => Promise<Operation[]>;
}

/**
 * Starts the server.
 *
 * @throws {Deno.errors.AddrInUse} when somebody listens on the port.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { tools, keys, folder, host, failed } = options;
  const events = new Events(() => ({
    type: "snapshot",
    environments: overview.environments,
    projects: overview.projects,
    operations: operations.list(),
    engine: overview.engine,
  }));
  const publish = (event: ServerEvent) => events.publish(event);
  // A page shows that the engine does not answer before a command would give it up.
  const engine = new Engine({ variables: toolVariables(tools.variables), timeout: PATIENCE });
  const overview = new Overview({ tools: { ...tools, engine }, publish, failed });
  const operations = new Operations(tools, publish, failed);
  const logs = new LogStreams(tools, failed);
  const ending = new AbortController();
  const registry = new RegistryWatch(tools, overview, failed);
  const tried = Promise.withResolvers<void>();
  watchEngine(engine, overview, ending.signal, tried.resolve).catch(failed);
  await Promise.race([tried.promise, pause(FIRST_TRY)]);
  await overview.refresh();

  let handler: (request: Request) => Promise<Response> = () =>
    Promise.reject(new TypeError("asked before it listened"));
  const end = () => {
    ending.abort();
    registry[Symbol.dispose]();
    overview.end();
    events.close();
    logs.endStreams();
    events[Symbol.dispose]();
  };
  let listeners: Listener[];
  const answers = new Set<Promise<void>>();
  const cutting = new AbortController();
  try {
    listeners = listen(host, options.port, cutting.signal, (request, { completed }) => {
      // By its documentation rejected when the reader has gone; Deno 2.9 resolves it then too.
      const answer = completed.catch(() => undefined).finally(() => answers.delete(answer));
      answers.add(answer);
      return handler(request);
    });
  } catch (error) {
    end();
    throw error;
  }
  const port = listeners[0]?.addr.port ?? 0;
  const loginUrl = () => `http://localhost:${port}/login?ticket=${keys.issueTicket()}`;
  const fresh = () => {
    registry.check();
    return overview.settled();
  };
  const parts: Parts = {
    tools,
    folder,
    overview,
    fresh,
    events,
    operations,
    logs,
    keys,
    loginUrl,
    ending: ending.signal,
  };
  const guard = new Guard({ port, beyondLoopback: !isLoopback(host), keys });
  handler = makeHandler({ parts, guard, web: await import("../../web/page.ts"), failed });

  return {
    port,
    loginUrl,
    async stop() {
      handler = () => Promise.resolve(answerError(serverEnding()));
      const ended = await operations.end();
      end();
      // HttpServer.shutdown() would wait for every answer, and cannot be broken off any more.
      await Promise.race([Promise.all(answers), pause(LAST_WORDS, cutting.signal)]);
      cutting.abort();
      await Promise.all(listeners.map(({ finished }) => finished));
      return ended;
    },
  };
}

/** Tells whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return host === LOOPBACK || host === "localhost" || host === "::1";
}

type Listener = Deno.HttpServer<Deno.NetAddr>;

function listen(
  host: string,
  port: number,
  signal: AbortSignal,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Listener[] {
  const open = (hostname: string, port: number) =>
    Deno.serve({
      hostname,
      port,
      signal,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    }, handler);
  if (host !== LOOPBACK && host !== "localhost") return [open(host, port)];
  const first = open(LOOPBACK, port);
  try {
    return [first, open("::1", first.addr.port)];
  } catch (error) {
    // A machine without IPv6 has no such address.
    if (!(error instanceof Deno.errors.AddrNotAvailable) && !isNoSuchFamily(error)) {
      void first.shutdown();
      throw error;
    }
    return [first];
  }
}

/** EAFNOSUPPORT, which has no class of its own: Linux 97, macOS 47. */
function isNoSuchFamily(error: unknown): boolean {
  return error instanceof Error && /os error (97|47)\b/.test(error.message);
}
