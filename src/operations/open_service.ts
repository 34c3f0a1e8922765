/** Finds the address of an environment's page: which of its published ports speaks HTTP. */

import type { Container } from "../domain/containers.ts";
import type { Port } from "../domain/environment.ts";
import { PikoError } from "../domain/errors.ts";
import { qualified } from "../domain/hints.ts";
import { quote } from "../domain/names.ts";
import { portUrl, speaksHttp, speaksOther } from "../domain/port_url.ts";
import type { GivenPort } from "../domain/ports.ts";
import type { Watch } from "../domain/report.ts";
import { compareText } from "../domain/variables.ts";
import type { EnvironmentRecord } from "../store/environments.ts";
import { notRunning, unknownService, withoutContainer } from "./exec_in_service.ts";
import { portsOf } from "./list_environments.ts";
import { listServiceContainers, missingServices, serviceNamesOf } from "./service_containers.ts";
import type { Tools } from "./tools.ts";

/** The label by which a service says which of its container ports is its page. */
export const HTTP_LABEL = "dev.piko.http";

/** A port to open, with its URL. */
export interface FoundPage extends Port {
  /** Whether a browser has anything to show there; the URL is for a client of its own otherwise. */
  isPage: boolean;
}

/**
 * Finds the port that a browser is for: one that the label `dev.piko.http` names, else one that speaks HTTP by
 * convention, else the first that does not speak something else by convention, else the first. Services are looked at
 * in alphabetical order; without a name only those that run.
 *
 * @throws {PikoError} usage in simple mode, not-found for an unknown service or when nothing is published, conflict when
 *   what is published does not run.
 */
export async function findPage(
  tools: Tools,
  record: EnvironmentRecord,
  service: string | undefined,
  watch: Watch,
): Promise<FoundPage> {
  if (record.mode === "simple") {
    throw new PikoError(`${record.name} is in simple mode: piko publishes no port of it`, {
      code: "usage",
      hint: `its own server has the port that scripts.run gives it; piko run ${
        qualified(record)
      } shows it`,
    });
  }
  const containers = await listServiceContainers(tools, record, watch.signal);
  const known = serviceNamesOf(record, containers);
  if (service !== undefined && !known.includes(service)) {
    throw known.length === 0 ? notStarted(record) : unknownService(record, service, known);
  }
  const published = record.ports
    .filter((port) => port.protocol === "tcp" && (service ?? port.service) === port.service)
    .sort((a, b) => compareText(a.service, b.service) || a.containerPort - b.containerPort);
  if (published.length === 0) throw nothingPublished(record, service);
  const running = containers.filter(({ state }) => state === "running");
  const reachable = published.filter((port) =>
    running.some((container) => container.service === port.service)
  );
  if (reachable.length === 0) throw stopped(record, published, containers);
  const named = labelled(record, reachable, running, service);
  const page = named ?? reachable.find(speaksHttp);
  const absent = page === undefined ? published.find(speaksHttp) : undefined;
  // A database that runs is no page for one that does not.
  if (absent !== undefined) {
    throw stopped(record, published.filter((port) => port.service === absent.service), containers);
  }
  const port = page ?? reachable.find((each) => !speaksOther(each)) ?? reachable[0];
  const shown = portsOf(record).find(({ hostPort }) => hostPort === port?.hostPort);
  if (port === undefined || shown === undefined) throw new TypeError("a port that is none");
  const isPage = port === named || !speaksOther(port);
  return { ...shown, isPage, url: isPage ? pageUrl(port) : shown.url };
}

/** The address of a port as that of a page, also where HTTP is not its convention. */
function pageUrl(port: GivenPort): string {
  return speaksHttp(port) ? portUrl(port) : portUrl(port).replace(/^(\w+:\/\/)?/, "http://");
}

function labelled(
  record: EnvironmentRecord,
  reachable: readonly GivenPort[],
  running: readonly Container[],
  service: string | undefined,
): GivenPort | undefined {
  for (const container of running) {
    const label = container.labels[HTTP_LABEL];
    if (label === undefined || (service ?? container.service) !== container.service) continue;
    const own = reachable.filter((port) => port.service === container.service);
    const found = own.find(({ containerPort }) => String(containerPort) === label.trim());
    if (found !== undefined) return found;
    throw new PikoError(
      `The label ${HTTP_LABEL} of ${container.service} names ${
        quote(label)
      }, which is not published`,
      {
        code: "not-found",
        hint: own.length === 0
          ? `publish it: ports in the compose file, then: piko up ${qualified(record)}`
          : `published: ${own.map(({ containerPort }) => containerPort).join(", ")}`,
      },
    );
  }
  return undefined;
}

function nothingPublished(record: EnvironmentRecord, service: string | undefined): PikoError {
  const what = service === undefined ? record.name : `Service ${quote(service)} of ${record.name}`;
  const others = [...new Set(record.ports.map((port) => port.service))];
  return new PikoError(`${what} publishes no port`, {
    code: "not-found",
    hint: service !== undefined && others.length > 0
      ? `these do: ${others.join(", ")}`
      : `add ports to the compose file, then: piko up ${qualified(record)}`,
  });
}

function stopped(
  record: EnvironmentRecord,
  published: readonly GivenPort[],
  containers: readonly Container[],
): PikoError {
  const services = new Set(published.map(({ service }) => service));
  const [service] = services;
  const isStopped = !containers.some(({ state }) => state === "running");
  if (service === undefined || (isStopped && services.size > 1)) return notStarted(record);
  const found = containers.find((container) => container.service === service);
  if (found !== undefined) return notRunning(record, found);
  const isRemoved = missingServices(record, containers).includes(service);
  return isStopped && !isRemoved
    ? notStarted(record)
    : withoutContainer(record, service, containers);
}

function notStarted(record: EnvironmentRecord): PikoError {
  return new PikoError(`${record.name} is stopped: there is nothing to open`, {
    code: "conflict",
    hint: `piko up ${qualified(record)}`,
  });
}
