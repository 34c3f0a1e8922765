/**
 * The files of the page, by their path: a fixed table, so that no path can lead elsewhere. The browser runs the page's own
 * files without a bundler: their types are stripped when the server starts, and packages are named by their path, since a
 * policy without inline script allows no import map. Paths name what is in the files, so that a browser keeps them: a load
 * that is broken off (see reload.ts) goes on where it was, and another piko's files are others.
 */

import htm from "htm" with { type: "text" };
import preact from "preact" with { type: "text" };
import preactHooks from "preact/hooks" with { type: "text" };
import { hashOf } from "./hash.ts";
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
import hash from "./hash.ts" with { type: "text" };
import helpDialog from "./help_dialog.ts" with { type: "text" };
import hint from "./hint.ts" with { type: "text" };
import homeView from "./home_view.ts" with { type: "text" };
import html from "./html.ts" with { type: "text" };
import icons from "./icons.ts" with { type: "text" };
import keptFocus from "./kept_focus.ts" with { type: "text" };
import keyboard from "./keyboard.ts" with { type: "text" };
import live from "./live.ts" with { type: "text" };
import liveState from "./live_state.ts" with { type: "text" };
import logBuffer from "./log_buffer.ts" with { type: "text" };
import logLines from "./log_lines.ts" with { type: "text" };
import logMatchWorker from "./log_match_worker.ts" with { type: "text" };
import logMatcher from "./log_matcher.ts" with { type: "text" };
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
  /** Whether what is at this path never changes. */
  isFixed: boolean;
}

/** The browser modules of packages, by the name that they are imported by. */
const PACKAGES: Readonly<Record<string, { file: string; text: string }>> = {
  "htm": { file: "htm.js", text: htm },
  "preact": { file: "preact.js", text: preact },
  "preact/hooks": { file: "preact_hooks.js", text: preactHooks },
};

/** The page's own modules. */
const SOURCES: Readonly<Record<string, string>> = {
  "actions.ts": actions,
  "activity_view.ts": activityView,
  "announcements.ts": announcements,
  "ansi.ts": ansi,
  "ansi_text.ts": ansiText,
  "api.ts": api,
  "app.ts": app,
  "boot.ts": boot,
  "clipboard.ts": clipboard,
  "combobox.ts": combobox,
  "connection.ts": connection,
  "connection_status.ts": connectionStatus,
  "create_form.ts": createForm,
  "create_plan.ts": createPlan,
  "destroy_dialog.ts": destroyDialog,
  "dialog.ts": dialog,
  "environment_list.ts": environmentList,
  "environment_view.ts": environmentView,
  "event_stream.ts": eventStream,
  "filter.ts": filter,
  "hash.ts": hash,
  "help_dialog.ts": helpDialog,
  "hint.ts": hint,
  "home_view.ts": homeView,
  "html.ts": html,
  "icons.ts": icons,
  "kept_focus.ts": keptFocus,
  "keyboard.ts": keyboard,
  "live.ts": live,
  "live_state.ts": liveState,
  "log_buffer.ts": logBuffer,
  "log_lines.ts": logLines,
  "log_match_worker.ts": logMatchWorker,
  "log_matcher.ts": logMatcher,
  "log_search.ts": logSearch,
  "log_stream.ts": logStream,
  "logs_view.ts": logsView,
  "names.ts": names,
  "operation_steps.ts": operationSteps,
  "overview_view.ts": overviewView,
  "palette.ts": palette,
  "palette_commands.ts": paletteCommands,
  "reload.ts": reload,
  "route.ts": route,
  "service_hue.ts": serviceHue,
  "status.ts": status,
  "time.ts": time,
  "variables_view.ts": variablesView,
  "widgets.ts": widgets,
};

/** The sources that are no modules of the page: reload.ts stands in it by itself, and a worker is started when it is needed. */
const APART: readonly string[] = ["reload.ts", "log_match_worker.ts"];

const BASE = `/assets/${
  hashOf([htm, preact, preactHooks, icon, style, ...Object.values(SOURCES)].join("")).toString(16)
    .padStart(8, "0")
}`;

/** Where the page finds its files. */
export const PATHS = {
  icon: `${BASE}/icon.svg`,
  style: `${BASE}/style.css`,
  reload: `${BASE}/reload.ts`,
  boot: `${BASE}/boot.ts`,
  /** All modules, which the browser is told ahead instead of finding them import by import. */
  modules: [
    ...Object.values(PACKAGES).map(({ file }) => file),
    ...Object.keys(SOURCES).filter((file) => !APART.includes(file)),
  ].map((file) => `${BASE}/${file}`),
} as const;

/** Makes the table of all files. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  // Costs some 15 ms, which only the server should pay.
  const { stripTypeScriptTypes } = await import("node:module");
  const script = (file: string, text: string): [string, Asset] => [`${BASE}/${file}`, {
    type: "text/javascript; charset=utf-8",
    text: withPaths(text),
    isFixed: true,
  }];
  const css = { type: "text/css; charset=utf-8", text: style };
  return new Map<string, Asset>([
    [PATHS.icon, { type: "image/svg+xml", text: icon, isFixed: true }],
    [PATHS.style, { ...css, isFixed: true }],
    // For the page of those who are not let in, which has no other files.
    ["/assets/style.css", { ...css, isFixed: false }],
    ...Object.values(PACKAGES).map(({ file, text }) => script(file, text)),
    ...Object.entries(SOURCES).map(([file, text]) => script(file, stripTypeScriptTypes(text))),
  ]);
}

/** Writes paths for the names of packages, and leaves out the address of a source map that is not served. */
function withPaths(code: string): string {
  return code
    .replace(/(\bfrom\s*|\bimport\s*)"([^"./][^"]*)"/g, (whole, words: string, name: string) => {
      const file = PACKAGES[name]?.file;
      return file === undefined ? whole : `${words}"./${file}"`;
    })
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}
