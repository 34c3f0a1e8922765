/** The page's HTML, as the server sends it. */

import type { PageState } from "../src/domain/api.ts";

/** Renders the page of a state. */
export function renderPage(state: PageState): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>piko</title>
<link rel="stylesheet" href="/assets/style.css">
<h1>piko</h1>
<p>${state.environments.length} environments</p>
</html>
`;
}
