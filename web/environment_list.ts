/// <reference lib="dom" />
/** The left side: projects and their environments in dense rows, and a filter for many of them. */

import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { EnvironmentState, Operation } from "../src/domain/api.ts";
import { filterComing, filterEnvironments } from "./filter.ts";
import { classes, html } from "./html.ts";
import { Glyph, Icon } from "./icons.ts";
import { comingEnvironments, compareProjects, runningOperation } from "./live_state.ts";
import { compareNames } from "./names.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute, formatRoute } from "./route.ts";
import { type Shown, showOperation, showStatus } from "./status.ts";
import { Button, Empty } from "./widgets.ts";

/** The id of the filter's field, which the keyboard jumps to. */
export const FILTER_ID = "filter";

interface Row {
  project: string;
  name: string;
  /** What to add to the name: the branch when it is called differently. */
  branch: string | null;
  shown: Shown;
}

/** The list of environments. */
export function EnvironmentList(
  { page, filter, onFilter }: { page: Page; filter: string; onFilter: (filter: string) => void },
): VNode {
  const { state } = page;
  const coming = comingEnvironments(state);
  const rows = [
    ...filterEnvironments(state.environments, filter).map((one) => rowOf(page, one)),
    ...filterComing(coming, filter).map(comingRow),
  ];
  const groups = groupRows(page, rows, filter);
  const total = state.environments.length + coming.length;
  const list = useRef<HTMLDivElement>(null);
  useScrollToChosen(page, list);
  return html`
    <nav class="list" aria-label="Environments">
      ${page.route.name === null ? html`<h1 class="visually-hidden">Environments</h1>` : null}
      <div class="list-head">
        <div class="field-icon">
          <${Icon} name="filter" />
          <input
            id=${FILTER_ID}
            class="input"
            type="search"
            placeholder="Filter"
            aria-label="Filter the environments"
            aria-keyshortcuts="/"
            autocomplete="off"
            spellcheck=${false}
            value=${filter}
            onInput=${(event: InputEvent) => onFilter((event.target as HTMLInputElement).value)}
          />
          ${filter === "" ? html`<kbd class="field-key" aria-hidden="true">/</kbd>` : null}
        </div>
        <p class="list-count" aria-live="polite">${countText(rows.length, total, filter)}</p>
      </div>
      <div class="list-rows" ref=${list}>
        ${groups.map(({ project, rows }) =>
          html`
            <section key=${project} class="group" aria-labelledby=${`project-${project}`}>
              <div class="group-head">
                <h2 id=${`project-${project}`} class="group-name" title=${rootOf(
                  page,
                  project,
                )}>${project}</h2>
                <span class="group-count">${rows.length === 0 ? "" : rows.length}</span>
                <${Button}
                  label=${`New environment in ${project}`}
                  icon="plus"
                  kind="quiet"
                  hideLabel
                  onClick=${() => page.openDialog({ kind: "create", project })}
                />
              </div>
              ${rows.length === 0
                ? html`<p class="group-empty">No environments yet</p>`
                : html`<ul class="rows">${
                  rows.map((row) => html`<${RowView} key=${row.name} page=${page} row=${row} />`)
                }</ul>`}
            </section>
          `
        )}
        ${groups.length === 0 && filter !== ""
          ? html`
            <${Empty} title=${`Nothing matches “${filter}”`}>
              <${Button} label="Show all" onClick=${() => onFilter("")} />
              <//>
          `
          : null}
        ${state.projects.length === 0
          ? html`
            <${Empty} title="No projects yet">
              <p>Register a repository, and its environments are listed here.</p>
              <//>
          `
          : null}
      </div>
    </nav>
  `;
}

function RowView({ page, row }: { page: Page; row: Row }): VNode {
  const { project, name, branch, shown } = row;
  const isChosen = page.route.project === project && page.route.name === name;
  return html`
    <li>
      <a
        class=${classes("row", isChosen && "row-chosen")}
        href=${formatRoute(environmentRoute(row, isChosen ? "overview" : keptTab(page)))}
        aria-current=${isChosen ? "page" : undefined}
        title=${branch === null ? undefined : `${name} on branch ${branch}`}
        data-row
      >
        <${Glyph} shape=${shown.shape} tone=${shown.tone} />
        <span class="row-name">${name}</span>
        <span class="row-branch">${branch ?? ""}</span>
        <span class=${`row-state tone-${shown.tone}`}>
          ${shown.word}${shown.count === ""
            ? null
            : html`<span class="row-count">${" "}${shown.count}</span>`}
        </span>
      </a>
    </li>
  `;
}

/** Stays on the same tab when another environment is chosen, but for the activity, which each has its own of. */
function keptTab({ route }: Page) {
  return route.tab === "activity" ? "overview" : route.tab;
}

function rowOf({ state }: Page, { environment }: EnvironmentState): Row {
  const { project, name, branch } = environment;
  const operation = runningOperation(state, environment);
  return {
    project,
    name,
    branch: branch === name ? null : branch,
    shown: operation === undefined
      ? showStatus(environment)
      : showOperation(operation, environment),
  };
}

function comingRow(operation: Operation): Row {
  return {
    project: operation.project,
    name: operation.environment,
    branch: null,
    shown: showOperation(operation),
  };
}

/** Puts rows under their projects; those without any are shown too, unless something is looked for. */
function groupRows(
  { state }: Page,
  rows: readonly Row[],
  filter: string,
): { project: string; rows: Row[] }[] {
  const names = new Set(rows.map(({ project }) => project));
  if (filter.trim() === "") { for (const { name } of state.projects) names.add(name); }
  return [...names].sort((a, b) => compareProjects(a, b, state.current)).map((project) => ({
    project,
    rows: rows.filter((row) => row.project === project)
      .sort((a, b) => compareNames(a.name, b.name)),
  }));
}

function countText(found: number, total: number, filter: string): string {
  if (filter.trim() !== "") return `${found} of ${total}`;
  return total === 1 ? "1 environment" : `${total} environments`;
}

function rootOf({ state }: Page, project: string): string | undefined {
  return state.projects.find(({ name }) => name === project)?.root;
}

/** Brings the chosen row into view once, when the page is opened with it or it was chosen elsewhere. */
function useScrollToChosen({ route }: Page, list: { current: HTMLElement | null }): void {
  useEffect(() => {
    const row = list.current?.querySelector("[aria-current=page]");
    row?.scrollIntoView({ block: "nearest" });
  }, [route.project, route.name]);
}
