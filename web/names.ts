/** What piko makes of a typed name. The rule is that of src/domain/names.ts, and tests/web/names_test.ts holds the two together. */

/** The most characters that an environment's name has. */
const MAX_NAME = 40;

/** Makes an environment's name of what is typed; empty when nothing is left of it. */
export function flattenName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+/, "").slice(0, MAX_NAME)
    .replace(/-+$/, "");
}

/** Names an environment as it is named from anywhere: `shop/feature-auth`. */
export function fullName(environment: { project: string; name: string }): string {
  return `${environment.project}/${environment.name}`;
}

const collator = new Intl.Collator("en", { numeric: true });

/** Compares two names for sorting: `e2` comes before `e10`. */
export function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a === b ? 0 : a < b ? -1 : 1);
}
