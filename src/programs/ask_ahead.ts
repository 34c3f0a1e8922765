/**
 * Asks the engine for all containers while the command that wants to know is still being loaded. It is read with main.ts at
 * each start, so there is as little of it as can be; engine.ts reads the answer.
 */

import { DEFAULT_SOCKET, usesDefaultSocket } from "./docker_context.ts";
import { sendRequest } from "./http.ts";

const LABEL = "com.docker.compose.project";

/** A connection on which an answer will come, or nothing where the engine has to be asked in the ordinary way. */
export type AskedAhead = Deno.UnixConn | undefined;

/** Sends the question, if the engine is the one at the default socket. */
export async function askAhead(variables: Readonly<Record<string, string>>): Promise<AskedAhead> {
  try {
    if (!usesDefaultSocket(variables)) return undefined;
    const connection = await Deno.connect({ transport: "unix", path: DEFAULT_SOCKET });
    await sendRequest(connection, "GET", listPath(undefined));
    return connection;
  } catch {
    // Whoever needs the answer asks again, and says what is wrong then.
    return undefined;
  }
}

/** The question for the containers of a compose project, or of all. */
export function listPath(composeProject: string | undefined): string {
  return `/containers/json?all=1&filters=${projectFilter(composeProject)}`;
}

/** Selects what belongs to a compose project, or to any. */
export function projectFilter(composeProject: string | undefined): string {
  const label = composeProject === undefined ? LABEL : `${LABEL}=${composeProject}`;
  return encodeURIComponent(JSON.stringify({ label: [label] }));
}
