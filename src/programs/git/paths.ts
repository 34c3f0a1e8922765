/** What git.ts and its parts read of the disk, of paths and of the lines that git prints. */

/** Resolves the links on the way to a path, as git does, not the path itself, which may be gone or be a link. */
export async function placeOf(path: string): Promise<string> {
  const plain = path.replace(/\/+$/, "");
  const slash = plain.lastIndexOf("/");
  const parent = await realPath(plain.slice(0, slash) || "/");
  return `${parent === "/" ? "" : parent}${plain.slice(slash)}`;
}

/** Resolves a path as far as it exists. */
export async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return path;
  }
}

export async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

export function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

export function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}
