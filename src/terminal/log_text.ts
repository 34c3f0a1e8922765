/**
 * Text that a program in a container has written, as a terminal may have it: colours, but nothing that moves or asks, and
 * the names of what would turn the order of the text around.
 */

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);

/** An escape sequence (ECMA-48): a control sequence, a string such as a window's title, or two characters. */
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)?|[ -/]*[0-~]?)`,
  "g",
);

const CONTROLS = new RegExp(`[^\\P{Cc}\\t${ESCAPE}]`, "gu");

const TURNS = /\p{Bidi_Control}/gu;

const IS_COLOUR = new RegExp(`^${ESCAPE}\\[[0-9;:]*m$`);

/** Leaves of a line what a terminal shows of it, with its colours where they are wanted. */
export function lineForTerminal(line: string, colours: boolean): string {
  let isColoured = false;
  // A line that was written over and over, such as a progress bar, is what it was last.
  const shown = line.slice(line.lastIndexOf("\r") + 1)
    .replace(SEQUENCES, (sequence) => {
      if (!colours || !IS_COLOUR.test(sequence)) return "";
      isColoured = true;
      return sequence;
    })
    .replace(CONTROLS, "")
    .replace(TURNS, (character) => `<U+${codeOf(character)}>`);
  return isColoured ? `${shown}${ESCAPE}[0m` : shown;
}

function codeOf(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
}
