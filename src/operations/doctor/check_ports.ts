/** Finds ports that the registry has given to an environment and that somebody else has. */

import { qualified } from "../../domain/hints.ts";
import { shellWord } from "../../domain/variables.ts";
import { isPortTaken } from "../../programs/port_probe.ts";
import type { EnvironmentRecord } from "../../store/environments.ts";
import type { Finding } from "./finding.ts";
import type { World } from "./world.ts";

/** Checks the ports of all environments; without an engine nobody can tell whose container has one. */
export function checkPorts(world: World): Finding[] {
  const { engine, environments, shared } = world;
  if (engine === undefined) return [];
  const holders = new Map<string, { name: string; composeProject: string }>();
  for (const { name, composeProject, ports } of engine.containers) {
    for (const { protocol, hostPort } of ports) {
      if (hostPort !== null) holders.set(`${protocol}:${hostPort}`, { name, composeProject });
    }
  }
  const found: Finding[] = [];
  const records = environments.filter(({ lock }) => !lock.held).map(({ record }) => record);
  for (const record of [...records, ...shared]) {
    for (const port of record.ports) {
      // Those of shared services are theirs to have.
      if (port.shared) continue;
      const { hostPort, protocol, service } = port;
      const holder = holders.get(`${protocol}:${hostPort}`);
      if (holder?.composeProject === record.composeProject) continue;
      const isTaken = holder !== undefined || isPortTaken(hostPort, protocol, port.hostIp);
      if (!isTaken) continue;
      const who = holder === undefined ? "another program" : `container ${holder.name}`;
      found.push({
        name: "port",
        level: "wrong",
        message: `Host port ${hostPort} of ${whose(record)} (${service}) is taken by ${who}`,
        hint: holder === undefined
          ? howToFind(hostPort, protocol)
          : `docker stop ${shellWord(holder.name)}`,
      });
    }
  }
  return found;
}

function whose(record: EnvironmentRecord): string {
  return record.path === record.root ? `what ${record.project} shares` : qualified(record);
}

/** Says how to find out who listens on a port. */
function howToFind(port: number, protocol: "tcp" | "udp"): string {
  if (Deno.build.os === "darwin") return `lsof -nP -i ${protocol}:${port}`;
  return `ss -lnp${protocol === "tcp" ? "t" : "u"} 'sport = :${port}'`;
}
