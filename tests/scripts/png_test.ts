import assert from "node:assert/strict";
import { type Picture, readPng, shrink, writeIndexed } from "../../scripts/screenshots/png.ts";

/** A PNG of two by five pixels, whose rows have each of the five filters. */
const FILTERED = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAAFCAIAAADg0arLAAAAKklEQVR4nGP4z8DA8J+BEUj8/8/AxMnBwcTMwnwkQX/rzTcsra9kzV0VALqQCx2mEvADAAAAAElFTkSuQmCC",
);

const PIXELS = [
  [255, 0, 0, 0, 255, 0],
  [0, 0, 255, 255, 255, 255],
  [9, 8, 7, 1, 2, 3],
  [200, 100, 50, 25, 12, 6],
  [77, 78, 79, 80, 81, 82],
].flat();

Deno.test("readPng() reads rows of every filter", async () => {
  const { width, height, pixels } = await readPng(FILTERED);
  assert.deepEqual([width, height], [2, 5]);
  assert.deepEqual([...pixels], PIXELS);
});

Deno.test("writeIndexed() keeps every colour where there are few", async () => {
  const file = await shrink(FILTERED);
  assert.deepEqual([...file.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
  assert.equal(file[25], 3, "it has a palette");
});

Deno.test("writeIndexed() chooses what is frequent where there are many colours", async () => {
  const pixels = new Uint8Array(1000 * 3);
  for (let pixel = 0; pixel < 1000; pixel++) {
    pixels.set(pixel < 500 ? [10, 20, 30] : [pixel % 256, pixel % 199, pixel % 101], pixel * 3);
  }
  const picture: Picture = { width: 100, height: 10, pixels };
  const file = await writeIndexed(picture);
  const length = new DataView(file.buffer).getUint32(33);
  assert.equal(length, 256 * 3, "the palette is full");
  assert.deepEqual([...file.subarray(41, 44)], [10, 20, 30]);
});
