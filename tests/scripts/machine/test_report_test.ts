import assert from "node:assert/strict";
import { countTests } from "../../../scripts/machine/test_report.ts";

Deno.test("countTests() counts what the test runner really reports", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/sample_test.ts`,
      `Deno.test("passes > and has steps", async (t) => {
        await t.step("one", () => {});
        await t.step({ name: "two", ignore: true, fn() {} });
      });
      Deno.test("fails <in> a step", async (t) => { await t.step("bad", () => { throw new Error("<skipped/>"); }); });
      Deno.test("fails", () => { throw new Error("no"); });
      Deno.test.ignore("skipped", () => {});`,
    );
    const report = `${folder}/report.xml`;
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-lock", `--junit-path=${report}`, folder],
      stdout: "null",
      stderr: "null",
    }).output();
    assert.equal(success, false);
    const counts = countTests(await Deno.readTextFile(report));
    assert.deepEqual(counts, { passed: 1, failed: 2, skipped: 1 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("countTests() counts nothing in an empty report", () => {
  assert.deepEqual(countTests(""), { passed: 0, failed: 0, skipped: 0 });
});
