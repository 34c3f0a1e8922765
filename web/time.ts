/** Times as people read them. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Says how long ago something was: `just now`, `5 min ago`, `3 days ago`. */
export function ago(time: string | number, now: number): string {
  const past = Math.max(0, now - new Date(time).getTime());
  if (past < MINUTE) return "just now";
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  const days = Math.floor(past / DAY);
  return days === 1
    ? "yesterday"
    : days < 60
    ? `${days} days ago`
    : `${Math.floor(days / 30)} months ago`;
}

/** Says how long something took: `0.4 s`, `12 s`, `3 min 5 s`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/** Writes the time of day: `14:03:07`. */
export function clock(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** Writes the time of day with milliseconds, as log lines have it: `14:03:07.120`. */
export function preciseClock(time: number): string {
  const date = new Date(time);
  return `${clock(time)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Writes date and time in full, in the reader's own way. */
export function fullTime(time: string | number): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
