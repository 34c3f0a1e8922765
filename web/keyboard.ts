/// <reference lib="dom" />
/** The keys of the page. They keep out of fields, dialogs and the browser's own shortcuts. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { FILTER_ID } from "./environment_list.ts";
import { FIND_ID } from "./logs_view.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute, HOME, TABS } from "./route.ts";

/** Listens to the keys as long as the page is there. */
export function useKeyboard(page: Page): void {
  const latest = useRef(page);
  latest.current = page;
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => handleKey(event, latest.current);
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

function handleKey(event: KeyboardEvent, page: Page): void {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey) {
    event.preventDefault();
    page.openDialog(page.dialog?.kind === "palette" ? null : { kind: "palette" });
    return;
  }
  if (page.dialog !== null || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target instanceof HTMLElement ? event.target : document.body;
  const inField = target.matches("input, textarea, select, [contenteditable]");
  if (event.key === "Escape") return escape(event, page, target, inField);
  if (target.id === FILTER_ID && (event.key === "ArrowDown" || event.key === "Enter")) {
    event.preventDefault();
    if (event.key === "ArrowDown") moveInList(1);
    else rowsOf()[0]?.click();
    return;
  }
  if (inField) return;
  const isDone = act(event, page, target);
  if (isDone) event.preventDefault();
}

/** Does what a key is for; false when it is for nothing here. */
function act(event: KeyboardEvent, page: Page, target: HTMLElement): boolean {
  const { project, name } = page.route;
  switch (event.key) {
    case "/":
      return focusOn(FILTER_ID);
    case "f":
      return focusOn(FIND_ID);
    case "?":
      page.openDialog({ kind: "help" });
      return true;
    case "n":
      if (page.state.projects.length === 0) return false;
      page.openDialog({ kind: "create", project: project ?? page.state.current });
      return true;
    case "j":
      return moveInList(1);
    case "k":
      return moveInList(-1);
    case "End": {
      const toEnd = document.querySelector<HTMLElement>(".logs-news");
      toEnd?.click();
      return toEnd !== null;
    }
    case "ArrowDown":
    case "ArrowUp":
      return target.matches("[data-row]") && moveInList(event.key === "ArrowDown" ? 1 : -1);
  }
  const tab = TABS[Number(event.key) - 1];
  if (tab === undefined || project === null || name === null) return false;
  page.go({ ...environmentRoute({ project, name }, tab), logs: page.route.logs });
  return true;
}

function escape(event: KeyboardEvent, page: Page, target: HTMLElement, inField: boolean): void {
  if (inField) {
    if (target instanceof HTMLInputElement && target.type === "search" && target.value !== "") {
      // Not every browser empties it by itself.
      event.preventDefault();
      target.value = "";
      target.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    target.blur();
    return;
  }
  if (page.route.name === null) return;
  event.preventDefault();
  page.go(HOME);
}

function focusOn(id: string): boolean {
  const element = document.getElementById(id);
  if (!(element instanceof HTMLInputElement) || element.getClientRects().length === 0) return false;
  element.focus();
  element.select();
  return true;
}

function rowsOf(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-row]")];
}

/** Moves the focus among the rows, from the focused one or else from the chosen one. */
function moveInList(step: 1 | -1): boolean {
  const rows = rowsOf();
  const focused = rows.indexOf(document.activeElement as HTMLElement);
  const from = focused >= 0 ? focused : rows.findIndex((row) => row.ariaCurrent === "page");
  const next = from < 0 ? (step === 1 ? 0 : rows.length - 1) : from + step;
  rows[Math.max(0, Math.min(next, rows.length - 1))]?.focus();
  return true;
}
