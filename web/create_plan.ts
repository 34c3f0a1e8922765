/** What creating an environment would do, said before it is done. The server has the last word. */

import type { Branch } from "../src/domain/api.ts";
import type { Environment } from "../src/domain/environment.ts";
import { branchProblem, flattenName } from "./names.ts";

/** What was typed. */
export interface Typed {
  name: string;
  branch: string;
  from: string;
}

/** What would happen, or what is in the way, and at which field. */
export interface Plan {
  /** The name that the environment gets; empty when none can be made. */
  name: string;
  branch: string;
  kind: "nothing" | "new" | "existing" | "tracked" | "unknown" | "refused";
  /** A sentence. */
  text: string;
  /** The field that a refusal is about. */
  field: "name" | "branch" | null;
  found: Branch | null;
}

/** Plans a create; `branches` is null while they are not known. */
export function planCreate(
  typed: Typed,
  branches: readonly Branch[] | null,
  environments: readonly Environment[],
): Plan {
  const wanted = typed.name.trim();
  const name = flattenName(wanted);
  const branch = typed.branch.trim() || wanted;
  const plan: Plan = { name, branch, kind: "nothing", text: "", field: null, found: null };
  if (wanted === "") return plan;
  const refused = (field: "name" | "branch", text: string): Plan => ({
    ...plan,
    kind: "refused",
    field,
    text,
  });
  if (name === "") return refused("name", "Use letters, digits and -");
  if (environments.some((environment) => environment.name === name)) {
    return refused("name", `There is an environment ${name} already`);
  }
  const isOwn = typed.branch.trim() !== "";
  const problem = branchProblem(branch);
  if (problem !== null) {
    return isOwn
      ? refused("branch", problem)
      : refused("name", `${problem}; Branch can be another one`);
  }
  if (branches === null) return { ...plan, kind: "unknown", text: `Branch ${branch}` };
  const found = branches.find((one) => one.name === branch) ?? null;
  if (found?.worktree) {
    return refused(
      isOwn ? "branch" : "name",
      `Branch ${branch} is checked out in ${found.worktree}`,
    );
  }
  if (found === null) {
    const from = typed.from.trim() || "HEAD";
    return { ...plan, kind: "new", text: `New branch ${branch} from ${from}` };
  }
  return found.remote === null
    ? { ...plan, kind: "existing", text: `Existing branch ${branch}`, found }
    : {
      ...plan,
      kind: "tracked",
      text: `New branch ${branch} that tracks ${found.remote}/${branch}`,
      found,
    };
}

/** Chooses the branches to suggest for what is typed, those that begin with it first. */
export function suggestBranches(
  typed: string,
  branches: readonly Branch[],
  most: number,
): Branch[] {
  const word = typed.trim().toLowerCase();
  const begins: Branch[] = [];
  const holds: Branch[] = [];
  for (const branch of branches) {
    const name = branch.name.toLowerCase();
    if (name.startsWith(word)) begins.push(branch);
    else if (name.includes(word)) holds.push(branch);
  }
  // What is checked out elsewhere cannot be chosen for an environment, and comes last.
  const all = [...begins, ...holds].sort((a, b) =>
    Number(a.worktree !== null) - Number(b.worktree !== null)
  );
  // A name that is typed in full needs no suggestion.
  return all.length === 1 && all[0]?.name === typed.trim() ? [] : all.slice(0, most);
}
