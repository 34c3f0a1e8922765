/**
 * Kills piko just after any step that a command records, without knowing which steps there are: triggers in the sandbox's
 * registry count the steps as they are recorded, and keep piko from recording the next one, so that what it was killed
 * in is that step and no other.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Background } from "../background.ts";
import type { Sandbox } from "../sandbox.ts";
import { refuteAccident } from "./refusal.ts";

/**
 * What the test adds to the registry. A trigger cannot sleep, and so it counts: for longer than it takes to kill. It may
 * have no WITH of its own, but ask a view that has.
 */
const COUNTING = `
  CREATE TABLE test_counted (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE test_limit (steps INTEGER NOT NULL);
  INSERT INTO test_limit VALUES (1000000);
  CREATE VIEW test_long AS
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 100000000)
    SELECT max(n) FROM numbers;
  CREATE TRIGGER test_hold BEFORE INSERT ON steps
    WHEN (SELECT count(*) FROM test_counted) >= (SELECT steps FROM test_limit)
    BEGIN SELECT * FROM test_long; END;
  CREATE TRIGGER test_count AFTER INSERT ON steps
    BEGIN INSERT INTO test_counted (name) VALUES (NEW.operation || ' ' || NEW.step); END;
`;

/** Counts and breaks off the steps of a sandbox's pikos. */
export class KillPoints {
  readonly #sandbox: Sandbox;
  readonly #path: string;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    this.#path = `${sandbox.variables.PIKO_HOME}/state.db`;
    this.#change(COUNTING);
  }

  /** Runs a command to its end and names the steps that it recorded, as in "create worktree". */
  async stepsOf(command: string): Promise<string[]> {
    this.#change("DELETE FROM test_counted");
    await this.#sandbox.pass(command);
    return this.#counted();
  }

  /**
   * Runs a command, and kills piko alone when it has recorded the first of these steps, up to `last`; what it has started
   * goes on. The very last step may be done before piko can be killed.
   */
  async killAfter(command: string, steps: readonly string[], last: number): Promise<void> {
    this.#change(`DELETE FROM test_counted; UPDATE test_limit SET steps = ${last + 1}`);
    try {
      await using piko = Background.piko(this.#sandbox, command.split(" "));
      let isWorking = true;
      const ended = piko.ended().then(() => isWorking = false);
      const deadline = performance.now() + 120_000;
      while (isWorking && this.#counted().length <= last) {
        assert.ok(performance.now() < deadline, `${command} came to ${this.#counted()}`);
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1))]);
      }
      if (isWorking) piko.kill("SIGKILL");
      const exitCode = await piko.ended();
      const said = piko.stderr.join("\n");
      refuteAccident(said);
      assert.deepEqual(this.#counted(), steps.slice(0, last + 1), said);
      if (exitCode !== 0 || last < steps.length - 1) assert.equal(exitCode, 137, said);
    } finally {
      this.#change("UPDATE test_limit SET steps = 1000000");
    }
  }

  #counted(): string[] {
    using database = new DatabaseSync(this.#path, { readOnly: true, timeout: 5000 });
    return database.prepare("SELECT name FROM test_counted ORDER BY id").all()
      .map(({ name }) => String(name));
  }

  #change(sql: string): void {
    using database = new DatabaseSync(this.#path, { timeout: 10_000 });
    database.exec(sql);
  }
}
