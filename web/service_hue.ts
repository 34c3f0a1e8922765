/** Gives each service of an environment a colour that stays its own, and that the others do not have. */

import { hashOf } from "./hash.ts";

/** How many colours there are; style.css has them as `hue-0` and on. */
export const HUES = 10;

/** Gives the services their colours, by their names alone; with more services than colours some are used twice. */
export function serviceHues(services: Iterable<string>): Map<string, number> {
  const hues = new Map<string, number>();
  for (const service of [...new Set(services)].sort()) {
    const taken = new Set(hues.size < HUES ? hues.values() : []);
    let hue = hashOf(service) % HUES;
    while (taken.has(hue)) hue = (hue + 1) % HUES;
    hues.set(service, hue);
  }
  return hues;
}
