/** Asks by piko's own list, and says on stdout what was picked: what tests/terminal/picker_test.ts runs in a terminal. */

import { isInputAwaited } from "../../src/terminal/keyboard.ts";
import { Output } from "../../src/terminal/output.ts";
import { type Cell, pick } from "../../src/terminal/picker.ts";

const [file = "", processFile = ""] = Deno.args;
const entries: Cell[][] = (await Deno.readTextFile(file)).trimEnd().split("\n")
  .map((line) => line.split("|").map((text) => ({ text })));
const output = new Output({
  json: false,
  quiet: false,
  verbose: false,
  noColor: false,
  term: Deno.env.get("TERM"),
});
const controller = new AbortController();
Deno.addSignalListener("SIGTERM", () => controller.abort());
await Deno.writeTextFile(processFile, String(Deno.pid));
const index = await pick({ title: "Thing", entries, output, signal: controller.signal });
console.log(index === undefined ? "picked nothing" : `picked ${entries[index]?.[0]?.text}`);
if (isInputAwaited()) Deno.exit();
