/** Tells a person which volumes stay, who finds them again, and how they are removed. */

import { isAnonymousVolume } from "../domain/containers.ts";
import { nameList } from "../domain/names.ts";
import { tellNameless } from "../operations/kept_volumes.ts";
import type { Output } from "../terminal/output.ts";

/** Tells of volumes that stay; the command is the one whose containers get the named ones again. */
export function noteKeptVolumes(
  output: Output,
  volumes: readonly string[],
  command: string,
): void {
  if (volumes.length === 0) return;
  output.note(`  Volumes stay: ${volumes.join(", ")}`);
  const named = volumes.filter((name) => !isAnonymousVolume(name));
  const again = named.length === 0
    ? "Without names, nothing finds them again"
    : `${command} finds ${named.length === volumes.length ? "them" : nameList(named)} again`;
  output.note(`  ${again}; docker volume rm ${volumes.join(" ")} removes them`);
  const nameless = tellNameless(volumes);
  if (nameless !== "") output.note(`  ${nameless}`);
}
