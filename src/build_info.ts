/**
 * Tells which piko this is. scripts/build.ts writes the answer on the first line of the bundle, before any
 * module runs; sources have no such line and answer for themselves.
 *
 * It also gives back the process variables as the user set them: the self-extracting file starts Deno with
 * some of its own (scripts/build/self_extracting.ts), and no program that piko starts should see those.
 */

import manifest from "../deno.json" with { type: "json" };

/** How piko was made: one executable, one file that unpacks itself, or no build at all. */
export type BuildKind = "compiled" | "self-extracting" | "sources";

/** Which piko this is. */
export interface BuildInfo {
  version: string;
  /** The short commit it was built from, with `-dirty` if files were changed; null when nobody knows. */
  commit: string | null;
  kind: BuildKind;
}

const scope: typeof globalThis & { PIKO_BUILD_INFO?: BuildInfo } = globalThis;

/** The version, commit and kind of build of the running piko. */
export const buildInfo: Readonly<BuildInfo> = scope.PIKO_BUILD_INFO ?? {
  version: manifest.version,
  commit: null,
  kind: "sources",
};

/** Says in one line which piko this is: `piko 0.1.0 (93c5e31, self-extracting)`. */
export function versionLine(info: Readonly<BuildInfo> = buildInfo): string {
  const origin = info.commit === null ? info.kind : `${info.commit}, ${info.kind}`;
  return `piko ${info.version} (${origin})`;
}

/** The variables that the self-extracting file sets for the Deno inside it. */
const HEADER_VARIABLES = [
  "DENO_DIR",
  "DENO_NO_UPDATE_CHECK",
  "PIKO_EXECUTABLE",
  "PIKO_FOLDER_GONE",
];

/** What stands before the name of a user's variable that the header had to put aside. */
const KEPT = "PIKO_KEPT_";

/** Gives the process variables as the user set them, without those of the self-extracting file. */
export function userVariables(
  variables: Readonly<Record<string, string>>,
  kind: BuildKind = buildInfo.kind,
): Record<string, string> {
  if (kind !== "self-extracting") return { ...variables };
  const restored: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (!HEADER_VARIABLES.includes(name) && !name.startsWith(KEPT)) restored[name] = value;
  }
  for (const [name, value] of Object.entries(variables)) {
    if (name.startsWith(KEPT)) restored[name.slice(KEPT.length)] = value;
  }
  return restored;
}

/** Tells whether the folder that piko was started in had been removed, so that the header had to leave it. */
export function isFolderGone(): boolean {
  return buildInfo.kind === "self-extracting" && Deno.env.has("PIKO_FOLDER_GONE");
}

/** Finds the file that starts this piko again, or nothing when it runs from its sources. */
export function executablePath(
  variables: Readonly<Record<string, string>>,
  kind: BuildKind = buildInfo.kind,
): string | undefined {
  if (kind === "self-extracting") return variables["PIKO_EXECUTABLE"];
  return kind === "compiled" ? Deno.execPath() : undefined;
}
