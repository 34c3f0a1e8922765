/**
 * Runs a check on many random inputs; what fails is told as the smallest input that still fails, with the seed.
 *
 *     PIKO_FUZZ=100000 deno test -A --no-prompt tests/fuzz            so many inputs each
 *     PIKO_FUZZ_SEED=-123 deno test -A --no-prompt tests/fuzz         those of another seed
 */

import fc from "fast-check";

const COUNT = Deno.env.get("PIKO_FUZZ");
const SEED = Number(Deno.env.get("PIKO_FUZZ_SEED") ?? 20260101);

/** Milliseconds that one test takes in CI, where it ends before it has come to all of its inputs. */
const CI_LIMIT = 2000;

/** How many inputs a test has. */
export interface FuzzOptions {
  /** Without PIKO_FUZZ. */
  count?: number;
  /** How many inputs of PIKO_FUZZ one run of the check has: a program that is started takes a batch. */
  batch?: number;
  /** How many times fewer inputs than PIKO_FUZZ says a check has that starts programs for each one. */
  slower?: number;
}

/** Makes a test of a check that must hold for every input. */
export function fuzz<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => Promise<void> | void,
  { count = 1000, batch = 1, slower = 1 }: FuzzOptions = {},
): void {
  Deno.test(`${name}, whatever the input`, async () => {
    const numRuns = COUNT === undefined ? count : Math.ceil(Number(COUNT) / batch / slower);
    const limit = COUNT === undefined
      ? { interruptAfterTimeLimit: CI_LIMIT, markInterruptAsFailure: false }
      : {};
    await fc.assert(fc.asyncProperty(inputs, async (input) => await check(input)), {
      seed: SEED,
      numRuns,
      ...limit,
    });
    if (COUNT !== undefined) console.log(`${numRuns * batch} inputs, seed ${SEED}`);
  });
}

/** Text as people and programs write it: plain, with what a shell or a terminal would obey, or any code points at all. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.array(
    fc.constantFrom(
      ...[
        "a",
        "Z",
        "0",
        "-",
        "_",
        ".",
        "/",
        "..",
        " ",
        "\t",
        "\n",
        "\r\n",
        "'",
        '"',
        "\\",
        "$",
        "`",
      ],
      ...[
        "$(id)",
        "${x}",
        "!",
        "#",
        "~",
        "*",
        "?",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "|",
        "&",
      ],
      ...[
        ";",
        "=",
        ":",
        ",",
        "%",
        "@",
        "+",
        "^",
        "ä",
        "İ",
        "ß",
        "漢",
        "👩‍👩‍👧",
        "\u0301",
        "\u202e",
        "\x1b[31m",
      ],
      ...["\x1b]0;x\x07", "\x07", "\x7f", "\x9b", "\u2028", "\ufeff", "--", "-rf", "null", "true"],
    ),
    { maxLength: 12 },
  ).map((parts) => parts.join("")),
);

/** The same, as it can be an argument of a program. */
export const anyArgument: fc.Arbitrary<string> = anyText.map((text) =>
  // A program takes bytes up to a zero, and a lone surrogate is no character.
  text.replaceAll("\0", "").toWellFormed()
);

/** Cuts bytes into pieces, as a socket hands them out. */
export function piecesOf(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array<ArrayBuffer>[]> {
  return fc.tuple(bytes, fc.array(fc.nat({ max: 40 }), { maxLength: 30 })).map(([whole, sizes]) => {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    for (const size of sizes) {
      if (at >= whole.length) break;
      pieces.push(Uint8Array.from(whole.subarray(at, at + size)));
      at += size;
    }
    if (at < whole.length) pieces.push(Uint8Array.from(whole.subarray(at)));
    return pieces;
  });
}
