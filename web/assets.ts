/**
 * The files of the page, by their path: a fixed table, so that no path can lead elsewhere. The browser runs the page's own
 * files without a bundler: their types are stripped when the server starts, and packages are named by their path, since a
 * policy without inline script allows no import map.
 */

import htm from "htm" with { type: "text" };
import preact from "preact" with { type: "text" };
import preactHooks from "preact/hooks" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import style from "./style.css" with { type: "text" };
import actions from "./actions.ts" with { type: "text" };
import activityView from "./activity_view.ts" with { type: "text" };
import announcements from "./announcements.ts" with { type: "text" };
import ansi from "./ansi.ts" with { type: "text" };
import ansiText from "./ansi_text.ts" with { type: "text" };
import api from "./api.ts" with { type: "text" };
import app from "./app.ts" with { type: "text" };
import boot from "./boot.ts" with { type: "text" };
import clipboard from "./clipboard.ts" with { type: "text" };
import combobox from "./combobox.ts" with { type: "text" };
import connection from "./connection.ts" with { type: "text" };
import connectionStatus from "./connection_status.ts" with { type: "text" };
import createForm from "./create_form.ts" with { type: "text" };
import createPlan from "./create_plan.ts" with { type: "text" };
import destroyDialog from "./destroy_dialog.ts" with { type: "text" };
import dialog from "./dialog.ts" with { type: "text" };
import environmentList from "./environment_list.ts" with { type: "text" };
import environmentView from "./environment_view.ts" with { type: "text" };
import eventStream from "./event_stream.ts" with { type: "text" };
import filter from "./filter.ts" with { type: "text" };
import helpDialog from "./help_dialog.ts" with { type: "text" };
import hint from "./hint.ts" with { type: "text" };
import homeView from "./home_view.ts" with { type: "text" };
import html from "./html.ts" with { type: "text" };
import icons from "./icons.ts" with { type: "text" };
import keyboard from "./keyboard.ts" with { type: "text" };
import live from "./live.ts" with { type: "text" };
import liveState from "./live_state.ts" with { type: "text" };
import logBuffer from "./log_buffer.ts" with { type: "text" };
import logLines from "./log_lines.ts" with { type: "text" };
import logSearch from "./log_search.ts" with { type: "text" };
import logStream from "./log_stream.ts" with { type: "text" };
import logsView from "./logs_view.ts" with { type: "text" };
import names from "./names.ts" with { type: "text" };
import operationSteps from "./operation_steps.ts" with { type: "text" };
import overviewView from "./overview_view.ts" with { type: "text" };
import palette from "./palette.ts" with { type: "text" };
import paletteCommands from "./palette_commands.ts" with { type: "text" };
import reload from "./reload.ts" with { type: "text" };
import route from "./route.ts" with { type: "text" };
import serviceHue from "./service_hue.ts" with { type: "text" };
import status from "./status.ts" with { type: "text" };
import time from "./time.ts" with { type: "text" };
import variablesView from "./variables_view.ts" with { type: "text" };
import widgets from "./widgets.ts" with { type: "text" };

/** A file that a browser gets. */
export interface Asset {
  /** Its media type. */
  type: string;
  text: string;
}

/** The browser modules of packages, by the name that they are imported by. */
const PACKAGES: Readonly<Record<string, { path: string; text: string }>> = {
  "htm": { path: "/assets/htm.js", text: htm },
  "preact": { path: "/assets/preact.js", text: preact },
  "preact/hooks": { path: "/assets/preact_hooks.js", text: preactHooks },
};

/** The page's own modules. */
const SOURCES: Readonly<Record<string, string>> = {
  "/assets/actions.ts": actions,
  "/assets/activity_view.ts": activityView,
  "/assets/announcements.ts": announcements,
  "/assets/ansi.ts": ansi,
  "/assets/ansi_text.ts": ansiText,
  "/assets/api.ts": api,
  "/assets/app.ts": app,
  "/assets/boot.ts": boot,
  "/assets/clipboard.ts": clipboard,
  "/assets/combobox.ts": combobox,
  "/assets/connection.ts": connection,
  "/assets/connection_status.ts": connectionStatus,
  "/assets/create_form.ts": createForm,
  "/assets/create_plan.ts": createPlan,
  "/assets/destroy_dialog.ts": destroyDialog,
  "/assets/dialog.ts": dialog,
  "/assets/environment_list.ts": environmentList,
  "/assets/environment_view.ts": environmentView,
  "/assets/event_stream.ts": eventStream,
  "/assets/filter.ts": filter,
  "/assets/help_dialog.ts": helpDialog,
  "/assets/hint.ts": hint,
  "/assets/home_view.ts": homeView,
  "/assets/html.ts": html,
  "/assets/icons.ts": icons,
  "/assets/keyboard.ts": keyboard,
  "/assets/live.ts": live,
  "/assets/live_state.ts": liveState,
  "/assets/log_buffer.ts": logBuffer,
  "/assets/log_lines.ts": logLines,
  "/assets/log_search.ts": logSearch,
  "/assets/log_stream.ts": logStream,
  "/assets/logs_view.ts": logsView,
  "/assets/names.ts": names,
  "/assets/operation_steps.ts": operationSteps,
  "/assets/overview_view.ts": overviewView,
  "/assets/palette.ts": palette,
  "/assets/palette_commands.ts": paletteCommands,
  "/assets/reload.ts": reload,
  "/assets/route.ts": route,
  "/assets/service_hue.ts": serviceHue,
  "/assets/status.ts": status,
  "/assets/time.ts": time,
  "/assets/variables_view.ts": variablesView,
  "/assets/widgets.ts": widgets,
};

/** The one source that is no module, and stands in the page by itself. */
export const RELOAD = "/assets/reload.ts";

/** The paths of all modules, which the browser is told ahead instead of finding them import by import. */
export const MODULES: readonly string[] = [
  ...Object.values(PACKAGES).map(({ path }) => path),
  ...Object.keys(SOURCES).filter((path) => path !== RELOAD),
];

const JAVASCRIPT = "text/javascript; charset=utf-8";

/** Makes the table of all files. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  // Costs some 15 ms, which only the server should pay.
  const { stripTypeScriptTypes } = await import("node:module");
  const modules = [
    ...Object.values(PACKAGES).map(({ path, text }) => [path, text] as const),
    ...Object.entries(SOURCES).map(([path, text]) => [path, stripTypeScriptTypes(text)] as const),
  ];
  return new Map<string, Asset>([
    ["/assets/icon.svg", { type: "image/svg+xml", text: icon }],
    ["/assets/style.css", { type: "text/css; charset=utf-8", text: style }],
    ...modules.map(([path, text]): [string, Asset] => [path, {
      type: JAVASCRIPT,
      text: withPaths(text),
    }]),
  ]);
}

/** Writes paths for the names of packages, and leaves out the address of a source map that is not served. */
function withPaths(code: string): string {
  return code
    .replace(/(\bfrom\s*|\bimport\s*)"([^"./][^"]*)"/g, (whole, words: string, name: string) => {
      const path = PACKAGES[name]?.path;
      return path === undefined ? whole : `${words}"${path}"`;
    })
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}
