import assert from "node:assert/strict";
import { takingArguments } from "../../src/domain/script_arguments.ts";

Deno.test("takingArguments() puts the arguments where the script has a place for them", () => {
  const cases: [string, string | undefined][] = [
    ["npm run dev", 'npm run dev "$@"'],
    ["npm run dev\n", 'npm run dev "$@"'],
    // What stands in front stays: sh would take a first word like this for an option of its own.
    [" -b", ' -b "$@"'],
    ["build && serve --port 1", 'build && serve --port 1 "$@"'],
    ['npm run dev "$@" --fast', 'npm run dev "$@" --fast'],
    ["one\ntwo $1", "one\ntwo $1"],
    ["one\ntwo ${@}", "one\ntwo ${@}"],
    ["test $# -gt 0\nrun", "test $# -gt 0\nrun"],
    ["shift\nrun", "shift\nrun"],
    ["one\ntwo", undefined],
    ["npm run dev # the server", undefined],
    ["npm run dev &", undefined],
    ["npm run dev;", undefined],
    ["npm run dev \\", undefined],
    ["serve a\\\\", 'serve a\\\\ "$@"'],
    ["if true; then serve; fi", undefined],
    ["(cd web; npm start)", undefined],
    ["{ one; two; } 2>&1", undefined],
    ["(cd web; npm start) >web.log 2>&1", undefined],
    ["for i in 1 2; do serve $i; done </dev/null", undefined],
    ["npm run dev >web.log 2>&1", 'npm run dev >web.log 2>&1 "$@"'],
    ["", undefined],
  ];
  for (const [script, taking] of cases) assert.equal(takingArguments(script), taking, script);
});
