import assert from "node:assert/strict";
import { CommandError } from "../../src/domain/errors.ts";
import { withoutSecrets, withoutSecretValues } from "../../src/domain/secrets.ts";

Deno.test("withoutSecrets() hides the values of what is named like a secret", () => {
  const cases: [string, string][] = [
    ["DB_PASSWORD=hunter2", "DB_PASSWORD=***"],
    ["export API_KEY=two words", "export API_KEY=***"],
    ['  GITHUB_TOKEN="two words" # why', '  GITHUB_TOKEN="***" # why'],
    ["run: API_KEY=abc npm run dev", "run: API_KEY=*** npm run dev"],
    ["sh -c 'PGPASSWORD=a psql; id'", "sh -c 'PGPASSWORD=*** psql; id'"],
    ["-e SECRET_KEY_BASE=abc -e PORT=80", "-e SECRET_KEY_BASE=*** -e PORT=80"],
    ["    POSTGRES_PASSWORD: hunter2", "    POSTGRES_PASSWORD: ***"],
    ['{"client_secret": "abc", "port": 1}', '{"client_secret": "***", "port": 1}'],
    ["env: {AUTH_TOKEN: abc, PORT: 1}", "env: {AUTH_TOKEN: ***, PORT: 1}"],
    ["postgres://piko:hunter2@db:5432/x", "postgres://piko:***@db:5432/x"],
    ["redis://:hunter2@redis", "redis://:***@redis"],
    [
      'failed to read /x/.env: line 5: unterminated quoted value "a b',
      'failed to read /x/.env: line 5: unterminated quoted value "***',
    ],
    [
      'unexpected character "@" in variable name "MY@API_KEY=super secret"',
      'unexpected character "@" in variable name "MY@API_KEY=***"',
    ],
    [
      'unexpected character near "A=1\\nMY_TOKEN=a b\\nPORT=2\\n"',
      'unexpected character near "A=1\\nMY_TOKEN=***\\nPORT=2\\n"',
    ],
    ["DB_PASSWORD=a\nPORT=2\nX_KEY=c\n", "DB_PASSWORD=***\nPORT=2\nX_KEY=***\n"],
    ["GET /?token=abc&page=1", "GET /?token=***"],
  ];
  for (const [text, shown] of cases) assert.equal(withoutSecrets(text), shown);
});

Deno.test("withoutSecrets() leaves everything else as it is", () => {
  const texts = [
    "",
    "PORT=8080 DATABASE=shop PWD=/home/x MAX_TOKENS=5 MONKEY=1",
    "unexpected token: foo",
    "fatal: could not read Password for 'https://example.com': terminal prompts disabled",
    "required variable DB_PASSWORD is missing a value: set it",
    "environment: DB_PASSWORD: ${DB_PASSWORD}",
    'PGPASSWORD="$DB_PASSWORD" psql',
    "untracked: src/token.ts",
    "git@example.com:a/b http://localhost:3000/a@b",
    "DB_PASSWORD=",
    "keys: [a, b]",
  ];
  for (const text of texts) assert.equal(withoutSecrets(text), text);
});

Deno.test("withoutSecrets() can keep the columns of a line", () => {
  const line = 'run: API_KEY=abc npm run "x" # TOKEN=de';
  assert.equal(withoutSecrets(line, true), 'run: API_KEY=*** npm run "x" # TOKEN=**');
});

Deno.test("withoutSecrets() is quick with long text that is nearly a secret", () => {
  for (const part of ["a", "a-", "_key", 'TOKEN="', "x=y ", "://", '\\"']) {
    const text = part.repeat(20_000);
    assert.equal(typeof withoutSecrets(text), "string");
  }
});

Deno.test("CommandError holds no secrets", () => {
  const error = new CommandError(["docker", "compose", "-e", "API_KEY=abc"], {
    exitCode: 1,
    signal: null,
    stderr: "API_KEY=abc is wrong\n",
  });
  assert.equal(error.stderr, "API_KEY=***\n");
  assert.deepEqual(error.argv, ["docker", "compose", "-e", "API_KEY=***"]);
});

Deno.test("withoutSecretValues() hides the values of variables that are named like secrets, wherever they stand", () => {
  const variables = {
    API_TOKEN: "abcdef",
    PIN_TOKEN: "1234",
    HOME: "/home/ann",
    PWD: "/home/ann/x",
  };
  assert.equal(
    withoutSecretValues("Cannot run /opt/abcdef/vim in /home/ann/x with 1234", variables),
    "Cannot run /opt/***/vim in /home/ann/x with 1234",
  );
});
