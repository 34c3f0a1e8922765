/** All that a piko can leave behind in a sandbox, so that a test can compare before and after. */

import { DatabaseSync } from "node:sqlite";
import type { Sandbox } from "../sandbox.ts";

/** What is there: in the registry, in git, in piko's folders, in the engine. */
export interface Traces {
  /** The rows of every table but the projects. */
  rows: Record<string, unknown[]>;
  /** Branches and tags with their commits. */
  refs: string[];
  worktrees: string[];
  /** The repository's own configuration, where branches leave what they track. */
  configuration: string[];
  status: string;
  /** Files and folders of `.piko`, logs aside, with what is in them. */
  files: string[];
  engine: string[];
  images: string[];
}

/** Takes stock of a sandbox. */
export async function takeStock(sandbox: Sandbox): Promise<Traces> {
  const [refs, worktrees, configuration, status, engine] = await Promise.all([
    sandbox.git("for-each-ref", "--format=%(refname) %(objectname)"),
    sandbox.git("worktree", "list", "--porcelain"),
    sandbox.git("config", "--local", "--list"),
    sandbox.git("status", "--porcelain", "--branch"),
    sandbox.leftInEngine(),
  ]);
  const images = await sandbox.run([
    ...["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"],
    ...["--filter", `reference=piko-${sandbox.project}*`],
  ]);
  return {
    rows: readRows(`${sandbox.variables.PIKO_HOME}/state.db`),
    refs: refs.split("\n"),
    worktrees: worktrees.split("\n"),
    configuration: configuration.split("\n"),
    status,
    files: [...listFiles(`${sandbox.root}/.piko`)].sort(),
    engine,
    images: images.split("\n").sort(),
  };
}

function readRows(path: string): Record<string, unknown[]> {
  using database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  return Object.fromEntries(
    ["environments", "ports", "steps", "carried", "kept_volumes"].map((
      table,
    ) => [table, database.prepare(`SELECT * FROM ${table}`).all()]),
  );
}

/** Lists what is in piko's folders; `worktrees` and `data` may be there empty, and logs are meant to stay. */
function* listFiles(folder: string, inside = ""): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${inside}${entry.name}`;
    if (path === "logs" || path === ".git") continue;
    if (entry.isDirectory) {
      if (inside !== "") yield `${path}/`;
      yield* listFiles(`${folder}/${entry.name}`, `${path}/`);
    } else if (entry.isSymlink) {
      yield `${path} -> ${Deno.readLinkSync(`${folder}/${entry.name}`)}`;
    } else {
      yield `${path}: ${Deno.readTextFileSync(`${folder}/${entry.name}`)}`;
    }
  }
}
