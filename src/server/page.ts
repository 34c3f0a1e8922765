/** The page with all that is known when it is asked for, and the page of those who are not let in. */

import { buildInfo } from "../build_info.ts";
import type { PageState } from "../domain/api.ts";
import { findProjectAt } from "../operations/find_environment.ts";
import { answerHtml } from "./answers.ts";
import type { Parts } from "./api.ts";

/** The page's own code. Only the server loads it, and in the built piko it is a file of its own (scripts/build/bundle.ts). */
export type Web = typeof import("../../web/page.ts");

/** Answers with the page; 404 where it says that there is nothing at the address. */
export async function answerPage(parts: Parts, url: URL, web: Web): Promise<Response> {
  const { overview, fresh, operations, events, tools, folder } = parts;
  await fresh();
  // A person who reloads is shown what is known, and at once what the engine says now, if that is something else.
  overview.changed();
  const state: PageState = {
    url: url.pathname + url.search,
    projects: overview.projects,
    environments: overview.environments,
    operations: operations.list(),
    engine: overview.engine,
    project: findProjectAt(tools, folder)?.name ?? null,
    version: buildInfo.version,
    cursor: events.cursor,
  };
  return answerHtml(web.renderPage(state), web.pageStatus(state));
}

/** What is said to a browser without the cookie. */
export interface Outside {
  status: 401 | 403;
  message: string;
  /**
   * The address of the page, when another page has led to it. Browsers then keep the cookie back, which a visit that this
   * page begins itself would have.
   */
  again: string | undefined;
}

/** Answers with the page that says how to get in. */
export function answerOutside({ status, message, again }: Outside): Response {
  const refresh = again === undefined
    ? ""
    : `<meta http-equiv="refresh" content="0; url=${escapeHtml(again)}">\n`;
  return answerHtml(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh}<title>piko</title>
<link rel="stylesheet" href="/assets/style.css">
</head>
<body class="outside">
<main>
<h1>piko</h1>
<p>${escapeHtml(message)}</p>
<p>Run this in a terminal. It prints an address that lets this browser in, and opens it:</p>
<pre><code>piko server</code></pre>
<p>The browser stays in afterwards, also when the server is started again.</p>
</main>
</body>
</html>
`,
    status,
  );
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
}
