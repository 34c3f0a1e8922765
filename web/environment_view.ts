/// <reference lib="dom" />
/** The right side: the chosen environment with its actions, and its tabs. */

import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { EnvironmentState, Operation } from "../src/domain/api.ts";
import type { Environment } from "../src/domain/environment.ts";
import type { Step } from "../src/domain/report.ts";
import { ActivityView, CancelButton } from "./activity_view.ts";
import type { Named } from "./api.ts";
import { classes, html } from "./html.ts";
import { Glyph, Icon } from "./icons.ts";
import { useKeptFocus } from "./kept_focus.ts";
import {
  comingEnvironments,
  findEnvironment,
  lastFailure,
  operationsOf,
  pendingKey,
  runningOperation,
} from "./live_state.ts";
import { LogsView } from "./logs_view.ts";
import { fullName } from "./names.ts";
import { entriesOf, operationTitle, STEP_TITLES } from "./operation_steps.ts";
import { OverviewView } from "./overview_view.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute, formatRoute, HOME, type Tab, TABS } from "./route.ts";
import { canStart, canStop, explainStatus, showOperation, showStatus } from "./status.ts";
import { VariablesView } from "./variables_view.ts";
import { Ago, Button, Copy, Empty, NoticeBox, Status } from "./widgets.ts";

const TAB_NAMES: Readonly<Record<Tab, string>> = {
  overview: "Overview",
  logs: "Logs",
  activity: "Activity",
  variables: "Variables",
};

/** The chosen environment, or what there is to say of one that is not there. */
export function EnvironmentView({ page, named }: { page: Page; named: Named }): VNode {
  const found = findEnvironment(page.state, named);
  useDetails(page, named, found);
  useKeptFocus(`${fullName(named)} ${page.route.tab}`);
  if (found !== undefined) {
    return html`<${Chosen} key=${fullName(named)} page=${page} found=${found} />`;
  }
  const [newest] = operationsOf(page.state, named);
  if (newest !== undefined) {
    return html`<${Past} key=${fullName(named)} page=${page} named=${named} newest=${newest} />`;
  }
  return html`<${NotThere} page=${page} named=${named} />`;
}

function Chosen({ page, found }: { page: Page; found: EnvironmentState }): VNode {
  const { environment } = found;
  const { tab } = page.route;
  return html`
    <article class=${classes("environment", tab === "logs" && "environment-logs")}>
      <${Head} page=${page} found=${found} />
      <${Notices} page=${page} about=${fullName(environment)} />
      <${WorkStrip} page=${page} named=${environment} />
      <${Failure} page=${page} environment=${environment} />
      <${Tabs} page=${page} environment=${environment} />
      <div
        class="tab-panel"
        role="tabpanel"
        id="panel"
        aria-labelledby=${`tab-${tab}`}
        tabindex=${tab === "logs" ? undefined : "-1"}
      >
        ${tab === "overview" ? html`<${OverviewView} page=${page} found=${found} />` : null}
        ${tab === "logs" ? html`<${LogsView} page=${page} found=${found} />` : null}
        ${tab === "activity" ? html`<${ActivityView} page=${page} named=${environment} />` : null}
        ${tab === "variables"
          ? html`<${VariablesView} page=${page} environment=${environment} />`
          : null}
      </div>
    </article>
  `;
}

function Head({ page, found }: { page: Page; found: EnvironmentState }): VNode {
  const { environment, services } = found;
  const { project, name, branch, createdAt } = environment;
  const operation = runningOperation(page.state, environment);
  const shown = operation === undefined
    ? showStatus(environment)
    : showOperation(operation, environment);
  const explanation = operation === undefined ? explainStatus(environment, services) : null;
  const checkedOut = page.state.details.get(fullName(environment))?.value?.checkedOut ?? null;
  const otherCheckout = checkedOut === null
    ? null
    : html`<span>(checked out: <code>${checkedOut}</code>)</span>`;
  return html`
    <header class="environment-head">
      <${BackLink} page=${page} />
      <div class="environment-title">
        <h1 id="title" tabindex="-1">
          <span class="title-project">${project}/</span>${name}
        </h1>
        <${Status} shown=${shown} />
      </div>
      <p class="environment-facts">
        <span class="fact"><${Icon} name="branch" /><span class="visually-hidden">Branch </span><code>${branch}</code>${otherCheckout}</span>
        <span class="fact">created <${Ago} page=${page} time=${createdAt} /></span>
      </p>
      ${explanation === null ? null : html`<p class="environment-explanation">${explanation}</p>`}
      <${EnvironmentActions} page=${page} environment=${environment} operation=${operation} />
    </header>
  `;
}

function EnvironmentActions(
  { page, environment, operation }: {
    page: Page;
    environment: Environment;
    operation: Operation | undefined;
  },
): VNode {
  const { actions, state, isMounted } = page;
  const { mode, name, project, status } = environment;
  const isPending = (action: string) => state.pending.has(pendingKey(action, environment));
  const isBusy = operation !== undefined || status === "creating" || status === "destroying";
  const isGone = status === "missing";
  const runs = (kind: Operation["kind"]) => operation?.kind === kind;
  const stops = canStop(environment);
  return html`
    <div class="actions" role="group" aria-label=${`Actions of ${name}`}>
      ${mode === "simple" ? null : html`
        ${canStart(environment) || runs("up") || !stops
          ? html`
            <${Button}
              label="Start"
              icon="play"
              place="run"
              kind=${stops ? "plain" : "primary"}
              isBusy=${isPending("up") || runs("up")}
              isDisabled=${!isMounted || (isBusy && !runs("up")) || isGone}
              onClick=${() => actions.start("up", environment)}
            />
          `
          : null}
        ${stops || runs("down")
          ? html`
            <${Button}
              label="Stop"
              icon="stop"
              place="run"
              isBusy=${isPending("down") || runs("down")}
              isDisabled=${!isMounted || (isBusy && !runs("down"))}
              onClick=${() => actions.start("down", environment)}
            />
          `
          : null}
        <${Button}
          label="Restart"
          icon="restart"
          place="run"
          isBusy=${isPending("restart") || runs("restart")}
          isDisabled=${!isMounted || (!runs("restart") && (isBusy || !stops)) || isGone}
          onClick=${() => actions.start("restart", environment)}
        />
      `}
      <${Button}
        label="Open in editor"
        icon="edit"
        isBusy=${isPending("open")}
        isDisabled=${!isMounted || isGone || status === "destroying"}
        onClick=${() => actions.open(environment)}
      />
      <${Copy} page=${page} text=${`piko attach ${project}/${name}`} what="the attach command" />
      <span class="actions-space"></span>
      <${Button}
        label="Destroy"
        icon="trash"
        kind="danger"
        isBusy=${runs("destroy")}
        isDisabled=${!isMounted || (isBusy && !runs("destroy"))}
        onClick=${() => page.openDialog({ kind: "destroy", named: { project, name } })}
      />
    </div>
  `;
}

/** What is being done to the environment, in a line that every tab has. */
function WorkStrip({ page, named }: { page: Page; named: Named }): VNode | null {
  const operation = runningOperation(page.state, named);
  const id = operation?.id;
  useEffect(() => {
    if (id !== undefined) page.actions.loadReports(id);
  }, [id, page.state.snapshots]);
  if (operation === undefined || page.route.tab === "activity") return null;
  const entries = entriesOf(page.state.reports.get(operation.id) ?? [], operation);
  const step = entries.findLast((entry) => entry.kind === "step");
  const line = step?.output.at(-1)?.text;
  return html`
    <div class="work-strip">
      <${Glyph} shape="spinner" tone="busy" />
      <strong>${operationTitle(operation)}</strong>
      <span class="work-step">${step === undefined ? "" : STEP_TITLES[step.step]}</span>
      <code class="work-line">${line ?? step?.message ?? ""}</code>
      <a href=${formatRoute(environmentRoute(named, "activity"))}>Steps</a>
      <${CancelButton} page=${page} operation=${operation} kind="quiet" />
    </div>
  `;
}

/** What has gone wrong with the environment last, in every tab, until it is mended or something else is done. */
function Failure({ page, environment }: { page: Page; environment: Environment }): VNode | null {
  const failed = lastFailure(page.state, environment);
  if (failed === undefined || failed.error === null || page.route.tab === "activity") return null;
  const { message, details, hint } = failed.error;
  return html`
    <section class="notices" aria-label=${operationTitle(failed)}>
      <${NoticeBox}
        page=${page}
        tone="bad"
        title=${operationTitle(failed)}
        message=${message}
        details=${details}
        hint=${hint}
      >
        <a class="notice-link" href=${formatRoute(
          environmentRoute(environment, "activity"),
        )}>Steps</a>
        <//>
        </section>
  `;
}

function Tabs({ page, environment }: { page: Page; environment: Environment }): VNode {
  const { route } = page;
  const tabs = TABS.filter((tab) =>
    tab !== "logs" || environment.mode === "docker" || route.tab === tab
  );
  const isRunning = runningOperation(page.state, environment) !== undefined;
  return html`
    <div class="tabs" role="tablist" aria-label=${`Views of ${environment.name}`} onKeyDown=${moveBetweenTabs}>
      ${tabs.map((tab) =>
        html`
          <a
            key=${tab}
            id=${`tab-${tab}`}
            class=${classes("tab", route.tab === tab && "tab-chosen")}
            role="tab"
            href=${formatRoute({ ...environmentRoute(environment, tab), logs: route.logs })}
            aria-selected=${route.tab === tab ? "true" : "false"}
            aria-controls=${route.tab === tab ? "panel" : undefined}
            tabindex=${route.tab === tab ? "0" : "-1"}
          >${TAB_NAMES[tab]}${tab === "activity" && isRunning
            ? html`${" "}<${Glyph} shape="spinner" tone="busy" />`
            : null}</a>
        `
      )}
    </div>
  `;
}

/** Left and right go from tab to tab, as in every list of tabs (WAI-ARIA Authoring Practices). */
function moveBetweenTabs(event: KeyboardEvent): void {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const list = event.currentTarget as HTMLElement;
  const tabs = [...list.querySelectorAll<HTMLElement>("[role=tab]")];
  const at = tabs.indexOf(document.activeElement as HTMLElement);
  const next = tabs.at((at + (event.key === "ArrowRight" ? 1 : -1)) % tabs.length);
  event.preventDefault();
  next?.focus();
  next?.click();
}

/** An environment that was there a moment ago, or that could not be made: what was done is still to be seen. */
function Past(
  { page, named, newest }: { page: Page; named: Named; newest: Operation },
): VNode {
  const { kind, state } = newest;
  const isComing = comingEnvironments(page.state).some(({ id }) => id === newest.id);
  const title = isComing
    ? "It is being created"
    : kind === "destroy" && state === "done"
    ? "It was destroyed; what was committed on a branch is still there"
    : kind === "create" && state !== "done"
    ? notCreated(page, newest)
    : "It is gone: somebody has destroyed it";
  return html`
    <article class="environment">
      <header class="environment-head">
        <${BackLink} page=${page} />
        <div class="environment-title">
          <h1 id="title" tabindex="-1"><span class="title-project">${named.project}/</span>${named
            .name}</h1>
          ${isComing ? html`<${Status} shown=${showOperation(newest)} />` : null}
        </div>
        <p class="environment-explanation">${title}.</p>
        ${isComing ? null : html`
          <div class="actions">
            <${Button}
              label=${kind === "create" ? "Try again" : "Create it again"}
              icon="plus"
              onClick=${() =>
                page.openDialog({ kind: "create", project: named.project, name: named.name })}
            />
          </div>
        `}
      </header>
      <div class="tab-panel">
        <${ActivityView} page=${page} named=${named} />
      </div>
    </article>
  `;
}

/** The scripts that a create runs, whose output stays for those who look for what went wrong. */
const SCRIPTS: ReadonlySet<Step> = new Set(["prepare", "setup"]);

/** Says what is left of an environment that could not be made. */
function notCreated({ state }: Page, { id, project, environment }: Operation): string {
  const said = "It was not created, and nothing of it is left";
  const root = state.projects.find(({ name }) => name === project)?.root;
  const hasOutput = (state.reports.get(id) ?? [])
    .some(({ report }) => "step" in report && SCRIPTS.has(report.step));
  return hasOutput && root !== undefined
    ? `${said} but what its scripts have printed, in ${root}/.piko/logs/${environment}`
    : said;
}

function NotThere({ page, named }: { page: Page; named: Named }): VNode {
  const isKnown = page.state.projects.some(({ name }) => name === named.project);
  return html`
    <div class="not-there">
      <${BackLink} page=${page} />
      <${Empty}
        title=${isKnown
          ? `There is no environment “${named.name}” in ${named.project}`
          : `There is no project “${named.project}”`}
      >
        ${isKnown
          ? html`
            <${Button}
              label=${`Create ${named.name}`}
              icon="plus"
              onClick=${() =>
                page.openDialog({ kind: "create", project: named.project, name: named.name })}
            />
          `
          : null}
      <//>
    </div>
  `;
}

function BackLink({ page }: { page: Page }): VNode {
  return html`
    <a class="back" href=${formatRoute(HOME)} onClick=${() =>
      page.actions.announce("All environments")}>
      <${Icon} name="back" />All environments
    </a>
  `;
}

/** What went wrong, or well, with this environment. */
export function Notices({ page, about }: { page: Page; about: string | null }): VNode | null {
  const notices = page.state.notices.filter((notice) => notice.about === about);
  if (notices.length === 0) return null;
  return html`
    <div class="notices">
      ${notices.map(({ id, tone, message, hint, details }) =>
        html`
          <${NoticeBox} key=${id} page=${page} tone=${tone} message=${message}
            details=${details} hint=${hint}>
            <${Button}
              label="Dismiss"
              icon="cross"
              kind="quiet"
              hideLabel
              onClick=${() => page.actions.dismiss(id)}
            />
            <//>
        `
      )}
    </div>
  `;
}

/** Asks for what only this view shows: when it is opened, when something changed, and when one comes back to the tab. */
function useDetails(page: Page, named: Named, found: EnvironmentState | undefined): void {
  const { project, name } = named;
  const status = found?.environment.status;
  const load = () => {
    // While it is made or removed there is nothing in it to be looked at.
    if (status === undefined || status === "creating" || status === "destroying") return;
    page.actions.loadDetails({ project, name });
  };
  useEffect(load, [project, name, found, page.state.snapshots]);
  useEffect(() => {
    addEventListener("focus", load);
    return () => removeEventListener("focus", load);
  }, [project, name, status]);
}
