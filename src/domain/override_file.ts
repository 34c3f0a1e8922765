/** How the override file is called, and how to tell that piko wrote one. */

/** The name of the file that piko lays over the user's compose files. */
export const OVERRIDE_FILE = "docker-compose.piko.yml";

/** What git must not take for somebody's work: the file, and what a piko that was killed has left of writing it. */
export const OVERRIDE_PATTERNS: readonly string[] = [OVERRIDE_FILE, `${OVERRIDE_FILE}.*.tmp`];

/** What every override file that piko wrote begins with. */
export const OVERRIDE_START = "# Made by piko ";
