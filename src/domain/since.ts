/** Points in time as a person names them for logs: how long ago, or when. */

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Reads a time as seconds since 1970: `90s`, `10m`, `1h30m` and `2d` ago, a date or time (the machine's own zone where it
 * names none), or seconds since 1970 themselves.
 *
 * @returns undefined when it is none of these.
 */
export function parseSince(text: string, now: number): string | undefined {
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  if (/^(\d+(\.\d+)?[smhd])+$/.test(text)) {
    const parts = [...text.matchAll(/([\d.]+)([smhd])/g)];
    const ago = parts.reduce(
      (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0),
      0,
    );
    return Math.max(0, now / 1000 - ago).toFixed(3);
  }
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const time = Date.parse(/^[\d-]+$/.test(text) ? `${text}T00:00` : text);
  return Number.isNaN(time) ? undefined : (Math.max(0, time) / 1000).toFixed(3);
}

/** Makes of a time in ISO 8601 with nine digits the next one, as seconds since 1970. */
export function justAfter(time: string): string {
  const [, whole = "", digits = "0"] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  const seconds = Date.parse(`${whole}Z`) / 1000;
  const nanoseconds = Number(digits.padEnd(9, "0").slice(0, 9)) + 1;
  return nanoseconds === 1e9
    ? `${seconds + 1}`
    : `${seconds}.${String(nanoseconds).padStart(9, "0")}`;
}
