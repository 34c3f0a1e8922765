/** How many columns of a terminal a text takes; styles are not expected in it. */

/** Characters that take two columns (Unicode's East Asian Width W and F, and emoji), by the ranges that matter. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f$/u;

/** Made when it is first needed, which takes 12 ms. */
let segmenter: Intl.Segmenter | undefined;

/** Splits text into characters as a reader sees them. */
export function charactersOf(text: string): string[] {
  if (/^[ -~]*$/.test(text)) return text.split("");
  segmenter ??= new Intl.Segmenter();
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** Counts the columns that a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of charactersOf(text)) width += WIDE.test(character) ? 2 : 1;
  return width;
}

/** Cuts a text to so many columns, with `…` in place of what is left out at its end, or at its start. */
export function clip(text: string, columns: number, at: "start" | "end" = "end"): string {
  if (widthOf(text) <= columns) return text;
  const characters = charactersOf(text);
  const kept: string[] = [];
  let room = columns - 1;
  while (room > 0) {
    const next = at === "end" ? characters.shift() : characters.pop();
    if (next === undefined) break;
    room -= widthOf(next);
    if (room >= 0) at === "end" ? kept.push(next) : kept.unshift(next);
  }
  return columns < 1 ? "" : at === "end" ? `${kept.join("")}…` : `…${kept.join("")}`;
}
