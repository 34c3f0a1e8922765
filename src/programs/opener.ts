/**
 * Opens a web page in the person's browser: `$BROWSER`, which may list several commands with colons between them, else
 * what the system has for it. A browser that draws on the terminal gets it; any other one is left to itself.
 */

import { PikoError } from "../domain/errors.ts";
import { commandWords } from "../domain/shell_words.ts";
import { attach } from "./foreground.ts";
import { findProgram, startDetached } from "./detached.ts";
import type { Variables } from "./run.ts";

/** Browsers that draw on the terminal. */
const TERMINAL_BROWSERS: ReadonlySet<string> = new Set([
  "w3m",
  "lynx",
  "links",
  "links2",
  "elinks",
  "www-browser",
  "browsh",
  "carbonyl",
]);

/** What opens a page where `$BROWSER` says nothing; the last is that of Windows' Linux. */
const OPENERS = Deno.build.os === "darwin" ? ["open"] : ["xdg-open", "wslview"];

/** Tells whether there is a screen that a browser could show itself on. */
export function hasScreen(variables: Variables): boolean {
  return Boolean(variables.BROWSER) || Deno.build.os === "darwin" ||
    Boolean(variables.DISPLAY || variables.WAYLAND_DISPLAY || variables.WSL_DISTRO_NAME);
}

/**
 * Opens a page.
 *
 * @returns the name of the program that was started.
 * @throws {PikoError} unavailable when there is none, failed when it fails at once; the URL is among the details.
 */
export async function openPage(url: string, variables: Variables): Promise<string> {
  const { protocol } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(`not the address of a page: ${url}`);
  }
  const argv = await findBrowser(url, variables);
  const [program = ""] = argv;
  const name = program.slice(program.lastIndexOf("/") + 1);
  const exitCode = TERMINAL_BROWSERS.has(name)
    ? await attach(argv, { variables })
    : await startDetached(argv, { variables });
  if (exitCode === 0) return name;
  throw new PikoError(`${name} could not open the page (exit code ${exitCode})`, {
    code: "failed",
    hint: "open the address yourself, or set BROWSER to a browser's command",
    details: [url],
  });
}

async function findBrowser(url: string, variables: Variables): Promise<string[]> {
  const named = (variables.BROWSER ?? "").split(":").map((text) => text.trim())
    .filter((text) => text !== "");
  for (const text of named) {
    const words = commandWords(text);
    if (words === undefined || await findProgram(words[0] ?? "", variables) === undefined) continue;
    const withUrl = words.map((word) => word.replaceAll("%s", url));
    return text.includes("%s") ? withUrl : [...words, url];
  }
  for (const program of named.length > 0 ? [] : OPENERS) {
    if (await findProgram(program, variables) !== undefined) return [program, url];
  }
  throw new PikoError(
    named.length > 0
      ? `BROWSER names ${named.join(":")}, which is not installed`
      : "No browser was found",
    {
      code: "unavailable",
      hint: named.length > 0
        ? "set BROWSER to the command of a browser that is installed"
        : "install xdg-utils, or set BROWSER to a browser's command",
      details: [url],
    },
  );
}
