/// <reference lib="dom" />
/** The dialog of a new environment: name, branch and base, with what will happen, and mistakes at their field. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Branch } from "../src/domain/api.ts";
import { ApiError, fetchBranches } from "./api.ts";
import { Combobox, type Suggestion } from "./combobox.ts";
import { type Plan, planCreate, suggestBranches } from "./create_plan.ts";
import { Dialog, useIsOpen } from "./dialog.ts";
import { type Content, html } from "./html.ts";
import { Icon } from "./icons.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute } from "./route.ts";
import { Ago, Button, NoticeBox } from "./widgets.ts";

/** The most branches that are suggested at once. */
const MOST_SUGGESTED = 50;

/** The form that creates an environment. */
export function CreateForm(
  { page, project: wanted, name: typedName = "" }: {
    page: Page;
    project: string | null;
    name?: string;
  },
): VNode {
  const { projects, current, environments } = page.state;
  const [project, setProject] = useState(wanted ?? current ?? projects[0]?.name ?? "");
  const [name, setName] = useState(typedName);
  const [branch, setBranch] = useState("");
  const [from, setFrom] = useState("");
  const [isSending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<ApiError | null>(null);
  const { branches, problem } = useBranches(project);
  const plan = planCreate(
    { name, branch, from },
    branches,
    environments.map(({ environment }) => environment).filter((one) => one.project === project),
  );
  const close = () => page.openDialog(null);
  const isOpen = useIsOpen();
  // A mistake that was told is gone with the first change.
  const edit = (set: (value: string) => void) => (value: string) => {
    setRefusal(null);
    set(value);
  };
  const problemAt = (field: string) =>
    refusal?.field === field
      ? refusal.message
      : plan.kind === "refused" && plan.field === field
      ? plan.text
      : null;
  const hasBase = plan.kind === "new" || plan.kind === "nothing" || plan.kind === "unknown" ||
    plan.kind === "refused";

  const submit = async (event: Event) => {
    event.preventDefault();
    if (isSending) return;
    if (plan.kind === "nothing" || plan.kind === "refused") {
      document.getElementById(plan.field === "branch" ? "create-branch" : "create-name")?.focus();
      return;
    }
    setSending(true);
    try {
      const created = await page.actions.create(project, {
        name: name.trim(),
        ...(branch.trim() === "" ? {} : { branch: branch.trim() }),
        ...(from.trim() === "" || plan.kind !== "new" ? {} : { from: from.trim() }),
      });
      if (!isOpen()) return;
      close();
      page.go(environmentRoute({ project, name: created }, "activity"));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!isOpen()) {
        return page.actions.tellRefusal(`${project}/${plan.name} was not created`, error);
      }
      setRefusal(error);
      setSending(false);
      document.getElementById(`create-${error.field ?? "name"}`)?.focus();
    }
  };

  return html`
    <${Dialog} title="New environment" onClose=${close}>
      <form class="form" onSubmit=${submit} novalidate>
        ${refusal !== null && refusal.field === null
          ? html`
            <${NoticeBox}
              page=${page}
              tone="bad"
              message=${refusal.message}
              hint=${refusal.hint}
              isAlert
            />
          `
          : null}
        ${projects.length > 1
          ? html`
            <${Field} id="create-project" label="Project">
              <select
                id="create-project"
                class="input"
                value=${project}
                onChange=${(event: Event) => setProject((event.target as HTMLSelectElement).value)}
              >
                ${projects.map(({ name }) =>
                  html`<option key=${name} value=${name} selected=${
                    name === project
                  }>${name}</option>`
                )}
              </select>
              <//>
          `
          : null}
        <${Field}
          id="create-name"
          label="Name"
          problem=${problemAt("name")}
          note=${plan.name !== "" && plan.name !== name.trim()
            ? html`The environment will be called <code>${plan.name}</code>`
            : "What you are going to work on; also the name of the branch"}
        >
          <input
            id="create-name"
            class="input"
            type="text"
            data-autofocus
            autocomplete="off"
            autocapitalize="off"
            spellcheck=${false}
            placeholder="feature-auth"
            aria-describedby="create-name-note"
            aria-invalid=${problemAt("name") === null ? undefined : "true"}
            value=${name}
            onInput=${(event: InputEvent) =>
              edit(setName)((event.target as HTMLInputElement).value)}
          />
        <//>
        <${Field}
          id="create-branch"
          label="Branch"
          problem=${problemAt("branch")}
          note=${problem ?? "An existing branch, local or remote, or a new one"}
        >
          <${Combobox}
            id="create-branch"
            value=${branch}
            placeholder=${name.trim() === "" ? "same as the name" : name.trim()}
            suggestions=${suggestionsOf(page, branch, branches)}
            describedBy="create-branch-note"
            isInvalid=${problemAt("branch") !== null}
            onInput=${edit(setBranch)}
          />
        <//>
        <${Field}
          id="create-from"
          label="Base"
          problem=${problemAt("from")}
          note=${hasBase ? "Where a new branch starts" : "The branch exists: it starts where it is"}
        >
          <${Combobox}
            id="create-from"
            value=${hasBase ? from : ""}
            placeholder=${hasBase ? "HEAD" : ""}
            suggestions=${suggestionsOf(page, from, branches, { isBase: true })}
            describedBy="create-from-note"
            isInvalid=${problemAt("from") !== null}
            isDisabled=${!hasBase}
            onInput=${edit(setFrom)}
          />
        <//>
        <${PlanView} page=${page} plan=${plan} />
        <div class="form-actions">
          <${Button} label="Cancel" onClick=${close} />
          <${Button}
            label=${plan.name === "" ? "Create" : `Create ${plan.name}`}
            kind="primary"
            type="submit"
            isBusy=${isSending}
          />
        </div>
      </form>
    <//>
  `;
}

/** A label, a field, and what is to be said about it: the mistake if there is one, else a note. */
function Field(
  { id, label, note = null, problem = null, children }: {
    id: string;
    label: string;
    note?: Content;
    problem?: string | null;
    children: Content;
  },
): VNode {
  return html`
    <div class="field">
      <label class="field-label" for=${id}>${label}</label>
      ${children}
      ${note === null && problem === null ? null : html`
        <p
          id=${`${id}-note`}
          class=${problem === null ? "field-note" : "field-note field-problem"}
          aria-live="polite"
        >${problem === null ? note : html`<${Icon} name="warning" />${problem}`}</p>
      `}
    </div>
  `;
}

function PlanView({ page, plan }: { page: Page; plan: Plan }): VNode {
  const { kind, text, found } = plan;
  const isSaid = kind !== "nothing" && kind !== "refused";
  return html`
    <div class="plan">
      <${Icon} name="branch" />
      <p>
        ${isSaid ? text : "Say a name, and what will happen stands here"}
        ${isSaid && found !== null
          ? html`<span class="plan-commit">${found.subject}, <${Ago} page=${page} time=${found.committedAt} /></span>`
          : null}
      </p>
    </div>
  `;
}

function suggestionsOf(
  page: Page,
  typed: string,
  branches: readonly Branch[] | null,
  { isBase = false } = {},
): Suggestion[] {
  return suggestBranches(typed, branches ?? [], MOST_SUGGESTED).map((branch) => {
    const { name, remote, worktree, subject, committedAt } = branch;
    const isTaken = worktree !== null && !isBase;
    return {
      value: isBase && remote !== null ? `${remote}/${name}` : name,
      isDisabled: isTaken,
      content: html`
        <span class="suggestion-name"><code>${remote === null
          ? name
          : `${remote}/${name}`}</code></span>
        <span class="suggestion-note">${isTaken
          ? `checked out in ${worktree}`
          : html`${subject}, <${Ago} page=${page} time=${committedAt} />`}</span>
      `,
    };
  });
}

function useBranches(project: string): { branches: Branch[] | null; problem: string | null } {
  const [answer, setAnswer] = useState<{ branches: Branch[] | null; problem: string | null }>({
    branches: null,
    problem: null,
  });
  useEffect(() => {
    const asking = new AbortController();
    setAnswer({ branches: null, problem: null });
    fetchBranches(project, asking.signal).then(
      (branches) => setAnswer({ branches, problem: null }),
      (error: unknown) => {
        if (asking.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        // Without suggestions the form works all the same.
        setAnswer({ branches: null, problem: `Its branches cannot be listed: ${error.message}` });
      },
    );
    return () => asking.abort();
  }, [project]);
  return answer;
}
