/**
 * Reads the text of `.piko.yml` or `config.yml`: what it comes to, where each field stands, and what is wrong, shown where
 * it stands, with the line itself and `^~~~` below what is meant.
 */

import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLParseError,
} from "yaml";
import type { Checked, Remark } from "./config.ts";
import { quote } from "./names.ts";
import { withoutSecrets } from "./secrets.ts";
import { charactersOf, widthOf } from "./width.ts";

/** A place in a file, from 1. */
export interface Place {
  line: number;
  column: number;
}

/** Something that is wrong or odd, and where. */
export interface Finding extends Place {
  level: "error" | "warning";
  /** One sentence without a stop. */
  message: string;
  /** The line, cropped and without its secrets, and `^~~~` below what is meant; nothing where the line is empty. */
  shown: string[];
}

/** What a file comes to. */
export interface ReadConfig<Config> {
  /** Undefined when there is an error. */
  config: Config | undefined;
  /** Whether it could be read as YAML at all. */
  isYaml: boolean;
  /** In the order of their places; a hundred at most. */
  findings: Finding[];
  /** Tells where a field stands: its name, or its place in a list; else what is nearest to it around. */
  placeOf: (path: readonly (string | number)[]) => Place;
}

/** What a file has wrong at most; a broken one can have a mistake in each of its characters. */
const MAX_FOUND = 100;

/** The columns of a source line that are shown at most. */
const MAX_SHOWN = 80;

/** Reads and checks a file's text. */
export function readConfigText<Config>(
  text: string,
  check: (content: unknown) => Checked<Config>,
): ReadConfig<Config> {
  const source: Source = { text, lines: new LineCounter() };
  const document = parseDocument(text, {
    lineCounter: source.lines,
    prettyErrors: false,
    merge: true,
    stringKeys: true,
  });
  const broken = brokenRules(text, document);
  const refuse = (found: readonly Found[]): ReadConfig<Config> => ({
    config: undefined,
    isYaml: false,
    findings: inOrder(source, found),
    placeOf: () => ({ line: 1, column: 1 }),
  });
  if (broken.length > 0) return refuse(broken);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // The one thing left that yaml refuses here: aliases that multiply each other without end.
    if (!(error instanceof ReferenceError)) throw error;
    return refuse([{ level: "error", message: "Too many aliases", range: [0, 0] }]);
  }
  const { config, problems, warnings } = check(content);
  const locate = (level: Finding["level"]) => (remark: Remark): Found => ({
    level,
    message: remark.message,
    range: rangeIn(document, remark),
  });
  return {
    config,
    isYaml: true,
    findings: inOrder(source, [
      ...document.warnings.map(({ message, pos }): Found => ({
        level: "warning",
        message: withoutStop(firstLine(message)),
        range: pos,
      })),
      ...problems.map(locate("error")),
      ...warnings.map(locate("warning")),
    ]),
    placeOf: (path) => placeIn(source, rangeIn(document, { path: [...path], isAboutName: true })),
  };
}

/** Locates what another rule than those of the file itself finds in a file that was read. */
export function findingAt(
  text: string,
  remark: Remark,
  level: Finding["level"],
): Finding {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, stringKeys: true });
  const range = rangeIn(document, remark);
  return described({ text, lines }, { level, message: remark.message, range });
}

interface Found {
  level: Finding["level"];
  message: string;
  /** Offsets into the text. */
  range: readonly [number, number];
}

interface Source {
  text: string;
  lines: LineCounter;
}

function brokenRules(text: string, document: Document): Found[] {
  const broken = document.errors.map((error): Found => ({
    level: "error",
    message: brokenRule(text, error),
    range: error.pos,
  }));
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const message = `There is no anchor ${quote(alias.source)} before its alias`;
      broken.push({ level: "error", message, range: rangeOf(alias) });
    },
  });
  return broken;
}

function inOrder(source: Source, found: readonly Found[]): Finding[] {
  return found.toSorted((one, other) => one.range[0] - other.range[0]).slice(0, MAX_FOUND)
    .map((each) => described(source, each));
}

function described(source: Source, { level, message, range }: Found): Finding {
  return { level, message, ...placeIn(source, range), shown: underlined(source, range) };
}

function placeIn({ lines }: Source, range: readonly [number, number]): Place {
  const { line, col } = lines.linePos(range[0]);
  // A file without any character has no line to yaml.
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Shows the line that something starts in, and a second line that points at what is meant. */
function underlined({ text, lines }: Source, range: readonly [number, number]): string[] {
  // What is missing at the end of the file is missed behind the last thing that stands there.
  const isAtEnd = text.slice(range[0]).trim() === "";
  const [start, end] = isAtEnd ? [text.trimEnd().length, text.trimEnd().length + 1] : range;
  const { line, col } = lines.linePos(start);
  const lineStart = lines.lineStarts[line - 1] ?? 0;
  const whole = text.slice(lineStart).split(/\r?\n/, 1)[0] ?? "";
  if (whole.trim() === "") return [];
  const at = Math.max(col - 1, 0);
  const from = at > MAX_SHOWN / 2 && whole.length > MAX_SHOWN ? at - MAX_SHOWN / 4 : 0;
  const safe = withoutSecrets(whole, true);
  const shown = safe.slice(from, from + MAX_SHOWN);
  const before = charactersOf(whole.slice(from, at)).map((character) =>
    character === "\t" ? character : " ".repeat(widthOf(character))
  ).join("");
  const meant = safe.slice(at, Math.min(at + Math.max(1, end - start), from + MAX_SHOWN)).trimEnd();
  const width = Math.max(1, widthOf(meant));
  // The file is not ours: its control characters are not for the terminal.
  return [visible(shown), `${before}^${"~".repeat(width - 1)}`];
}

function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => character === "\t" ? character : "�");
}

/** Finds where a remark belongs: its field, or the nearest one around it that stands in the file. */
function rangeIn(
  document: Document,
  { path, isAboutName }: Pick<Remark, "path" | "isAboutName">,
): readonly [number, number] {
  if (isAboutName) {
    const map = path.length === 0 ? undefined : document.getIn(path.slice(0, -1), true);
    const items = isMap(map) ? map.items : [];
    const pair = items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1));
    if (isNode(pair?.key)) return rangeOf(pair.key);
  }
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node)) return rangeOf(node);
  }
  return [0, 0];
}

function rangeOf(node: Node): readonly [number, number] {
  return node.range ? [node.range[0], node.range[1]] : [0, 0];
}

/** Says what yaml found, in our words where its own need a change. */
function brokenRule(text: string, { code, message, pos }: YAMLParseError): string {
  if (code === "DUPLICATE_KEY") {
    return `${quote(firstLine(text.slice(pos[0], keyEnd(text, pos[0]))))} stands there twice`;
  }
  // yaml descends by calling itself, and reports where the stack ended.
  if (message.includes("call stack")) return "It is nested too deeply";
  return withoutStop(firstLine(message));
}

function keyEnd(text: string, start: number): number {
  const colon = text.indexOf(":", start);
  return colon < 0 ? start + 1 : colon;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function withoutStop(sentence: string): string {
  return sentence.replace(/[.:]$/, "");
}
