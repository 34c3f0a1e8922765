/** `task readme`: writes the README's table of commands, made from the commands themselves. */

import { loadCommand } from "../src/commands/load.ts";
import { COMMANDS } from "../src/commands/mod.ts";
import { optionsOf } from "../src/commands/options.ts";
import { PikoError } from "../src/domain/errors.ts";
import { runScript, say } from "./machine/say.ts";

const README = new URL("../README.md", import.meta.url);

/** What stands before and behind the table. */
const BEGIN = "<!-- The table is written by `deno task readme`. -->\n\n";
const END = "\n\n<!-- The table ends here. -->";

/**
 * Puts the table of the commands in its place.
 *
 * @throws {PikoError} failed when the README has no place for it.
 */
export async function withCommands(readme: string): Promise<string> {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END, begin);
  if (begin < 0 || end < 0) {
    throw new PikoError("README.md has no place for the table of commands", {
      code: "failed",
      hint: `put it between ${BEGIN.trim()} and ${END.trim()}`,
    });
  }
  return readme.slice(0, begin + BEGIN.length) + await commandTable() + readme.slice(end);
}

/** Writes the table: each command with its words and options, and what it is for. */
async function commandTable(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, entry]) => {
      const options = optionsOf(await loadCommand(name)).map(({ name, value }) =>
        value === undefined ? `[${name}]` : `[${name} ${value}]`
      );
      const line = ["piko", name, ...options, entry.usage].join(" ").trimEnd();
      return `| \`${line.replaceAll("|", "\\|")}\` | ${entry.brief} |`;
    }),
  );
  return ["| command | what it is for |", "|---|---|", ...rows].join("\n");
}

if (import.meta.main) {
  await runScript(async () => {
    const before = await Deno.readTextFile(README);
    const after = await withCommands(before);
    if (after !== before) await Deno.writeTextFile(README, after);
    say(after === before ? "README.md is as the commands are" : "✓ Wrote README.md");
    return 0;
  });
}
