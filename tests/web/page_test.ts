import assert from "node:assert/strict";
import { renderToString } from "preact-render-to-string";
import type { PageState } from "../../src/domain/api.ts";
import { PATHS } from "../../web/assets.ts";
import { loadAssets, pageAddress, renderPage } from "../../web/page.ts";
import { html } from "../../web/html.ts";
import { NoLines } from "../../web/logs_view.ts";
import { HUES, serviceHues } from "../../web/service_hue.ts";
import type { LogState } from "../../web/log_stream.ts";
import { sampleEnvironment, sampleOperation, samplePage, TIME } from "./samples.ts";

const AT_AUTH = "/projects/shop/feature-auth";

function render(changes: Partial<PageState> = {}): string {
  return renderPage(samplePage(changes), Date.parse(TIME) + 3 * 60_000);
}

/** The text of a page as one reads it, without its state. */
function textOf(html: string): string {
  return html.replace(/<script type="application[\s\S]*?<\/script>/, "").replace(/<[^>]+>/g, " ")
    .replace(/&lt;/g, "<").replace(/&amp;/g, "&").replace(/\s+/g, " ");
}

Deno.test("renderPage() lists every environment with name, state in words, and ports", () => {
  const text = textOf(render({
    environments: [
      sampleEnvironment(),
      sampleEnvironment({ name: "search", status: "stopped" }),
      sampleEnvironment({ name: "bad", status: "failed" }),
    ],
  }));
  for (
    const words of [
      "feature-auth",
      "running 2/2",
      "search",
      "stopped",
      "bad failed",
      "3 environments",
    ]
  ) {
    assert.ok(text.includes(words), `${words} in ${text}`);
  }
});

Deno.test("renderPage() shows the environment that the address names", () => {
  const html = render({ url: AT_AUTH });
  const text = textOf(html);
  for (
    const words of [
      "running 2/2 healthy",
      "created 3 min ago",
      "piko attach shop/feature-auth",
      "postgres://localhost:10132",
    ]
  ) assert.ok(text.includes(words), `${words} in ${text}`);
  assert.match(html, /<title>feature-auth · piko<\/title>/);
  assert.match(
    html,
    /<a class="port-link" href="http:\/\/localhost:10180" target="_blank" rel="noopener noreferrer">/,
  );
});

Deno.test("renderPage() marks a shared service, which is not one environment's to stop", () => {
  const [own, shared] = [false, true].map((shared) =>
    sampleEnvironment({
      ports: sampleEnvironment().environment.ports.map((port) => ({
        ...port,
        shared: shared && port.service === "db",
      })),
    })
  );
  const rowOf = (environment = own) => {
    const html = render({ url: AT_AUTH, environments: environment ? [environment] : [] });
    const rows = html.split('<li class="service">').slice(1).filter((row) =>
      row.includes('aria-label="Ports of db"')
    );
    assert.equal(rows.length, 1, html);
    return rows[0] ?? "";
  };
  assert.match(rowOf(shared), />shared</);
  assert.doesNotMatch(rowOf(own), />shared</);
  assert.match(rowOf(own), /<button[^>]* aria-label="Stop db"/);
  assert.doesNotMatch(rowOf(shared), /Stop db|Restart db/);
});

Deno.test("renderPage() says so when the address names nothing that there is", () => {
  assert.match(
    textOf(render({ url: "/projects/shop/nothing" })),
    /no environment “nothing” in shop/,
  );
  assert.match(textOf(render({ url: "/projects/other/x" })), /no project “other”/);
});

Deno.test("renderPage() tells how to begin where there is nothing yet", () => {
  assert.match(textOf(render({ environments: [] })), /piko create feature-auth/);
  assert.match(textOf(render({ environments: [], projects: [], project: null })), /piko init/);
});

Deno.test("renderPage() shows what is being made before the registry has it, and what was destroyed", () => {
  const coming = render({
    url: "/projects/shop/new/activity",
    operations: [sampleOperation({ environment: "new" })],
  });
  assert.match(textOf(coming), /new creating…/);
  const gone = render({
    url: "/projects/shop/old",
    operations: [
      sampleOperation({ kind: "destroy", environment: "old", state: "done", endedAt: TIME }),
    ],
  });
  assert.match(textOf(gone), /It was destroyed; what was committed on a branch is still there/);
});

Deno.test("renderPage() shows what failed last at the environment, in every tab but the one of its steps", () => {
  const operations = [sampleOperation({
    kind: "up",
    state: "failed",
    endedAt: TIME,
    error: { code: "failed", message: "db is not healthy", hint: "piko logs feature-auth db" },
  })];
  const environments = [sampleEnvironment({ status: "stopped" })];
  for (const url of [AT_AUTH, `${AT_AUTH}/logs`, `${AT_AUTH}/variables`]) {
    const text = textOf(render({ url, operations, environments }));
    assert.match(text, /Start failed: db is not healthy\s+Copy piko logs feature-auth db/);
  }
  const html = render({ url: `${AT_AUTH}/activity`, operations, environments });
  assert.doesNotMatch(html, /class="notice notice-bad"/);
});

Deno.test("renderPage() says what a cancelled destroy has left, and what goes on", () => {
  const text = textOf(render({
    url: `${AT_AUTH}/activity`,
    environments: [sampleEnvironment({ status: "failed" })],
    operations: [sampleOperation({
      kind: "destroy",
      state: "cancelled",
      endedAt: TIME,
      error: {
        code: "interrupted",
        message: "Cancelled; it is half destroyed",
        hint: "piko destroy shop/feature-auth goes on where it stopped",
      },
    })],
  }));
  assert.match(text, /Cancelled; it is half destroyed\s+Copy piko destroy shop\/feature-auth /);
  assert.match(text, /goes on where it stopped/);
  assert.match(text, /Destroying it removes what there is of it/);
  const running = sampleOperation({ kind: "destroy" });
  assert.match(textOf(render({ url: AT_AUTH, operations: [running] })), /Cancel the rest/);
});

Deno.test("renderPage() says when no engine answers", () => {
  const text = textOf(render({
    engine: {
      reachable: false,
      message: "The Docker engine does not answer",
      hint: "start Docker",
    },
  }));
  assert.match(text, /The Docker engine does not answer\s*\. What runs is unknown/);
});

Deno.test("renderPage() has no script, style or handler of its own, which the policy would refuse", () => {
  for (
    const url of [
      "/",
      AT_AUTH,
      `${AT_AUTH}/logs?find=x`,
      `${AT_AUTH}/activity`,
      `${AT_AUTH}/variables`,
    ]
  ) {
    const html = render({ url, operations: [sampleOperation()] });
    assert.doesNotMatch(html, / style="/);
    assert.doesNotMatch(html, /<style/);
    assert.doesNotMatch(html, / on[a-z]+="/i);
    const scripts = [...html.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes);
    assert.deepEqual(scripts, [
      ` src="${PATHS.reload}"`,
      ' type="application/json" id="state"',
      ` type="module" src="${PATHS.boot}"`,
    ]);
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\/(?!localhost)/);
  }
});

Deno.test("renderPage() takes hostile names for text", () => {
  const hostile = `"><script>alert(1)</script><!--`;
  const html = render({
    url: AT_AUTH,
    environments: [
      sampleEnvironment({ branch: hostile, path: hostile }),
      sampleEnvironment({ name: "</script>" }),
    ],
  });
  assert.ok(!html.includes("<script>alert"));
  assert.ok(!html.includes("<!--"));
  const state = /id="state">([^<]*)<\/script>/.exec(html)?.[1];
  assert.ok(state !== undefined, "the state ends at the first tag");
  assert.equal(JSON.parse(state).page.environments[0].environment.branch, hostile);
});

Deno.test("pageAddress() leads nowhere but into the page", () => {
  const address = (path: string) => pageAddress(new URL(path, "http://localhost:19876"));
  assert.equal(address(`${AT_AUTH}/logs?find=a"b&evil=1`), `${AT_AUTH}/logs?find=a%22b`);
  assert.equal(address("/"), "/");
  assert.equal(address("//evil.example/projects/a/b"), "/projects/a/b");
  assert.equal(address("/api/environments"), undefined);
});

Deno.test("loadAssets() has every file that the page and its modules ask for, as JavaScript", async () => {
  const assets = await loadAssets();
  const html = render();
  const wanted = new Set(
    [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path),
  );
  for (const [path, { type, text }] of assets) {
    if (!type.startsWith("text/javascript")) continue;
    wanted.add(path);
    const imports = [...text.matchAll(/\b(?:import|export)\b[\w\s{},*$]*\bfrom\s*"([^"]+)"/g)];
    for (const [, name = ""] of imports) {
      wanted.add(new URL(name, `http://localhost${path}`).pathname);
    }
    assert.doesNotMatch(text, /sourceMappingURL/);
  }
  wanted.add("/assets/style.css");
  for (const path of wanted) assert.ok(assets.has(path ?? ""), `${path} is not in the table`);
  assert.deepEqual([...assets.keys()].filter((path) => !wanted.has(path)), []);
});

Deno.test("NoLines says that it reads, until what was written before must have come", () => {
  const told = (state: LogState) =>
    renderToString(html`<${NoLines} page=${null} state=${state} />`);
  assert.match(told({ kind: "connecting" }), /Reading the logs…/);
  assert.match(told({ kind: "live", isNew: true }), /Reading the logs…/);
  assert.match(told({ kind: "live", isNew: false }), /No lines yet/);
});

Deno.test("serviceHues() gives each service a colour of its own, whatever others there are", () => {
  const few = serviceHues(["web", "db", "redis"]);
  assert.equal(new Set(few.values()).size, 3);
  assert.deepEqual(serviceHues(["redis", "web", "db"]), few);
  const many = serviceHues(Array.from({ length: 30 }, (_, index) => `service-${index}`));
  assert.equal(many.size, 30);
  for (const hue of many.values()) assert.ok(hue >= 0 && hue < HUES);
});
