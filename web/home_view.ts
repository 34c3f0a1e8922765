/** The right side while nothing is chosen: what runs and where it is reached, of all environments. */

import type { VNode } from "preact";
import type { EnvironmentState } from "../src/domain/api.ts";
import type { Port } from "../src/domain/environment.ts";
import { connectionString, containerSide, isLink } from "./connection.ts";
import { filterEnvironments } from "./filter.ts";
import { html } from "./html.ts";
import { Icon } from "./icons.ts";
import { runningOperation } from "./live_state.ts";
import { fullName } from "./names.ts";
import type { Page } from "./page_context.ts";
import { environmentRoute, formatRoute } from "./route.ts";
import { showOperation, showStatus } from "./status.ts";
import { Button, Copy, Empty, Status } from "./widgets.ts";

/** All environments with their ports, or how to begin. */
export function HomeView({ page, filter }: { page: Page; filter: string }): VNode {
  const { projects, environments } = page.state;
  if (projects.length === 0) {
    return html`
      <${Empty} title="piko knows no project yet">
        <p>In a git repository, best one with a compose file:</p>
        <${Copy} page=${page} text="piko init" what="the command" />
        <p>It appears here by itself.</p>
        <//>
    `;
  }
  if (environments.length === 0) {
    return html`
      <${Empty} title="No environments yet">
        <p>An environment gives a branch its own worktree, containers, ports, data and variables.</p>
        <${Button}
          label="New environment"
          icon="plus"
          kind="primary"
          isDisabled=${!page.isMounted}
          onClick=${() => page.openDialog({ kind: "create", project: page.state.current })}
        />
        <p>or on the terminal</p>
        <${Copy} page=${page} text="piko create feature-auth" what="the command" />
        <//>
    `;
  }
  const shown = filterEnvironments(environments, filter);
  const isMany = new Set(environments.map(({ environment }) => environment.project)).size > 1;
  return html`
    <section class="home" aria-labelledby="home">
      <h2 id="home" class="home-title">Environments</h2>
      <ul class="home-list">
        ${shown.map((found) =>
          html`
            <${HomeRow} key=${fullName(
              found.environment,
            )} page=${page} found=${found} isMany=${isMany} />
          `
        )}
      </ul>
      ${shown.length === 0 ? html`<${Empty} title=${`Nothing matches “${filter}”`} />` : null}
    </section>
  `;
}

function HomeRow(
  { page, found, isMany }: { page: Page; found: EnvironmentState; isMany: boolean },
): VNode {
  const { environment } = found;
  const { project, name, branch, ports, status } = environment;
  const operation = runningOperation(page.state, environment);
  const shown = operation === undefined
    ? showStatus(environment)
    : showOperation(operation, environment);
  const isReachable = ["running", "partial", "unhealthy"].includes(status);
  return html`
    <li class="home-row">
      <div class="home-name">
        <a href=${formatRoute(environmentRoute(environment))}>${isMany
          ? html`<span class="title-project">${project}/</span>`
          : null}${name}</a>
        ${branch === name ? null : html`<code class="home-branch">${branch}</code>`}
      </div>
      <${Status} shown=${shown} />
      <ul class="home-ports" aria-label=${`Ports of ${name}`}>
        ${isReachable
          ? ports.map((port) =>
            html`
              <li key=${`${port.service} ${port.containerPort}/${port.protocol}`}>
                <${PortChip} page=${page} port=${port} />
              </li>
            `
          )
          : null}
      </ul>
    </li>
  `;
}

/** A port in little room: its service and number; the whole address is what is opened or copied. */
function PortChip({ page, port }: { page: Page; port: Port }): VNode {
  const { service, hostPort, url } = port;
  const content = html`<span class="port-service">${service}</span> ${hostPort}`;
  if (!isLink(port)) {
    return html`
      <${Copy}
        page=${page}
        text=${connectionString(port)}
        what=${`the address of ${service} ${containerSide(port)}`}
      >${content}<//>
    `;
  }
  return html`
    <a
      class="port-link"
      href=${url}
      title=${url}
      target="_blank"
      rel="noopener noreferrer"
    >${content}<${Icon} name="external" /><span class="visually-hidden"> (opens in a new tab)</span></a>
  `;
}
