/** Finds sessions that piko made for environments that are not there any more. */

import { messageOf, PikoError } from "../../domain/errors.ts";
import { quote } from "../../domain/names.ts";
import { shellWord } from "../../domain/variables.ts";
import type { Session } from "../../programs/tmux.ts";
import { isThere } from "../files.ts";
import type { Finding } from "./finding.ts";
import { mendNameless } from "./mend.ts";
import type { World } from "./world.ts";

/** Checks that tmux tells its sessions, and those that say whose they are and whose environment no registry row has. */
export async function checkSessions(world: World): Promise<Finding[]> {
  const { sessions = [], sessionsProblem, environments } = world;
  const found: Finding[] = [];
  if (sessionsProblem !== undefined) {
    const said = sessionsProblem.stderr.trim().split("\n")[0] || messageOf(sessionsProblem);
    found.push({
      name: "session",
      level: "wrong",
      message: `tmux does not tell its sessions: ${said}`,
      hint: "tmux list-sessions",
    });
  }
  for (const session of sessions) {
    if (session.owner === "") continue;
    if (environments.some(({ record }) => record.path === session.owner)) continue;
    found.push(await orphan(world, session));
  }
  return found;
}

async function orphan(world: World, session: Session): Promise<Finding> {
  const { tools, projects } = world;
  const { name, owner, isAttached } = session;
  const finding: Finding = {
    name: "session",
    level: "note",
    message: `Session ${quote(name)} belongs to no environment: it was made for ${owner}`,
    hint: `tmux kill-session -t ${shellWord(`=${name}`)}`,
  };
  const place = projects.find(({ project }) =>
    owner.startsWith(`${project.root}/.piko/worktrees/`)
  );
  // A session says by a variable which registry it was made with.
  const home = await tools.tmux.findVariable(name, "PIKO_HOME");
  if (place === undefined || home !== tools.home) {
    return { ...finding, message: `${finding.message} with another registry` };
  }
  if (await isThere(owner)) return { ...finding, level: "wrong" };
  if (isAttached) {
    return { ...finding, level: "wrong", message: `${finding.message}, and somebody looks at it` };
  }
  const { project } = place;
  return {
    ...finding,
    level: "wrong",
    mend: () =>
      mendNameless(
        world,
        { projectId: project.id, name: owner.slice(owner.lastIndexOf("/") + 1) },
        async () => {
          const now = (await tools.tmux.listSessions()).find((known) => known.name === name);
          if (now?.owner !== owner || now.isAttached || await isThere(owner)) {
            throw new PikoError(`Session ${quote(name)} is in use by now`, { code: "conflict" });
          }
          await tools.tmux.killSession(name);
          return `Ended session ${quote(name)}`;
        },
      ),
  };
}
