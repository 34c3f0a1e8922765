/**
 * Reads the text of `.piko.yml` or `config.yml`: what it comes to, where each field stands, and what is wrong, shown where
 * it stands, with the line itself and `^~~~` below what is meant.
 */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
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
  /** What the fields without errors come to; undefined when there is no error, and when they cannot be told. */
  sound?: Config | undefined;
  /** Whether it could be read as YAML at all. */
  isYaml: boolean;
  /** In the order of their places; a hundred at most. */
  findings: Finding[];
  /** Tells where a field stands: its name, or its place in a list; else what is nearest to it around. */
  placeOf: (path: readonly (string | number)[]) => Place;
  /** Says something of a field that the file itself cannot know. */
  find: (level: Finding["level"], remark: Remark) => Finding;
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
  const broken = brokenRules(text, document, source.lines);
  const locate = (level: Finding["level"]) => (remark: Remark): Found => ({
    level,
    message: remark.message,
    range: rangeIn(document, remark),
  });
  const places: Pick<ReadConfig<Config>, "placeOf" | "find"> = {
    placeOf: (path) => placeIn(source, rangeIn(document, { path: [...path], isAboutName: true })),
    find: (level, remark) => described(source, locate(level)(remark)),
  };
  const refuse = (found: readonly Found[]): ReadConfig<Config> => ({
    config: undefined,
    isYaml: false,
    findings: inOrder(source, found),
    ...places,
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
  const { config, sound, problems, warnings } = check(content);
  return {
    config,
    sound,
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
    ...places,
  };
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

function brokenRules(text: string, document: Document, lines: LineCounter): Found[] {
  const conflict = /^(?:<{7}|={7}|>{7})(?= |\r?$)/m.exec(text);
  if (conflict !== null) {
    const range = [conflict.index, conflict.index + conflict[0].length] as const;
    return [{ level: "error", message: "A conflict of git is not resolved here", range }];
  }
  const broken: Found[] = [];
  const told = new Set<number>();
  for (const error of document.errors) {
    // One mistake confuses the parser more than once; what it says first is nearest to the truth.
    const { line } = lines.linePos(error.pos[0]);
    if (told.has(line)) continue;
    told.add(line);
    broken.push({ level: "error", message: brokenRule(text, error), range: error.pos });
  }
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const message = `There is no anchor ${quote(alias.source)} before its alias`;
      broken.push({ level: "error", message, range: rangeOf(alias) });
    },
    Pair(_, { key, value }) {
      const isMerge = isScalar(key) && key.value === "<<" && key.type === Scalar.PLAIN;
      if (!isMerge || isMerged(document, value)) return;
      const message = "Only a map, an alias of one or a list of those can stand behind <<";
      broken.push({ level: "error", message, range: rangeOf(isNode(value) ? value : key) });
    },
  });
  return broken;
}

function isMerged(document: Document, value: unknown, isListed = false): boolean {
  const source = isAlias(value) ? value.resolve(document) : value;
  // An alias of nothing is told by itself.
  if (source === undefined) return true;
  if (isSeq(source)) return !isListed && source.items.every((it) => isMerged(document, it, true));
  return isMap(source);
}

function inOrder(source: Source, found: readonly Found[]): Finding[] {
  return found.toSorted((one, other) => one.range[0] - other.range[0]).slice(0, MAX_FOUND)
    .map((each) => described(source, each));
}

function described(source: Source, { level, message, range }: Found): Finding {
  // The file is not ours: its control characters are not for the terminal.
  return {
    level,
    message: visible(message),
    ...placeIn(source, range),
    shown: underlined(source, range),
  };
}

function placeIn(source: Source, range: readonly [number, number]): Place {
  const { line, col } = source.lines.linePos(pointedAt(source, range)[0]);
  // A file without any character has no line to yaml.
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Tells where to point: not at the space before something, and not behind the end of the last line. */
function pointedAt({ text }: Source, range: readonly [number, number]): readonly [number, number] {
  const [start, end] = range;
  const space = /^ */.exec(text.slice(start, start + MAX_SHOWN))?.[0].length ?? 0;
  if (text.slice(start).trim() !== "") return [start + space, Math.max(end, start + space + 1)];
  const last = text.trimEnd().length;
  return [last, last + 1];
}

/** Shows the line that something starts in, and a second line that points at what is meant. */
function underlined(source: Source, range: readonly [number, number]): string[] {
  const { text, lines } = source;
  const [start, end] = pointedAt(source, range);
  const { line, column } = placeIn(source, range);
  const whole = text.slice(lines.lineStarts[line - 1] ?? 0).split(/\r?\n/, 1)[0] ?? "";
  if (whole.trim() === "") return [];
  const at = column - 1;
  const from = at > MAX_SHOWN / 2 && whole.length > MAX_SHOWN ? at - MAX_SHOWN / 4 : 0;
  const safe = withoutSecrets(whole, true);
  const shown = safe.slice(from, from + MAX_SHOWN);
  const before = charactersOf(whole.slice(from, at)).map((character) =>
    character === "\t" ? character : " ".repeat(widthOf(character))
  ).join("");
  const meant = safe.slice(at, Math.min(at + Math.max(1, end - start), from + MAX_SHOWN)).trimEnd();
  const width = Math.max(1, widthOf(meant));
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

/** What yaml's words, which are about YAML's grammar, mean for whoever writes the file. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/^Missing closing (["'])quote/, "The quote $1 is not closed"],
  [/^Flow sequence .*\]$/, "A list is not closed before this: ] is missing"],
  [/^Flow map .*\}$/, "A map is not closed before this: } is missing"],
  [/^Missing , (?:or : )?between/, "A comma is missing before this"],
  [/^Block collections are not allowed/, "A comma is missing in this, or quotes around it"],
  [/^Nested mappings/, "A text that holds or ends in a colon must be in quotes"],
  [/^Implicit (?:map )?keys /, "There is no colon with a space behind this name"],
  [
    /^(?:Map|Sequence) items? |^All (?:mapping|sequence) items /,
    "This must begin in the same column as what it belongs to",
  ],
  [
    /^Not a YAML token|^Block scalar header includes/,
    "The text that | and > announce begins in the next line",
  ],
  [/^A block sequence may not/, "A list cannot stand here"],
  [/^Plain value cannot start with .*?(\S)$/, "A text that begins with $1 must be in quotes"],
  [/^Unexpected \S+ token in YAML stream: "?(\S+?)"?$/, "$1 is one too many"],
  [
    /^Invalid escape sequence (.*)$/,
    "$1 means nothing within double quotes; within single ones it stands for itself",
  ],
  [/^Tabs are not allowed/, "Lines are indented by spaces, not by tabs"],
  [/multiple documents/, "One file is one document, without ---"],
  [/^With stringKeys/, "A field's name must be text"],
  // yaml descends by calling itself, and reports where the stack ended.
  [/call stack/, "It is nested too deeply"],
];

/** Says what yaml found, in words of our own where we have better ones. */
function brokenRule(text: string, { code, message, pos }: YAMLParseError): string {
  if (code === "DUPLICATE_KEY") {
    return `${quote(firstLine(text.slice(pos[0], keyEnd(text, pos[0]))))} stands there twice`;
  }
  const said = withoutStop(firstLine(message));
  for (const [pattern, sentence] of RULES) {
    const match = pattern.exec(said);
    if (match !== null) return sentence.replace("$1", () => match[1] ?? "");
  }
  return said;
}

function keyEnd(text: string, start: number): number {
  const colon = text.indexOf(":", start);
  return colon < 0 ? start + 1 : colon;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function withoutStop(sentence: string): string {
  return sentence.replace(/[.:]+$/, "");
}
