/**
 * Tells whether a program that the tests or the demo need is there and answers. It only looks: nothing is
 * installed or started here.
 */

/** What the tests need of a machine, and the demo a part of; a test that needs more adds it here. */
export const PROGRAMS = [
  "git",
  "tmux",
  "curl",
  "psql",
  "redis",
  "fzf",
  "zsh",
  "fish",
  "chromium",
  "engine",
  "compose",
  "images",
] as const;

/** One of {@link PROGRAMS}; "redis" is its client, "images" are those of {@link IMAGES}. */
export type Program = typeof PROGRAMS[number];

/** The images that the sample and the tests run. */
export const IMAGES = ["busybox:1.36", "redis:7-alpine", "postgres:15-alpine"] as const;

/** The oldest compose that knows `!override` and `!reset` without faults. */
export const OLDEST_COMPOSE = "2.24.4";

/** Tells why a program cannot be used, in one sentence, or undefined when it can. */
export function whyMissing(program: Program): string | undefined {
  switch (program) {
    case "engine":
      return whyNoEngine();
    case "compose":
      return whyNoCompose();
    case "images":
      return whyNoImages();
    case "redis":
      return whyNotOnPath("redis-cli");
    default:
      return whyNotOnPath(program);
  }
}

/** Finds an executable file as a shell would, on the PATH. */
export function findExecutable(name: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${folder === "" ? "." : folder}/${name}`;
    try {
      const info = Deno.statSync(path);
      if (info.isFile && ((info.mode ?? 0) & 0o111) !== 0) return path;
    } catch (error) {
      const elsewhere = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotADirectory;
      if (!elsewhere) throw error;
    }
  }
  return undefined;
}

/** Tells whether version `a` is lower than version `b`, number by number; suffixes do not count. */
export function isOlder(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) =>
    version.match(/\d+/g)?.slice(0, 3).map(Number) ?? []
  );
  for (let at = 0; at < 3; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function whyNotOnPath(name: string): string | undefined {
  return findExecutable(name) === undefined ? `${name} is not on the PATH` : undefined;
}

function whyNoEngine(): string | undefined {
  const missing = whyNotOnPath("docker");
  if (missing !== undefined) return missing;
  const { ok, stderr } = docker("version", "--format", "{{.Server.Version}}");
  if (ok) return undefined;
  if (/permission denied/i.test(stderr)) {
    return "this user may not talk to the Docker engine";
  }
  return "the Docker engine does not answer";
}

function whyNoCompose(): string | undefined {
  const missing = whyNotOnPath("docker");
  if (missing !== undefined) return missing;
  const { ok, stdout } = docker("compose", "version", "--short");
  if (!ok) return "docker has no compose plugin";
  return isOlder(stdout, OLDEST_COMPOSE)
    ? `docker compose is ${stdout.trim()}, older than ${OLDEST_COMPOSE}`
    : undefined;
}

function whyNoImages(): string | undefined {
  const engine = whyNoEngine();
  if (engine !== undefined) return engine;
  const absent = IMAGES.filter((image) => !hasImage(image));
  return absent.length === 0 ? undefined : `the engine does not have ${absent.join(", ")}`;
}

/** Tells whether the engine has an image of this name. */
export function hasImage(image: string): boolean {
  return docker("image", "inspect", "--format", "{{.Id}}", image).ok;
}

function docker(...args: string[]): { ok: boolean; stdout: string; stderr: string } {
  const output = new Deno.Command("docker", { args, stdin: "null" }).outputSync();
  const decoder = new TextDecoder();
  return {
    ok: output.success,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}
