/** The escape sequences that style text on a terminal. */

const ESCAPE = String.fromCharCode(27);
const SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g");

/** Takes escape sequences out of text, for a place where they would do harm. */
export function withoutStyles(text: string): string {
  return text.replace(SEQUENCE, "");
}
