/**
 * Where the demo lives: one folder with the sample repository, piko's registry for it, and a record of what
 * the demo brought to the machine, so that it can be taken away again.
 */

import { PikoError } from "../../src/domain/errors.ts";

/** What the demo brought to the machine. */
export interface DemoRecord {
  /** Undefined until the machine is set up. */
  mode?: "docker" | "simple";
  /** Compose projects of the demo's environments. */
  composeProjects: string[];
  /** Images that the engine did not have before. */
  images: string[];
  /** Whether no engine ran before. */
  engine: boolean;
  /** System packages that were installed; they stay. */
  packages: string[];
}

/** The demo's folder and what lies in it. */
export interface DemoPlace {
  folder: string;
  /** The sample repository. */
  shop: string;
  /** PIKO_HOME of the demo. */
  pikoHome: string;
}

const RECORD = "demo.json";

/** Tells where the demo lives for this user. */
export function demoPlace(): DemoPlace {
  const home = Deno.env.get("HOME");
  if (!home) {
    throw new PikoError("HOME is not set, so the demo has no place to live", { code: "usage" });
  }
  const folder = `${home}/piko-demo`;
  return { folder, shop: `${folder}/shop`, pikoHome: `${folder}/piko-home` };
}

/** Reads the record of an earlier demo; undefined when there is none. A folder of something else is refused. */
export async function readRecord({ folder }: DemoPlace): Promise<DemoRecord | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${folder}/${RECORD}`));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new PikoError(`${folder}/${RECORD} is not readable as the demo's record`, {
        code: "failed",
        hint: `look into ${folder}, and remove it if it is only the demo`,
      });
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    await Deno.lstat(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  throw new PikoError(`${folder} exists and is not the demo's own`, {
    code: "conflict",
    hint: "move it away, or set HOME to another folder for the demo",
  });
}

/** Writes the record; it is whole at every moment. */
export async function writeRecord({ folder }: DemoPlace, record: DemoRecord): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/${RECORD}.new`, `${JSON.stringify(record, null, 2)}\n`);
  await Deno.rename(`${folder}/${RECORD}.new`, `${folder}/${RECORD}`);
}
