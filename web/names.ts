/**
 * What piko makes of a typed name, and which branches can be called so. The rules are those of src/domain/names.ts and of git;
 * tests/web/names_test.ts holds them together.
 */

/** The most characters that an environment's name has. */
const MAX_NAME = 40;

/** Makes an environment's name of what is typed; empty when nothing is left of it. */
export function flattenName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+/, "").slice(0, MAX_NAME)
    .replace(/-+$/, "");
}

/** The most bytes between two slashes of a branch's name, and of all of it: see `resolveBranch` in src/programs/git.ts. */
const MAX_PART = 240;
const MAX_BRANCH = 1000;

/** What no branch's name has anywhere, ends in or begins with (git help check-ref-format). */
const NO_BRANCH =
  // deno-lint-ignore no-control-regex -- git's own list has them.
  /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[./]$|(?:^|\/)\.|\.lock(?:\/|$)|^(?:@|HEAD)$/;

/** Says why a branch cannot be called so; null when it can. */
export function branchProblem(name: string): string | null {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  if (bytes(name) > MAX_BRANCH || name.split("/").some((part) => bytes(part) > MAX_PART)) {
    return "This name is too long for a branch";
  }
  return NO_BRANCH.test(name) ? `“${name}” is not a valid branch name` : null;
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
