/** Lays out rows in columns. */

import { visibleLength } from "./output.ts";

/** Lays out rows under a heading; the last column is not padded, and nothing ends in spaces. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heading, ...rows];
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((line) => visibleLength(line[column] ?? "")))
  );
  return lines.map((line) =>
    line.map((cell, column) => {
      const gap = column === line.length - 1 ? 0 : (widths[column] ?? 0) - visibleLength(cell) + 2;
      return cell + " ".repeat(gap);
    }).join("").trimEnd()
  ).join("\n");
}

/** Says how long ago something was: `just now`, `5 min ago`, `3 h ago`, `2 days ago`. */
export function ago(time: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(time)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} days ago`;
}
