/// <reference lib="dom" />
/** Puts text into the clipboard, and files on the disk. */

/** Copies a text; false when the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  // Beyond localhost a page without TLS has no clipboard, but may still copy what is selected.
  if (navigator.clipboard === undefined) return copySelected(text);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return copySelected(text);
  }
}

function copySelected(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  // In an open dialog everything outside of it is inert.
  const place = document.querySelector("dialog[open]") ?? document.body;
  const focused = document.activeElement;
  place.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/** Saves a text as a file. */
export function saveText(name: string, parts: string[]): void {
  const address = URL.createObjectURL(new Blob(parts, { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
