import assert from "node:assert/strict";
import { Actions } from "../../web/actions.ts";
import { Live } from "../../web/live.ts";
import type { Page } from "../../web/page_context.ts";
import { findCommands, paletteCommands } from "../../web/palette_commands.ts";
import { environmentRoute, HOME, type Route } from "../../web/route.ts";
import { sampleEnvironment, sampleOperation, samplePage } from "./samples.ts";

function pageAt(route: Route, state = samplePage()): { page: Page; went: Route[] } {
  const live = new Live(state, 0);
  const went: Route[] = [];
  const page: Page = {
    state: live.state,
    route,
    now: 0,
    isMounted: true,
    actions: new Actions(live),
    dialog: null,
    go: (route) => went.push(route),
    openDialog: () => {},
  };
  return { page, went };
}

const MANY = samplePage({
  environments: [
    sampleEnvironment({ name: "feature-auth" }),
    sampleEnvironment({ name: "payments", status: "stopped" }),
  ],
});

const titles = (page: Page) => paletteCommands(page, () => {}).map(({ title }) => title);

Deno.test("the palette has every action that makes sense on every environment", () => {
  const all = titles(pageAt(HOME, MANY).page);
  for (
    const title of [
      "New environment",
      "Go to feature-auth",
      "Logs of feature-auth",
      "Activity of feature-auth",
      "Variables of feature-auth",
      "Stop feature-auth",
      "Restart feature-auth",
      "Open web of feature-auth",
      "Open feature-auth in the editor",
      "Copy the attach command of feature-auth",
      "Copy the address of db of feature-auth",
      "Destroy feature-auth…",
      "Start payments",
      "Destroy payments…",
    ]
  ) assert.ok(all.includes(title), title);
  for (const title of ["Start feature-auth", "Stop payments", "Restart payments"]) {
    assert.ok(!all.includes(title), title);
  }
});

Deno.test("the palette offers nothing that would meet work that is going on", () => {
  const state = samplePage({ operations: [sampleOperation({ kind: "restart" })] });
  const all = titles(pageAt(HOME, state).page);
  assert.deepEqual(all.filter((title) => /^(Start|Stop|Restart|Destroy)/.test(title)), []);
});

Deno.test("the commands of the chosen environment come first", () => {
  const { page } = pageAt(environmentRoute({ project: "shop", name: "payments" }), MANY);
  assert.match(titles(page)[0] ?? "", /payments/);
  const found = findCommands(paletteCommands(page, () => {}), "logs", 10);
  assert.deepEqual(found.map(({ command }) => command.title), [
    "Logs of payments",
    "Logs of feature-auth",
  ]);
});

Deno.test("findCommands() finds by title, project and address", () => {
  const { page, went } = pageAt(HOME, MANY);
  const commands = paletteCommands(page, () => {});
  const first = (typed: string) => findCommands(commands, typed, 5)[0]?.command;
  assert.equal(first("stop auth")?.title, "Stop feature-auth");
  assert.equal(first("10132")?.note, "postgres://localhost:10132");
  assert.equal(first("zzzzqq"), undefined);
  first("variables auth")?.run(page);
  assert.deepEqual(went.map(({ name, tab }) => [name, tab]), [["feature-auth", "variables"]]);
});
