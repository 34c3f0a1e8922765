/**
 * Reads the words of a line that is still being typed into a POSIX shell, and writes words back so that the shell takes
 * them as they are. Nothing is expanded: `$x` stays `$x`.
 */

/** The quotes in which the cursor stands. */
export type Quotes = "" | "'" | '"';

/** A line that is still being typed, taken apart. */
export interface TypedLine {
  /** The words, the last of which the cursor stands in; it may be empty. */
  words: string[];
  /** The last word as it was typed, with its quotes and backslashes. */
  raw: string;
  quotes: Quotes;
}

/** Splits a line into words as a shell does (POSIX, Shell Command Language, 2.2). */
export function splitLine(line: string): TypedLine {
  const words: string[] = [];
  let word = "";
  let begun = false;
  let start = 0;
  let quotes: Quotes = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? "";
    if (quotes === "'") {
      if (character === "'") quotes = "";
      else word += character;
    } else if (quotes === '"') {
      const next = line[at + 1] ?? "";
      if (character === '"') quotes = "";
      else if (character === "\\" && '$`"\\'.includes(next) && next !== "") {
        word += next;
        at++;
      } else word += character;
    } else if (/\s/.test(character)) {
      if (begun) words.push(word);
      word = "";
      begun = false;
      start = at + 1;
    } else {
      begun = true;
      if (character === "\\") word += line[++at] ?? "";
      else if (character === "'" || character === '"') quotes = character;
      else word += character;
    }
  }
  return { words: [...words, word], raw: line.slice(start), quotes };
}

/**
 * Writes a word so that it can follow what stands in these quotes.
 *
 * @returns undefined where the quotes leave no way to write it.
 */
export function quoteWithin(word: string, quotes: Quotes): string | undefined {
  switch (quotes) {
    case "'":
      return word.includes("'") ? undefined : word;
    case '"':
      // An interactive shell's history takes ! even here, and no backslash keeps it from that.
      return word.includes("!") ? undefined : word.replace(/[$`"\\]/g, "\\$&");
    case "":
      return word.replace(/^~|[^\p{L}\p{N}_@%+=:,./~-]/gu, "\\$&");
  }
}

/** Reads the words of a whole command; undefined when there are none, or a quote is not closed. */
export function commandWords(command: string): string[] | undefined {
  const { words, quotes } = splitLine(`${command} `);
  return quotes !== "" || words.length < 2 ? undefined : words.slice(0, -1);
}
