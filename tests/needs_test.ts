import assert from "node:assert/strict";

const needs = new URL("./needs.ts", import.meta.url).href;

/** Runs a test file that needs fzf, with a PATH on which it is not, and tells how that ended. */
async function runWithout(
  variables: Record<string, string>,
): Promise<{ ok: boolean; text: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/sample_test.ts`;
    await Deno.writeTextFile(
      file,
      `import { needs } from ${JSON.stringify(needs)};
      Deno.test({ name: "needs it", ...needs("fzf"), fn() {} });`,
    );
    const config = new URL("../deno.json", import.meta.url).pathname;
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--no-check", `--config=${config}`, file],
      env: { NO_COLOR: "1", PATH: folder, PIKO_TEST_REQUIRE: "", ...variables },
    }).output();
    const decoder = new TextDecoder();
    return {
      ok: output.success,
      text: decoder.decode(output.stdout) + decoder.decode(output.stderr),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("needs() skips a test whose program is missing, and says why", async () => {
  const { ok, text } = await runWithout({});
  assert.equal(ok, true, text);
  assert.match(text, /needs it \.\.\. ignored/);
  assert.match(text, /fzf is needed: fzf is not on the PATH/);
});

Deno.test("needs() fails when the missing program is required", async () => {
  for (const required of ["all", "git, fzf"]) {
    const { ok, text } = await runWithout({ PIKO_TEST_REQUIRE: required });
    assert.equal(ok, false, text);
    assert.match(text, /1 failed/);
  }
});

Deno.test("needs() does not fail for a program that is not required", async () => {
  const { ok, text } = await runWithout({ PIKO_TEST_REQUIRE: "git,tmux" });
  assert.equal(ok, true, text);
});
