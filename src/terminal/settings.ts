/** Shows the configuration that holds as YAML, each value with a comment that says where it comes from. */

import { stringify } from "yaml";
import type { Setting, Source } from "../domain/settings.ts";
import { widthOf } from "../domain/width.ts";

/** The column that the comments stand in; a longer line has its comment behind it. */
const COMMENTS = 56;

/** How it is shown. */
export interface SettingsStyle {
  /** Writes a path as a person knows it. */
  shorten: (path: string) => string;
  paint: (comment: string) => string;
}

/** Writes the settings as YAML. */
export function settingsText(settings: readonly Setting[], style: SettingsStyle): string {
  const lines: Line[] = [];
  let group: string | undefined;
  for (const setting of settings) {
    const [field = "", inner] = setting.path;
    if (inner !== undefined && field !== group) lines.push({ text: `${key(field)}:` });
    group = inner === undefined ? undefined : field;
    lines.push(...linesOf(setting, field, inner));
  }
  const width = Math.min(
    COMMENTS,
    Math.max(...lines.map(({ text, of }) => of === undefined ? 0 : widthOf(text))),
  );
  return lines.map(({ text, of }) => {
    if (of === undefined) return text;
    const gap = " ".repeat(Math.max(0, width - widthOf(text)) + 2);
    return `${text}${gap}${style.paint(`# ${comment(of, style)}`)}`;
  }).join("\n");
}

interface Line {
  text: string;
  /** Whose source is told behind it. */
  of?: Setting;
}

function linesOf(setting: Setting, field: string, inner: string | undefined): Line[] {
  const { value } = setting;
  const [first = "", ...others] = inner === undefined
    ? pair(field, value)
    : field === "windows"
    ? [`- ${flow(withoutNulls(value))}`]
    : pair(inner, value);
  const indent = inner === undefined ? "" : "  ";
  return [
    { text: indent + first, of: setting },
    ...others.map((line) => ({ text: line === "" ? "" : indent + line })),
  ];
}

function pair(name: string, value: unknown): string[] {
  if (typeof value !== "string") return [`${key(name)}: ${flow(value)}`];
  const text = stringify({ [name]: value }, { lineWidth: 0, blockQuote: "literal" });
  return text.trimEnd().split("\n");
}

function key(name: string): string {
  return stringify(name, { lineWidth: 0 }).trimEnd();
}

function flow(value: unknown): string {
  return stringify(value, { lineWidth: 0, collectionStyle: "flow" }).trimEnd();
}

function withoutNulls(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}

function comment({ source, over }: Setting, style: SettingsStyle): string {
  const others = over.map((each) => sourceText(each, style));
  return sourceText(source, style) + (others.length === 0 ? "" : `, over ${others.join(", ")}`);
}

function sourceText({ kind, name, line }: Source, { shorten }: SettingsStyle): string {
  if (name === null) return kind;
  return line === null ? name : `${shorten(name)}:${line}`;
}
