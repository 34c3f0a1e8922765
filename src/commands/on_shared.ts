/** What `piko up`, `down` and `restart` do with --shared: the same for the services that a project's environments share. */

import { requireProject } from "../operations/find_environment.ts";
import type { Context } from "./context.ts";

/** Stops shared services; no words mean all. */
export async function stopSharedServices(
  context: Context,
  services: readonly string[],
): Promise<void> {
  const { stopShared } = await import("../operations/share_service.ts");
  const tools = context.tools();
  const project = requireProject(tools, context.folder);
  const stopped = await stopShared(tools, project, services, context.watch);
  await answer(context, stopped, `Stopped the shared services of ${project.name}`);
}

/** Starts shared services, or restarts them; no words mean all. */
export async function startSharedServices(
  context: Context,
  services: readonly string[],
  options: { wait: boolean; timeout: number; stopFirst: boolean },
): Promise<void> {
  const { restartShared } = await import("../operations/share_service.ts");
  const tools = context.tools();
  const project = requireProject(tools, context.folder);
  const started = await restartShared(tools, project, { ...options, services }, context.watch);
  const verb = options.stopFirst ? "Restarted" : "Started";
  await answer(context, started, `${verb} the shared services of ${project.name}`);
}

async function answer(
  context: Context,
  services: readonly string[],
  sentence: string,
): Promise<void> {
  const { output } = context;
  if (!output.json) {
    // That there is none was told.
    if (services.length === 0) return;
    return output.answer(`${output.paintAnswer("green", "✓")} ${sentence}`);
  }
  const { describeShared } = await import("../operations/list_shared.ts");
  const tools = context.tools();
  const project = requireProject(tools, context.folder);
  output.answerJson({ shared: await describeShared(tools, project, context.watchQuietly) });
}
