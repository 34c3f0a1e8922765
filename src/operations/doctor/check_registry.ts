/** Looks at what piko keeps for itself: the folder of the registry, the registry, and the room on the disks. */

import { CommandError, PikoError } from "../../domain/errors.ts";
import { shellWord } from "../../domain/variables.ts";
import { listDisks } from "../../programs/disk.ts";
import { findWriters } from "../../programs/file_holders.ts";
import { SCHEMA_VERSION } from "../../store/database.ts";
import { isThere } from "../files.ts";
import type { Tools } from "../tools.ts";
import { count, type Finding } from "./finding.ts";

/** Milliseconds that doctor waits for somebody who holds the registry. */
const PATIENCE = 3000;

const MIB = 1024 * 1024;

/** Bytes below which a disk is worth a note, and below which next to nothing can be made on it. */
const ROOM = { note: 1024 * MIB, wrong: 64 * MIB };

/** The right of others to write (chmod). */
const OTHERS_WRITE = 0o002;

/** Checks the folder of the registry and the locks. */
export async function checkHome(home: string): Promise<Finding[]> {
  if (!await isThere(home)) {
    return [{
      name: "home",
      level: "fine",
      message: `${home} is not there yet: piko init makes it`,
    }];
  }
  const { mode, uid, isDirectory } = await Deno.stat(home);
  const quoted = shellWord(home);
  if (!isDirectory) {
    const message = `${home} is no folder`;
    return [{ name: "home", level: "wrong", message, hint: `ls -ld ${quoted}` }];
  }
  if (uid !== null && uid !== Deno.uid() && Deno.uid() !== 0) {
    const message = `${home} belongs to another user`;
    const hint = `set PIKO_HOME to a folder of your own, or: sudo chown -R "$(id -u)" ${quoted}`;
    return [{ name: "home", level: "wrong", message, hint }];
  }
  if (mode !== null && (mode & OTHERS_WRITE) !== 0) {
    return [{
      name: "home",
      level: "wrong",
      message: `Everybody may write to ${home}, and with it change what piko starts`,
      hint: `chmod o-w ${quoted}`,
      mend: async () => {
        await Deno.chmod(home, mode & 0o777 & ~OTHERS_WRITE);
        return `Took the right to write to ${home} from everybody else`;
      },
    }];
  }
  return [{ name: "home", level: "fine", message: `Registry and locks in ${home}` }];
}

/** Checks that the registry is whole, can be written, and who holds it otherwise. */
export async function checkRegistry(tools: Tools): Promise<Finding[]> {
  const { database, variables } = tools;
  const name = "registry";
  if (!await isThere(database.path)) {
    return [{ name, level: "fine", message: "There is no registry yet: piko init makes it" }];
  }
  try {
    const problems = database.listProblems();
    if (problems.length > 0) {
      const hint = `keep a copy of it: cp ${shellWord(database.path)}* /somewhere/safe`;
      return problems.slice(0, 10).map((problem) => ({
        name,
        level: "wrong",
        message: `The registry ${database.path} is damaged: ${problem}`,
        hint,
      }));
    }
    database.tryWriting(PATIENCE);
  } catch (error) {
    if (!(error instanceof PikoError)) throw error;
    return [
      error.code === "conflict"
        ? await busy(database.path, variables)
        : { name, level: "wrong", message: error.message, hint: error.hint },
    ];
  }
  const environments = tools.environments.list().length;
  const projects = tools.projects.list().length;
  const content = `${count(environments, "environment")} in ${count(projects, "project")}`;
  return [{ name, level: "fine", message: `Registry with schema ${SCHEMA_VERSION}: ${content}` }];
}

async function busy(path: string, variables: Tools["variables"]): Promise<Finding> {
  const [writer] = await findWriters(path, variables);
  const who = writer === undefined
    ? "another program"
    : `${writer.command} (process ${writer.pid})`;
  return {
    name: "registry",
    level: "wrong",
    message: `The registry ${path} is held by ${who}`,
    hint: writer === undefined ? "try again" : `try again, or end it: kill ${writer.pid}`,
  };
}

/** Checks the room on the disks of the registry and of the projects. */
export async function checkDisks(tools: Tools): Promise<Finding[]> {
  const wanted = [tools.home, ...tools.projects.list().map(({ root }) => root)];
  const paths: string[] = [];
  for (const path of wanted) if (await isThere(path)) paths.push(path);
  const name = "disk";
  try {
    return (await listDisks(paths, tools.variables)).map(({ mountPoint, free }): Finding => {
      const room = `${describe(free)} free on ${mountPoint}`;
      if (free >= ROOM.note) return { name, level: "fine", message: room };
      const level = free < ROOM.wrong ? "wrong" : "note";
      return { name, level, message: `Only ${room}`, hint: `df -h ${shellWord(mountPoint)}` };
    });
  } catch (error) {
    const cannotTell = error instanceof CommandError ||
      (error instanceof PikoError && error.code === "unavailable");
    if (!cannotTell) throw error;
    return [{ name, level: "note", message: "Cannot tell how much room there is", hint: "df -h" }];
  }
}

function describe(bytes: number): string {
  return bytes >= 1024 * MIB
    ? `${(bytes / 1024 / MIB).toFixed(1)} GiB`
    : `${Math.floor(bytes / MIB)} MiB`;
}
