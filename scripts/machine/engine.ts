/**
 * Starts a Docker engine where none runs, and stops the one it started: a file of its own says which that
 * is, by process and start time, so that no other engine is ever touched.
 */

import { PikoError } from "../../src/domain/errors.ts";
import { tryRun } from "../../src/programs/run.ts";
import { findExecutable, whyMissing } from "./probe.ts";

const FOLDER = "/run/piko-engine";
const LOG = `${FOLDER}/dockerd.log`;
const DOCKERD_PID = "/var/run/docker.pid";

/** Milliseconds that a starting engine gets until it must answer. */
const READY_WITHIN = 60_000;

/** Starts the engine in the background and returns when it answers; for root alone. */
export async function startEngine(): Promise<void> {
  if (await isFolder("/run/systemd/system")) {
    await tryRun(["systemctl", "start", "docker"], { timeout: READY_WITHIN });
    if (whyMissing("engine") === undefined) return;
    throw new PikoError("systemd could not start the Docker engine", {
      code: "unavailable",
      hint: "journalctl -u docker",
    });
  }
  await removeStalePidFile();
  await Deno.mkdir(FOLDER, { recursive: true });
  // The shell notes its own process number and start time and then becomes dockerd, so that there is no
  // moment in which an engine runs that nobody claims.
  const script = `printf '%s %s\\n' "$$" "$(cut -d' ' -f22 "/proc/$$/stat")" >"$1/pid"
exec dockerd >"$2" 2>&1`;
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", FOLDER, LOG],
    cwd: "/",
    env: { PATH: `${Deno.env.get("PATH") ?? ""}:/usr/local/sbin:/usr/sbin:/sbin` },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  child.unref();
  const deadline = Date.now() + READY_WITHIN;
  while (whyMissing("engine") !== undefined) {
    if (ended || Date.now() > deadline) {
      // Another run may have started an engine at the same moment; then this one had to end.
      if (await answersWithin(ended ? 5000 : 0)) return;
      throw new PikoError("The Docker engine did not start", {
        code: "unavailable",
        hint: `its log is ${LOG}`,
        details: await reasons(),
      });
    }
    await delay(200);
  }
}

/** What {@link stopEngine} found. */
export type Stopped = "stopped" | "not ours" | "in use";

/** Stops the engine that {@link startEngine} started, unless containers run on it. */
export async function stopEngine(): Promise<Stopped> {
  const pid = await ownPid();
  if (pid === undefined) return "not ours";
  const running = await tryRun(["docker", "ps", "--quiet"]);
  if (running.exitCode === 0 && running.stdout.trim() !== "") return "in use";
  Deno.kill(pid, "SIGTERM");
  const deadline = Date.now() + READY_WITHIN;
  while (await ownPid() !== undefined) {
    if (Date.now() > deadline) {
      throw new PikoError(`The Docker engine (process ${pid}) does not end`, { code: "failed" });
    }
    await delay(100);
  }
  await Deno.remove(FOLDER, { recursive: true });
  return "stopped";
}

/** Tells whether docker would talk to an engine on another machine or of another context. */
export function engineIsElsewhere(): boolean {
  const host = Deno.env.get("DOCKER_HOST");
  return (host !== undefined && host !== "" && host !== "unix:///var/run/docker.sock") ||
    Boolean(Deno.env.get("DOCKER_CONTEXT"));
}

/** Finds dockerd, which many users do not have on their PATH. */
export function hasDockerd(): boolean {
  return findExecutable("dockerd") !== undefined || existsSync("/usr/sbin/dockerd");
}

async function ownPid(): Promise<number | undefined> {
  const [pid, started] = (await readIfThere(`${FOLDER}/pid`))?.trim().split(" ") ?? [];
  if (pid === undefined || started === undefined) return undefined;
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may itself hold spaces.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isZombie = fields?.[0] === "Z";
  return fields?.[19] === started && !isZombie ? Number(pid) : undefined;
}

/** Removes the process file of an engine that was killed: dockerd would take any process for itself. */
async function removeStalePidFile(): Promise<void> {
  const pid = (await readIfThere(DOCKERD_PID))?.trim();
  if (pid === undefined) return;
  const program = (await readIfThere(`/proc/${pid}/comm`))?.trim();
  if (program !== "dockerd") await Deno.remove(DOCKERD_PID);
}

async function answersWithin(milliseconds: number): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    if (whyMissing("engine") === undefined) return true;
    if (Date.now() >= deadline) return false;
    await delay(200);
  }
}

/** Finds the lines of dockerd's log that tell why it ended, or else its last ones. */
async function reasons(): Promise<string[]> {
  const lines = ((await readIfThere(LOG)) ?? "").trimEnd().split("\n");
  const telling = lines.filter((line) => /^failed |level=(error|fatal)/.test(line));
  return (telling.length > 0 ? telling : lines).slice(-5);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    // Reading a file of /proc whose process just ended is "No such process".
    const gone = error instanceof Deno.errors.NotFound ||
      (error instanceof Error && error.message.includes("os error 3"));
    if (gone) return undefined;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function existsSync(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
