/** What can happen to a repository: commands of piko, alone, two at once or killed, and what a person does beside it. */

import fc from "fast-check";

/** The names that walks use, as they are typed, and what piko makes of them. */
export const NAMES = { a: "a", b: "b", "feat/c": "feat-c", "feat/C!": "feat-c" } as const;

/** A name as it is typed. */
export type Name = keyof typeof NAMES;

/** How a command is broken off. */
export interface Kill {
  signal: "SIGKILL" | "SIGINT" | "SIGTERM";
  /** Milliseconds after its start. */
  after: number;
  /** Whether the next step waits until what the command has started is over. */
  settle: boolean;
}

/** What a person does with git, tmux, docker and the file system. */
export type Act =
  | "write"
  | "edit"
  | "stage"
  | "commit"
  | "commit detached"
  | "switch branch"
  | "stash"
  | "rebase"
  | "nested repository"
  | "write data"
  | "merge"
  | "delete branch"
  | "remove worktree"
  | "force-remove worktree"
  | "prune worktrees"
  | "lock worktree"
  | "unlock worktree"
  | "move worktree away"
  | "rm -rf worktree"
  | "rm .git"
  | "rm -rf data"
  | "kill session"
  | "kill tmux"
  | "good config"
  | "failing setup"
  | "failing prepare"
  | "slow scripts"
  | "broken config"
  | "no config"
  | "rm container"
  | "stop container"
  | "rm network";

/** One thing that happens. */
export type Step =
  | { do: "piko"; args: readonly string[]; kill?: Kill | undefined; engine?: "gone" | undefined }
  | { do: "both"; args: readonly string[]; other: readonly string[] }
  | { do: "act"; act: Act; name: Name };

const name = fc.constantFrom(...Object.keys(NAMES) as Name[]);

/** Chooses some of the flags. */
function flags(...all: string[]): fc.Arbitrary<string[]> {
  // Most commands are typed without any.
  return fc.oneof({ weight: 2, arbitrary: fc.constant<string[]>([]) }, {
    weight: 1,
    arbitrary: fc.subarray(all),
  });
}

const branch = fc.oneof(
  { weight: 6, arbitrary: fc.constant<string[]>([]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("a", "side", "keep", "main", "other").map((it) => ["--branch", it]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("HEAD", "keep", "a", "none").map((it) => ["--from", it]),
  },
);

const create = fc.tuple(name, branch, flags("--keep", "--no-start", "--no-wait")).map((
  [name, branch, flags],
) => ["create", name, "--no-attach", ...branch, ...flags]);

const destroy = fc.tuple(
  name,
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.constant(["--force"]) },
    { weight: 1, arbitrary: fc.subarray(["--force", "--delete-branch", "--keep-data"]) },
  ),
).map(([name, flags]) => ["destroy", name, ...flags]);

const onOne = fc.tuple(fc.constantFrom("up", "down", "restart", "up", "down"), name).map((
  [command, name],
) => [command, name]);

const reading = fc.oneof(
  fc.constantFrom(["list"], ["list", "--all", "--json"], ["project", "list"], ["status"]),
  fc.constantFrom(["doctor"], ["config", "show"]),
  fc.tuple(fc.constantFrom("status", "env", "ports", "logs"), name).map(([command, name]) => [
    command,
    name,
  ]),
  name.map((name) => ["complete", "zsh", "--", "destroy", name.slice(0, 2)]),
);

const command = fc.oneof(
  { weight: 7, arbitrary: create },
  { weight: 6, arbitrary: destroy },
  { weight: 3, arbitrary: onOne },
  { weight: 2, arbitrary: reading },
  { weight: 1, arbitrary: name.map((name) => ["run", name]) },
  { weight: 1, arbitrary: fc.constantFrom(["init"], ["project", "forget", "PROJECT"]) },
  { weight: 2, arbitrary: fc.constant(["doctor", "--fix"]) },
);

const kill = fc.record({
  signal: fc.constantFrom<Kill["signal"]>("SIGKILL", "SIGKILL", "SIGINT", "SIGTERM"),
  after: fc.integer({ min: 20, max: 400 }),
  settle: fc.boolean(),
});

/** Acts that need an engine. */
const ENGINE_ACTS: readonly Act[] = ["rm container", "stop container", "rm network"];

const ACTS: readonly Act[] = [
  ...["write", "write", "edit", "stage", "commit", "commit", "commit detached"] as const,
  ...["switch branch", "stash", "rebase", "nested repository", "write data", "merge"] as const,
  ...["delete branch", "remove worktree", "force-remove worktree", "prune worktrees"] as const,
  ...["lock worktree", "unlock worktree", "move worktree away", "rm -rf worktree"] as const,
  ...["rm .git", "rm -rf data", "kill session", "kill tmux", "good config"] as const,
  ...["failing setup", "failing prepare", "slow scripts", "broken config", "no config"] as const,
];

/** Where a walk goes. */
export interface WalkOptions {
  /** Whether environments have containers. */
  engine: boolean;
  minLength: number;
  maxLength: number;
}

/** Makes walks. */
export function walks({ engine, minLength, maxLength }: WalkOptions): fc.Arbitrary<Step[]> {
  const acts = engine ? [...ACTS, ...ENGINE_ACTS, ...ENGINE_ACTS] : ACTS;
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: command.map((args): Step => ({ do: "piko", args })),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(command, kill).map(([args, kill]): Step => ({ do: "piko", args, kill })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(command, command).map(([args, other]): Step => ({
        do: "both",
        args,
        other,
      })),
    },
    {
      weight: engine ? 1 : 0,
      arbitrary: command.map((args): Step => ({ do: "piko", args, engine: "gone" })),
    },
    {
      weight: 7,
      arbitrary: fc.tuple(fc.constantFrom(...acts), name).map(([act, name]): Step => ({
        do: "act",
        act,
        name,
      })),
    },
  );
  // Without an environment nothing can happen to one.
  const first = create.map((args): Step => ({ do: "piko", args }));
  return fc.tuple(first, fc.array(step, { minLength, maxLength, size: "max" }))
    .map(([first, steps]) => [first, ...steps]);
}

/** Says what happens in one line. */
export function describe(step: Step): string {
  switch (step.do) {
    case "piko": {
      const { args, kill, engine } = step;
      const gone = engine === "gone" ? ", without an engine" : "";
      const killed = kill === undefined
        ? ""
        : `, ${kill.signal} after ${kill.after} ms${kill.settle ? "" : ", and on at once"}`;
      return `piko ${args.join(" ")}${gone}${killed}`;
    }
    case "both":
      return `piko ${step.args.join(" ")}, and at once piko ${step.other.join(" ")}`;
    case "act":
      return `${step.act}: ${step.name}`;
  }
}
