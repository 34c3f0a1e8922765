/** Lines of git's ignore files, `.gitignore` and `info/exclude`. */

import { PikoError } from "../../domain/errors.ts";
import { quote } from "../../domain/names.ts";

/** Writes a path from the root as a pattern of an ignore file that means it alone. */
export function patternFor(path: string): string {
  return `/${path.replace(/[\\*?[]/g, "\\$&").replace(/ $/, "\\ ")}`;
}

/** Adds a line to a file under a lock, so that two at once add it once; tells whether it did. */
export async function addLine(path: string, line: string): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true, append: true, create: true });
    await file.lock(true);
    const text = await new Response(streamOf(file)).text();
    if (text.split("\n").some((known) => known.trimEnd() === line)) return false;
    const end = text.includes("\r\n") ? "\r\n" : "\n";
    const gap = text === "" || text.endsWith("\n") ? "" : end;
    const bytes = new TextEncoder().encode(gap + line + end);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    return true;
  } catch (error) {
    throw new PikoError(`Cannot add ${quote(line)} to ${path}`, { code: "failed", cause: error });
  }
}

/** Reads a file to its end and leaves it open, which `file.readable` does not. */
export function streamOf(file: Deno.FsFile): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(65536);
      const count = await file.read(buffer);
      if (count === null) controller.close();
      else controller.enqueue(buffer.subarray(0, count));
    },
  });
}
