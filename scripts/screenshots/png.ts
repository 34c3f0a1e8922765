/**
 * Makes PNG files of screenshots small: at most 256 colours, which a page of text hardly exceeds, and no filters, which such
 * pictures are smaller without (PNG, third edition: 11.2 chunks, 9 filtering).
 */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** A picture, three bytes a pixel. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array<ArrayBuffer>;
}

/** Writes a PNG with a palette of the colours that a PNG has most often; the others become the nearest of them. */
export async function shrink(png: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await writeIndexed(await readPng(png));
}

/** Reads a PNG as browsers write them: eight bits, colour with or without alpha, not interlaced. */
export async function readPng(file: Uint8Array<ArrayBuffer>): Promise<Picture> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, type, , , interlace] = file.subarray(24, 29);
  if (depth !== 8 || (type !== 2 && type !== 6) || interlace !== 0) {
    throw new TypeError(`A PNG of depth ${depth}, type ${type} and interlace ${interlace}`);
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = SIGNATURE.length; at < file.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (name === "IDAT") parts.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const size = type === 6 ? 4 : 3;
  const rows = unfilter(
    await through(parts, new DecompressionStream("deflate")),
    width,
    height,
    size,
  );
  const pixels = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let part = 0; part < 3; part++) pixels[pixel * 3 + part] = rows[pixel * size + part] ?? 0;
  }
  return { width, height, pixels };
}

function unfilter(
  bytes: Uint8Array<ArrayBuffer>,
  width: number,
  height: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const length = width * size;
  const rows = new Uint8Array(length * height);
  for (let row = 0; row < height; row++) {
    const filter = bytes[row * (length + 1)] ?? 0;
    for (let column = 0; column < length; column++) {
      const raw = bytes[row * (length + 1) + 1 + column] ?? 0;
      const at = row * length + column;
      const left = column < size ? 0 : rows[at - size] ?? 0;
      const above = row === 0 ? 0 : rows[at - length] ?? 0;
      const corner = row === 0 || column < size ? 0 : rows[at - length - size] ?? 0;
      rows[at] = raw + predicted(filter, left, above, corner);
    }
  }
  return rows;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const guess = left + above - corner;
      const [a, b, c] = [left, above, corner].map((value) => Math.abs(guess - value)) as [
        number,
        number,
        number,
      ];
      return a <= b && a <= c ? left : b <= c ? above : corner;
    }
  }
  return 0;
}

/** Writes a picture with a palette. */
export async function writeIndexed(
  { width, height, pixels }: Picture,
): Promise<Uint8Array<ArrayBuffer>> {
  const counts = new Map<number, number>();
  const colourAt = (pixel: number) =>
    ((pixels[pixel * 3] ?? 0) << 16) | ((pixels[pixel * 3 + 1] ?? 0) << 8) |
    (pixels[pixel * 3 + 2] ?? 0);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const colour = colourAt(pixel);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = choosePalette(counts);
  const places = new Map(palette.map((colour, index) => [colour, index]));
  for (const colour of counts.keys()) {
    if (!places.has(colour)) places.set(colour, nearest(colour, palette));
  }
  const rows = new Uint8Array((width + 1) * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      rows[row * (width + 1) + 1 + column] = places.get(colourAt(row * width + column)) ?? 0;
    }
  }
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8);
  const colours = new Uint8Array(palette.flatMap(partsOf));
  return joined([
    new Uint8Array(SIGNATURE),
    chunk("IHDR", header),
    chunk("PLTE", colours),
    chunk("IDAT", await through([rows], new CompressionStream("deflate"))),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** Chooses 256 colours: the most frequent ones, but of neighbours that nobody can tell apart only one at first. */
function choosePalette(counts: ReadonlyMap<number, number>): number[] {
  const byCount = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour);
  if (byCount.length <= 256) return byCount;
  const chosen: number[] = [];
  for (const colour of byCount) {
    if (chosen.length === 256) break;
    if (chosen.every((other) => distance(colour, other) > 40)) chosen.push(colour);
  }
  const isChosen = new Set(chosen);
  for (const colour of byCount) {
    if (chosen.length === 256) break;
    if (!isChosen.has(colour)) chosen.push(colour);
  }
  return chosen;
}

function nearest(colour: number, palette: readonly number[]): number {
  let best = 0;
  let least = Infinity;
  palette.forEach((other, index) => {
    const apart = distance(colour, other);
    if (apart < least) [best, least] = [index, apart];
  });
  return best;
}

function distance(a: number, b: number): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  return one.reduce((sum, part, index) => sum + (part - (other[index] ?? 0)) ** 2, 0);
}

function partsOf(colour: number): number[] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function chunk(name: string, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc(bytes.subarray(4, data.length + 8)));
  return bytes;
}

function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

async function through(
  parts: Uint8Array<ArrayBuffer>[],
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob(parts).stream().pipeThrough(stream)).bytes();
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
