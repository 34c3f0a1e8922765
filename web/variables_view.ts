/// <reference lib="dom" />
/** The variables of an environment, those of `piko env`, each to copy. */

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Environment } from "../src/domain/environment.ts";
import { html } from "./html.ts";
import { Icon } from "./icons.ts";
import { fullName } from "./names.ts";
import type { Page } from "./page_context.ts";
import { Copy, Empty, Skeleton } from "./widgets.ts";

/** The variables of an environment. */
export function VariablesView(
  { page, environment }: { page: Page; environment: Environment },
): VNode {
  const [filter, setFilter] = useState("");
  const details = page.state.details.get(fullName(environment));
  const variables = details?.value?.variables;
  if (variables === undefined) {
    return details?.failed === undefined || details.failed === null
      ? html`<${Skeleton} lines=${8} />`
      : html`<${Empty} title=${details.failed} />`;
  }
  const word = filter.trim().toLowerCase();
  const shown = Object.entries(variables).filter(([name, value]) =>
    `${name}=${value}`.toLowerCase().includes(word)
  );
  return html`
    <div class="variables">
      <div class="variables-head">
        <div class="field-icon">
          <${Icon} name="filter" />
          <input
            class="input"
            type="search"
            placeholder="Filter"
            aria-label="Filter the variables"
            autocomplete="off"
            spellcheck=${false}
            value=${filter}
            onInput=${(event: InputEvent) => setFilter((event.target as HTMLInputElement).value)}
          />
        </div>
        <${Copy} page=${page} text=${exportLines(variables)}
          what="all as export lines">Copy all as export lines<//>
      </div>
      ${shown.length === 0 ? html`<${Empty} title=${`No variable matches “${filter}”`} />` : html`
        <dl class="variable-list">
          ${shown.map(([name, value]) =>
            html`
              <div key=${name} class="variable">
                <dt><code>${name}</code></dt>
                <dd>
                  <${Copy} page=${page} text=${value} what=${name} />
                </dd>
              </div>
            `
          )}
        </dl>
      `}
    </div>
  `;
}

/** Writes variables for a shell, as `piko env --export` does. */
export function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`).join("");
}
