/**
 * Reads `.piko.yml` and the person's own `config.yml`. What is wrong is shown where it stands: file, line, column, and
 * the line itself. YAML and the schemas are loaded only when there is a file, which most commands' start-up owes to.
 */

import type { Document, LineCounter, Node, YAMLParseError } from "yaml";
import type { Checked, ProjectConfig, Remark, UserConfig } from "../domain/config.ts";
import { PikoError } from "../domain/errors.ts";
import { quote } from "../domain/names.ts";

/** A configuration, and what is odd about it but does no harm, each as one sentence with its place. */
export interface Configured<Config> {
  config: Config;
  warnings: string[];
}

/** Reading 1 MB of YAML takes about a second; nobody writes as much by hand. */
const MAX_BYTES = 256 * 1024;

/** The columns of a source line that are shown at most. */
const MAX_SHOWN = 80;

/**
 * Reads the `.piko.yml` of a folder; a missing file is an empty configuration.
 *
 * @throws {PikoError} usage when it is broken, with line and column; failed when it cannot be read.
 */
export async function readProjectConfig(root: string): Promise<Configured<ProjectConfig>> {
  const path = `${root}/.piko.yml`;
  const text = await readText(path);
  if (text === undefined) {
    return {
      config: { scripts: {}, shared: [], shells: {}, ignore: [], windows: [], copy: [], link: [] },
      warnings: await isThere(`${root}/.piko.yaml`)
        ? [`${root}/.piko.yaml is not read: its name must be .piko.yml`]
        : [],
    };
  }
  const { checkProjectConfig } = await import("../domain/config.ts");
  return await parse(path, text, checkProjectConfig);
}

/**
 * Reads the person's own configuration from a path; a missing file is an empty one.
 *
 * @throws {PikoError} usage when it is broken, with line and column; failed when it cannot be read.
 */
export async function readUserConfig(path: string): Promise<Configured<UserConfig>> {
  const text = await readText(path);
  if (text === undefined) return { config: { defaultWindows: [], shells: {} }, warnings: [] };
  const { checkUserConfig } = await import("../domain/config.ts");
  return await parse(path, text, checkUserConfig);
}

async function parse<Config>(
  path: string,
  text: string,
  check: (content: unknown) => Checked<Config>,
): Promise<Configured<Config>> {
  const yaml = await import("yaml");
  const source = { path, text, lines: new yaml.LineCounter() };
  const document = yaml.parseDocument(text, {
    lineCounter: source.lines,
    prettyErrors: false,
    merge: true,
    stringKeys: true,
  });
  const broken = document.errors.map((error): Found => ({
    message: brokenRule(text, error),
    range: error.pos,
  }));
  yaml.visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const message = `There is no anchor ${quote(alias.source)} before its alias`;
      broken.push({ message, range: rangeOf(alias) });
    },
  });
  if (broken.length > 0) throw failure(source, "Broken YAML", broken);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // The one thing left that yaml refuses here: aliases that multiply each other without end.
    if (!(error instanceof ReferenceError)) throw error;
    throw failure(source, "Broken YAML", [{ message: "Too many aliases", range: [0, 0] }]);
  }
  const { config, problems, warnings } = check(content);
  const locate = (remark: Remark): Found => ({
    message: remark.message,
    range: rangeIn(yaml, document, remark),
  });
  if (config === undefined) {
    throw failure(source, "Wrong configuration", problems.map(locate));
  }
  const odd = document.warnings.map(({ message, pos }) => ({
    message: withoutStop(firstLine(message)),
    range: pos,
  }));
  return {
    config,
    warnings: [...odd, ...warnings.map(locate)]
      .map((found) => `${placeOf(source, found)}: ${found.message}`),
  };
}

interface Found {
  message: string;
  /** Offsets into the text. */
  range: readonly [number, number];
}

interface Source {
  path: string;
  text: string;
  lines: LineCounter;
}

function failure(source: Source, what: string, found: readonly Found[]): PikoError {
  const [first, ...others] = found.toSorted((one, other) => one.range[0] - other.range[0])
    .slice(0, 10);
  if (first === undefined) throw new TypeError("a failure needs something that was found");
  return new PikoError(`${what} at ${placeOf(source, first)}: ${first.message}`, {
    code: "usage",
    hint: `correct ${source.path}, and try again`,
    details: [
      ...underlined(source, first),
      ...others.flatMap((other) => [
        `${placeOf(source, other)}: ${other.message}`,
        ...underlined(source, other),
      ]),
    ],
  });
}

function placeOf({ path, lines }: Source, { range }: Found): string {
  const { line, col } = lines.linePos(range[0]);
  // A file without any character has no line to yaml.
  return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
}

/** Shows the line that something starts in, and a second line with `^` under what is meant. */
function underlined({ text, lines }: Source, { range }: Found): string[] {
  // What is missing at the end of the file is missed behind the last thing that stands there.
  const isAtEnd = text.slice(range[0]).trim() === "";
  const [start, end] = isAtEnd ? [text.trimEnd().length, text.trimEnd().length + 1] : range;
  const { line, col } = lines.linePos(start);
  const lineStart = lines.lineStarts[line - 1] ?? 0;
  const whole = text.slice(lineStart).split(/\r?\n/, 1)[0] ?? "";
  if (whole.trim() === "") return [];
  const at = Math.max(col - 1, 0);
  const from = at > MAX_SHOWN / 2 && whole.length > MAX_SHOWN ? at - MAX_SHOWN / 4 : 0;
  const shown = whole.slice(from, from + MAX_SHOWN);
  const before = whole.slice(from, at).replace(/[^\t]/g, " ");
  const width = Math.max(1, Math.min(end - start, shown.length - before.length));
  // The file is not ours: its control characters are not for the terminal.
  return [visible(shown), before + "^".repeat(width)];
}

function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => character === "\t" ? character : "�");
}

/** Finds where a remark belongs: its field, or the nearest one around it that stands in the file. */
function rangeIn(
  yaml: typeof import("yaml"),
  document: Document,
  { path, isAboutName }: Remark,
): readonly [number, number] {
  if (isAboutName) {
    const map = document.getIn(path.slice(0, -1), true);
    const items = yaml.isMap(map) ? map.items : [];
    const pair = items.find(({ key }) => yaml.isScalar(key) && String(key.value) === path.at(-1));
    if (yaml.isNode(pair?.key)) return rangeOf(pair.key);
  }
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (yaml.isNode(node)) return rangeOf(node);
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

async function readText(path: string): Promise<string | undefined> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) throw new PikoError(`${path} is not a file`, { code: "usage" });
    if (info.size > MAX_BYTES) {
      throw new PikoError(`${path} is larger than ${MAX_BYTES / 1024} KB`, { code: "usage" });
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (error) {
    if (error instanceof PikoError) throw error;
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof TypeError) {
      throw new PikoError(`${path} is not written in UTF-8`, { code: "usage", cause: error });
    }
    throw new PikoError(`Cannot read ${path}`, { code: "failed", cause: error });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function withoutStop(sentence: string): string {
  return sentence.replace(/[.:]$/, "");
}
