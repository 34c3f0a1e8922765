/**
 * The machines that piko is built for, and the Deno program for each: the running one for this machine,
 * npm's package of the same version for another.
 */

import { PikoError } from "../../src/domain/errors.ts";
import { tryRun } from "../../src/programs/run.ts";

const NPM_PACKAGES = {
  "x86_64-unknown-linux-gnu": "@deno/linux-x64-glibc",
  "aarch64-unknown-linux-gnu": "@deno/linux-arm64-glibc",
  "x86_64-apple-darwin": "@deno/darwin-x64",
  "aarch64-apple-darwin": "@deno/darwin-arm64",
} as const;

/** A machine that piko can be built for, as Rust names it. */
export type Target = keyof typeof NPM_PACKAGES;

/** The machine this runs on, as Rust names it. */
export const thisMachine: string = Deno.build.target;

/**
 * Reads the name of a target.
 *
 * @throws {PikoError} usage when piko is not built for it.
 */
export function requireTarget(name: string): Target {
  if (Object.hasOwn(NPM_PACKAGES, name)) return name as Target;
  throw new PikoError(`piko is not built for "${name}"`, {
    code: "usage",
    hint: `Targets: ${Object.keys(NPM_PACKAGES).join(", ")}`,
  });
}

/**
 * Finds the Deno program for a target, and fetches it into `cache` if it is for another machine.
 *
 * @throws {PikoError} unavailable when it cannot be had.
 */
export async function requireDenoProgram(target: string, cache: string): Promise<string> {
  if (target === thisMachine) return await requireProgram(Deno.execPath());
  const name = NPM_PACKAGES[requireTarget(target)];
  const program = `${cache}/deno-${Deno.version.deno}-${target}`;
  if (await isProgram(program)) return program;
  const wanted = `${name}@${Deno.version.deno}`;
  const temporary = await Deno.makeTempDir({ dir: cache });
  try {
    const packed = await tryRun(
      ["npm", "pack", "--silent", "--pack-destination", temporary, "--", wanted],
      { cwd: temporary, timeout: 300_000 },
    );
    const archive = packed.stdout.trim();
    if (packed.exitCode !== 0 || archive === "") {
      throw unavailable(target, `npm has no ${wanted}`, packed.stderr);
    }
    const unpacked = await tryRun(["tar", "-xzf", archive, "package/deno"], { cwd: temporary });
    if (unpacked.exitCode !== 0) {
      throw unavailable(target, `${wanted} holds no Deno program`, unpacked.stderr);
    }
    await Deno.rename(await requireProgram(`${temporary}/package/deno`), program);
    return program;
  } catch (error) {
    if (error instanceof PikoError && error.code === "unavailable") {
      throw unavailable(target, error.message.replace(/^Cannot build for .*?: /, ""));
    }
    throw error;
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

function unavailable(target: string, why: string, stderr = ""): PikoError {
  const details = stderr.trim();
  return new PikoError(`Cannot build for ${target}: ${why}`, {
    code: "unavailable",
    ...(details === "" ? {} : { details: details.split("\n") }),
  });
}

/** Refuses a file that only starts another one, such as npm's launcher in JavaScript. */
async function requireProgram(path: string): Promise<string> {
  if (await isProgram(path)) return path;
  throw new PikoError(`${path} is not a program for Linux or macOS`, { code: "unavailable" });
}

/** The first four bytes of a program: ELF, and Mach-O for 64 bits. */
const MAGIC = ["7f454c46", "cffaedfe"];

async function isProgram(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const start = new Uint8Array(4);
    await file.read(start);
    return MAGIC.includes(start.toHex());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
