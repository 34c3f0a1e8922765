/// <reference lib="dom" />
/**
 * Loads the page again when a file of it could not be loaded: Chromium breaks off every request, to this machine itself too,
 * when a network comes or goes (ERR_NETWORK_CHANGED), and that is what happens whenever an environment is made. It is no
 * module and comes first, so that it is there when others fail.
 */

addEventListener("error", (event) => {
  const { target } = event;
  const isFile = target instanceof HTMLScriptElement ||
    (target instanceof HTMLLinkElement && target.rel === "stylesheet");
  if (!isFile) return;
  const tries = Number(sessionStorage.getItem("reloads") ?? 0);
  // Something else must be wrong then, and the browser's console says what.
  if (tries >= 20) return;
  sessionStorage.setItem("reloads", String(tries + 1));
  setTimeout(() => location.reload(), 300);
}, true);
