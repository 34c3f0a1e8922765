/**
 * What of the page is in its address: the chosen environment, the tab, and how its logs are looked at. `/` is the list of
 * all, and so is `/projects/shop`; `/projects/shop/feature-auth/logs?service=web&find=error` is one view of one environment.
 */

/** The parts of the right side. */
export const TABS = ["overview", "logs", "activity", "variables"] as const;

export type Tab = typeof TABS[number];

/** How logs are looked at. */
export interface LogView {
  /** None of them means all. */
  services: readonly string[];
  find: string;
  /** Whether `find` is a regular expression. */
  regex: boolean;
  /** Whether only lines that match are shown. */
  only: boolean;
  wrap: boolean;
  times: boolean;
}

/** Where the page is. */
export interface Route {
  /** Null on the list. */
  project: string | null;
  name: string | null;
  tab: Tab;
  logs: LogView;
  /** Whether the address is none of the page's. */
  isNowhere?: true;
}

export const DEFAULT_LOGS: LogView = {
  services: [],
  find: "",
  regex: false,
  only: false,
  wrap: true,
  times: false,
};

/** The list, with nothing chosen. */
export const HOME: Route = { project: null, name: null, tab: "overview", logs: DEFAULT_LOGS };

/** An address that is none of the page's. */
export const NOWHERE: Route = { ...HOME, isNowhere: true };

/** Reads an address of the page; undefined when it is none. */
export function parseRoute({ pathname, search }: { pathname: string; search: string }):
  | Route
  | undefined {
  if (pathname === "/") return HOME;
  const parts = pathname.split("/").map(decode);
  if (parts.includes(undefined)) return undefined;
  const [, projects, project, name, tab = "overview", ...rest] = parts;
  if (projects !== "projects" || !project || rest.length > 0) return undefined;
  // A project has no view of its own: that is the list.
  if (!name) return parts.length > 4 ? undefined : { ...HOME, project };
  if (!isTab(tab)) return undefined;
  return { project, name, tab, logs: parseLogView(new URLSearchParams(search)) };
}

/** Writes the address of a place on the page. */
export function formatRoute({ project, name, tab, logs }: Route): string {
  if (project === null || name === null) return "/";
  const path = ["", "projects", encodeURIComponent(project), encodeURIComponent(name)].join("/");
  if (tab === "overview") return path;
  return tab === "logs" ? `${path}/logs${formatLogView(logs)}` : `${path}/${tab}`;
}

/** Makes the route of an environment. */
export function environmentRoute(
  { project, name }: { project: string; name: string },
  tab: Tab = "overview",
  logs: Partial<LogView> = {},
): Route {
  return { project, name, tab, logs: { ...DEFAULT_LOGS, ...logs } };
}

/** Tells whether a route is that of a project which is not there. */
export function isUnknownProject(
  { project, name }: Route,
  projects: readonly { name: string }[],
): boolean {
  return project !== null && name === null && !projects.some(({ name }) => name === project);
}

/** Tells whether two routes show the same environment, or both show none. */
export function isSamePlace(a: Route, b: Route): boolean {
  return a.project === b.project && a.name === b.name;
}

function parseLogView(query: URLSearchParams): LogView {
  return {
    services: query.getAll("service").filter((service) => service !== ""),
    find: query.get("find") ?? "",
    regex: query.has("regex"),
    only: query.has("only"),
    wrap: !query.has("nowrap"),
    times: query.has("times"),
  };
}

function formatLogView(view: LogView): string {
  const query = new URLSearchParams();
  for (const service of view.services) query.append("service", service);
  if (view.find !== "") query.set("find", view.find);
  const flags = { regex: view.regex, only: view.only, nowrap: !view.wrap, times: view.times };
  for (const [name, isSet] of Object.entries(flags)) if (isSet) query.set(name, "1");
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function isTab(text: string): text is Tab {
  return TABS.some((tab) => tab === text);
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    // A lone % is no address of ours.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
