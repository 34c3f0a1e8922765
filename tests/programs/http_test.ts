import assert from "node:assert/strict";
import { type Connection, ConnectionLost, exchange, readAll } from "../../src/programs/http.ts";

/** The other end of a connection: gives out an answer in pieces of `size` bytes, and keeps the request. */
class Wire implements Connection {
  request = "";
  #rest: Uint8Array;
  readonly #size: number;

  constructor(answer: string, size: number) {
    this.#rest = new TextEncoder().encode(answer);
    this.#size = size;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const part = this.#rest.subarray(0, Math.min(this.#size, buffer.length));
    this.#rest = this.#rest.subarray(part.length);
    buffer.set(part);
    return Promise.resolve(part.length === 0 ? null : part.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    const part = bytes.subarray(0, this.#size);
    this.request += new TextDecoder().decode(part);
    return Promise.resolve(part.length);
  }
}

const answers: [string, string, number, string][] = [
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nzwölfte", 200, "zwölf"],
  [
    "chunks",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nzw\r\n4;note\r\nölf\r\n0\r\n\r\n",
    200,
    "zwölf",
  ],
  ["neither, to its end", "HTTP/1.0 500 Oh\r\nServer: x\r\n\r\nzwölf", 500, "zwölf"],
  ["no body at all", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""],
  ["an empty body", "HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", 404, ""],
];

for (const size of [1, 3, 100_000]) {
  for (const [name, answer, status, text] of answers) {
    Deno.test(`exchange() reads an answer with ${name}, ${size} bytes at a time`, async () => {
      const wire = new Wire(answer, size);
      const { status: got, body } = await exchange(wire, "GET", "/x");
      assert.equal(new TextDecoder().decode(await readAll(body)), text);
      assert.equal(got, status);
      assert.equal(wire.request, "GET /x HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
    });
  }
}

const broken: [string, string][] = [
  ["nothing", ""],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Le"],
  ["less than its length", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nzw"],
  ["no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nzw\r\n"],
];

for (const [name, answer] of broken) {
  Deno.test(`exchange() does not take an answer with ${name} for a whole one`, async () => {
    await assert.rejects(async () => {
      await readAll((await exchange(new Wire(answer, 100), "GET", "/x")).body);
    }, ConnectionLost);
  });
}
