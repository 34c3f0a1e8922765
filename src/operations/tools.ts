/** What every operation works with; `wiring.ts` makes one of it from the process's variables. */

import type { Compose } from "../programs/compose.ts";
import type { Engine } from "../programs/engine.ts";
import type { Git } from "../programs/git.ts";
import type { Tmux } from "../programs/tmux.ts";
import type { Database } from "../store/database.ts";
import type { Environments } from "../store/environments.ts";
import type { Projects } from "../store/projects.ts";
import type { SharedServices } from "../store/shared_services.ts";

/** The programs that piko drives, which need no registry. */
export interface Programs {
  git: Git;
  compose: Compose;
  engine: Engine;
  tmux: Tmux;
  /** All variables of the person's shell; scripts are started with them. */
  variables: Readonly<Record<string, string>>;
}

/** The registry and the programs that piko drives. */
export interface Tools extends Programs {
  /** The registry as a file; what is in it is read and written by the three below. */
  database: Database;
  projects: Projects;
  environments: Environments;
  shared: SharedServices;
  /** The folder of the registry and the locks. */
  home: string;
  /** What was typed, for those who wait for it: `piko create auth`. */
  command: string;
  /** The argv that starts this piko again, without arguments. */
  piko: readonly string[];
  /** Whether a command waits for another one on the same environment, or is refused. */
  block: boolean;
}
