/**
 * Reads what a person types. Deno cannot take back a read of the terminal, which keeps the process alive until a
 * key comes: whoever ends piko asks here whether one is left waiting.
 */

let waiting = 0;

/** Reads the next bytes of stdin; null at its end. */
export async function readInput(buffer: Uint8Array): Promise<number | null> {
  waiting++;
  try {
    return await Deno.stdin.read(buffer);
  } finally {
    waiting--;
  }
}

/** Tells whether a read of stdin was given up and still waits. */
export function isInputAwaited(): boolean {
  return waiting > 0;
}

/** A key: its name, or the text that was typed. */
export type Key =
  | { kind: "text"; text: string }
  | { kind: "key"; name: KeyName };

/** The keys that mean something to piko. */
export type KeyName =
  | "enter"
  | "escape"
  | "interrupt"
  | "end-of-input"
  | "up"
  | "down"
  | "page-up"
  | "page-down"
  | "first"
  | "last"
  | "rub-out"
  | "rub-out-word"
  | "rub-out-line";

const ESCAPE = "\x1b";

/** What the keys of the control characters are called; Ctrl+J is its own key, since raw mode leaves Enter its `\r`. */
const CONTROLS: Readonly<Record<string, KeyName>> = {
  "\r": "enter",
  "\x03": "interrupt",
  "\x04": "end-of-input",
  "\x0e": "down",
  "\n": "down",
  "\t": "down",
  "\x10": "up",
  "\x0b": "up",
  "\x7f": "rub-out",
  "\b": "rub-out",
  "\x17": "rub-out-word",
  "\x15": "rub-out-line",
};

/** The sequences of a terminal's other keys, behind ESC (xterm's "PC-style function keys", vt220's editing keys). */
const SEQUENCES: Readonly<Record<string, KeyName>> = {
  "[A": "up",
  "OA": "up",
  "[B": "down",
  "OB": "down",
  "[Z": "up",
  "[5~": "page-up",
  "[6~": "page-down",
  "[H": "first",
  "OH": "first",
  "[1~": "first",
  "[F": "last",
  "OF": "last",
  "[4~": "last",
};

/** A whole sequence behind ESC: CSI with its parameters, or SS3 with one character (ECMA-48, 5.4). */
const WHOLE = /^(\[[0-?]*[ -/]*[@-~]|O[ -~])/;

/** The beginning of one, whose rest may still be under way. */
const BEGUN = /^(\[[0-?]*[ -/]*|O)?$/;

/**
 * Takes the keys out of what was typed.
 *
 * @returns the keys, and what may be the beginning of another one.
 */
export function parseKeys(typed: string): { keys: Key[]; rest: string } {
  const keys: Key[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") keys.push({ kind: "text", text });
    text = "";
  };
  const push = (name: KeyName) => (flush(), keys.push({ kind: "key", name }));
  for (let at = 0; at < typed.length; at++) {
    const character = typed[at] ?? "";
    if (character === ESCAPE) {
      const behind = typed.slice(at + 1);
      const whole = WHOLE.exec(behind)?.[0];
      if (whole !== undefined) {
        const name = SEQUENCES[whole];
        if (name !== undefined) push(name);
        at += whole.length;
      } else if (BEGUN.test(behind)) {
        flush();
        return { keys, rest: typed.slice(at) };
      } else if (behind.startsWith(ESCAPE)) push("escape");
      // A letter right behind ESC was typed with Alt, which means nothing here.
      else at += [...behind][0]?.length ?? 0;
    } else if (CONTROLS[character] !== undefined) push(CONTROLS[character]);
    else if (character >= " ") text += character;
  }
  flush();
  return { keys, rest: "" };
}

/** Reads the keys of a terminal in raw mode, one chunk after the other, until whoever reads stops. */
export async function* readKeys(signal: AbortSignal): AsyncGenerator<Key[]> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1024);
  const aborted = new Promise<"aborted">((resolve) => {
    if (signal.aborted) resolve("aborted");
    signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
  let typed = "";
  let reading: Promise<number | null> | undefined;
  for (;;) {
    reading ??= readInput(buffer);
    const count = await Promise.race([reading, aborted, ...(typed === "" ? [] : [shortly()])]);
    if (count === "aborted") return;
    if (count === "late") {
      // Nothing followed: it was the key Esc, with whatever was typed right behind it.
      yield [{ kind: "key", name: "escape" }];
      typed = "";
      continue;
    }
    reading = undefined;
    if (count === null) {
      yield [{ kind: "key", name: "end-of-input" }];
      return;
    }
    const { keys, rest } = parseKeys(
      typed + decoder.decode(buffer.subarray(0, count), { stream: true }),
    );
    typed = rest;
    if (keys.length > 0) yield keys;
  }
}

/** Milliseconds within which the rest of a key's sequence follows its ESC. */
const SEQUENCE_TIME = 60;

function shortly(): Promise<"late"> {
  return new Promise((resolve) => setTimeout(() => resolve("late"), SEQUENCE_TIME));
}
