/**
 * Makes one JavaScript module of piko and everything it imports. The platform is `browser`, because npm
 * packages then give their ES modules: one CommonJS module would bring in `createRequire`, and with it
 * 25 ms at each start, so a bundle that holds it is refused.
 */

import type { BuildInfo } from "../../src/build_info.ts";
import { CommandError, PikoError } from "../../src/domain/errors.ts";
import { run } from "../../src/programs/run.ts";

/** The only module that may stay outside: it is part of Deno. */
const EXTERNAL = "node:sqlite";

/** What esbuild writes for `require()`: slow with platform `deno`, an error at run time with `browser`. */
const COMMONJS = ["createRequire", "Dynamic require of"];

/**
 * Bundles an entry file, minified.
 *
 * @throws {PikoError} failed when the bundle would start slowly or could not run on its own.
 */
export async function bundle(root: string, entry: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "piko-bundle-" });
  try {
    const output = `${folder}/piko.js`;
    const options = ["--quiet", "--platform", "browser", "--minify", "--output", output];
    await run([Deno.execPath(), "bundle", ...options, entry], {
      cwd: root,
      variables: { ...Deno.env.toObject(), NO_COLOR: "1" },
    });
    const code = await Deno.readTextFile(output);
    await checkBundle(output, code);
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The part of `deno info --json` that is read here. */
interface ModuleInfo {
  modules: { dependencies?: { specifier: string }[] }[];
}

/**
 * Checks that a bundle holds no CommonJS and needs no other module than `node:sqlite`.
 *
 * @throws {PikoError} failed when it does.
 */
export async function checkBundle(file: string, code: string): Promise<void> {
  const found = COMMONJS.find((text) => code.includes(text));
  if (found !== undefined) {
    throw new PikoError(`The bundle holds "${found}": a bundled module is CommonJS`, {
      code: "failed",
      hint: "Import the ES module of that package, or do without it",
    });
  }
  const info: ModuleInfo = JSON.parse(
    await run([Deno.execPath(), "info", "--json", "--no-config", "--no-lock", "--no-remote", file]),
  );
  const outside = (info.modules[0]?.dependencies ?? [])
    .map((dependency) => dependency.specifier)
    .filter((specifier) => specifier !== EXTERNAL);
  if (outside.length > 0) {
    throw new PikoError(`The bundle imports ${outside.join(", ")}`, {
      code: "failed",
      hint: `Use Deno's own functions: only ${EXTERNAL} may stay outside the bundle`,
    });
  }
}

/** Puts what {@link BuildInfo} says on the first line of a bundle, where `src/build_info.ts` finds it. */
export function withBuildInfo(code: string, info: BuildInfo): string {
  return `globalThis.PIKO_BUILD_INFO=${JSON.stringify(info)};\n${code}`;
}

/** Tells the short commit of a checkout, with `-dirty` if anything is changed; null without git. */
export async function commitOf(root: string): Promise<string | null> {
  try {
    const commit = await run(["git", "-C", root, "rev-parse", "--short", "HEAD"]);
    const changes = await run(["git", "-C", root, "status", "--porcelain"]);
    return commit.trim() + (changes === "" ? "" : "-dirty");
  } catch (error) {
    // Sources from an archive have no history, and a machine that builds may have no git.
    if (error instanceof CommandError || error instanceof PikoError) return null;
    throw error;
  }
}
