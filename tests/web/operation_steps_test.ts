import assert from "node:assert/strict";
import { entriesOf } from "../../web/operation_steps.ts";
import { sampleOperation, sampleReports, TIME } from "./samples.ts";

Deno.test("entriesOf() puts the reports of each step together, with its output", () => {
  const reports = sampleReports(
    { kind: "started", step: "worktree", message: "auth" },
    { kind: "done", step: "worktree", message: "/code/auth" },
    { kind: "warning", message: "Port 10132 is taken", hint: "lsof -i :10132" },
    { kind: "started", step: "setup", message: "" },
    { kind: "output", step: "setup", line: "migrating", from: "stdout" },
    { kind: "output", step: "setup", line: "careful", from: "stderr" },
  );
  const entries = entriesOf(reports, sampleOperation());
  assert.deepEqual(
    entries.map((entry) => entry.kind === "step" ? `${entry.step} ${entry.state}` : entry.kind),
    [
      "worktree done",
      "warning",
      "setup running",
    ],
  );
  const [worktree, , setup] = entries;
  assert.ok(worktree?.kind === "step" && setup?.kind === "step");
  assert.equal(worktree.message, "/code/auth");
  assert.equal(Date.parse(worktree.endedAt ?? "") - Date.parse(worktree.startedAt), 1000);
  assert.deepEqual(setup.output.map(({ text, isError }) => [text, isError]), [
    ["migrating", false],
    ["careful", true],
  ]);
});

Deno.test("entriesOf() shows where an operation stopped, and what was undone", () => {
  const reports = sampleReports(
    { kind: "started", step: "prepare", message: "" },
    { kind: "failed", step: "prepare", message: "exit code 2" },
    { kind: "started", step: "containers", message: "" },
    { kind: "undone", message: "the worktree" },
  );
  const running = entriesOf(reports, sampleOperation());
  const cancelled = entriesOf(reports, sampleOperation({ state: "cancelled", endedAt: TIME }));
  const states = (entries: typeof running) =>
    entries.map((entry) => entry.kind === "step" ? entry.state : entry.kind);
  assert.deepEqual(states(running), ["failed", "running", "undone"]);
  assert.deepEqual(states(cancelled), ["failed", "stopped", "undone"]);
});

Deno.test("entriesOf() takes output whose beginning is not remembered any more", () => {
  const reports = sampleReports({ kind: "output", step: "setup", line: "late", from: "stdout" });
  const [entry] = entriesOf(reports, sampleOperation());
  assert.ok(entry?.kind === "step");
  assert.deepEqual([entry.step, entry.state, entry.output.length], ["setup", "running", 1]);
});
