/**
 * Connections to the engine: its socket where Deno lets piko use it, and `docker system dial-stdio` for every other address.
 */

import { PikoError } from "../../domain/errors.ts";
import { DEFAULT_SOCKET } from "../docker_context.ts";
import type { Connection } from "../http.ts";

/** A connection to the engine, and what is known when it breaks. */
export interface Line extends Connection {
  /** Ends the connection, also in the middle of a read; may be called again. */
  close(): void;
  /** Resolves when nothing is left of a connection that was closed. */
  closed: Promise<unknown>;
  /** What the program in between says about a connection that broke. */
  complaint(): Promise<string | undefined>;
}

/** Finds the path of the engine's socket if Deno lets piko use it. */
export async function usableSocket(host: string): Promise<string | undefined> {
  if (!host.startsWith("unix://")) return undefined;
  const path = host.slice("unix://".length);
  if (path === DEFAULT_SOCKET) return path;
  // Asking first: to connect without permission would put Deno's question to the user.
  const { state } = Deno.permissions.querySync({ name: "net", host: `unix:${path}` });
  if (state === "granted") return path;
  // Docker Desktop names its own socket in its context, and links the usual path to it.
  return await samePlace(path, DEFAULT_SOCKET) ? DEFAULT_SOCKET : undefined;
}

async function samePlace(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.allSettled([Deno.realPath(a), Deno.realPath(b)]);
  return one.status === "fulfilled" && other.status === "fulfilled" && one.value === other.value;
}

/** Makes a line of a connection to the engine's socket. */
export function socketLine(socket: Deno.UnixConn): Line {
  let open = true;
  return {
    read: (buffer) => socket.read(buffer),
    write: (bytes) => socket.write(bytes),
    close: () => {
      if (open) socket.close();
      open = false;
    },
    closed: Promise.resolve(),
    complaint: () => Promise.resolve(undefined),
  };
}

/** Makes a line through the docker program, which reaches whatever engine is in use. */
export function dialThroughDocker(variables: Readonly<Record<string, string>>): Line {
  const child = startDocker(variables);
  const input = child.stdin.getWriter();
  const output = child.stdout.getReader({ mode: "byob" });
  const stderr = new Response(child.stderr).text();
  let open = true;
  const line: Line = {
    async read(buffer) {
      const { value } = await output.read(new Uint8Array(buffer.length));
      if (value === undefined || value.length === 0) return null;
      buffer.set(value);
      return value.length;
    },
    async write(bytes) {
      try {
        await input.write(Uint8Array.from(bytes));
      } catch (error) {
        // A docker that could not connect has ended: the read that follows says so.
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      }
      return bytes.length;
    },
    close() {
      if (!open) return;
      open = false;
      try {
        child.kill("SIGKILL");
      } catch (error) {
        if (!hasEnded(error)) throw error;
      }
    },
    closed: Promise.all([child.status, stderr]).then(() =>
      Promise.allSettled([output.cancel(), input.abort()])
    ),
    async complaint() {
      if (open) await child.status;
      return (await stderr).trim().split("\n").at(-1) || undefined;
    },
  };
  return line;
}

function hasEnded(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    (error instanceof TypeError && error.message.includes("terminated"));
}

function startDocker(variables: Readonly<Record<string, string>>): Deno.ChildProcess {
  try {
    return new Deno.Command("docker", {
      args: ["system", "dial-stdio"],
      env: variables,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? notInstalled(error) : error;
  }
}

/** The error of a machine without docker. */
export function notInstalled(cause: unknown): PikoError {
  return new PikoError("Docker is not installed or not on the PATH", {
    code: "unavailable",
    hint: "install it: https://docs.docker.com/engine/install/",
    cause,
  });
}

/** Tells whether a program is in a folder of PATH. */
export async function isOnPath(
  program: string,
  variables: Readonly<Record<string, string>>,
): Promise<boolean> {
  for (const folder of (variables.PATH ?? "").split(":")) {
    const found = await Deno.stat(`${folder}/${program}`).then((file) => file.isFile, () => false);
    if (found) return true;
  }
  return false;
}
