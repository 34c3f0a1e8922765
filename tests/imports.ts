/** Tells who imports whom, as Deno itself sees it, over all files of piko. */

import assert from "node:assert/strict";
import { run } from "../src/programs/run.ts";

/** The folder of the repository. */
export const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

/** An import of one file; paths are relative to the repository. */
export interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
  /** Whether it is an `import()`. */
  dynamic: boolean;
}

/** The part of `deno info --json` that is read here. */
interface Graph {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: {
      specifier: string;
      code?: { specifier?: string };
      type?: { specifier?: string };
      isDynamic?: boolean;
    }[];
  }[];
}

/** Lists the files that piko is made of. */
export async function sourceFiles(): Promise<string[]> {
  const listed = await run([
    ...["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"],
    ...["main.ts", "src", "web"],
  ]);
  return listed.split("\0").filter((path) => /\.tsx?$/.test(path) && isSource(path));
}

/** Tells whether a file is there: one that was removed but not yet committed is still listed by git. */
export function isSource(path: string): boolean {
  try {
    return Deno.statSync(`${ROOT}/${path}`).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Reads all imports; those of packages and builtins keep their name. */
export async function readImports(): Promise<Import[]> {
  const index = await Deno.makeTempFile({ prefix: "pikotest-", suffix: ".ts" });
  try {
    const files = await sourceFiles();
    await Deno.writeTextFile(
      index,
      files.map((path) => `import ${JSON.stringify(`file://${ROOT}/${path}`)};\n`).join(""),
    );
    const command = [Deno.execPath(), "info", "--json", "--config", `${ROOT}/deno.json`, index];
    const graph: Graph = JSON.parse(await run(command, { cwd: ROOT }));
    return graph.modules.flatMap((module) => {
      if (!files.includes(relative(module.specifier))) return [];
      assert.equal(module.error, undefined);
      return (module.dependencies ?? []).map((dependency) => ({
        from: relative(module.specifier),
        to: relative((dependency.code ?? dependency.type)?.specifier ?? dependency.specifier),
        typeOnly: dependency.code === undefined,
        dynamic: dependency.isDynamic ?? false,
      }));
    });
  } finally {
    await Deno.remove(index);
  }
}

function relative(specifier: string): string {
  const prefix = `file://${ROOT}/`;
  return specifier.startsWith(prefix) ? specifier.slice(prefix.length) : specifier;
}

/** Lists what is loaded with a file, itself included, each with the way to it; with `lazily` also what it loads later. */
export function loadedWith(
  imports: readonly Import[],
  entry: string,
  { lazily }: { lazily: boolean } = { lazily: false },
): Map<string, string> {
  const ways = new Map([[entry, entry]]);
  for (const [file, way] of ways) {
    for (const { from, to, typeOnly, dynamic } of imports) {
      if (from !== file || typeOnly || (dynamic && !lazily) || ways.has(to)) continue;
      ways.set(to, `${way} → ${to}`);
    }
  }
  return ways;
}
