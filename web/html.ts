/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="dom.asynciterable" />
/**
 * The template tag of the page's components. The browser runs these files as they are, without their types, so what they
 * import is a file of this folder, preact, its hooks or htm; of src/domain they take types alone.
 */

import htm from "htm";
import { type ComponentChildren, h, type VNode } from "preact";

/** Anything that can stand in a template. */
export type Content = ComponentChildren;

interface Tag {
  bind(
    create: typeof h,
  ): (strings: TemplateStringsArray, ...values: readonly unknown[]) => VNode;
}

/** Makes a virtual node of a template. htm checks no props; each component says what it takes. */
export const html = (htm as unknown as Tag).bind(h);

/** Joins the names of CSS classes; what does not apply is false, null or undefined. */
export function classes(...names: (string | false | null | undefined)[]): string {
  return names.filter((name) => typeof name === "string" && name !== "").join(" ");
}
