import assert from "node:assert/strict";
import { LogBuffer } from "../../web/log_buffer.ts";
import { LogMatcher } from "../../web/log_matcher.ts";
import { parseSearch } from "../../web/log_search.ts";

const push = (buffer: LogBuffer, text: string) =>
  buffer.push({ text, label: "web", time: 1000, kind: "stdout" });

/** A search in a buffer, as the page makes it. */
class Searching implements Disposable {
  readonly buffer = new LogBuffer();
  readonly matcher = new LogMatcher(this.buffer);
  #look = () => {};

  constructor(...lines: string[]) {
    for (const line of lines) push(this.buffer, line);
    this.matcher.changed = () => this.#look();
  }

  find(expression: string): void {
    const { pattern } = parseSearch(expression, true);
    this.buffer.find(pattern);
    this.matcher.find(pattern);
    this.matcher.goOn();
  }

  /** Waits until something holds, which is looked at whenever the matcher says that more is known. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (holds()) resolve();
      };
      this.#look();
    });
  }

  [Symbol.dispose](): void {
    this.matcher.find(null);
  }
}

Deno.test("LogMatcher finds what LogBuffer.search() finds, in lines that come later too", async () => {
  using search = new Searching();
  const { buffer, matcher } = search;
  for (let number = 0; number < 3210; number++) push(buffer, `line ${number}`);
  push(buffer, "\x1b[31mEr\x1b[1mrör\x1b[0m");
  search.find("lin\\S 1.*7$|err.r");
  await search.until(() => matcher.isDone);
  const found = () => Array.from({ length: buffer.next }, (_, line) => buffer.isHit(line));
  const hits = found();
  assert.equal(buffer.searched, 3211);
  assert.ok(buffer.isHit(3210), "escapes are no text");
  buffer.find(parseSearch("lin\\S 1.*7$|err.r", true).pattern);
  buffer.search();
  assert.deepEqual(hits, found());
  search.find("late");
  await search.until(() => matcher.isDone);
  assert.equal(buffer.hits, 0);
  push(buffer, "too late");
  matcher.goOn();
  await search.until(() => buffer.hits === 1);
  assert.ok(matcher.isDone, "what was done stays so while lines come");
});

Deno.test("LogMatcher tells where a drawn line is cut, once it knows", async () => {
  using search = new Searching("one \x1b[31mtwo\x1b[0m two");
  search.find("t.o");
  await search.until(() => search.matcher.rangesOf(0, "one \x1b[31mtwo\x1b[0m two").length > 0);
  assert.deepEqual(search.matcher.rangesOf(0, "one \x1b[31mtwo\x1b[0m two"), [
    { from: 4, to: 7 },
    { from: 8, to: 11 },
  ]);
});

Deno.test("LogMatcher gives up an expression that takes too long, and looks for the next one", async () => {
  using search = new Searching("before", "x".repeat(200), "key=value ".repeat(50) + "!");
  const { buffer, matcher } = search;
  for (const expression of ["(x+x+)+y", "^(\\w+[ =:]?)+$"]) {
    search.find(expression);
    await search.until(() => matcher.problem !== null);
    assert.equal(matcher.problem, "This expression takes too long");
    assert.equal(buffer.hits, 0);
    search.find("bef.re");
    assert.equal(matcher.problem, null);
    await search.until(() => matcher.isDone);
    assert.equal(buffer.hits, 1);
  }
});

Deno.test("LogMatcher says nothing of an expression that nobody looks for any more", async () => {
  using search = new Searching("x".repeat(200), "before");
  const { buffer, matcher } = search;
  search.find("befor.");
  await search.until(() => matcher.isDone);
  search.find("(x+x+)+y");
  search.find("bef.re");
  await search.until(() => matcher.isDone || matcher.problem !== null);
  assert.equal(matcher.problem, null);
  assert.equal(buffer.hits, 1);
});

Deno.test("LogMatcher gives up an expression that the browser cannot run", async () => {
  using search = new Searching("abc");
  const { matcher } = search;
  search.find("(?:ab|c){5,99}".repeat(20_000));
  await search.until(() => matcher.problem !== null || matcher.isDone);
  assert.equal(matcher.problem, "This expression needs too much memory");
});
