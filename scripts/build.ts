/**
 * Makes piko one file, `dist/piko`: the bundle of main.ts, compiled; or, where Deno's base binary cannot be
 * had, packed together with the Deno program from npm as a file that unpacks itself.
 *
 *     deno task build                                    dist/piko for this machine
 *     deno task build --target aarch64-apple-darwin      dist/piko-aarch64-apple-darwin
 *     deno task build --kind self-extracting             without trying to compile
 */

import { parseArgs } from "node:util";
import manifest from "../deno.json" with { type: "json" };
import { type BuildKind, versionLine } from "../src/build_info.ts";
import { messageOf, PikoError } from "../src/domain/errors.ts";
import { tryRun } from "../src/programs/run.ts";
import { bundle, commitOf, withBuildInfo } from "./build/bundle.ts";
import { compile, type Compiled } from "./build/compile.ts";
import { writeSelfExtracting } from "./build/self_extracting.ts";
import { requireDenoProgram, requireTarget, thisMachine } from "./build/targets.ts";
import { runScript } from "./machine/say.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

await runScript(async () => {
  await build(readArguments(Deno.args));
  return 0;
});

interface Wanted {
  target: string;
  /** Undefined: compiled if it can be, else self-extracting. */
  kind: BuildKind | undefined;
  entry: string;
  output: string;
}

/** Builds one file and says where it is, which kind, and why. */
async function build(wanted: Wanted): Promise<void> {
  const folder = wanted.output.replace(/\/[^/]*$/, "");
  await Deno.mkdir(folder, { recursive: true });
  const work = await Deno.makeTempDir({ dir: folder, prefix: ".build-" });
  const temporary = `${work}/piko`;
  const info = { version: manifest.version, commit: await commitOf(root) };
  try {
    const code = await bundle(root, wanted.entry);
    const compiled = await compileUnless(wanted, async () => {
      return await compile(
        withBuildInfo(code, { ...info, kind: "compiled" }),
        work,
        temporary,
        wanted.target,
      );
    });
    const kind = compiled.made ? "compiled" : "self-extracting";
    if (!compiled.made) {
      if (wanted.kind === "compiled") {
        throw new PikoError(`Cannot compile piko for ${wanted.target}: ${compiled.why}`, {
          code: "unavailable",
          hint: "Name Deno's base binary (denort) in DENORT_BIN",
        });
      }
      const program = await Deno.readFile(await requireDenoProgram(wanted.target, folder));
      await writeSelfExtracting(withBuildInfo(code, { ...info, kind }), program, temporary);
    }
    if (wanted.target === thisMachine && wanted.entry === `${root}/main.ts`) {
      await checkThatItStarts(temporary, work, versionLine({ ...info, kind }));
    }
    await Deno.rename(temporary, wanted.output);
    const { size } = await Deno.stat(wanted.output);
    console.log(`✓ Built ${wanted.output} (${Math.round(size / 1e6)} MB, ${kind})`);
    if (!compiled.made) console.log(`  Not compiled: ${compiled.why}`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function compileUnless(wanted: Wanted, make: () => Promise<Compiled>): Promise<Compiled> {
  if (wanted.kind === "self-extracting") return { made: false, why: "--kind self-extracting" };
  return await make();
}

/** Starts a new piko once, with a cache of its own: a wrong base binary would only be noticed by users. */
async function checkThatItStarts(file: string, work: string, expected: string): Promise<void> {
  const variables = { ...Deno.env.toObject(), XDG_CACHE_HOME: `${work}/cache` };
  const { stdout, stderr } = await tryRun([file, "--version"], { variables, timeout: 60_000 });
  if (stdout.trim() === expected) return;
  throw new PikoError(`The new piko does not start: --version did not print "${expected}"`, {
    code: "failed",
    details: (stdout + stderr).trim().split("\n"),
  });
}

function readArguments(args: string[]): Wanted {
  const values = parse(args.filter((arg) => arg !== "--"));
  const { kind } = values;
  if (kind !== undefined && kind !== "compiled" && kind !== "self-extracting") {
    throw new PikoError(`There is no kind of build "${kind}"`, {
      code: "usage",
      hint: "Kinds: compiled, self-extracting",
    });
  }
  const target = values.target === undefined ? thisMachine : requireTarget(values.target);
  const name = values.target === undefined ? "piko" : `piko-${target}`;
  return {
    target,
    kind,
    entry: absolute(values.entry ?? `${root}/main.ts`),
    output: absolute(values.output ?? `${root}/dist/${name}`),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        target: { type: "string" },
        kind: { type: "string" },
        entry: { type: "string" },
        output: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new PikoError(messageOf(error), {
      code: "usage",
      hint: "deno task build [--target T] [--kind compiled|self-extracting] [--output FILE]",
      cause: error,
    });
  }
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}
