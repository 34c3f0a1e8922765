/** The keys of the page. */

import type { VNode } from "preact";
import { Dialog } from "./dialog.ts";
import { html } from "./html.ts";
import type { Page } from "./page_context.ts";

const PARTS: readonly { title: string; keys: readonly (readonly [string[], string])[] }[] = [
  {
    title: "Anywhere",
    keys: [
      [["Ctrl K", "⌘ K"], "Every action on every environment"],
      [["n"], "New environment"],
      [["?"], "This help"],
      [["Esc"], "Close, empty and leave a field, or back to the list"],
    ],
  },
  {
    title: "List",
    keys: [
      [["/"], "Filter"],
      [["j", "↓"], "Next environment"],
      [["k", "↑"], "Previous environment"],
      [["Enter"], "Open it"],
    ],
  },
  {
    title: "Environment",
    keys: [
      [["1"], "Overview"],
      [["2"], "Logs"],
      [["3"], "Activity"],
      [["4"], "Variables"],
    ],
  },
  {
    title: "Logs",
    keys: [
      [["f"], "Find"],
      [["Enter"], "Earlier match"],
      [["Shift Enter"], "Later match"],
      [["End"], "To the newest line, and follow"],
    ],
  },
];

/** The dialog with the keys. */
export function HelpDialog({ page }: { page: Page }): VNode {
  return html`
    <${Dialog} title="Keyboard" kind="wide" onClose=${() => page.openDialog(null)}>
      <div class="help">
        ${PARTS.map(({ title, keys }) =>
          html`
            <section key=${title}>
              <h3 class="help-title">${title}</h3>
              <dl class="help-keys">
                ${keys.map(([names, what]) =>
                  html`
                    <div key=${what} class="help-row">
                      <dt>${names.map((name) => html`<kbd key=${name}>${name}</kbd>`)}</dt>
                      <dd>${what}</dd>
                    </div>
                  `
                )}
              </dl>
            </section>
          `
        )}
      </div>
      <p class="help-version">piko ${page.state.version}</p>
      <//>
  `;
}
