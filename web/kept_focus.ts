/// <reference lib="dom" />
/**
 * Keeps the focus of whoever presses buttons by keyboard: a button that goes, or can be pressed no more, because of what it
 * has done hands the focus to the one that stands in its place, which has the same `data-place`; where there is none, to the
 * title.
 */

import { useLayoutEffect, useRef } from "preact/hooks";

/** What had the focus when the page was drawn last. */
interface Held {
  view: string;
  element: HTMLElement;
  place: string | undefined;
  /** Whether it cannot have the focus any more. */
  isLost: boolean;
}

/** Keeps the focus within the right side, as long as it shows the same view. */
export function useKeptFocus(view: string): void {
  const held = useRef<Held | null>(null);
  // Before this drawing takes it away.
  held.current = look(view, held.current);
  useLayoutEffect(() => {
    const was = held.current;
    if (was === null) return;
    was.isLost ||= !canHaveFocus(was.element);
    if (!was.isLost) return;
    const next = successorOf(was);
    if (next === undefined) return;
    held.current = null;
    next.focus({ preventScroll: true });
  });
}

function look(view: string, before: Held | null): Held | null {
  if (typeof document === "undefined") return null;
  const active = document.activeElement;
  const kept = before?.view === view ? before : null;
  // Nobody has it, maybe because what had it has just gone.
  if (active === null || active === document.body) return kept?.isLost ? kept : null;
  if (active === kept?.element) return kept;
  if (!(active instanceof HTMLElement) || active.closest("#main") === null) return null;
  const place = active.closest<HTMLElement>("[data-place]")?.dataset.place;
  return { view, element: active, place, isLost: false };
}

/** Finds what gets the focus; undefined while there may be something later. */
function successorOf({ element, place }: Held): HTMLElement | undefined {
  if (canHaveFocus(element)) return element;
  const places = [...document.querySelectorAll<HTMLElement>("#main [data-place]")]
    .filter(({ dataset }) => dataset.place === place);
  const buttons = places.flatMap((found) =>
    found.matches("button") ? [found] : [...found.querySelectorAll<HTMLElement>("button")]
  );
  const next = buttons.find(canHaveFocus);
  if (next !== undefined || places.length > 0 || element.isConnected) return next;
  return document.getElementById("title") ?? undefined;
}

function canHaveFocus(element: HTMLElement): boolean {
  return element.isConnected && !element.matches(":disabled");
}
