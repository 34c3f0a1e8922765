/** Makes a number of 32 bits of a text (FNV-1a), the same everywhere: for choosing and telling apart, not for secrets. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
