/** Checks paths that a project's files name: they must stay inside the project. */

/** Tells why a path may not be used, as the end of a sentence about it; undefined when it may. */
export function problemOfPath(path: string): string | undefined {
  const parts = path.split("/");
  if (plainPath(path) === "") return "must name a file or folder";
  if (path.includes("\0")) return "must not contain a zero byte";
  if (path.startsWith("/")) return "must be a path from the project's root, not an absolute one";
  if (parts[0] === "~") return "must be a path from the project's root, not from the home folder";
  if (parts.includes("..")) return 'must stay inside the project, without ".."';
  return undefined;
}

/** As {@link problemOfPath}, and refuses what belongs to git and to piko itself. */
export function problemOfCarriedPath(path: string): string | undefined {
  const problem = problemOfPath(path);
  if (problem !== undefined) return problem;
  // Some file systems take .GIT for .git.
  const parts = plainPath(path).toLowerCase().split("/");
  if (parts.includes(".git")) return "must not be a part of .git";
  return parts[0] === ".piko" ? "must not be a part of .piko" : undefined;
}

/** Writes a path without `./`, doubled and final slashes. */
export function plainPath(path: string): string {
  const plain = path.split("/").filter((part) => part !== "" && part !== ".").join("/");
  return path.startsWith("/") ? `/${plain}` : plain;
}
