/**
 * Has compose make and start containers. A compose that is broken off leaves the engine at what it was asked for last: the
 * network or container comes when compose is gone, and whoever tidies up at once would not find it. So that is waited for.
 */

import { PikoError } from "../domain/errors.ts";
import type { ComposeTarget, UpOptions } from "../programs/compose.ts";
import { pause } from "../programs/pause.ts";
import type { Tools } from "./tools.ts";

/** Milliseconds between two looks at what the engine has. */
const INTERVAL = 200;

/** Milliseconds for which nothing may have changed until the engine is taken to be done. */
const STILL = 1500;

/** Milliseconds after which nobody waits any longer: something else is at work there. */
const PATIENCE = 15_000;

/** Makes and starts containers; when it is broken off, it ends once the engine does nothing for it any more. */
export async function bringUp(
  tools: Pick<Tools, "compose" | "engine">,
  target: ComposeTarget,
  options: UpOptions,
): Promise<void> {
  try {
    await tools.compose.up(target, options);
  } catch (error) {
    if (options.signal?.aborted) await settle(tools, target);
    throw error;
  }
}

async function settle(
  { engine }: Pick<Tools, "engine">,
  { composeProject }: ComposeTarget,
): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  let before = "";
  let since = performance.now();
  while (performance.now() < deadline) {
    try {
      const [containers, networks, volumes] = await Promise.all([
        engine.listContainers({ composeProject }),
        engine.listNetworks(composeProject),
        engine.listVolumes(composeProject),
      ]);
      const now = JSON.stringify([
        containers.map(({ id, state }) => [id, state]),
        [...networks, ...volumes].map(({ name }) => name),
      ]);
      if (now !== before) since = performance.now();
      else if (performance.now() - since >= STILL) return;
      before = now;
    } catch (error) {
      // Without an engine there is nothing to wait for; whoever tidies up says so.
      if (error instanceof PikoError && error.code === "unavailable") return;
      throw error;
    }
    await pause(INTERVAL);
  }
}
