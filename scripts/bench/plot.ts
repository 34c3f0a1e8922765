/** Draws lines as an SVG that is readable on a light and on a dark page. */

/** A line of the plot. */
export interface Series {
  name: string;
  /** In ascending order of x. */
  points: readonly (readonly [x: number, y: number])[];
}

/** What stands around the lines. */
export interface PlotWords {
  title: string;
  x: string;
  y: string;
}

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 56;
const RIGHT = 150;
const TOP = 40;
const BOTTOM = 48;

/** Colours that differ in lightness too, with enough contrast on white and on black. */
const COLOURS = ["#2f7ed8", "#c0504d", "#4f9a3a", "#9a6fb0", "#b8860b", "#3a9a9a"];

/** Grey that is readable on white and on black. */
const INK = "#808080";

/** Draws the plot; both axes begin at 0. */
export function plot(series: readonly Series[], words: PlotWords): string {
  const all = series.flatMap(({ points }) => points);
  const most = (values: number[]) => Math.max(1, ...values);
  const xs = ticks(most(all.map(([x]) => x)));
  const ys = ticks(most(all.map(([, y]) => y)));
  const xMost = xs.at(-1) ?? 1;
  const yMost = ys.at(-1) ?? 1;
  const at = (x: number, y: number) => [
    round(LEFT + x / xMost * (WIDTH - LEFT - RIGHT)),
    round(HEIGHT - BOTTOM - y / yMost * (HEIGHT - TOP - BOTTOM)),
  ];
  const grid = [
    ...ys.map((y) => {
      const [left, height] = at(0, y);
      return line([[left!, height!], at(xMost, y)], INK, 'opacity="0.3"') +
        text(left! - 8, height! + 4, String(y), "end");
    }),
    ...xs.map((x) => {
      const [left, height] = at(x, 0);
      return text(left!, height! + 18, String(x), "middle");
    }),
  ];
  const lines = series.map(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? INK;
    const places = points.map(([x, y]) => at(x, y));
    const [endX = 0, endY = 0] = places.at(-1) ?? [];
    return line(places, colour, 'stroke-width="2"') +
      places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>\n`).join("") +
      text(endX + 10, apart(series, index, endY, at) + 4, name, "start", colour);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12">
<title>${escaped(words.title)}</title>
${text(LEFT, 20, words.title, "start")}${grid.join("")}${
    text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 8, words.x, "middle")
  }${text(8, TOP - 6, words.y, "start")}${lines.join("")}</svg>
`;
}

/** Keeps the names at the ends of the lines from covering each other. */
function apart(
  series: readonly Series[],
  index: number,
  own: number,
  at: (x: number, y: number) => number[],
): number {
  const ends = series.map(({ points }, other) => ({
    other,
    end: at(...(points.at(-1) ?? [0, 0]))[1] ?? 0,
  })).sort((a, b) => a.end - b.end || a.other - b.other);
  let least = -Infinity;
  for (const { other, end } of ends) {
    const place = Math.max(end, least);
    if (other === index) return place;
    least = place + 15;
  }
  return own;
}

/** Chooses round numbers from 0 to at least `most`. */
export function ticks(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => most / step <= 5) ??
    10 * power;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => round(index * step));
}

function line(places: readonly (readonly number[])[], colour: string, more: string): string {
  const points = places.map((place) => place.join(",")).join(" ");
  return `<polyline points="${points}" fill="none" stroke="${colour}" ${more}/>\n`;
}

function text(x: number, y: number, words: string, anchor: string, colour = INK): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${colour}">${
    escaped(words)
  }</text>\n`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
