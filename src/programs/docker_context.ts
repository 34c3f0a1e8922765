/**
 * Tells which engine the docker client would talk to, without starting it. The order is the client's own:
 * DOCKER_HOST, DOCKER_CONTEXT, the `currentContext` of its config.json, the default socket.
 */

import { messageOf, PikoError } from "../domain/errors.ts";

/** The socket of an engine that was installed the usual way. */
export const DEFAULT_SOCKET = "/var/run/docker.sock";

/**
 * Finds the address of the engine, like `unix:///var/run/docker.sock` or `tcp://build-box:2376`.
 *
 * @throws {PikoError} unavailable when the context does not exist or its files cannot be read.
 */
export async function findDockerHost(
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  if (variables.DOCKER_HOST) return variables.DOCKER_HOST;
  const folder = folderOf(variables);
  const name = contextName(variables, folder);
  if (name === "default") return `unix://${DEFAULT_SOCKET}`;
  const path = `${folder}/contexts/meta/${await sha256(name)}/meta.json`;
  const context = readJson(path);
  if (context === undefined) {
    throw new PikoError(`There is no Docker context "${name}"`, {
      code: "unavailable",
      hint: "docker context ls",
    });
  }
  const host = field(field(field(context, "Endpoints"), "docker"), "Host");
  if (typeof host === "string" && host !== "") return host;
  throw new PikoError(`The Docker context "${name}" names no engine`, {
    code: "unavailable",
    hint: "docker context ls",
    details: [path],
  });
}

/**
 * Tells whether the client would talk to the engine at the default socket.
 *
 * @throws {PikoError} unavailable when its configuration cannot be read.
 */
export function usesDefaultSocket(variables: Readonly<Record<string, string>>): boolean {
  if (variables.DOCKER_HOST) return variables.DOCKER_HOST === `unix://${DEFAULT_SOCKET}`;
  return contextName(variables, folderOf(variables)) === "default";
}

function folderOf(variables: Readonly<Record<string, string>>): string {
  return variables.DOCKER_CONFIG || `${variables.HOME ?? ""}/.docker`;
}

function contextName(variables: Readonly<Record<string, string>>, folder: string): string {
  if (variables.DOCKER_CONTEXT) return variables.DOCKER_CONTEXT;
  const name = field(readJson(`${folder}/config.json`), "currentContext");
  return typeof name === "string" && name !== "" ? name : "default";
}

/** Reads a small file at once: the way through another thread and back takes a millisecond. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new PikoError(`Cannot read ${path}: ${messageOf(error)}`, {
      code: "unavailable",
      hint: "docker context ls",
      cause: error,
    });
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** The client names a context's folder after the hash of the context's name. */
async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
