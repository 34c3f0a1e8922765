/// <reference lib="dom" />
/** Begins the page in the browser: takes over what the server has rendered, with the state that it was rendered from. */

import { hydrate } from "preact";
import type { PageState } from "../src/domain/api.ts";
import { Actions } from "./actions.ts";
import { App } from "./app.ts";
import { html } from "./html.ts";
import { Live } from "./live.ts";

/** What the server leaves in the page for {@link boot}. */
export interface Handover {
  page: PageState;
  renderedAt: number;
}

const { page, renderedAt }: Handover = JSON.parse(
  document.getElementById("state")?.textContent ?? "null",
);
const live = new Live(page, renderedAt);
const actions = new Actions(live);
const url = location.pathname + location.search;
const root = document.getElementById("app");
if (root === null) throw new TypeError("The page has no place for the app");
const onReady = () => {
  document.documentElement.dataset.ready = "true";
  sessionStorage.removeItem("reloads");
};
const app = html`
  <${App} live=${live} actions=${actions} url=${url} renderedAt=${renderedAt}
    onReady=${onReady} />
`;
hydrate(app, root);
live.start();
