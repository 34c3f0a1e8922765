/** Finds the file of each command; it is loaded when the command is called, and no other. */

import type { PikoCommand } from "./context.ts";

const FILES: Readonly<Record<string, () => Promise<{ command: PikoCommand }>>> = {
  init: () => import("./init.ts"),
  create: () => import("./create.ts"),
  list: () => import("./list.ts"),
  status: () => import("./status.ts"),
  env: () => import("./env.ts"),
  ports: () => import("./ports.ts"),
  up: () => import("./up.ts"),
  down: () => import("./down.ts"),
  restart: () => import("./restart.ts"),
  attach: () => import("./attach.ts"),
  switch: () => import("./switch.ts"),
  pick: () => import("./pick.ts"),
  run: () => import("./run.ts"),
  exec: () => import("./exec.ts"),
  shell: () => import("./shell.ts"),
  logs: () => import("./logs.ts"),
  open: () => import("./open.ts"),
  edit: () => import("./edit.ts"),
  share: () => import("./share.ts"),
  isolate: () => import("./isolate.ts"),
  destroy: () => import("./destroy.ts"),
  config: () => import("./config.ts"),
  doctor: () => import("./doctor.ts"),
  project: () => import("./project.ts"),
  completion: () => import("./completion.ts"),
  server: () => import("./server.ts"),
  window: () => import("./window.ts"),
  complete: () => import("./complete.ts"),
};

/** Loads a command that mod.ts knows. */
export async function loadCommand(name: string): Promise<PikoCommand> {
  const load = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (load === undefined) throw new TypeError(`load.ts has no file for the command ${name}`);
  return (await load()).command;
}
