/** What `piko help` and `piko COMMAND --help` say, made from the commands themselves. */

import type { Output } from "../terminal/output.ts";
import type { PikoCommand } from "./context.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { type CommandEntry, COMMANDS } from "./mod.ts";
import { optionsOf } from "./options.ts";

/** The most and the fewest columns that help takes: lines that are wider are hard to read, and narrower ones no table. */
const [WIDEST, NARROWEST] = [100, 60];

/** What the commands are about; one that stands nowhere comes last. */
const GROUPS: readonly (readonly [string, readonly string[]])[] = [
  ["Environments", ["init", "create", "list", "status", "up", "down", "restart", "destroy"]],
  ["Work in one", ["attach", "switch", "pick", "run", "exec", "shell", "edit", "open"]],
  ["Look inside", ["env", "ports", "logs"]],
];

/** Writes what `piko help` says. */
export function overview(output: Output): string {
  const named = new Set(GROUPS.flatMap(([, names]) => names));
  const others = Object.keys(COMMANDS).filter((name) => !named.has(name));
  const groups = [...GROUPS, ["piko itself", [...others, "help"]] as const];
  const lines = groups.map(([title, names]) => {
    const known = names.flatMap((name): [string, string][] => {
      if (name === "help") return [["help [COMMAND]", "Explain a command"]];
      const entry = COMMANDS[name];
      return entry === undefined ? [] : [[`${name} ${entry.usage}`.trimEnd(), entry.brief]];
    });
    return [title, known] as const;
  });
  const width = widest(lines.flatMap(([, known]) => known));
  const title = (text: string) => output.paintAnswer("bold", text);
  return [
    wrap("piko: several branches at once, each with its own worktree, containers, ports and data"),
    `${title("Usage:")} piko COMMAND [OPTIONS] [ARGUMENTS]`,
    ...lines.map(([name, known]) => `${title(`${name}:`)}\n${rows(known, width)}`),
    `${title("Options of every command:")}\n${rows(GLOBAL_OPTIONS)}`,
    `${title("Examples:")}\n${rows(EXAMPLES)}`,
    wrap(WORDS),
  ].join("\n\n");
}

const EXAMPLES: readonly (readonly [string, string])[] = [
  ["piko init", "once per repository"],
  ["piko create feature-auth", "a worktree, containers, ports and data for a branch"],
  ["piko list", "what exists, what runs"],
  ["piko destroy feature-auth", "everything gone except commits and volumes; refuses to lose work"],
];

const WORDS =
  "An environment is named NAME in its project's folder, PROJECT/NAME from anywhere, and not at all in " +
  "its own worktree. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 a program or daemon is " +
  "not there, 130 interrupted.";

/** Writes what `piko COMMAND --help` says. */
export function commandHelp(
  name: string,
  entry: CommandEntry,
  command: PikoCommand,
  output: Output,
): string {
  const { paragraphs, examples } = readDescription(command.fullDescription ?? "");
  const section = (title: string, text: string) =>
    text === "" ? [] : [`${output.paintAnswer("bold", `${title}:`)}\n${text}`];
  return [
    command.brief,
    `${output.paintAnswer("bold", "Usage:")} piko ${[name, "[OPTIONS]", entry.usage].join(" ")}`
      .trimEnd(),
    ...paragraphs.map((paragraph) => wrap(paragraph)),
    ...section("Examples", rows(examples)),
    ...section("Arguments", rows(argumentsOf(command))),
    ...section("Options", rows(optionRows(command))),
    wrap(`Options of every command: ${GLOBAL_NAMES}; see piko help`)
      .replace(/^[^:]+:/, (title) => output.paintAnswer("bold", title)),
  ].join("\n\n");
}

const GLOBAL_NAMES = GLOBAL_OPTIONS.map(([names]) => names.split(", ").at(-1))
  .filter((name) => name !== "--help" && name !== "--version").join(" ");

/** Takes the examples, which are indented, out of a description; what was broken into lines is put together again. */
function readDescription(
  text: string,
): { paragraphs: string[]; examples: [string, string][] } {
  const lines = text.split("\n");
  return {
    paragraphs: lines.map((line) => line.startsWith("  ") ? "" : line).join("\n").split(/\n{2,}/)
      .map((paragraph) => paragraph.replaceAll("\n", " ").trim())
      .filter((paragraph) => paragraph !== ""),
    examples: lines.filter((line) => line.startsWith("  ")).map((line) => {
      const [command = "", ...about] = line.trim().split(/ {2,}/);
      return [command, about.join(" ")];
    }),
  };
}

function argumentsOf({ parameters }: PikoCommand): [string, string][] {
  const { positional } = parameters;
  if (positional === undefined) return [];
  const known = positional.kind === "array" ? [positional.parameter] : positional.parameters;
  return known.map(({ placeholder, brief }) => [placeholder ?? "", brief]);
}

function optionRows(command: PikoCommand): [string, string][] {
  const options = optionsOf(command);
  const hasShort = options.some(({ short }) => short !== undefined);
  return options.map(({ name, short, value, about, usual }) => [
    `${short === undefined ? hasShort ? "    " : "" : `${short}, `}${name}${
      value === undefined ? "" : ` ${value}`
    }`,
    `${about}${usual === undefined ? "" : ` (default ${usual})`}`,
  ]);
}

function widest(lines: readonly (readonly [string, string])[]): number {
  return Math.max(0, ...lines.map(([left]) => left.length));
}

/** Lays out what stands left and right, the right side wrapped. */
function rows(lines: readonly (readonly [string, string])[], width = widest(lines)): string {
  const indent = " ".repeat(width + 4);
  return lines.map(([left, right]) => {
    const text = wrap(right, widthOfHelp() - indent.length).replaceAll("\n", `\n${indent}`);
    return `  ${left.padEnd(width)}  ${text}`.trimEnd();
  }).join("\n");
}

/** Tells how many columns help may take: those of the terminal, within limits. */
function widthOfHelp(): number {
  if (!Deno.stdout.isTerminal()) return WIDEST;
  return Math.max(NARROWEST, Math.min(WIDEST, Deno.consoleSize().columns));
}

function wrap(text: string, width: number = widthOfHelp()): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join("\n");
}
