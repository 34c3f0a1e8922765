import { buildCommand } from "@stricli/core";
import { quoteWithin, splitLine } from "../domain/shell_words.ts";
import {
  isEnvironment,
  suggestBranches,
  suggestEnvironments,
  type Suggestion,
  suggestProjects,
  suggestServices,
  suggestShareable,
  suggestStarts,
} from "../operations/complete_words.ts";
import type { Context } from "./context.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { type CommandEntry, COMMANDS, type CompletedWord } from "./mod.ts";
import { type Option, optionsOf } from "./options.ts";

export const command = buildCommand({
  docs: {
    brief:
      "Answers the completion scripts: a line per suggestion, with a tab before what it is about",
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: { brief: "the shell, then what was typed", parse: String, placeholder: "WORD" },
    },
  },
  async func(this: Context, _flags: Record<never, never>, shell: string, ...words: string[]) {
    const lines = shell === "bash"
      ? await answerBash(this, words[0] ?? "", words[1] ?? "")
      : (await suggest(this, words)).map(({ value, about }) => `${value}\t${about}`);
    // What holds a line end cannot be told from two suggestions.
    const safe = lines.filter((line) => !/[^\P{Cc}\t]/u.test(line));
    if (safe.length > 0) this.output.answer(safe.join("\n"));
  },
});

/**
 * Answers bash, which hands over the line up to the cursor and replaces only the part behind the last of its word breaks,
 * such as `=`, by the answer as it is: quotes are up to whoever answers.
 */
async function answerBash(context: Context, replaced: string, line: string): Promise<string[]> {
  const { words, raw, quotes } = splitLine(line);
  const kept = splitLine(raw.slice(0, raw.length - replaced.length)).words.at(-1) ?? "";
  const suggestions = await suggest(context, words.slice(1));
  return suggestions.map(({ value }) => quoteWithin(value.slice(kept.length), quotes))
    .filter((value) => value !== undefined);
}

/** Lists what can stand in the place of the last word, which it begins with. */
async function suggest(context: Context, words: readonly string[]): Promise<Suggestion[]> {
  const typed = words.at(-1) ?? "";
  const all = await suggestAll(context, words.slice(0, -1), typed);
  return all.filter(({ value }) => value.startsWith(typed));
}

async function suggestAll(
  context: Context,
  before: readonly string[],
  typed: string,
): Promise<Suggestion[]> {
  let folder = context.folder;
  let name: string | undefined;
  let entry: CommandEntry | undefined;
  let pending: string | undefined;
  const positional: string[] = [];
  for (const word of before) {
    if (pending !== undefined) {
      if (pending === "DIR") folder = `${word.startsWith("/") ? "" : `${folder}/`}${word}`;
      pending = undefined;
    } else if (word === "--" || positional.length === entry?.wordsBefore) return [];
    else if (word === "-C") pending = "DIR";
    else if (word.startsWith("-")) pending = await valueOf(context, name, word);
    else if (name === undefined) entry = commandFor(name = word);
    else positional.push(word);
  }
  const place = { context, folder, positional };
  if (pending !== undefined) return await suggestValues(place, pending, typed);
  if (positional.length === entry?.wordsBefore) return [];
  if (typed.startsWith("-")) return await suggestOptions(place, name, before, typed);
  if (name === undefined || (name === "help" && positional.length === 0)) return commands();
  return await suggestPositional(place, entry?.completes ?? [], typed);
}

interface Place {
  context: Context;
  folder: string;
  positional: readonly string[];
}

function commands(): Suggestion[] {
  return [
    ...Object.entries(COMMANDS).map(([value, { brief }]) => ({ value, about: brief })),
    { value: "help", about: "Explain a command" },
  ];
}

/** Finds a command that a person types. */
function commandFor(name: string): CommandEntry | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

async function optionsFor(context: Context, name: string | undefined): Promise<Option[]> {
  if (name === undefined || commandFor(name) === undefined) return [];
  return optionsOf(await context.parts.command(name));
}

/** Tells what the value behind an option is called; undefined for an option without one. */
async function valueOf(
  context: Context,
  command: string | undefined,
  word: string,
): Promise<string | undefined> {
  if (word.includes("=")) return undefined;
  const options = await optionsFor(context, command);
  return options.find(({ name, short }) => name === word || short === word)?.value;
}

async function suggestOptions(
  place: Place,
  command: string | undefined,
  before: readonly string[],
  typed: string,
): Promise<Suggestion[]> {
  const options = await optionsFor(place.context, command);
  const equals = typed.indexOf("=");
  if (equals > 0) {
    const flag = typed.slice(0, equals + 1);
    const option = options.find(({ name }) => `${name}=` === flag);
    if (option?.value === undefined) return [];
    const values = await suggestValues(place, option.value, typed.slice(equals + 1));
    return values.map(({ value, about }) => ({ value: flag + value, about }));
  }
  const own = options.map(({ name, about }) => ({ value: name, about }));
  const global = GLOBAL_OPTIONS.map(([names, about]) => ({
    value: /--[\w-]+|-C/.exec(names)?.[0] ?? names,
    about,
  }));
  return [...own, ...global].filter(({ value }) => !before.includes(value));
}

async function suggestPositional(
  { context, folder, positional }: Place,
  completes: readonly CompletedWord[],
  typed: string,
): Promise<Suggestion[]> {
  const tools = context.tools();
  const [first] = positional;
  let index = positional.length;
  const suggestions: Suggestion[] = [];
  const mayStandAround = completes[0] === "environment" && completes.length > 1;
  // Inside a worktree the name may be left out, so that the first word is a service already.
  if (mayStandAround && first !== undefined && !isEnvironment(tools, folder, first)) index++;
  if (mayStandAround && first === undefined) {
    suggestions.push(...await suggestServices(tools, folder, undefined));
  }
  const last = completes.at(-1);
  const isEndless = last === "services" || last === "shareable" || last === "shared";
  const what = completes[index] ?? (isEndless ? last : undefined);
  if (typeof what === "object") return what.map((value) => ({ value, about: "" }));
  switch (what) {
    case "environment":
      suggestions.push(...suggestEnvironments(tools, folder, typed));
      break;
    case "service":
    case "services":
      suggestions.push(...await suggestServices(tools, folder, first));
      break;
    case "shareable":
    case "shared":
      suggestions.push(...await suggestShareable(tools, folder, what));
      break;
    case "branch":
      return await suggestBranches(tools, folder);
    case "project":
      return positional[0] === "list" ? [] : suggestProjects(tools);
  }
  return suggestions.filter(({ value }) => !positional.includes(value));
}

async function suggestValues(
  { context, folder }: Place,
  value: string,
  typed: string,
): Promise<Suggestion[]> {
  switch (value) {
    case "BRANCH":
      return await suggestBranches(context.tools(), folder);
    case "REF":
      return await suggestStarts(context.tools(), folder);
    case "DIR":
      return suggestFolders(folder, typed);
    default:
      return value.includes("|")
        ? value.split("|").map((word) => ({ value: word, about: "" }))
        : [];
  }
}

function suggestFolders(folder: string, typed: string): Suggestion[] {
  const parent = typed.slice(0, typed.lastIndexOf("/") + 1);
  const begun = typed.slice(parent.length);
  try {
    return [...Deno.readDirSync(parent.startsWith("/") ? parent : `${folder}/${parent}`)]
      .filter(({ name, isDirectory }) =>
        isDirectory && (!name.startsWith(".") || begun.startsWith("."))
      )
      .map(({ name }) => ({ value: `${parent}${name}/`, about: "" }));
  } catch (error) {
    // There is nothing to suggest in a folder that is not there or that is closed.
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}
