/** Which lists of an engine are out of date, by what it has told before. */

import assert from "node:assert/strict";
import { Told } from "../../src/server/told.ts";

/** Tells it events of one container, and then what is listed of it: `running`, `running healthy`, or nothing. */
function isOutOfDate(actions: readonly string[], listed: string): boolean {
  const told = new Told();
  for (const action of actions) told.add({ action, container: "web", composeProject: "shop" });
  const [state = "", health = null] = listed.split(" ");
  return told.compare()(listed === "" ? [] : [{ container: "web", state, health }]);
}

Deno.test("Told.compare() believes no list that disagrees with what was told last", () => {
  for (
    const [actions, listed, expected] of [
      [["die"], "running", true],
      [["die"], "exited", false],
      [["die"], "restarting", false],
      // Removed, or not shown.
      [["die"], "", false],
      [["die", "stop"], "paused", true],
      [["die", "start"], "running", false],
      [["start"], "exited", true],
      [["pause"], "running", true],
      [["pause", "unpause"], "paused", true],
      [["health_status: unhealthy"], "running healthy", true],
      [["health_status: unhealthy"], "running unhealthy", false],
      [["health_status: healthy"], "exited", false],
      [["health_status: healthy", "die", "start"], "running starting", false],
      // What says nothing of the state takes back nothing.
      [["die", "oom"], "running", true],
      [["die", "health_status: healthy"], "running healthy", true],
      [["oom"], "running", false],
    ] as const
  ) {
    assert.equal(isOutOfDate(actions, listed), expected, `${actions.join(", ")}: ${listed}`);
  }
});

Deno.test("Told.compare() judges by what was told before the list was begun, until a list agrees", () => {
  const told = new Told();
  const event = { container: "web", composeProject: "shop" };
  const exited = [{ container: "web", state: "exited", health: null }];
  const early = told.compare();
  told.add({ ...event, action: "die" });
  assert.ok(early(exited), "a list that was begun too early");
  assert.ok(!told.compare()(exited));
  assert.ok(!told.compare()([{ container: "web", state: "running", health: null }]));
});
