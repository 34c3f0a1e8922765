/**
 * Takes secrets out of words that are shown and pasted elsewhere: what programs say when they fail, and lines of files. What
 * is a secret is told by the name of its variable, by its place in a URL, or by words of compose around it.
 */

/** What stands in the place of a secret. */
const HIDDEN = "***";

/** A name whose value is a secret, by its end. */
const NAME = String
  .raw`[\w.@-]{0,80}?(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[_-]?key|private[_-]?key|access[_-]?key|[_-](?:key|pwd|pass|auth)|(?<![\w-])pass)(?:_[a-z0-9]+)?`;

/** A value in quotes, which compose may have escaped. */
const QUOTED = String.raw`\\"(?:(?!\\").)*|"(?:[^"\\\r\n]|\\.)*|'[^'\r\n]*`;

/** What a written line end, a quote or a bracket ends. */
const WORD = String.raw`(?:(?!\\[nrt"])[^\s"',;}\])])+`;

/** The rest of a line, for a value without quotes in a file of variables. */
const REST = String.raw`(?:(?!\\[nrt"])[^\r\n"])+`;

const PLACES: readonly RegExp[] = [
  // A line of a file of variables, also within the words of a program.
  new RegExp(
    String.raw`(?<before>(?:^[ \t]*|"|\\n)(?:export )?${NAME}=)(?<value>${QUOTED}|${REST})`,
    "gim",
  ),
  // A variable within a command, a list or a URL.
  new RegExp(String.raw`(?<before>(?<![\w@.-])${NAME}=)(?<value>${QUOTED}|${WORD})`, "gi"),
  // A field of YAML or JSON.
  new RegExp(
    String
      .raw`(?<before>(?:^[ \t]*(?:- +)?|[{,] *)["']?${NAME}["']? *: +)(?<value>${QUOTED}|${WORD})`,
    "gim",
  ),
  /(?<before>unterminated quoted value ["'])(?<value>[^\r\n]+)/g,
  /(?<before>\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)(?<value>[^\s@/]+)(?=@)/gi,
];

/** Puts `***` in the place of each secret, or with `sameLength` one `*` for each character, so that columns stay. */
export function withoutSecrets(text: string, sameLength = false): string {
  return PLACES.reduce(
    (shown, pattern) =>
      shown.replace(pattern, (_, before: string, value: string) => {
        const quote = /^(?:\\"|["'])/.exec(value)?.[0] ?? "";
        const hidden = value.slice(quote.length);
        // A variable in the place of the value is none.
        if (hidden === "" || /^\$(?:\w+|\{\w+\})$/.test(hidden)) return before + value;
        return before + quote + (sameLength ? "*".repeat(hidden.length) : HIDDEN);
      }),
    text,
  );
}

/** The fewest characters of a value that is looked for by itself; shorter ones stand in too many words. */
const SHORTEST_VALUE = 6;

const WHOLE_NAME = new RegExp(`^${NAME}$`, "i");

/** Puts `***` in the place of secrets, and of the values of variables that are named like one. */
export function withoutSecretValues(
  text: string,
  variables: Readonly<Record<string, string>>,
): string {
  let shown = withoutSecrets(text);
  for (const [name, value] of Object.entries(variables)) {
    if (value.length < SHORTEST_VALUE || !WHOLE_NAME.test(name)) continue;
    shown = shown.replaceAll(value, HIDDEN);
  }
  return shown;
}
