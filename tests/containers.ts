import { run } from "../src/programs/run.ts";

/** The process variables that tests start programs with. */
export const variables = Deno.env.toObject();

/** Runs docker and returns what it printed. */
export async function docker(...args: string[]): Promise<string> {
  return (await run(["docker", ...args], { variables })).trim();
}

/** What a service says in a compose file that answers HTTP on port 80 and stops at once. */
export const WEB_SERVICE = `
    image: busybox:1.36
    command: httpd -f -p 80 -h /tmp
    init: true
    stop_grace_period: 0s`;

/** Containers that look like a compose project's; whatever is named or labelled so is removed at the end. */
export class Containers implements AsyncDisposable {
  readonly composeProject = `pikotest-${crypto.randomUUID().slice(0, 8)}`;

  /** Starts a container of busybox for a service, and returns its id. */
  start(service: string, command: string[], ...flags: string[]): Promise<string> {
    return docker(
      "run",
      "--detach",
      "--stop-timeout=0",
      `--name=${this.composeProject}-${service}-1`,
      ...this.labels(`com.docker.compose.service=${service}`),
      ...flags,
      "busybox:1.36",
      ...command,
    );
  }

  /** The flags that label something as the project's own. */
  labels(...more: string[]): string[] {
    return [`com.docker.compose.project=${this.composeProject}`, ...more]
      .map((label) => `--label=${label}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const mine = `--filter=label=com.docker.compose.project=${this.composeProject}`;
    const named = `--filter=name=^/?${this.composeProject}-`;
    const containers = await docker("ps", "--all", "--quiet", named);
    if (containers !== "") await docker("rm", "--force", "--volumes", ...containers.split("\n"));
    const networks = await docker("network", "ls", "--quiet", mine);
    if (networks !== "") await docker("network", "rm", ...networks.split("\n"));
    const volumes = await docker("volume", "ls", "--quiet", mine);
    if (volumes !== "") await docker("volume", "rm", ...volumes.split("\n"));
  }
}

/** Asks again and again until there is an answer, for at most 20 s. */
export async function eventually<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error("It did not happen within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
