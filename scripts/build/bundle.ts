/**
 * Makes four JavaScript modules of piko and everything it imports: the one that starts, the two parts of main.ts, of
 * which a call reads one, and the page of the server. A single module would be read and hashed whole at each start,
 * 3 ms for 360 KB; one for each file that is loaded lazily costs more than it saves. What several parts need is in
 * each of them.
 *
 * The platform is `browser`, because npm packages then give their ES modules: one CommonJS module would bring in
 * `createRequire`, and with it 25 ms at each start, so a bundle that holds it is refused.
 */

import type { BuildInfo } from "../../src/build_info.ts";
import { CommandError, PikoError } from "../../src/domain/errors.ts";
import { run } from "../../src/programs/run.ts";

/** The only module that may stay outside: it is part of Deno. */
const EXTERNAL = "node:sqlite";

/** What may stay outside too when it is loaded lazily: whoever starts a short command does not pay for it. */
const EXTERNAL_LAZY = "node:module";

/** What becomes a file of its own: as it is named by whoever imports it, and where it is. */
const PARTS: Readonly<Record<string, string>> = {
  "./src/commands/short.ts": "src/commands/short.ts",
  "./src/commands/whole.ts": "src/commands/whole.ts",
  "../../web/page.ts": "web/page.ts",
};

/** The code of each file by its name; {@link START} is the one that starts. */
export type Bundle = Readonly<Record<string, string>>;

/** The file that starts. */
export const START = "piko.js";

/** What esbuild writes for `require()`: slow with platform `deno`, an error at run time with `browser`. */
const COMMONJS = ["createRequire", "Dynamic require of"];

/**
 * Bundles an entry file, minified, and the parts that it imports.
 *
 * @throws {PikoError} failed when the bundle would start slowly or could not run on its own.
 */
export async function bundle(root: string, entry: string): Promise<Bundle> {
  const files: Record<string, string> = {};
  const add = async (name: string, path: string) => {
    const others = Object.keys(PARTS).filter((specifier) => !path.endsWith(`/${PARTS[specifier]}`));
    let code = await bundleFile(root, path, others);
    const parts = Object.entries(PARTS).flatMap(([specifier, part]) => {
      const wanted = `import(${JSON.stringify(specifier)})`;
      if (!code.includes(wanted)) return [];
      const file = part.replace(/^.*\/(\w+)\.ts$/, "$1.js");
      // Deno reads at once what it can see will be imported.
      code = code.replaceAll(wanted, `import(new URL("./${file}",import.meta.url).href)`);
      return [{ file, part }];
    });
    files[name] = code;
    for (const { file, part } of parts) {
      if (files[file] === undefined) await add(file, `${root}/${part}`);
    }
  };
  await add(START, entry);
  return files;
}

async function bundleFile(
  root: string,
  entry: string,
  outside: readonly string[] = [],
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "piko-bundle-" });
  try {
    const output = `${folder}/${START}`;
    const options = ["--quiet", "--platform", "browser", "--minify", "--output", output];
    const external = outside.flatMap((specifier) => ["--external", specifier]);
    await run([Deno.execPath(), "bundle", ...options, ...external, entry], {
      cwd: root,
      variables: { ...Deno.env.toObject(), NO_COLOR: "1" },
    });
    const code = await Deno.readTextFile(output);
    await checkBundle(output, code, outside);
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The part of `deno info --json` that is read here. */
interface ModuleInfo {
  modules: { dependencies?: { specifier: string; isDynamic?: boolean }[] }[];
}

/**
 * Checks that a bundle holds no CommonJS and needs no other module than `node:sqlite`, those given, and lazily
 * `node:module`.
 *
 * @throws {PikoError} failed when it does.
 */
export async function checkBundle(
  file: string,
  code: string,
  allowed: readonly string[] = [],
): Promise<void> {
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
    .filter(({ specifier, isDynamic = false }) => !(isDynamic && specifier === EXTERNAL_LAZY))
    .map((dependency) => dependency.specifier)
    .filter((specifier) => specifier !== EXTERNAL && !allowed.includes(specifier));
  if (outside.length > 0) {
    throw new PikoError(`The bundle imports ${outside.join(", ")}`, {
      code: "failed",
      hint: `Use Deno's own functions: only ${EXTERNAL} may stay outside the bundle`,
    });
  }
}

/** Puts what {@link BuildInfo} says on the first line that runs, where `src/build_info.ts` finds it. */
export function withBuildInfo(bundle: Bundle, info: BuildInfo): Bundle {
  const line = `globalThis.PIKO_BUILD_INFO=${JSON.stringify(info)};\n`;
  return { ...bundle, [START]: line + bundle[START] };
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
