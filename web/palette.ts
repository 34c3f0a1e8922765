/// <reference lib="dom" />
/** The palette: a few letters find every action on every environment (WAI-ARIA Authoring Practices, combobox). */

import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { copyText } from "./clipboard.ts";
import { Dialog } from "./dialog.ts";
import { classes, html } from "./html.ts";
import { Icon } from "./icons.ts";
import type { Page } from "./page_context.ts";
import { type Command, findCommands, paletteCommands } from "./palette_commands.ts";

/** The most commands that are shown. */
const MOST_SHOWN = 60;

/** The palette. */
export function Palette({ page }: { page: Page }): VNode {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const close = () => page.openDialog(null);
  const copy = async (text: string, what: string) => {
    const isCopied = await copyText(text);
    page.actions.tell(
      isCopied ? "good" : "bad",
      isCopied ? `Copied ${what}: ${text}` : `Could not copy ${what}: ${text}`,
      null,
    );
  };
  const commands = paletteCommands(page, copy);
  const found = useMemo(() => findCommands(commands, typed, MOST_SHOWN), [page.state, typed]);
  const chosen = Math.min(active, found.length - 1);
  useLayoutEffect(() => {
    document.getElementById(`command-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    close();
    command.run(page);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      setActive((chosen + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[chosen]?.command);
    }
  };
  return html`
    <${Dialog} title="Commands" kind="palette" hideTitle onClose=${close}>
      <div class="palette">
        <div class="palette-head">
          <${Icon} name="search" />
          <input
            class="palette-input"
            type="text"
            role="combobox"
            aria-label="Find a command"
            aria-expanded="true"
            aria-controls="commands"
            aria-autocomplete="list"
            aria-activedescendant=${found.length > 0 ? `command-${chosen}` : undefined}
            placeholder="What do you want to do?"
            data-autofocus
            autocomplete="off"
            autocapitalize="off"
            spellcheck=${false}
            value=${typed}
            onInput=${(event: InputEvent) => {
              setTyped((event.target as HTMLInputElement).value);
              setActive(0);
            }}
            onKeyDown=${onKeyDown}
          />
          <kbd>Esc</kbd>
        </div>
        <ul class="commands" id="commands" role="listbox" aria-label="Commands">
          ${found.map(({ command, places }, index) =>
            html`
              <li
                key=${command.id}
                id=${`command-${index}`}
                class=${classes("command", index === chosen && "command-active")}
                role="option"
                aria-selected=${index === chosen ? "true" : "false"}
                onMouseMove=${() => setActive(index)}
                onClick=${() => run(command)}
              >
                <${Icon} name=${command.icon} />
                <span class="command-title">${marked(command.title, places)}</span>
                <span class="command-note">${command.note}</span>
                ${command.key === undefined ? null : html`<kbd>${command.key}</kbd>`}
              </li>
            `
          )}
        </ul>
        <p class="palette-none" role="status">${found.length === 0 ? "No command matches" : ""}</p>
      </div>
      <//>
  `;
}

function marked(title: string, places: readonly number[]) {
  if (places.length === 0) return title;
  const isMarked = new Set(places);
  return [...title].map((letter, index) =>
    isMarked.has(index) ? html`<b key=${index}>${letter}</b>` : letter
  );
}
