/**
 * What other pages can do to piko in a browser that was let in: one on another port of localhost, which is same-site and has
 * the cookie sent along, and one on 127.0.0.1. Each tries what a page can try; piko's own page does the same and gets through.
 */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { needs } from "../needs.ts";
import { Sandbox, until } from "../sandbox.ts";
import { Server } from "../server.ts";
import { Chromium } from "./browser.ts";

/**
 * The attempts of a page, each of which resolves to what it got; null is nothing. A script of the page itself, which looks no
 * different from what a bad dependency of an app would do.
 */
const ATTEMPTS = `(origin, project) => {
  const list = origin + "/api/environments";
  const one = list + "/one";
  const creation = origin + "/api/projects/" + project + "/environments";
  const named = (name) => JSON.stringify({ name });
  const ask = async (url, init) => {
    try {
      const answer = await fetch(url, { credentials: "include", ...init });
      return answer.ok ? answer.status + " " + (await answer.text()) : null;
    } catch (error) {
      if (error instanceof TypeError) return null;
      throw error;
    }
  };
  const send = (url, method, body) =>
    ask(url, { method, body, headers: { "content-type": "application/json" } });
  const post = (body) => ask(creation, { method: "POST", mode: "no-cors", body });
  const load = (name, properties) => new Promise((resolve) => {
    const element = Object.assign(document.createElement(name), properties);
    element.onload = () => resolve("loaded");
    element.onerror = () => resolve(null);
    document.body.append(element);
  });
  const events = () => new Promise((resolve) => {
    const source = new EventSource(origin + "/api/events", { withCredentials: true });
    const end = (got) => (source.close(), resolve(got));
    source.onopen = () => end("open");
    source.onerror = () => end(null);
  });
  const frame = (fill) => new Promise((resolve) => {
    const element = document.createElement("iframe");
    element.name = "frame-" + document.querySelectorAll("iframe").length;
    document.body.append(element);
    element.onload = () => resolve(element.contentDocument?.documentElement.outerHTML ?? null);
    fill(element);
  });
  const submit = (enctype, name, value) => frame((target) => {
    const form = Object.assign(document.createElement("form"), {
      action: creation, enctype, method: "post", target: target.name,
    });
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    document.body.append(form);
    form.submit();
  });
  const show = (src) => frame((element) => Object.assign(element, { src }));
  return {
    read: () => ask(list),
    "read blindly": () => ask(list, { mode: "no-cors" }),
    events,
    image: () => load("img", { src: list }),
    "script of the API": () => load("script", { src: list }),
    "script of the page": () => load("script", { src: origin + "/assets/boot.ts", type: "module" }),
    style: () => load("link", { rel: "stylesheet", href: origin + "/assets/style.css" }),
    // Together with the sign that a form puts between the two it is the JSON of a creation.
    "form of text": () => submit("text/plain", '{"name":"form-text","branch":"form', 'text"}'),
    "form of fields": () => submit("application/x-www-form-urlencoded", "name", "form-fields"),
    "frame of the page": () => show(origin + "/"),
    "frame of the API": () => show(list),
    text: () => post(named("text")),
    fields: () => post(new URLSearchParams({ name: "fields" })),
    beacon: () => (navigator.sendBeacon(creation, new Blob([named("beacon")])), null),
    create: () => send(creation, "POST", named("json")),
    stop: () => send(one + "/down", "POST", "{}"),
    destroy: () => send(one, "DELETE", "{}"),
  };
}`;

/** Has a page make some of its attempts one by one, all when none are named, and returns what they got. */
function attempt(page: Page, server: Server, project: string, ...names: string[]) {
  return page.evaluate<Record<string, string | null>>(`(async () => {
    const attempts = (${ATTEMPTS})(${JSON.stringify(server.origin)}, ${JSON.stringify(project)});
    const names = ${JSON.stringify(names)};
    const got = {};
    for (const name of names.length > 0 ? names : Object.keys(attempts)) {
      got[name] = await attempts[name]();
    }
    return got;
  })()`);
}

Deno.test({
  name: "no page of another origin reads or changes anything in a browser that was let in",
  ...needs("git", "chromium"),
  fn: async (t) => {
    await using sandbox = await Sandbox.create({ init: true });
    const { project } = sandbox;
    await sandbox.pass("create one --no-attach");
    await using server = await Server.start(sandbox);
    await using chromium = await Chromium.start();
    const own = await chromium.open(server);
    const cookieName = `piko-${new URL(server.origin).port}`;
    await using elsewhere = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () =>
        new Response("<!doctype html><title>An app</title><body>", {
          headers: { "content-type": "text/html" },
        }),
    );
    /** What piko says of itself to a program. */
    const ask = async (path: string) => {
      const answer = await fetch(`${server.origin}/api/${path}`, { headers: await server.key() });
      assert.equal(answer.status, 200);
      return await answer.json();
    };
    const before = await ask("environments");

    for (const host of ["localhost", "127.0.0.1"]) {
      await t.step(`a page on ${host}`, async () => {
        const page = await own.context().newPage();
        const cookies: Promise<string>[] = [];
        const asked = new Set<string>();
        page.on("request", (request) => {
          if (!request.url().startsWith(server.origin)) return;
          asked.add(`${request.method()} ${new URL(request.url()).pathname}`);
          cookies.push(request.allHeaders().then(({ cookie = "" }) => cookie));
        });
        const answers: string[] = [];
        page.on("response", (response) => {
          if (!response.url().startsWith(server.origin)) return;
          const { pathname } = new URL(response.url());
          answers.push(`${response.request().method()} ${pathname} ${response.status()}`);
        });
        await page.goto(`http://${host}:${elsewhere.addr.port}/`);
        const got = await attempt(page, server, project);
        assert.equal(Object.keys(got).length, 17);
        assert.deepEqual(Object.entries(got).filter(([, what]) => what !== null), []);
        const creations = `POST /api/projects/${project}/environments`;
        for (const line of ["GET /", "GET /api/environments", "GET /api/events", creations]) {
          assert.ok(asked.has(line), `${line} is not among ${[...asked].join(", ")}`);
        }
        // The browser alone would keep the page from these answers: that piko refuses as well is seen where they are told.
        const creation = `POST /api/projects/${project}/environments 403`;
        const refused = ["GET / 403", "GET /api/environments 403", creation, creation];
        assert.deepEqual(answers.sort(), refused);
        // From the port beside the cookie comes along.
        const isSent = (await Promise.all(cookies)).some((cookie) => cookie.includes(cookieName));
        assert.equal(isSent, host === "localhost");
        await until(
          "frames that show nothing of piko",
          () => page.frames().slice(1).every((frame) => frame.url().startsWith("chrome-error:")),
        );
        await page.close();
      });
    }

    await t.step("and nothing has changed", async () => {
      assert.deepEqual(await ask("environments"), before);
      assert.deepEqual((await ask("operations")).operations, []);
    });

    await t.step("while its own page gets through with the same", async () => {
      const got = await attempt(own, server, project, "read", "events", "style", "create", "stop");
      assert.match(got["read"] ?? "", /^200 .*"one"/);
      assert.equal(got["events"], "open");
      assert.equal(got["style"], "loaded");
      assert.match(got["create"] ?? "", /^202 /);
      assert.match(got["stop"] ?? "", /^202 /);
      await until("the end of both", async () => {
        const { operations } = await ask("operations");
        return operations.length === 2 &&
          operations.every(({ state }: { state: string }) => state === "done");
      });
    });
  },
});
