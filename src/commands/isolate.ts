import { buildCommand } from "@stricli/core";
import { PikoError } from "../domain/errors.ts";
import { pikoIn, qualified } from "../domain/hints.ts";
import { nameList } from "../domain/names.ts";
import { requireProject } from "../operations/find_environment.ts";
import { describeShared } from "../operations/list_shared.ts";
import { isolateServices } from "../operations/share_service.ts";
import type { Context } from "./context.ts";
import { noteKeptVolumes } from "./kept_volumes.ts";
import { NAMES_OF_SERVICES, NOW_FLAG, WAIT_FLAGS } from "./parameters.ts";

interface Flags {
  now: boolean;
  volumes: boolean;
  wait: boolean;
  timeout: number;
}

export const command = buildCommand({
  docs: {
    brief: "Give environments a shared service of their own again",
    fullDescription: [
      "Share a service no longer. Environments that are created or started from now on have their own again; those that",
      "use the shared one do so until piko up, or --now for all. When nobody uses it any more it is removed; its volumes",
      "and what is in PIKO_DATA_DIR stay. piko share finds both again, but no volumes without a name, as the VOLUME of an",
      "image makes them where the compose file mounts nothing: those are told, with what shows or removes them.",
      "",
      "  piko isolate redis",
      "  piko isolate redis --now",
      "  piko isolate redis --now --volumes",
    ].join("\n"),
  },
  parameters: {
    flags: {
      ...NOW_FLAG,
      volumes: {
        kind: "boolean",
        brief:
          "remove the volumes of the shared service too, not those of earlier ones, and with the last one PIKO_DATA_DIR",
        default: false,
        withNegated: false,
      },
      ...WAIT_FLAGS,
    },
    positional: NAMES_OF_SERVICES,
  },
  async func(this: Context, flags: Flags, ...services: string[]) {
    const { output } = this;
    const tools = this.tools();
    const project = requireProject(tools, this.folder);
    if (services.length === 0) {
      throw new PikoError("Which service is to be isolated?", {
        code: "usage",
        hint: "piko share shows what is shared",
      });
    }
    const request = { ...flags, services: [...new Set(services)] };
    const { isolated, keptVolumes, inUse } = await isolateServices(
      tools,
      project,
      request,
      this.watch,
    );
    if (output.json) {
      const shared = await describeShared(tools, project, this.watchQuietly);
      return output.answerJson({ shared, keptVolumes });
    }
    // What was not shared has been told.
    if (isolated.length === 0) return;
    output.answer(
      `${output.paintAnswer("green", "✓")} Isolated ${nameList(isolated)} in ${project.name}`,
    );
    noteKeptVolumes(output, keptVolumes, "piko share");
    if (inUse.length > 0) {
      const users = inUse.flatMap((service) => tools.shared.listUsers(project.id, service));
      const [first = ""] = users;
      output.note(
        `  ${nameList([...new Set(users)])} still ${users.length === 1 ? "uses" : "use"} it`,
      );
      output.note(
        `  piko up ${qualified({ project: project.name, name: first })} gives it its own; ${
          pikoIn(project.root)
        } isolate ${inUse.join(" ")} --now does so for all`,
      );
    }
  },
});
