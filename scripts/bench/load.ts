/**
 * Asks a server as fast as it answers, over a few connections that stay open. It speaks HTTP itself: an ordinary client would
 * be what is measured.
 */

/** What is asked for. */
export interface Target {
  origin: string;
  path: string;
  headers: Readonly<Record<string, string>>;
}

const CONNECTIONS = 16;

/** Milliseconds of one measurement. */
const TIME = 2000;

/** Counts how many answers a server gives in a second. */
export async function requestsPerSecond(target: Target): Promise<number> {
  const start = performance.now();
  const until = start + TIME;
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => askUntil(target, until)),
  );
  const seconds = (performance.now() - start) / 1000;
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

async function askUntil({ origin, path, headers }: Target, until: number): Promise<number> {
  const { hostname, port } = new URL(origin);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "\r\n",
  ];
  const request = new TextEncoder().encode(lines.join("\r\n"));
  const buffer = new Uint8Array(256 * 1024);
  let count = 0;
  while (performance.now() < until) {
    await connection.write(request);
    await readAnswer(connection, buffer);
    count++;
  }
  return count;
}

/** Reads one answer of a known length. */
async function readAnswer(connection: Deno.Conn, buffer: Uint8Array<ArrayBuffer>): Promise<void> {
  let size = 0;
  let wanted = Infinity;
  while (size < wanted) {
    const read = await connection.read(buffer.subarray(size));
    if (read === null) throw new TypeError("The server has closed the connection");
    size += read;
    if (wanted < Infinity) continue;
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, Math.min(size, 4096)));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const length = /^content-length: (\d+)/im.exec(text)?.[1];
    if (!text.startsWith("HTTP/1.1 200") || length === undefined) {
      throw new TypeError(`Not the answer that was asked for: ${text.slice(0, end)}`);
    }
    wanted = end + 4 + Number(length);
    if (wanted > buffer.length) throw new TypeError(`An answer of ${wanted} bytes`);
  }
}
