/**
 * Counts the programs that each command starts: most of what piko costs beside the containers is theirs, and one more
 * is easily added and never noticed.
 */

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { Sandbox } from "../sandbox.ts";
import { writeProgram } from "../program_file.ts";

/** Every program that piko may start. */
const PROGRAMS = ["git", "docker", "tmux", "sh", "cp", "ps", "find", "test", "fzf", "env", "cat"];

const COMPOSE = `services:
 web: { image: busybox:1.36, command: sleep 1000, init: true, ports: ["80"] }
 db: { image: busybox:1.36, command: sleep 1000, init: true, volumes: [data:/data] }
volumes: { data: }
`;

/** What the windows of a session start. */
const IN_WINDOW = /^docker exec | logs --follow |^cat ?$/;

/** Puts a program of the same name in front of each, which writes down what it is called with. */
async function watchPrograms(sandbox: Sandbox) {
  const folder = `${sandbox.folder}/watched`;
  const journal = `${folder}/journal`;
  for (const program of PROGRAMS) {
    const path = await sandbox.run(["sh", "-c", 'command -v "$1" || true', "sh", program]);
    if (!path.startsWith("/")) continue;
    await writeProgram(
      `${folder}/bin/${program}`,
      `#!/bin/sh\nprintf '%s\\n' "${program} $*" >>'${journal}'\nexec '${path}' "$@"\n`,
    );
  }
  const variables = { PATH: `${folder}/bin:${sandbox.variables.PATH}` };
  return {
    variables,
    /** Runs a command and tells what it started, each by its name and its first word that is no option. */
    async startedBy(command: string): Promise<string[]> {
      await Deno.writeTextFile(journal, "");
      await sandbox.pass(command, { variables });
      const lines = (await Deno.readTextFile(journal)).trimEnd().split("\n").filter(Boolean);
      return lines.filter((line) => !IN_WINDOW.test(line)).map(brief).sort();
    },
  };
}

function brief(line: string): string {
  const compose = /^docker compose (?:.* )?(version|config|up|down|stop|start|restart|logs|rm)\b/
    .exec(line)?.[1];
  if (compose !== undefined) return `compose ${compose}`;
  const words = line.replace(/^git (?:-C \S+ |--no-optional-locks |-c \S+ )+/, "git ").split(" ");
  return words.slice(0, words[1] === "worktree" ? 3 : 2).join(" ");
}

/** What plans a branch, makes it and its worktree, and keeps piko's file out of git's sight. */
const MAKE_WORKTREE = [
  ...["git branch", "git check-ref-format", "git for-each-ref", "git remote"],
  ...["git rev-parse", "git rev-parse", "git worktree add"],
];
const MAKE_SESSION = ["tmux has-session", "tmux new-session"];
const FIND_WORK = ["git ls-files", "git rev-parse", "git status", "git symbolic-ref"];
/** What is mounted, before anything is touched and before each of the two folders goes. */
const FIND_MOUNTS = Array(3).fill("cat /proc/self/mountinfo");
const REMOVE_WORKTREE = ["git worktree list", "git worktree list", "git worktree remove"];
const END_SESSION = ["tmux has-session", "tmux kill-session"];
const KEEP_SESSION = ["tmux has-session", "tmux set-environment", "tmux show-environment"];

Deno.test({
  name: "each command starts no more programs than it needs, without containers",
  ...needs("git", "tmux"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ init: true });
    const { startedBy } = await watchPrograms(sandbox);
    const expected: Record<string, string[]> = {
      "create auth --no-attach": [...MAKE_WORKTREE, ...MAKE_SESSION],
      "list": [],
      "status auth": [],
      "env auth": [],
      "ports auth": [],
      "complete zsh -- env a": [],
      "up auth": KEEP_SESSION,
      "down auth": [],
      "destroy auth": [
        ...FIND_WORK,
        ...FIND_WORK,
        ...END_SESSION,
        ...REMOVE_WORKTREE,
        ...FIND_MOUNTS,
      ],
    };
    for (const [command, programs] of Object.entries(expected)) {
      assert.deepEqual(await startedBy(command), programs.toSorted(), `piko ${command}`);
    }
  },
});

Deno.test({
  name: "each command starts no more programs than it needs, with containers",
  ...needs("git", "tmux", "engine", "compose", "images"),
  fn: async () => {
    await using sandbox = await Sandbox.create({ files: { "compose.yaml": COMPOSE }, init: true });
    const { startedBy } = await watchPrograms(sandbox);
    const readProject = ["compose config", "compose version"];
    const expected: Record<string, string[]> = {
      "create auth --no-attach": [
        ...[...MAKE_WORKTREE, ...readProject, "compose up", ...MAKE_SESSION],
      ],
      "list": [],
      "status auth": [],
      "env auth": [],
      "ports auth": [],
      "logs auth": [],
      "complete zsh -- logs auth w": [],
      "down auth": ["compose stop"],
      "up auth": [...readProject, "compose up", ...KEEP_SESSION],
      "restart auth": ["compose start", "compose stop"],
      "destroy auth --volumes": [
        ...[
          ...FIND_WORK,
          ...FIND_WORK,
          ...END_SESSION,
          ...REMOVE_WORKTREE,
          ...FIND_MOUNTS,
          "compose down",
        ],
      ],
    };
    for (const [command, programs] of Object.entries(expected)) {
      assert.deepEqual(await startedBy(command), programs.toSorted(), `piko ${command}`);
    }
  },
});
