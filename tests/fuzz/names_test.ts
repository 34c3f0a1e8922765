import assert from "node:assert/strict";
import fc from "fast-check";
import { PikoError } from "../../src/domain/errors.ts";
import {
  composeProjectNames,
  editDistance,
  environmentName,
  flattenName,
  MAX_COMPOSE_PROJECT,
  nearestName,
  quote,
  sessionName,
  variablePart,
} from "../../src/domain/names.ts";
import { plainPath, problemOfCarriedPath } from "../../src/domain/relative_path.ts";
import { tmuxName } from "../../src/programs/tmux.ts";
import { anyText, fuzz } from "./fuzz.ts";

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const name = anyText.map(flattenName).filter((name) => name !== "");

fuzz(
  "environmentName() makes a name that is a folder, a host and a variable, or refuses",
  anyText,
  (text) => {
    const flat = flattenName(text);
    assert.equal(flattenName(flat), flat);
    try {
      assert.match(environmentName(text), NAME);
      assert.equal(environmentName(text), flat);
    } catch (error) {
      if (!(error instanceof PikoError)) throw error;
      assert.equal(error.code, "usage");
      assert.equal(flat, "");
    }
  },
  { count: 5000 },
);

fuzz(
  "composeProjectNames() never gives a name twice, nor one that compose refuses",
  fc.tuple(name, name),
  ([project, environment]) => {
    const names: string[] = [];
    for (const candidate of composeProjectNames(project, environment)) {
      assert.match(candidate, /^[a-z0-9][a-z0-9_-]*$/);
      assert.ok(candidate.length <= MAX_COMPOSE_PROJECT);
      names.push(candidate);
      if (names.length === 12) break;
    }
    assert.equal(new Set(names).size, 12);
  },
  { count: 2000 },
);

fuzz(
  "sessionName() gives two environments two names, also as tmux writes them",
  fc.tuple(anyText, name, name, name, name),
  ([prefix, project, environment, otherProject, other]) => {
    const one = sessionName(project, environment, prefix.toWellFormed());
    assert.ok(one.isWellFormed(), JSON.stringify(one));
    if (project === otherProject && environment === other) return;
    const two = sessionName(otherProject, other, prefix.toWellFormed());
    assert.notEqual(tmuxName(one), tmuxName(two));
  },
  { count: 5000 },
);

fuzz("variablePart() makes a part of a variable's name", anyText, (text) => {
  assert.match(variablePart(text), /^[A-Z0-9_]*$/);
}, { count: 5000 });

fuzz("quote() keeps text from the terminal", anyText, (text) => {
  assert.doesNotMatch(quote(text), /\p{Cc}/u);
  assert.ok(quote(text).isWellFormed());
}, { count: 5000 });

fuzz(
  "editDistance() is a distance",
  fc.tuple(fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 }), anyText),
  ([one, other]) => {
    assert.equal(editDistance(one, one), 0);
    assert.equal(editDistance(one, other), editDistance(other, one));
    assert.ok(editDistance(one, other) <= Math.max(one.length, other.length));
    assert.ok(editDistance(one, other) >= Math.abs(one.length - other.length));
  },
  { count: 2000 },
);

fuzz("nearestName() finds one of the candidates, or none", fc.tuple(anyText, fc.array(name)), ([
  typed,
  names,
]) => {
  const found = nearestName(typed, names);
  assert.ok(found === undefined || names.includes(found));
  for (const name of names) assert.notEqual(nearestName(name, names), undefined);
}, { count: 2000 });

fuzz("problemOfCarriedPath() lets nothing out of the project", anyText, (path) => {
  if (problemOfCarriedPath(path) !== undefined) return;
  const plain = plainPath(path);
  // A folder's URL finds its way as a file system does.
  const folder = new URL("file:///project/root/");
  const place = new URL(plain.split("/").map(encodeURIComponent).join("/"), folder).pathname;
  assert.ok(place.startsWith(folder.pathname) && place !== folder.pathname, place);
  assert.doesNotMatch(plain, /^\.(git|piko)(\/|$)|\0/i);
  assert.equal(plainPath(plain), plain);
}, { count: 5000 });
