import assert from "node:assert/strict";
import fc from "fast-check";
import {
  parseBranches,
  parseRefs,
  parseStatus,
  parseWorktrees,
} from "../../src/programs/git/formats.ts";
import { anyArgument, anyText, fuzz } from "./fuzz.ts";

/** What git allows in a path and in a name: bytes without a zero. */
const path = anyArgument.filter((text) => text !== "");

fuzz(
  "parseStatus() reads the paths that git lists, whatever they are",
  fc.array(
    fc.record({
      code: fc.constantFrom("??", " M", "M ", "MM", "A ", " D", "R ", "UU", "AA", "RM"),
      path,
      old: path,
    }),
    { maxLength: 6 },
  ),
  (files) => {
    const text = files.map(({ code, path, old }) =>
      `${code} ${path}\0${code.includes("R") ? `${old}\0` : ""}`
    ).join("");
    assert.deepEqual(parseStatus(text).map(({ path }) => path), files.map(({ path }) => path));
  },
  { count: 2000 },
);

const branch = path.filter((name) => !/[\n]/.test(name));

fuzz(
  "parseRefs() and parseBranches() read the names that git lists",
  fc.array(
    fc.record({
      name: branch,
      remote: fc.constantFrom("", "origin"),
      worktree: fc.constantFrom("", "/a b/c\nd"),
    }),
    { maxLength: 5 },
  ),
  (branches) => {
    const known = branches.filter(({ name, remote }) => remote === "" || name !== "HEAD");
    const refOf = ({ name, remote }: { name: string; remote: string }) =>
      remote === "" ? `refs/heads/${name}` : `refs/remotes/${remote}/${name}`;
    const refs = parseRefs(known.map((one) => `${refOf(one)}\0${one.worktree}\0\n`).join(""));
    assert.deepEqual(
      refs,
      known.map(({ name, remote, worktree }) => ({
        name,
        kind: "branch",
        remote,
        worktreePath: worktree,
      })),
    );
    const tips = parseBranches(
      known.map((one) => `${refOf(one)}\x002026\0${one.worktree}\0subject\0\n`).join(""),
    );
    assert.deepEqual(
      tips.map(({ name, remote }) => ({ name, remote })),
      known.map(({ name, remote }) => ({ name, remote })),
    );
  },
  { count: 2000 },
);

fuzz("the parsers of git's answers take any text", anyText, (text) => {
  for (const parse of [parseStatus, parseRefs, parseBranches, parseWorktrees]) {
    assert.ok(Array.isArray(parse(text)));
  }
}, { count: 3000 });
