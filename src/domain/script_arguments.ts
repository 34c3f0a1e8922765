/** How the arguments of `piko run NAME -- ARGS` get into a script. */

/** Where a script itself says what becomes of its arguments. */
const OWN_ARGUMENTS = /\$(?:[@*#0-9]|\{[@*#!0-9])|\bshift\b|\bgetopts\b/;

/** What may not stand before further words: a comment, what ends a command, and a backslash that would take the space. */
const NO_MORE_WORDS = /(?:^|\s)#|[;&|<>(){}]\s*$|\b(?:fi|done|esac)\s*$|(?<!\\)(?:\\\\)*\\$/;

/** What leads somewhere else, at the end; behind `}`, `)`, `fi`, `done` or `esac` no words may follow it either. */
const REDIRECTIONS = /(?:\s*\d*(?:<<?|>>?|[<>]&|>\|)\s*[^\s;&|<>(){}]+)+\s*$/;

/**
 * Lets arguments reach a script as `"$@"`. A script of one line that does not speak of arguments gets them behind its
 * last word, as npm does; one of several lines must say itself where they belong.
 *
 * @returns the script, or undefined when the arguments would be lost.
 */
export function takingArguments(script: string): string | undefined {
  if (OWN_ARGUMENTS.test(script)) return script;
  const line = script.trim();
  const inFront = line.replace(REDIRECTIONS, "");
  const isOpen = ![line, inFront].some((part) => NO_MORE_WORDS.test(part));
  if (line === "" || line.includes("\n") || !isOpen) return undefined;
  // What stands in front keeps a first word that begins with "-" from being taken for an option of sh.
  return `${script.trimEnd()} "$@"`;
}
