import assert from "node:assert/strict";
import { DEFAULT_LOGS, environmentRoute, formatRoute, HOME, parseRoute } from "../../web/route.ts";

const parse = (address: string) => parseRoute(new URL(address, "http://localhost"));

Deno.test("parseRoute() reads back every address that formatRoute() writes", () => {
  const auth = { project: "shop", name: "feature-auth" };
  const routes = [
    HOME,
    environmentRoute(auth),
    environmentRoute(auth, "activity"),
    environmentRoute(auth, "variables"),
    environmentRoute(auth, "logs"),
    environmentRoute(auth, "logs", {
      services: ["web", "db"],
      find: "a & b = ü?#",
      regex: true,
      only: true,
      wrap: false,
      times: true,
    }),
  ];
  for (const route of routes) assert.deepEqual(parse(formatRoute(route)), route);
});

Deno.test("formatRoute() writes nothing that is usual", () => {
  assert.equal(formatRoute(HOME), "/");
  const auth = { project: "shop", name: "auth" };
  assert.equal(formatRoute(environmentRoute(auth)), "/projects/shop/auth");
  assert.equal(formatRoute(environmentRoute(auth, "logs")), "/projects/shop/auth/logs");
  assert.equal(
    formatRoute(environmentRoute(auth, "logs", { services: ["web"], find: "error" })),
    "/projects/shop/auth/logs?service=web&find=error",
  );
});

Deno.test("parseRoute() knows no other addresses", () => {
  const others = [
    "/api/environments",
    "/projects",
    "/projects/shop/auth/settings",
    "/projects/shop/auth/logs/more",
    "/projects/%/auth",
    "/projects//auth",
  ];
  for (const address of others) assert.equal(parse(address), undefined, address);
  assert.deepEqual(parse("/?anything=1"), HOME);
  assert.deepEqual(parse("/projects/shop"), { ...HOME, project: "shop" });
  assert.deepEqual(parse("/projects/shop/"), { ...HOME, project: "shop" });
  assert.deepEqual(parse("/projects/shop/auth/logs")?.logs, DEFAULT_LOGS);
});
