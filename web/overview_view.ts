/** An environment at a glance: services and ports, what is not committed, and where everything is. */

import type { VNode } from "preact";
import type { EnvironmentState } from "../src/domain/api.ts";
import type { Environment, Port, Service } from "../src/domain/environment.ts";
import { connectionString, containerSide, isLink } from "./connection.ts";
import { type Content, html } from "./html.ts";
import { Icon } from "./icons.ts";
import type { Details } from "./live_state.ts";
import { runningOperation } from "./live_state.ts";
import { fullName } from "./names.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute, formatRoute } from "./route.ts";
import { showService } from "./status.ts";
import { Ago, Button, Copy, Empty, Skeleton, Status } from "./widgets.ts";

/** The most files or commits that are listed. */
const MOST_LISTED = 12;

/** The overview of an environment. */
export function OverviewView({ page, found }: { page: Page; found: EnvironmentState }): VNode {
  const { environment, services } = found;
  return html`
    <div class="overview">
      <section class="card card-services" aria-labelledby="services">
        <h2 id="services" class="card-title">Services</h2>
        ${environment.mode === "simple"
          ? html`
            <p class="card-empty">
              No containers: this is simple mode, because the project has no compose file. The environment has a
              worktree, a data folder, scripts and variables.
            </p>
          `
          : services.length === 0
          ? html`<p class="card-empty">No containers yet. Start makes them.</p>`
          : html`<${ServiceTable} page=${page} environment=${environment} services=${services} />`}
      </section>
      <div class="overview-side">
        <${Work} page=${page} environment=${environment} />
        <${Facts} page=${page} environment=${environment} />
      </div>
    </div>
  `;
}

function ServiceTable(
  { page, environment, services }: {
    page: Page;
    environment: Environment;
    services: readonly Service[];
  },
): VNode {
  const { status } = environment;
  const isBusy = runningOperation(page.state, environment) !== undefined || !page.isMounted ||
    status === "creating" || status === "destroying";
  return html`
    <ul class="services">
      ${services.map((service) => {
        const { service: name, ports, shared, container } = service;
        const isRunning = service.state === "running";
        return html`
          <li key=${`${name} ${container}`} class="service">
            <div class="service-name">
              <code title=${container ?? undefined}>${name}</code>
              ${shared
                ? html`<span class="badge" title="All environments of the project use this one">shared</span>`
                : null}
            </div>
            <div class="service-state">
              <${Status} shown=${showService(service)} />
            </div>
            <ul class="service-ports" aria-label=${`Ports of ${name}`}>
              ${ports.map((port) =>
                html`
                  <li key=${`${port.containerPort}/${port.protocol}`}>
                    <${PortView} page=${page} port=${port} />
                  </li>
                `
              )}
            </ul>
            <div class="service-actions" data-place=${`service ${name}`}>
              <a
                class="button button-quiet button-icon"
                href=${formatRoute(environmentRoute(environment, "logs", { services: [name] }))}
                aria-label=${`Logs of ${name}`}
                title=${`Logs of ${name}`}
              ><${Icon} name="logs" /></a>
              ${shared ? null : html`
                <${Button}
                  label=${isRunning ? `Restart ${name}` : `Start ${name}`}
                  icon=${isRunning ? "restart" : "play"}
                  kind="quiet"
                  hideLabel
                  isDisabled=${isBusy || status === "missing"}
                  onClick=${() =>
                    page.actions.start(isRunning ? "restart" : "up", environment, [name])}
                />
                <${Button}
                  label=${`Stop ${name}`}
                  icon="stop"
                  kind="quiet"
                  hideLabel
                  isDisabled=${isBusy || !isRunning}
                  onClick=${() => page.actions.start("down", environment, [name])}
                />
              `}
            </div>
          </li>
        `;
      })}
    </ul>
  `;
}

/** A port: a link where a browser can open it, else what a client is given. */
export function PortView({ page, port }: { page: Page; port: Port }): VNode {
  const { url, service } = port;
  const side = html`<span class="port-from" title="The port in the container">${
    containerSide(port)
  }</span>`;
  if (isLink(port)) {
    return html`
      <span class="port">
        ${side}
        <a class="port-link" href=${url} target="_blank" rel="noopener noreferrer">
          ${url.replace(/^http:\/\//, "")}<${Icon} name="external" /><span class="visually-hidden">
            (opens in a new tab)</span>
        </a>
      </span>
    `;
  }
  return html`
    <span class="port">
      ${side}
      <${Copy}
        page=${page}
        text=${connectionString(port)}
        what=${`the address of ${service} ${containerSide(port)}`}
      />
    </span>
  `;
}

function Work({ page, environment }: { page: Page; environment: Environment }): VNode {
  const details = page.state.details.get(fullName(environment));
  return html`
    <section class="card" aria-labelledby="work">
      <h2 id="work" class="card-title">Work</h2>
      ${environment.status === "missing"
        ? html`<p class="card-empty">The worktree is gone.</p>`
        : html`<${WorkBody} page=${page} details=${details} />`}
    </section>
  `;
}

function WorkBody({ page, details }: { page: Page; details: Details | undefined }): VNode {
  const value = details?.value ?? null;
  if (value === null) {
    return details?.failed === undefined || details.failed === null
      ? html`<${Skeleton} lines=${2} />`
      : html`<${Empty} title=${`Cannot look into the worktree: ${details.failed}`} />`;
  }
  const { work, lastCommit, problem } = value;
  const files = work?.files ?? [];
  const commits = work?.commits ?? [];
  return html`
    <div class="work">
      ${problem === null
        ? null
        : html`<p class="work-problem"><${Icon} name="warning" />${problem}</p>`}
      ${work === null && problem === null ? html`<p>The worktree is gone.</p>` : null}
      ${work === null ? null : html`
        <p class="work-sum">
          <${Icon} name="file" />
          ${files.length === 0
            ? "Everything is committed"
            : count(files.length, "uncommitted file")}
        </p>
        ${files.length === 0 ? null : html`<${FileList} files=${files} />`}
        ${commits.length === 0 ? null : html`
          <p class="work-sum"><${Icon} name="warning" />${count(
            commits.length,
            "commit",
          )} on no branch</p>
          <${FileList} files=${commits} />
        `}
      `}
      ${lastCommit === null ? null : html`
        <p class="work-commit">
          <${Icon} name="commit" />
          <span class="work-subject">${lastCommit.subject}</span>
          <span class="work-by">
            <code>${lastCommit.hash.slice(0, 8)}</code> by ${lastCommit.author},${" "}
            <${Ago} page=${page} time=${lastCommit.committedAt} />
          </span>
        </p>
      `}
    </div>
  `;
}

/** Files with their state, `modified: src/app.ts`, or commits. */
export function FileList(
  { files, most = MOST_LISTED }: { files: readonly string[]; most?: number },
): VNode {
  const shown = files.slice(0, most);
  return html`
    <ul class="files" tabindex="0" aria-label="What is not saved">
      ${shown.map((file) => {
        const [, state, path] = /^([a-z ]+): (.*)$/s.exec(file) ?? [];
        return html`
          <li key=${file} class="file">
            ${state === undefined ? null : html`<span class="file-state">${state}</span>`}
            <code class="file-path">${path ?? file}</code>
          </li>
        `;
      })}
      ${files.length > shown.length
        ? html`<li class="file file-more">and ${files.length - shown.length} more</li>`
        : null}
    </ul>
  `;
}

function Facts({ page, environment }: { page: Page; environment: Environment }): VNode {
  const { mode, path, dataDir, composeProject, session, slot } = environment;
  const copyable = (text: string, what: string) =>
    html`<${Copy} page=${page} text=${text} what=${what} />`;
  const rows: [string, Content][] = [
    ["Worktree", copyable(path, "the worktree's path")],
    ["Data", copyable(dataDir, "the data folder's path")],
    [
      "Session",
      session === null
        ? html`<span class="none">none</span>`
        : copyable(session, "the session's name"),
    ],
    ...(mode === "docker"
      ? [["Compose project", copyable(composeProject, "the compose project")] as [string, Content]]
      : []),
    ["Slot", html`<code>${slot}</code>`],
  ];
  return html`
    <section class="card" aria-labelledby="facts">
      <h2 id="facts" class="card-title">Where it is</h2>
      <dl class="facts">
        ${rows.map(([name, value]) =>
          html`
            <div key=${name} class="facts-row">
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>
          `
        )}
      </dl>
    </section>
  `;
}

/** Counts things: `1 file`, `3 files`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
