/// <reference lib="dom" />
/** A dialog over the page: the browser's own, which keeps the focus inside, closes on Esc, and gives the focus back. */

import type { VNode } from "preact";
import { useCallback, useLayoutEffect, useRef } from "preact/hooks";
import { type Content, html } from "./html.ts";
import { Button } from "./widgets.ts";

/** A dialog that is open as long as it is rendered. */
export function Dialog(
  { title, kind = "form", onClose, children, hideTitle = false }: {
    title: string;
    kind?: "form" | "palette" | "wide";
    onClose: () => void;
    children: Content;
    hideTitle?: boolean;
  },
): VNode {
  const element = useRef<HTMLDialogElement>(null);
  // Before the next key is read: who types on at once means the dialog.
  useLayoutEffect(() => {
    const dialog = element.current;
    const opener = document.activeElement;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => {
      dialog?.close();
      const heir = opener?.isConnected ? opener : document.getElementById("title");
      if (heir instanceof HTMLElement) heir.focus();
    };
  }, []);
  return html`
    <dialog
      ref=${element}
      class=${`dialog dialog-${kind}`}
      aria-label=${title}
      onCancel=${(event: Event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown=${(event: MouseEvent) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="dialog-body">
        ${hideTitle ? null : html`
          <div class="dialog-head">
            <h2 class="dialog-title">${title}</h2>
            <${Button} label="Close" icon="cross" kind="quiet" hideLabel onClick=${onClose} />
          </div>
        `}
        ${children}
      </div>
    </dialog>
  `;
}

/** Tells a dialog whether it still is open, when an answer comes that it has waited for. */
export function useIsOpen(): () => boolean {
  const isOpen = useRef(true);
  useLayoutEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  return useCallback(() => isOpen.current, []);
}
