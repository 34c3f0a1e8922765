/**
 * Reads the names of the services out of an override file, by the lines in which domain/override.ts writes it: a Tab
 * should not have to wait until YAML is loaded.
 */

import { messageOf, PikoError } from "../domain/errors.ts";

/** Lists the services of an override file that piko wrote; undefined when it is gone or is no such file. */
export async function readOverrideServices(path: string): Promise<string[] | undefined> {
  try {
    return parseOverrideServices(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new PikoError(`Cannot read ${path}: ${messageOf(error)}`, {
      code: "failed",
      cause: error,
    });
  }
}

/** Takes the names of the services out of an override file; undefined where piko has not written it. */
export function parseOverrideServices(text: string): string[] | undefined {
  const lines = text.split("\n");
  const first = lines.indexOf('  "services": {') + 1;
  const count = lines.slice(first).findIndex((line) => /^ {0,2}\S/.test(line));
  if (first === 0 || count < 0) return undefined;
  return lines.slice(first, first + count).flatMap((line) => {
    const name = /^ {4}("(?:[^"\\]|\\.)*"): /.exec(line)?.[1];
    return name === undefined ? [] : [JSON.parse(name) as string];
  });
}
