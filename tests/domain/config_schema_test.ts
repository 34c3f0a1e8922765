/** The JSON schemas of the configuration say what the checks say, as far as a JSON schema can. */

import { Validator } from "@cfworker/json-schema";
import assert from "node:assert/strict";
import { checkProjectConfig, checkUserConfig, PROJECT, USER } from "../../src/domain/config.ts";
import { configSchema } from "../../src/domain/config_schema.ts";

/** Whether an editor that has the schema would leave a content without a mark. */
function isFine(kind: "project" | "user", content: unknown): boolean {
  return new Validator(JSON.parse(JSON.stringify(configSchema(kind))), "7").validate(content).valid;
}

Deno.test("configSchema() describes every field", () => {
  for (const [kind, schema] of [["project", PROJECT], ["user", USER]] as const) {
    const { $schema, title, properties = {} } = configSchema(kind);
    assert.equal($schema, "http://json-schema.org/draft-07/schema#");
    assert.match(title ?? "", kind === "project" ? /\.piko\.yml$/ : /config\.yml$/);
    assert.deepEqual(Object.keys(properties), Object.keys(schema.entries));
    for (const [name, field] of Object.entries(properties)) {
      assert.ok(typeof field === "object" && (field.description ?? "").length > 10, name);
    }
  }
  const text = JSON.stringify(configSchema("project"));
  for (const inner of ["prepare", "setup", "destroy", "local", "service"]) {
    assert.match(text, new RegExp(`"${inner}":.{0,70}"description":"\\w`), inner);
  }
  assert.doesNotMatch(text, /\$ref|\$defs/);
});

Deno.test("configSchema() agrees with what the files are checked by", () => {
  const contents: unknown[] = [
    {},
    { "x-mine": 1 },
    { compose: "a.yml" },
    { compose: ["a.yml", "b.yml"] },
    { compose: null },
    { compose: [] },
    { compose: 3 },
    { compose: [{}] },
    { scripts: { prepare: "a", setup: "b", run: "c", destroy: "d", "x-e": 1 } },
    { scripts: { run: null } },
    { scripts: { run: ["a"] } },
    { scripts: ["a"] },
    { scripts: null },
    { shared: ["a"] },
    { shared: [""] },
    { shared: "a" },
    { shells: { db: "psql" } },
    { shells: { db: "" } },
    { shells: ["psql"] },
    { windows: [{ name: "a" }] },
    { windows: [{ name: "a", command: "b", local: true, service: "c" }] },
    { windows: [{ name: "a", command: null, local: null, service: null }] },
    { windows: [{ command: "b" }] },
    { windows: [{ name: "" }] },
    { windows: [{ name: "a", local: "yes" }] },
    { windows: [["a"]] },
    { windows: { name: "a" } },
    { copy: ["a"], link: ["b"] },
    { copy: "a" },
    { copy: [1] },
    ["a"],
    "a",
  ];
  for (const content of contents) {
    const { config } = checkProjectConfig(content);
    assert.equal(isFine("project", content), config !== undefined, JSON.stringify(content));
  }
  for (
    const content of [
      { editor: "a", session_prefix: "", default_shell: "b", default_windows: [], shells: {} },
      { editor: "" },
      { session_prefix: 1 },
      { default_shell: null },
      { default_windows: [{}] },
      { shells: [] },
      [],
    ]
  ) {
    const { config } = checkUserConfig(content);
    assert.equal(isFine("user", content), config !== undefined, JSON.stringify(content));
  }
});

Deno.test("configSchema() marks what is unknown, of which piko warns", () => {
  for (
    const content of [{ setpu: 1 }, { scripts: { setpu: "a" } }, { windows: [{ name: "a", x: 1 }] }]
  ) {
    assert.equal(isFine("project", content), false);
    assert.equal(checkProjectConfig(content).warnings.length, 1);
  }
});
