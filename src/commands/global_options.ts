/**
 * The options that every command takes, before or after its name. What stands behind `--` is left alone, and so is what
 * stands behind the words of a command that hands the rest on: `piko exec web db ls --json` is about `ls --json`.
 */

import { PikoError } from "../domain/errors.ts";

/** The global options. */
export interface GlobalOptions {
  /** The folder to work as if started in. */
  folder: string | undefined;
  json: boolean;
  noColor: boolean;
  yes: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Whether to wait for another command on the same environment. */
  block: boolean;
  /** Asked for before the command's name. */
  help: boolean;
}

/** What `piko help` says of them. */
export const GLOBAL_OPTIONS: readonly (readonly [string, string])[] = [
  ["-C DIR", "work as if started in DIR"],
  ["--json", "answer with one JSON document on stdout"],
  ["-y, --yes", "answer yes to every question"],
  ["-q, --quiet", "say only what matters"],
  ["-v, --verbose", "say more: what programs print, and each step"],
  ["--no-color", "no colours; NO_COLOR does the same"],
  ["--no-block", "do not wait for another piko on the same environment (exit 4)"],
  ["-h, --help", "explain a command"],
  ["--version", "version, commit and kind of build"],
];

/** The arguments of piko, taken apart. */
export interface SplitArguments {
  options: GlobalOptions;
  /** The command with its own words and flags. */
  rest: string[];
  /** What a command hands on as it is; empty for all other commands. */
  handedOn: string[];
}

/**
 * Takes the global options out of the arguments.
 *
 * @param wordsBefore tells how many words of its own a command has at most before it hands on what follows, also
 *   without `--`; undefined for a command that hands nothing on.
 * @throws {PikoError} usage when `-C` names no folder.
 */
export function splitGlobalOptions(
  args: readonly string[],
  wordsBefore: (command: string) => number | undefined = () => undefined,
): SplitArguments {
  const options: GlobalOptions = {
    folder: undefined,
    json: false,
    noColor: false,
    yes: false,
    quiet: false,
    verbose: false,
    block: true,
    help: false,
  };
  const rest: string[] = [];
  let words = 0;
  let limit: number | undefined;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (limit !== undefined && (arg === "--" || words === limit)) {
      return { options, rest, handedOn: args.slice(arg === "--" ? index + 1 : index) };
    }
    if (arg === "--") {
      rest.push(...args.slice(index));
      break;
    }
    if (arg === "-C") {
      const folder = args[++index];
      if (!folder) {
        throw new PikoError("-C needs a folder", { code: "usage", hint: "piko -C DIR COMMAND" });
      }
      options.folder = options.folder === undefined || folder.startsWith("/")
        ? folder
        : `${options.folder}/${folder}`;
    } else if (arg === "--json") options.json = true;
    else if (arg === "--no-color") options.noColor = true;
    else if (arg === "--yes" || arg === "-y") options.yes = true;
    else if (arg === "--quiet" || arg === "-q") options.quiet = true;
    else if (arg === "--verbose" || arg === "-v") options.verbose = true;
    else if (arg === "--no-block") options.block = false;
    else if ((arg === "--help" || arg === "-h") && rest.length === 0) options.help = true;
    else {
      const word = withoutLetters(arg, options);
      if (word === "-") continue;
      rest.push(word);
      if (rest.length === 1) limit = wordsBefore(word);
      else if (!word.startsWith("-")) words++;
    }
  }
  return { options, rest, handedOn: [] };
}

const LETTERS: Readonly<Record<string, "yes" | "quiet" | "verbose">> = {
  y: "yes",
  q: "quiet",
  v: "verbose",
};

/** Takes the global letters out of several behind one dash: of `-fq` stays `-f`, of `-qy` the dash alone. */
function withoutLetters(word: string, options: GlobalOptions): string {
  if (!/^-[a-z]{2,}$/i.test(word)) return word;
  return word.replace(/[yqv]/g, (letter) => {
    const name = LETTERS[letter];
    if (name !== undefined) options[name] = true;
    return "";
  });
}
