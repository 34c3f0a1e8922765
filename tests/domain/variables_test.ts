import assert from "node:assert/strict";
import {
  environmentVariables,
  servicesOfOneVariable,
  shellQuote,
  toolVariables,
} from "../../src/domain/variables.ts";

const ENVIRONMENT = {
  root: "/r",
  project: "shop",
  name: "auth",
  composeProject: "piko-shop-auth",
  slot: 1,
  path: "/r/.piko/worktrees/auth",
  dataDir: "/r/.piko/data/auth",
  branch: "feature/auth",
};

Deno.test("environmentVariables() names an environment without ports", () => {
  assert.deepEqual(environmentVariables({ ...ENVIRONMENT, ports: [] }), {
    PIKO_ROOT: "/r",
    PIKO_PROJECT: "piko-shop-auth",
    PIKO_PROJECT_NAME: "shop",
    PIKO_ENV_NAME: "auth",
    PIKO_ENV_ID: "1",
    PIKO_ENV_PATH: "/r/.piko/worktrees/auth",
    PIKO_DATA_DIR: "/r/.piko/data/auth",
    PIKO_BRANCH: "feature/auth",
  });
});

Deno.test("environmentVariables() gives the short name to the lowest container port", () => {
  const variables = environmentVariables({
    ...ENVIRONMENT,
    ports: [
      { service: "web-app", containerPort: 8081, protocol: "tcp", hostPort: 10181 },
      { service: "web-app", containerPort: 8080, protocol: "tcp", hostPort: 10180 },
    ],
  });
  assert.equal(variables.PIKO_WEB_APP_PORT, "10180");
  assert.equal(variables.PIKO_WEB_APP_PORT_8081, "10181");
});

Deno.test("environmentVariables() tells TCP and UDP of one port apart", () => {
  const variables = environmentVariables({
    ...ENVIRONMENT,
    ports: [
      { service: "dns", containerPort: 53, protocol: "udp", hostPort: 10154 },
      { service: "dns", containerPort: 53, protocol: "tcp", hostPort: 10153 },
    ],
  });
  assert.equal(variables.PIKO_DNS_PORT, "10153");
  assert.equal(variables.PIKO_DNS_PORT_53, "10153");
  assert.equal(variables.PIKO_DNS_PORT_53_UDP, "10154");
});

Deno.test("servicesOfOneVariable() finds the services whose variables have the same name", () => {
  assert.deepEqual(
    servicesOfOneVariable(["web", "my_db", "api-1", "my-db", "web", "api.1", "my.db"]),
    [["api-1", "api.1"], ["my-db", "my.db", "my_db"]],
  );
  assert.deepEqual(servicesOfOneVariable(["db", "db2", "d-b"]), []);
});

Deno.test("shellQuote() makes one word of any value", async () => {
  const value = "a'b\"$(id)`x`\n; \\ *";
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `printf %s ${shellQuote(value)}`],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), value);
});

Deno.test("toolVariables() keeps what names the engine and drops what would change an environment", () => {
  const chosen = toolVariables({
    PATH: "/bin",
    DOCKER_HOST: "unix:///x",
    HTTPS_PROXY: "http://p",
    POSTGRES_PASSWORD: "secret",
    COMPOSE_PROJECT_NAME: "other",
    COMPOSE_FILE: "other.yml",
    COMPOSE_PROFILES: "debug",
    GIT_DIR: "/elsewhere",
    TMUX: "x",
  });
  assert.deepEqual(Object.keys(chosen).sort(), [
    "COMPOSE_PROFILES",
    "DOCKER_HOST",
    "HTTPS_PROXY",
    "PATH",
  ]);
});
