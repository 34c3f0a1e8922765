/** Finds what a person means by a few letters: every word typed must occur, in one piece or letter by letter. */

/**
 * Chooses the entries that match what was typed, the best first; entries that match alike keep their order. Words are
 * matched without regard to case, each on its own and in one cell: `pay shop` finds `shop/feature-pay`.
 *
 * @returns the indexes of the entries.
 */
export function matchEntries(
  entries: readonly (readonly string[])[],
  typed: string,
): number[] {
  const words = fold(typed).split(/\s+/).filter((word) => word !== "");
  const matches: { index: number; cost: number }[] = [];
  for (const [index, entry] of entries.entries()) {
    const cells = entry.map(fold);
    let cost = 0;
    for (const word of words) cost += Math.min(...cells.map((cell) => costOf(cell, word)));
    if (cost < Infinity) matches.push({ index, cost });
  }
  return matches.sort((a, b) => a.cost - b.cost || a.index - b.index).map(({ index }) => index);
}

/** Case and the two ways in which Unicode writes an accented letter make no difference. */
function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** Tells how far a word is from standing in a text: nothing at the start of a word, more with every letter between. */
function costOf(text: string, word: string): number {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return 0;
  }
  if (text.includes(word)) return 1;
  let best = Infinity;
  for (let start = text.indexOf(word[0] ?? ""); start >= 0;) {
    let at = start;
    let matched = 1;
    while (matched < word.length) {
      at = text.indexOf(word[matched] ?? "", at + 1);
      if (at < 0) return best;
      matched++;
    }
    best = Math.min(best, 2 + at - start + 1 - word.length);
    start = text.indexOf(word[0] ?? "", start + 1);
  }
  return best;
}
