/** The options of a command as they are typed, told from its parameters: for help, completion, hints and the README. */

import type { PikoCommand } from "./context.ts";

/** An option of a command. */
export interface Option {
  /** As it is typed: `--branch`, or `--no-wait` for what is done unless it is switched off. */
  name: string;
  /** Its one letter, with the dash. */
  short: string | undefined;
  /** What its value is called, or the values there are, with `|` between them; undefined when it has none. */
  value: string | undefined;
  about: string;
  /** The value when it is not given. */
  usual: string | undefined;
}

/** Lists the options of a command. */
export function optionsOf({ parameters }: PikoCommand): Option[] {
  const aliases = Object.entries(parameters.aliases ?? {});
  return Object.entries(parameters.flags ?? {}).filter(([, flag]) => !isHidden(flag))
    .map(([key, flag]) => {
      const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      const letter = aliases.find(([, meant]) => meant === key)?.[0];
      const isOn = flag.kind === "boolean" && "default" in flag && flag.default === true;
      return {
        name: isOn ? `--no-${name}` : `--${name}`,
        short: letter === undefined ? undefined : `-${letter}`,
        value: valueOf(flag),
        about: isOn ? `do not ${flag.brief}` : flag.brief,
        usual: flag.kind !== "boolean" && "default" in flag && flag.default !== undefined
          ? String(flag.default)
          : undefined,
      };
    });
}

type Flag = NonNullable<PikoCommand["parameters"]["flags"]>[string];

function isHidden(flag: Flag): boolean {
  return "hidden" in flag && flag.hidden === true;
}

function valueOf(flag: Flag): string | undefined {
  if (flag.kind === "enum") return flag.values.join("|");
  if (flag.kind !== "parsed") return undefined;
  return flag.placeholder ?? "VALUE";
}
