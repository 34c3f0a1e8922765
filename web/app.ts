/// <reference lib="dom" />
/** The whole page: the bar, the list on the left, the chosen environment on the right, and what lies over them. */

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Actions } from "./actions.ts";
import { ConnectionBanner, ConnectionStatus } from "./connection_status.ts";
import { CreateForm } from "./create_form.ts";
import { DestroyDialog } from "./destroy_dialog.ts";
import { EnvironmentList } from "./environment_list.ts";
import { EnvironmentView, Notices } from "./environment_view.ts";
import { HelpDialog } from "./help_dialog.ts";
import { HomeView } from "./home_view.ts";
import { html } from "./html.ts";
import { Icon } from "./icons.ts";
import { useKeyboard } from "./keyboard.ts";
import type { Live } from "./live.ts";
import type { DialogState, Page } from "./page_context.ts";
import { Palette } from "./palette.ts";
import {
  formatRoute,
  HOME,
  isSamePlace,
  isUnknownProject,
  NOWHERE,
  parseRoute,
  type Route,
} from "./route.ts";
import { Button, Empty } from "./widgets.ts";

/** Milliseconds between two looks at the clock while nothing is at work, and while something is. */
const SLOW_CLOCK = 20_000;
const FAST_CLOCK = 500;

/** What the page is made of. */
export interface AppProps {
  live: Live;
  actions: Actions;
  /** Path and query of the page. */
  url: string;
  /** The time at which the server has rendered it. */
  renderedAt: number;
  /** Is called when everything works. */
  onReady?: () => void;
}

/** The page. */
export function App({ live, actions, url, renderedAt, onReady }: AppProps): VNode {
  const state = useLive(live);
  const [route, go] = useRoute(url);
  const isWorking = state.operations.some(({ state }) => state === "running");
  const { now, isMounted } = useClock(renderedAt, isWorking ? FAST_CLOCK : SLOW_CLOCK);
  const [dialog, openDialog] = useState<DialogState | null>(null);
  const [filter, setFilter] = useState("");
  const page: Page = { state, route, now, isMounted, actions, dialog, go, openDialog };
  useKeyboard(page);
  const { project, name } = route;
  const named = project === null || name === null ? null : { project, name };
  useTitle(route);
  const nothing = route.isNowhere
    ? "There is nothing at this address"
    : isUnknownProject(route, state.projects)
    ? `There is no project “${project}”`
    : null;
  // Behind all others, whose effects come first.
  useEffect(() => onReady?.(), []);
  return html`
    <div class="page" data-view=${named === null && nothing === null ? "list" : "detail"}>
      <a class="skip" href="#main">To the environment</a>
      <${Bar} page=${page} />
      <${ConnectionBanner} page=${page} onRetry=${() => live.reconnect()} />
      <main class="panes">
        <${EnvironmentList} page=${page} filter=${filter} onFilter=${setFilter} />
        <div class="detail" id="main" tabindex="-1">
          <${Notices} page=${page} about=${null} />
          ${nothing !== null
            ? html`<${Nothing} title=${nothing} />`
            : named === null
            ? html`<${HomeView} page=${page} filter=${filter} />`
            : html`<${EnvironmentView} page=${page} named=${named} />`}
        </div>
      </main>
      <p class="visually-hidden" role="status">
        <span key=${state.announcement.count}>${state.announcement.text}</span>
      </p>
      ${dialog === null ? null : html`<${OpenDialog} page=${page} dialog=${dialog} />`}
    </div>
  `;
}

function Bar({ page }: { page: Page }): VNode {
  const { state, route, isMounted, actions } = page;
  const { project, name } = route;
  return html`
    <header class="bar">
      <a class="logo" href=${formatRoute(HOME)} aria-label="piko, all environments">
        <svg class="logo-mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M3 14V2h5.5a4 4 0 0 1 0 8H3" />
          <path d="M12.5 10.5 15 14" />
        </svg>
        <span class="logo-word">piko</span>
      </a>
      <${ConnectionStatus} page=${page} />
      <div class="bar-actions">
        <${Button}
          label="Refresh"
          icon="restart"
          kind="quiet"
          hideLabel
          isDisabled=${!isMounted}
          onClick=${() =>
            actions.refresh(project === null || name === null ? null : { project, name })}
        />
        <button
          type="button"
          class="button button-plain bar-palette"
          disabled=${!isMounted}
          aria-keyshortcuts="Control+K Meta+K"
          onClick=${() => page.openDialog({ kind: "palette" })}
        >
          <${Icon} name="search" /><span class="bar-words">Commands</span>
          <kbd aria-hidden="true">${isMounted && /Mac|iPhone|iPad/.test(navigator.platform)
            ? "⌘ K"
            : "Ctrl K"}</kbd>
        </button>
        <button
          type="button"
          class="button button-quiet button-icon bar-help"
          disabled=${!isMounted}
          aria-label="Keyboard shortcuts"
          aria-keyshortcuts="?"
          title="Keyboard shortcuts"
          onClick=${() => page.openDialog({ kind: "help" })}
        >?</button>
        <${Button}
          label="New"
          icon="plus"
          kind="primary"
          title="New environment"
          shortcut="n"
          isDisabled=${!isMounted || state.projects.length === 0}
          onClick=${() => page.openDialog({ kind: "create", project: project ?? state.current })}
        />
      </div>
    </header>
  `;
}

/** What stands where an address leads nowhere, and the way back. */
function Nothing({ title }: { title: string }): VNode {
  return html`
    <${Empty} title=${title}>
      <a class="button button-plain" href=${formatRoute(HOME)}><span>All environments</span></a>
      <//>
  `;
}

function OpenDialog({ page, dialog }: { page: Page; dialog: DialogState }): VNode {
  switch (dialog.kind) {
    case "palette":
      return html`<${Palette} page=${page} />`;
    case "help":
      return html`<${HelpDialog} page=${page} />`;
    case "create":
      return html`<${CreateForm} page=${page} project=${dialog.project} name=${dialog.name} />`;
    case "destroy":
      return html`<${DestroyDialog} page=${page} named=${dialog.named} />`;
  }
}

function useLive(live: Live) {
  const [state, setState] = useState(live.state);
  useEffect(() => {
    setState(live.state);
    return live.subscribe(() => setState(live.state));
  }, [live]);
  return state;
}

/** Keeps the address and the page the same: links within the page are followed without a request. */
function useRoute(url: string): [Route, Page["go"]] {
  const [route, setRoute] = useState(() => parseRoute(new URL(url, "http://page")) ?? NOWHERE);
  const go: Page["go"] = (next, { replace = false } = {}) => {
    const address = formatRoute(next);
    if (replace) history.replaceState(null, "", address);
    else if (address !== location.pathname + location.search) history.pushState(null, "", address);
    setRoute(next);
  };
  useEffect(() => {
    const onPop = () => setRoute(parseRoute(location) ?? NOWHERE);
    const onClick = (event: MouseEvent) => {
      const next = routeOfClick(event);
      if (next === undefined) return;
      event.preventDefault();
      go(next);
    };
    addEventListener("popstate", onPop);
    document.addEventListener("click", onClick);
    return () => {
      removeEventListener("popstate", onPop);
      document.removeEventListener("click", onClick);
    };
  }, []);
  useFocusOnMove(route);
  return [route, go];
}

/** Finds where a click on a link leads within the page; undefined when the browser is to follow it. */
function routeOfClick(event: MouseEvent): Route | undefined {
  const hasModifier = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button !== 0 || hasModifier) return undefined;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null || link.target !== "" || link.origin !== location.origin || link.hash !== "") {
    return undefined;
  }
  return parseRoute(link);
}

/** Where one side follows the other, the focus goes along; else it stays in the list, for the next j or k. */
function useFocusOnMove(route: Route): void {
  const [before, setBefore] = useState(route);
  useLayoutEffect(() => {
    if (isSamePlace(before, route)) return;
    setBefore(route);
    document.getElementById("main")?.scrollTo(0, 0);
    if (!matchMedia("(max-width: 719px)").matches) return;
    if (route.name !== null) document.getElementById("title")?.focus();
    else document.querySelector<HTMLElement>(`[href="${formatRoute(before)}"]`)?.focus();
  }, [route]);
}

function useTitle({ name, tab }: Route): void {
  useEffect(() => {
    document.title = titleOf({ name, tab });
  }, [name, tab]);
}

/** Writes the title of the window. */
export function titleOf({ name, tab }: Pick<Route, "name" | "tab">): string {
  if (name === null) return "piko";
  return tab === "overview" ? `${name} · piko` : `${name} ${tab} · piko`;
}

function useClock(renderedAt: number, pace: number): { now: number; isMounted: boolean } {
  const [clock, setClock] = useState({ now: renderedAt, isMounted: false });
  useEffect(() => {
    const tick = () => setClock({ now: Date.now(), isMounted: true });
    tick();
    const timer = setInterval(tick, pace);
    return () => clearInterval(timer);
  }, [pace]);
  return clock;
}
