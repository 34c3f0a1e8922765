/** What piko writes for a shell to read is read by the real ones: a batch of lines by one shell. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { takingArguments } from "../../src/domain/script_arguments.ts";
import { commandWords, quoteWithin, splitLine } from "../../src/domain/shell_words.ts";
import { environmentVariables, shellQuote } from "../../src/domain/variables.ts";
import { tryRun } from "../../src/programs/run.ts";
import { anyArgument, anyText, fuzz } from "./fuzz.ts";

const BATCH = 100;
const SHELLS = ["sh", "bash"];
const VARIABLES = { PATH: Deno.env.get("PATH") ?? "", LC_ALL: "C.UTF-8" };

/** Has a shell read each line, and returns what it printed for each. */
async function readBy(shell: string, lines: readonly string[]): Promise<string[]> {
  const mark = crypto.randomUUID();
  const script = lines.map((line) => `${line}\nprintf ${mark}\n`).join("");
  const { exitCode, stdout, stderr } = await tryRun([shell, "-s"], {
    input: script,
    variables: VARIABLES,
    cwd: "/",
  });
  assert.equal(exitCode, 0, stderr);
  return stdout.split(mark).slice(0, -1);
}

/** Makes a batch, of so many on the average; a failure shrinks to one. */
function batchOf<T>(one: fc.Arbitrary<T>, count: number = BATCH): fc.Arbitrary<T[]> {
  return fc.array(one, { minLength: 1, maxLength: 2 * count - 1, size: "max" });
}

fuzz(
  "shellQuote() is read as the same value by every shell",
  batchOf(anyArgument),
  async (values) => {
    const lines = values.map((value) => `printf '%s' ${shellQuote(value)}`);
    for (const shell of SHELLS) assert.deepEqual(await readBy(shell, lines), values);
  },
  { count: 15, batch: BATCH },
);

const word = anyArgument.map((text) => text.replaceAll(/[\n\r]/g, ""));

fuzz(
  "quoteWithin() is read as the same word behind no, single and double quotes",
  batchOf(word),
  async (words) => {
    for (const quotes of ["", "'", '"'] as const) {
      const written = words.map((word) => quoteWithin(word, quotes));
      const lines = written.map((text) => `printf '%s' ${quotes}${text ?? ""}${quotes} ""`);
      const expected = words.map((word, index) => written[index] === undefined ? "" : word);
      for (const shell of SHELLS) assert.deepEqual(await readBy(shell, lines), expected);
      // What is suggested is read back when the next word is completed.
      for (const [index, text] of written.entries()) {
        if (text === undefined) continue;
        const { words: [read] } = splitLine(`${quotes}${text}`);
        assert.equal(read, words[index]);
      }
    }
  },
  { count: 6, batch: BATCH },
);

/** Lines of words, quotes and backslashes, in which nothing is expanded. */
const line = fc.array(
  fc.constantFrom("a", "b", " ", "\t", "'", '"', "\\", "ä", "=", ",", "/", "\\'", '\\"', "  ", "-"),
  { maxLength: 14 },
).map((parts) => parts.join(""));

fuzz("commandWords() reads the words of a command as sh does", batchOf(line), async (lines) => {
  const commands = lines.filter((line) => commandWords(line) !== undefined);
  const printed = await readBy(
    "sh",
    // A backslash at the end of a line would take the next one along.
    commands.map((line) => `printf '%s\\0' ${line} 'end'`),
  );
  for (const [index, command] of commands.entries()) {
    if (command.endsWith("\\")) continue;
    assert.deepEqual([...commandWords(command) ?? [], "end", ""], printed[index]?.split("\0"));
  }
}, { count: 15, batch: BATCH });

fuzz("splitLine() takes any line apart, and its last word as it was typed", anyText, (line) => {
  const { words, raw } = splitLine(line);
  assert.ok(words.length >= 1);
  assert.ok(line.endsWith(raw));
}, { count: 3000 });

/** Scripts of one line, most of which a shell takes. */
const script = fc.array(
  fc.constantFrom(
    ...[
      "p",
      "p a",
      "x=1",
      " ",
      " ",
      "; ",
      " && ",
      " || ",
      " | ",
      "& ",
      "'",
      '"',
      "\\",
      "#",
      " # ",
      "\n",
    ],
    ...[
      "if true; then ",
      "fi",
      "; fi",
      "{ ",
      "; }",
      "(",
      ")",
      "case a in a) ",
      "esac",
      ";; esac",
      "! ",
    ],
    ...[
      "for i in 1; do ",
      "; done",
      "done",
      "fi",
      "$x",
      "${x}",
      "$(p)",
      "`p`",
      "$@",
      "<",
      ">",
      " 2>&1",
    ],
    ...[" >/dev/null", "<<E", "a", "-b", "é", "~", "*", "$", "\\\\", "!", "[", "]", "$#", "$1"],
  ),
  { maxLength: 8 },
).map((parts) => parts.join(""));

fuzz(
  "takingArguments() makes no valid script invalid, and lets the arguments reach the last command",
  batchOf(script),
  async (scripts) => {
    const made = scripts.flatMap((script) => {
      const taking = takingArguments(script);
      return taking === undefined || taking === script ? [] : [{ script, taking }];
    });
    // Prints for each pair whether both are valid, without running anything.
    const ask = ({ script, taking }: { script: string; taking: string }) =>
      `sh -n -c ${shellQuote(script)} 2>/dev/null; a=$?; sh -n -c ${
        shellQuote(taking)
      } 2>/dev/null; printf '%s %s' "$a" "$?"`;
    const answers = await readBy("sh", made.map(ask));
    for (const [index, { script, taking }] of made.entries()) {
      if (answers[index]?.startsWith("0 ")) assert.equal(answers[index], "0 0", taking);
      assert.ok(taking.startsWith(script.trimEnd()));
    }
  },
  { count: 3, batch: BATCH },
);

/** A simple command that prints its arguments, each on a line of its own. */
const simple = fc.array(
  fc.constantFrom(
    "a",
    "'b c'",
    '"d e"',
    "\\f",
    "\\\\",
    "x=1",
    "é",
    "-g",
    '""',
    "a\\",
    "'#'",
    "a#b",
  ),
  { maxLength: 5 },
).map((words) => ["printf '%s\\n'", ...words].join(" "));

fuzz(
  "takingArguments() puts the arguments behind the last word",
  batchOf(simple),
  async (scripts) => {
    const made = scripts.flatMap((script) => {
      const taking = takingArguments(script);
      return taking === undefined ? [] : [{ script, taking }];
    });
    const printed = await readBy(
      "sh",
      made.map(({ taking }) => `sh -c ${shellQuote(taking)} sh FIRST 'THE SECOND'`),
    );
    for (const [index, { script }] of made.entries()) {
      assert.ok(
        printed[index]?.endsWith("\nFIRST\nTHE SECOND\n") ||
          printed[index] === "FIRST\nTHE SECOND\n",
        script,
      );
    }
  },
  { count: 2, batch: BATCH },
);

const source = fc.record({
  root: anyArgument.map((text) => `/${text}`),
  project: anyArgument,
  name: anyArgument,
  composeProject: anyArgument,
  slot: fc.integer({ min: 1, max: 220 }),
  path: anyArgument,
  dataDir: anyArgument,
  branch: anyArgument,
  ports: fc.array(
    fc.record({
      service: anyArgument,
      containerPort: fc.integer({ min: 1, max: 65535 }),
      protocol: fc.constantFrom("tcp", "udp"),
      hostPort: fc.integer({ min: 10100, max: 32199 }),
    }),
    { maxLength: 4 },
  ),
});

fuzz(
  "environmentVariables() reach a shell that evaluates them as they are",
  batchOf(source, 20),
  async (sources) => {
    const all = sources.map(environmentVariables);
    const lines = all.map((variables) => {
      const names = Object.keys(variables);
      for (const name of names) assert.match(name, /^PIKO_[A-Z0-9_]+$/);
      const set = names.map((name) => `export ${name}=${shellQuote(variables[name] ?? "")}`);
      return `(${set.join("\n")}\nprintf '%s\\0' ${names.map((name) => `"$${name}"`).join(" ")})`;
    });
    for (const shell of SHELLS) {
      const printed = await readBy(shell, lines);
      for (const [index, variables] of all.entries()) {
        assert.deepEqual(printed[index]?.split("\0").slice(0, -1), Object.values(variables));
      }
    }
  },
  { count: 10, batch: 20 },
);
