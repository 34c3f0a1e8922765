/**
 * Starts the person's editor. One that draws on the terminal gets it; one with a window of its own is left to itself. Of
 * an editor that piko does not know, the first is taken to be true, since that does no harm.
 */

import { PikoError } from "../domain/errors.ts";
import { quote } from "../domain/names.ts";
import { commandWords } from "../domain/shell_words.ts";
import { findProgram, startDetached } from "./detached.ts";
import { attach } from "./foreground.ts";
import type { Variables } from "./run.ts";

/** An editor as somebody has named it. */
export interface NamedEditor {
  /** Program and arguments, as they would be typed into a shell: `code --wait`. */
  command: string;
  /** Who says so, for the message that it is not there: `$VISUAL`. */
  source: string;
}

/** An editor that is installed. */
export interface Editor {
  argv: string[];
  name: string;
  drawsOnTerminal: boolean;
}

/** What is tried when nobody says anything. */
const USUAL = ["cursor", "code", "vim"];

/** Editors with a window of their own. */
const WITH_WINDOW: ReadonlySet<string> = new Set([
  ...["code", "code-insiders", "codium", "vscodium", "cursor", "windsurf", "zed", "zeditor"],
  ...["subl", "sublime_text", "atom", "pulsar", "lapce", "fleet", "nova", "bbedit", "mate", "xed"],
  ...["idea", "webstorm", "phpstorm", "pycharm", "goland", "clion", "rubymine", "rider", "studio"],
  ...["gvim", "mvim", "nvim-qt", "neovide", "gedit", "gnome-text-editor", "kate", "kwrite"],
  ...["geany", "mousepad", "pluma", "xdg-open", "open"],
]);

/** Editors that draw on the terminal only when a flag says so; emacs does too where there is no screen. */
const TERMINAL_FLAGS: Readonly<Record<string, RegExp>> = {
  emacs: /^(-nw|--no-window-system|-t|--terminal.*)$/,
  emacsclient: /^(-nw|-t|--tty|--nw)$/,
};

/** Editors that take folders and know nothing of a `.code-workspace`. */
const WITHOUT_WORKSPACES: ReadonlySet<string> = new Set([
  ...["zed", "zeditor", "subl", "sublime_text"],
]);

/**
 * Finds the editor: the first that somebody names, else one of the usual ones that is installed.
 *
 * @throws {PikoError} usage for a command that cannot be read, unavailable when it is not installed.
 */
export async function findEditor(
  named: readonly NamedEditor[],
  variables: Variables,
): Promise<Editor> {
  const [first] = named.filter(({ command }) => command.trim() !== "");
  if (first !== undefined) {
    const argv = commandWords(first.command)?.map((word) => withHome(word, variables));
    if (argv === undefined) {
      throw new PikoError(`${first.source} is no command: ${quote(first.command)}`, {
        code: "usage",
        hint: "close the quotes: they are read as a shell reads them",
      });
    }
    if (await findProgram(argv[0] ?? "", variables) !== undefined) return describe(argv, variables);
    throw new PikoError(`${argv[0]}, which ${first.source} names, is not installed`, {
      code: "unavailable",
      hint: "--editor names another one: --editor vim",
    });
  }
  const usual = await findUsualEditor(variables);
  if (usual !== undefined) return describe([usual], variables);
  throw new PikoError(`No editor was found: none of ${USUAL.join(", ")} is installed`, {
    code: "unavailable",
    hint: "set EDITOR to yours, or name it: --editor nano",
  });
}

/** Puts the home folder in the place of a `~` that a word begins with, as a shell does. */
function withHome(word: string, { HOME }: Variables): string {
  return HOME && (word === "~" || word.startsWith("~/")) ? HOME + word.slice(1) : word;
}

/** Finds the editor that is taken when nobody names one. */
export async function findUsualEditor(variables: Variables): Promise<string | undefined> {
  for (const program of USUAL) {
    if (await findProgram(program, variables) !== undefined) return program;
  }
  return undefined;
}

/** Tells whether an editor opens a `.code-workspace` as the folders that it lists. */
export function knowsWorkspaces(editor: Editor): boolean {
  return !WITHOUT_WORKSPACES.has(editor.name);
}

/**
 * Opens files or folders, and returns when an editor on the terminal has ended, or one with a window has started.
 *
 * @returns the exit code.
 */
export async function openInEditor(
  editor: Editor,
  paths: readonly string[],
  options: { cwd: string; variables: Variables },
): Promise<number> {
  const argv = [...editor.argv, ...paths];
  return editor.drawsOnTerminal ? await attach(argv, options) : await startDetached(argv, options);
}

function describe(argv: string[], variables: Variables): Editor {
  const [program = "", ...args] = argv;
  const name = program.slice(program.lastIndexOf("/") + 1);
  const flag = TERMINAL_FLAGS[name];
  const hasScreen = Deno.build.os === "darwin" ||
    Boolean(variables.DISPLAY || variables.WAYLAND_DISPLAY);
  const hasWindow = flag === undefined
    ? WITH_WINDOW.has(name)
    : hasScreen && !args.some((arg) => flag.test(arg));
  return { argv, name, drawsOnTerminal: !hasWindow };
}
