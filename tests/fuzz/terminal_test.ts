import assert from "node:assert/strict";
import fc from "fast-check";
import { splitGlobalOptions } from "../../src/commands/global_options.ts";
import { describeFailure } from "../../src/domain/failure.ts";
import { CommandError, PikoError } from "../../src/domain/errors.ts";
import { withoutSecrets } from "../../src/domain/secrets.ts";
import { justAfter, parseSince } from "../../src/domain/since.ts";
import { charactersOf, clip, widthOf } from "../../src/domain/width.ts";
import { matchEntries } from "../../src/terminal/filter.ts";
import { type Key, parseKeys } from "../../src/terminal/keyboard.ts";
import { anyText, fuzz } from "./fuzz.ts";

fuzz(
  "splitGlobalOptions() keeps every word that is not its own",
  fc.array(
    fc.oneof(
      fc.constantFrom(...[
        "-C",
        "--json",
        "--",
        "-y",
        "-q",
        "-v",
        "--no-block",
        "-h",
        "list",
        "exec",
        "run",
      ]),
      // Of several letters behind one dash, those that are its own are taken out.
      anyText.filter((word) => !/^-[a-z]{2,}$/i.test(word)),
    ),
    { maxLength: 8 },
  ),
  (args) => {
    try {
      const { rest, handedOn } = splitGlobalOptions(
        args,
        (name) => name === "exec" ? 2 : undefined,
      );
      const kept = [...rest, ...handedOn];
      let at = 0;
      for (const word of args) if (word === kept[at]) at++;
      assert.equal(at, kept.length, "a word is new, or in another place");
      if (args.includes("--") && !args.includes("exec")) {
        const behind = args.slice(args.indexOf("--"));
        if (args[args.indexOf("--") - 1] !== "-C") {
          assert.deepEqual(
            kept.slice(-behind.length),
            behind,
          );
        }
      }
    } catch (error) {
      if (!(error instanceof PikoError)) throw error;
      assert.equal(error.message, "-C needs a folder");
    }
  },
  { count: 3000 },
);

const key = fc.constantFrom(
  ...[
    "\x1b",
    "\x1b[A",
    "\x1bOB",
    "\x1b[5~",
    "\x1b[1;5C",
    "\x1b[Z",
    "\r",
    "\n",
    "\x03",
    "\x7f",
    "a",
    "ä",
    "👩‍👩‍👧",
    " ",
  ],
  ...["\x1ba", "[", "O", "\x9b", "\0", "\x1b[", "\x1b]"],
);

fuzz(
  "parseKeys() finds the same keys, however what was typed is cut",
  fc.array(key, { maxLength: 10 }),
  (parts) => {
    const typed = parts.join("");
    const whole = parseKeys(typed);
    const keys: Key[] = [];
    let rest = "";
    for (const character of typed) {
      const read = parseKeys(rest + character);
      keys.push(...read.keys);
      rest = read.rest;
    }
    assert.equal(rest, whole.rest);
    assert.deepEqual(merged(keys), merged(whole.keys));
  },
  { count: 3000 },
);

/** Puts text together that came in several pieces. */
function merged(keys: readonly Key[]): Key[] {
  const all: Key[] = [];
  for (const key of keys) {
    const last = all.at(-1);
    if (key.kind === "text" && last?.kind === "text") {
      all[all.length - 1] = { kind: "text", text: last.text + key.text };
    } else all.push(key);
  }
  return all;
}

fuzz(
  "clip() fits a text into its columns",
  fc.tuple(
    anyText,
    fc.nat({ max: 12 }),
    fc.constantFrom("start" as const, "end" as const),
  ),
  ([text, columns, at]) => {
    const clipped = clip(text, columns, at);
    assert.ok(widthOf(clipped) <= Math.max(columns, 0), JSON.stringify(clipped));
    if (widthOf(text) <= columns) assert.equal(clipped, text);
    assert.equal(charactersOf(text).join(""), text);
  },
  { count: 3000 },
);

fuzz(
  "matchEntries() finds what contains every word, each entry once",
  fc.tuple(
    fc.array(fc.array(anyText, { minLength: 1, maxLength: 3 }), { maxLength: 6 }),
    anyText,
  ),
  ([entries, typed]) => {
    const found = matchEntries(entries, typed);
    assert.equal(new Set(found).size, found.length);
    const words = typed.normalize("NFC").toLowerCase().split(/\s+/);
    for (const [index, cells] of entries.entries()) {
      const has = words.every((word) =>
        cells.some((cell) => cell.normalize("NFC").toLowerCase().includes(word))
      );
      if (has) assert.ok(found.includes(index));
    }
  },
  { count: 2000 },
);

const NOW = Date.parse("2026-01-02T03:04:05Z");

fuzz(
  "parseSince() makes seconds that the engine takes, or nothing",
  fc.oneof(
    anyText,
    fc.array(
      fc.constantFrom(
        "1",
        "90",
        "0.5",
        "s",
        "m",
        "h",
        "d",
        "2025-12-31",
        "T10:00",
        "Z",
        "-",
        ":",
        ".",
      ),
      { maxLength: 6 },
    )
      .map((parts) => parts.join("")),
  ),
  (text) => {
    const since = parseSince(text, NOW);
    if (since !== undefined) assert.match(since, /^\d+(\.\d{1,9})?$/, text);
  },
  { count: 3000 },
);

fuzz(
  "justAfter() is a nanosecond later",
  fc.tuple(
    fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }),
    fc.nat({ max: 999_999_999 }),
  ),
  ([date, nanoseconds]) => {
    const time = `${date.toISOString().slice(0, 19)}.${String(nanoseconds).padStart(9, "0")}Z`;
    const [seconds = "", fraction = "0"] = justAfter(time).split(".");
    const before =
      BigInt(Date.parse(`${date.toISOString().slice(0, 19)}Z`) / 1000) * 1_000_000_000n +
      BigInt(nanoseconds);
    assert.equal(BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0")), before + 1n);
  },
  { count: 2000 },
);

fuzz(
  "describeFailure() keeps an error's words from the terminal",
  fc.tuple(anyText, anyText, fc.array(anyText, { maxLength: 3 })),
  ([
    message,
    hint,
    details,
  ]) => {
    const errors = [
      new PikoError(message, { code: "failed", hint, details }),
      new PikoError(message, {
        code: "failed",
        cause: new CommandError([message, ...details], { exitCode: 1, signal: null, stderr: hint }),
      }),
      new CommandError([message, ...details], { exitCode: 1, signal: null, stderr: hint }),
      new Error(message),
    ];
    for (const error of errors) {
      const { message, hint, details, stderr } = describeFailure(error);
      for (const text of [message, hint ?? "", ...details, ...stderr]) {
        assert.doesNotMatch(text, /[^\P{Cc}\t\n]/u);
      }
    }
  },
  { count: 2000 },
);

const secret = fc.stringMatching(/^[A-Za-z0-9]{8,12}$/);

fuzz(
  "withoutSecrets() hides what stands where secrets stand, and ends",
  fc.tuple(
    fc.constantFrom(
      (s: string) => `POSTGRES_PASSWORD=${s}`,
      (s: string) => `"API_KEY": "${s}"`,
      (s: string) => `  db_password: ${s}`,
      (s: string) => `postgres://user:${s}@db:5432/shop`,
      (s: string) => `AUTH_TOKEN='${s}'`,
      (s: string) => `{ "password": "${s}" }`,
    ),
    secret,
    anyText.filter((text) => !/[\r\n'"\\]/.test(text)),
    anyText.filter((text) => !/['"\\]/.test(text)),
  ),
  ([write, secret, before, after]) => {
    fc.pre(!before.includes(secret) && !after.includes(secret));
    const text = `${before.replaceAll(/\s+$/g, "")}\n${write(secret)}\n${after}`;
    assert.ok(!withoutSecrets(text).includes(secret), text);
    assert.equal(withoutSecrets(text, true).length, text.length);
  },
  { count: 1000 },
);

fuzz(
  "withoutSecrets() takes any text",
  fc.array(
    fc.oneof(
      anyText,
      fc.constantFrom(
        "password",
        "=",
        ": ",
        "\\",
        '"',
        "'",
        "_key",
        "token",
        "-",
        "://",
        ":",
        "@",
        "\\n",
      ),
    ),
    { maxLength: 30 },
  ).map((parts) => parts.join("")),
  (text) => {
    assert.equal(withoutSecrets(text, true).length, text.length);
  },
  { count: 1000 },
);
