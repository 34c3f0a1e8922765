/** Everything that can be done on the page, as commands that a few letters find. */

import { connectionString, containerSide, isLink } from "./connection.ts";
import { fuzzyMatch, type Match, WORDS } from "./filter.ts";
import type { IconName } from "./icons.ts";
import { runningOperation } from "./live_state.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute, HOME } from "./route.ts";
import { canStart, canStop, showStatus } from "./status.ts";

/** One command. */
export interface Command {
  id: string;
  icon: IconName;
  /** `Logs of feature-auth`. */
  title: string;
  /** What else there is to know: the project, a state, an address. */
  note: string;
  /** The key that does it anywhere, if there is one. */
  key?: string;
  run: (page: Page) => void;
}

/** A text to copy is run by who shows the palette, which has the clipboard. */
export type Copier = (text: string, what: string) => void;

/** Lists every command of the page; those on the chosen environment come first. */
export function paletteCommands(page: Page, copy: Copier): Command[] {
  const { state, route } = page;
  const isChosen = ({ project, name }: { project: string; name: string }) =>
    project === route.project && name === route.name;
  const ordered = [
    ...state.environments.filter(({ environment }) => isChosen(environment)),
    ...state.environments.filter(({ environment }) => !isChosen(environment)),
  ];
  const global: Command[] = [
    ...state.projects.map(({ name }): Command => ({
      id: `create ${name}`,
      icon: "plus",
      title: state.projects.length === 1 ? "New environment" : `New environment in ${name}`,
      note: "",
      ...(name === state.current ? { key: "n" } : {}),
      run: (page) => page.openDialog({ kind: "create", project: name }),
    })),
    { id: "all", icon: "logs", title: "All environments", note: "", run: (page) => page.go(HOME) },
    {
      id: "refresh",
      icon: "restart",
      title: "Refresh everything",
      note: "",
      run: ({ actions, route: { project, name } }) =>
        actions.refresh(project === null || name === null ? null : { project, name }),
    },
    {
      id: "help",
      icon: "key",
      title: "Keyboard shortcuts",
      note: "",
      key: "?",
      run: (page) => page.openDialog({ kind: "help" }),
    },
  ];
  const go = ordered.map(({ environment }): Command => ({
    id: `go ${environment.project}/${environment.name}`,
    icon: "branch",
    title: `Go to ${environment.name}`,
    note: `${environment.project} · ${showStatus(environment).word}`,
    run: (page) => page.go(environmentRoute(environment)),
  }));
  const [first, ...others] = ordered;
  const commandsOfFirst = first !== undefined && isChosen(first.environment)
    ? environmentCommands(page, first.environment, copy)
    : [];
  const rest = commandsOfFirst.length > 0 ? others : ordered;
  return [
    ...commandsOfFirst,
    ...go,
    ...global,
    ...rest.flatMap(({ environment }) => environmentCommands(page, environment, copy)),
  ];
}

function environmentCommands(
  page: Page,
  environment: Page["state"]["environments"][number]["environment"],
  copy: Copier,
): Command[] {
  const { project, name, mode, status, path, ports } = environment;
  const isBusy = runningOperation(page.state, environment) !== undefined ||
    status === "creating" || status === "destroying";
  const commands: Command[] = [];
  const add = (id: string, icon: IconName, title: string, run: Command["run"], note = project) =>
    commands.push({ id: `${id} ${project}/${name}`, icon, title, note, run });
  for (const port of ports.filter(isLink)) {
    add(
      `open ${port.service} ${port.containerPort}`,
      "external",
      `Open ${port.service} of ${name}`,
      () => open(port.url, "_blank", "noopener"),
      port.url,
    );
  }
  if (mode === "docker") {
    add(
      "logs",
      "logs",
      `Logs of ${name}`,
      (page) => page.go(environmentRoute(environment, "logs")),
    );
  }
  add(
    "activity",
    "clock",
    `Activity of ${name}`,
    (page) => page.go(environmentRoute(environment, "activity")),
  );
  add(
    "variables",
    "key",
    `Variables of ${name}`,
    (page) => page.go(environmentRoute(environment, "variables")),
  );
  if (!isBusy && canStart(environment)) {
    add("up", "play", `Start ${name}`, ({ actions }) => actions.start("up", environment));
  }
  if (!isBusy && canStop(environment)) {
    add("down", "stop", `Stop ${name}`, ({ actions }) => actions.start("down", environment));
    add(
      "restart",
      "restart",
      `Restart ${name}`,
      ({ actions }) => actions.start("restart", environment),
    );
  }
  if (status !== "missing") {
    add("edit", "edit", `Open ${name} in the editor`, ({ actions }) => actions.open(environment));
  }
  add(
    "attach",
    "terminal",
    `Copy the attach command of ${name}`,
    () => copy(`piko attach ${project}/${name}`, "the attach command"),
  );
  add("path", "copy", `Copy the path of ${name}`, () => copy(path, "the path"), path);
  for (const port of ports.filter((port) => !isLink(port))) {
    const address = connectionString(port);
    add(
      `address ${port.service} ${containerSide(port)}`,
      "copy",
      `Copy the address of ${port.service} of ${name}`,
      () => copy(address, `the address of ${port.service}`),
      address,
    );
  }
  if (!isBusy) {
    add(
      "destroy",
      "trash",
      `Destroy ${name}…`,
      (page) => page.openDialog({ kind: "destroy", named: { project, name } }),
    );
  }
  return commands;
}

/** A command that was found, with the places of the letters in its title. */
export interface FoundCommand extends Match {
  command: Command;
}

/** Finds commands, the best first; in the order in which they are listed when nothing is typed. */
export function findCommands(
  commands: readonly Command[],
  typed: string,
  most: number,
): FoundCommand[] {
  const found: FoundCommand[] = [];
  for (const command of commands) {
    const match = fuzzyMatch(typed, command.title);
    if (match !== undefined) {
      found.push({ command, ...match });
      continue;
    }
    // The project or the address may be meant too: `shop logs`.
    const whole = fuzzyMatch(typed, `${command.title} ${command.note}`);
    if (whole !== undefined) {
      const places = whole.places.filter((place) => place < command.title.length);
      found.push({ command, score: whole.score - (whole.score < WORDS ? 0 : 300), places });
    }
  }
  if (typed.trim() !== "") found.sort((a, b) => b.score - a.score);
  // Where words were found, letters that happen to stand in a row are noise.
  const best = found[0]?.score ?? 0;
  return found.filter(({ score }) => best < WORDS || score >= WORDS - 300).slice(0, most);
}
