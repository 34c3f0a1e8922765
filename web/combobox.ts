/// <reference lib="dom" />
/** A text field with suggestions (WAI-ARIA Authoring Practices, combobox with a list): any text may be typed. */

import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { classes, type Content, html } from "./html.ts";

/** A suggestion. */
export interface Suggestion {
  /** What is put into the field. */
  value: string;
  /** What is shown for it. */
  content: Content;
  isDisabled?: boolean;
}

/** The field and its list. `describedBy` names what is said about it below. */
export function Combobox(
  { id, value, suggestions, placeholder, describedBy, isInvalid, isDisabled = false, onInput }: {
    id: string;
    value: string;
    suggestions: readonly Suggestion[];
    placeholder?: string;
    describedBy?: string;
    isInvalid?: boolean;
    isDisabled?: boolean;
    onInput: (value: string) => void;
  },
): VNode {
  const list = useId();
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const isShown = isOpen && suggestions.length > 0;
  const choose = (suggestion: Suggestion | undefined) => {
    if (suggestion === undefined || suggestion.isDisabled) return;
    onInput(suggestion.value);
    setOpen(false);
    setActive(-1);
  };
  const move = (step: 1 | -1) => {
    setOpen(true);
    const { length } = suggestions;
    if (length === 0) return;
    const next = active < 0 && step === -1 ? length - 1 : (active + step + length) % length;
    setActive(next);
    document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && isShown && active >= 0) {
      event.preventDefault();
      choose(suggestions[active]);
    } else if (event.key === "Escape" && isShown) {
      // The list closes, and not yet the dialog that it is in.
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    }
  };
  return html`
    <div class="combobox">
      <input
        id=${id}
        class="input"
        type="text"
        role="combobox"
        aria-expanded=${isShown ? "true" : "false"}
        aria-controls=${list}
        aria-autocomplete="list"
        aria-activedescendant=${isShown && active >= 0 ? `${list}-${active}` : undefined}
        aria-describedby=${describedBy}
        aria-invalid=${isInvalid ? "true" : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck=${false}
        placeholder=${placeholder}
        disabled=${isDisabled}
        value=${value}
        onInput=${(event: InputEvent) => {
          setOpen(true);
          setActive(-1);
          onInput((event.target as HTMLInputElement).value);
        }}
        onClick=${() => setOpen(true)}
        onBlur=${() => setOpen(false)}
        onKeyDown=${onKeyDown}
      />
      <ul id=${list} class="suggestions" role="listbox" aria-label="Suggestions" hidden=${!isShown}>
        ${suggestions.map((suggestion, index) =>
          html`
            <li
              key=${suggestion.value}
              id=${`${list}-${index}`}
              class=${classes("suggestion", index === active && "suggestion-active")}
              role="option"
              aria-selected=${index === active ? "true" : "false"}
              aria-disabled=${suggestion.isDisabled ? "true" : undefined}
              onMouseDown=${(event: MouseEvent) => {
                // A click must not take the focus out of the field.
                event.preventDefault();
                choose(suggestion);
              }}
            >${suggestion.content}</li>
          `
        )}
      </ul>
    </div>
  `;
}
