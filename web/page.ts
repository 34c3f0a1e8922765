/** Renders the page on the server, so that it is there before any script is. */

import { renderToString } from "preact-render-to-string";
import type { PageState } from "../src/domain/api.ts";
import { Actions } from "./actions.ts";
import { App, titleOf } from "./app.ts";
import { PATHS } from "./assets.ts";
import type { Handover } from "./boot.ts";
import { html } from "./html.ts";
import { Live } from "./live.ts";
import { formatRoute, isUnknownProject, NOWHERE, parseRoute } from "./route.ts";

export { loadAssets } from "./assets.ts";

/** Renders the whole document. Nothing in it is a script or a style of its own: the policy allows files alone. */
export function renderPage(page: PageState, renderedAt = Date.now()): string {
  const live = new Live(page, renderedAt);
  const actions = new Actions(live);
  const route = parseRoute(new URL(page.url, "http://page")) ?? NOWHERE;
  const app = renderToString(
    html`<${App} live=${live} actions=${actions} url=${page.url} renderedAt=${renderedAt} />`,
  );
  const handover: Handover = { page, renderedAt };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(titleOf(route))}</title>
<script src="${PATHS.reload}"></script>
<link rel="icon" href="${PATHS.icon}" type="image/svg+xml">
<link rel="stylesheet" href="${PATHS.style}">
${PATHS.modules.map((path) => `<link rel="modulepreload" href="${path}">`).join("\n")}
</head>
<body>
<div id="app">${app}</div>
<script type="application/json" id="state">${escapeJson(JSON.stringify(handover))}</script>
<script type="module" src="${PATHS.boot}"></script>
</body>
</html>
`;
}

/** Tells the status of a page: 404 where it says that there is nothing. */
export function pageStatus({ url, projects }: PageState): 200 | 404 {
  const route = parseRoute(new URL(url, "http://page"));
  return route === undefined || isUnknownProject(route, projects) ? 404 : 200;
}

/**
 * Writes the address of a page as the page itself would, which leads nowhere else whatever was asked for; undefined when it
 * is none.
 */
export function pageAddress(url: { pathname: string; search: string }): string | undefined {
  const route = parseRoute(url);
  return route && formatRoute(route);
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
}

/** In a script element only `<` can begin what ends it. */
function escapeJson(json: string): string {
  return json.replaceAll("<", "\\u003c");
}
