/**
 * Runs one of a project's scripts for an environment, streams what it prints and keeps it in `.piko/logs/`. Its process is
 * recorded, since it goes on where piko is killed; one that is killed in the moment between starting and recording it leaves a
 * script of which nobody knows.
 */

import { CommandError, PikoError } from "../domain/errors.ts";
import type { Step, Watch } from "../domain/report.ts";
import { withoutSecrets } from "../domain/secrets.ts";
import { environmentVariables } from "../domain/variables.ts";
import { stream } from "../programs/run.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { cannotWrite, makeFolder } from "./files.ts";
import type { Tools } from "./tools.ts";

/** The scripts that piko runs by itself. */
export type ScriptName = "prepare" | "setup" | "destroy";

/** The last lines of a script that its error shows. */
const SHOWN_LINES = 20;

/**
 * Runs a script by `sh -c` in the worktree with the environment's variables, in the step that was begun for it.
 *
 * @throws {PikoError} failed when it ends with another exit code than 0; the details are its last lines.
 */
export async function runScript(
  tools: Tools,
  record: EnvironmentRecord,
  name: ScriptName,
  script: string,
  watch: Watch,
): Promise<void> {
  const path = logPath(record, name);
  await makeFolder(path.slice(0, path.lastIndexOf("/")));
  using log = await openLog(path);
  const encoder = new TextEncoder();
  const lastLines: string[] = [];
  try {
    await stream(["sh", "-c", script], {
      cwd: record.path,
      variables: { ...tools.variables, ...environmentVariables(record) },
      signal: watch.signal,
      onStart: (pid) => tools.environments.recordProcess(record.id, pid),
      onLinger: () =>
        watch.report({
          kind: "waiting",
          message:
            `scripts.${name} has ended: waiting for what it has started and what writes to ` +
            "its output; to let that run on, start it as: COMMAND >FILE 2>&1 &",
        }),
      onLine: (line, from) => {
        writeWhole(path, log, encoder.encode(`${line}\n`));
        if (lastLines.push(line) > SHOWN_LINES) lastLines.shift();
        watch.report({ kind: "output", step: name as Step, line, from });
      },
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const how = error.signal === null ? `exit code ${error.exitCode}` : error.signal;
    throw new PikoError(`scripts.${name} failed with ${how}`, {
      code: "failed",
      hint: `the whole output is in ${path}`,
      details: lastLines.map((line) => withoutSecrets(line)),
      cause: error,
    });
  }
}

/** Where the output of an environment's script is kept. */
export function logPath(record: { root: string; name: string }, script: ScriptName): string {
  return `${record.root}/.piko/logs/${record.name}/${script}.log`;
}

async function openLog(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function writeWhole(path: string, file: Deno.FsFile, bytes: Uint8Array): void {
  try {
    for (let sent = 0; sent < bytes.length;) sent += file.writeSync(bytes.subarray(sent));
  } catch (error) {
    throw cannotWrite(path, error);
  }
}
